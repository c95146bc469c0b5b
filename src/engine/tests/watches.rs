//! Watches: when rules fire, what they do, what blindness is, when a phase may end.

use crate::engine::protocol::{EventKind, RunOutcome};
use crate::engine::tests::bench::{Bench, actor, failure, record, resumed, series};
use crate::engine::tests::build::{
    Builder, H, M, S, errors, latency, no_data, notice, pause, ready, rule,
};
use crate::plan::expr::{Expr, Scope};
use crate::plan::node::{CheckMode, NodeId, NodeKind};
use crate::plan::{Action, Policy, Rule};
use crate::providers::request::{Direction, FailureKind, Key, Outcome};
use crate::syntax::ast::{BinaryOp, CompareOp};
use crate::units::Dim;
use crate::units::amount::{NANO, Quantity};
use crate::values::{Value, Verdict};

fn over(percent: i64) -> Expr {
    errors(Scope::None, CompareOp::Gt, percent)
}

fn told(text: &str) -> Vec<Action> {
    vec![Action::Notify(notice(text))]
}

/// A step, then a hold of so long, watched from the start of the phase to its end.
fn watched(hold_ns: i64, rules: Vec<Rule>) -> Builder {
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.step(phase, "release");
    b.node(Some(phase), "hold", NodeKind::Hold { ns: hold_ns });
    b.watch(phase, phase, rules, no_data(H, told("blind")));
    b
}

#[test]
fn a_rule_for_a_time_has_to_hold_during_all_of_it() {
    // True from 1m to 2m 45s, which is less than 2 minutes, and from 5m on.
    let b = watched(10 * M, vec![rule(over(5), 2 * M, vec![Action::Rollback])]);
    let value = |at| match at {
        at if (M..2 * M + 45 * S).contains(&at) => 0.5,
        at if at >= 5 * M => 0.5,
        _ => 0.0,
    };
    Bench::new(b.plan)
        .metric("error_rate", value)
        .start()
        .run()
        .expect_lines(
            &["fired", "finish"],
            "7m fired: critical `the rule`: error_rate is 50%
            7m finish RolledBack",
        );
}

#[test]
fn a_time_that_is_no_multiple_of_the_sampling_ends_with_a_sample() {
    let b = watched(10 * M, vec![rule(over(5), 20 * S, vec![Action::Rollback])]);
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.5)
        .start()
        .run()
        .expect_lines(
            &["fired"],
            "20s fired: critical `the rule`: error_rate is 50%",
        );
}

#[test]
fn blind_time_does_not_count_and_takes_nothing_back() {
    // True from the start, blind at 1m and 1m 15s: the three intervals around are not counted.
    let b = watched(10 * M, vec![rule(over(5), 2 * M, vec![Action::Rollback])]);
    let value = |at| {
        if (M..=75 * S).contains(&at) {
            f64::NAN
        } else {
            0.5
        }
    };
    Bench::new(b.plan)
        .metric("error_rate", value)
        .start()
        .run()
        .expect_lines(
            &["fired"],
            "2m 45s fired: critical `the rule`: error_rate is 50%",
        );
}

#[test]
fn a_rule_fires_again_only_after_it_was_false() {
    let b = watched(3 * M, vec![rule(over(5), 0, told("investigate"))]);
    let value = |at| {
        if (M..M + 20 * S).contains(&at) {
            0.0
        } else {
            0.5
        }
    };
    Bench::new(b.plan)
        .metric("error_rate", value)
        .start()
        .run()
        .expect_lines(
            &["tell", "finish"],
            "0s tell investigate
            1m 30s tell investigate
            3m finish Succeeded",
        );
}

#[test]
fn a_pause_of_a_rule_ends_when_the_rule_is_false() {
    let stop = vec![Action::Pause {
        up_to_ns: H,
        then: Box::new(Policy::Rollback),
    }];
    let b = watched(5 * M, vec![rule(over(5), 0, stop)]);
    let plan = b.plan;
    Bench::new(plan.clone())
        .metric("error_rate", |at| {
            if (M..3 * M).contains(&at) { 0.5 } else { 0.0 }
        })
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "hold", "finish"],
            // The hold stands still for the two minutes.
            "0s begin p/hold
            1m pause until 1h 1m
            3m go on
            7m end p/hold pass
            7m finish Succeeded",
        );
    Bench::new(plan)
        .metric("error_rate", |at| if at >= M { 0.5 } else { 0.0 })
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "rollback", "finish"],
            "1m pause until 1h 1m
            1h 1m go on
            1h 1m rollback: critical `the rule`: error_rate is 50%
            1h 1m finish RolledBack",
        );
}

