//! What is wrong with an invariant, and what is left open of it.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::structure::NOT_A_CLAIM;
use crate::diagnostics::codes::verify::{INVARIANT_BROKEN, INVARIANT_OPEN};
use crate::plan::invariant::Claim;
use crate::source::Span;
use crate::units::Dim;

pub fn nothing_claimed(span: Span) -> Diagnostic {
    Diagnostic::new(&NOT_A_CLAIM, span, "this invariant claims nothing")
        .help("write what has to hold, as `rollback.longest < 15m`")
}

pub fn no_claim(span: Span) -> Diagnostic {
    Diagnostic::new(&NOT_A_CLAIM, span, "this is nothing that can hold on every day").help(
        "an invariant has lines that are true or false, as `outcome != success or passed(criteria)`",
    )
}

pub fn no_outcome(span: Span) -> Diagnostic {
    let message = "`outcome` is compared with what is no end of a run";
    Diagnostic::new(&NOT_A_CLAIM, span, message)
        .help("with `==` or `!=`, and `success`, `stopped`, `rolled_back` or `rollback_incomplete`")
}

pub fn no_item(span: Span) -> Diagnostic {
    let message = "`passed` is about items of the plan, by their names";
    Diagnostic::new(&NOT_A_CLAIM, span, message).help("as `passed(preflight, go_live)`")
}

pub fn no_number(span: Span, of: &str) -> Diagnostic {
    let known = match of {
        "run" => "it knows `run.longest` and `run.shortest`",
        _ => "it knows `rollback.coverage` and `rollback.longest`",
    };
    let message = "nothing is known by this name before a run";
    Diagnostic::new(&NOT_A_CLAIM, span, message).help(known)
}

pub fn not_written(span: Span) -> Diagnostic {
    let message = "this is not known before a run";
    Diagnostic::new(&NOT_A_CLAIM, span, message)
        .help("compare the plan's own numbers with a written one, as `< 15m` or `== 100%`")
}

pub fn different(span: Span, left: Dim, right: Dim) -> Diagnostic {
    let message = format!("a {left} is compared with a {right}");
    Diagnostic::new(&NOT_A_CLAIM, span, message)
}

pub fn broken(name: &str, claim: &Claim, numbers: &[String]) -> Diagnostic {
    let message = format!("the plan breaks {name}");
    let found = Diagnostic::new(&INVARIANT_BROKEN, claim.span, message);
    match numbers {
        [] => found.label("never true"),
        numbers => found.label(numbers.join(", ")),
    }
}

pub fn open(name: &str, claim: &Claim) -> Diagnostic {
    let message = format!("{name} is about the world: neither `check` nor `verify` decides it");
    Diagnostic::new(&INVARIANT_OPEN, claim.span, message)
        .help("each `test` of the plan judges it after whatever happens in its run")
}
