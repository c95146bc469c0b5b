//! `a < b`, and chains of it: `10% <= cpu <= 30%`.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::expr::{coerce, fold};
use crate::analyze::messages::typing as say;
use crate::analyze::typed::{Reads, Typed};
use crate::plan::expr::Expr;
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::CompareOp;
use crate::values::Type;

pub fn compare(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    first: &ast::Expr,
    rest: &[(CompareOp, ast::Expr)],
    span: Span,
) -> Typed {
    let sides: Vec<&ast::Expr> = std::iter::once(first)
        .chain(rest.iter().map(|(_, side)| side))
        .collect();
    let typed: Vec<Typed> = sides
        .iter()
        .map(|side| expr::infer(cx, env, side))
        .collect();
    let Some(wanted) = common(&typed) else {
        return Typed::unknown(span);
    };
    let mut sound = typed.iter().all(|side| !side.is_unknown());
    let mut reads = Reads::default();
    let mut exprs = Vec::new();
    let parts: Vec<(Typed, &ast::Expr)> = typed.into_iter().zip(sides).collect();
    for index in 1..parts.len() {
        let (Some(left), Some((op, _)), Some(right)) =
            (parts.get(index - 1), rest.get(index - 1), parts.get(index))
        else {
            continue;
        };
        sound = pair(cx, left, *op, right) && sound;
    }
    for (side, _) in parts {
        let side = coerce::converted(cx, side, &wanted);
        sound = sound && !side.is_unknown();
        reads = reads.and(side.reads);
        exprs.push(side.expr);
    }
    if !sound {
        return Typed::unknown(span);
    }
    let mut exprs = exprs.into_iter();
    let Some(first) = exprs.next() else {
        return Typed::unknown(span);
    };
    let mut rest: Vec<_> = rest.iter().map(|(op, _)| *op).zip(exprs).collect();
    rest.shrink_to_fit();
    let expr = fold::fold(Expr::Compare(Box::new(first), rest));
    Typed::new(expr, Type::Bool, reads, span)
}

/// The type of the side that all others fit, or can be read as, on whichever side it stands: `"1.20" <= cluster.version`.
fn common(sides: &[Typed]) -> Option<Type> {
    let known = || sides.iter().filter(|side| !side.is_unknown());
    let takes_all = |wanted: &&Typed| {
        let ty = &wanted.ty;
        known().all(|side| coerce::fits(ty, &side.ty) || coerce::converts(side, ty))
    };
    let found = known().find(takes_all).or_else(|| known().next());
    found.map(|side| side.ty.clone())
}

/// Reports what is wrong between two neighbours.
fn pair(
    cx: &mut Cx<'_, '_>,
    left: &(Typed, &ast::Expr),
    op: CompareOp,
    right: &(Typed, &ast::Expr),
) -> bool {
    let ((l, left), (r, right)) = (left, right);
    if l.is_unknown() || r.is_unknown() {
        return false;
    }
    let text = |span| cx.text(span);
    let not_comparable = say::not_comparable((l, left.span), (r, right.span), text);
    let found = if not_comparable.is_some() {
        not_comparable
    } else if let Some(bare) = bare_number(l, left, r).or_else(|| bare_number(r, right, l)) {
        Some(bare)
    } else if !comparable(&l.ty, &r.ty)
        && !coerce::converts(l, &r.ty)
        && !coerce::converts(r, &l.ty)
    {
        let texts = (cx.text(left.span), cx.text(right.span));
        Some(say::no_comparison((l, &texts.0), (r, &texts.1)))
    } else if !equality(op) && !ordered(l) && !ordered(r) {
        let text = cx.text(left.span);
        Some(say::no_order(l, &text))
    } else {
        None
    };
    if let Some(found) = found {
        cx.report(found);
        return false;
    }
    if equality(op) && l.reads.measured.or(r.reads.measured).is_some() {
        let text = cx.text(left.span.to(right.span));
        cx.report(say::measured_equality(left.span.to(right.span), &text));
    }
    true
}

/// `error_rate < 5`: the unit is missing.
fn bare_number(
    number: &Typed,
    ast: &ast::Expr,
    other: &Typed,
) -> Option<crate::diagnostics::Diagnostic> {
    if comparable(&number.ty, &other.ty) {
        return None;
    }
    coerce::missing_unit(number, ast, &other.ty)
}

fn comparable(left: &Type, right: &Type) -> bool {
    coerce::fits(left, right)
}

fn equality(op: CompareOp) -> bool {
    matches!(op, CompareOp::Eq | CompareOp::Ne)
}

/// Whether one can be more than another.
fn ordered(side: &Typed) -> bool {
    matches!(
        side.ty,
        Type::Quantity(_) | Type::Points | Type::Version | Type::Instant
    )
}
