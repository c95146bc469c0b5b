//! What two values are to each other, and where there is nothing to say.

use crate::engine::compare::{Bound, bool_of, compared};
use crate::engine::eval::{Mode, Trouble, heavier};
use crate::providers::request::{Failure, FailureKind};
use crate::syntax::ast::CompareOp;
use crate::units::Dim;
use crate::values::{Instant, Value, Verdict};

fn holds(bound: Bound, left: &Value, op: CompareOp, right: &Value) -> Result<bool, String> {
    compared(Mode::Gate, bound, left, op, right).map_err(|trouble| trouble.reason())
}

fn list(items: &[i64]) -> Value {
    Value::List(items.iter().copied().map(Value::count).collect())
}

#[test]
fn nothing_of_nothing_is_no_equality_unless_it_was_written() {
    let zeros = [Value::count(0), Value::measured(Dim::Count, 0.0)];
    for left in &zeros {
        for right in &zeros {
            let measured = holds(Bound::Measured, left, CompareOp::Eq, right);
            assert_eq!(measured, Err("0 of 0".to_owned()));
            assert_eq!(holds(Bound::Written, left, CompareOp::Eq, right), Ok(true));
        }
        let three = Value::measured(Dim::Count, 3.0);
        assert_eq!(
            holds(Bound::Measured, left, CompareOp::Eq, &three),
            Ok(false)
        );
        assert_eq!(
            holds(Bound::Measured, &three, CompareOp::Eq, left),
            Ok(false)
        );
        assert_eq!(
            holds(Bound::Measured, left, CompareOp::Lt, &three),
            Ok(true)
        );
    }
}

#[test]
fn lists_are_equal_item_by_item_and_have_no_order() {
    let judge =
        |left: &[i64], op, right: &[i64]| holds(Bound::Measured, &list(left), op, &list(right));
    assert_eq!(judge(&[1, 2], CompareOp::Eq, &[1, 2]), Ok(true));
    assert_eq!(judge(&[1, 2], CompareOp::Ne, &[1, 2]), Ok(false));
    assert_eq!(judge(&[1, 2], CompareOp::Eq, &[2, 1]), Ok(false));
    assert_eq!(judge(&[1, 2], CompareOp::Ne, &[2, 1]), Ok(true));
    assert_eq!(judge(&[1, 2], CompareOp::Eq, &[1]), Ok(false));
    assert_eq!(judge(&[1, 2], CompareOp::Ne, &[1]), Ok(true));
    // Each item is as written: `[0]` and `[0]` are one list.
    assert_eq!(judge(&[0], CompareOp::Eq, &[0]), Ok(true));
    let empty = judge(&[], CompareOp::Eq, &[]);
    assert_eq!(empty, Err("both lists are empty".to_owned()));
    let written = holds(Bound::Written, &list(&[]), CompareOp::Eq, &list(&[]));
    assert_eq!(written, Ok(true));
    assert!(judge(&[1], CompareOp::Lt, &[2]).is_err());
}

#[test]
fn verdicts_are_equal_or_not() {
    let [pass, fail] = [Verdict::Pass, Verdict::Fail].map(Value::Verdict);
    for (op, same, different) in [(CompareOp::Eq, true, false), (CompareOp::Ne, false, true)] {
        assert_eq!(holds(Bound::Measured, &pass, op, &pass), Ok(same));
        assert_eq!(holds(Bound::Measured, &pass, op, &fail), Ok(different));
    }
    assert!(holds(Bound::Measured, &pass, CompareOp::Lt, &fail).is_err());
    assert!(holds(Bound::Measured, &pass, CompareOp::Eq, &Value::count(1)).is_err());
}

#[test]
fn intervals_are_equal_when_they_begin_and_end_together() {
    let interval = |from, to| Value::Interval(Instant(from), Instant(to));
    let judge = |left, op, right| holds(Bound::Measured, &left, op, &right);
    for (other, same) in [
        (interval(1, 5), true),
        (interval(1, 6), false),
        (interval(2, 5), false),
    ] {
        assert_eq!(
            judge(interval(1, 5), CompareOp::Eq, other.clone()),
            Ok(same)
        );
        assert_eq!(judge(interval(1, 5), CompareOp::Ne, other), Ok(!same));
    }
}

#[test]
fn moments_have_an_order_and_truths_are_only_equal_or_not() {
    let judge = |left: &Value, op, right: &Value| holds(Bound::Measured, left, op, right);
    let moments = [1, 2].map(|at| Value::Instant(Instant(at)));
    for [one, other] in [moments.clone(), [false, true].map(Value::Bool)] {
        assert_eq!(judge(&one, CompareOp::Eq, &one), Ok(true));
        assert_eq!(judge(&one, CompareOp::Eq, &other), Ok(false));
        assert_eq!(judge(&one, CompareOp::Ne, &other), Ok(true));
    }
    let [early, late] = moments;
    assert_eq!(judge(&early, CompareOp::Lt, &late), Ok(true));
    assert_eq!(judge(&late, CompareOp::Le, &early), Ok(false));
}

#[test]
fn json_is_a_condition_where_it_is_true_or_false() {
    for truth in [true, false] {
        assert_eq!(bool_of(&Value::json(truth.into())).ok(), Some(truth));
    }
    assert!(bool_of(&Value::json(1.into())).is_err());
}

#[test]
fn of_two_troubles_the_graver_is_told() {
    let no_data = || Trouble::NoData("no data".to_owned());
    let failed = || {
        Trouble::Failed(Failure {
            kind: FailureKind::Unreachable,
            message: "refused".to_owned(),
        })
    };
    for (known, found) in [(no_data(), failed()), (failed(), no_data())] {
        assert_eq!(heavier(Some(known), found).reason(), "refused");
    }
    assert_eq!(heavier(None, no_data()).reason(), "no data");
}
