//! Freezes: nothing goes forward in them, and whatever goes back does.

use crate::engine::protocol::{EventKind, RunOutcome};
use crate::engine::tests::bench::{Bench, actor};
use crate::engine::tests::build::{Builder, H, M, S, errors};
use crate::plan::expr::Scope;
use crate::plan::node::{CheckMode, NodeId, NodeKind};
use crate::plan::{Freeze, Window};
use crate::syntax::ast::CompareOp;
use crate::values::Instant;

fn freeze(b: &mut Builder, from_ns: i64, to_ns: i64) {
    b.plan.freezes.push(Freeze {
        title: Some("Sale".to_owned()),
        refs: Vec::new(),
        window: Window {
            from: Instant(from_ns),
            to: Instant(to_ns),
        },
    });
}

/// Two steps, with ten minutes between them.
fn steps() -> (Builder, NodeId) {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let one = b.step(phase, "one");
    let hold = b.node(Some(phase), "hold", NodeKind::Hold { ns: 10 * M });
    b.after(hold, one);
    let two = b.step(phase, "two");
    b.after(two, hold);
    (b, two)
}

#[test]
fn a_step_waits_until_the_last_of_the_freezes_that_it_meets_is_over() {
    // V17
    let (mut b, _) = steps();
    freeze(&mut b, 5 * M, H);
    freeze(&mut b, 30 * M, 2 * H);
    Bench::new(b.plan).start().run().expect_lines(
        &["said", "commit", "finish"],
        "0s commit forward p/one/do#0
        10m said p/two: it waits: changes are frozen until 1970-01-01 01:00:00Z (\"Sale\")
        1h said p/two: it waits: changes are frozen until 1970-01-01 02:00:00Z (\"Sale\")
        2h commit forward p/two/do#0
        2h finish Succeeded",
    );
}

#[test]
fn a_freeze_that_is_over_or_has_not_begun_holds_nothing_up() {
    let (mut b, _) = steps();
    freeze(&mut b, M, 10 * M);
    freeze(&mut b, 10 * M + S, H);
    Bench::new(b.plan).start().run().expect_lines(
        &["said", "commit"],
        "0s commit forward p/one/do#0\n10m commit forward p/two/do#0",
    );
}

#[test]
fn a_change_that_is_prepared_when_the_freeze_begins_does_not_leave() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.step(phase, "one");
    freeze(&mut b, 5 * S, H);
    let mut bench = Bench::new(b.plan);
    bench.latency_ns = 10 * S;
    // It is prepared again: what its intent has seen is old by then.
    bench.start().run().expect_lines(
        &["prepare", "said", "commit", "finish"],
        "0s prepare p/one/do#0
        10s said p/one: it waits: changes are frozen until 1970-01-01 01:00:00Z (\"Sale\")
        1h prepare p/one/do#0
        1h 10s commit forward p/one/do#0
        1h 20s finish Succeeded",
    );
}

#[test]
fn a_change_that_has_left_is_carried_to_its_end() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.step(phase, "one");
    freeze(&mut b, 15 * S, H);
    let mut bench = Bench::new(b.plan);
    bench.latency_ns = 10 * S;
    bench
        .start()
        .run()
        .expect_lines(&["said", "end p/one"], "20s end p/one pass");
}

#[test]
fn stages_and_the_promotion_wait_and_a_stage_that_holds_goes_on_being_judged() {
    let canary = || {
        let mut b = Builder::new();
        let deploy = b.phase("deploy");
        let release = b.step(deploy, "release");
        let canary = b.canary(deploy, release, &[(50, 2 * M), (100, 2 * M)]);
        b.after(canary, release);
        for at in 0..2 {
            let stage = b.child(canary, at);
            let condition = errors(Scope::Canary, CompareOp::Lt, 1);
            b.check(stage, "errors", condition, CheckMode::Stage { for_ns: 0 });
        }
        b
    };
    let mut b = canary();
    freeze(&mut b, M, H);
    freeze(&mut b, H + M, 2 * H);
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.0)
        .start()
        .run()
        .expect_lines(
            &["prepare", "commit", "finish"],
            // A stage that waits has not begun.
            "0s prepare deploy/release/do#0
            0s commit forward deploy/release/do#0
            0s prepare deploy/canary/stage-50/canary_weight#0
            0s commit forward deploy/canary/stage-50/canary_weight#0
            1h prepare deploy/canary/stage-100/canary_weight#0
            1h commit forward deploy/canary/stage-100/canary_weight#0
            2h prepare deploy/canary/canary_promote#0
            2h commit forward deploy/canary/canary_promote#0
            2h finish Succeeded",
        );
    let mut b = canary();
    freeze(&mut b, M, H);
    Bench::new(b.plan)
        .metric("error_rate", |at| if at < 90 * S { 0.0 } else { 0.5 })
        .start()
        .run()
        .outcome(RunOutcome::RolledBack)
        .expect_lines(
            &["rollback"],
            "1m 30s rollback: `deploy/canary/stage-50/errors`: `it holds`: canary.error_rate is 50%",
        );
}

#[test]
fn an_abort_in_a_freeze_goes_back_at_once() {
    let (mut b, _) = steps();
    freeze(&mut b, 5 * M, 2 * H);
    let abort = EventKind::Aborted {
        by: actor("ann"),
        reason: "enough".to_owned(),
    };
    Bench::new(b.plan).start().at(H, abort).run().expect_lines(
        &["commit", "finish"],
        "0s commit forward p/one/do#0
            1h commit back p/one/do#0
            1h finish RolledBack",
    );
}

#[test]
fn a_run_that_is_frozen_at_its_deadline_goes_back() {
    let (mut b, _) = steps();
    freeze(&mut b, 5 * M, 24 * H);
    b.plan.deadline_ns = Some(H);
    Bench::new(b.plan).start().run().expect_lines(
        &["commit", "rollback", "finish"],
        "0s commit forward p/one/do#0
            1h rollback: the deadline of the plan is over
            1h commit back p/one/do#0
            1h finish RolledBack",
    );
}
