//! What is written out: numbers with units, versions, dates.

use crate::analyze::context::Cx;
use crate::analyze::messages::numbers;
use crate::analyze::typed::Typed;
use crate::source::Span;
use crate::syntax::ast::Ident;
use crate::units::literal;
use crate::units::literal::Difference;
use crate::values::{Type, Value, version};

pub fn boolean(value: bool, span: Span) -> Typed {
    Typed::literal(Value::Bool(value), Type::Bool, span)
}

pub fn number(cx: &mut Cx<'_, '_>, digits: &str, unit: Option<&Ident>, span: Span) -> Typed {
    let unit_name = unit.map(|unit| unit.name.as_str());
    match literal::parse(digits, unit_name) {
        Ok(parsed) => {
            let ty = match parsed.difference {
                Difference::No => Type::Quantity(parsed.quantity.dim),
                Difference::Points => Type::Points,
            };
            Typed::literal(Value::Quantity(parsed.quantity), ty, span)
        }
        Err(error) => {
            cx.report(numbers::bad_number(&error, digits, unit, span));
            Typed::unknown(span)
        }
    }
}

pub fn version(cx: &mut Cx<'_, '_>, text: &str, span: Span) -> Typed {
    match version::parse(text) {
        Some(version) => Typed::literal(Value::version(version), Type::Version, span),
        None => {
            cx.report(numbers::bad_literal(
                span,
                text,
                "version",
                "`v1.20`, `v2.3.1-rc.1`",
            ));
            Typed::unknown(span)
        }
    }
}

/// A day is not a moment, and nothing in this version of the language compares days.
pub fn date(cx: &mut Cx<'_, '_>, text: &str, span: Span) -> Typed {
    cx.report(numbers::date_is_no_instant(text, span));
    Typed::unknown(span)
}

/// Between backquotes: a text, never interpolated.
pub fn raw(text: &str, span: Span) -> Typed {
    Typed::literal(Value::String(text.to_owned()), Type::String, span)
}
