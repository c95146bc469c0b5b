//! Pauses and what comes after them: `stop`, `rollback`, `warn`, `extend`; silence that is tolerated.

use crate::engine::protocol::{EventKind, RunOutcome};
use crate::engine::state::Passage;
use crate::engine::tests::bench::{Bench, actor, failure, record, series};
use crate::engine::tests::build::{Builder, H, LOC, M, PLACE, S, errors, pause, ready};
use crate::plan::expr::Scope;
use crate::plan::node::{CheckMode, NodeId, NodeKind};
use crate::plan::{LocId, Policy, Window};
use crate::providers::request::{Failure, FailureKind};
use crate::syntax::ast::CompareOp;
use crate::values::{Instant, Value};

/// One check behind which a hold of a minute follows.
fn one_check(mode: CheckMode) -> (Builder, NodeId) {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let gate = b.check(phase, "gate", errors(Scope::None, CompareOp::Lt, 5), mode);
    let hold = b.node(Some(phase), "hold", NodeKind::Hold { ns: M });
    b.after(hold, gate);
    (b, gate)
}

fn nodes(
    count: impl Fn(i64) -> i64 + 'static,
) -> impl Fn(Instant) -> Option<Result<Value, Failure>> {
    move |at| Some(Ok(record(&[("ready", Value::count(count(at.0)))])))
}

#[test]
fn a_pause_ends_when_what_caused_it_passes() {
    let (mut b, gate) = one_check(CheckMode::Once);
    b.policies(gate).fail = Some(pause(H, Policy::Stop));
    Bench::new(b.plan)
        .metric("error_rate", |at| if at < 10 * M { 0.5 } else { 0.0 })
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "end", "finish"],
            "0s pause p/gate until 1h
            10m go on p/gate
            10m end p/gate pass
            11m end p/hold pass
            11m end p pass
            11m finish Succeeded",
        );
}

#[test]
fn a_pause_that_is_over_does_what_comes_then() {
    let (mut b, gate) = one_check(CheckMode::Once);
    b.policies(gate).fail = Some(pause(10 * M, pause(5 * M, Policy::Stop)));
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.5)
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "end", "finish"],
            "0s pause p/gate until 10m
            10m go on p/gate
            10m pause p/gate until 15m
            15m go on p/gate
            15m end p/gate fail
            15m end p fail
            15m finish Stopped",
        );
}

#[test]
fn the_sample_at_the_end_of_a_pause_is_judged_first() {
    // Four seconds: the answer comes when the time is over. At once: the question does.
    for latency_ns in [0, 4 * S] {
        let (mut b, gate) = one_check(CheckMode::Once);
        b.policies(gate).fail = Some(pause(M, Policy::Stop));
        let value = |at| if at < M { 0.5 } else { 0.0 };
        let mut bench = Bench::new(b.plan).metric("error_rate", value);
        bench.latency_ns = latency_ns;
        bench.start().run().outcome(RunOutcome::Succeeded);
    }
}

#[test]
fn the_time_of_a_pause_is_a_total_for_the_place_that_wrote_it() {
    // Fails in minutes 0 to 4 and 10 to 14: the second pause has six minutes left of ten, then one more is too much.
    let mut b = Builder::new();
    let phase = b.phase("p");
    let every = b.every(phase);
    let gate = b.check(
        every,
        "gate",
        ready("nodes", CompareOp::Ge, 3),
        CheckMode::Once,
    );
    b.policies(gate).fail = Some(pause(10 * M, Policy::Warn));
    Bench::new(b.plan)
        .answer(
            "nodes",
            nodes(|at| if at % (20 * M) >= 14 * M { 3 } else { 0 }),
        )
        .start()
        .run()
        .expect_lines(
            &[
                "pause",
                "gate warn",
                "go on",
                "gate fail",
                "gate pass",
                "finish",
            ],
            // An `every` stands still in a pause: the second tick comes at 10m + 4m + 10m.
            "10m pause p/every/gate until 20m
            14m go on p/every/gate
            14m end p/every/gate pass
            24m pause p/every/gate until 30m
            30m go on p/every/gate
            30m end p/every/gate fail
            40m end p/every/gate fail
            40m finish Succeeded",
        );
}

