//! Whether a plan has a way back, and one that proves that it went back.

use crate::analyze::coverage::{coverage, irreversible};
use crate::analyze::order::check::name;
use crate::analyze::places::Places;
use crate::analyze::timing::rollback::undo_ns;
use crate::diagnostics::codes::order::{NO_ROLLBACK, STEP_WITHOUT_UNDO, VERIFY_PROVES_NOTHING};
use crate::diagnostics::{Diagnostic, Severity};
use crate::plan::expr::CallExpr;
use crate::plan::facts::Coverage;
use crate::plan::graph::Graph;
use crate::plan::node::{Node, NodeKind};
use crate::plan::walk::{of_node, reads};
use crate::plan::{Plan, Rollback};
use std::collections::BTreeSet;

pub fn check(plan: &Plan, graph: &Graph, places: &Places) -> Vec<Diagnostic> {
    let mut found = without_undo(plan, places);
    found.extend(irreversible::check(plan, graph, places));
    match &plan.rollback {
        Some(rollback) => found.extend(verified(plan, places, rollback)),
        None => found.extend(no_rollback(plan, places)),
    }
    found
}

fn without_undo(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let missing = coverage(plan)
        .into_iter()
        .filter(|covered| covered.by == Coverage::Missing);
    missing
        .filter_map(|covered| plan.node(covered.node))
        .map(|node| {
            let message = format!("nothing undoes {}", name(node));
            let note = match &node.kind {
                NodeKind::Step(step) => format!(
                    "`{}.{}` cannot be undone from the object as it was before",
                    step.call.provider, step.call.function
                ),
                _ => String::new(),
            };
            Diagnostic::new(&STEP_WITHOUT_UNDO, places.span(node.loc), message)
                .help("write `undo CALL timeout T`, `keep \"why\"` or `irreversible \"why\"`")
                .note(note)
        })
        .collect()
}

fn no_rollback(plan: &Plan, places: &Places) -> Option<Diagnostic> {
    let first = plan.nodes.iter().find(|node| undo_ns(node).is_some())?;
    let message = "this plan changes something and has no `rollback`";
    Some(
        Diagnostic::new(&NO_ROLLBACK, places.span(first.loc), message)
            .label("the first change")
            .help("write `rollback within T { verify … }`: how long it may take, and how to see that it worked")
            .note("what is undone is known without it, but neither its budget nor whether it worked"),
    )
}

/// A new version answers `/health` too: something has to tell the old one from it.
fn verified(plan: &Plan, places: &Places, rollback: &Rollback) -> Option<Diagnostic> {
    let changed: BTreeSet<&str> = plan
        .nodes
        .iter()
        .filter(|node| undo_ns(node).is_some())
        .filter_map(|node| match &node.kind {
            NodeKind::Step(step) => Some(&*step.call.provider),
            _ => None,
        })
        .collect();
    if changed.is_empty() {
        return None;
    }
    let checks: Vec<&Node> = rollback
        .verify
        .iter()
        .filter_map(|id| plan.node(*id))
        .collect();
    let Some(first) = checks.first() else {
        let message = "this rollback verifies nothing";
        let mut diagnostic =
            Diagnostic::new(&VERIFY_PROVES_NOTHING, places.span(rollback.loc), message)
                .help("write a `verify` that tells the old version from the new one");
        diagnostic.severity = Severity::Note;
        return Some(diagnostic);
    };
    if checks.iter().any(|check| proves(plan, check, &changed)) {
        return None;
    }
    let message = "no `verify` of this rollback reads anything that it has changed";
    Some(
        Diagnostic::new(&VERIFY_PROVES_NOTHING, places.span(first.loc), message)
            .label("the new version would pass it too")
            .help("compare with `NAME.before` of a step, read the changed object, or measure the traffic"),
    )
}

/// Whether a check reads a result, a measure, or the system that was changed.
fn proves(plan: &Plan, check: &Node, changed: &BTreeSet<&str>) -> bool {
    let reads = reads(plan, of_node(check));
    let of_changed = |call: &&CallExpr| changed.contains(&*call.provider);
    !reads.nodes.is_empty()
        || !reads.metrics.is_empty()
        || !reads.pods.is_empty()
        || reads.calls.iter().any(of_changed)
}
