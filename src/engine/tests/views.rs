//! A run as it stands, at moments of one story.

use crate::engine::protocol::EventKind;
use crate::engine::state::State;
use crate::engine::tests::bench::{Bench, actor, record, signed};
use crate::engine::tests::build::{
    Builder, H, M, S, approve, derived, errors, expect, field, pause, ready, rule, step,
};
use crate::engine::view::{Item, Stand, View, view};
use crate::plan::expr::Scope;
use crate::plan::node::{CheckMode, NodeId, NodeKind, Quorum, Step};
use crate::plan::{Action, Plan, Policy, Window};
use crate::syntax::ast::CompareOp;
use crate::units::show::duration_ns;
use crate::values::{Instant, Value, Verdict, show};

/// What is running, a line each.
fn running(view: &View) -> String {
    let mut lines = Vec::new();
    let mut open: Vec<&Item> = view.items.iter().rev().collect();
    while let Some(item) = open.pop() {
        if item.started.is_some() && item.ended.is_none() {
            let left = item
                .left
                .map(|left| format!(" {} left {}", left.of, duration_ns(left.ns)));
            let doing = item.doing.map(|doing| format!(" {doing}"));
            let measured = item.clauses.iter().flat_map(|clause| &clause.measured);
            let measured: Vec<String> = measured
                .map(|measured| format!(" {} is {}", measured.what, show::value(&measured.value)))
                .collect();
            lines.push(format!(
                "{}{}{}{}",
                item.path,
                doing.unwrap_or_default(),
                left.unwrap_or_default(),
                measured.concat()
            ));
        }
        open.extend(item.items.iter().rev());
    }
    lines.join("\n")
}

/// A gate for two people, a canary that goes bad at 6m, and a watch over it.
fn story() -> (Plan, NodeId) {
    let mut b = Builder::new();
    let before = b.phase("before");
    let gate = b.node(Some(before), "go", approve(Quorum::People(2), None));
    let deploy = b.phase("deploy");
    b.after(deploy, before);
    let release = b.step(deploy, "release");
    let canary = b.canary(deploy, release, &[(50, 5 * M), (100, 5 * M)]);
    let stage = b.child(canary, 0);
    let low = errors(Scope::Canary, CompareOp::Lt, 5);
    let check = b.check(stage, "errors", low, CheckMode::Stage { for_ns: 0 });
    b.policies(check).fail = Some(pause(H, Policy::Rollback));
    let over = errors(Scope::Canary, CompareOp::Gt, 50);
    let rules = vec![rule(over, 2 * M, vec![Action::Rollback])];
    b.watch(deploy, deploy, rules, None);
    (b.plan, gate)
}

fn begun(plan: &Plan, gate: NodeId) -> Bench {
    Bench::new(plan.clone())
        .metric("error_rate", |at| if at < 6 * M { 0.01 } else { 0.1 })
        .start()
        .at(M, signed(gate, "ann", "engineer"))
}

fn signed_by_both(plan: &Plan, gate: NodeId) -> Bench {
    begun(plan, gate).at(2 * M, signed(gate, "mia", "manager"))
}

#[test]
fn a_gate_says_how_it_is_answered() {
    let (plan, gate) = story();
    let bench = begun(&plan, gate).until(2 * M);
    let seen = view(&plan, &bench.state, Instant(2 * M));
    assert_eq!(seen.stand, Stand::Running);
    assert_eq!(
        running(&seen),
        "before\nbefore/go waiting for an answer answer left 58m"
    );
    let ask = &seen.asks[0];
    let answer = "deployc approve r1 go --as ROLE";
    assert_eq!((ask.missing, ask.answer.as_str()), (1, answer));
}

#[test]
fn a_hold_says_what_is_measured_and_what_is_left() {
    let (plan, gate) = story();
    let bench = signed_by_both(&plan, gate).until(4 * M + 7 * S);
    let seen = view(&plan, &bench.state, Instant(4 * M + 7 * S));
    assert_eq!(
        running(&seen),
        "deploy
deploy/canary
deploy/canary/stage-50 holding hold left 2m 53s
deploy/canary/stage-50/errors canary.error_rate is 1%"
    );
}

#[test]
fn a_pause_says_how_to_go_on() {
    let (plan, gate) = story();
    let bench = signed_by_both(&plan, gate).until(6 * M + 7 * S);
    let seen = view(&plan, &bench.state, bench.state.now);
    assert_eq!(seen.stand, Stand::Paused);
    let paused = &seen.pauses[0];
    assert_eq!(paused.go_on, "deployc continue r1 errors --reason WHY");
    assert_eq!(paused.until, Instant(H + 6 * M));
    let last = "deploy/canary/stage-50/errors canary.error_rate is 10%";
    assert_eq!(running(&seen).lines().last(), Some(last));
}

#[test]
fn a_rollback_says_what_goes_back() {
    let (plan, gate) = story();
    let abort = EventKind::Aborted {
        by: actor("ann"),
        reason: "no".to_owned(),
    };
    let bench = signed_by_both(&plan, gate);
    let bench = bench
        .commits("back", vec![None])
        .at(7 * M, abort)
        .until(8 * M);
    let seen = view(&plan, &bench.state, bench.state.now);
    assert_eq!(seen.stand, Stand::RollingBack);
    assert_eq!(seen.cause.as_deref(), Some("aborted by ann: no"));
    let undo: Vec<(&str, &str)> = seen
        .rollback
        .iter()
        .flat_map(|back| &back.undo)
        .map(|undo| (undo.name.as_str(), undo.stand))
        .collect();
    let wanted = [
        ("`deploy/canary`", "going back"),
        ("`deploy/release`", "waiting"),
    ];
    assert_eq!(undo, wanted);
}