#[test]
fn a_person_goes_on_past_the_pause_of_a_rule() {
    let stop = vec![Action::Pause {
        up_to_ns: H,
        then: Box::new(Policy::Rollback),
    }];
    let b = watched(5 * M, vec![rule(over(5), 0, stop)]);
    let go_on = EventKind::Continued {
        node: NodeId(0),
        by: actor("ann"),
        reason: "known".to_owned(),
    };
    Bench::new(b.plan)
        .metric("error_rate", |at| if at >= M { 0.5 } else { 0.0 })
        .start()
        .at(2 * M, go_on)
        .run()
        .expect_lines(
            &["pause", "go on", "finish"],
            "1m pause until 1h 1m
            2m go on
            6m finish Succeeded",
        );
}

#[test]
fn one_side_that_is_true_is_enough_while_the_other_is_not_answered() {
    let either = Expr::Binary(
        Box::new(over(5)),
        BinaryOp::Or,
        Box::new(latency(Scope::None, CompareOp::Gt, 1000)),
    );
    let b = watched(5 * M, vec![rule(either, 0, vec![Action::Rollback])]);
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.5)
        .answer("p95", |_| None)
        .start()
        .until(0)
        .expect_lines(
            &["fired"],
            "0s fired: critical `the rule`: error_rate is 50%",
        )
        .outcome(RunOutcome::Stopped);
}

#[test]
fn a_blind_watch_is_told_once_and_again_after_it_saw() {
    let mut b = watched(10 * M, vec![rule(over(5), 0, vec![Action::Rollback])]);
    b.plan.watches[0].no_data = no_data(M, told("blind: ${cause}"));
    let away = |at: i64| (M..3 * M).contains(&at) || (5 * M..7 * M).contains(&at);
    let reply = move |at: crate::values::Instant| {
        Some(match away(at.0) {
            true => Err(failure(FailureKind::Unreachable, "connection refused")),
            false => Ok(series(&[0.0])),
        })
    };
    Bench::new(b.plan)
        .answer("error_rate", reply)
        .start()
        .run()
        .expect_lines(
            &["blind", "finish"],
            "2m blind since 1m
            2m tell blind: ${cause}
            6m blind since 5m
            6m tell blind: ${cause}
            10m finish Succeeded",
        );
}

#[test]
fn a_phase_ends_when_its_watch_has_seen_enough() {
    // The rule is true from 1m on and pending when the hold is over at 2m; at 2m 30s it is false.
    let b = watched(2 * M, vec![rule(over(5), 5 * M, vec![Action::Rollback])]);
    let value = |at| if (M..150 * S).contains(&at) { 0.5 } else { 0.0 };
    let bench = Bench::new(b.plan)
        .metric("error_rate", value)
        .start()
        .run()
        .expect_lines(
            &["end p"],
            "0s end p/release pass\n2m end p/hold pass\n2m 30s end p pass",
        );
    assert_eq!(bench.state.watches[0].verdict, Some(Verdict::Pass));
}

#[test]
fn a_phase_whose_watch_is_blind_at_its_end_waits_for_sight() {
    let mut b = watched(2 * M, vec![rule(over(5), 0, vec![Action::Rollback])]);
    b.plan.nodes[0].policies.inconclusive = Some(pause(5 * M, Policy::Rollback));
    let plan = b.plan;
    let value = |until| {
        move |at| {
            if (M..until).contains(&at) {
                f64::NAN
            } else {
                0.0
            }
        }
    };
    Bench::new(plan.clone())
        .metric("error_rate", value(4 * M))
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "end p ", "finish"],
            "2m pause p until 7m
            4m go on p
            4m end p pass
            4m finish Succeeded",
        );
    Bench::new(plan)
        .metric("error_rate", value(H))
        .start()
        .run()
        .expect_lines(
            &["pause", "end p ", "finish"],
            "2m pause p until 7m
            7m end p inconclusive
            7m finish RolledBack",
        );
}

