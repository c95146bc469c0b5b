//! Numbers of what runs side by side.

use crate::plan::draft::Draft;
use crate::plan::node::{EdgeWhy, NodeId};
use crate::plan::print::happens::waves;

fn numbers(draft: &Draft, ids: &[NodeId]) -> Vec<usize> {
    let found = waves(&draft.plan, ids);
    let number = |id: &NodeId| found.iter().find(|(_, known)| known == id).unwrap().0;
    ids.iter().map(number).collect()
}

#[test]
fn what_waits_for_nothing_is_first_and_what_waits_comes_after_all_of_it() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    let ids = ["a", "b", "c", "d"].map(|name| draft.check(phase, name));
    draft.wait(ids[2], ids[0], EdgeWhy::Effect);
    draft.wait(ids[2], ids[1], EdgeWhy::Effect);
    draft.wait(ids[3], ids[2], EdgeWhy::Effect);
    assert_eq!(numbers(&draft, &ids), [1, 1, 2, 3]);
}

#[test]
fn what_waits_for_a_part_of_a_neighbour_waits_for_the_neighbour() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    let group = draft.section(phase, "group");
    let inner = draft.check(group, "inner");
    let below = draft.check(phase, "below");
    draft.wait(below, inner, EdgeWhy::Effect);
    assert_eq!(numbers(&draft, &[group, below]), [1, 2]);
}

#[test]
fn a_cycle_is_numbered_too() {
    let mut draft = Draft::blank();
    let (a, b) = (draft.phase("a"), draft.phase("b"));
    draft.wait(a, b, EdgeWhy::After);
    draft.wait(b, a, EdgeWhy::After);
    assert_eq!(numbers(&draft, &[a, b]).len(), 2);
}
