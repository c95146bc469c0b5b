//! The way back: its order, what is left, its proof, and who may ask for it.

use crate::engine::protocol::{EventKind, RunOutcome};
use crate::engine::tests::bench::{Bench, actor, failure, record, resumed};
use crate::engine::tests::build::{
    Builder, H, LOC, M, S, call, check, derived, errors, expect, notice, ready, step,
};
use crate::plan::expr::{Datum, Expr, RunWord, Scope, TemplatePart};
use crate::plan::node::{CheckMode, NodeId, NodeKind, UndoPlan};
use crate::plan::{Handler, HandlerEvent};
use crate::providers::request::{Direction, FailureKind, Key, Observation, Outcome};
use crate::syntax::ast::CompareOp;
use crate::units::Dim;
use crate::units::amount::{NANO, Quantity};
use crate::values::Value;

fn asked() -> EventKind {
    EventKind::RollbackAsked {
        by: actor("ann"),
        reason: "no".to_owned(),
    }
}

/// Steps in a chain, then a long hold.
fn chain(names: &[&str]) -> Builder {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let mut last: Option<NodeId> = None;
    for name in names {
        let step = b.step(phase, name);
        if let Some(last) = last {
            b.after(step, last);
        }
        last = Some(step);
    }
    let hold = b.node(Some(phase), "hold", NodeKind::Hold { ns: H });
    if let Some(last) = last {
        b.after(hold, last);
    }
    b
}

fn refused() -> Option<Outcome> {
    Some(Outcome::NotApplied(failure(
        FailureKind::Refused,
        "the old pods are not healthy",
    )))
}

fn undo_of(b: &mut Builder, at: usize, undo: UndoPlan) {
    if let NodeKind::Step(step) = &mut b.plan.nodes[at].kind {
        step.undo = undo;
    }
}

#[test]
fn independent_branches_go_on_when_one_fails() {
    let mut b = chain(&["one", "two"]);
    let other = b.phase("other");
    b.step(other, "three");
    Bench::new(b.plan)
        .commits("back r1/dddddddddddd/p/two", vec![refused()])
        .start()
        .at(M, asked())
        .run()
        .expect_lines(
            &["commit back", "undone", "finish"],
            "1m commit back p/two/do#0
            1m commit back other/three/do#0
            1m undone p/two: left: the old pods are not healthy
            1m undone p/one: left: `p/two`, built on it, is left
            1m undone other/three: done
            1m finish RollbackIncomplete",
        );
}

#[test]
fn a_written_undo_is_a_change_of_its_own() {
    let mut b = chain(&["one"]);
    let undo = UndoPlan::Written {
        call: call("restore", "one"),
        timeout_ns: M,
        title: None,
        refs: Vec::new(),
    };
    undo_of(&mut b, 1, undo);
    Bench::new(b.plan)
        .start()
        .at(M, asked())
        .run()
        .expect_lines(
            &["prepare", "commit", "finish"],
            "0s prepare p/one/do#0
            0s commit forward p/one/do#0
            1m prepare p/one/undo#0
            1m commit forward p/one/undo#0
            1m finish RolledBack",
        );
}

#[test]
fn what_cannot_be_undone_is_left_with_what_it_was_built_on() {
    let mut b = chain(&["one", "two", "three"]);
    let undo = UndoPlan::Irreversible {
        why: "the column is gone".to_owned(),
    };
    undo_of(&mut b, 2, undo);
    Bench::new(b.plan)
        .start()
        .at(M, asked())
        .run()
        .expect_lines(
            &["undone", "finish"],
            "1m undone p/three: done
            1m undone p/two: left: it cannot be undone: the column is gone
            1m undone p/one: left: `p/two`, built on it, is left
            1m finish RollbackIncomplete",
        );
}

