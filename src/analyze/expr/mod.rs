//! Expressions: from the tree to the plan, with their types.

pub mod aggregate;
pub mod args;
pub mod arithmetic;
pub mod call;
pub mod coerce;
pub mod compare;
pub mod constant;
pub mod fold;
pub mod instant;
pub mod json;
pub mod literal;
pub mod name;
pub mod node;
pub mod scope;
pub mod text;

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::messages::{comparison, numbers, typing as say};
use crate::analyze::typed::{Reads, Typed};
use crate::plan::expr::Expr;
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::{BinaryOp, Entry, ExprKind};
use crate::units::Dim;
use crate::values::Type;

/// What an expression is, whatever is wanted.
pub fn infer(cx: &mut Cx<'_, '_>, env: &Env, expr: &ast::Expr) -> Typed {
    let span = expr.span;
    match &expr.kind {
        ExprKind::Bool(value) => literal::boolean(*value, span),
        ExprKind::Number { digits, unit } => literal::number(cx, digits, unit.as_deref(), span),
        ExprKind::Version(text) => literal::version(cx, text, span),
        ExprKind::Instant(text) => instant::instant(cx, text, span),
        ExprKind::Date(text) => literal::date(cx, text, span),
        ExprKind::String(string) => text::string(cx, env, string),
        ExprKind::Raw(text) => literal::raw(text, span),
        ExprKind::Name(name) => name::name(cx, env, name, span),
        ExprKind::Field(base, field) => name::field(cx, env, base, field, span),
        ExprKind::Call(callee, args) => call::call(cx, env, callee, args, span),
        ExprKind::List(items) => list(cx, env, items, span),
        ExprKind::Map(entries) => map(cx, env, entries, span),
        ExprKind::Not(inner) => not(cx, env, inner, span),
        ExprKind::Negate(inner) => arithmetic::negate(cx, env, inner, span),
        ExprKind::Binary(left, op, right) => binary(cx, env, left, *op, right, span),
        ExprKind::Compare(first, rest) => compare::compare(cx, env, first, rest, span),
        ExprKind::Against(against) => {
            for side in [&against.measured, &against.baseline] {
                infer(cx, env, side);
            }
            cx.report(comparison::not_alone(span));
            Typed::unknown(span)
        }
        ExprKind::Aggregate(how, inner) => aggregate::aggregate(cx, env, *how, inner, span),
        ExprKind::As(inner, to) => json::narrow(cx, env, inner, &to.0, to.1.as_ref(), span),
        ExprKind::In(inner, unit) => {
            infer(cx, env, inner);
            cx.report(numbers::unit_of_what(unit));
            Typed::unknown(span)
        }
        ExprKind::Range(from, to) => instant::interval(cx, env, from, to, span),
        ExprKind::Secret(_) => {
            cx.report(say::secret_outside_of_settings(span));
            Typed::unknown(span)
        }
        ExprKind::Paren(inner) => Typed {
            span,
            ..infer(cx, env, inner)
        },
        ExprKind::Junk => Typed::unknown(span),
    }
}

/// What an expression is where this type is wanted; anything else is reported.
pub fn check(cx: &mut Cx<'_, '_>, env: &Env, expr: &ast::Expr, wanted: &Type) -> Typed {
    let typed = infer(cx, env, expr);
    coerce::coerce(cx, typed, expr, wanted)
}

/// What is judged: true or false, or a verdict.
pub fn condition(cx: &mut Cx<'_, '_>, env: &Env, expr: &ast::Expr) -> Typed {
    let typed = infer(cx, env, expr);
    match typed.ty {
        Type::Bool | Type::Verdict | Type::Unknown => typed,
        _ => {
            let text = cx.text(expr.span);
            cx.report(say::not_a_condition(&typed, &text));
            Typed::unknown(expr.span)
        }
    }
}

/// The expression inside brackets.
pub fn bare(expr: &ast::Expr) -> &ast::Expr {
    match &expr.kind {
        ExprKind::Paren(inner) => bare(inner),
        _ => expr,
    }
}

fn not(cx: &mut Cx<'_, '_>, env: &Env, inner: &ast::Expr, span: Span) -> Typed {
    let typed = check(cx, env, inner, &Type::Bool);
    if typed.is_unknown() {
        return Typed::unknown(span);
    }
    let expr = fold::fold(Expr::Not(Box::new(typed.expr)));
    Typed::new(expr, Type::Bool, typed.reads, span)
}

fn binary(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    left: &ast::Expr,
    op: BinaryOp,
    right: &ast::Expr,
    span: Span,
) -> Typed {
    if !matches!(op, BinaryOp::And | BinaryOp::Or) {
        return arithmetic::arithmetic(cx, env, left, op, right, span);
    }
    let left = check(cx, env, left, &Type::Bool);
    let right = check(cx, env, right, &Type::Bool);
    if left.is_unknown() || right.is_unknown() {
        return Typed::unknown(span);
    }
    let reads = left.reads.and(right.reads);
    let expr = Expr::Binary(Box::new(left.expr), op, Box::new(right.expr));
    Typed::new(fold::fold(expr), Type::Bool, reads, span)
}

/// All items have the type of the first one.
fn list(cx: &mut Cx<'_, '_>, env: &Env, items: &[ast::Expr], span: Span) -> Typed {
    let mut of = Type::Unknown;
    let mut sound = true;
    let mut reads = Reads::default();
    let mut exprs = Vec::new();
    for item in items {
        let typed = check(cx, env, item, &of);
        sound = sound && !typed.is_unknown();
        if of == Type::Unknown {
            of = typed.ty;
        }
        reads = reads.and(typed.reads);
        exprs.push(typed.expr);
    }
    if !sound {
        return Typed::unknown(span);
    }
    Typed::new(fold::fold(Expr::List(exprs)), Type::list(of), reads, span)
}

fn map(cx: &mut Cx<'_, '_>, env: &Env, entries: &[Entry], span: Span) -> Typed {
    let mut of = Type::Unknown;
    let mut sound = true;
    let mut reads = Reads::default();
    let mut exprs: Vec<(String, Expr)> = Vec::new();
    for entry in entries {
        let typed = check(cx, env, &entry.value, &of);
        sound = sound && !typed.is_unknown();
        if of == Type::Unknown {
            of = typed.ty;
        }
        reads = reads.and(typed.reads);
        if exprs.iter().any(|(key, _)| *key == entry.key.name) {
            cx.report(say::doubled_key(&entry.key));
            continue;
        }
        exprs.push((entry.key.name.clone(), typed.expr));
    }
    if !sound {
        return Typed::unknown(span);
    }
    let ty = Type::Map(of.into());
    Typed::new(fold::fold(Expr::Map(exprs)), ty, reads, span)
}

/// A bare count, where nothing else is known.
pub fn count() -> Type {
    Type::Quantity(Dim::Count)
}