#[test]
fn two_items_that_draw_on_one_place_use_its_time_once() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    for name in ["one", "two"] {
        let gate = b.check(phase, name, ready(name, CompareOp::Ge, 3), CheckMode::Once);
        b.policies(gate).fail = Some(pause(10 * M, Policy::Stop));
    }
    let bench = Bench::new(b.plan)
        .answer("one", nodes(|at| if at < 5 * M { 0 } else { 3 }))
        .answer("two", nodes(|at| if at < 8 * M { 0 } else { 3 }))
        .start()
        .run()
        .outcome(RunOutcome::Succeeded);
    assert_eq!(bench.state.pools[0].place, PLACE);
    assert_eq!(bench.state.pools[0].spent_ns, 8 * M);
}

#[test]
fn a_person_goes_on_past_a_pause_and_that_is_no_pass() {
    let (mut b, gate) = one_check(CheckMode::Once);
    b.policies(gate).fail = Some(pause(H, Policy::Stop));
    let go_on = EventKind::Continued {
        node: gate,
        by: actor("ann"),
        reason: "known".to_owned(),
    };
    let bench = Bench::new(b.plan)
        .metric("error_rate", |_| 0.5)
        .start()
        .at(5 * M + 7 * S, go_on)
        .run()
        .expect_lines(
            &["go on", "end", "finish"],
            "5m 7s go on p/gate
            5m 7s end p/gate skipped
            6m 7s end p/hold pass
            6m 7s end p skipped
            6m 7s finish Succeeded",
        );
    let reason = bench.state.nodes[gate.0 as usize].reason.as_deref();
    assert_eq!(reason, Some("skipped by ann: known"));
}

#[test]
fn a_warning_lets_the_phase_go_on_and_stays() {
    let (mut b, gate) = one_check(CheckMode::Once);
    b.policies(gate).fail = Some(Policy::Warn);
    let bench = Bench::new(b.plan)
        .metric("error_rate", |_| 0.5)
        .start()
        .run()
        .expect_lines(
            &["end", "finish"],
            "0s end p/gate fail
            1m end p/hold pass
            1m end p fail
            1m finish Succeeded",
        );
    assert_eq!(bench.state.nodes[0].passage, Passage::Warned);
}

#[test]
fn an_extension_holds_nothing_else_up() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let gate = b.check(
        phase,
        "gate",
        ready("nodes", CompareOp::Ge, 3),
        CheckMode::Within { ns: M },
    );
    let hold = b.node(Some(phase), "hold", NodeKind::Hold { ns: 2 * M });
    b.policies(gate).fail = Some(Policy::Extend {
        up_to_ns: 5 * M,
        then: Box::new(Policy::Stop),
        place: LOC,
    });
    assert_eq!(hold, NodeId(2));
    Bench::new(b.plan)
        .answer("nodes", nodes(|at| if at < 3 * M { 0 } else { 3 }))
        .start()
        .run()
        .expect_lines(
            &["pause", "end", "finish"],
            "1m pause p/gate until 6m
            2m end p/hold pass
            3m end p/gate pass
            3m end p pass
            3m finish Succeeded",
        );
}

#[test]
fn within_its_time_a_check_is_only_asked_again() {
    let (b, _) = one_check(CheckMode::Within { ns: M });
    let reply = |at: Instant| {
        Some(match at.0 / S {
            0 => Err(failure(FailureKind::Unreachable, "connection refused")),
            15 => Ok(series(&[0.9])),
            30 => Ok(series(&[])),
            _ => Ok(series(&[0.0])),
        })
    };
    Bench::new(b.plan)
        .answer("error_rate", reply)
        .start()
        .run()
        .expect_lines(&["pause", "gate"], "0s begin p/gate\n45s end p/gate pass");
}