#[test]
fn a_phase_learns_that_its_watch_is_blind_before_all_rules_are_answered() {
    let slower = latency(Scope::None, CompareOp::Gt, 1000);
    let rules = vec![
        rule(over(5), 0, vec![Action::Rollback]),
        rule(slower, 0, vec![Action::Rollback]),
    ];
    let mut b = watched(2 * M, rules);
    b.plan.nodes[0].policies.inconclusive = Some(pause(5 * M, Policy::Rollback));
    let mut bench = Bench::new(b.plan)
        .metric("error_rate", |at| if at < 2 * M { 0.0 } else { f64::NAN })
        .metric("p95", |_| 0.1);
    bench.slow = vec![("p95", 3 * S)];
    bench
        .start()
        .until(2 * M + S)
        .expect_lines(&["pause"], "2m pause p until 7m");
}

#[test]
fn a_scope_that_is_not_there_is_no_blindness() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    let hold = b.node(Some(phase), "before", NodeKind::Hold { ns: 5 * M });
    let canary = b.canary(phase, release, &[(100, 5 * M)]);
    b.after(canary, hold);
    let after = b.node(Some(phase), "after", NodeKind::Hold { ns: 5 * M });
    b.after(after, canary);
    let rules = vec![
        rule(
            errors(Scope::Canary, CompareOp::Gt, 5),
            0,
            vec![Action::Rollback],
        ),
        rule(
            errors(Scope::All, CompareOp::Gt, 5),
            0,
            vec![Action::Rollback],
        ),
    ];
    b.watch(phase, phase, rules, no_data(M, told("blind")));
    // The canary's pods are there from 5m to 10m only.
    let canary = |at: crate::values::Instant| {
        Some(Ok(match (5 * M..10 * M).contains(&at.0) {
            true => series(&[0.0]),
            false => series(&[]),
        }))
    };
    let bench = Bench::new(b.plan)
        .answer("scope=canary", canary)
        .metric("scope=all", |_| 0.0)
        .start()
        .run()
        .expect_lines(&["blind", "finish"], "15m finish Succeeded");
    assert!(bench.state.watches[0].rules[0].seen_samples > 0);
}

#[test]
fn a_canary_is_looked_at_once_it_has_its_first_weight() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    b.canary(phase, release, &[(100, 5 * M)]);
    let bad = errors(Scope::Canary, CompareOp::Gt, 5);
    let rules = vec![rule(bad, 0, vec![Action::Rollback])];
    b.watch(phase, phase, rules, no_data(H, told("blind")));
    let bench = Bench::new(b.plan)
        .metric("scope=canary", |_| 0.5)
        .commits("stage-100", vec![None])
        .start()
        .until(30 * S);
    assert_eq!(bench.reads, 0);
    let all = Quantity::exact(Dim::Ratio, NANO);
    let has_it = EventKind::Committed {
        key: Key("r1/dddddddddddd/p/canary/stage-100/canary_weight#0".to_owned()),
        direction: Direction::Forward,
        outcome: Outcome::Applied {
            result: record(&[("achieved", Value::Quantity(all))]),
            written: Vec::new(),
        },
    };
    bench.at(40 * S, has_it).run().expect_lines(
        &["weight p", "fired"],
        "40s weight p/canary/stage-100 100%
            45s fired: critical `the rule`: canary.error_rate is 50%",
    );
}

#[test]
fn at_one_instant_the_watch_speaks_before_the_check() {
    // Both see the same bad sample at 2m; the check would pass its hold and let the next stage begin.
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    let canary = b.canary(phase, release, &[(50, 2 * M), (100, 2 * M)]);
    let stage = b.child(canary, 0);
    let fast = latency(Scope::Canary, CompareOp::Lt, 500);
    b.check(stage, "fast", fast, CheckMode::Stage { for_ns: 0 });
    let slow_answer = errors(Scope::All, CompareOp::Gt, 5);
    b.watch(
        phase,
        phase,
        vec![rule(slow_answer, 0, vec![Action::Rollback])],
        None,
    );
    let mut bench = Bench::new(b.plan)
        .metric("p95", |_| 0.1)
        .metric("error_rate", |at| if at < 2 * M { 0.0 } else { 0.5 });
    bench.slow = vec![("error_rate", 3 * S), ("p95", S)];
    bench.start().run().expect_lines(
        &["stage-100", "fired", "finish"],
        "2m 3s fired: critical `the rule`: all.error_rate is 50%
        2m 3s finish RolledBack",
    );
}

#[test]
fn rules_stay_silent_in_a_rollback() {
    let b = watched(5 * M, vec![rule(over(5), 0, vec![Action::Rollback])]);
    let bench = Bench::new(b.plan)
        .metric("error_rate", |_| 0.5)
        .commits("back", vec![None])
        .start()
        .until(H);
    assert_eq!(bench.lines(&["fired"]).lines().count(), 1);
}

