//! Which edges follow from effects, data, `after` and `parallel`.

use crate::analyze::order::check::check;
use crate::analyze::order::fill;
use crate::analyze::places::Places;
use crate::plan::draft::{Draft, HOUR_NS, MINUTE_NS, datum};
use crate::plan::expr::{Datum, Expr};
use crate::plan::graph::Graph;
use crate::plan::node::{CheckMode, EdgeWhy, NodeId, NodeKind};
use crate::values::Value;

/// What a node waits for, by name.
fn waits(draft: &mut Draft, id: NodeId) -> Vec<String> {
    let edges = draft.node(id).after.clone();
    edges
        .iter()
        .map(|edge| draft.node(edge.from).name.clone().unwrap())
        .collect()
}

fn filled(draft: &mut Draft) -> Vec<&'static str> {
    fill(&mut draft.plan);
    let graph = Graph::of(&draft.plan.nodes);
    let found = check(&draft.plan, &graph, &Places::default());
    found
        .iter()
        .map(|diagnostic| diagnostic.code.name)
        .collect()
}

#[test]
fn neighbouring_reads_run_together_and_a_write_is_a_wall() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    let ids = ["a", "b"].map(|name| draft.check(phase, name));
    let step = draft.step(phase, "step", "api");
    let below = draft.check(phase, "below");
    let next = draft.step(phase, "next", "api");
    assert!(filled(&mut draft).is_empty());
    assert!(waits(&mut draft, ids[1]).is_empty());
    assert_eq!(waits(&mut draft, step), ["a", "b"]);
    assert_eq!(waits(&mut draft, below), ["step"]);
    assert_eq!(waits(&mut draft, next), ["below"]);
    // Of two walls the lower one made the edge.
    let last = draft.step(phase, "last", "api");
    assert!(filled(&mut draft).is_empty());
    assert_eq!(waits(&mut draft, last), ["next"]);
    let own = draft.node(last).loc;
    assert_ne!(draft.node(next).loc, own);
    assert_eq!(draft.node(last).after[0].loc, own);
    assert_eq!(draft.node(below).after[0].why, EdgeWhy::Effect);
    let loc = draft.node(step).loc;
    assert_eq!(draft.node(below).after[0].loc, loc);
}

#[test]
fn people_hold_up_steps_and_gates_but_no_checks() {
    let mut draft = Draft::blank();
    let phase = draft.phase("preflight");
    let ask = draft.confirm(phase, "ask", MINUTE_NS);
    let check = draft.check(phase, "check");
    let gate = draft.approve(phase, "gate", MINUTE_NS);
    let beside = draft.approve(phase, "beside", MINUTE_NS);
    let below = draft.check(phase, "below");
    let step = draft.step(phase, "step", "api");
    assert!(filled(&mut draft).is_empty());
    assert!(waits(&mut draft, ask).is_empty());
    assert!(waits(&mut draft, check).is_empty());
    assert_eq!(waits(&mut draft, gate), ["ask", "check"]);
    assert_eq!(waits(&mut draft, beside), ["ask", "check"]);
    assert!(waits(&mut draft, below).is_empty());
    assert_eq!(waits(&mut draft, step), ["gate", "beside", "below"]);
}

#[test]
fn a_message_waits_for_all_above_and_nothing_waits_for_it() {
    let mut draft = Draft::blank();
    let phase = draft.phase("declare");
    draft.check(phase, "check");
    draft.confirm(phase, "ask", MINUTE_NS);
    let first = draft.notify(phase, "first");
    let second = draft.notify(phase, "second");
    let step = draft.step(phase, "step", "api");
    let last = draft.notify(phase, "last");
    assert!(filled(&mut draft).is_empty());
    assert_eq!(waits(&mut draft, first), ["check", "ask"]);
    assert_eq!(waits(&mut draft, second), ["check", "ask"]);
    assert_eq!(waits(&mut draft, step), ["check", "ask"]);
    assert_eq!(waits(&mut draft, last), ["step"]);
}

/// A group does what is in it: one that only tells is a message.
#[test]
fn a_group_stands_as_what_is_in_it() {
    let mut draft = Draft::blank();
    let phase = draft.phase("declare");
    let when = || NodeKind::When(datum_true());
    let says = draft.add(Some(phase), "says", when());
    draft.notify(says, "word");
    let looks = draft.add(Some(phase), "looks", when());
    draft.check(looks, "check");
    draft.notify(looks, "another");
    let asks = draft.add(Some(phase), "asks", when());
    draft.confirm(asks, "ask", MINUTE_NS);
    draft.notify(asks, "third");
    let gates = draft.add(Some(phase), "gates", when());
    draft.approve(gates, "gate", MINUTE_NS);
    let step = draft.step(phase, "step", "api");
    assert!(filled(&mut draft).is_empty());
    assert_eq!(waits(&mut draft, gates), ["looks", "asks"]);
    assert_eq!(waits(&mut draft, step), ["gates"]);
}

