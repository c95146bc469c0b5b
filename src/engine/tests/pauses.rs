//! What stands still in a pause, and whose time it takes.

use crate::engine::tests::bench::{Bench, record};
use crate::engine::tests::build::{Builder, H, M, S, errors, latency, no_data, pause, ready, rule};
use crate::plan::expr::Scope;
use crate::plan::node::{CheckMode, NodeId};
use crate::plan::{Action, LocId, Policy};
use crate::providers::request::Failure;
use crate::syntax::ast::CompareOp;
use crate::values::{Instant, Value};

/// How many nodes are ready, where three have to be.
fn nodes(
    are_there: impl Fn(i64) -> bool + 'static,
) -> impl Fn(Instant) -> Option<Result<Value, Failure>> {
    move |at| {
        let count = if are_there(at.0) { 3 } else { 0 };
        Some(Ok(record(&[("ready", Value::count(count))])))
    }
}

fn gate(b: &mut Builder, parent: NodeId, name: &str, fail: Policy) {
    let three = ready(name, CompareOp::Ge, 3);
    let gate = b.check(parent, name, three, CheckMode::Once);
    b.policies(gate).fail = Some(fail);
}

#[test]
fn each_pause_of_a_policy_has_its_own_time() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let every = b.every(phase);
    let policy = pause(5 * M, pause(10 * M, Policy::Warn));
    gate(&mut b, every, "gate", policy);
    Bench::new(b.plan)
        .answer("gate", nodes(|at| (22 * M..32 * M).contains(&at)))
        .start()
        .run()
        .expect_lines(
            &["pause", "end p/every/gate"],
            // The second tick finds the first pause used up, and three minutes of the other.
            "10m pause p/every/gate until 15m
            15m pause p/every/gate until 25m
            22m end p/every/gate pass
            32m pause p/every/gate until 35m
            35m end p/every/gate fail
            45m end p/every/gate fail",
        );
}

#[test]
fn a_pause_gives_its_time_back_to_its_own_place() {
    let at_place = |place| Policy::Pause {
        up_to_ns: 10 * M,
        then: Box::new(Policy::Warn),
        place: LocId(place),
    };
    let mut b = Builder::new();
    let before = b.phase("before");
    gate(&mut b, before, "one", at_place(1));
    let phase = b.phase("p");
    b.after(phase, before);
    let every = b.every(phase);
    gate(&mut b, every, "two", at_place(2));
    Bench::new(b.plan)
        .answer("one", nodes(|at| at >= M))
        .answer("two", nodes(|at| (15 * M..25 * M).contains(&at)))
        .start()
        .run()
        .expect_lines(
            &["pause", "end before/one", "end p/every/two"],
            "0s pause before/one until 10m
            1m end before/one pass
            11m pause p/every/two until 21m
            15m end p/every/two pass
            25m pause p/every/two until 31m
            31m end p/every/two fail
            41m end p/every/two fail",
        );
}

/// A rule that is judged every ten seconds, between the samples of others, holds the run up while latency is high.
fn held_up(b: &mut Builder, from: NodeId) {
    let stand = Action::Pause {
        up_to_ns: H,
        then: Box::new(Policy::Stop),
    };
    let slow = latency(Scope::None, CompareOp::Gt, 500);
    b.watch(
        from,
        from,
        vec![rule(slow, 0, vec![stand])],
        no_data(H, Vec::new()),
    );
    for watch in &mut b.plan.watches {
        watch.sample_ns = 10 * S;
    }
}

#[test]
fn the_time_between_a_sample_and_a_pause_does_not_count_for_what_has_to_hold() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let calm = errors(Scope::None, CompareOp::Lt, 5);
    b.check(phase, "gate", calm, CheckMode::For { ns: 2 * M });
    held_up(&mut b, phase);
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.0)
        .metric("p95", |at| {
            if (20 * S..50 * S).contains(&at) {
                0.9
            } else {
                0.1
            }
        })
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "end p/gate"],
            // 15 s before the pause, and the rest from 1m on.
            "20s pause until 1h 20s
            50s go on
            2m 45s end p/gate pass",
        );
}

#[test]
fn the_time_between_a_sample_and_a_pause_is_no_part_of_a_hold() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    let canary = b.canary(phase, release, &[(100, 5 * M)]);
    let stage = b.child(canary, 0);
    let calm = errors(Scope::Canary, CompareOp::Lt, 5);
    b.check(stage, "errors", calm, CheckMode::Stage { for_ns: 0 });
    held_up(&mut b, phase);
    let slow = 2 * M + 20 * S..2 * M + 50 * S;
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.0)
        .metric("p95", move |at| if slow.contains(&at) { 0.9 } else { 0.1 })
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "end p/canary/stage-100/errors"],
            // 2m 15s before the pause, and the rest from 3m on.
            "2m 20s pause until 1h 2m 20s
            2m 50s go on
            5m 45s end p/canary/stage-100/errors pass",
        );
}
