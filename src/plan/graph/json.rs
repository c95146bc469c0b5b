//! The graph for programs.

use crate::plan::graph::Graph;
use crate::plan::graph::cycle::{HopWhy, cycles};
use crate::plan::node::{EdgeWhy, Node, NodeId, NodeKind};
use serde_json::{Value, json};
use std::collections::HashSet;

/// `{ "nodes": […], "edges": […] }`; nodes are named by their paths, and an edge of a cycle is marked.
pub fn json(nodes: &[Node]) -> Value {
    let path = |id: NodeId| nodes.get(id.0 as usize).map(|node| node.path.as_str());
    let round = edges_of_cycles(nodes);
    let shown: Vec<Value> = nodes
        .iter()
        .map(|node| {
            json!({
                "path": node.path,
                "name": node.name,
                "title": node.title,
                "refs": node.refs,
                "kind": kind(&node.kind),
                "in": node.parent.and_then(path),
            })
        })
        .collect();
    let edges: Vec<Value> = nodes
        .iter()
        .flat_map(|node| node.after.iter().map(move |edge| (node, edge)))
        .map(|(node, edge)| {
            json!({
                "from": path(edge.from),
                "to": node.path,
                "why": why(edge.why),
                "in_cycle": round.contains(&(edge.from, node.id)),
            })
        })
        .collect();
    json!({ "nodes": shown, "edges": edges })
}

/// The pairs whose edge is part of a cycle.
pub fn edges_of_cycles(nodes: &[Node]) -> HashSet<(NodeId, NodeId)> {
    let paths = cycles(&Graph::of(nodes)).into_iter().flatten();
    paths
        .filter(|hop| matches!(hop.why, HopWhy::Waits(_)))
        .map(|hop| (hop.from, hop.to))
        .collect()
}

pub fn kind(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Phase => "phase",
        NodeKind::Section => "section",
        NodeKind::Parallel => "parallel",
        NodeKind::When(_) => "when",
        NodeKind::Check(_) => "check",
        NodeKind::Step(_) => "step",
        NodeKind::Canary(_) => "canary",
        NodeKind::Stage(_) => "stage",
        NodeKind::ConfirmGroup => "confirms",
        NodeKind::Confirm(_) => "confirm",
        NodeKind::Approve(_) => "approve",
        NodeKind::Hold { .. } => "hold",
        NodeKind::Every { .. } => "every",
        NodeKind::Notify(_) => "notify",
    }
}

pub fn why(why: EdgeWhy) -> &'static str {
    match why {
        EdgeWhy::Order => "order",
        EdgeWhy::After => "after",
        EdgeWhy::Data => "data",
        EdgeWhy::Effect => "effect",
        EdgeWhy::Barrier => "barrier",
    }
}
