//! Changes whose outcome is not known, and processes that end in the middle of them.

use crate::engine::protocol::{EventKind, RunOutcome};
use crate::engine::tests::bench::{Bench, actor, failure, resumed};
use crate::engine::tests::build::{Builder, H, M, S, errors, one_step, pause, step, step_mut};
use crate::plan::expr::Scope;
use crate::plan::node::{AtMostOnce, CheckMode, NodeId, NodeKind, UndoPlan};
use crate::plan::{Policy, Window};
use crate::providers::request::{
    Direction, FailureKind, Key, Observable, Observation, Outcome, Target,
};
use crate::syntax::ast::CompareOp;
use crate::values::{Instant, Value};

/// It has not left the house.
fn busy() -> Outcome {
    Outcome::NotApplied(failure(
        FailureKind::Unreachable,
        "the API server is overloaded",
    ))
}

fn abort() -> EventKind {
    EventKind::Aborted {
        by: actor("ann"),
        reason: "no".to_owned(),
    }
}

fn lost() -> Option<Outcome> {
    Some(Outcome::Unknown(failure(FailureKind::Timeout, "no answer")))
}

fn there() -> Observation {
    Observation::Applied {
        result: Value::Absent,
        written: Vec::new(),
    }
}

const WRITES: &[&str] = &["prepare", "commit", "observe", "cancel", "finish", "failed"];

#[test]
fn what_is_unknown_is_looked_at_and_not_sent_again_when_it_is_there() {
    Bench::new(one_step().plan)
        .commits("forward", vec![lost()])
        .observes(vec![there()])
        .start()
        .run()
        .expect_lines(
            WRITES,
            "0s prepare p/one/do#0
            0s commit forward p/one/do#0
            0s observe forward p/one/do#0
            0s finish Succeeded",
        );
}

#[test]
fn what_nobody_can_see_is_looked_at_again_at_the_next_sample() {
    let unseen = Observation::Unknown(failure(FailureKind::Unreachable, "no answer"));
    Bench::new(one_step().plan)
        .commits("forward", vec![lost()])
        .observes(vec![unseen, there()])
        .start()
        .run()
        .expect_lines(
            WRITES,
            "0s prepare p/one/do#0
            0s commit forward p/one/do#0
            0s observe forward p/one/do#0
            15s observe forward p/one/do#0
            15s finish Succeeded",
        );
}

#[test]
fn what_is_unknown_is_sent_again_when_it_is_not_there() {
    Bench::new(one_step().plan)
        .commits("forward", vec![lost(), lost()])
        .observes(vec![Observation::NotApplied, Observation::NotApplied])
        .start()
        .run()
        .expect_lines(
            WRITES,
            // The second time it is not hurried.
            "0s prepare p/one/do#0
            0s commit forward p/one/do#0
            0s observe forward p/one/do#0
            0s commit forward p/one/do#0
            15s observe forward p/one/do#0
            15s commit forward p/one/do#0
            15s finish Succeeded",
        );
}

#[test]
fn what_did_not_get_through_is_sent_again_while_there_is_time_and_it_is_wanted() {
    let lines = &["commit", "observe", "failed", "finish"];
    Bench::new(one_step().plan)
        .commits("forward", vec![Some(busy())])
        .observes(vec![Observation::NotApplied])
        .start()
        .run()
        .expect_lines(
            lines,
            "0s commit forward p/one/do#0
            15s observe forward p/one/do#0
            15s commit forward p/one/do#0
            15s finish Succeeded",
        );
    let mut b = one_step();
    step_mut(&mut b).timeout_ns = 0;
    Bench::new(b.plan)
        .commits("forward", vec![Some(busy())])
        .start()
        .until(M)
        .expect_lines(
            lines,
            "0s commit forward p/one/do#0
            0s failed p/one: the API server is overloaded",
        );
    let late = EventKind::Committed {
        key: Key("r1/dddddddddddd/p/one/do#0".to_owned()),
        direction: Direction::Forward,
        outcome: busy(),
    };
    Bench::new(one_step().plan)
        .commits("forward", vec![None])
        .start()
        .at(M, abort())
        .at(2 * M, late)
        .run()
        .expect_lines(lines, "0s commit forward p/one/do#0\n2m finish RolledBack");
}