#[test]
fn the_way_back_is_verified() {
    let verified = |healthy: i64| {
        let mut b = chain(&["one"]);
        let body = vec![expect(ready("nodes", CompareOp::Ge, 3))];
        let kind = NodeKind::Check(check(body, CheckMode::Within { ns: M }));
        let back = b.node(None, "back", kind);
        b.rollback(vec![back]);
        for (event, text) in [
            (HandlerEvent::RolledBack, "rolled back"),
            (HandlerEvent::RollbackIncomplete, "neither here nor there"),
        ] {
            let notice = notice(text);
            b.plan.handlers.push(Handler {
                event,
                notice,
                loc: LOC,
            });
        }
        b.plan
            .rollback
            .as_mut()
            .unwrap()
            .notices
            .push(notice("rolling back"));
        let bench = Bench::new(b.plan)
            .answer("nodes", move |at| {
                let ready = if at.0 < M + 30 * S { 0 } else { healthy };
                Some(Ok(record(&[("ready", Value::count(ready))])))
            })
            .start()
            .at(M, asked())
            .run();
        bench.lines(&["tell", "back pass", "back fail", "finish"])
    };
    assert_eq!(
        verified(3),
        "1m tell rolling back\n1m 30s end back pass\n1m 30s tell rolled back\n1m 30s finish RolledBack"
    );
    assert_eq!(
        verified(2),
        "1m tell rolling back\n2m end back fail\n2m tell neither here nor there\n2m finish RollbackIncomplete"
    );
}

#[test]
fn whoever_is_told_of_the_way_back_is_told_why() {
    let irreversible = UndoPlan::Irreversible {
        why: "the column is gone".to_owned(),
    };
    let left = "; left: `p/one`: it cannot be undone: the column is gone";
    for (event, undo, left) in [
        (HandlerEvent::RolledBack, derived(M), ""),
        (HandlerEvent::RollbackIncomplete, irreversible, left),
    ] {
        let mut b = chain(&["one"]);
        undo_of(&mut b, 1, undo);
        let mut notice = notice("because ");
        let cause = TemplatePart::Expr(Expr::Word(RunWord::Cause));
        notice.text.parts.push(cause);
        b.plan.handlers.push(Handler {
            event,
            notice,
            loc: LOC,
        });
        let bench = Bench::new(b.plan).start().at(M, asked()).run();
        let lines = bench.lines(&["rollback:", "tell"]);
        let (began, told) = lines.split_once('\n').unwrap();
        assert!(began.len() > "1m rollback: ".len(), "{began}");
        let told = told.replace("tell because", "rollback:");
        assert_eq!(told, format!("{began}{left}"));
    }
}

#[test]
fn a_proof_that_is_not_seen_ends_with_the_budget() {
    let mut b = chain(&["one"]);
    let body = vec![expect(errors(Scope::None, CompareOp::Lt, 1))];
    let kind = NodeKind::Check(check(body, CheckMode::For { ns: M }));
    let back = b.node(None, "back", kind);
    b.rollback(vec![back]);
    let plan = b.plan;
    // The window of the metric lies behind the undo, then it holds for a minute.
    Bench::new(plan.clone())
        .metric("error_rate", |at| if at < 2 * M { 0.5 } else { 0.0 })
        .start()
        .at(M, asked())
        .run()
        .expect_lines(
            &["end back", "finish"],
            "3m end back pass\n3m finish RolledBack",
        );
    Bench::new(plan).start().at(M, asked()).run().expect_lines(
        &["end back", "finish"],
        "16m end back inconclusive\n16m finish RollbackIncomplete",
    );
}

#[test]
fn a_rollback_before_the_first_step_is_a_stop() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.node(Some(phase), "hold", NodeKind::Hold { ns: H });
    Bench::new(b.plan)
        .start()
        .at(M, asked())
        .run()
        .outcome(RunOutcome::Stopped);
}

#[test]
fn a_person_may_ask_after_the_end_too() {
    Bench::new(chain(&["one", "two"]).plan)
        .start()
        .run()
        .at(2 * H, asked())
        .run()
        .at(3 * H, asked())
        .run()
        .expect_lines(
            &["back", "finish"],
            "1h finish Succeeded
            2h rollback: asked by ann: no
            2h commit back p/two/do#0
            2h commit back p/one/do#0
            2h finish RolledBack",
        );
}

#[test]
fn asked_again_it_tries_what_was_left() {
    Bench::new(chain(&["one"]).plan)
        .commits("back", vec![refused()])
        .observes(vec![Observation::NotApplied])
        .start()
        .at(M, asked())
        .run()
        .at(H, asked())
        .run()
        // What became of the first try is looked at before there is another.
        .expect_lines(
            &["back", "undone", "finish"],
            "1m rollback: asked by ann: no
            1m commit back p/one/do#0
            1m undone p/one: left: the old pods are not healthy
            1m finish RollbackIncomplete
            1h rollback: asked by ann: no
            1h observe back p/one/do#0
            1h commit back p/one/do#0
            1h undone p/one: done
            1h finish RolledBack",
        );
}

