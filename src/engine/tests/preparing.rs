//! Changes before they leave: what they read, and their intent.

use crate::engine::protocol::{Answer, EventKind};
use crate::engine::tests::bench::{Bench, actor, failure, record, resumed};
use crate::engine::tests::build::{
    Builder, H, M, S, confirm, field, one_step, pause, ready, step_mut,
};
use crate::plan::Policy;
use crate::plan::node::{CheckMode, NodeId};
use crate::providers::request::FailureKind;
use crate::syntax::ast::CompareOp;
use crate::values::{Instant, Value};

const WRITES: &[&str] = &["prepare", "commit", "observe", "cancel", "finish", "failed"];

fn three() -> Value {
    record(&[("ready", Value::count(3))])
}

/// What asks for its intent, which nobody answers before an hour is over.
fn unprepared(b: Builder) -> Bench {
    let mut bench = Bench::new(b.plan);
    bench.latency_ns = H;
    bench.start()
}

fn not_prepared(bench: &Bench, kind: FailureKind) -> EventKind {
    EventKind::Prepared {
        key: bench.state.writes.keys().next().unwrap().clone(),
        result: Err(failure(kind, "connection refused")),
    }
}

#[test]
fn a_step_that_could_not_read_what_it_needs_goes_on_when_it_can() {
    let mut b = one_step();
    step_mut(&mut b).call.args[0].1 = field("nodes", "ready");
    b.policies(NodeId(1)).error = Some(pause(H, Policy::Stop));
    let reply = |at: Instant| {
        Some(match at.0 < M {
            true => Err(failure(FailureKind::Unreachable, "connection refused")),
            false => Ok(three()),
        })
    };
    Bench::new(b.plan)
        .answer("nodes", reply)
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "prepare", "finish"],
            "0s pause p/one until 1h
            1m go on p/one
            1m prepare p/one/do#0
            1m finish Succeeded",
        );
}

#[test]
fn a_step_that_has_read_what_it_needs_prepares_nothing_in_the_pause_of_another() {
    let mut b = one_step();
    step_mut(&mut b).call.args[0].1 = field("nodes", "ready");
    let many = ready("pods", CompareOp::Ge, 3);
    let gate = b.check(NodeId(0), "gate", many, CheckMode::Once);
    b.policies(gate).fail = Some(pause(H, Policy::Stop));
    let pods = |at: Instant| {
        let ready = if at.0 < M { 0 } else { 3 };
        Some(Ok(record(&[("ready", Value::count(ready))])))
    };
    let mut bench = Bench::new(b.plan)
        .answer("nodes", |_| Some(Ok(three())))
        .answer("pods", pods);
    bench.slow = vec![("nodes", 10 * S)];
    bench.start().run().expect_lines(
        &["pause", "go on", "prepare"],
        "0s pause p/gate until 1h
        1m go on p/gate
        1m 10s prepare p/one/do#0",
    );
}

#[test]
fn a_preparation_without_time_for_another_says_what_stood_in_its_way() {
    let bench = unprepared(one_step());
    let refused = not_prepared(&bench, FailureKind::Unreachable);
    bench.at(10 * M - 5 * S, refused).run().expect_lines(
        WRITES,
        "0s prepare p/one/do#0
        9m 55s failed p/one: connection refused
        10m 10s prepare p/one/do#0
        24m 55s cancel p/one/do#0
        24m 55s finish Stopped",
    );
    // The next sample comes when its time is over.
    let bench = unprepared(one_step());
    let refused = not_prepared(&bench, FailureKind::Unreachable);
    bench
        .at(10 * M - 15 * S, refused)
        .expect_lines(&["failed"], "9m 45s failed p/one: connection refused");
}

#[test]
fn a_preparation_that_could_not_look_looks_again_at_the_next_sample() {
    let bench = unprepared(one_step());
    let passing = not_prepared(&bench, FailureKind::Unreachable);
    let lasting = not_prepared(&bench, FailureKind::Denied);
    bench.at(5 * S, passing).at(30 * S, lasting).expect_lines(
        &["prepare", "failed"],
        "0s prepare p/one/do#0
            20s prepare p/one/do#0
            30s failed p/one: connection refused",
    );
}

#[test]
fn in_its_own_pause_a_preparation_is_tried_once_at_each_sample() {
    let mut b = one_step();
    step_mut(&mut b).timeout_ns = S;
    b.policies(NodeId(1)).error = Some(pause(H, Policy::Stop));
    let bench = unprepared(b);
    let refused = || not_prepared(&bench, FailureKind::Unreachable);
    let (first, second) = (refused(), refused());
    bench
        .at(5 * S, first)
        .at(22 * S, second)
        .until(40 * S)
        .expect_lines(
            &["prepare"],
            "0s prepare p/one/do#0
            20s prepare p/one/do#0
            35s prepare p/one/do#0",
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
    let gate = b.node(Some(phase), "gate", confirm(5 * S));
    b.policies(gate).inconclusive = Some(pause(H, Policy::Stop));
    let mut bench = Bench::new(b.plan);
    bench.latency_ns = 6 * S;
    let yes = EventKind::Answered {
        node: gate,
        by: actor("ann"),
        role: "engineer".to_owned(),
        answer: Answer::Yes { note: None },
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

#[test]
fn of_what_has_its_intent_and_has_not_left_nothing_is_cancelled_in_the_world() {
    let mut b = one_step();
    let gate = b.node(Some(NodeId(0)), "gate", confirm(5 * S));
    b.policies(gate).inconclusive = Some(pause(H, Policy::Stop));
    let mut bench = Bench::new(b.plan);
    bench.latency_ns = 6 * S;
    let abort = EventKind::Aborted {
        by: actor("ann"),
        reason: "no".to_owned(),
    };
    bench.start().at(M, abort).run().expect_lines(
        &["prepare", "cancel ", "finish"],
        "0s prepare p/one/do#0
        1m finish Stopped",
    );
}
