//! What there is to say of a scenario that does not fit its plan.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::scenario::{
    SCENARIO_MOMENT, SCENARIO_NAME, SCENARIO_STATEMENT, SCENARIO_VALUE,
};
use crate::resolve::near;
use crate::source::Span;

pub fn no_place_in_a_scenario(span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_STATEMENT, span, "this has no meaning in a scenario")
        .help("say what is so (`error_rate = 1%`), when (`at rollout + 5m { … }`), and what people do (`engineer confirms after 2m`)")
}

pub fn input_in_the_middle(span: Span) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_STATEMENT,
        span,
        "an input has one value for the whole run",
    )
    .help("move it out of the `at`")
}

pub fn no_deed(span: Span) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_STATEMENT,
        span,
        "an answer belongs to a question, not to a moment",
    )
    .help("move it out of the `at`, and say with `after` how long it takes")
}

pub fn no_such_scenario(span: Span) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_NAME,
        span,
        "there is no such scenario beside this one",
    )
    .help("`like` takes the stem of a file, as `like \"good-day\"`")
}

pub fn no_such_role<'a>(
    name: &str,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_NAME,
        span,
        format!("the plan has no role `{name}`"),
    )
    .help(listed("its roles are", name, known))
}

pub fn no_such_question(id: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_NAME,
        span,
        format!("the plan asks nobody for `{id}`"),
    )
    .help("name a `confirm` or an `approve` by its name or its `ref`")
}

pub fn no_such_place<'a>(
    name: &str,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let message = format!("the plan has no input, metric or provider `{name}`");
    Diagnostic::new(&SCENARIO_NAME, span, message).help(listed("it has", name, known))
}

pub fn no_such_member<'a>(
    of: &str,
    name: &str,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    Diagnostic::new(&SCENARIO_NAME, span, format!("`{of}` has no `{name}`"))
        .help(listed("it has", name, known))
}

pub fn no_place(span: Span) -> Diagnostic {
    Diagnostic::new(
        &SCENARIO_NAME,
        span,
        "this is nothing that a scenario can set",
    )
    .help(
        "set an input, a metric, or an answer of a provider, such as `api.get(\"/health\").status`",
    )
}

pub fn no_value(span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_VALUE, span, "a scenario gives plain values")
        .help("write a literal, a list, a map, or `absent`")
}

pub fn wrong_number(text: &str, span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_VALUE, span, format!("`{text}` is no amount"))
        .help("units are written as in a plan: `180ms`, `12%`, `64MiB`, `240/s`")
}

pub fn wrong_type(what: &str, wanted: &str, found: &str, span: Span) -> Diagnostic {
    let message = format!("`{what}` is a {wanted}, and this is a {found}");
    Diagnostic::new(&SCENARIO_VALUE, span, message)
}

pub fn wrong_json(error: &str, span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_VALUE, span, format!("this is no JSON: {error}"))
        .help("JSON can be written as a map: `{ status: \"ok\" }`")
}

pub fn no_moment(span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_MOMENT, span, "the plan has no such moment")
        .help("a moment is a name of the plan, `NAME.stage(50%)`, `start`, `rollback`, or an instant; then `+ 2m`")
}

pub fn no_such_stage<'a>(span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    Diagnostic::new(&SCENARIO_MOMENT, span, "there is no stage of this weight").help(listed(
        "its stages are",
        "",
        known,
    ))
}

pub fn no_duration(span: Span) -> Diagnostic {
    Diagnostic::new(&SCENARIO_VALUE, span, "this is no time")
        .help("write it with its unit: `90s`, `2m`")
}

/// The one that was meant, where there is one; else all, or the first of them.
fn listed<'a>(intro: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    if let Some(near) = near::nearest(name, known.iter().copied()) {
        return format!("a name near to it is `{near}`");
    }
    let names: Vec<String> = known
        .iter()
        .take(12)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.as_slice() {
        [] => "it has none".to_owned(),
        names => format!("{intro} {}", names.join(", ")),
    }
}
