//! Arithmetic by the table of dimensions. Exact stays exact where the result is; a division by zero has no value.

use crate::engine::eval::{Evaluated, Trouble};
use crate::syntax::ast::{Aggregate, BinaryOp};
use crate::units::Dim;
use crate::units::amount::{Amount, NANO, Nano, Quantity};
use crate::values::{Instant, Value, version};
use std::cmp::Ordering;

pub fn combined(left: &Value, op: BinaryOp, right: &Value) -> Evaluated {
    match (left, right) {
        (Value::Absent, _) | (_, Value::Absent) => Ok(Value::Absent),
        (Value::Quantity(left), Value::Quantity(right)) => {
            quantities(*left, op, *right).map(Value::Quantity)
        }
        (Value::Instant(at), Value::Quantity(span)) => moved(*at, op, *span),
        (Value::Quantity(span), Value::Instant(at)) if op == BinaryOp::Add => moved(*at, op, *span),
        (Value::Instant(later), Value::Instant(earlier)) if op == BinaryOp::Sub => {
            let ns = i128::from(later.since(*earlier));
            Ok(Value::Quantity(Quantity::exact(Dim::Duration, ns)))
        }
        (Value::String(left), Value::String(right)) if op == BinaryOp::Add => {
            Ok(Value::String(format!("{left}{right}")))
        }
        _ => Err(no_arithmetic()),
    }
}

pub fn negated(value: Value) -> Evaluated {
    match value {
        Value::Quantity(Quantity { dim, amount }) => {
            let amount = match amount {
                Amount::Exact(nano) => Amount::Exact(Nano(nano.0.saturating_neg())),
                Amount::Measured(value) => Amount::Measured(-value),
            };
            Ok(Value::Quantity(Quantity { dim, amount }))
        }
        Value::Absent => Ok(Value::Absent),
        _ => Err(no_arithmetic()),
    }
}

/// Of a list that is not empty, but for `count`. NaN in one member is NaN in the result: it may not hide.
pub fn aggregated(how: Aggregate, items: &[Value]) -> Evaluated {
    if how == Aggregate::Count {
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        return Ok(Value::count(count));
    }
    if items.iter().any(|item| matches!(item, Value::Absent)) {
        return Ok(Value::Absent);
    }
    match how {
        Aggregate::Max => extreme(items, Ordering::Greater),
        Aggregate::Min => extreme(items, Ordering::Less),
        Aggregate::Sum => sum(items),
        Aggregate::Avg => {
            let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
            combined(&sum(items)?, BinaryOp::Div, &Value::count(count))
        }
        Aggregate::Any | Aggregate::All | Aggregate::Count => Err(no_arithmetic()),
    }
}

fn quantities(left: Quantity, op: BinaryOp, right: Quantity) -> Result<Quantity, Trouble> {
    let dim = result_dim(left.dim, op, right.dim).ok_or_else(|| {
        Trouble::Wrong(format!("{} and {} do not combine so", left.dim, right.dim))
    })?;
    let amount = match op {
        BinaryOp::Add => added(left.amount, right.amount),
        BinaryOp::Sub => match negated(Value::Quantity(right))? {
            Value::Quantity(right) => added(left.amount, right.amount),
            _ => return Err(no_arithmetic()),
        },
        BinaryOp::Mul => multiplied(left.amount, right.amount),
        BinaryOp::Div => divided(left.amount, right.amount)?,
        BinaryOp::And | BinaryOp::Or => return Err(no_arithmetic()),
    };
    Ok(Quantity { dim, amount })
}

fn result_dim(left: Dim, op: BinaryOp, right: Dim) -> Option<Dim> {
    match op {
        BinaryOp::Add | BinaryOp::Sub => (left == right).then_some(left),
        BinaryOp::Mul => left.times(right),
        BinaryOp::Div => left.over(right),
        BinaryOp::And | BinaryOp::Or => None,
    }
}

fn added(left: Amount, right: Amount) -> Amount {
    match (left, right) {
        (Amount::Exact(left), Amount::Exact(right)) => match left.0.checked_add(right.0) {
            Some(sum) => Amount::Exact(Nano(sum)),
            None => Amount::Measured(left.as_f64() + right.as_f64()),
        },
        _ => Amount::Measured(left.as_f64() + right.as_f64()),
    }
}

fn multiplied(left: Amount, right: Amount) -> Amount {
    let exact = match (left, right) {
        (Amount::Exact(left), Amount::Exact(right)) => left.0.checked_mul(right.0),
        _ => None,
    };
    match exact {
        Some(product) if product % NANO == 0 => Amount::Exact(Nano(product / NANO)),
        _ => Amount::Measured(left.as_f64() * right.as_f64()),
    }
}

fn divided(left: Amount, right: Amount) -> Result<Amount, Trouble> {
    if right.as_f64() == 0.0 {
        return Err(Trouble::NoNumber("it is divided by zero".to_owned()));
    }
    let exact = match (left, right) {
        (Amount::Exact(left), Amount::Exact(right)) => {
            left.0.checked_mul(NANO).map(|scaled| (scaled, right.0))
        }
        _ => None,
    };
    Ok(match exact {
        Some((scaled, by)) if scaled % by == 0 => Amount::Exact(Nano(scaled / by)),
        _ => Amount::Measured(left.as_f64() / right.as_f64()),
    })
}

fn moved(at: Instant, op: BinaryOp, span: Quantity) -> Evaluated {
    let ns = match (span.dim, span.amount) {
        (Dim::Duration, Amount::Exact(nano)) => i64::try_from(nano.0).ok(),
        (Dim::Duration, Amount::Measured(seconds)) if seconds.is_finite() => {
            Some((seconds * 1e9) as i64)
        }
        _ => None,
    };
    match (ns, op) {
        (Some(ns), BinaryOp::Add) => Ok(Value::Instant(at.plus(ns))),
        (Some(ns), BinaryOp::Sub) => Ok(Value::Instant(at.plus(ns.saturating_neg()))),
        _ => Err(no_arithmetic()),
    }
}

fn extreme(items: &[Value], wanted: Ordering) -> Evaluated {
    let mut best: Option<&Value> = None;
    for item in items {
        if let Value::Quantity(quantity) = item
            && quantity.amount.as_f64().is_nan()
        {
            return Ok(item.clone());
        }
        let better = match best {
            None => true,
            Some(best) => order(item, best)? == wanted,
        };
        if better {
            best = Some(item);
        }
    }
    Ok(best.cloned().unwrap_or(Value::Absent))
}

fn order(left: &Value, right: &Value) -> Result<Ordering, Trouble> {
    match (left, right) {
        (Value::Quantity(left), Value::Quantity(right)) if left.dim == right.dim => left
            .amount
            .compare(right.amount)
            .ok_or_else(|| Trouble::NoNumber("NaN is no number".to_owned())),
        (Value::Instant(left), Value::Instant(right)) => Ok(left.cmp(right)),
        (Value::Version(left), Value::Version(right)) => Ok(version::compare(left, right)),
        _ => Err(no_arithmetic()),
    }
}

fn sum(items: &[Value]) -> Evaluated {
    let mut total: Option<Value> = None;
    for item in items {
        total = Some(match total {
            None => item.clone(),
            Some(total) => combined(&total, BinaryOp::Add, item)?,
        });
    }
    match total {
        Some(total @ Value::Quantity(_)) => Ok(total),
        Some(_) => Err(no_arithmetic()),
        None => Ok(Value::Absent),
    }
}

fn no_arithmetic() -> Trouble {
    Trouble::Wrong("there is nothing to calculate with".to_owned())
}
