//! Which item of a plan a person means: its name, one of its refs, or its path.

use crate::plan::Plan;
use crate::plan::node::{Node, NodeKind};

/// What kinds of items a verb can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Confirm,
    Approve,
    Any,
}

/// The one item that fits; else words that say which would.
pub fn find<'p>(plan: &'p Plan, said: &str, wanted: Wanted) -> Result<&'p Node, String> {
    let candidates: Vec<&Node> = plan
        .nodes
        .iter()
        .filter(|node| fits(node, wanted))
        .collect();
    let found: Vec<&Node> = candidates
        .iter()
        .copied()
        .filter(|node| means(node, said))
        .collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(format!(
            "no {} is called `{said}`; there {}",
            noun(wanted),
            all(&candidates)
        )),
        several => Err(format!("`{said}` could mean {}", all(several))),
    }
}

fn fits(node: &Node, wanted: Wanted) -> bool {
    match wanted {
        Wanted::Confirm => matches!(node.kind, NodeKind::Confirm(_)),
        Wanted::Approve => matches!(node.kind, NodeKind::Approve(_)),
        Wanted::Any => true,
    }
}

fn means(node: &Node, said: &str) -> bool {
    node.name.as_deref() == Some(said) || node.path == said || node.refs.iter().any(|id| id == said)
}

fn noun(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Confirm => "`confirm`",
        Wanted::Approve => "`approve`",
        Wanted::Any => "item",
    }
}

const NAMED_MAX: usize = 8;

fn all(nodes: &[&Node]) -> String {
    if nodes.is_empty() {
        return "is none in this plan".to_owned();
    }
    let names: Vec<String> = nodes
        .iter()
        .take(NAMED_MAX)
        .map(|node| format!("`{}`", short(node)))
        .collect();
    let more = nodes.len().saturating_sub(NAMED_MAX);
    match more {
        0 => format!("are {}", names.join(", ")),
        _ => format!("are {} and {more} more", names.join(", ")),
    }
}

/// The shortest word that names it.
pub fn short(node: &Node) -> &str {
    node.name
        .as_deref()
        .or(node.refs.first().map(String::as_str))
        .unwrap_or(&node.path)
}