#[test]
fn what_is_no_longer_wanted_is_looked_at_without_waiting_for_the_next_sample() {
    Bench::new(one_step().plan)
        .commits("forward", vec![lost(), lost()])
        .observes(vec![Observation::NotApplied, there()])
        .start()
        .at(5 * S, abort())
        .run()
        .expect_lines(
            &["commit", "observe", "finish"],
            "0s commit forward p/one/do#0
            0s observe forward p/one/do#0
            0s commit forward p/one/do#0
            5s observe forward p/one/do#0
            5s commit back p/one/do#0
            5s finish RolledBack",
        );
}

#[test]
fn a_step_that_ends_leaves_the_changes_of_others_alone() {
    let mut b = one_step();
    b.step(NodeId(0), "two");
    b.policies(NodeId(1)).fail = Some(Policy::Warn);
    let refused = Outcome::NotApplied(failure(FailureKind::Refused, "no"));
    let done = EventKind::Committed {
        key: Key("r1/dddddddddddd/p/two/do#0".to_owned()),
        direction: Direction::Forward,
        outcome: Outcome::Applied {
            result: Value::Absent,
            written: Vec::new(),
        },
    };
    Bench::new(b.plan)
        .commits("p/one", vec![Some(refused)])
        .commits("p/two", vec![None])
        .start()
        .at(M, done)
        .run()
        .expect_lines(
            &["cancel", "end", "finish"],
            "0s end p/one fail
            1m end p/two pass
            1m end p fail
            1m finish Succeeded",
        );
}

#[test]
fn what_is_under_way_is_waited_for_and_unachieved_when_its_time_is_over() {
    let under_way = || Observation::Underway(failure(FailureKind::Unready, "2 of 3 are ready"));
    Bench::new(one_step().plan)
        .commits("forward", vec![lost()])
        .observes(vec![under_way()])
        .start()
        .run()
        .outcome(RunOutcome::Succeeded);
    let mut b = one_step();
    step_mut(&mut b).timeout_ns = 0;
    Bench::new(b.plan)
        .commits("forward", vec![lost()])
        .observes(vec![under_way()])
        .start()
        .run()
        .expect_lines(
            &["failed", "commit back", "finish"],
            "0s failed p/one: 2 of 3 are ready
            0s commit back p/one/do#0
            0s finish RolledBack",
        );
}

#[test]
fn what_somebody_else_changed_is_shown_and_not_overwritten() {
    let foreign = failure(
        FailureKind::Conflict,
        "`spec.replicas` is 5, set by kubectl-edit",
    );
    let refused = Outcome::NotApplied(foreign.clone());
    let bench = Bench::new(one_step().plan)
        .commits("forward", vec![lost()])
        .commits("back", vec![Some(refused)])
        .observes(vec![Observation::Foreign(foreign)])
        .start()
        .run()
        .expect_lines(
            &["drift", "undone", "finish"],
            "0s drift p/one: `spec.replicas` is 5, set by kubectl-edit
            0s undone p/one: left: `spec.replicas` is 5, set by kubectl-edit
            0s finish RollbackIncomplete",
        );
    assert!(bench.outcome.is_some());
}

#[test]
fn a_crash_between_intent_and_outcome_is_looked_at_first() {
    Bench::new(one_step().plan)
        .commits("forward", vec![None])
        .observes(vec![there()])
        .start()
        .until(M)
        .crash()
        .at(H, resumed())
        .run()
        .expect_lines(
            WRITES,
            "0s prepare p/one/do#0
            0s commit forward p/one/do#0
            1h observe forward p/one/do#0
            1h finish Succeeded",
        );
}

#[test]
fn the_time_in_which_no_process_ran_is_not_the_step_s() {
    // It has ten minutes, and after an hour of absence it is not too late.
    Bench::new(one_step().plan)
        .commits("forward", vec![None])
        .observes(vec![Observation::NotApplied])
        .start()
        .until(M)
        .crash()
        .at(H, resumed())
        .run()
        .outcome(RunOutcome::Succeeded);
}