#[test]
fn outside_its_range_a_rollback_that_nobody_asked_for_is_a_stop() {
    let run = |from: usize, to: usize| {
        let mut b = Builder::new();
        let mut last = None;
        for name in ["prepare", "deploy", "observe"] {
            let phase = b.phase(name);
            b.step(phase, "step");
            if let Some(last) = last {
                b.after(phase, last);
            }
            last = Some(phase);
        }
        let phases = [NodeId(0), NodeId(2), NodeId(4)];
        b.rollback(Vec::new());
        b.plan.rollback.as_mut().unwrap().during = Some((phases[from], phases[to]));
        Bench::new(b.plan)
            .commits(
                "observe",
                vec![Some(Outcome::Unachieved(failure(
                    FailureKind::Unready,
                    "no",
                )))],
            )
            .start()
            .run()
            .outcome
    };
    assert_eq!(run(1, 1), Some(RunOutcome::Stopped));
    assert_eq!(run(1, 2), Some(RunOutcome::RolledBack));
}

#[test]
fn a_second_canary_write_goes_back_before_the_first() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    b.canary(phase, release, &[(50, M), (100, H)]);
    Bench::new(b.plan)
        .start()
        .at(2 * M, asked())
        .run()
        .expect_lines(
            &["commit back", "finish"],
            "2m commit back p/canary/stage-100/canary_weight#0
            2m commit back p/canary/stage-50/canary_weight#0
            2m commit back p/release/do#0
            2m finish RolledBack",
        );
}

/// Traffic goes back first, but for what was built on the version that has it.
#[test]
fn what_follows_a_canary_goes_back_before_it_and_what_has_nothing_to_do_with_it_after() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    let canary = b.canary(phase, release, &[(100, M)]);
    let later = b.step(phase, "later");
    b.after(later, canary);
    let other = b.phase("other");
    b.step(other, "apart");
    b.node(Some(other), "hold", NodeKind::Hold { ns: H });
    Bench::new(b.plan)
        .start()
        .at(2 * M, asked())
        .run()
        .expect_lines(
            &["commit back", "finish"],
            "2m commit back p/later/do#0
            2m commit back p/canary/canary_promote#0
            2m commit back p/canary/stage-100/canary_weight#0
            2m commit back other/apart/do#0
            2m commit back p/release/do#0
            2m finish RolledBack",
        );
}

#[test]
fn two_canaries_side_by_side_with_something_behind_each_go_back() {
    let mut b = Builder::new();
    for name in ["p", "q"] {
        let phase = b.phase(name);
        let release = b.step(phase, "release");
        let canary = b.canary(phase, release, &[(100, M)]);
        let later = b.step(phase, "later");
        b.after(later, canary);
        b.node(Some(phase), "hold", NodeKind::Hold { ns: H });
    }
    let bench = Bench::new(b.plan).start().at(2 * M, asked()).run();
    bench.outcome(RunOutcome::RolledBack);
}

#[test]
fn what_is_kept_is_not_undone() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let kept = UndoPlan::Keep {
        why: "an index".to_owned(),
    };
    b.node(Some(phase), "kept", NodeKind::Step(step("kept", kept)));
    b.node(Some(phase), "hold", NodeKind::Hold { ns: H });
    Bench::new(b.plan)
        .start()
        .at(M, asked())
        .run()
        .expect_lines(
            &["back", "finish"],
            "1m rollback: asked by ann: no\n1m finish RolledBack",
        );
}

#[test]
fn the_way_back_is_tried_again_also_of_a_change_that_was_cancelled_under_way() {
    let b = chain(&["one"]);
    let busy = || {
        let failure = failure(FailureKind::Unreachable, "the API server is overloaded");
        Some(Outcome::NotApplied(failure))
    };
    let done = || Outcome::Applied {
        result: Value::Absent,
        written: Vec::new(),
    };
    Bench::new(b.plan)
        .commits("forward r1/dddddddddddd/p/one", vec![None])
        .commits("back r1/dddddddddddd/p/one", vec![busy(), Some(done())])
        .observes(vec![Observation::NotApplied])
        .start()
        .at(10 * S, asked())
        .at(
            11 * S,
            EventKind::Committed {
                key: Key("r1/dddddddddddd/p/one/do#0".to_owned()),
                direction: Direction::Forward,
                outcome: done(),
            },
        )
        .run()
        .expect_lines(
            &["commit back", "observe", "finish"],
            "11s commit back p/one/do#0
            26s observe back p/one/do#0
            26s commit back p/one/do#0
            26s finish RolledBack",
        );
}

