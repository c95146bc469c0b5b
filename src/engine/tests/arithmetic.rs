//! What values come to together.

use crate::analyze::expr::arithmetic::{Minuend, result};
use crate::engine::arith::{aggregated, combined, negated};
use crate::syntax::ast::{Aggregate, BinaryOp};
use crate::units::amount::{Amount, Nano, Quantity};
use crate::units::{Dim, Per};
use crate::values::{Instant, Type, Value, show, version};

const S: i64 = 1_000_000_000;

fn come_to(left: &Value, op: BinaryOp, right: &Value) -> Option<String> {
    combined(left, op, right)
        .ok()
        .map(|value| show::value(&value))
}

fn seconds(n: i64) -> Value {
    Value::Quantity(Quantity::exact(Dim::Duration, i128::from(n * S)))
}

#[test]
fn quantities_are_added_taken_away_multiplied_and_divided() {
    let [five, three] = [5, 3].map(Value::count);
    assert_eq!(come_to(&five, BinaryOp::Add, &three).as_deref(), Some("8"));
    assert_eq!(come_to(&five, BinaryOp::Sub, &three).as_deref(), Some("2"));
    assert_eq!(come_to(&five, BinaryOp::Mul, &three).as_deref(), Some("15"));
    assert_eq!(
        come_to(&Value::count(6), BinaryOp::Div, &three).as_deref(),
        Some("200%")
    );
    assert_eq!(come_to(&five, BinaryOp::Div, &Value::count(0)), None);
    assert_eq!(come_to(&five, BinaryOp::Add, &seconds(3)), None);
}

fn amount_of(left: i128, op: BinaryOp, right: i128) -> Amount {
    let [left, right] =
        [left, right].map(|nano| Value::Quantity(Quantity::exact(Dim::Count, nano)));
    combined(&left, op, &right).unwrap().amount().unwrap()
}

#[test]
fn what_can_be_said_exactly_is_and_the_rest_is_near() {
    const ONE: i128 = 1_000_000_000;
    let fifteen = amount_of(5 * ONE, BinaryOp::Mul, 3 * ONE);
    assert!(matches!(fifteen, Amount::Exact(nano) if nano == Nano(15 * ONE)));
    let tiny = amount_of(5, BinaryOp::Mul, 3);
    assert!(matches!(tiny, Amount::Measured(value) if value > 1e-17 && value < 2e-17));
    let sum = amount_of(ONE / 10, BinaryOp::Add, ONE / 5);
    assert!(matches!(sum, Amount::Exact(nano) if nano == Nano(3 * ONE / 10)));
    let half = amount_of(3 * ONE, BinaryOp::Div, 6 * ONE);
    assert!(matches!(half, Amount::Exact(nano) if nano == Nano(ONE / 2)));
    let third = amount_of(ONE, BinaryOp::Div, 3 * ONE);
    assert!(matches!(third, Amount::Measured(value) if value == 1.0 / 3.0));
    let huge = amount_of(i128::MAX, BinaryOp::Add, i128::MAX);
    assert!(
        matches!(huge, Amount::Measured(value) if value > 3e29 && value < 4e29),
        "{huge:?}"
    );
}

#[test]
fn what_is_measured_has_a_negative_as_what_is_written() {
    for (value, shown) in [
        (Value::measured(Dim::Count, 2.5), "-2.5"),
        (seconds(3), "-3s"),
    ] {
        assert_eq!(show::value(&negated(value).unwrap()), shown);
    }
    assert!(negated(Value::Bool(true)).is_err());
}

#[test]
fn between_two_moments_lies_a_time_and_nothing_else_comes_of_them() {
    let [early, late] = [10, 70].map(|s| Value::Instant(Instant(s * S)));
    assert_eq!(come_to(&late, BinaryOp::Sub, &early).as_deref(), Some("1m"));
    assert_eq!(come_to(&late, BinaryOp::Add, &early), None);
    assert_eq!(come_to(&late, BinaryOp::Mul, &early), None);
    let moved = come_to(&early, BinaryOp::Add, &seconds(60));
    assert_eq!(moved, Some(show::value(&late)));
    let other_way = come_to(&seconds(60), BinaryOp::Add, &early);
    assert_eq!(other_way, Some(show::value(&late)));
    assert_eq!(come_to(&seconds(60), BinaryOp::Sub, &early), None);
}

#[test]
fn a_moment_is_moved_by_a_time_that_is_a_number() {
    let at = |ns| Value::Instant(Instant(ns));
    let measured = |seconds| Value::measured(Dim::Duration, seconds);
    let moved = |op, span: &Value| come_to(&at(70 * S), op, span);
    for (op, span, wanted) in [
        (BinaryOp::Add, seconds(60), 130 * S),
        (BinaryOp::Sub, seconds(60), 10 * S),
        (BinaryOp::Add, measured(2.0), 72 * S),
        (BinaryOp::Sub, measured(2.0), 68 * S),
    ] {
        assert_eq!(moved(op, &span), Some(show::value(&at(wanted))));
    }
    for seconds in [f64::NAN, f64::INFINITY] {
        assert_eq!(moved(BinaryOp::Add, &measured(seconds)), None);
    }
    assert_eq!(moved(BinaryOp::Mul, &seconds(60)), None);
    assert_eq!(moved(BinaryOp::Add, &Value::count(60)), None);
}

#[test]
fn texts_are_only_joined() {
    let [a, b] = ["a", "b"].map(|text| Value::String(text.to_owned()));
    assert_eq!(come_to(&a, BinaryOp::Add, &b).as_deref(), Some("\"ab\""));
    assert_eq!(come_to(&a, BinaryOp::Sub, &b), None);
}

