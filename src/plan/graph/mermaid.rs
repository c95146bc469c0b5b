//! The graph for Mermaid, as Markdown pages show it.

use crate::plan::graph::dot::label;
use crate::plan::graph::json::edges_of_cycles;
use crate::plan::node::{EdgeWhy, NESTING_MAX, Node, NodeKind};
use std::fmt::Write;

pub fn mermaid(nodes: &[Node]) -> String {
    let mut out = String::from("flowchart LR\n");
    for node in nodes.iter().filter(|node| node.parent.is_none()) {
        draw(&mut out, nodes, node, 1);
    }
    let round = edges_of_cycles(nodes);
    let mut red = Vec::new();
    let mut count = 0;
    for node in nodes {
        for edge in &node.after {
            if nodes.get(edge.from.0 as usize).is_none() {
                continue;
            }
            let arrow = match edge.why {
                EdgeWhy::Data => "-. reads .->",
                EdgeWhy::After => "-- after -->",
                EdgeWhy::Order | EdgeWhy::Effect | EdgeWhy::Barrier => "-->",
            };
            let _ = writeln!(out, "  n{} {arrow} n{}", edge.from.0, node.id.0);
            if round.contains(&(edge.from, node.id)) {
                red.push(count.to_string());
            }
            count += 1;
        }
    }
    if !red.is_empty() {
        let _ = writeln!(out, "  linkStyle {} stroke:red", red.join(","));
    }
    out
}

fn draw(out: &mut String, nodes: &[Node], node: &Node, depth: usize) {
    let pad = "  ".repeat(depth);
    let name = format!("n{}", node.id.0);
    let text = quoted(&label(node));
    if node.children.is_empty() || depth > NESTING_MAX {
        let (open, close) = match &node.kind {
            NodeKind::Step(_) | NodeKind::Stage(_) => ("[[", "]]"),
            NodeKind::Confirm(_) | NodeKind::Approve(_) => ("{{", "}}"),
            _ => ("[", "]"),
        };
        let _ = writeln!(out, "{pad}{name}{open}{text}{close}");
        return;
    }
    let _ = writeln!(out, "{pad}subgraph {name}[{text}]");
    for child in &node.children {
        if let Some(child) = nodes.get(child.0 as usize) {
            draw(out, nodes, child, depth + 1);
        }
    }
    let _ = writeln!(out, "{pad}end");
}

/// Mermaid knows entities, but no escapes.
fn quoted(text: &str) -> String {
    let text = text.replace('"', "#quot;").replace('\n', " ");
    format!("\"{text}\"")
}
