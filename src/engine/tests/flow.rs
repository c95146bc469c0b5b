//! Phases, checks, steps, a canary to its end, and the way back.

use crate::engine::protocol::{Effect, Event, EventKind, RunOutcome};
use crate::engine::state::State;
use crate::engine::step as step_of;
use crate::engine::tests::bench::{Bench, actor, failure, record, resumed};
use crate::engine::tests::build::{
    Builder, H, M, S, check, derived, errors, expect, notice, pause, ready, step,
};
use crate::plan::expr::{Scope, Stmt};
use crate::plan::node::{CheckMode, NodeKind};
use crate::plan::{Policy, Setting};
use crate::providers::catalog;
use crate::providers::request::{Failure, FailureKind, Outcome};
use crate::syntax::ast::CompareOp;
use crate::units::Dim;
use crate::units::amount::Quantity;
use crate::values::fields::Fields;
use crate::values::{Instant, Value, Verdict};

#[test]
fn a_check_opens_the_way_to_a_step() {
    let mut b = Builder::new();
    let before = b.phase("before");
    b.check(
        before,
        "nodes",
        ready("nodes", CompareOp::Ge, 3),
        CheckMode::Once,
    );
    let deploy = b.phase("deploy");
    b.after(deploy, before);
    b.step(deploy, "release");
    Bench::new(b.plan)
        .answer("cluster.nodes", |_| {
            Some(Ok(record(&[("ready", Value::count(3))])))
        })
        .start()
        .run()
        .expect(
            "0s begin
            0s begin before
            0s begin before/nodes
            0s end before/nodes pass
            0s end before pass
            0s begin deploy
            0s begin deploy/release
            0s prepare deploy/release/do#0
            0s commit forward deploy/release/do#0
            0s end deploy/release pass
            0s end deploy pass
            0s finish Succeeded",
        );
}

#[test]
fn a_message_passes_when_it_was_told_and_holds_nothing_up_when_it_was_not() {
    let ends = |result: Result<(), Failure>| {
        let mut b = Builder::new();
        let phase = b.phase("p");
        b.node(Some(phase), "word", NodeKind::Notify(notice("hello")));
        let hold = NodeKind::Hold { ns: M };
        b.node(Some(phase), "wait", hold);
        let mut bench = Bench::new(b.plan);
        bench.latency_ns = 10 * M; // its own answer comes too late
        let bench = bench.start();
        let key = bench.state.tells.keys().next().unwrap().clone();
        let bench = bench.at(5 * S, EventKind::Told { key, result }).run();
        bench.lines(&["word", "tell", "finish"])
    };
    assert_eq!(
        ends(Ok(())),
        "0s begin p/word\n0s tell hello\n5s end p/word pass\n1m finish Succeeded"
    );
    let refused = failure(FailureKind::Unreachable, "connection refused");
    assert_eq!(
        ends(Err(refused)),
        "0s begin p/word\n0s tell hello\n5s end p/word error\n1m finish Succeeded"
    );
}

#[test]
fn a_failure_before_the_first_step_stops() {
    let mut b = Builder::new();
    let before = b.phase("before");
    b.check(
        before,
        "nodes",
        ready("nodes", CompareOp::Ge, 3),
        CheckMode::Once,
    );
    b.step(before, "release");
    let (check, step) = (b.child(before, 0), b.child(before, 1));
    b.after(step, check);
    Bench::new(b.plan)
        .answer("cluster.nodes", |_| {
            Some(Ok(record(&[("ready", Value::count(2))])))
        })
        .start()
        .run()
        .expect(
            "0s begin
            0s begin before
            0s begin before/nodes
            0s end before/nodes fail
            0s end before fail
            0s finish Stopped",
        );
}

#[test]
fn a_step_that_fails_is_rolled_back_with_what_came_before_it_backwards() {
    let mut b = Builder::new();
    let deploy = b.phase("deploy");
    let one = b.step(deploy, "one");
    let two = b.step(deploy, "two");
    b.after(two, one);
    let unready = Outcome::Unachieved(failure(FailureKind::Unready, "it never became ready"));
    Bench::new(b.plan)
        .commits("forward r1/dddddddddddd/deploy/two", vec![Some(unready)])
        .start()
        .run()
        .expect(
            "0s begin
            0s begin deploy
            0s begin deploy/one
            0s prepare deploy/one/do#0
            0s commit forward deploy/one/do#0
            0s end deploy/one pass
            0s begin deploy/two
            0s prepare deploy/two/do#0
            0s commit forward deploy/two/do#0
            0s failed deploy/two: it never became ready
            0s end deploy/two fail
            0s end deploy fail
            0s rollback: `deploy/two`: it never became ready
            0s commit back deploy/two/do#0
            0s undone deploy/two: done
            0s commit back deploy/one/do#0
            0s undone deploy/one: done
            0s finish RolledBack",
        );
}

