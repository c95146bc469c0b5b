//! Words for numbers, units and moments; each carries the corrected text where there is one.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::typing as codes;
use crate::source::Span;
use crate::syntax::ast::Ident;
use crate::units::amount::{Amount, NANO, Nano, Quantity};
use crate::units::literal::LiteralError;
use crate::units::{Dim, show};
use crate::values::Type;

pub fn bad_number(
    error: &LiteralError,
    digits: &str,
    unit: Option<&Ident>,
    span: Span,
) -> Diagnostic {
    let unit_name = unit.map_or("", |unit| unit.name.as_str());
    match (error, unit) {
        (LiteralError::UnknownUnit { meant }, Some(unit)) => {
            let texts: Vec<String> = meant.iter().map(|right| written(digits, right)).collect();
            let message = format!("`{}` is no unit", unit.name);
            let found = Diagnostic::new(&codes::UNKNOWN_UNIT, span, message);
            match texts.as_slice() {
                [] => found.help(format!("units: {UNITS}")),
                [only] => {
                    found
                        .help(format!("write `{only}`"))
                        .fix(format!("write `{only}`"), span, only)
                }
                several => found.help(format!("write {}", either(several))),
            }
        }
        (LiteralError::TooFine, _) => out_of_range(
            span,
            &format!("`{digits}{unit_name}`"),
            "a multiple of a billionth of the base unit",
        ),
        (LiteralError::Signed, _) => {
            let message =
                format!("`{digits}{unit_name}` has a sign, and only a change in percent takes one");
            Diagnostic::new(&codes::DIMENSION_MISMATCH, span, message)
                .help("a change is written `+20%`; everything else without `+`")
        }
        _ => out_of_range(span, &format!("`{digits}{unit_name}`"), "a smaller number"),
    }
}

/// `error_rate < 5`: the number has no unit, and the text that has one is offered.
pub fn missing_unit(span: Span, digits: &str, number: Quantity, wanted: &Type) -> Diagnostic {
    let message = format!("`{digits}` has no unit; {} here", wanted_words(wanted));
    let found = Diagnostic::new(&codes::MISSING_UNIT, span, message);
    let texts = corrected(digits, number, wanted);
    match texts.as_slice() {
        [] => found,
        [only] => found
            .help(format!("write `{only}`"))
            .fix(format!("write `{only}`"), span, only),
        several => found.help(format!("write {}", either(several))),
    }
}

pub fn bare_version(span: Span, digits: &str) -> Diagnostic {
    let message = format!("`{digits}` is a number; a version is wanted here");
    Diagnostic::new(&codes::TYPE_MISMATCH, span, message)
        .help(format!("write `v{digits}`"))
        .fix(format!("write `v{digits}`"), span, format!("v{digits}"))
}

pub fn unknown_unit(unit: &Ident, meant: &[&str]) -> Diagnostic {
    let message = format!("`{}` is no unit", unit.name);
    let found = Diagnostic::new(&codes::UNKNOWN_UNIT, unit.span, message);
    match meant {
        [] => found.help(format!("units: {UNITS}")),
        [only] => {
            found
                .help(format!("write `{only}`"))
                .fix(format!("write `{only}`"), unit.span, *only)
        }
        several => {
            let several: Vec<String> = several.iter().map(|&unit| unit.to_owned()).collect();
            found.help(format!("write {}", either(&several)))
        }
    }
}

pub fn unit_of_other_dimension(unit: &Ident, is: Dim, wanted: Dim) -> Diagnostic {
    let message = format!(
        "`{}` is a unit of {is}, and this is declared as {wanted}",
        unit.name
    );
    Diagnostic::new(&codes::DIMENSION_MISMATCH, unit.span, message)
        .help(format!("units of {wanted}: {}", raw_units(wanted)))
}

/// `in s` where no raw number stands.
pub fn unit_of_what(unit: &Ident) -> Diagnostic {
    let message = format!(
        "`in {}` gives a unit to something that is no raw number",
        unit.name
    );
    Diagnostic::new(&codes::TYPE_MISMATCH, unit.span, message)
        .help("`in UNIT` stands behind the query of a metric, or behind `as TYPE` on JSON")
}

pub fn raw_number_needs_unit(span: Span, dim: Dim) -> Diagnostic {
    let message = format!("a raw number is no {dim} before its unit is stated");
    Diagnostic::new(&codes::MISSING_UNIT, span, message)
        .help(format!("write one behind it: {}", raw_units(dim)))
}

/// `what` with its article: `a timeout`.
pub fn out_of_range(span: Span, what: &str, range: &str) -> Diagnostic {
    let message = format!("{what} has to be {range}");
    Diagnostic::new(&codes::NUMBER_OUT_OF_RANGE, span, message)
}

pub fn bad_literal(span: Span, text: &str, noun: &str, forms: &str) -> Diagnostic {
    let message = format!("`{text}` is no {noun}");
    Diagnostic::new(&codes::MALFORMED_LITERAL, span, message).help(format!("as in {forms}"))
}

pub fn bad_regex(span: Span, error: &regex::Error) -> Diagnostic {
    let words = error.to_string();
    let last = words.lines().last().unwrap_or("").trim();
    let reason = last.strip_prefix("error: ").unwrap_or(last);
    let message = format!("the regular expression cannot be read: {reason}");
    Diagnostic::new(&codes::MALFORMED_LITERAL, span, message)
}

