//! The graph for Graphviz: phases and groups as boxes, what waits as arrows, a cycle in red.

use crate::plan::graph::json::{edges_of_cycles, kind};
use crate::plan::node::{Edge, EdgeWhy, NESTING_MAX, Node, NodeId, NodeKind};
use std::collections::HashSet;
use std::fmt::Write;

pub fn dot(title: &str, nodes: &[Node]) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "digraph plan {{");
    let _ = writeln!(
        out,
        "  label={}; labelloc=t; rankdir=LR; compound=true;",
        quoted(title)
    );
    let _ = writeln!(
        out,
        "  node [shape=box, style=rounded, fontname=\"sans-serif\"];"
    );
    for node in nodes.iter().filter(|node| node.parent.is_none()) {
        draw(&mut out, nodes, node, 1);
    }
    let round = edges_of_cycles(nodes);
    for node in nodes {
        for edge in &node.after {
            arrow(&mut out, nodes, edge, node, &round);
        }
    }
    out.push_str("}\n");
    out
}

/// What stands for a node in a picture: its title, else its name.
pub fn label(node: &Node) -> String {
    let words = node.title.as_deref().or(node.name.as_deref());
    let last = node.path.rsplit('/').next().unwrap_or("");
    match (&node.kind, words) {
        (NodeKind::Phase | NodeKind::Section, Some(words)) => words.to_owned(),
        (other, Some(words)) => format!("{}: {words}", kind(other)),
        (_, None) => last.to_owned(),
    }
}

/// A node with children is a box around them, with a point in it for arrows to hold on to.
fn draw(out: &mut String, nodes: &[Node], node: &Node, depth: usize) {
    let pad = "  ".repeat(depth);
    let name = format!("n{}", node.id.0);
    let text = quoted(&label(node));
    if node.children.is_empty() || depth > NESTING_MAX {
        let shape = shape(&node.kind);
        let _ = writeln!(out, "{pad}{name} [label={text}{shape}];");
        return;
    }
    let _ = writeln!(out, "{pad}subgraph cluster_{name} {{");
    let _ = writeln!(out, "{pad}  label={text}; style=rounded;");
    let _ = writeln!(out, "{pad}  {name} [shape=point, style=invis];");
    for child in &node.children {
        if let Some(child) = nodes.get(child.0 as usize) {
            draw(out, nodes, child, depth + 1);
        }
    }
    let _ = writeln!(out, "{pad}}}");
}

fn shape(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Step(_) | NodeKind::Stage(_) => ", style=\"rounded,bold\"",
        NodeKind::Confirm(_) | NodeKind::Approve(_) => ", shape=house",
        NodeKind::Notify(_) => ", shape=note, style=solid",
        _ => "",
    }
}

fn arrow(
    out: &mut String,
    nodes: &[Node],
    edge: &Edge,
    to: &Node,
    round: &HashSet<(NodeId, NodeId)>,
) {
    let Some(from) = nodes.get(edge.from.0 as usize) else {
        return;
    };
    let mut looks = Vec::new();
    if !from.children.is_empty() {
        looks.push(format!("ltail=cluster_n{}", from.id.0));
    }
    if !to.children.is_empty() {
        looks.push(format!("lhead=cluster_n{}", to.id.0));
    }
    match edge.why {
        EdgeWhy::Data => looks.push("style=dashed, label=reads".to_owned()),
        EdgeWhy::After => looks.push("label=after".to_owned()),
        EdgeWhy::Effect | EdgeWhy::Barrier => looks.push("color=gray40".to_owned()),
        EdgeWhy::Order => {}
    }
    if round.contains(&(from.id, to.id)) {
        looks.push("color=red, penwidth=2".to_owned());
    }
    let looks = match looks.is_empty() {
        true => String::new(),
        false => format!(" [{}]", looks.join(", ")),
    };
    let _ = writeln!(out, "  n{} -> n{}{looks};", from.id.0, to.id.0);
}

fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use crate::plan::draft::{Draft, MINUTE_NS};
    use crate::plan::graph::dot::dot;
    use crate::plan::graph::json::json;
    use crate::plan::graph::mermaid::mermaid;
    use crate::plan::node::EdgeWhy;

    fn broken() -> Draft {
        let mut draft = Draft::blank();
        let phases = draft.chain(&["deploy", "verify"]);
        let step = draft.step(phases[0], "release", "api");
        draft.node(step).title = Some("Say \"go\"".to_owned());
        let gate = draft.approve(phases[1], "go", MINUTE_NS);
        draft.wait(step, gate, EdgeWhy::After);
        draft
    }

    #[test]
    fn a_broken_plan_is_drawn_for_graphviz() {
        insta::assert_snapshot!(dot("Demo", &broken().plan.nodes), @r#"
digraph plan {
  label="Demo"; labelloc=t; rankdir=LR; compound=true;
  node [shape=box, style=rounded, fontname="sans-serif"];
  subgraph cluster_n0 {
    label="deploy"; style=rounded;
    n0 [shape=point, style=invis];
    n2 [label="step: Say \"go\"", style="rounded,bold"];
  }
  subgraph cluster_n1 {
    label="verify"; style=rounded;
    n1 [shape=point, style=invis];
    n3 [label="approve: go", shape=house];
  }
  n0 -> n1 [ltail=cluster_n0, lhead=cluster_n1, color=red, penwidth=2];
  n3 -> n2 [label=after, color=red, penwidth=2];
}
"#);
    }

    #[test]
    fn a_broken_plan_is_drawn_for_mermaid() {
        insta::assert_snapshot!(mermaid(&broken().plan.nodes), @r#"
flowchart LR
  subgraph n0["deploy"]
    n2[["step: Say #quot;go#quot;"]]
  end
  subgraph n1["verify"]
    n3{{"approve: go"}}
  end
  n0 --> n1
  n3 -- after --> n2
  linkStyle 0,1 stroke:red
"#);
    }

    #[test]
    fn a_broken_plan_is_written_as_json() {
        let graph = json(&broken().plan.nodes);
        assert_eq!(graph["nodes"][2]["kind"], "step");
        assert_eq!(graph["edges"][1]["from"], "verify/go");
        assert_eq!(graph["edges"][1]["in_cycle"], true);
        assert_eq!(graph["nodes"][3]["in"], "verify");
    }

    #[test]
    fn a_tree_of_any_depth_is_drawn() {
        let mut draft = Draft::blank();
        let mut at = draft.phase("deep");
        for _ in 0..5_000 {
            at = draft.section(at, "s");
        }
        draft.node(at).path = "s".to_owned();
        assert!(dot("Deep", &draft.plan.nodes).ends_with("}\n"));
        assert!(mermaid(&draft.plan.nodes).starts_with("flowchart"));
    }
}
