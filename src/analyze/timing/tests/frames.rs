//! Each phase has a clock of its own: what an item takes does not depend on when it begins.

use crate::analyze::timing::tests::times;
use crate::plan::draft::{Draft, HOUR_NS, MINUTE_NS};
use crate::plan::expr::Expr;
use crate::plan::node::{Edge, EdgeWhy, NodeId, NodeKind};
use crate::values::Value;

fn minutes(draft: &mut Draft, ids: &[NodeId]) -> Vec<i64> {
    let times = times(draft);
    let longest = |id: &NodeId| times.nodes[id.0 as usize].longest_ns / MINUTE_NS;
    ids.iter().map(longest).collect()
}

fn when(draft: &mut Draft, around: NodeId, name: &'static str) -> NodeId {
    let holds = Expr::Literal(Value::Bool(true));
    draft.add(Some(around), name, NodeKind::When(holds))
}

#[test]
fn a_group_takes_what_is_in_it_wherever_it_stands() {
    let mut draft = Draft::blank();
    let phase = draft.phase("soak");
    draft.hold(phase, "first", HOUR_NS);
    let group = when(&mut draft, phase, "group");
    let inner = when(&mut draft, group, "inner");
    draft.hold(inner, "second", 30 * MINUTE_NS);
    draft.hold(group, "third", 5 * MINUTE_NS);
    let found = minutes(&mut draft, &[phase, group, inner]);
    assert_eq!(found, [60 + 30 + 5, 30 + 5, 30]);
}

#[test]
fn a_canary_behind_a_hold_takes_what_its_stages_take() {
    let mut draft = Draft::blank();
    let phase = draft.phase("rollout");
    let step = draft.step(phase, "release", "api");
    draft.edit_step(step).timeout_ns = MINUTE_NS;
    draft.hold(phase, "first", HOUR_NS);
    let canary = draft.canary(phase, "canary", step);
    for weight in [50, 100] {
        let stage = draft.stage(canary, weight, 10 * MINUTE_NS);
        if let NodeKind::Stage(stage) = &mut draft.node(stage).kind {
            stage.within_ns = 2 * MINUTE_NS;
        }
    }
    if let NodeKind::Canary(canary) = &mut draft.node(canary).kind {
        canary.promote_timeout_ns = 3 * MINUTE_NS;
    }
    assert_eq!(minutes(&mut draft, &[phase, canary]), [1 + 60 + 27, 27]);
}

/// A section begins with its phase, and what is in it may have to wait.
#[test]
fn a_section_takes_its_waiting_too() {
    let mut draft = Draft::blank();
    let phase = draft.phase("soak");
    let first = draft.section(phase, "first");
    draft.hold(first, "long", HOUR_NS);
    let second = draft.section(phase, "second");
    draft.hold(second, "short", 10 * MINUTE_NS);
    assert_eq!(minutes(&mut draft, &[phase, first, second]), [70, 60, 70]);
}

#[test]
fn waiting_for_an_item_of_another_phase_is_no_time_of_this_one() {
    let mut draft = Draft::blank();
    let (first, second) = (draft.phase("first"), draft.phase("second"));
    let long = draft.hold(first, "long", HOUR_NS);
    let short = draft.hold(second, "short", 10 * MINUTE_NS);
    let loc = draft.node(short).loc;
    draft.node(short).after.push(Edge {
        from: long,
        why: EdgeWhy::After,
        loc,
    });
    assert_eq!(minutes(&mut draft, &[first, second, short]), [60, 10, 10]);
    let whole = times(&mut draft);
    assert_eq!(whole.longest_ns, HOUR_NS + 10 * MINUTE_NS);
}