fn found<'v>(view: &'v View, path: &str) -> &'v Item {
    let mut open: Vec<&Item> = view.items.iter().collect();
    while let Some(item) = open.pop() {
        if item.path == path {
            return item;
        }
        open.extend(&item.items);
    }
    panic!("there is no {path}");
}

#[test]
fn what_is_done_again_and_again_says_when_it_is_next() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let every = b.every(phase);
    let three = ready("nodes", CompareOp::Ge, 3);
    b.check(every, "nodes", three, CheckMode::Once);
    let plan = b.plan.clone();
    let answered = |late: bool| {
        Bench::new(b.plan.clone())
            .answer("nodes", move |at| {
                let is_asked_late = late && at >= Instant(10 * M);
                (!is_asked_late).then(|| Ok(record(&[("ready", Value::count(3))])))
            })
            .start()
            .until(12 * M)
    };
    let seen = view(&plan, &answered(false).state, Instant(12 * M));
    let item = found(&seen, "p/every");
    let left = item.left.map(|left| (left.of, left.ns, left.whole_ns));
    assert_eq!(left, Some(("next tick", 8 * M, 10 * M)));
    assert_eq!(item.doing, Some("waiting for its next tick"));
    assert_eq!(item.tick, Some((1, 3)));
    // While the check of a tick is not answered there is no next one to wait for.
    let seen = view(&plan, &answered(true).state, Instant(12 * M));
    let item = found(&seen, "p/every");
    assert!(item.left.is_none() && item.doing.is_none());
}

#[test]
fn before_its_window_a_run_waits() {
    let (mut plan, _) = story();
    plan.window = Some(Window {
        from: Instant(H),
        to: Instant(2 * H),
    });
    let bench = Bench::new(plan.clone()).metric("error_rate", |_| 0.0);
    let bench = bench.start().until(M);
    let stand = |at| view(&plan, &bench.state, Instant(at)).stand;
    assert_eq!(stand(H - S), Stand::Waiting);
    assert_eq!(stand(H), Stand::Running);
}

#[test]
fn a_step_says_that_it_reads_and_that_it_is_judged() {
    let doing = |release: Step| {
        let mut b = Builder::new();
        let phase = b.phase("p");
        b.node(Some(phase), "release", NodeKind::Step(release));
        let bench = Bench::new(b.plan.clone()).answer("nodes", |_| None);
        let bench = bench.start().until(2 * S);
        let seen = view(&b.plan, &bench.state, Instant(2 * S));
        found(&seen, "p/release").doing
    };
    let mut release = step("release", derived(2 * M));
    release.post = vec![expect(ready("nodes", CompareOp::Ge, 3))];
    assert_eq!(doing(release.clone()), Some("judging its postconditions"));
    release.call.args[0].1 = field("nodes", "ready");
    assert_eq!(doing(release), Some("reading what it needs"));
}

#[test]
fn what_a_policy_let_through_is_warned_of_and_not_the_phase_that_it_is_in() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    for name in ["bad", "good"] {
        let enough = ready(name, CompareOp::Ge, 3);
        let check = b.check(phase, name, enough, CheckMode::Once);
        b.policies(check).fail = Some(Policy::Warn);
    }
    let nodes = |ready| move |_| Some(Ok(record(&[("ready", Value::count(ready))])));
    let bench = Bench::new(b.plan.clone())
        .answer("bad", nodes(2))
        .answer("good", nodes(3))
        .start()
        .run();
    let warnings = view(&b.plan, &bench.state, Instant(M)).warnings;
    let warnings: Vec<(&str, Verdict)> = warnings
        .iter()
        .map(|warning| (warning.name.as_str(), warning.verdict))
        .collect();
    assert_eq!(warnings, [("`p/bad`", Verdict::Fail)]);
}

#[test]
fn before_it_is_started_nothing_has_begun() {
    let (plan, _) = story();
    let seen = view(&plan, &State::default(), Instant(0));
    assert_eq!(seen.stand, Stand::NotStarted);
    assert_eq!(running(&seen), "");
}

#[test]
fn a_change_says_how_far_it_is_and_how_much_time_it_has() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    b.canary(phase, release, &[(100, M)]);
    for (stuck, at, wanted) in [
        ("release", M, "p/release changing time left 9m"),
        ("weight", S, "p/canary/stage-100 changing time left 59s"),
        ("promote", M + S, "p/canary changing"),
    ] {
        let bench = Bench::new(b.plan.clone()).commits(stuck, vec![None]);
        let bench = bench.start().until(at);
        let seen = view(&b.plan, &bench.state, Instant(at));
        assert_eq!(running(&seen).lines().last(), Some(wanted));
    }
}

#[test]
fn a_pause_between_two_items_says_what_is_left_of_it() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.node(Some(phase), "hold", NodeKind::Hold { ns: 10 * M });
    let bench = Bench::new(b.plan.clone()).start().until(M);
    let seen = view(&b.plan, &bench.state, Instant(4 * M));
    assert_eq!(running(&seen), "p\np/hold hold left 6m");
}