#[test]
fn within_that_is_over_has_the_verdict_of_its_last_sample() {
    let verdict = |last: f64| {
        let (mut b, gate) = one_check(CheckMode::Within { ns: 50 * S });
        b.policies(gate).inconclusive = Some(Policy::Stop);
        let bench = Bench::new(b.plan)
            .metric("error_rate", move |at| if at < 50 * S { 0.5 } else { last })
            .start()
            .run();
        bench.lines(&["gate", "finish"])
    };
    let lines = |verdict| format!("0s begin p/gate\n50s end p/gate {verdict}\n50s finish Stopped");
    assert_eq!(verdict(0.5), lines("fail"));
    assert_eq!(verdict(f64::NAN), lines("inconclusive"));
}

#[test]
fn what_asking_again_cannot_help_is_told_at_once() {
    let (mut b, gate) = one_check(CheckMode::Within { ns: M });
    b.policies(gate).error = Some(Policy::Stop);
    Bench::new(b.plan)
        .answer("error_rate", |_| {
            Some(Err(failure(FailureKind::Denied, "403")))
        })
        .start()
        .run()
        .expect_lines(
            &["gate", "finish"],
            "0s begin p/gate\n0s end p/gate error\n0s finish Stopped",
        );
}

#[test]
fn what_has_to_hold_holds_through_seen_time() {
    // Blind from 30 s to 60 s: the intervals 15 s to 75 s do not count.
    let (mut b, gate) = one_check(CheckMode::For { ns: 2 * M });
    b.policies(gate).inconclusive = Some(pause(H, Policy::Stop));
    let value = |at| {
        if (30 * S..=60 * S).contains(&at) {
            f64::NAN
        } else {
            0.0
        }
    };
    Bench::new(b.plan)
        .metric("error_rate", value)
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "gate"],
            "0s begin p/gate
            30s pause p/gate until 1h 30s
            1m 15s go on p/gate
            3m end p/gate pass",
        );
}

#[test]
fn what_has_to_hold_begins_anew_after_it_did_not() {
    let (mut b, gate) = one_check(CheckMode::For { ns: 50 * S });
    b.policies(gate).fail = Some(pause(H, Policy::Stop));
    let value = |at| {
        if (30 * S..=60 * S).contains(&at) {
            0.5
        } else {
            0.0
        }
    };
    Bench::new(b.plan)
        .metric("error_rate", value)
        .start()
        .run()
        .expect_lines(&["end p/gate"], "2m 5s end p/gate pass");
}

#[test]
fn silence_is_tolerated_for_as_long_as_the_plan_says() {
    // V6, at a gate that has to hold: away for a minute, no verdict, no pause.
    let (mut b, gate) = one_check(CheckMode::For { ns: 2 * M });
    b.policies(gate).no_data = Some((90 * S, Policy::Stop));
    let away = |from: i64, to: i64| {
        move |at: Instant| {
            Some(match (from..to).contains(&at.0) {
                true => Err(failure(FailureKind::Unreachable, "connection refused")),
                false => Ok(series(&[0.0])),
            })
        }
    };
    let plan = b.plan;
    Bench::new(plan.clone())
        .answer("error_rate", away(20 * S, 80 * S))
        .start()
        .run()
        .expect_lines(&["pause", "end p/gate"], "3m 15s end p/gate pass");
    Bench::new(plan)
        .answer("error_rate", away(20 * S, H))
        .start()
        .run()
        .expect_lines(
            &["end p/gate", "finish"],
            "2m end p/gate error\n2m finish Stopped",
        );
}

#[test]
fn a_pass_needs_its_samples() {
    let (mut b, gate) = one_check(CheckMode::Once);
    if let NodeKind::Check(check) = &mut b.plan.nodes[gate.0 as usize].kind {
        check.samples = 4;
    }
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.0)
        .start()
        .run()
        .expect_lines(&["end p/gate"], "45s end p/gate pass");
}