#[test]
fn questions_of_one_instant_are_asked_once() {
    let mut b = watched(
        0,
        vec![rule(over(5), 0, told("one")), rule(over(9), 0, told("two"))],
    );
    let phase = NodeId(0);
    b.check(
        phase,
        "gate",
        errors(Scope::None, CompareOp::Lt, 1),
        CheckMode::Once,
    );
    b.check(
        phase,
        "other",
        errors(Scope::None, CompareOp::Lt, 2),
        CheckMode::Once,
    );
    b.check(
        phase,
        "nodes",
        ready("nodes", CompareOp::Ge, 3),
        CheckMode::Once,
    );
    let bench = Bench::new(b.plan)
        .metric("error_rate", |_| 0.0)
        .answer("nodes", |_| Some(Ok(record(&[("ready", Value::count(3))]))))
        .start()
        .until(0);
    assert_eq!(bench.reads, 2);
}

#[test]
fn a_watch_that_saw_nothing_at_its_end_has_no_verdict_though_it_saw_before() {
    let verdict = |value: fn(i64) -> f64| {
        let b = watched(10 * M, vec![rule(over(5), M, vec![Action::Rollback])]);
        let abort = EventKind::Aborted {
            by: actor("ann"),
            reason: "no".to_owned(),
        };
        let bench = Bench::new(b.plan).metric("error_rate", value).start();
        bench.at(5 * M, abort).run().state.watches[0].verdict
    };
    assert_eq!(verdict(|_| 0.0), Some(Verdict::Pass));
    assert_eq!(verdict(|_| f64::NAN), Some(Verdict::Inconclusive));
    let from_2m = |at| if at < 2 * M { 0.0 } else { f64::NAN };
    assert_eq!(verdict(from_2m), Some(Verdict::Inconclusive));
    let until_2m = |at| if at < 2 * M { f64::NAN } else { 0.0 };
    assert_eq!(verdict(until_2m), Some(Verdict::Pass));
}

#[test]
fn absence_counts_for_no_rule() {
    let b = watched(2 * H, vec![rule(over(5), 10 * M, vec![Action::Rollback])]);
    // Three minutes are seen at the crash; the rule begins anew when somebody takes over.
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.5)
        .start()
        .until(3 * M)
        .crash()
        .at(H, resumed())
        .run()
        .expect_lines(
            &["fired"],
            "1h 7m fired: critical `the rule`: error_rate is 50%",
        );
}

#[test]
fn what_was_not_acknowledged_is_told_again_by_the_next_process() {
    let b = watched(2 * H, vec![rule(over(5), 0, told("high"))]);
    let mut bench = Bench::new(b.plan).metric("error_rate", |_| 0.5);
    bench.latency_ns = 10 * S;
    let told = |bench: &Bench| bench.lines(&["tell"]).lines().count();
    let bench = bench.start().until(15 * S);
    assert_eq!(told(&bench), 1);
    assert_eq!(bench.state.tells.len(), 1);
    let bench = bench.crash().at(M, resumed()).until(2 * M);
    assert_eq!(told(&bench), 2);
    assert!(bench.state.tells.is_empty());
}

#[test]
fn a_phase_that_waited_for_its_watch_ends_in_its_turn() {
    let mut b = watched(2 * M, vec![rule(over(5), 10 * M, told("high"))]);
    let later = b.phase("later");
    let calm = errors(Scope::None, CompareOp::Lt, 5);
    b.check(later, "gate", calm, CheckMode::Within { ns: 10 * M });
    Bench::new(b.plan)
        .metric("error_rate", |at| if at <= 2 * M { 0.5 } else { 0.0 })
        .start()
        .run()
        .expect_lines(
            &["end"],
            "0s end p/release pass
            2m end p/hold pass
            2m 15s end p pass
            2m 15s end later/gate pass
            2m 15s end later pass",
        );
}

#[test]
fn what_ends_as_soon_as_it_begins_is_watched_all_the_same() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.node(Some(phase), "said", NodeKind::Notify(notice("hello")));
    let rules = vec![rule(over(5), 0, told("high"))];
    b.watch(phase, phase, rules, None);
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.5)
        .start()
        .run()
        .expect_lines(
            &["tell", "end p "],
            "0s tell hello
            0s end p not applicable
            0s tell high",
        );
}