fn datum_true() -> Expr {
    Expr::Literal(Value::Bool(true))
}

#[test]
fn a_hold_is_a_barrier() {
    let mut draft = Draft::blank();
    let phase = draft.phase("soak");
    draft.check(phase, "before");
    let hold = draft.hold(phase, "hold", HOUR_NS);
    let after = draft.check(phase, "after");
    assert!(filled(&mut draft).is_empty());
    assert_eq!(waits(&mut draft, hold), ["before"]);
    assert_eq!(waits(&mut draft, after), ["hold"]);
    assert_eq!(draft.node(after).after[0].why, EdgeWhy::Barrier);
}

#[test]
fn a_section_orders_nothing() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    let first = draft.section(phase, "first");
    draft.check(first, "check");
    let step = draft.step(first, "step", "api");
    let second = draft.section(phase, "second");
    let below = draft.check(second, "below");
    assert!(filled(&mut draft).is_empty());
    assert_eq!(waits(&mut draft, step), ["check"]);
    assert_eq!(waits(&mut draft, below), ["step"]);
    assert!(waits(&mut draft, second).is_empty());
    // Not even what it holds: the phase does that, once.
    let edges = |draft: &Draft| {
        draft
            .plan
            .nodes
            .iter()
            .map(|node| node.after.len())
            .sum::<usize>()
    };
    assert_eq!(edges(&draft), 2);
}

#[test]
fn branches_of_a_parallel_are_not_ordered_but_sequences_in_them_are() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    let both = draft.add(Some(phase), "both", NodeKind::Parallel);
    let one = draft.step(both, "one", "api");
    let branch = draft.section(both, "branch");
    let two = draft.step(branch, "two", "web");
    let three = draft.step(branch, "three", "web");
    let below = draft.check(phase, "below");
    assert!(filled(&mut draft).is_empty());
    assert!(waits(&mut draft, one).is_empty() && waits(&mut draft, two).is_empty());
    assert_eq!(waits(&mut draft, three), ["two"]);
    assert_eq!(waits(&mut draft, below), ["both"]);
}

#[test]
fn an_every_and_a_when_stand_as_what_is_in_them() {
    let mut draft = Draft::blank();
    let phase = draft.phase("first_day");
    let tick = NodeKind::Every {
        period_ns: HOUR_NS,
        ticks: 24,
    };
    let first = draft.add(Some(phase), "hourly", tick.clone());
    let inner = draft.check(first, "inner");
    let said = draft.notify(first, "said");
    let second = draft.add(Some(phase), "handoff", tick);
    draft.confirm(second, "ask", MINUTE_NS);
    let condition = crate::plan::draft::read("api", "up");
    let when = draft.add(Some(phase), "when", NodeKind::When(condition));
    draft.step(when, "step", "api");
    assert!(filled(&mut draft).is_empty());
    assert!(waits(&mut draft, second).is_empty() && waits(&mut draft, inner).is_empty());
    assert_eq!(waits(&mut draft, said), ["inner"]);
    assert_eq!(waits(&mut draft, when), ["hourly", "handoff"]);
}

#[test]
fn stages_follow_one_another_and_a_canary_its_release() {
    let mut draft = Draft::blank();
    let phase = draft.phase("rollout");
    let step = draft.step(phase, "release", "api");
    let canary = draft.canary(phase, "canary", step);
    let first = draft.stage(canary, 50, MINUTE_NS);
    let second = draft.stage(canary, 100, MINUTE_NS);
    assert!(filled(&mut draft).is_empty());
    assert_eq!(waits(&mut draft, canary), ["release"]);
    assert_eq!(draft.node(canary).after[0].why, EdgeWhy::Data);
    assert!(waits(&mut draft, first).is_empty());
    assert_eq!(waits(&mut draft, second), ["stage-50"]);
}