#[test]
fn a_canary_is_judged_through_each_hold_and_then_becomes_the_only_version() {
    let mut b = Builder::new();
    let deploy = b.phase("deploy");
    let release = b.step(deploy, "release");
    let canary = b.canary(deploy, release, &[(50, 2 * M), (100, 2 * M)]);
    for at in 0..2 {
        let stage = b.child(canary, at);
        let condition = errors(Scope::Canary, CompareOp::Lt, 1);
        b.check(stage, "errors", condition, CheckMode::Stage { for_ns: 0 });
    }
    let bench = Bench::new(b.plan)
        .metric("pod=~\"shop-canary\"", |_| 0.001)
        .start()
        .run()
        .expect_lines(
            &["commit", "weight", "stage", "finish"],
            "0s commit forward deploy/release/do#0
            0s begin deploy/canary/stage-50
            0s prepare deploy/canary/stage-50/canary_weight#0
            0s commit forward deploy/canary/stage-50/canary_weight#0
            0s weight deploy/canary/stage-50 50%
            0s begin deploy/canary/stage-50/errors
            2m end deploy/canary/stage-50/errors pass
            2m end deploy/canary/stage-50 pass
            2m begin deploy/canary/stage-100
            2m prepare deploy/canary/stage-100/canary_weight#0
            2m commit forward deploy/canary/stage-100/canary_weight#0
            2m weight deploy/canary/stage-100 100%
            2m begin deploy/canary/stage-100/errors
            4m end deploy/canary/stage-100/errors pass
            4m end deploy/canary/stage-100 pass
            4m commit forward deploy/canary/canary_promote#0
            4m finish Succeeded",
        );
    // The window of a minute lies behind the change: samples at 1m, 1m 15s, … 2m of each stage.
    assert_eq!(bench.reads, 10);
}

#[test]
fn a_weight_that_was_not_achieved_fails_its_stage() {
    let ended = |achieved: f64| {
        let mut b = Builder::new();
        let phase = b.phase("p");
        let release = b.step(phase, "release");
        b.canary(phase, release, &[(30, M)]);
        let achieved = Value::measured(Dim::Ratio, achieved);
        let outcome = Outcome::Applied {
            result: record(&[("achieved", achieved)]),
            written: Vec::new(),
        };
        let bench = Bench::new(b.plan).commits("canary_weight", vec![Some(outcome)]);
        bench.start().run().lines(&["end p/canary/stage"])
    };
    assert_eq!(ended(0.4), "0s end p/canary/stage-30 fail");
    // A float that is nearly 0.3.
    let nearly = ended(0.1 + 0.2);
    assert_eq!(nearly, "1m end p/canary/stage-30 not applicable");
}

#[test]
fn a_bad_canary_is_shut_before_anything_else_goes_back() {
    let mut b = Builder::new();
    let deploy = b.phase("deploy");
    let release = b.step(deploy, "release");
    let other = b.step(deploy, "other");
    let canary = b.canary(deploy, release, &[(50, 5 * M), (100, 5 * M)]);
    b.after(canary, other);
    let stage = b.child(canary, 0);
    let condition = errors(Scope::Canary, CompareOp::Lt, 1);
    b.check(stage, "errors", condition, CheckMode::Stage { for_ns: 0 });
    Bench::new(b.plan)
        .metric("canary", |at| if at < 90 * S { 0.0 } else { 0.2 })
        .start()
        .run()
        .expect_lines(
            &["rollback", "back", "undone", "finish"],
            "1m 30s rollback: `deploy/canary/stage-50/errors`: `it holds`: canary.error_rate is 20%
            1m 30s commit back deploy/canary/stage-50/canary_weight#0
            1m 30s undone deploy/canary: done
            1m 30s commit back deploy/other/do#0
            1m 30s commit back deploy/release/do#0
            1m 30s undone deploy/other: done
            1m 30s undone deploy/release: done
            1m 30s finish RolledBack",
        )
        .outcome(RunOutcome::RolledBack);
}