#[test]
fn at_most_once_stops_for_a_person() {
    let mut b = one_step();
    step_mut(&mut b).at_most_once = AtMostOnce::Yes;
    b.policies(NodeId(1)).error = Some(pause(H, Policy::Rollback));
    let go_on = EventKind::Continued {
        node: NodeId(1),
        by: actor("ann"),
        reason: "it was done".to_owned(),
    };
    Bench::new(b.plan)
        .commits("forward", vec![None])
        .start()
        .until(M)
        .crash()
        .at(2 * M, resumed())
        .at(3 * M, go_on)
        .run()
        .expect_lines(
            &["commit", "observe", "pause", "end p", "finish"],
            "0s commit forward p/one/do#0
            2m pause p/one until 1h 2m
            3m end p/one skipped
            3m end p skipped
            3m finish Succeeded",
        );
}

/// Whether the plan says it or the provider.
#[test]
fn what_may_be_sent_once_is_not_looked_at_and_not_sent_again() {
    let mut written = one_step();
    step_mut(&mut written).at_most_once = AtMostOnce::Yes;
    for (b, observable) in [
        (written, Observable::Yes),
        (one_step(), Observable::AtMostOnce),
    ] {
        let bench = |outcome| {
            let mut bench = Bench::new(b.plan.clone()).commits("forward", vec![outcome]);
            bench.observable = observable;
            bench.start().until(M)
        };
        bench(lost()).expect_lines(
            &["commit", "observe", "failed"],
            "0s commit forward p/one/do#0\n0s failed p/one: no answer",
        );
        let after_a_crash = bench(None).crash().at(2 * M, resumed()).until(3 * M);
        let lines = after_a_crash.lines(&["commit", "observe", "failed"]);
        let wanted = "0s commit forward p/one/do#0\n2m failed p/one: the process ended";
        assert!(lines.starts_with(wanted), "{lines}");
    }
}

#[test]
fn a_script_that_may_be_repeated_is_repeated_under_its_key() {
    let blind =
        || Observation::Unknown(failure(FailureKind::Refused, "a script cannot be observed"));
    let mut bench = Bench::new(one_step().plan)
        .commits("forward", vec![lost()])
        .observes(vec![blind()]);
    bench.observable = Observable::Idempotent;
    bench.start().run().expect_lines(
        &["commit", "observe", "finish"],
        "0s commit forward p/one/do#0
        0s observe forward p/one/do#0
        0s commit forward p/one/do#0
        0s finish Succeeded",
    );
}

#[test]
fn a_run_that_stops_waits_for_the_change_that_has_left() {
    let mut b = one_step();
    let calm = errors(Scope::None, CompareOp::Lt, 5);
    let gate = b.check(NodeId(0), "gate", calm, CheckMode::Once);
    b.policies(gate).fail = Some(Policy::Stop);
    let done = EventKind::Committed {
        key: Key("r1/dddddddddddd/p/one/do#0".to_owned()),
        direction: Direction::Forward,
        outcome: Outcome::Applied {
            result: Value::Absent,
            written: Vec::new(),
        },
    };
    let mut bench = Bench::new(b.plan)
        .metric("error_rate", |_| 0.5)
        .commits("forward", vec![None]);
    bench.slow.push(("error_rate", 5 * S));
    bench.start().at(M, done).run().expect_lines(
        &["commit", "end p/gate", "cancel p", "finish"],
        "0s commit forward p/one/do#0
        5s end p/gate fail
        5s cancel p/one/do#0
        1m finish Stopped",
    );
}

/// Nobody knows what became of the step `one`.
fn cancelled() -> EventKind {
    EventKind::Committed {
        key: Key("r1/dddddddddddd/p/one/do#0".to_owned()),
        direction: Direction::Forward,
        outcome: Outcome::Unknown(failure(FailureKind::Cancelled, "cancelled")),
    }
}