#[test]
fn after_takes_the_place_of_what_effects_would_say() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    let slow = draft.check(phase, "slow");
    let quick = draft.check(phase, "quick");
    let step = draft.step(phase, "step", "api");
    draft.wait(step, quick, EdgeWhy::After);
    let below = draft.step(phase, "below", "web");
    assert!(filled(&mut draft).is_empty());
    assert_eq!(waits(&mut draft, step), ["quick"]);
    assert_eq!(waits(&mut draft, below), ["slow", "quick", "step"]);
    assert!(waits(&mut draft, slow).is_empty());
}

#[test]
fn a_reader_comes_after_what_it_reads_wherever_it_stands() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["deploy", "verify"]);
    let (early, step);
    {
        let read = datum(NodeId(3), Datum::Result);
        early = draft.check_of(phases[0], "early", CheckMode::Once, read);
        step = draft.step(phases[0], "step", "api");
    }
    let far = draft.check_of(
        phases[1],
        "far",
        CheckMode::Once,
        datum(step, Datum::Started),
    );
    assert_eq!(step, NodeId(3));
    assert!(filled(&mut draft).is_empty());
    assert_eq!(waits(&mut draft, early), ["step"]);
    assert_eq!(draft.node(early).after[0].why, EdgeWhy::Data);
    assert!(waits(&mut draft, step).is_empty());
    // The order of the phases says so already.
    assert!(waits(&mut draft, far).is_empty());
}

#[test]
fn a_reader_in_a_phase_beside_waits() {
    let mut draft = Draft::blank();
    let (one, two) = (draft.phase("one"), draft.phase("two"));
    let step = draft.step(one, "step", "api");
    let reader = draft.check_of(two, "reader", CheckMode::Once, datum(step, Datum::Took));
    assert!(filled(&mut draft).is_empty());
    assert_eq!(waits(&mut draft, reader), ["step"]);
}

#[test]
fn when_a_group_began_may_be_read_inside_of_it_but_not_when_it_ended() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    let began = draft.check_of(
        phase,
        "began",
        CheckMode::Once,
        datum(phase, Datum::Started),
    );
    assert!(filled(&mut draft).is_empty());
    assert!(waits(&mut draft, began).is_empty());
    draft.check_of(phase, "ended", CheckMode::Once, datum(phase, Datum::Ended));
    assert_eq!(filled(&mut draft), ["dependency-cycle"]);
}

#[test]
fn filling_twice_changes_nothing() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    draft.check(phase, "check");
    let step = draft.step(phase, "step", "api");
    fill(&mut draft.plan);
    let once = draft.node(step).after.clone();
    fill(&mut draft.plan);
    assert_eq!(draft.node(step).after, once);
}

#[test]
fn a_cycle_is_told_as_a_path() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["deploy", "verify"]);
    let step = draft.step(phases[0], "release", "api");
    let gate = draft.approve(phases[1], "go", MINUTE_NS);
    draft.wait(step, gate, EdgeWhy::After);
    fill(&mut draft.plan);
    let graph = Graph::of(&draft.plan.nodes);
    let found = check(&draft.plan, &graph, &Places::default());
    let cycle = &found[0];
    insta::assert_snapshot!(cycle.message, @"these wait for each other: `deploy` -> `verify` -> `go` -> `release` -> `deploy`");
    insta::assert_snapshot!(cycle.primary.text, @"the order puts `deploy` before `verify`");
    insta::assert_snapshot!(cycle.secondary[0].text, @"`release` stands after `go`");
    insta::assert_snapshot!(cycle.note.clone().unwrap(), @"`go` is part of `verify`, `release` is part of `deploy`");
}

#[test]
fn two_writers_of_one_object_must_be_ordered() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    let both = draft.add(Some(phase), "both", NodeKind::Parallel);
    draft.step(both, "one", "api");
    draft.step(both, "two", "web");
    assert!(filled(&mut draft).is_empty());
    draft.step(both, "three", "api");
    assert_eq!(filled(&mut draft), ["two-writers"]);
}

#[test]
fn the_result_of_a_repeated_item_is_not_read_from_outside() {
    let mut draft = Draft::blank();
    let phase = draft.phase("first_day");
    let tick = NodeKind::Every {
        period_ns: HOUR_NS,
        ticks: 24,
    };
    let every = draft.add(Some(phase), "hourly", tick);
    let inner = draft.check(every, "inner");
    let read = datum(inner, Datum::Ended);
    draft.check_of(every, "beside", CheckMode::Once, read.clone());
    assert!(filled(&mut draft).is_empty());
    draft.check_of(phase, "outside", CheckMode::Once, read);
    assert_eq!(filled(&mut draft), ["repeated-result"]);
}
