//! Time that counts: holds of stages, `every`, and what happens to them without sight, in a pause and in absence.

use crate::engine::protocol::{EventKind, RunOutcome};
use crate::engine::tests::bench::{Bench, actor, failure, record, resumed, series};
use crate::engine::tests::build::{Builder, H, M, PLACE, S, errors, latency, pause, ready};
use crate::plan::expr::Scope;
use crate::plan::node::{CheckMode, NodeId};
use crate::plan::{Policy, Window};
use crate::providers::request::FailureKind;
use crate::syntax::ast::CompareOp;
use crate::values::{Instant, Value};

/// One stage of 100% with a hold of five minutes and a check in it.
fn stage(mode: CheckMode) -> (Builder, NodeId, NodeId) {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    let canary = b.canary(phase, release, &[(100, 5 * M)]);
    let stage = b.child(canary, 0);
    let check = b.check(
        stage,
        "errors",
        errors(Scope::Canary, CompareOp::Lt, 5),
        mode,
    );
    (b, stage, check)
}

const ALWAYS: CheckMode = CheckMode::Stage { for_ns: 0 };

#[test]
fn a_source_that_is_away_for_a_while_is_no_verdict() {
    // V6: away for 40 s of a healthy rollout. What was not seen is added to the hold.
    let (mut b, _, check) = stage(ALWAYS);
    b.policies(check).no_data = Some((M, pause(10 * M, Policy::Rollback)));
    let reply = |at: Instant| {
        Some(match (130 * S..170 * S).contains(&at.0) {
            true => Err(failure(FailureKind::Unreachable, "connection refused")),
            false => Ok(series(&[0.0])),
        })
    };
    Bench::new(b.plan)
        .answer("error_rate", reply)
        .start()
        .run()
        .expect_lines(
            &["pause", "rollback", "end p/canary/stage", "finish"],
            // Blind at 2m 15s, 2m 30s and 2m 45s: the four intervals around them do not count.
            "6m end p/canary/stage-100/errors pass
            6m end p/canary/stage-100 pass
            6m finish Succeeded",
        );
}

#[test]
fn a_canary_without_traffic_is_never_promoted() {
    let (mut b, _, check) = stage(ALWAYS);
    b.policies(check).no_data = Some((M, pause(10 * M, Policy::Rollback)));
    Bench::new(b.plan)
        .answer("error_rate", |_| Some(Ok(series(&[]))))
        .start()
        .run()
        .expect_lines(
            &["pause", "promote", "errors inconclusive", "finish"],
            // The window of the metric, a minute of tolerance, ten of the pause.
            "2m pause p/canary/stage-100/errors until 12m
            12m end p/canary/stage-100/errors inconclusive
            12m finish RolledBack",
        );
}

#[test]
fn what_has_to_hold_at_the_end_of_a_stage_may_fail_before() {
    let verdict = |good_from: i64| {
        let (b, ..) = stage(CheckMode::Stage { for_ns: 2 * M });
        let value = move |at| if at < good_from { 0.5 } else { 0.0 };
        let bench = Bench::new(b.plan).metric("error_rate", value).start().run();
        bench.lines(&["end p/canary/stage-100/errors", "finish"])
    };
    assert_eq!(
        verdict(3 * M),
        "5m end p/canary/stage-100/errors pass\n5m finish Succeeded"
    );
    // It has held for a quarter of a minute less than it has to.
    assert_eq!(
        verdict(3 * M + 15 * S),
        "5m end p/canary/stage-100/errors fail\n5m finish RolledBack"
    );
    // With less than two minutes left it cannot hold for so long any more.
    assert_eq!(
        verdict(4 * M),
        "3m 30s end p/canary/stage-100/errors fail\n3m 30s finish RolledBack"
    );
}

#[test]
fn a_pause_inside_a_hold_is_added_to_it() {
    let (mut b, _, check) = stage(ALWAYS);
    b.policies(check).fail = Some(pause(H, Policy::Rollback));
    let value = |at| {
        if (2 * M..3 * M).contains(&at) {
            0.5
        } else {
            0.0
        }
    };
    Bench::new(b.plan)
        .metric("error_rate", value)
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "end p/canary/stage-100 "],
            "2m pause p/canary/stage-100/errors until 1h 2m
            3m go on p/canary/stage-100/errors
            6m end p/canary/stage-100 pass",
        );
}

#[test]
fn a_pause_inside_the_time_of_a_check_is_added_to_it() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let mode = || CheckMode::For { ns: 5 * M };
    let fast = latency(Scope::None, CompareOp::Lt, 300);
    b.check(phase, "latency", fast, mode());
    let low = errors(Scope::None, CompareOp::Lt, 5);
    let check = b.check(phase, "errors", low, mode());
    b.policies(check).fail = Some(pause(H, Policy::Stop));
    let is_bad = |at| (2 * M..3 * M).contains(&at);
    Bench::new(b.plan)
        .metric("error_rate", move |at| if is_bad(at) { 0.5 } else { 0.0 })
        .metric("p95", |_| 0.1)
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "end p/latency"],
            // It was sampled at 3m too, before the run went on: its time goes on at 3m 15s.
            "2m pause p/errors until 1h 2m
            3m go on p/errors
            6m 15s end p/latency pass",
        );
}