#[test]
fn a_sample_that_fails_takes_back_those_that_passed() {
    let (mut b, gate) = one_check(CheckMode::Once);
    b.policies(gate).fail = Some(pause(H, Policy::Stop));
    if let NodeKind::Check(check) = &mut b.plan.nodes[gate.0 as usize].kind {
        check.samples = 4;
    }
    let value = |at| if at == 45 * S { 0.5 } else { 0.0 };
    Bench::new(b.plan)
        .metric("error_rate", value)
        .start()
        .run()
        .expect_lines(
            &["pause", "end p/gate"],
            "45s pause p/gate until 1h 45s\n1m 45s end p/gate pass",
        );
}

#[test]
fn the_default_pause_is_one_total_for_the_plan() {
    let (b, _) = one_check(CheckMode::Once);
    Bench::new(b.plan)
        .metric("error_rate", |_| f64::NAN)
        .start()
        .run()
        .expect_lines(
            &["pause", "finish"],
            "0s pause p/gate until 15m
            15m finish Stopped",
        );
}

#[test]
fn a_failure_ends_the_pause_for_what_was_not_seen() {
    let (mut b, gate) = one_check(CheckMode::Once);
    b.policies(gate).fail = Some(Policy::Stop);
    b.policies(gate).error = Some(pause(H, Policy::Stop));
    let reply = |at: Instant| {
        Some(match at.0 < M {
            true => Err(failure(FailureKind::Timeout, "no answer")),
            false => Ok(series(&[0.5])),
        })
    };
    Bench::new(b.plan)
        .answer("error_rate", reply)
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "end p/gate", "finish"],
            "0s pause p/gate until 1h
            1m go on p/gate
            1m end p/gate fail
            1m finish Stopped",
        );
}

#[test]
fn the_plan_has_to_have_ended_by_its_deadline_and_inside_its_window() {
    let (mut b, _) = one_check(CheckMode::For { ns: H });
    b.plan.deadline_ns = Some(30 * M);
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.0)
        .start()
        .run()
        .expect_lines(&["finish"], "30m finish Stopped");
    let (mut b, _) = one_check(CheckMode::Once);
    b.plan.window = Some(Window {
        from: Instant(H),
        to: Instant(H + 30 * S),
    });
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.0)
        .start()
        .run()
        .expect_lines(
            &["begin", "finish"],
            "0s begin
            1h begin p
            1h begin p/gate
            1h begin p/hold
            1h 30s finish Stopped",
        );
}

/// At one instant what has ended has ended, and then the deadline is over.
#[test]
fn what_ends_at_the_deadline_has_ended() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.node(Some(phase), "hold", NodeKind::Hold { ns: 30 * M });
    b.plan.deadline_ns = Some(30 * M);
    Bench::new(b.plan).start().run().expect_lines(
        &["end", "finish"],
        "30m end p/hold pass
        30m end p pass
        30m finish Stopped",
    );
}

#[test]
fn a_window_of_an_item_takes_what_runs_in_it_along() {
    let (mut b, gate) = one_check(CheckMode::For { ns: H });
    b.plan.nodes[0].window = Some(Window {
        from: Instant(M),
        to: Instant(10 * M),
    });
    b.plan.nodes[0].policies.fail = Some(Policy::Warn);
    let next = b.phase("next");
    b.after(next, NodeId(0));
    assert_eq!(gate, NodeId(1));
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.0)
        .start()
        .run()
        .expect_lines(
            &["begin", "end", "finish"],
            "0s begin
            1m begin p
            1m begin p/gate
            10m end p/gate cancelled
            10m end p fail
            10m begin next
            10m end next not applicable
            10m finish Succeeded",
        );
}

#[test]
fn places_are_apart() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    for (name, place) in [("one", 1), ("two", 2)] {
        let gate = b.check(
            phase,
            name,
            ready("nodes", CompareOp::Ge, 3),
            CheckMode::Once,
        );
        b.policies(gate).fail = Some(Policy::Pause {
            up_to_ns: i64::from(place) * M,
            then: Box::new(Policy::Warn),
            place: LocId(place as u32),
        });
    }
    Bench::new(b.plan)
        .answer("nodes", nodes(|_| 0))
        .start()
        .run()
        .expect_lines(
            &["fail"],
            "1m end p/one fail\n2m end p/two fail\n2m end p fail",
        );
}
