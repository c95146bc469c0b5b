//! What may stand where a type is wanted, and the words when it may not.

use crate::analyze::context::Cx;
use crate::analyze::expr;
use crate::analyze::messages::{numbers, typing as say};
use crate::analyze::typed::Typed;
use crate::diagnostics::Diagnostic;
use crate::plan::expr::Expr;
use crate::syntax::ast;
use crate::syntax::ast::ExprKind;
use crate::values::{Type, Value, version};
use regex::Regex;

/// The value as the wanted type, or a diagnostic and a value that fits everywhere.
pub fn coerce(cx: &mut Cx<'_, '_>, typed: Typed, ast: &ast::Expr, wanted: &Type) -> Typed {
    if typed.is_unknown() || *wanted == Type::Unknown {
        return typed;
    }
    let span = typed.span;
    let found = if typed.each.is_some() {
        Some(say::each_outside_of_comparison(&typed))
    } else if fits(wanted, &typed.ty) {
        return typed;
    } else if converts(&typed, wanted) {
        match convert(&typed, wanted) {
            Ok(converted) => return converted,
            Err(found) => Some(*found),
        }
    } else if typed.ty == Type::String && *wanted == Type::Path {
        Some(say::constant_needed(span, "a path"))
    } else {
        missing_unit(&typed, ast, wanted)
    };
    let text = cx.text(span);
    cx.report(found.unwrap_or_else(|| say::mismatch(&typed, &text, wanted)));
    Typed::unknown(span)
}

/// As [`coerce`], for what is known to fit or to convert; a text that cannot be read is reported.
pub fn converted(cx: &mut Cx<'_, '_>, typed: Typed, wanted: &Type) -> Typed {
    if fits(wanted, &typed.ty) || !converts(&typed, wanted) {
        return typed;
    }
    match convert(&typed, wanted) {
        Ok(converted) => converted,
        Err(found) => {
            cx.report(*found);
            Typed::unknown(typed.span)
        }
    }
}

/// Whether a value of the one type may stand where the other is wanted.
pub fn fits(wanted: &Type, found: &Type) -> bool {
    match (wanted, found) {
        (Type::Unknown, _) | (_, Type::Unknown) => true,
        (Type::List(wanted), Type::List(found)) | (Type::Map(wanted), Type::Map(found)) => {
            fits(wanted, found)
        }
        _ => wanted == found,
    }
}

/// Whether a text can be read as the wanted type.
pub fn converts(typed: &Typed, wanted: &Type) -> bool {
    let textual = typed.ty == Type::String;
    match wanted {
        Type::Url => textual,
        Type::String => typed.ty == Type::Url || typed.ty == Type::Regex,
        Type::Regex | Type::Path | Type::Version => textual && typed.value().is_some(),
        _ => false,
    }
}

/// A bare number where a unit is wanted, with the corrected text.
pub fn missing_unit(typed: &Typed, ast: &ast::Expr, wanted: &Type) -> Option<Diagnostic> {
    let ExprKind::Number { digits, unit: None } = &expr::bare(ast).kind else {
        return None;
    };
    let quantity = match typed.value() {
        Some(Value::Quantity(quantity)) => *quantity,
        _ => return None,
    };
    match wanted {
        Type::Quantity(_) | Type::Points => {
            Some(numbers::missing_unit(typed.span, digits, quantity, wanted))
        }
        Type::Version => Some(numbers::bare_version(typed.span, digits)),
        _ => None,
    }
}

fn convert(typed: &Typed, wanted: &Type) -> Result<Typed, Box<Diagnostic>> {
    let mut converted = typed.clone();
    converted.ty = wanted.clone();
    let Some(Value::String(text)) = typed.value() else {
        return Ok(converted);
    };
    match wanted {
        Type::Regex => {
            if let Err(error) = Regex::new(text) {
                return Err(Box::new(numbers::bad_regex(typed.span, &error)));
            }
        }
        Type::Url if !is_url(text) => {
            let forms = "`https://host/path`";
            return Err(Box::new(numbers::bad_literal(
                typed.span, text, "URL", forms,
            )));
        }
        Type::Version => match version::parse(text) {
            Some(version) => converted.expr = Expr::Literal(Value::version(version)),
            None => {
                let forms = "`v1.20`, `v2.3.1-rc.1`";
                return Err(Box::new(numbers::bad_literal(
                    typed.span, text, "version", forms,
                )));
            }
        },
        _ => {}
    }
    Ok(converted)
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    matches!(scheme, "http" | "https") && !host.is_empty() && !text.contains(char::is_whitespace)
}
