//! The words for what is wrong with names and places.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::structure as codes;
use crate::resolve::names::{Decl, RESERVED};
use crate::source::Span;
use crate::syntax::ast::{Ident, Reference};

/// `noun` without article: `phase`, `role`.
pub fn unknown_name(name: &Ident, noun: &str, near: Option<&str>) -> Diagnostic {
    let message = format!("unknown {noun} `{}`", name.name);
    let diagnostic = Diagnostic::new(&codes::UNKNOWN_NAME, name.span, message);
    match near {
        Some(near) => diagnostic.label(format!("did this mean `{near}`?")).fix(
            format!("write `{near}`"),
            name.span,
            near,
        ),
        None => diagnostic.label("declared nowhere"),
    }
}

/// `wanted` with its article: `a phase`.
pub fn wrong_kind(name: &Ident, decl: &Decl<'_>, wanted: &str) -> Diagnostic {
    let noun = decl.what.noun();
    let message = format!("`{}` is {noun}; {wanted} is wanted here", name.name);
    Diagnostic::new(&codes::WRONG_KIND, name.span, message).and(decl.span, "declared here")
}

pub fn duplicate_name(name: &Ident, first: &Decl<'_>) -> Diagnostic {
    let message = format!("`{}` is declared twice", name.name);
    Diagnostic::new(&codes::DUPLICATE_NAME, name.span, message)
        .label("again")
        .and(first.span, format!("first, as {}", first.what.noun()))
        .note("all that a plan declares shares one name space, over all of its files")
}

pub fn names_too_near(first: &Decl<'_>, second: &Decl<'_>) -> Diagnostic {
    let message = format!(
        "`{}` and `{}` are easily taken for one another",
        first.name, second.name
    );
    Diagnostic::new(&codes::NAMES_TOO_NEAR, second.span, message)
        .label(second.what.noun())
        .and(first.span, first.what.noun())
        .help("give one of them a name that says how they differ")
}

pub fn reserved_name(name: &Ident) -> Diagnostic {
    let words: Vec<String> = RESERVED.iter().map(|word| format!("`{word}`")).collect();
    let message = format!("`{}` has a meaning of its own", name.name);
    Diagnostic::new(&codes::RESERVED_NAME, name.span, message)
        .help("choose another name")
        .note(format!("reserved: {}", words.join(", ")))
}

/// `word`: `for`, `define`.
pub fn name_in_copies(name: &Ident, word: &str) -> Diagnostic {
    let message = format!(
        "`{}` stands in a `{word}`, so the name would stand for each copy",
        name.name
    );
    Diagnostic::new(&codes::NAME_IN_COPIES, name.span, message)
        .help("leave the name out, or write the item where it stands once")
}

pub fn doubled_reference(reference: &Reference, first: Span) -> Diagnostic {
    let message = format!("`{}` is claimed twice", reference.id);
    Diagnostic::new(&codes::DOUBLED_REFERENCE, reference.span, message)
        .label("again")
        .and(first, "first")
        .note("each item of the list is done by one line of the plan, so that its evidence stands in one place")
}

pub fn phase_without_place(name: &Ident) -> Diagnostic {
    let message = format!("phase `{}` has no place in the order", name.name);
    Diagnostic::new(&codes::PHASE_WITHOUT_PLACE, name.span, message)
        .help("name it in an `order`, or write `after PHASE` or `at start` behind its title")
        .note("where a phase stands decides when it is done: it is never guessed")
}

/// `noun`: what leads back to itself.
pub fn recursive(name: &Ident, declared: Span, noun: &str) -> Diagnostic {
    let message = format!("{noun} `{}` leads back to itself", name.name);
    let found = Diagnostic::new(&codes::RECURSIVE, name.span, message);
    let found = match declared == name.span {
        true => found,
        false => found.and(declared, "declared here"),
    };
    found.note("every plan ends, so nothing may contain itself")
}
