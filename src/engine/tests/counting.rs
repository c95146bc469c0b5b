//! `on fail 2 in a row`, `in total`, `3 of last 5`.

use crate::engine::tests::bench::{Bench, series};
use crate::engine::tests::build::{Builder, M, S, errors};
use crate::plan::expr::Scope;
use crate::plan::node::CheckMode;
use crate::plan::{Counting, Policy};
use crate::syntax::ast::CompareOp;

/// The error rate at each sample from the minute on at which the stage is judged: `F` fails, `P` passes, `_` is no data.
fn in_a_stage(counting: Option<Counting>, samples: &'static str) -> String {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    let canary = b.canary(phase, release, &[(100, 2 * M)]);
    let stage = b.child(canary, 0);
    let below = errors(Scope::Canary, CompareOp::Lt, 5);
    let check = b.check(stage, "errors", below, CheckMode::Stage { for_ns: 0 });
    b.policies(check).fail = Some(Policy::Rollback);
    b.policies(check).fails = counting;
    b.policies(check).no_data = Some((M, Policy::Rollback));
    let values = move |at: i64| {
        let sample = usize::try_from((at - M) / (15 * S)).unwrap_or(0);
        match samples.as_bytes().get(sample) {
            Some(b'F') => vec![0.5],
            Some(b'_') => Vec::new(),
            _ => vec![0.0],
        }
    };
    let bench = Bench::new(b.plan).answer("error_rate", move |at| Some(Ok(series(&values(at.0)))));
    bench
        .start()
        .run()
        .lines(&["end p/canary/stage-100/errors"])
}

#[test]
fn fails_in_a_row_and_in_total_are_counted_apart() {
    // V7
    let samples = "FPFPF";
    assert_eq!(
        in_a_stage(Some(Counting::InARow(2)), samples),
        "2m end p/canary/stage-100/errors pass"
    );
    assert_eq!(
        in_a_stage(Some(Counting::InTotal(2)), samples),
        "1m 30s end p/canary/stage-100/errors fail"
    );
    let once = "1m end p/canary/stage-100/errors fail";
    assert_eq!(in_a_stage(None, samples), once);
    assert_eq!(in_a_stage(Some(Counting::InARow(1)), samples), once);
}

#[test]
fn two_in_a_row_fail_at_the_second() {
    assert_eq!(
        in_a_stage(Some(Counting::InARow(2)), "PFFPP"),
        "1m 30s end p/canary/stage-100/errors fail"
    );
    // What was not seen breaks no row.
    assert_eq!(
        in_a_stage(Some(Counting::InARow(2)), "PF_FP"),
        "1m 45s end p/canary/stage-100/errors fail"
    );
}

#[test]
fn only_the_last_samples_count_where_that_is_said() {
    let two_of_three = Some(Counting::OfLast { fails: 2, last: 3 });
    assert_eq!(
        in_a_stage(two_of_three, "FPPFP"),
        "2m end p/canary/stage-100/errors pass"
    );
    assert_eq!(
        in_a_stage(two_of_three, "FPPFPF"),
        "2m end p/canary/stage-100/errors pass"
    );
    assert_eq!(
        in_a_stage(two_of_three, "PFPFP"),
        "1m 45s end p/canary/stage-100/errors fail"
    );
    let most = Some(Counting::OfLast { fails: 1, last: 64 });
    assert_eq!(
        in_a_stage(most, "PPF"),
        "1m 30s end p/canary/stage-100/errors fail"
    );
}

/// Outside of stages too: `expect … for 1m` in a phase.
#[test]
fn a_tolerated_fail_takes_nothing_back_from_what_held() {
    let lines = |counting| {
        let mut b = Builder::new();
        let phase = b.phase("p");
        let below = errors(Scope::None, CompareOp::Lt, 5);
        let check = b.check(phase, "errors", below, CheckMode::For { ns: M });
        b.policies(check).fail = Some(Policy::Stop);
        b.policies(check).fails = counting;
        let value = |at: i64| if at == 30 * S { 0.5 } else { 0.0 };
        let bench = Bench::new(b.plan).metric("error_rate", value);
        bench.start().run().lines(&["end p/errors"])
    };
    assert_eq!(lines(None), "30s end p/errors fail");
    assert_eq!(lines(Some(Counting::InARow(2))), "1m end p/errors pass");
}

#[test]
fn within_its_time_a_check_fails_early_where_fails_are_counted() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let below = errors(Scope::None, CompareOp::Lt, 5);
    let check = b.check(phase, "errors", below, CheckMode::Within { ns: 5 * M });
    b.policies(check).fail = Some(Policy::Stop);
    b.policies(check).fails = Some(Counting::InARow(3));
    let bench = Bench::new(b.plan).metric("error_rate", |_| 0.5);
    bench
        .start()
        .run()
        .expect_lines(&["end p/errors"], "30s end p/errors fail");
}

/// All three are asked at one moment, and the first one ends the run.
#[test]
fn a_gate_whose_fails_are_counted_has_not_failed_where_the_run_ends_at_its_first() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    for (name, counting) in [
        ("first", None),
        ("plain", None),
        ("counted", Some(Counting::InARow(2))),
    ] {
        let below = errors(Scope::None, CompareOp::Lt, 5);
        let check = b.check(phase, name, below, CheckMode::Once);
        b.policies(check).fail = Some(Policy::Stop);
        b.policies(check).fails = counting;
    }
    let bench = Bench::new(b.plan).metric("error_rate", |_| 0.5);
    bench.start().run().expect_lines(
        &["end p/"],
        "0s end p/first fail
        0s end p/plain fail
        0s end p/counted cancelled",
    );
}
