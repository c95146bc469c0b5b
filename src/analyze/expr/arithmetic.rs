//! `+ - * /`: a closed table of dimensions.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::expr::fold;
use crate::analyze::messages::typing as say;
use crate::analyze::typed::Typed;
use crate::plan::expr::Expr;
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::{BinaryOp, ExprKind};
use crate::units::Dim;
use crate::units::amount::{Amount, Nano, Quantity};
use crate::values::{Type, Value};

pub fn arithmetic(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    left: &ast::Expr,
    op: BinaryOp,
    right: &ast::Expr,
    span: Span,
) -> Typed {
    let (l, r) = (expr::infer(cx, env, left), expr::infer(cx, env, right));
    if l.is_unknown() || r.is_unknown() {
        return Typed::unknown(span);
    }
    if let Some(each) = [&l, &r].into_iter().find(|side| side.each.is_some()) {
        cx.report(say::each_outside_of_comparison(each));
        return Typed::unknown(span);
    }
    let Some(ty) = result(op, &l.ty, &r.ty, complement(&l)) else {
        let (left, right) = (cx.text(left.span), cx.text(right.span));
        cx.report(say::no_arithmetic(op, (&l, &left), (&r, &right)));
        return Typed::unknown(span);
    };
    let folded = folded(&l, op, &r, &ty);
    let reads = l.reads.and(r.reads);
    let expr =
        folded.unwrap_or_else(|| fold::fold(Expr::Binary(Box::new(l.expr), op, Box::new(r.expr))));
    Typed::new(expr, ty, reads, span)
}

/// `-x`; before a percent that is written out it makes a change, as `+20%` does.
pub fn negate(cx: &mut Cx<'_, '_>, env: &Env, inner: &ast::Expr, span: Span) -> Typed {
    let typed = expr::infer(cx, env, inner);
    let dim = match typed.ty {
        Type::Quantity(dim) => dim,
        Type::Points => Dim::Ratio,
        Type::Unknown => return Typed::unknown(span),
        _ => {
            let text = cx.text(inner.span);
            cx.report(say::cannot_negate(&typed, &text));
            return Typed::unknown(span);
        }
    };
    let percent = dim == Dim::Ratio && matches!(inner.kind, ExprKind::Number { .. });
    let (dim, ty) = match typed.ty {
        Type::Quantity(Dim::Ratio) if percent => (Dim::Change, Type::Quantity(Dim::Change)),
        ty => (dim, ty),
    };
    let expr = match typed.expr {
        Expr::Literal(Value::Quantity(Quantity {
            amount: Amount::Exact(Nano(nano)),
            ..
        })) => Expr::Literal(Value::Quantity(Quantity::exact(dim, -nano))),
        other => Expr::Negate(Box::new(other)),
    };
    Typed::new(expr, ty, typed.reads, span)
}

/// Whether what is subtracted from is written out: `100% - x` is a share, `a - b` the distance between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Minuend {
    Constant,
    Read,
}

fn complement(left: &Typed) -> Minuend {
    match left.value() {
        Some(_) => Minuend::Constant,
        None => Minuend::Read,
    }
}

/// What comes of two types, if anything does.
pub fn result(op: BinaryOp, left: &Type, right: &Type, minuend: Minuend) -> Option<Type> {
    match op {
        BinaryOp::Add => sum(left, right),
        BinaryOp::Sub => difference(left, right, minuend),
        BinaryOp::Mul => product(left, right),
        BinaryOp::Div => quotient(left, right),
        BinaryOp::And | BinaryOp::Or => None,
    }
}

fn sum(left: &Type, right: &Type) -> Option<Type> {
    use Type::{Instant, Points, Quantity as Q};
    Some(match (left, right) {
        (Q(Dim::Change), _) | (_, Q(Dim::Change)) => return None,
        (Q(a), Q(b)) if a == b => Q(*a),
        (Q(Dim::Ratio), Points) | (Points, Q(Dim::Ratio)) => Q(Dim::Ratio),
        (Points, Points) => Points,
        (Instant, Q(Dim::Duration)) | (Q(Dim::Duration), Instant) => Instant,
        _ => return None,
    })
}