#[test]
fn what_is_absent_stays_absent() {
    let one = Value::count(1);
    for (left, right) in [(&Value::Absent, &one), (&one, &Value::Absent)] {
        let value = combined(left, BinaryOp::Div, right).ok();
        assert!(matches!(value, Some(Value::Absent)), "{value:?}");
    }
    assert!(matches!(negated(Value::Absent), Ok(Value::Absent)));
}

#[test]
fn the_most_and_the_least_are_of_what_has_an_order() {
    let versions = ["1.9", "1.10-rc.1", "1.10", "1.2"];
    let versions = versions.map(|text| Value::version(version::parse(text).unwrap()));
    let times = [2, 3, 1].map(|s| Value::Instant(Instant(s * S)));
    let spans = [seconds(2), Value::measured(Dim::Duration, 2.5), seconds(1)];
    let of = |how, items: &[Value]| aggregated(how, items).ok().map(|value| show::value(&value));
    for (items, most, least) in [
        (&versions[..], &versions[2], &versions[3]),
        (&times[..], &times[1], &times[2]),
        (&spans[..], &spans[1], &spans[2]),
    ] {
        assert_eq!(of(Aggregate::Max, items), Some(show::value(most)));
        assert_eq!(of(Aggregate::Min, items), Some(show::value(least)));
    }
    assert_eq!(of(Aggregate::Max, &[seconds(1), Value::count(2)]), None);
    assert_eq!(
        of(Aggregate::Max, &[Value::Bool(true), Value::Bool(false)]),
        None
    );
}

/// What the compiler lets through has a value in a run: the table of dimensions is one.
#[test]
fn dimensions_are_those_that_the_compiler_knows() {
    let rate = Dim::Rate(Per::Count);
    for (left, op, right, dim, amount) in [
        (Dim::Count, BinaryOp::Mul, Dim::Bytes, Dim::Bytes, 12.0),
        (Dim::Bytes, BinaryOp::Mul, Dim::Ratio, Dim::Bytes, 12.0),
        (rate, BinaryOp::Mul, Dim::Duration, Dim::Count, 12.0),
        (Dim::Duration, BinaryOp::Mul, rate, Dim::Count, 12.0),
        (Dim::Bytes, BinaryOp::Div, Dim::Bytes, Dim::Ratio, 3.0),
        (Dim::Bytes, BinaryOp::Div, Dim::Count, Dim::Bytes, 3.0),
        (Dim::Bytes, BinaryOp::Div, Dim::Ratio, Dim::Bytes, 3.0),
        (Dim::Count, BinaryOp::Div, Dim::Duration, rate, 3.0),
        (Dim::Count, BinaryOp::Div, rate, Dim::Duration, 3.0),
        (Dim::Ratio, BinaryOp::Add, Dim::Ratio, Dim::Ratio, 8.0),
        (Dim::Ratio, BinaryOp::Sub, Dim::Ratio, Dim::Ratio, 4.0),
    ] {
        let (six, two) = (Value::measured(left, 6.0), Value::measured(right, 2.0));
        let value = combined(&six, op, &two).ok();
        let Some(Value::Quantity(found)) = value else {
            panic!("{left} {op:?} {right}: {value:?}")
        };
        assert_eq!(found.dim, dim, "{left} {op:?} {right}");
        assert_eq!(found.amount.as_f64(), amount, "{left} {op:?} {right}");
    }
    for (left, op, right) in [
        (Dim::Bytes, BinaryOp::Mul, Dim::Bytes),
        (Dim::Bytes, BinaryOp::Div, Dim::Rate(Per::Count)),
        (Dim::Bytes, BinaryOp::Add, Dim::Count),
    ] {
        let (six, two) = (Value::measured(left, 6.0), Value::measured(right, 2.0));
        assert!(combined(&six, op, &two).is_err(), "{left} {op:?} {right}");
    }
}

/// A run comes to the dimension that the compiler has found: what was compared with it there is compared with it here.
#[test]
fn what_the_compiler_says_of_two_quantities_is_what_a_run_makes_of_them() {
    let pers = [
        Per::Count,
        Per::Ratio,
        Per::Duration,
        Per::Bytes,
        Per::Cores,
    ];
    let plain = [Dim::Change].into_iter().chain(pers.map(Per::dim));
    let dims: Vec<Dim> = plain.chain(pers.map(Dim::Rate)).collect();
    let mut known = 0;
    for (left, right) in dims
        .iter()
        .flat_map(|left| dims.iter().map(move |right| (*left, *right)))
    {
        for op in [BinaryOp::Add, BinaryOp::Sub, BinaryOp::Mul, BinaryOp::Div] {
            let types = [left, right].map(Type::Quantity);
            let wanted = match result(op, &types[0], &types[1], Minuend::Read) {
                Some(Type::Quantity(dim)) => dim,
                Some(Type::Points) => Dim::Ratio,
                _ => continue,
            };
            known += 1;
            let [six, three] = [(left, 6.0), (right, 3.0)].map(|(dim, n)| Value::measured(dim, n));
            let Ok(Value::Quantity(found)) = combined(&six, op, &three) else {
                panic!("{left} and {right}: {op:?} is {wanted}, and nothing in a run");
            };
            assert_eq!(found.dim, wanted, "{left} and {right}: {op:?}");
        }
    }
    assert!(known > 60, "{known}");
}
