//! Changes whose outcome is not known, and processes that end in the middle of them.

use crate::engine::protocol::{EventKind, RunOutcome};
use crate::engine::tests::bench::{Bench, actor, failure};
use crate::engine::tests::build::{Builder, H, M, S, pause, step};
use crate::plan::Policy;
use crate::plan::node::{AtMostOnce, NodeId, NodeKind, UndoPlan};
use crate::providers::request::{
    Direction, FailureKind, Key, Observable, Observation, Outcome, Target,
};
use crate::values::{Instant, Value};

fn one_step() -> Builder {
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.step(phase, "one");
    b
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

fn resumed() -> EventKind {
    EventKind::Resumed {
        by: actor("ann"),
        epoch: 2,
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
fn what_is_under_way_is_waited_for_and_unachieved_when_its_time_is_over() {
    let under_way = || Observation::Underway(failure(FailureKind::Unready, "2 of 3 are ready"));
    Bench::new(one_step().plan)
        .commits("forward", vec![lost()])
        .observes(vec![under_way()])
        .start()
        .run()
        .outcome(RunOutcome::Succeeded);
    let mut b = one_step();
    if let NodeKind::Step(step) = &mut b.plan.nodes[1].kind {
        step.timeout_ns = 0;
    }
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
    if let NodeKind::Step(step) = &mut b.plan.nodes[1].kind {
        step.at_most_once = AtMostOnce::Yes;
    }
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
fn a_preparation_without_time_for_another_says_what_stood_in_its_way() {
    let mut bench = Bench::new(one_step().plan);
    bench.latency_ns = H; // its own answers come too late
    let bench = bench.start();
    let refused = EventKind::Prepared {
        key: bench.state.writes.keys().next().unwrap().clone(),
        result: Err(failure(FailureKind::Unreachable, "connection refused")),
    };
    bench.at(10 * M - 5 * S, refused).run().expect_lines(
        WRITES,
        "0s prepare p/one/do#0
        9m 55s failed p/one: connection refused
        10m 10s prepare p/one/do#0
        24m 55s cancel p/one/do#0
        24m 55s finish Stopped",
    );
}

#[test]
fn a_preparation_that_could_not_look_looks_again_at_the_next_sample() {
    let mut bench = Bench::new(one_step().plan);
    bench.latency_ns = H; // its own answers come too late
    let bench = bench.start();
    let refused = |kind| EventKind::Prepared {
        key: bench.state.writes.keys().next().unwrap().clone(),
        result: Err(failure(kind, "connection refused")),
    };
    let (passing, lasting) = (
        refused(FailureKind::Unreachable),
        refused(FailureKind::Denied),
    );
    bench.at(5 * S, passing).at(30 * S, lasting).expect_lines(
        &["prepare", "failed"],
        "0s prepare p/one/do#0
            20s prepare p/one/do#0
            30s failed p/one: connection refused",
    );
}

#[test]
fn a_process_that_takes_over_a_preparation_makes_it_anew() {
    let mut bench = Bench::new(one_step().plan);
    bench.latency_ns = 6 * S;
    let mut bench = bench.start().crash();
    bench.event(Instant(M), resumed());
    bench.run().expect_lines(
        WRITES,
        "0s prepare p/one/do#0
        1m prepare p/one/do#0
        1m 6s commit forward p/one/do#0
        1m 12s finish Succeeded",
    );
}

#[test]
fn a_change_that_waited_in_a_pause_looks_again_before_it_leaves() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.step(phase, "one");
    let gate = b.node(
        Some(phase),
        "gate",
        crate::engine::tests::build::confirm(5 * S),
    );
    b.policies(gate).inconclusive = Some(pause(H, Policy::Stop));
    let mut bench = Bench::new(b.plan);
    bench.latency_ns = 6 * S;
    let yes = EventKind::Answered {
        node: gate,
        by: actor("ann"),
        role: "engineer".to_owned(),
        answer: crate::engine::protocol::Answer::Yes { note: None },
        subject: None,
    };
    bench.start().at(10 * M, yes).run().expect_lines(
        WRITES,
        "0s prepare p/one/do#0
        10m prepare p/one/do#0
        10m 6s commit forward p/one/do#0
        10m 12s finish Succeeded",
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
    let abort = EventKind::Aborted {
        by: actor("ann"),
        reason: "no".to_owned(),
    };
    // V23: nobody waits for what is kept.
    Bench::new(b.plan)
        .commits("forward", vec![None, None])
        .observes(vec![there()])
        .start()
        .at(M, abort)
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
    let abort = EventKind::Aborted {
        by: actor("ann"),
        reason: "no".to_owned(),
    };
    let mut b = one_step();
    b.node(Some(NodeId(0)), "hold", NodeKind::Hold { ns: H });
    Bench::new(b.plan)
        .commits("back", vec![lost()])
        .observes(vec![Observation::NotApplied])
        .start()
        .at(M, abort)
        .run()
        .expect_lines(
            &["commit back", "observe", "finish"],
            "1m commit back p/one/do#0
            1m observe back p/one/do#0
            1m commit back p/one/do#0
            1m finish RolledBack",
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
