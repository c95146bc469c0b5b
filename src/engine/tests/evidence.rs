//! Evidence that expires is judged again, or asked again, before anything rests on it.

use crate::engine::protocol::{Answer, EventKind, RunOutcome};
use crate::engine::tests::bench::{Bench, actor, record, signed};
use crate::engine::tests::build::{Builder, H, M, S, approve, confirm, errors, field};
use crate::plan::expr::Scope;
use crate::plan::node::{CheckMode, NodeId, NodeKind, Quorum};
use crate::plan::{Policy, Window};
use crate::syntax::ast::CompareOp;
use crate::values::{Instant, Value};

/// A check, two hours, then a step.
fn early(expires_ns: i64) -> (Builder, NodeId, NodeId) {
    let mut b = Builder::new();
    let before = b.phase("before");
    let calm = errors(Scope::None, CompareOp::Lt, 5);
    let check = b.check(before, "calm", calm, CheckMode::Once);
    b.plan.nodes[check.0 as usize].expires_ns = Some(expires_ns);
    let wait = b.phase("wait");
    b.after(wait, before);
    b.node(Some(wait), "hold", NodeKind::Hold { ns: 2 * H });
    let deploy = b.phase("deploy");
    b.after(deploy, wait);
    (b, check, deploy)
}

#[test]
fn a_check_is_judged_again_before_a_step_rests_on_it() {
    let (mut b, _, deploy) = early(H);
    b.step(deploy, "step");
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.01)
        .start()
        .run()
        .expect_lines(
            &["before/calm", "commit", "finish"],
            "0s begin before/calm
            0s end before/calm pass
            2h said before/calm: its evidence has expired after 1h: it is judged again
            2h end before/calm pass
            2h commit forward deploy/step/do#0
            2h finish Succeeded",
        );
}

/// The window says when its phase may run; what rests on it later asks later.
#[test]
fn a_check_is_judged_again_when_the_window_of_its_phase_is_over() {
    let (mut b, check, deploy) = early(H);
    b.step(deploy, "step");
    for id in [NodeId(0), check] {
        b.plan.nodes[id.0 as usize].window = Some(Window {
            from: Instant(0),
            to: Instant(H),
        });
    }
    let mut bench = Bench::new(b.plan).metric("error_rate", |_| 0.01);
    bench.latency_ns = S;
    bench.start().run().expect_lines(
        &["before/calm", "commit"],
        "0s begin before/calm
        1s end before/calm pass
        2h 1s said before/calm: its evidence has expired after 1h: it is judged again
        2h 2s end before/calm pass
        2h 3s commit forward deploy/step/do#0",
    );
}

#[test]
fn what_is_new_enough_is_not_judged_again() {
    let (mut b, _, deploy) = early(3 * H);
    b.step(deploy, "step");
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.01)
        .start()
        .run()
        .expect_lines(
            &["before/calm", "commit"],
            "0s begin before/calm
            0s end before/calm pass
            2h commit forward deploy/step/do#0",
        );
}

#[test]
fn a_check_that_fails_the_second_time_lets_nothing_begin_and_names_its_owner() {
    let (mut b, check, deploy) = early(H);
    b.step(deploy, "step");
    b.policies(check).fail = Some(Policy::Stop);
    b.plan.nodes[check.0 as usize].owner = Some("engineer".to_owned());
    let bench = Bench::new(b.plan)
        .metric("error_rate", |at| if at < H { 0.01 } else { 0.2 })
        .start()
        .run()
        .outcome(RunOutcome::Stopped);
    assert_eq!(bench.lines(&["commit"]), "");
    let cause = bench
        .state
        .ending
        .as_ref()
        .map(|ending| ending.cause.clone());
    let cause = cause.unwrap_or_default();
    assert!(cause.contains("(owner: engineer)"), "{cause}");
}

#[test]
fn a_crash_while_it_is_judged_again_changes_nothing() {
    let (mut b, _, deploy) = early(H);
    b.step(deploy, "step");
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.01)
        .start()
        .until(2 * H)
        .crash()
        .run()
        .outcome(RunOutcome::Succeeded);
}

#[test]
fn a_confirmation_is_asked_again() {
    let mut b = Builder::new();
    let before = b.phase("before");
    let gate = b.node(Some(before), "gate", confirm(H));
    b.plan.nodes[gate.0 as usize].expires_ns = Some(90 * M);
    let wait = b.phase("wait");
    b.after(wait, before);
    b.node(Some(wait), "hold", NodeKind::Hold { ns: 2 * H });
    let deploy = b.phase("deploy");
    b.after(deploy, wait);
    b.step(deploy, "step");
    let yes = || EventKind::Answered {
        node: gate,
        by: actor("ann"),
        role: "engineer".to_owned(),
        answer: Answer::Yes { note: None },
        subject: None,
    };
    Bench::new(b.plan)
        .start()
        .at(M, yes())
        .at(2 * H + 10 * M, yes())
        .run()
        .expect_lines(
            &["ask", "gate", "commit", "finish"],
            "0s begin before/gate
            0s ask before/gate
            1m end before/gate pass
            2h 1m said before/gate: what was confirmed has expired after 1h 30m: it is asked again
            2h 1m ask before/gate
            2h 10m end before/gate pass
            2h 10m commit forward deploy/step/do#0
            2h 10m finish Succeeded",
        );
}

