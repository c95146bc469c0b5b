//! The rules of comparing two values: what has a verdict, and what has none.

use crate::engine::eval::{Mode, Trouble};
use crate::engine::truth::Truth;
use crate::syntax::ast::CompareOp;
use crate::units::Dim;
use crate::units::amount::{Amount, Quantity};
use crate::values::{Value, Verdict, version};
use std::cmp::Ordering;

/// Whether one side was written, or both were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Written,
    Measured,
}

pub fn compared(mode: Mode, bound: Bound, left: &Value, op: CompareOp, right: &Value) -> Truth {
    match (left, right) {
        (Value::Absent, _) | (_, Value::Absent) => Err(Trouble::NoData("no data".to_owned())),
        (Value::Quantity(left), Value::Quantity(right)) => quantities(mode, bound, left, op, right),
        (Value::List(left), Value::List(right)) => lists(mode, bound, left, op, right),
        (Value::Verdict(_), _) | (_, Value::Verdict(_)) => verdicts(left, op, right),
        _ => match ordered(left, right) {
            Some(ordering) => Ok(holds(op, ordering)),
            None => Err(Trouble::Wrong(format!(
                "{} is compared with {}",
                kind(left),
                kind(right)
            ))),
        },
    }
}

/// A condition that is a value. What has not passed or failed is neither true nor false.
pub fn bool_of(value: &Value) -> Truth {
    match value {
        Value::Bool(holds) => Ok(*holds),
        Value::Verdict(Verdict::Pass) => Ok(true),
        Value::Verdict(Verdict::Fail) => Ok(false),
        Value::Verdict(_) => Err(Trouble::NoData("it came to no verdict".to_owned())),
        Value::Json(json) if json.is_boolean() => Ok(json.as_bool() == Some(true)),
        Value::Absent => Err(Trouble::NoData("no data".to_owned())),
        other => Err(Trouble::Wrong(format!("{} is no condition", kind(other)))),
    }
}

pub fn holds(op: CompareOp, ordering: Ordering) -> bool {
    match op {
        CompareOp::Eq => ordering.is_eq(),
        CompareOp::Ne => ordering.is_ne(),
        CompareOp::Lt => ordering.is_lt(),
        CompareOp::Le => ordering.is_le(),
        CompareOp::Gt => ordering.is_gt(),
        CompareOp::Ge => ordering.is_ge(),
    }
}

fn quantities(mode: Mode, bound: Bound, left: &Quantity, op: CompareOp, right: &Quantity) -> Truth {
    if left.dim != right.dim {
        return Err(Trouble::Wrong(format!(
            "a {} is compared with a {}",
            left.dim, right.dim
        )));
    }
    for amount in [left.amount, right.amount] {
        if mode == Mode::Gate && !amount.is_finite() {
            return Err(Trouble::NoNumber(format!(
                "{} is no number",
                amount.as_f64()
            )));
        }
    }
    if op == CompareOp::Eq && bound == Bound::Measured && both_nothing(left, right) {
        return Err(Trouble::NoData("0 of 0".to_owned()));
    }
    match left.amount.compare(right.amount) {
        Some(ordering) => Ok(holds(op, ordering)),
        None => Err(Trouble::NoNumber("NaN is no number".to_owned())),
    }
}

/// `ready == total` says nothing where there is nothing.
fn both_nothing(left: &Quantity, right: &Quantity) -> bool {
    let zero = |quantity: &Quantity| quantity.dim == Dim::Count && is_zero(quantity.amount);
    zero(left) && zero(right)
}

fn is_zero(amount: Amount) -> bool {
    match amount {
        Amount::Exact(nano) => nano.0 == 0,
        Amount::Measured(value) => value == 0.0,
    }
}

/// Equal when they have the same items in the same order.
fn lists(mode: Mode, bound: Bound, left: &[Value], op: CompareOp, right: &[Value]) -> Truth {
    let wanted = match op {
        CompareOp::Eq => true,
        CompareOp::Ne => false,
        _ => return Err(Trouble::Wrong("lists have no order".to_owned())),
    };
    if left.len() != right.len() {
        return Ok(!wanted);
    }
    if left.is_empty() && bound == Bound::Measured {
        return Err(Trouble::NoData("both lists are empty".to_owned()));
    }
    for (left, right) in left.iter().zip(right) {
        if !compared(mode, Bound::Written, left, CompareOp::Eq, right)? {
            return Ok(!wanted);
        }
    }
    Ok(wanted)
}

fn verdicts(left: &Value, op: CompareOp, right: &Value) -> Truth {
    match (left, right, op) {
        (Value::Verdict(left), Value::Verdict(right), CompareOp::Eq) => Ok(left == right),
        (Value::Verdict(left), Value::Verdict(right), CompareOp::Ne) => Ok(left != right),
        _ => Err(Trouble::Wrong("verdicts have no order".to_owned())),
    }
}

fn ordered(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Instant(left), Value::Instant(right)) => Some(left.cmp(right)),
        (Value::Version(left), Value::Version(right)) => Some(version::compare(left, right)),
        (Value::Interval(a, b), Value::Interval(c, d)) => Some((a, b).cmp(&(c, d))),
        _ => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "a bool",
        Value::String(_) => "a string",
        Value::Version(_) => "a version",
        Value::Instant(_) => "an instant",
        Value::Quantity(_) => "a quantity",
        Value::Verdict(_) => "a verdict",
        Value::Interval(..) => "an interval",
        Value::List(_) => "a list",
        Value::Record(_) => "a record",
        Value::Json(_) => "a JSON value",
        Value::Absent => "nothing",
    }
}
