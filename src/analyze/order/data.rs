//! Who reads what of whom: a reader of `NAME.x` comes after NAME.

use crate::plan::Plan;
use crate::plan::expr::Datum;
use crate::plan::node::{Edge, EdgeWhy, Node, NodeId, NodeKind};
use crate::plan::walk::{of_node, reads};
use std::collections::{BTreeSet, HashMap};

/// The later node of each edge, and the edge. What the order of the phases gives already is left out.
pub fn edges(plan: &Plan) -> Vec<(NodeId, Edge)> {
    let mut phases = PhaseOrder::default();
    let mut found = Vec::new();
    for node in plan.nodes.iter().filter(|node| !is_verify(plan, node.id)) {
        for (source, datum) in sources(plan, node) {
            if source == node.id || repeated(plan, source, node.id).is_some() {
                continue;
            }
            // Something inside a group may know when the group began.
            if datum == Datum::Started && is_inside(plan, node.id, source) {
                continue;
            }
            if phases.implies(plan, top(plan, source), top(plan, node.id)) {
                continue;
            }
            let edge = Edge {
                from: source,
                why: EdgeWhy::Data,
                loc: node.loc,
            };
            found.push((node.id, edge));
        }
    }
    found
}

/// The `every` whose ticks make `source`, when `reader` stands outside of it: which of the results would it read?
pub fn repeated(plan: &Plan, source: NodeId, reader: NodeId) -> Option<NodeId> {
    parents(plan, source).find(|group| {
        let kind = plan.node(*group).map(|node| &node.kind);
        matches!(kind, Some(NodeKind::Every { .. })) && !is_inside(plan, reader, *group)
    })
}

/// What a node reads of others; a canary needs the release that it moves.
pub fn sources(plan: &Plan, node: &Node) -> Vec<(NodeId, Datum)> {
    let mut sources = reads(plan, of_node(node)).nodes;
    if let NodeKind::Canary(canary) = &node.kind {
        sources.push((canary.step, Datum::Result));
    }
    sources
}

pub fn is_verify(plan: &Plan, id: NodeId) -> bool {
    let rollback = plan.rollback.as_ref();
    rollback.is_some_and(|rollback| rollback.verify.contains(&id))
}

/// Whether `group` is the node itself, or a group around it.
pub fn is_inside(plan: &Plan, node: NodeId, group: NodeId) -> bool {
    node == group || parents(plan, node).any(|around| around == group)
}

/// The groups around a node, the nearest first.
pub fn parents(plan: &Plan, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
    let parent = |id: NodeId| plan.node(id)?.parent;
    // A tree that is none would have no end.
    std::iter::successors(parent(id), move |at| parent(*at)).take(plan.nodes.len())
}

pub fn top(plan: &Plan, id: NodeId) -> NodeId {
    parents(plan, id).last().unwrap_or(id)
}

/// Which phases come before which, by what was written.
#[derive(Default)]
struct PhaseOrder {
    before: HashMap<NodeId, BTreeSet<NodeId>>,
}

impl PhaseOrder {
    fn implies(&mut self, plan: &Plan, first: NodeId, second: NodeId) -> bool {
        if first == second {
            return false;
        }
        let before = self.before.entry(second);
        before
            .or_insert_with(|| written_before(plan, second))
            .contains(&first)
    }
}

fn written_before(plan: &Plan, phase: NodeId) -> BTreeSet<NodeId> {
    let mut found = BTreeSet::new();
    let mut open = vec![phase];
    while let Some(at) = open.pop() {
        let edges = plan.node(at).into_iter().flat_map(|node| &node.after);
        for edge in edges.filter(|edge| matches!(edge.why, EdgeWhy::Order | EdgeWhy::After)) {
            if found.insert(edge.from) {
                open.push(edge.from);
            }
        }
    }
    found
}