pub fn date_is_no_instant(text: &str, span: Span) -> Diagnostic {
    let message = format!("`{text}` is a day, and only moments are compared");
    let day = text.trim_end_matches(['Z', 'z']);
    Diagnostic::new(&codes::MALFORMED_LITERAL, span, message).help(format!(
        "name a moment of it: `{day}T00:00Z`, `{day}T23:59Z`"
    ))
}

pub fn no_zone(span: Span, text: &str) -> Diagnostic {
    let message = format!("`{text}` has no zone, so it is a different moment in every country");
    let fixed = text.replacen(' ', "T", 1);
    Diagnostic::new(&codes::MALFORMED_LITERAL, span, message)
        .help(format!("write `{fixed}Z`, or `zone UTC` in the plan"))
}

pub fn no_day(span: Span, text: &str) -> Diagnostic {
    let message = format!("`{text}` is a time of day without a day");
    Diagnostic::new(&codes::MALFORMED_LITERAL, span, message)
        .help("a time alone stands only behind `..`, and then means the day of what is before it")
}

pub fn backward_interval(span: Span) -> Diagnostic {
    Diagnostic::new(
        &codes::NUMBER_OUT_OF_RANGE,
        span,
        "the interval ends before it begins",
    )
}

const UNITS: &str = "`ns us ms s m h d w`, `% pp`, `B kB MB GB TB KiB MiB GiB TiB`, `cores millicores`, \
                     each of them with `/s`, `/m`, `/h`";

/// Examples of how a dimension is written.
pub fn units_of(dim: Dim) -> String {
    let units = match dim {
        Dim::Count => "`7`",
        Dim::Ratio => "`99.9%`",
        Dim::Change => "`+20%`",
        Dim::Duration => "`200ms`, `5s`, `10m`, `24h`, `7d`",
        Dim::Bytes => "`512MiB`, `2GB`",
        Dim::Cores => "`0.5 cores`, `250 millicores`",
        Dim::Rate(crate::units::Per::Count) => "`5/s`, `300/m`",
        Dim::Rate(crate::units::Per::Bytes) => "`64MiB/h`, `1MB/s`",
        Dim::Rate(_) => "a quantity with `/s`, `/m` or `/h`",
    };
    units.to_owned()
}

/// How the unit of a raw number is stated.
fn raw_units(dim: Dim) -> &'static str {
    match dim {
        Dim::Count => "`in 1`",
        Dim::Ratio => "`in 1`, `in %`",
        Dim::Change => "`in %`",
        Dim::Duration => "`in s`, `in ms`",
        Dim::Bytes => "`in B`, `in MiB`",
        Dim::Cores => "`in cores`, `in millicores`",
        Dim::Rate(crate::units::Per::Count) => "`in 1/s`",
        Dim::Rate(crate::units::Per::Bytes) => "`in B/s`, `in MiB/h`",
        Dim::Rate(_) => "a unit with `/s`",
    }
}

/// `a duration is wanted`, `bytes are wanted`.
pub fn wanted_words(ty: &Type) -> String {
    let verb = match ty {
        Type::Quantity(Dim::Bytes | Dim::Cores) | Type::Points => "are",
        _ => "is",
    };
    format!("{} {verb} wanted", with_article(ty))
}

/// `a duration`, `bytes`.
pub fn with_article(ty: &Type) -> String {
    match ty {
        Type::Quantity(Dim::Bytes | Dim::Cores) | Type::Points | Type::Json => format!("{ty}"),
        Type::Instant | Type::Interval => format!("an {ty}"),
        Type::Quantity(Dim::Count) => "a plain number".to_owned(),
        Type::Record(record) => format!("a record `{}`", record.name),
        _ => format!("a {ty}"),
    }
}

fn corrected(digits: &str, number: Quantity, wanted: &Type) -> Vec<String> {
    let with = |units: &[&str]| units.iter().map(|unit| written(digits, unit)).collect();
    match wanted {
        Type::Points => with(&["pp"]),
        Type::Quantity(dim) => match dim {
            Dim::Ratio => vec![share(digits, number)],
            Dim::Change => vec![format!("+{}", written(digits, "%"))],
            Dim::Duration if number.amount.as_f64() == 0.0 => with(&["s"]),
            Dim::Duration if number.amount.as_f64() >= 100.0 => with(&["ms", "s"]),
            Dim::Duration => with(&["s", "m"]),
            Dim::Bytes => with(&["MiB", "MB"]),
            Dim::Cores => with(&["cores"]),
            Dim::Rate(crate::units::Per::Count) => with(&["/s"]),
            Dim::Rate(crate::units::Per::Bytes) => with(&["MiB/s", "MB/s"]),
            Dim::Rate(_) | Dim::Count => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// `0.99` was meant as `99%`, `5` as `5%`.
fn share(digits: &str, number: Quantity) -> String {
    match number.amount {
        Amount::Exact(nano) if nano > Nano(0) && nano <= Nano(NANO) => {
            show::quantity(Quantity::exact(Dim::Ratio, nano.0))
        }
        _ => written(digits, "%"),
    }
}

fn written(digits: &str, unit: &str) -> String {
    match unit {
        "cores" | "millicores" => format!("{digits} {unit}"),
        _ => format!("{digits}{unit}"),
    }
}

fn either(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("`{text}`")).collect();
    quoted.join(" or ")
}