#[test]
fn a_failing_check_does_not_keep_its_neighbours_from_being_judged() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.check(
        phase,
        "quick",
        ready("quick", CompareOp::Ge, 3),
        CheckMode::Once,
    );
    b.check(
        phase,
        "slow",
        ready("slow", CompareOp::Ge, 3),
        CheckMode::Once,
    );
    b.check(
        phase,
        "lost",
        ready("lost", CompareOp::Ge, 3),
        CheckMode::Once,
    );
    let within = CheckMode::Within { ns: M };
    b.check(phase, "patient", ready("slow", CompareOp::Ge, 9), within);
    let after = b.phase("after");
    b.after(after, phase);
    let mut bench = Bench::new(b.plan)
        .answer("quick", |_| Some(Ok(record(&[("ready", Value::count(1))]))))
        .answer("slow", |_| Some(Ok(record(&[("ready", Value::count(4))]))))
        .answer("lost", |_| {
            Some(Err(failure(FailureKind::Timeout, "no answer")))
        });
    bench.slow.push(("slow", 5 * S));
    bench.slow.push(("lost", 10 * S));
    bench.start().run().expect_lines(
        &["end", "finish"],
        "0s end p/quick fail
        0s end p/patient cancelled
        0s end p fail
        5s end p/slow pass
        10s end p/lost error
        10s finish Stopped",
    );
}

#[test]
fn a_failure_that_is_found_after_its_phase_had_ended_is_that_of_the_phase() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    for name in ["lost", "slow"] {
        let three = ready(name, CompareOp::Ge, 3);
        let check = b.check(phase, name, three, CheckMode::Once);
        b.policies(check).error = Some(Policy::Stop);
    }
    let mut bench = Bench::new(b.plan)
        .answer("lost", |_| {
            Some(Err(failure(FailureKind::Timeout, "no answer")))
        })
        .answer("slow", |_| Some(Ok(record(&[("ready", Value::count(1))]))));
    bench.slow.push(("slow", 5 * S));
    let bench = bench.start().run();
    assert_eq!(bench.state.nodes[0].verdict, Some(Verdict::Fail));
    bench.expect_lines(
        &["end"],
        "0s end p/lost error
        0s end p error
        5s end p/slow fail",
    );
}

#[test]
fn what_a_lost_process_had_asked_is_waited_for_no_longer() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    for name in ["quick", "slow"] {
        let three = ready(name, CompareOp::Ge, 3);
        b.check(phase, name, three, CheckMode::Once);
    }
    let mut bench = Bench::new(b.plan)
        .answer("quick", |_| Some(Ok(record(&[("ready", Value::count(1))]))))
        .answer("slow", |_| Some(Ok(record(&[("ready", Value::count(4))]))));
    bench.slow.push(("slow", 5 * S));
    bench
        .start()
        .until(2 * S)
        .crash()
        .at(10 * S, resumed())
        .run()
        .expect_lines(
            &["end", "finish"],
            "0s end p/quick fail
            0s end p fail
            10s end p/slow cancelled
            10s finish Stopped",
        );
}

#[test]
fn one_sample_decides_nothing_for_a_check_that_needs_more() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let quick = ready("quick", CompareOp::Ge, 3);
    b.check(phase, "quick", quick, CheckMode::Once);
    let many = |name: &str| {
        let mut many = check(vec![expect(ready(name, CompareOp::Ge, 3))], CheckMode::Once);
        many.samples = 3;
        NodeKind::Check(many)
    };
    b.node(Some(phase), "slow", many("slow"));
    b.node(Some(phase), "patient", many("patient"));
    let good = |_| Some(Ok(record(&[("ready", Value::count(4))])));
    let mut bench = Bench::new(b.plan)
        .answer("quick", |_| Some(Ok(record(&[("ready", Value::count(1))]))))
        .answer("slow", good)
        .answer("patient", good);
    // By then `patient` waits for its next sample, and `slow` for an answer.
    bench.slow.push(("quick", 7 * S));
    bench.slow.push(("slow", 8 * S));
    bench.start().run().expect_lines(
        &["end", "finish"],
        "7s end p/quick fail
        7s end p/patient cancelled
        7s end p fail
        8s end p/slow cancelled
        8s finish Stopped",
    );
}

#[test]
fn a_plan_in_which_nothing_can_go_on_ends_and_says_so() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let waits = |b: &mut Builder, name| {
        let three = ready("nodes", CompareOp::Ge, 3);
        b.check(phase, name, three, CheckMode::Once)
    };
    let (one, other) = (waits(&mut b, "one"), waits(&mut b, "other"));
    b.after(one, other);
    b.after(other, one);
    let bench = Bench::new(b.plan).start().run();
    let ending = bench.state.ending.as_ref().unwrap();
    assert_eq!(ending.cause, "nothing in the plan can go on");
    bench.outcome(RunOutcome::Stopped);
}