fn difference(left: &Type, right: &Type, minuend: Minuend) -> Option<Type> {
    use Type::{Instant, Points, Quantity as Q};
    Some(match (left, right) {
        (Q(Dim::Change), _) | (_, Q(Dim::Change)) => return None,
        (Q(Dim::Ratio), Q(Dim::Ratio)) if minuend == Minuend::Read => Points,
        (Q(a), Q(b)) if a == b => Q(*a),
        (Q(Dim::Ratio), Points) => Q(Dim::Ratio),
        (Points, Points) => Points,
        (Instant, Q(Dim::Duration)) => Instant,
        (Instant, Instant) => Q(Dim::Duration),
        _ => return None,
    })
}

fn product(left: &Type, right: &Type) -> Option<Type> {
    use Type::{Points, Quantity as Q};
    match (left, right) {
        (Q(a), Q(b)) => a.times(*b).map(Q),
        (Points, Q(Dim::Count)) | (Q(Dim::Count), Points) => Some(Points),
        _ => None,
    }
}

fn quotient(left: &Type, right: &Type) -> Option<Type> {
    use Type::{Points, Quantity as Q};
    match (left, right) {
        (Q(a), Q(b)) => a.over(*b).map(Q),
        (Points, Q(Dim::Count)) => Some(Points),
        _ => None,
    }
}

fn folded(left: &Typed, op: BinaryOp, right: &Typed, ty: &Type) -> Option<Expr> {
    let dim = match ty {
        Type::Quantity(dim) => *dim,
        Type::Points => Dim::Ratio,
        _ => return None,
    };
    match (left.value()?, right.value()?) {
        (Value::Quantity(a), Value::Quantity(b)) => {
            let quantity = fold::quantity(*a, op, *b, dim)?;
            Some(Expr::Literal(Value::Quantity(quantity)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::analyze::expr::arithmetic::{Minuend, result};
    use crate::syntax::ast::BinaryOp::{Add, Div, Mul, Sub};
    use crate::units::{Dim, Per};
    use crate::values::Type;
    use crate::values::Type::{Instant, Points, Quantity as Q};

    const COUNT: Type = Q(Dim::Count);
    const RATIO: Type = Q(Dim::Ratio);
    const CHANGE: Type = Q(Dim::Change);
    const DURATION: Type = Q(Dim::Duration);
    const BYTES: Type = Q(Dim::Bytes);
    const RATE: Type = Q(Dim::Rate(Per::Count));

    #[test]
    fn the_table_of_dimensions() {
        let table = [
            (Add, DURATION, DURATION, Some(DURATION)),
            (Add, DURATION, RATIO, None),
            (Add, COUNT, DURATION, None),
            (Add, RATIO, Points, Some(RATIO)),
            (Add, CHANGE, CHANGE, None),
            (Add, Instant, DURATION, Some(Instant)),
            (Add, Instant, Instant, None),
            (Sub, Instant, Instant, Some(DURATION)),
            (Sub, RATIO, RATIO, Some(Points)),
            (Sub, BYTES, BYTES, Some(BYTES)),
            (Mul, COUNT, BYTES, Some(BYTES)),
            (Mul, RATIO, DURATION, Some(DURATION)),
            (Mul, RATE, DURATION, Some(COUNT)),
            (Mul, BYTES, BYTES, None),
            (Mul, CHANGE, BYTES, None),
            (Div, RATE, RATE, Some(RATIO)),
            (Div, COUNT, COUNT, Some(RATIO)),
            (Div, COUNT, DURATION, Some(RATE)),
            (Div, COUNT, RATE, Some(DURATION)),
            (Div, DURATION, DURATION, Some(RATIO)),
            (Div, BYTES, COUNT, Some(BYTES)),
            (Div, RATE, DURATION, None),
            (Div, Type::String, COUNT, None),
        ];
        for (op, left, right, expected) in table {
            let found = result(op, &left, &right, Minuend::Read);
            assert_eq!(found, expected, "{left} {op:?} {right}");
        }
    }

    #[test]
    fn what_is_left_of_a_whole_is_a_share() {
        assert_eq!(result(Sub, &RATIO, &RATIO, Minuend::Constant), Some(RATIO));
    }
}
