//! What waits for what: the edges that follow from what items do to the world, and from what they read.
//!
//! Reads run together. A write waits for what is above it, and what is below waits for it; so does a hold. People who are
//! asked hold up steps and gates, not checks. A message waits for what is above it, and nothing waits for a message.
//! `order` and `after` are written by people and are in the plan already; they, `parallel` and data override the rest.

pub mod check;
pub mod data;
mod effects;
pub mod objects;

use crate::plan::Plan;
use crate::plan::node::{Edge, NodeId};

/// Adds the edges of data and effects to [`crate::plan::node::Node::after`], once.
pub fn fill(plan: &mut Plan) {
    let data = data::edges(plan);
    add(plan, data);
    let effects = effects::edges(plan);
    add(plan, effects);
    for node in &mut plan.nodes {
        // What comes first stays: where two reasons make the same edge, what a person wrote is told, then what is read.
        node.after.sort_by_key(|edge| edge.from);
        node.after.dedup_by_key(|edge| edge.from);
    }
}

fn add(plan: &mut Plan, edges: Vec<(NodeId, Edge)>) {
    for (later, edge) in edges {
        if let Some(node) = plan.nodes.get_mut(later.0 as usize) {
            node.after.push(edge);
        }
    }
}

#[cfg(test)]
mod tests;