#[test]
fn a_hold_that_is_no_multiple_of_the_sampling_ends_with_a_sample() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    let canary = b.canary(phase, release, &[(50, 80 * S), (100, M)]);
    let stage = b.child(canary, 0);
    let low = errors(Scope::Canary, CompareOp::Lt, 5);
    b.check(stage, "errors", low, CheckMode::Stage { for_ns: 0 });
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.0)
        .start()
        .run()
        .expect_lines(
            &["end p/canary/stage-50 ", "end p/canary/stage-100 "],
            "1m 20s end p/canary/stage-50 pass
            2m 20s end p/canary/stage-100 not applicable",
        );
}

#[test]
fn absence_counts_for_no_hold_and_no_tick() {
    let (b, ..) = stage(ALWAYS);
    let bench = Bench::new(b.plan).metric("error_rate", |_| 0.0);
    // Two minutes are seen at the crash; three are left when somebody takes over.
    bench
        .start()
        .until(2 * M)
        .crash()
        .at(H, resumed())
        .run()
        .expect_lines(
            &["end p/canary/stage-100 "],
            "1h 3m end p/canary/stage-100 pass",
        );

    let mut b = Builder::new();
    let phase = b.phase("p");
    let every = b.every(phase);
    b.check(
        every,
        "nodes",
        ready("nodes", CompareOp::Ge, 3),
        CheckMode::Once,
    );
    Bench::new(b.plan)
        .answer("nodes", |_| Some(Ok(record(&[("ready", Value::count(3))]))))
        .start()
        .until(12 * M)
        .crash()
        .at(H, resumed())
        .run()
        .expect_lines(
            &["end p/every"],
            // The clock stood at the last event, the tick at 10m: none is lost, none is hurried.
            "10m end p/every/nodes pass
            1h 10m end p/every/nodes pass
            1h 20m end p/every/nodes pass
            1h 20m end p/every pass",
        );
}

#[test]
fn a_rollback_goes_on_after_a_crash() {
    let (b, ..) = stage(ALWAYS);
    let back = crate::providers::request::Observation::NotApplied;
    let abort = EventKind::Aborted {
        by: actor("ann"),
        reason: "no".to_owned(),
    };
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.0)
        .commits("back", vec![None])
        .observes(vec![back])
        .start()
        .at(2 * M, abort)
        .until(3 * M)
        .crash()
        .at(H, resumed())
        .run()
        .expect_lines(
            &["commit back", "observe", "finish"],
            "2m commit back p/canary/stage-100/canary_weight#0
            1h observe back p/canary/stage-100/canary_weight#0
            1h commit back p/canary/stage-100/canary_weight#0
            1h commit back p/release/do#0
            1h finish RolledBack",
        );
}

#[test]
fn a_stage_has_to_have_ended_by_the_end_of_its_window() {
    let (mut b, stage, _) = stage(ALWAYS);
    b.plan.nodes[stage.0 as usize].window = Some(Window {
        from: Instant(M),
        to: Instant(3 * M),
    });
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.0)
        .start()
        .run()
        .expect_lines(
            &["begin p/canary/stage-100\n", "weight p", "stage-100 fail"],
            "1m weight p/canary/stage-100 100%
            3m end p/canary/stage-100 fail",
        )
        .outcome(RunOutcome::RolledBack);
}

#[test]
fn the_last_sample_of_a_hold_that_had_more_time_is_judged_before_that_is_over() {
    let (mut b, stage, _) = stage(ALWAYS);
    b.plan.nodes[stage.0 as usize].window = Some(Window {
        from: Instant(0),
        to: Instant(3 * M),
    });
    b.policies(stage).fail = Some(Policy::Extend {
        up_to_ns: 2 * M,
        then: Box::new(Policy::Rollback),
        place: PLACE,
    });
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.0)
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "stage-100 pass", "finish"],
            "3m pause p/canary/stage-100 until 5m
            5m go on p/canary/stage-100
            5m end p/canary/stage-100 pass
            5m finish Succeeded",
        );
}

#[test]
fn all_that_failed_in_the_sample_that_ends_a_run_is_said_to_have_failed() {
    let mut b = Builder::new();
    let deploy = b.phase("deploy");
    let release = b.step(deploy, "release");
    let rollout = b.phase("rollout");
    b.after(rollout, deploy);
    let canary = b.canary(rollout, release, &[(100, 10 * M)]);
    let stage = b.child(canary, 0);
    for (name, bound) in [("low", 5), ("lower", 1), ("high", 90)] {
        let holds = errors(Scope::Canary, CompareOp::Lt, bound);
        b.check(stage, name, holds, CheckMode::Stage { for_ns: 0 });
    }
    let warned = b.check(
        stage,
        "warned",
        errors(Scope::Canary, CompareOp::Lt, 2),
        CheckMode::Stage { for_ns: 0 },
    );
    b.policies(warned).fail = Some(Policy::Warn);
    Bench::new(b.plan)
        .metric("error_rate", |at| if at < 3 * M { 0.0 } else { 0.2 })
        .start()
        .run()
        .expect_lines(
            &["end rollout/canary/stage-100/", "rollback:", "finish"],
            "3m end rollout/canary/stage-100/low fail
            3m end rollout/canary/stage-100/high cancelled
            3m rollback: `rollout/canary/stage-100/low`: `it holds`: canary.error_rate is 20%
            3m end rollout/canary/stage-100/lower fail
            3m end rollout/canary/stage-100/warned fail
            3m finish RolledBack",
        );
}