#[test]
fn what_is_running_when_a_rollback_starts_is_cancelled_and_awaited() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.step(phase, "one");
    let kept = UndoPlan::Keep {
        why: "an index".to_owned(),
    };
    let mut kept = step("kept", kept);
    kept.timeout_ns = H;
    b.node(Some(phase), "kept", NodeKind::Step(kept));
    // V23: nobody waits for what is kept.
    Bench::new(b.plan)
        .commits("forward", vec![None, None])
        .observes(vec![there()])
        .start()
        .at(M, abort())
        .at(2 * M, cancelled())
        .run()
        .expect_lines(
            &["cancel ", "observe", "commit back", "finish"],
            "1m cancel p/one/do#0
            1m cancel p/kept/do#0
            2m observe forward p/one/do#0
            2m commit back p/one/do#0
            2m finish RolledBack",
        );
}

/// Though its step has ended, and the run goes on.
#[test]
fn what_became_of_a_change_that_was_cancelled_is_found_out() {
    let mut b = one_step();
    b.node(Some(NodeId(0)), "hold", NodeKind::Hold { ns: 10 * M });
    b.policies(NodeId(1)).fail = Some(Policy::Warn);
    b.plan.nodes[1].window = Some(Window {
        from: Instant(0),
        to: Instant(M),
    });
    Bench::new(b.plan)
        .commits("forward", vec![None])
        .observes(vec![there()])
        .start()
        .at(2 * M, cancelled())
        .run()
        .expect_lines(
            &["cancel ", "observe", "end p/one", "finish"],
            "1m cancel p/one/do#0
            1m end p/one fail
            2m observe forward p/one/do#0
            10m finish Succeeded",
        );
}

/// Nothing is sent after it that would make its precondition false.
#[test]
fn a_cancelled_change_that_is_not_there_is_looked_at_again_when_its_request_cannot_arrive_any_more()
{
    let asked = EventKind::RollbackAsked {
        by: actor("ann"),
        reason: "no".to_owned(),
    };
    Bench::new(one_step().plan)
        .commits("forward", vec![None])
        .observes(vec![Observation::NotApplied, there()])
        .start()
        .at(M, asked)
        .at(M + S, cancelled())
        .run()
        .expect_lines(
            &["observe", "commit back", "finish"],
            "1m 1s observe forward p/one/do#0
            1m 12s observe forward p/one/do#0
            1m 12s commit back p/one/do#0
            1m 12s finish RolledBack",
        );
}

#[test]
fn an_undo_of_unknown_outcome_is_looked_at_and_sent_again() {
    let mut b = one_step();
    b.node(Some(NodeId(0)), "hold", NodeKind::Hold { ns: H });
    Bench::new(b.plan)
        .commits("back", vec![lost(), lost()])
        .observes(vec![Observation::NotApplied, Observation::NotApplied])
        .start()
        .at(M, abort())
        .run()
        .expect_lines(
            &["commit back", "observe", "finish"],
            "1m commit back p/one/do#0
            1m observe back p/one/do#0
            1m commit back p/one/do#0
            1m 15s observe back p/one/do#0
            1m 15s commit back p/one/do#0
            1m 15s finish RolledBack",
        );
}

/// One that changes several objects may have sent its last request right before its process was lost.
#[test]
fn what_creates_is_not_sent_again_while_an_earlier_request_may_still_arrive() {
    let resumed = EventKind::Resumed {
        by: actor("bob"),
        epoch: 2,
    };
    let mut bench = Bench::new(one_step().plan)
        .commits("forward", vec![None])
        .observes(vec![Observation::NotApplied, Observation::NotApplied]);
    bench.targets = vec![Target {
        object: "deployment/shop/api-canary".to_owned(),
        uid: None,
        resource_version: None,
        desired: "d".repeat(64),
    }];
    bench
        .start()
        .until(20 * S)
        .crash()
        .at(30 * S, resumed)
        .run()
        .expect_lines(
            &["observe", "commit", "finish"],
            "0s commit forward p/one/do#0
            30s observe forward p/one/do#0
            41s observe forward p/one/do#0
            41s commit forward p/one/do#0
            41s finish Succeeded",
        );
}
