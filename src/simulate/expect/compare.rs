//! Comparing what happened with what was expected.

use crate::engine::compare::holds;
use crate::syntax::ast::CompareOp;
use crate::values::{Value, version};
use std::cmp::Ordering;

/// What never was compares with nothing: neither equal nor different, but for the word `absent`.
pub fn compare(left: &Value, op: CompareOp, right: &Value) -> bool {
    match (left, right) {
        (Value::Absent, Value::Absent) => op == CompareOp::Eq,
        (Value::Absent, _) | (_, Value::Absent) => false,
        (left, right) => match ordering(left, right) {
            Some(ordering) => holds(op, ordering),
            None => op == CompareOp::Ne,
        },
    }
}

/// `None` where they differ and neither comes first.
fn ordering(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Instant(a), Value::Instant(b)) => Some(a.cmp(b)),
        (Value::Version(a), Value::Version(b)) => Some(version::compare(a, b)),
        (Value::Quantity(a), Value::Quantity(b)) if a.dim == b.dim => a.amount.compare(b.amount),
        (Value::Verdict(a), Value::Verdict(b)) => same(a == b),
        (Value::List(a), Value::List(b)) => {
            let equal = |(a, b): (&Value, &Value)| compare(a, CompareOp::Eq, b);
            same(a.len() == b.len() && a.iter().zip(b).all(equal))
        }
        (Value::Record(a), Value::Record(b)) => {
            let equal = |(name, a): (&str, &Value)| {
                let other = b.get(name);
                other.is_some_and(|b| compare(a, CompareOp::Eq, b))
            };
            same(a.len() == b.len() && a.iter().all(equal))
        }
        (Value::Json(a), Value::Json(b)) => same(a == b),
        _ => None,
    }
}

fn same(equal: bool) -> Option<Ordering> {
    equal.then_some(Ordering::Equal)
}
