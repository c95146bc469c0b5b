//! `for x in INPUT up to N`: the plan has N copies, whatever list a run is given, so its digest does not depend on the list.
//!
//! A copy is a `when` that asks for its element. Copies beyond the list of a run are not applicable, and are not shown; of
//! an empty list the first copy is shown, so that everybody sees that there was nothing to do.

use crate::plan::Plan;
use crate::plan::expr::Expr;
use crate::plan::node::{Node, NodeId, NodeKind, UndoPlan};
use crate::values::fields::Fields;
use crate::values::{Value, show};
use std::collections::BTreeSet;

/// What a run was given, by the names of its inputs.
pub type Inputs = Fields;

/// `hosts[1]`: people count from one.
pub fn name(input: &str, index: u32) -> String {
    format!("{input}[{}]", index.saturating_add(1))
}

/// Stands in a title for an element that only a run knows.
pub fn placeholder(input: &str, index: u32) -> String {
    format!("${{{}}}", name(input, index))
}

/// The element that a copy is for.
pub fn of_copy(node: &Node) -> Option<(&str, u32)> {
    match &node.kind {
        NodeKind::When(Expr::HasElement { input, index }) => Some((input, *index)),
        _ => None,
    }
}

/// Whether a copy is for an element that the list of this run does not have.
pub fn is_beyond(plan: &Plan, inputs: &Inputs, node: &Node) -> bool {
    of_copy(node).is_some_and(|(input, index)| length(plan, inputs, input) <= index as usize)
}

/// Whether a copy is shown: it has its element, or says for all of them that there is none.
pub fn is_shown(plan: &Plan, inputs: &Inputs, node: &Node) -> bool {
    !is_beyond(plan, inputs, node) || matches!(of_copy(node), Some((_, 0)))
}

/// All nodes that a run does not show.
pub fn hidden(plan: &Plan, inputs: &Inputs) -> BTreeSet<NodeId> {
    let mut found = BTreeSet::new();
    // A child stands after its parent.
    for node in &plan.nodes {
        let inside = node.parent.is_some_and(|parent| found.contains(&parent));
        let beyond = is_beyond(plan, inputs, node);
        let below_empty = node
            .parent
            .and_then(|parent| plan.node(parent))
            .is_some_and(|parent| is_beyond(plan, inputs, parent));
        if inside || below_empty || (beyond && !is_shown(plan, inputs, node)) {
            found.insert(node.id);
        }
    }
    found
}

/// The plan as a run shows it: elements stand in the titles. Paths, and so keys, are what they were.
pub fn with_titles(mut plan: Plan, inputs: &Inputs) -> Plan {
    let mut known = Vec::new();
    for input in plan.inputs.iter().filter(|input| input.most.is_some()) {
        let list = inputs.get(&input.name).or(input.default.as_ref());
        for index in 0..input.most.unwrap_or(0) {
            let element = match list {
                Some(Value::List(items)) => items.get(index as usize),
                _ => None,
            };
            let name = name(&input.name, index);
            let shown = element.map_or(name, show::interpolated);
            known.push((placeholder(&input.name, index), shown));
        }
    }
    if !known.is_empty() {
        titles(&mut plan, &mut |title| {
            for (placeholder, shown) in &known {
                if title.contains(placeholder.as_str()) {
                    *title = title.replace(placeholder, shown);
                }
            }
        });
    }
    plan
}

fn length(plan: &Plan, inputs: &Inputs, input: &str) -> usize {
    let written = || {
        let input = plan.inputs.iter().find(|known| known.name == input);
        input.and_then(|input| input.default.as_ref())
    };
    match inputs.get(input).or_else(written) {
        Some(Value::List(items)) => items.len(),
        _ => 0,
    }
}

/// Every title that may stand in a copy.
fn titles(plan: &mut Plan, change: &mut dyn FnMut(&mut String)) {
    for node in &mut plan.nodes {
        node.title.iter_mut().for_each(&mut *change);
        match &mut node.kind {
            NodeKind::Notify(notice) => notice.title.iter_mut().for_each(&mut *change),
            NodeKind::Step(step) => match &mut step.undo {
                UndoPlan::Derived { title, .. } | UndoPlan::Written { title, .. } => {
                    title.iter_mut().for_each(&mut *change);
                }
                UndoPlan::Keep { .. } | UndoPlan::Irreversible { .. } => {}
            },
            _ => {}
        }
    }
    for section in plan
        .watches
        .iter_mut()
        .flat_map(|watch| &mut watch.sections)
    {
        section.title.iter_mut().for_each(&mut *change);
    }
    for rule in plan.watches.iter_mut().flat_map(|watch| &mut watch.rules) {
        rule.title.iter_mut().for_each(&mut *change);
    }
}