#[test]
fn a_proof_that_compares_with_what_was_never_touched_does_not_apply() {
    let mut b = chain(&["one", "two"]);
    let image = |step| {
        let before = Expr::Node {
            node: NodeId(step),
            datum: Datum::Before,
        };
        let before = Expr::Field(Box::new(before), "image".to_owned());
        let old = Expr::Literal(Value::String("old".to_owned()));
        expect(Expr::Compare(Box::new(before), vec![(CompareOp::Eq, old)]))
    };
    let one = NodeKind::Check(check(vec![image(1)], CheckMode::Once));
    let one = b.node(None, "one-is-old", one);
    let two = NodeKind::Check(check(vec![image(2)], CheckMode::Once));
    let two = b.node(None, "two-is-old", two);
    b.rollback(vec![one, two]);
    let refused = Some(Outcome::NotApplied(failure(FailureKind::Refused, "no")));
    Bench::new(b.plan)
        .commits("forward r1/dddddddddddd/p/one", vec![refused])
        .start()
        .run()
        .expect_lines(
            &["is-old", "finish"],
            "0s begin one-is-old
            0s begin two-is-old
            0s end two-is-old not applicable
            0s end one-is-old pass
            0s finish RolledBack",
        );
}

/// A release, half of the traffic for a while, then all of it.
fn rollout() -> Builder {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    b.canary(phase, release, &[(50, M), (100, M)]);
    b.plan.handlers.push(Handler {
        event: HandlerEvent::RollbackIncomplete,
        notice: notice("a person is needed"),
        loc: LOC,
    });
    b
}

#[test]
fn traffic_that_moved_before_a_crash_is_looked_at_and_not_moved_again() {
    // V13
    let half = Value::Quantity(Quantity::exact(Dim::Ratio, NANO / 2));
    let moved = Observation::Applied {
        result: record(&[("achieved", half)]),
        written: Vec::new(),
    };
    Bench::new(rollout().plan)
        .commits("forward r1/dddddddddddd/p/canary/stage-50", vec![None])
        .observes(vec![moved])
        .start()
        .until(10 * S)
        .crash()
        .at(H, resumed())
        .run()
        .expect_lines(
            &["commit", "observe", "finish"],
            "0s commit forward p/release/do#0
            0s commit forward p/canary/stage-50/canary_weight#0
            1h observe forward p/canary/stage-50/canary_weight#0
            1h 1m commit forward p/canary/stage-100/canary_weight#0
            1h 2m commit forward p/canary/canary_promote#0
            1h 2m finish Succeeded",
        );
}

#[test]
fn an_abort_while_the_new_version_becomes_the_only_one_is_accepted_and_goes_back_from_there() {
    // V14: the promotion is awaited; what it has changed goes back first, the traffic after that.
    let abort = EventKind::Aborted {
        by: actor("ann"),
        reason: "no".to_owned(),
    };
    let half_way = EventKind::Committed {
        key: Key("r1/dddddddddddd/p/canary/canary_promote#0".to_owned()),
        direction: Direction::Forward,
        outcome: Outcome::Unachieved(failure(FailureKind::Cancelled, "it is under way")),
    };
    Bench::new(rollout().plan)
        .commits("canary_promote", vec![None])
        .start()
        .at(2 * M + 10 * S, abort)
        .at(3 * M, half_way)
        .run()
        .expect_lines(
            &["cancel p", "commit back", "finish"],
            "2m 10s cancel p/canary/canary_promote#0
            3m commit back p/canary/canary_promote#0
            3m commit back p/canary/stage-100/canary_weight#0
            3m commit back p/canary/stage-50/canary_weight#0
            3m commit back p/release/do#0
            3m finish RolledBack",
        );
}

#[test]
fn where_the_old_version_is_not_healthy_its_traffic_stays_and_a_person_is_called() {
    // V16, V22: refused before anything was changed; what it was built on stays, too.
    Bench::new(rollout().plan)
        .commits("back r1/dddddddddddd/p/canary/stage-100", vec![refused()])
        .start()
        .at(M + 30 * S, asked())
        .run()
        .expect_lines(
            &["commit back", "undone", "tell", "finish"],
            "1m 30s commit back p/canary/stage-100/canary_weight#0
            1m 30s undone p/canary: left: the old pods are not healthy
            1m 30s undone p/release: left: `p/canary`, built on it, is left
            1m 30s tell a person is needed
            1m 30s finish RollbackIncomplete",
        );
}
