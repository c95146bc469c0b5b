//! What is known of a simulated run at a moment: what it said of itself, and how it stands.

use crate::engine::protocol::{Note, NoteKind, RunOutcome};
use crate::engine::state::State;
use crate::engine::view::{self, Item, Stand, View};
use crate::plan::Plan;
use crate::plan::node::{NodeId, NodeKind, UndoPlan};
use crate::simulate::expect::RuleId;
use crate::values::{Instant, Verdict};
use std::collections::BTreeMap;

/// Everything that a run said, and when.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub notes: Vec<(Instant, Note)>,
}

/// A run as it stands at one moment.
pub struct Facts<'a> {
    pub plan: &'a Plan,
    pub trace: &'a Trace,
    pub view: View,
    /// The first moment and the last, as the run's journal has them.
    pub began: Instant,
    pub newest: Instant,
    items: BTreeMap<NodeId, Lived>,
}

#[derive(Clone, Copy, Debug)]
pub struct Lived {
    pub started: Option<Instant>,
    pub ended: Option<Instant>,
    pub verdict: Option<Verdict>,
}

impl Trace {
    pub fn add(&mut self, at: Instant, notes: Vec<Note>) {
        self.notes.extend(notes.into_iter().map(|note| (at, note)));
    }

    /// Undone nodes, in the order in which they were, with what became of it.
    pub fn undone(&self) -> impl Iterator<Item = (NodeId, &str)> {
        self.notes
            .iter()
            .filter_map(|(_, note)| match (&note.kind, note.node) {
                (NoteKind::Undone { outcome }, Some(node)) => Some((node, outcome.as_str())),
                _ => None,
            })
    }
}

impl<'a> Facts<'a> {
    pub fn new(
        plan: &'a Plan,
        trace: &'a Trace,
        state: &State,
        (began, newest): (Instant, Instant),
        now: Instant,
    ) -> Facts<'a> {
        let view = view::view(plan, state, now);
        let mut items = BTreeMap::new();
        let verify = view.rollback.iter().flat_map(|back| &back.verify);
        for item in view.items.iter().chain(verify) {
            flatten(item, &mut items);
        }
        Facts {
            plan,
            trace,
            view,
            began,
            newest,
            items,
        }
    }

    pub fn node(&self, id: NodeId) -> Option<Lived> {
        self.items.get(&id).copied()
    }

    pub fn outcome(&self) -> Option<RunOutcome> {
        match self.view.stand {
            Stand::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }

    pub fn rollback_since(&self) -> Option<Instant> {
        self.view.rollback.as_ref().map(|back| back.since)
    }

    pub fn fired(&self, id: RuleId) -> bool {
        let watch = self.view.watches.get(id.watch);
        let rule = watch.and_then(|watch| watch.rules.get(id.rule));
        rule.is_some_and(|rule| rule.fires > 0)
    }

    /// A rule passes when it had evidence to its end and never fired.
    pub fn rule_verdict(&self, id: RuleId) -> Option<Verdict> {
        match self.fired(id) {
            true => Some(Verdict::Fail),
            false => self.view.watches.get(id.watch).and_then(|it| it.verdict),
        }
    }

    /// Names of the steps that were carried out and that a rollback leaves as they are.
    pub fn kept(&self) -> Vec<String> {
        let steps = self.plan.nodes.iter().filter(|node| match &node.kind {
            NodeKind::Step(step) => {
                matches!(
                    step.undo,
                    UndoPlan::Keep { .. } | UndoPlan::Irreversible { .. }
                ) && self.node(node.id).is_some_and(|it| it.started.is_some())
            }
            _ => false,
        });
        steps.map(|node| name_of(self.plan, node.id)).collect()
    }

    /// Names of what was undone; what belongs to one name and was undone in a row is said once.
    pub fn rollback_order(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (node, outcome) in self.trace.undone() {
            let name = name_of(self.plan, node);
            if outcome == "done" && names.last() != Some(&name) {
                names.push(name);
            }
        }
        names
    }
}

/// The name of a node, or of the nearest one around it that has a name.
pub fn name_of(plan: &Plan, id: NodeId) -> String {
    let mut at = plan.node(id);
    while let Some(node) = at {
        if let Some(name) = &node.name {
            return name.clone();
        }
        at = node.parent.and_then(|parent| plan.node(parent));
    }
    plan.node(id)
        .map(|node| node.path.clone())
        .unwrap_or_default()
}

fn flatten(item: &Item, into: &mut BTreeMap<NodeId, Lived>) {
    let lived = Lived {
        started: item.started,
        ended: item.ended,
        verdict: item.verdict,
    };
    into.insert(item.node, lived);
    for inner in &item.items {
        flatten(inner, into);
    }
}
