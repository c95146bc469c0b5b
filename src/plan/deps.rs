//! What waits for what, through the tree and its edges.

use crate::plan::Plan;
use crate::plan::node::{NodeId, NodeKind};
use std::collections::BTreeSet;

/// Everything that has to have ended before the node may begin.
pub fn waits_for(plan: &Plan, id: NodeId) -> BTreeSet<NodeId> {
    let mut found = BTreeSet::new();
    let mut open = vec![id];
    while let Some(next) = open.pop() {
        for above in with_parents(plan, next) {
            let Some(node) = plan.node(above) else {
                continue;
            };
            let mut sources: Vec<NodeId> = node.after.iter().map(|edge| edge.from).collect();
            if let NodeKind::Canary(canary) = &node.kind {
                sources.push(canary.step);
            }
            for source in sources {
                for inside in subtree(plan, source) {
                    if found.insert(inside) {
                        open.push(inside);
                    }
                }
            }
        }
    }
    found
}

pub fn subtree(plan: &Plan, id: NodeId) -> Vec<NodeId> {
    let mut found = vec![id];
    let mut at = 0;
    while let Some(next) = found.get(at).copied() {
        if let Some(node) = plan.node(next) {
            found.extend(&node.children);
        }
        at += 1;
    }
    found
}

/// The node itself, then what it is inside of.
pub fn with_parents(plan: &Plan, id: NodeId) -> Vec<NodeId> {
    let mut found = vec![id];
    let mut up = plan.node(id).and_then(|node| node.parent);
    while let Some(parent) = up {
        found.push(parent);
        up = plan.node(parent).and_then(|node| node.parent);
    }
    found
}