#[test]
fn an_approval_opens_only_on_evidence_that_is_new_enough() {
    let (mut b, _, deploy) = early(H);
    let kind = approve(Quorum::People(1), None);
    let gate = b.node(Some(deploy), "gate", kind);
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.01)
        .start()
        .at(2 * H + M, signed(gate, "mia", "manager"))
        .run()
        .expect_lines(
            &["before/calm", "gate", "finish"],
            "0s begin before/calm
            0s end before/calm pass
            2h said before/calm: its evidence has expired after 1h: it is judged again
            2h end before/calm pass
            2h begin deploy/gate
            2h ask deploy/gate
            2h 1m end deploy/gate pass
            2h 1m finish Succeeded",
        );
}

#[test]
fn evidence_is_worth_nothing_from_the_moment_at_which_it_expires() {
    let (mut b, _, deploy) = early(2 * H);
    b.step(deploy, "step");
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.01)
        .start()
        .run()
        .expect_lines(
            &["said", "commit"],
            "2h said before/calm: its evidence has expired after 2h: it is judged again
            2h commit forward deploy/step/do#0",
        );
}

#[test]
fn an_approval_is_not_asked_for_before_old_evidence_was_judged_again() {
    let (mut b, _, deploy) = early(2 * H + M);
    let soak = b.node(Some(deploy), "soak", NodeKind::Hold { ns: 5 * M });
    let gate = b.node(Some(deploy), "gate", approve(Quorum::People(1), None));
    b.after(gate, soak);
    let late = b.node(Some(deploy), "late", NodeKind::Hold { ns: M });
    b.after(late, soak);
    let mut bench = Bench::new(b.plan).metric("error_rate", |_| 0.01);
    bench.slow = vec![("error_rate", 10 * S)];
    bench
        .start()
        .at(2 * H + 10 * M, signed(gate, "mia", "manager"))
        .run()
        .expect_lines(
            &[
                "said",
                "ask",
                "begin deploy/late",
                "end before/calm",
                "finish",
            ],
            "10s end before/calm pass
            2h 5m 10s said before/calm: its evidence has expired after 2h 1m: it is judged again
            2h 5m 10s begin deploy/late
            2h 5m 20s end before/calm pass
            2h 5m 20s ask deploy/gate
            2h 10m finish Succeeded",
        );
}

#[test]
fn what_expires_while_something_else_is_asked_again_is_judged_when_that_was_answered() {
    let (mut b, _, deploy) = early(2 * H + 5 * M);
    let gate = b.node(Some(NodeId(0)), "gate", confirm(H));
    b.plan.nodes[gate.0 as usize].expires_ns = Some(H);
    b.step(deploy, "step");
    let beside = b.phase("beside");
    b.node(Some(beside), "hold", NodeKind::Hold { ns: 2 * H + 15 * M });
    let yes = || EventKind::Answered {
        node: gate,
        by: actor("ann"),
        role: "engineer".to_owned(),
        answer: Answer::Yes { note: None },
        subject: None,
    };
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.01)
        .start()
        .at(M, yes())
        .at(2 * H + 20 * M, yes())
        .run()
        .expect_lines(
            &["said", "end beside/hold", "commit"],
            "2h 1m said before/gate: what was confirmed has expired after 1h: it is asked again
            2h 15m end beside/hold pass
            2h 20m said before/calm: its evidence has expired after 2h 5m: it is judged again
            2h 20m commit forward deploy/step/do#0",
        );
}

#[test]
fn what_expires_while_a_step_reads_what_it_needs_is_judged_again_before_the_step_leaves() {
    let (mut b, _, deploy) = early(2 * H + 5 * S);
    let release = b.step(deploy, "step");
    if let NodeKind::Step(step) = &mut b.plan.nodes[release.0 as usize].kind {
        step.call.args[0].1 = field("nodes", "ready");
    }
    let beside = b.phase("beside");
    b.node(Some(beside), "hold", NodeKind::Hold { ns: 2 * H + 7 * S });
    let mut bench = Bench::new(b.plan)
        .metric("error_rate", |_| 0.01)
        .answer("nodes", |_| Some(Ok(record(&[("ready", Value::count(3))]))));
    bench.slow = vec![("nodes", 10 * S)];
    bench.start().run().expect_lines(
        &["end beside/hold", "prepare", "said", "commit"],
        "2h 7s end beside/hold pass
        2h 10s prepare deploy/step/do#0
        2h 10s said before/calm: its evidence has expired after 2h 5s: it is judged again
        2h 10s commit forward deploy/step/do#0",
    );
}
