//! Words for calls of provider functions.

use crate::analyze::messages::listed;
use crate::analyze::messages::numbers::with_article;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::typing as codes;
use crate::providers::{Effect, Function, Param, ProviderKind};
use crate::resolve::near;
use crate::source::Span;
use crate::syntax::ast::Ident;

/// Something that changes the world or speaks, where only reading may stand.
pub fn effect_misplaced(function: &Function, provider: &str, span: Span) -> Diagnostic {
    let call = format!("{provider}.{}", function.name);
    let (message, help) = match function.effect {
        Effect::Tell => (
            format!("`{call}` sends a message, and only `notify` does that"),
            format!("write `notify {provider} \"…\"`"),
        ),
        _ => (
            format!("`{call}` changes something, and only a step may do that"),
            format!("write `step NAME = {call}(…) timeout T undo timeout T`"),
        ),
    };
    Diagnostic::new(&codes::EFFECT_MISPLACED, span, message)
        .label("only reading may stand here")
        .help(help)
        .note("a check cannot change anything, so it can be judged as often as it is wanted")
}

pub fn step_changes_nothing(function: &Function, provider: &str, span: Span) -> Diagnostic {
    let call = format!("{provider}.{}", function.name);
    let (message, help) = match function.effect {
        Effect::Tell => (
            format!("`{call}` sends a message; a step changes something"),
            format!("write `notify {provider} \"…\"`"),
        ),
        _ => (
            format!("`{call}` only reads; a step changes something"),
            "write a `check`, or a `let` where only its value is needed".to_owned(),
        ),
    };
    Diagnostic::new(&codes::EFFECT_MISPLACED, span, message).help(help)
}

pub fn query_outside_of_metric(span: Span) -> Diagnostic {
    let message = "a query gives numbers without a unit, and only a `metric` can say what they are";
    Diagnostic::new(&codes::EFFECT_MISPLACED, span, message)
        .help("declare `metric NAME: DIMENSION = … in UNIT`, and use NAME here")
}

pub fn unknown_function(name: &Ident, provider: &str, kind: &ProviderKind) -> Diagnostic {
    let known: Vec<&str> = kind
        .functions
        .iter()
        .map(|function| function.name)
        .collect();
    let message = format!(
        "`{provider}` ({}) has no function `{}`",
        kind.name, name.name
    );
    let found = Diagnostic::new(&codes::UNKNOWN_MEMBER, name.span, message);
    match near::nearest(&name.name, known.iter().copied()) {
        Some(near) => found.label(format!("did this mean `{near}`?")).fix(
            format!("write `{near}`"),
            name.span,
            near,
        ),
        None => found.help(format!("it has {}", listed(&known))),
    }
}

pub fn missing_argument(
    provider: &str,
    function: &Function,
    param: &Param,
    span: Span,
) -> Diagnostic {
    let message = format!(
        "`{}` of `{provider}.{}` is missing",
        param.name, function.name
    );
    Diagnostic::new(&codes::WRONG_ARGUMENTS, span, message)
        .help(format!(
            "{}: {}. {}",
            param.name,
            with_article(&param.ty),
            param.doc
        ))
        .note(signature(provider, function))
}

pub fn unknown_argument(provider: &str, function: &Function, label: &Ident) -> Diagnostic {
    let known: Vec<&str> = function.params.iter().map(|param| param.name).collect();
    let message = format!(
        "`{provider}.{}` has no parameter `{}`",
        function.name, label.name
    );
    let found = Diagnostic::new(&codes::WRONG_ARGUMENTS, label.span, message);
    match near::nearest(&label.name, known) {
        Some(near) => found.label(format!("did this mean `{near}`?")).fix(
            format!("write `{near}`"),
            label.span,
            near,
        ),
        None => found.note(signature(provider, function)),
    }
}

pub fn argument_twice(provider: &str, function: &Function, label: &Ident) -> Diagnostic {
    let message = format!(
        "`{}` of `{provider}.{}` is given twice",
        label.name, function.name
    );
    Diagnostic::new(&codes::WRONG_ARGUMENTS, label.span, message)
}

pub fn too_many_arguments(provider: &str, function: &Function, span: Span) -> Diagnostic {
    let message = match function.params.len() {
        0 => format!("`{provider}.{}` takes no argument", function.name),
        _ => format!("`{provider}.{}` takes no further argument", function.name),
    };
    Diagnostic::new(&codes::WRONG_ARGUMENTS, span, message).note(signature(provider, function))
}

/// `noun` with its article.
pub fn not_callable(span: Span, noun: &str) -> Diagnostic {
    let message = format!("{noun} cannot be called");
    Diagnostic::new(&codes::TYPE_MISMATCH, span, message)
        .help("functions belong to providers: `cluster.deployment(\"api\")`")
}

pub fn define_is_a_statement(span: Span, name: &str) -> Diagnostic {
    let message = format!("`{name}` is a define: it has no value");
    Diagnostic::new(&codes::TYPE_MISMATCH, span, message)
        .help("write it as a line of its own, or behind `=` of a check")
}

fn signature(provider: &str, function: &Function) -> String {
    let params: Vec<String> = function
        .params
        .iter()
        .map(|param| match param.need {
            crate::providers::Need::Required => format!("{}: {}", param.name, param.ty),
            crate::providers::Need::Optional => format!("[{}: {}]", param.name, param.ty),
        })
        .collect();
    format!("`{provider}.{}({})`", function.name, params.join(", "))
}
