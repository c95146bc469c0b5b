//! What can be reckoned when the plan is compiled, is: in integers, to a billionth of the base unit.

use crate::plan::expr::{Expr, Template, TemplatePart};
use crate::syntax::ast::{BinaryOp, CompareOp};
use crate::units::Dim;
use crate::units::amount::{Amount, NANO, Nano, Quantity};
use crate::values::{Instant, Value, show, version};
use std::cmp::Ordering;

/// One step: the parts are folded already.
pub fn fold(expr: Expr) -> Expr {
    let value = match &expr {
        Expr::Not(inner) => match literal(inner) {
            Some(Value::Bool(value)) => Some(Value::Bool(!value)),
            _ => None,
        },
        Expr::Binary(left, op, right) => match (literal(left), literal(right)) {
            (Some(left), Some(right)) => binary(left, *op, right),
            _ => None,
        },
        Expr::Compare(first, rest) => compare(first, rest),
        Expr::List(items) => literals(items.iter()).map(Value::List),
        Expr::Map(entries) => literals(entries.iter().map(|(_, value)| value)).map(|values| {
            let keys = entries.iter().map(|(key, _)| key.clone());
            Value::Record(keys.zip(values).collect())
        }),
        Expr::Template(template) => return folded_template(template),
        _ => None,
    };
    value.map_or(expr, Expr::Literal)
}

/// The value of a literal; what has a diagnostic has none.
pub fn literal(expr: &Expr) -> Option<&Value> {
    match expr {
        Expr::Literal(Value::Absent) => None,
        Expr::Literal(value) => Some(value),
        _ => None,
    }
}

/// A quantity of this dimension, when both operands are exact. `None` where the result does not fit.
pub fn quantity(left: Quantity, op: BinaryOp, right: Quantity, dim: Dim) -> Option<Quantity> {
    let (Amount::Exact(Nano(a)), Amount::Exact(Nano(b))) = (left.amount, right.amount) else {
        return None;
    };
    let nano = match op {
        BinaryOp::Add => a.checked_add(b)?,
        BinaryOp::Sub => a.checked_sub(b)?,
        BinaryOp::Mul => a.checked_mul(b)? / NANO,
        BinaryOp::Div if b == 0 => return None,
        BinaryOp::Div => a.checked_mul(NANO)? / b,
        BinaryOp::And | BinaryOp::Or => return None,
    };
    Some(Quantity::exact(dim, nano))
}

fn literals<'e>(exprs: impl Iterator<Item = &'e Expr>) -> Option<Vec<Value>> {
    exprs.map(|expr| literal(expr).cloned()).collect()
}

/// Quantities are folded where their dimension is known, in [`crate::analyze::expr::arithmetic`].
fn binary(left: &Value, op: BinaryOp, right: &Value) -> Option<Value> {
    match (left, op, right) {
        (Value::Bool(a), BinaryOp::And, Value::Bool(b)) => Some(Value::Bool(*a && *b)),
        (Value::Bool(a), BinaryOp::Or, Value::Bool(b)) => Some(Value::Bool(*a || *b)),
        (Value::Instant(at), BinaryOp::Add, Value::Quantity(by))
        | (Value::Quantity(by), BinaryOp::Add, Value::Instant(at)) => {
            Some(Value::Instant(Instant(at.0.checked_add(whole_ns(*by)?)?)))
        }
        (Value::Instant(at), BinaryOp::Sub, Value::Quantity(by)) => {
            Some(Value::Instant(Instant(at.0.checked_sub(whole_ns(*by)?)?)))
        }
        (Value::Instant(to), BinaryOp::Sub, Value::Instant(from)) => {
            let ns = i128::from(to.0) - i128::from(from.0);
            Some(Value::Quantity(Quantity::exact(Dim::Duration, ns)))
        }
        _ => None,
    }
}

fn whole_ns(quantity: Quantity) -> Option<i64> {
    match quantity.amount {
        Amount::Exact(Nano(ns)) => i64::try_from(ns).ok(),
        Amount::Measured(_) => None,
    }
}

fn compare(first: &Expr, rest: &[(CompareOp, Expr)]) -> Option<Value> {
    let mut left = literal(first)?;
    let mut holds = true;
    for (op, right) in rest {
        let right = literal(right)?;
        holds &= compared(left, *op, right)?;
        left = right;
    }
    Some(Value::Bool(holds))
}

fn compared(left: &Value, op: CompareOp, right: &Value) -> Option<bool> {
    let order = match (left, right) {
        (Value::Quantity(a), Value::Quantity(b)) => a.amount.compare(b.amount)?,
        (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
        (Value::Version(a), Value::Version(b)) => version::compare(a, b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => return None,
    };
    Some(match op {
        CompareOp::Eq => order == Ordering::Equal,
        CompareOp::Ne => order != Ordering::Equal,
        CompareOp::Lt => order == Ordering::Less,
        CompareOp::Le => order != Ordering::Greater,
        CompareOp::Gt => order == Ordering::Greater,
        CompareOp::Ge => order != Ordering::Less,
    })
}

/// Neighbouring texts are joined; a template without holes is a string.
fn folded_template(template: &Template) -> Expr {
    let mut parts: Vec<TemplatePart> = Vec::new();
    for part in &template.parts {
        let text = match part {
            TemplatePart::Text(text) => text.clone(),
            TemplatePart::Expr(expr) => match literal(expr) {
                Some(value) => show::interpolated(value),
                None => {
                    parts.push(TemplatePart::Expr(expr.clone()));
                    continue;
                }
            },
        };
        match parts.last_mut() {
            Some(TemplatePart::Text(before)) => before.push_str(&text),
            _ => parts.push(TemplatePart::Text(text)),
        }
    }
    match parts.as_slice() {
        [] => Expr::Literal(Value::String(String::new())),
        [TemplatePart::Text(text)] => Expr::Literal(Value::String(text.clone())),
        _ => Expr::Template(Template { parts }),
    }
}
