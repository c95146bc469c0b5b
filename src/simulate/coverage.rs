//! What of a plan its tests have seen: phases, rules of watches both ways, ways back, and gates with each answer.

use crate::engine::protocol::{Answer, EventKind, NoteKind};
use crate::engine::state::Life;
use crate::engine::view;
use crate::plan::node::{NodeId, NodeKind, UndoPlan};
use crate::plan::{LocId, Plan};
use crate::simulate::expect::RuleId;
use crate::simulate::expect::facts::Facts;
use crate::simulate::trial::Tried;
use crate::values::Verdict;
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Phase,
    Fired,
    /// Judged to the end, without firing.
    Quiet,
    Undo,
    Given,
    Refused,
    Expired,
}

/// In the order in which they are told.
pub const ALL: [What; 7] = [
    What::Phase,
    What::Fired,
    What::Quiet,
    What::Undo,
    What::Given,
    What::Refused,
    What::Expired,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    Node(NodeId),
    Rule(RuleId),
}

pub type Point = (What, At);

/// All that a test could see of this plan.
pub fn points(plan: &Plan) -> BTreeSet<Point> {
    let mut points = BTreeSet::new();
    for node in &plan.nodes {
        let whats: &[What] = match &node.kind {
            NodeKind::Phase => &[What::Phase],
            NodeKind::Canary(_) => &[What::Undo],
            NodeKind::Step(step) => match step.undo {
                UndoPlan::Derived { .. } | UndoPlan::Written { .. } => &[What::Undo],
                UndoPlan::Keep { .. } | UndoPlan::Irreversible { .. } => &[],
            },
            NodeKind::Confirm(_) | NodeKind::Approve(_) => {
                &[What::Given, What::Refused, What::Expired]
            }
            _ => &[],
        };
        points.extend(whats.iter().map(|what| (*what, At::Node(node.id))));
    }
    for (watch, of) in plan.watches.iter().enumerate() {
        for rule in 0..of.rules.len() {
            let at = At::Rule(RuleId { watch, rule });
            points.extend([(What::Fired, at), (What::Quiet, at)]);
        }
    }
    points
}

/// What one test has seen.
pub fn seen(plan: &Plan, tried: &Tried) -> BTreeSet<Point> {
    let mut seen = BTreeSet::new();
    for (_, note) in &tried.trace.notes {
        match (&note.kind, note.node) {
            (NoteKind::Started, Some(node)) => {
                seen.insert((What::Phase, At::Node(node)));
            }
            (NoteKind::Undone { outcome }, Some(node)) if outcome == "done" => {
                seen.insert((What::Undo, At::Node(node)));
            }
            _ => {}
        }
    }
    let drive = &tried.drive;
    let now = drive.world.now;
    let view = view::view(plan, &drive.state, now);
    for (watch, of) in view.watches.iter().enumerate() {
        for (rule, judged) in of.rules.iter().enumerate() {
            let at = At::Rule(RuleId { watch, rule });
            match judged.fires {
                0 if of.life == Life::Ended => seen.insert((What::Quiet, at)),
                0 => false,
                _ => seen.insert((What::Fired, at)),
            };
        }
    }
    let facts = Facts::new(plan, &tried.trace, &drive.state, drive.span(), now);
    let refused = refused(tried);
    for node in &plan.nodes {
        if !matches!(node.kind, NodeKind::Confirm(_) | NodeKind::Approve(_)) {
            continue;
        }
        let what = match facts.node(node.id).and_then(|lived| lived.verdict) {
            _ if refused.contains(&node.id) => What::Refused,
            Some(Verdict::Pass) => What::Given,
            Some(Verdict::Fail | Verdict::Inconclusive | Verdict::Error) => What::Expired,
            _ => continue,
        };
        seen.insert((what, At::Node(node.id)));
    }
    let possible = points(plan);
    seen.intersection(&possible).copied().collect()
}

fn refused(tried: &Tried) -> BTreeSet<NodeId> {
    let events = tried.drive.journal.iter();
    let said_no = events.filter_map(|event| match &event.kind {
        EventKind::Answered { node, answer, .. } | EventKind::Signed { node, answer, .. }
            if matches!(answer, Answer::No { .. }) =>
        {
            Some(*node)
        }
        _ => None,
    });
    said_no.collect()
}

/// Where it stands in the text, and how it is called.
pub fn place(plan: &Plan, at: At) -> Option<(LocId, String)> {
    match at {
        At::Node(id) => {
            let node = plan.node(id)?;
            let name = node.title.clone().unwrap_or_else(|| node.path.clone());
            Some((node.loc, name))
        }
        At::Rule(id) => {
            let rule = plan.watches.get(id.watch)?.rules.get(id.rule)?;
            let name = rule.title.clone().unwrap_or_else(|| rule.text.to_string());
            Some((rule.loc, name))
        }
    }
}
