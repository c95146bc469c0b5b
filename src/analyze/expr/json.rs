//! JSON has no types: `x.json("$.status") as string`, `x.json("$.age") as duration in s`.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::messages::{numbers, typing as say};
use crate::analyze::typed::Typed;
use crate::analyze::types;
use crate::plan::expr::{Expr, JsonType};
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::{Arg, Ident, TypeExpr};
use crate::units::{Dim, literal};
use crate::values::{Type, Value};

/// Whether `.json(…)` can be asked of it: JSON itself, or a result that has some.
pub fn json_of(base: &Typed) -> Option<Expr> {
    match &base.ty {
        Type::Json => Some(base.expr.clone()),
        Type::Record(record) => {
            let field = record.fields.iter().find(|field| field.name == "json")?;
            let field_expr = Expr::Field(Box::new(base.expr.clone()), "json".to_owned());
            (field.ty == Type::Json).then_some(field_expr)
        }
        _ => None,
    }
}

/// `x.json("$.status")`: still JSON, until `as` says what is expected there.
pub fn at_path(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    base: &Typed,
    json: Expr,
    args: &[Arg],
    span: Span,
) -> Typed {
    let [Arg { label: None, value }] = args else {
        cx.report(say::json_takes_a_path(span));
        return Typed::unknown(span);
    };
    let path = expr::check(cx, env, value, &Type::String);
    if path.is_unknown() {
        return Typed::unknown(span);
    }
    let Some(Value::String(path)) = path.value() else {
        cx.report(say::constant_needed(value.span, "a path into JSON"));
        return Typed::unknown(span);
    };
    if let Err(rest) = sound_path(path) {
        cx.report(say::bad_json_path(value.span, path, rest));
        return Typed::unknown(span);
    }
    let expr = unnarrowed(json, Some(path.clone()));
    Typed::new(expr, Type::Json, base.reads.clone(), span)
}

/// `x as T [in UNIT]`
pub fn narrow(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    inner: &ast::Expr,
    ty: &TypeExpr,
    unit: Option<&Ident>,
    span: Span,
) -> Typed {
    let typed = expr::infer(cx, env, inner);
    let wanted = types::read(cx, ty);
    if typed.is_unknown() || wanted == Type::Unknown {
        return Typed::unknown(span);
    }
    if typed.ty != Type::Json {
        let text = cx.text(inner.span);
        cx.report(say::as_without_json(&typed, &text, ty.span));
        return Typed::unknown(span);
    }
    let Some(to) = json_type(&wanted) else {
        cx.report(say::not_from_json(ty.span, &wanted));
        return Typed::unknown(span);
    };
    let Some((numerator, denominator)) = scale(cx, &wanted, ty, unit) else {
        return Typed::unknown(span);
    };
    let (json, path) = match typed.expr {
        Expr::Narrow { json, path, .. } => (json, path),
        other => (Box::new(other), None),
    };
    let expr = Expr::Narrow {
        json,
        path,
        to,
        scale_numerator: numerator,
        scale_denominator: denominator,
    };
    Typed::new(expr, wanted, typed.reads, span)
}

fn unnarrowed(json: Expr, path: Option<String>) -> Expr {
    Expr::Narrow {
        json: Box::new(json),
        path,
        to: JsonType::String,
        scale_numerator: 1,
        scale_denominator: 1,
    }
}

fn json_type(ty: &Type) -> Option<JsonType> {
    Some(match ty {
        Type::Bool => JsonType::Bool,
        Type::String | Type::Url => JsonType::String,
        Type::Version => JsonType::Version,
        Type::Quantity(Dim::Change) => return None,
        Type::Quantity(dim) => JsonType::Quantity(*dim),
        Type::List(of) => JsonType::List(Box::new(json_type(of)?)),
        _ => return None,
    })
}

/// What one raw number is worth; `None` has been reported.
fn scale(
    cx: &mut Cx<'_, '_>,
    wanted: &Type,
    ty: &TypeExpr,
    unit: Option<&Ident>,
) -> Option<(i64, i64)> {
    let dim = match innermost(wanted) {
        Type::Quantity(dim) => Some(*dim),
        _ => None,
    };
    match (dim, unit) {
        (None | Some(Dim::Count), None) => Some((1, 1)),
        (Some(dim), None) => {
            cx.report(numbers::raw_number_needs_unit(ty.span, dim));
            None
        }
        (None, Some(unit)) => {
            cx.report(numbers::unit_of_what(unit));
            None
        }
        (Some(dim), Some(unit)) => unit_scale(cx, dim, unit),
    }
}

fn innermost(ty: &Type) -> &Type {
    match ty {
        Type::List(of) => innermost(of),
        other => other,
    }
}

/// `in ms`: how many base units one raw unit is; `in 1` is the base unit of whatever is measured.
pub fn unit_scale(cx: &mut Cx<'_, '_>, dim: Dim, unit: &Ident) -> Option<(i64, i64)> {
    let Some(known) = literal::unit(&unit.name) else {
        cx.report(numbers::unknown_unit(unit, &literal::meant(&unit.name)));
        return None;
    };
    if unit.name == "1" && matches!(dim, Dim::Ratio | Dim::Count) {
        return Some((1, 1));
    }
    if known.dim != dim {
        cx.report(numbers::unit_of_other_dimension(unit, known.dim, dim));
        return None;
    }
    Some((known.numerator, known.denominator))
}

/// `$`, then `.name`, `["name"]`, `['name']`, `[0]`, `[*]`; the rest that cannot be read otherwise.
fn sound_path(path: &str) -> Result<(), &str> {
    let mut rest = path.strip_prefix('$').ok_or(path)?;
    while !rest.is_empty() {
        rest = path_step(rest).ok_or(rest)?;
    }
    Ok(())
}

fn path_step(rest: &str) -> Option<&str> {
    if let Some(name) = rest.strip_prefix('.') {
        let letters = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let end = name.find(|c| !letters(c)).unwrap_or(name.len());
        return if end == 0 { None } else { name.get(end..) };
    }
    let (inside, rest) = rest.strip_prefix('[')?.split_once(']')?;
    let quoted = |mark: char| {
        let bare = inside
            .strip_prefix(mark)
            .and_then(|rest| rest.strip_suffix(mark));
        bare.is_some_and(|name| !name.is_empty() && !name.contains(mark))
    };
    let index = !inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_digit());
    (index || inside == "*" || quoted('"') || quoted('\'')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use crate::analyze::expr::json::sound_path;

    #[test]
    fn paths() {
        for path in [
            "$",
            "$.a",
            "$.a.b-c",
            "$.a[0].b",
            "$.a[*].b",
            "$['a b']",
            "$[\"x\"][2]",
        ] {
            assert_eq!(sound_path(path), Ok(()), "{path}");
        }
        assert_eq!(sound_path("a.b"), Err("a.b"));
        assert_eq!(sound_path("$.a..b"), Err("..b"));
        assert_eq!(sound_path("$.a[x]"), Err("[x]"));
        assert_eq!(sound_path("$.a["), Err("["));
        assert_eq!(sound_path("$['']"), Err("['']"));
        assert_eq!(sound_path("$['a'b']"), Err("['a'b']"));
        assert_eq!(sound_path("$."), Err("."));
    }
}
