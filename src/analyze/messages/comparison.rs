//! What is wrong with a comparison with a baseline.

use crate::analyze::messages::numbers::with_article;
use crate::analyze::typed::Typed;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::canary::{
    COMPARISON_MISPLACED, DIRECTION_UNSAID, MARGIN_UNCLEAR, TOO_FEW_WINDOWS,
};
use crate::diagnostics::codes::{structure, typing};
use crate::source::Span;
use crate::units::Dim;
use crate::units::amount::Nano;
use crate::units::show::quantity;
use crate::values::Type;

pub fn not_alone(span: Span) -> Diagnostic {
    let message = "a comparison with a baseline is a condition by itself, in a stage or a check";
    Diagnostic::new(&COMPARISON_MISPLACED, span, message)
        .help("give it an `expect` or a line of a threshold of its own; elsewhere, write a bound")
        .note("it is neither true nor false before the windows of a whole hold were seen")
}

pub fn without_a_hold(span: Span) -> Diagnostic {
    let message = "windows are collected through a time, and this has none";
    Diagnostic::new(&COMPARISON_MISPLACED, span, message)
        .label("compares with a baseline")
        .help("compare in a stage, or in a check with `for T`; elsewhere, write a bound")
}

pub fn no_metric(span: Span, text: &str) -> Diagnostic {
    let message = format!("`{text}` is no metric: it has no windows that could be compared");
    Diagnostic::new(&typing::TYPE_MISMATCH, span, message)
        .help("metrics are compared, as in `p95 no worse than stable.p95 by 10%`")
}

pub fn with_itself(span: Span, text: &str) -> Diagnostic {
    let message = format!("this compares `{text}` with itself");
    Diagnostic::new(&typing::CONSTANT_CONDITION, span, message)
        .help("put `stable.` before the baseline")
}

pub fn direction_unsaid(span: Span, name: &str, metric: Span) -> Diagnostic {
    let message = format!("whether more or less of `{name}` is worse is not said");
    Diagnostic::new(&DIRECTION_UNSAID, span, message)
        .and(metric, "declared here")
        .help("write `lower is better` or `higher is better` behind the metric")
}

pub fn share_of_a_ratio(span: Span, text: &str) -> Diagnostic {
    let digits = text.trim_end_matches('%');
    let message =
        format!("`{text}` of a ratio may be a number of points, or a part of the baseline");
    Diagnostic::new(&MARGIN_UNCLEAR, span, message).help(format!(
        "write `{digits}pp` for percentage points, `+{text}` for a part of the baseline"
    ))
}

pub fn margin_twice(span: Span) -> Diagnostic {
    let message = "a margin is one part of the baseline and one amount beside it";
    Diagnostic::new(&MARGIN_UNCLEAR, span, message).help("as in `10% + 5ms`")
}

pub fn margin_of_another_dimension(typed: &Typed, text: &str, dim: Dim) -> Diagnostic {
    let message = format!(
        "`{text}` is {}, and what is compared is {}",
        with_article(&typed.ty),
        with_article(&Type::Quantity(dim))
    );
    Diagnostic::new(&typing::DIMENSION_MISMATCH, typed.span, message)
        .help("a margin is a part of the baseline, or an amount of what is measured")
}

pub fn too_few_windows(
    span: Span,
    windows: u32,
    fewest: u32,
    confidence: Nano,
    comparisons: u32,
) -> Diagnostic {
    let confidence = crate::units::amount::Quantity::exact(Dim::Ratio, confidence.0);
    let shared = match comparisons {
        1 => String::new(),
        several => format!(", shared by {several} comparisons"),
    };
    let message = format!(
        "{windows} windows on each side show nothing with a confidence of {}{shared}",
        quantity(confidence)
    );
    Diagnostic::new(&TOO_FEW_WINDOWS, span, message)
        .label("can never pass, and never fail")
        .help(format!("ask for {fewest} or more, or for less confidence"))
        .note("even if each window of one side were above all of the other, chance would do that too often")
}

pub fn without_a_comparison(span: Span, word: &str) -> Diagnostic {
    let message = format!("`{word}` means nothing where nothing is compared with a baseline");
    Diagnostic::new(&structure::UNKNOWN_SETTING, span, message)
        .help("leave it out, or compare: `p95 no worse than stable.p95 by 10%`")
}