/// Deeper than anybody writes, so it is a damaged file.
#[test]
fn a_plan_is_nested_so_deep_and_no_deeper() {
    let nested = |depth: usize| {
        let mut b = Builder::new();
        let mut inner = b.phase("p");
        for _ in 0..depth {
            inner = b.node(Some(inner), "p", NodeKind::Phase);
        }
        b.node(Some(inner), "hold", NodeKind::Hold { ns: S });
        Bench::new(b.plan).start().run()
    };
    nested(63).outcome(RunOutcome::Succeeded);
    nested(64).outcome(RunOutcome::Stopped);
}

#[test]
fn a_step_whose_postcondition_does_not_hold_has_failed_at_once() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let mut release = step("release", derived(2 * M));
    release.post = vec![expect(ready("nodes", CompareOp::Ge, 3))];
    b.node(Some(phase), "release", NodeKind::Step(release));
    Bench::new(b.plan)
        .answer("nodes", |_| Some(Ok(record(&[("ready", Value::count(2))]))))
        .start()
        .run()
        .expect_lines(
            &["end p/release", "undone", "finish"],
            "0s end p/release fail
            0s undone p/release: done
            0s finish RolledBack",
        );
}

#[test]
fn a_postcondition_that_is_seen_to_fail_is_no_longer_blind() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let mut release = step("release", derived(2 * M));
    release.post = vec![expect(ready("nodes", CompareOp::Ge, 3))];
    let release = b.node(Some(phase), "release", NodeKind::Step(release));
    b.policies(release).fail = Some(pause(H, Policy::Stop));
    b.policies(release).no_data = Some((M, Policy::Stop));
    let is_blind = |bench: &Bench| bench.state.nodes[release.0 as usize].blind.is_some();
    let bench = Bench::new(b.plan).answer("nodes", |at| {
        let seen = (at.0 >= 30 * S).then(|| Value::count(2));
        Some(Ok(record(&[("ready", seen.unwrap_or(Value::Absent))])))
    });
    let bench = bench.start().until(15 * S);
    assert!(is_blind(&bench));
    let bench = bench.until(30 * S);
    assert!(!is_blind(&bench));
    bench.expect_lines(&["pause"], "30s pause p/release until 1h 30s");
}

#[test]
fn a_check_of_what_is_not_the_case_is_not_applicable() {
    for mode in [
        CheckMode::Once,
        CheckMode::Within { ns: M },
        CheckMode::For { ns: M },
    ] {
        let mut b = Builder::new();
        let phase = b.phase("p");
        let when = Stmt::When {
            condition: errors(Scope::None, CompareOp::Gt, 5),
            body: vec![expect(ready("nodes", CompareOp::Ge, 3))],
        };
        b.node(
            Some(phase),
            "gate",
            NodeKind::Check(check(vec![when], mode)),
        );
        let bench = Bench::new(b.plan).metric("error_rate", |_| 0.0);
        let lines = "0s end p/gate not applicable";
        bench.start().run().expect_lines(&["end p/gate"], lines);
    }
}

/// As its provider says, or its kind.
#[test]
fn a_question_says_how_long_it_may_take() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let low = errors(Scope::None, CompareOp::Lt, 5);
    b.check(phase, "errors", low, CheckMode::Once);
    let enough = ready("nodes", CompareOp::Ge, 3);
    b.check(phase, "nodes", enough, CheckMode::Once);
    let timeout = Quantity::exact(Dim::Duration, i128::from(3 * S));
    let timeout = Setting::Value(Value::Quantity(timeout));
    let prom = &mut b.plan.providers[0].settings;
    prom.insert("timeout".to_owned(), timeout);
    let usual = catalog::find("kubernetes").unwrap().timeout_ns;
    let (_, effects) = step_of(&b.plan, State::default(), started());
    let asked: Vec<(&str, i64)> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Read {
                call, timeout_ns, ..
            } => Some((call.provider.as_str(), *timeout_ns)),
            _ => None,
        })
        .collect();
    assert_eq!(asked, [("prom", 3 * S), ("cluster", usual)]);
    assert_ne!(usual, 3 * S);
}

fn started() -> Event {
    let kind = EventKind::Started {
        run: "r1".to_owned(),
        digest: "d".repeat(64),
        inputs: Fields::new(),
        by: actor("ann"),
    };
    Event {
        at: Instant(0),
        kind,
    }
}
