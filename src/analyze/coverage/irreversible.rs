//! Steps that nothing undoes: behind an approval or at the end of their risk, and not in the middle of what is undone.

use crate::analyze::coverage::is_irreversible;
use crate::analyze::order::check::name;
use crate::analyze::order::data::is_verify;
use crate::analyze::places::Places;
use crate::analyze::timing::rollback::undo_ns;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::order::{
    IRREVERSIBLE_UNGUARDED, UNDO_CROSSES_IRREVERSIBLE, WARN_BEFORE_IRREVERSIBLE,
};
use crate::plan::graph::{Graph, Point, Reach};
use crate::plan::node::{Node, NodeId, NodeKind};
use crate::plan::{Action, Plan, Policy, Watch};

pub fn check(plan: &Plan, graph: &Graph, places: &Places) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for step in plan.nodes.iter().filter(|node| is_irreversible(node)) {
        let around = Around {
            before: graph.origins(Point::Start(step.id)),
        };
        let risk = risk(plan, graph, &around);
        if let Some(risk) = risk {
            if !approved(plan, &around) {
                found.push(unguarded(plan, places, step, risk));
            }
            found.extend(crossed(plan, places, &around, step, risk));
        }
        found.extend(warned(plan, places, &around, step));
    }
    found
}

/// What comes for certain before a step; its own start is the last of it.
struct Around {
    before: Reach,
}

impl Around {
    fn ended_before(&self, id: NodeId) -> bool {
        self.before.has(Point::End(id))
    }
}

/// What may still start a rollback when the step has been done.
#[derive(Clone, Copy)]
enum Risk<'a> {
    Item(&'a Node),
    Watch(&'a Watch),
}

fn risk<'a>(plan: &'a Plan, graph: &Graph, around: &Around) -> Option<Risk<'a>> {
    let watch = plan.watches.iter().find(|watch| {
        let rules = watch.rules.iter().map(|rule| &rule.actions);
        let blind = watch.no_data.iter().map(|no_data| &no_data.actions);
        let mut actions = rules.chain(blind).flatten();
        !around.ended_before(watch.to) && actions.any(action_rolls_back)
    });
    if let Some(watch) = watch {
        return Some(Risk::Watch(watch));
    }
    // Behind its range, a rollback starts by a person only.
    let range = plan.rollback.as_ref().and_then(|rollback| rollback.during);
    let behind = range.map(|(_, to)| graph.reach(Point::End(to)));
    let may_fail = |node: &&Node| {
        let start = Point::Start(node.id);
        !around.before.has(start)
            && !behind.as_ref().is_some_and(|behind| behind.has(start))
            && !is_verify(plan, node.id)
    };
    let mut nodes = plan.nodes.iter().filter(may_fail);
    nodes
        .find(|node| judged(node) && item_rolls_back(node))
        .map(Risk::Item)
}

fn judged(node: &Node) -> bool {
    matches!(
        node.kind,
        NodeKind::Check(_)
            | NodeKind::Step(_)
            | NodeKind::Stage(_)
            | NodeKind::Canary(_)
            | NodeKind::When(_)
            | NodeKind::Confirm(_)
            | NodeKind::Approve(_)
    )
}

fn item_rolls_back(node: &Node) -> bool {
    let policies = &node.policies;
    let silent = policies.no_data.as_ref().map(|(_, policy)| policy);
    // Where nothing is written, a failure rolls back once a step has started.
    let written = [&policies.fail, &policies.error, &policies.inconclusive];
    written
        .iter()
        .any(|policy| policy.as_ref().is_none_or(rolls_back))
        || silent.is_some_and(rolls_back)
}

fn action_rolls_back(action: &Action) -> bool {
    match action {
        Action::Rollback => true,
        Action::Pause { then, .. } => rolls_back(then),
        Action::Notify(_) => false,
    }
}

pub fn rolls_back(policy: &Policy) -> bool {
    match policy {
        Policy::Rollback => true,
        Policy::Stop | Policy::Warn => false,
        Policy::Pause { then, .. } | Policy::Extend { then, .. } => rolls_back(then),
    }
}

fn warns(policy: &Policy) -> bool {
    match policy {
        Policy::Warn => true,
        Policy::Stop | Policy::Rollback => false,
        Policy::Pause { then, .. } | Policy::Extend { then, .. } => warns(then),
    }
}

fn approved(plan: &Plan, around: &Around) -> bool {
    let mut gates = plan
        .nodes
        .iter()
        .filter(|node| matches!(node.kind, NodeKind::Approve(_)));
    gates.any(|gate| around.ended_before(gate.id))
}

fn unguarded(plan: &Plan, places: &Places, step: &Node, risk: Risk<'_>) -> Diagnostic {
    let message = format!("{} cannot be undone, and nobody approves it", name(step));
    let diagnostic = Diagnostic::new(&IRREVERSIBLE_UNGUARDED, places.span(step.loc), message)
        .label("no way back from here")
        .help("put an `approve` before it, or move it behind everything that can still roll back");
    marked(plan, places, diagnostic, risk)
}

/// Changes that would be undone beneath one that stays.
fn crossed(
    plan: &Plan,
    places: &Places,
    around: &Around,
    step: &Node,
    risk: Risk<'_>,
) -> Option<Diagnostic> {
    let undone: Vec<&Node> = plan
        .nodes
        .iter()
        .filter(|node| undo_ns(node).is_some() && around.ended_before(node.id))
        .collect();
    let first = undone.first()?;
    let names: Vec<String> = undone.iter().map(|node| name(node)).collect();
    let message = format!(
        "a rollback after {} undoes {} and leaves it as it is",
        name(step),
        names.join(", ")
    );
    let diagnostic = Diagnostic::new(&UNDO_CROSSES_IRREVERSIBLE, places.span(step.loc), message)
        .label("stays")
        .and(places.span(first.loc), "is undone")
        .help("do it last, or say of it `keep` where the old version is right with it");
    Some(marked(plan, places, diagnostic, risk))
}

fn marked(plan: &Plan, places: &Places, diagnostic: Diagnostic, risk: Risk<'_>) -> Diagnostic {
    match risk {
        Risk::Watch(watch) => {
            let text = format!("\"{}\" can still roll back", watch.title);
            diagnostic.and(places.span(watch.loc), text)
        }
        Risk::Item(node) => {
            let around = crate::analyze::order::data::parents(plan, node.id);
            let phase = around.last().and_then(|phase| plan.node(phase));
            let text = match phase {
                Some(phase) => format!("{} in {} can still roll back", name(node), name(phase)),
                None => format!("{} can still roll back", name(node)),
            };
            diagnostic.and(places.span(node.loc), text)
        }
    }
}

/// A failure that is only shown must not lead to a change that stays.
fn warned(plan: &Plan, places: &Places, around: &Around, step: &Node) -> Option<Diagnostic> {
    let node = plan.nodes.iter().find(|node| {
        let policies = &node.policies;
        let written = [&policies.fail, &policies.error, &policies.inconclusive];
        let warned = written
            .iter()
            .any(|policy| policy.as_ref().is_some_and(warns));
        warned && judged(node) && around.ended_before(node.id)
    })?;
    let message = format!(
        "{} goes on with a warning, and {} after it cannot be undone",
        name(node),
        name(step)
    );
    Some(
        Diagnostic::new(&WARN_BEFORE_IRREVERSIBLE, places.span(node.loc), message)
            .label("may fail and go on")
            .and(places.span(step.loc), "no way back from here")
            .help("let it stop, roll back or pause instead"),
    )
}
