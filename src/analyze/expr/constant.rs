//! Values that a plan needs before it runs: times, counts, weights.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::messages::{numbers, typing as say};
use crate::analyze::typed::Typed;
use crate::source::Span;
use crate::syntax::ast;
use crate::units::Dim;
use crate::units::amount::{Amount, NANO, Nano};
use crate::values::{Instant, Type, Value};

/// A span of time above zero, in nanoseconds. `what` is named in messages: `a timeout`.
pub fn duration_ns(cx: &mut Cx<'_, '_>, env: &Env, written: &ast::Expr, what: &str) -> Option<i64> {
    let ns = exact(cx, env, written, Dim::Duration, what)?.0;
    match i64::try_from(ns) {
        Ok(ns) if ns > 0 => Some(ns),
        _ => {
            cx.report(numbers::out_of_range(
                written.span,
                what,
                "above 0s and below 292 years",
            ));
            None
        }
    }
}

/// A whole number from 1 on.
pub fn count(cx: &mut Cx<'_, '_>, env: &Env, written: &ast::Expr, what: &str) -> Option<u32> {
    let nano = exact(cx, env, written, Dim::Count, what)?.0;
    let whole = (nano % NANO == 0).then_some(nano / NANO);
    match whole.and_then(|count| u32::try_from(count).ok()) {
        Some(count) if count > 0 => Some(count),
        _ => {
            cx.report(numbers::out_of_range(
                written.span,
                what,
                "a whole number from 1 on",
            ));
            None
        }
    }
}

/// A share between 0% and 100%, both included.
pub fn ratio(cx: &mut Cx<'_, '_>, env: &Env, written: &ast::Expr, what: &str) -> Option<Nano> {
    let ratio = exact(cx, env, written, Dim::Ratio, what)?;
    if (0..=NANO).contains(&{ ratio.0 }) {
        return Some(ratio);
    }
    cx.report(numbers::out_of_range(
        written.span,
        what,
        "between 0% and 100%",
    ));
    None
}

/// Percentage points, `± 3pp`.
pub fn points(cx: &mut Cx<'_, '_>, env: &Env, written: &ast::Expr, what: &str) -> Option<Nano> {
    let typed = expr::check(cx, env, written, &Type::Points);
    amount(cx, &typed, written.span, what)
}

pub fn interval(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    written: &ast::Expr,
    what: &str,
) -> Option<(Instant, Instant)> {
    let typed = expr::check(cx, env, written, &Type::Interval);
    match typed.value() {
        Some(Value::Interval(from, to)) => Some((*from, *to)),
        _ if typed.is_unknown() => None,
        _ => {
            cx.report(say::constant_needed(written.span, what));
            None
        }
    }
}

fn exact(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    written: &ast::Expr,
    dim: Dim,
    what: &str,
) -> Option<Nano> {
    let typed = expr::check(cx, env, written, &Type::Quantity(dim));
    amount(cx, &typed, written.span, what)
}

fn amount(cx: &mut Cx<'_, '_>, typed: &Typed, span: Span, what: &str) -> Option<Nano> {
    if typed.is_unknown() {
        return None;
    }
    match typed.value() {
        Some(Value::Quantity(quantity)) => match quantity.amount {
            Amount::Exact(nano) => Some(nano),
            Amount::Measured(_) => None,
        },
        _ => {
            cx.report(say::constant_needed(span, what));
            None
        }
    }
}
