//! What somebody signs: the plan, the inputs of the run, the gate, and what was changed before it.
//!
//! **Invariant:** a signature counts for its subject alone. It is void where the gate is about something else when it is
//! heard, and where what the gate has opened to becomes something else before it has left.

use crate::engine::state::{State, Work};
use crate::engine::turn::Turn;
use crate::engine::write::{Leg, Write};
use crate::plan::digest::json;
use crate::plan::node::{NodeId, NodeKind};
use crate::plan::{Plan, deps};
use crate::providers::request::{Intent, Key};
use crate::values::Verdict;
use crate::values::fields::Fields;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Signatures that are worth nothing any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Void {
    /// What has changed.
    pub why: String,
    pub asked: Asked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    NotYet,
    Again,
}

/// What is digested: the keys are sorted.
#[derive(Serialize)]
struct About<'a> {
    plan: &'a str,
    inputs: &'a Fields,
    gate: &'a str,
    changed: BTreeMap<&'a str, Vec<(&'a str, &'a str)>>,
}

/// `sha256:` and 64 hexadecimal digits; `None` before the run.
pub fn subject(plan: &Plan, state: &State, gate: NodeId) -> Option<String> {
    let run = state.run.as_ref()?;
    let before = deps::waits_for(plan, gate);
    let done = state.writes.iter();
    let done = done.filter(|(_, write)| before.contains(&write.node) && write.forward == Leg::Done);
    let about = About {
        plan: &run.digest,
        inputs: &run.inputs,
        gate: &plan.node(gate)?.path,
        changed: done.map(|(_, write)| changed(plan, write)).collect(),
    };
    let bytes = Sha256::digest(json(&about).as_bytes());
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("sha256:{hex}"))
}

/// As people compare them.
pub fn short(subject: &str) -> &str {
    let digits = subject.strip_prefix("sha256:").unwrap_or(subject);
    digits.get(..12).unwrap_or(digits)
}

fn changed<'a>(plan: &'a Plan, write: &'a Write) -> (&'a str, Vec<(&'a str, &'a str)>) {
    let path = plan.node(write.node).map_or("", |node| &node.path);
    (
        path,
        write
            .intent
            .as_ref()
            .map_or(Vec::new(), |intent| artefact(intent)),
    )
}

/// Each object, and the digest of what it is to become.
fn artefact(intent: &Intent) -> Vec<(&str, &str)> {
    let targets = intent.targets.iter();
    let mut targets: Vec<(&str, &str)> = targets
        .map(|target| (target.object.as_str(), target.desired.as_str()))
        .collect();
    targets.sort_unstable();
    targets
}

/// A change that a gate has opened to is prepared again, and comes to something else: the signatures of that gate are void.
pub fn prepared_again(turn: &mut Turn, key: &Key, now: &Intent) {
    let Some(write) = turn.state.writes.get(key) else {
        return;
    };
    let (id, before) = (write.node, write.intent.as_ref());
    let Some(why) = before.and_then(|before| difference(before, now)) else {
        return;
    };
    let plan = turn.plan;
    let is_step = |id| {
        matches!(
            plan.node(id).map(|node| &node.kind),
            Some(NodeKind::Step(_))
        )
    };
    if !is_step(id) {
        return;
    }
    for gate in deps::waits_for(plan, id) {
        let approves = matches!(
            plan.node(gate).map(|node| &node.kind),
            Some(NodeKind::Approve(_))
        );
        let node = turn.node(gate);
        let signed = node.verdict == Some(Verdict::Pass);
        if approves && signed && matches!(node.work, Work::Gate(_)) {
            let void = Void {
                why: why.clone(),
                asked: Asked::NotYet,
            };
            turn.state.void.insert(gate, void);
        }
    }
}

/// `deployment/shop/shop would become 3f2a…, and was to become 9bc1… when it was signed`
fn difference(before: &Intent, now: &Intent) -> Option<String> {
    let (before, now) = (artefact(before), artefact(now));
    if before == now {
        return None;
    }
    let parted = now.iter().find(|target| !before.contains(target));
    let Some((object, desired)) = parted else {
        return Some("less would be changed than when it was signed".to_owned());
    };
    let was = before.iter().find(|(known, _)| known == object);
    let was = was.map_or("was not to be changed".to_owned(), |(_, was)| {
        format!("was to become {}", short(was))
    });
    let desired = short(desired);
    Some(format!(
        "{object} would become {desired}, and {was} when it was signed"
    ))
}
