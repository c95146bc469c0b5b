//! What undoes each change, and from where on there is no way back.

pub mod check;
pub mod irreversible;

#[cfg(test)]
mod tests;

use crate::analyze::timing::rollback::undo_ns;
use crate::plan::Plan;
use crate::plan::facts::{Coverage, Covered, NoReturn, NoReturnWhy};
use crate::plan::graph::{Graph, Point};
use crate::plan::node::{Node, NodeKind, Step, UndoPlan};
use crate::providers::{Undo, catalog};

/// Each change with what undoes it, in the order of the text.
pub fn coverage(plan: &Plan) -> Vec<Covered> {
    let nodes = plan.nodes.iter();
    nodes
        .filter_map(|node| {
            let by = match &node.kind {
                NodeKind::Step(step) => of_step(plan, step),
                NodeKind::Canary(_) => Coverage::Derived,
                _ => return None,
            };
            Some(Covered {
                node: node.id,
                by,
                undo_ns: undo_ns(node).unwrap_or(0),
            })
        })
        .collect()
}

/// Loud ones first, then quiet ones; in the order of the text.
pub fn no_return(plan: &Plan, graph: &Graph) -> Vec<NoReturn> {
    let mut found: Vec<NoReturn> = points(plan, is_irreversible, NoReturnWhy::Irreversible);
    let during = plan.rollback.as_ref().and_then(|rollback| rollback.during);
    if let Some((_, to)) = during {
        let after = graph.reach(Point::End(to));
        // At the end of the plan everything is over anyway.
        let more = plan
            .nodes
            .iter()
            .any(|node| after.has(Point::Start(node.id)));
        found.extend(more.then_some(NoReturn {
            node: to,
            why: NoReturnWhy::RangeEnds,
        }));
    }
    let told = |node: &Node| matches!(node.kind, NodeKind::Notify(_));
    found.extend(points(plan, told, NoReturnWhy::Told));
    found
}

pub fn is_irreversible(node: &Node) -> bool {
    matches!(
        &node.kind,
        NodeKind::Step(Step {
            undo: UndoPlan::Irreversible { .. },
            ..
        })
    )
}

fn points(plan: &Plan, is: fn(&Node) -> bool, why: NoReturnWhy) -> Vec<NoReturn> {
    let nodes = plan.nodes.iter().filter(|node| is(node));
    nodes.map(|node| NoReturn { node: node.id, why }).collect()
}

fn of_step(plan: &Plan, step: &Step) -> Coverage {
    match &step.undo {
        UndoPlan::Derived { .. } if derivable(plan, step) => Coverage::Derived,
        UndoPlan::Derived { .. } => Coverage::Missing,
        UndoPlan::Written { .. } => Coverage::Written,
        UndoPlan::Keep { .. } => Coverage::Kept,
        UndoPlan::Irreversible { .. } => Coverage::Irreversible,
    }
}

/// A function that is not known is reported elsewhere.
fn derivable(plan: &Plan, step: &Step) -> bool {
    let kind = plan
        .provider(&step.call.provider)
        .map(|provider| &*provider.kind);
    let function = kind
        .and_then(catalog::find)
        .and_then(|kind| kind.function(&step.call.function));
    function.is_none_or(|function| function.undo != Undo::Written)
}
