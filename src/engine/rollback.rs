//! The way back: the undo of every change that may have left, in reverse dependency order, then the proof of it.
//!
//! Tells run beside it. Branches that do not depend on each other go on when one fails. The canary is shut first, because
//! that takes the traffic off the new version.

use crate::engine::ending::{self, How};
use crate::engine::eval::{Asker, Mode, sampled};
use crate::engine::grid::Sample;
use crate::engine::protocol::{NoteKind, RunOutcome};
use crate::engine::state::{Life, State, Work};
use crate::engine::tell::From;
use crate::engine::turn::{Turn, named};
use crate::engine::write::{self, Leg, Order};
use crate::engine::{check, metric, tell, walk};
use crate::plan::deps;
use crate::plan::expr::{CallExpr, Datum};
use crate::plan::node::{AtMostOnce, Check, NodeId, NodeKind, UndoPlan};
use crate::plan::walk as plan_walk;
use crate::plan::{HandlerEvent, Plan};
use crate::providers::request::Key;
use crate::values::{Instant, Verdict};
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Clone, Debug, Serialize)]
pub struct Rollback {
    /// Its checks have to be decided by then.
    pub until: Option<Instant>,
    pub units: Vec<Unit>,
    pub verifying: Verifying,
    /// What is left, in words.
    pub left: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verifying {
    NotYet,
    Begun,
}

/// What is undone as one: a step, or a canary with all its stages.
#[derive(Clone, Debug, Serialize)]
pub struct Unit {
    pub node: NodeId,
    /// The newest first.
    pub writes: Vec<Key>,
    /// Units that have to be undone before.
    pub after: BTreeSet<NodeId>,
    pub standing: Standing,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Waiting,
    /// The arguments of its written undo are being evaluated.
    Arguments(Sample),
    /// Its written undo is carried out.
    Written(Key),
    /// Its changes go back, one after the other; this one at the moment.
    Back(Key),
    Done,
    Left(String),
}

impl Standing {
    fn is_over(&self) -> bool {
        matches!(self, Standing::Done | Standing::Left(_))
    }
}

/// The end of the time that the plan gives, while a rollback runs.
pub fn budget_end(state: &State) -> Option<Instant> {
    match &state.ending.as_ref()?.how {
        How::Rollback(rollback) => rollback.until,
        How::Stop => None,
    }
}

pub fn begin(turn: &mut Turn, cause: &str) -> Rollback {
    let plan = turn.plan;
    let written = plan.rollback.as_ref();
    for (index, _) in (0u32..).zip(written.map_or(&[][..], |rollback| &rollback.notices)) {
        let key = turn.key_of(&format!("rollback/tell/{index}"));
        tell::post(turn, key, From::Rollback(index), cause);
    }
    Rollback {
        until: written.map(|rollback| turn.state.now.plus(rollback.within_ns)),
        units: units(turn),
        verifying: Verifying::NotYet,
        left: Vec::new(),
    }
}

pub fn advance(turn: &mut Turn) {
    let count = units_of(turn).map_or(0, |units| units.len());
    for index in 0..count {
        advance_unit(turn, index);
    }
    let Some(units) = units_of(turn) else {
        return;
    };
    if !units.iter().all(|unit| unit.standing.is_over()) {
        return;
    }
    let left: Vec<String> = units
        .iter()
        .filter_map(|unit| match &unit.standing {
            Standing::Left(why) => Some(left_words(turn, unit.node, why)),
            _ => None,
        })
        .collect();
    match left.is_empty() {
        true => verify(turn),
        false => end_incomplete(turn, left),
    }
}

/// Every node whose change may have left, the newest first. What is kept and what never left needs no way back.
fn units(turn: &Turn) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for write in turn.state.writes.values().rev() {
        let Some(owner) = owner(turn, write.node) else {
            continue;
        };
        if ending::is_kept(turn, owner) || write.issued == 0 {
            continue;
        }
        match units.iter_mut().find(|unit| unit.node == owner) {
            Some(unit) => unit.writes.push(write.key.clone()),
            None => units.push(Unit {
                node: owner,
                writes: vec![write.key.clone()],
                after: BTreeSet::new(),
                standing: Standing::Waiting,
            }),
        }
    }
    order(turn.plan, &mut units);
    units
}

/// What was built on a unit goes back before it; and traffic goes back first, before all that has nothing to do with any
/// canary. What waited for a canary is built on it, so there is no circle.
fn order(plan: &Plan, units: &mut [Unit]) {
    let waits: Vec<(NodeId, BTreeSet<NodeId>)> = units
        .iter()
        .map(|unit| (unit.node, deps::waits_for(plan, unit.node)))
        .collect();
    let is_canary = |id: &NodeId| {
        let kind = plan.node(*id).map(|node| &node.kind);
        matches!(kind, Some(NodeKind::Canary(_)))
    };
    let canaries: BTreeSet<NodeId> = waits.iter().map(|(id, _)| *id).filter(is_canary).collect();
    for (unit, (node, sources)) in units.iter_mut().zip(&waits) {
        let apart = !canaries.contains(node) && sources.is_disjoint(&canaries);
        let built_on_it = waits
            .iter()
            .filter(|(_, sources)| sources.contains(node))
            .map(|(id, _)| *id);
        unit.after = built_on_it.collect();
        if apart {
            unit.after.extend(&canaries);
        }
        unit.after.remove(node);
    }
}

/// A stage belongs to its canary.
fn owner(turn: &Turn, id: NodeId) -> Option<NodeId> {
    let node = turn.plan.node(id)?;
    match &node.kind {
        NodeKind::Stage(_) => node.parent,
        _ => Some(id),
    }
}

fn advance_unit(turn: &mut Turn, index: usize) {
    let Some(unit) = units_of(turn).and_then(|units| units.get(index)).cloned() else {
        return;
    };
    match unit.standing {
        Standing::Waiting => {
            if let Some(standing) = begin_unit(turn, &unit) {
                stand(turn, index, standing);
            }
        }
        Standing::Arguments(ref sample) => {
            if let Some(standing) = written_undo(turn, &unit, sample.clone()) {
                stand(turn, index, standing);
            }
        }
        Standing::Written(ref key) => {
            if let Some(standing) = written_standing(turn, key) {
                stand(turn, index, standing);
            }
        }
        Standing::Back(ref key) => {
            if let Some(standing) = back_standing(turn, &unit, key) {
                stand(turn, index, standing);
            }
        }
        Standing::Done | Standing::Left(_) => {}
    }
}

/// A unit begins when what was built on it is undone, and when what it had in flight has ended.
fn begin_unit(turn: &mut Turn, unit: &Unit) -> Option<Standing> {
    for before in &unit.after {
        let other = units_of(turn)?.iter().find(|other| other.node == *before)?;
        match &other.standing {
            Standing::Done => {}
            Standing::Left(_) => {
                let name = turn.plan.node(*before).map(named).unwrap_or_default();
                return Some(Standing::Left(format!("{name}, built on it, is left")));
            }
            _ => return None,
        }
    }
    let writes = || {
        unit.writes
            .iter()
            .filter_map(|key| turn.state.writes.get(key))
    };
    if !writes().all(|write| write.forward.is_settled()) {
        return None;
    }
    if writes().all(|write| matches!(write.forward, Leg::NotDone(_))) {
        return Some(Standing::Done);
    }
    match turn.plan.node(unit.node).map(|node| &node.kind) {
        Some(NodeKind::Step(step)) => match &step.undo {
            UndoPlan::Derived { .. } => next_back(turn, unit),
            UndoPlan::Written { .. } => {
                let at = turn.now();
                Some(Standing::Arguments(Sample::begun(at)))
            }
            UndoPlan::Keep { .. } => Some(Standing::Done),
            UndoPlan::Irreversible { why } => {
                Some(Standing::Left(format!("it cannot be undone: {why}")))
            }
        },
        Some(NodeKind::Canary(_)) => next_back(turn, unit),
        _ => Some(Standing::Done),
    }
}

/// Begins the way back of the newest change that is not back yet.
fn next_back(turn: &mut Turn, unit: &Unit) -> Option<Standing> {
    for key in &unit.writes {
        let Some(write) = turn.state.writes.get(key) else {
            continue;
        };
        let nothing = write
            .intent
            .as_ref()
            .is_none_or(|intent| intent.inverse.is_null());
        if nothing || matches!(write.forward, Leg::NotDone(_)) || write.back == Some(Leg::Done) {
            continue;
        }
        write::undo(turn, key, timeout_ns(turn.plan, unit.node));
        return Some(Standing::Back(key.clone()));
    }
    Some(Standing::Done)
}

fn back_standing(turn: &mut Turn, unit: &Unit, key: &Key) -> Option<Standing> {
    let leg = turn.state.writes.get(key)?.back.clone()?;
    match over(&leg)? {
        Ok(()) => next_back(turn, unit),
        Err(why) => Some(Standing::Left(why)),
    }
}

/// How long each change of the unit may take to go back.
fn timeout_ns(plan: &Plan, unit: NodeId) -> i64 {
    match plan.node(unit).map(|node| &node.kind) {
        Some(NodeKind::Canary(canary)) => canary.undo_timeout_ns,
        Some(NodeKind::Step(step)) => match &step.undo {
            UndoPlan::Derived { timeout_ns, .. } => *timeout_ns,
            _ => 0,
        },
        _ => 0,
    }
}

fn written_undo(turn: &mut Turn, unit: &Unit, mut sample: Sample) -> Option<Standing> {
    let plan = turn.plan;
    let (call, timeout_ns) = undo_call(plan.node(unit.node).map(|node| &node.kind))?;
    let asker = Asker {
        at: sample.at,
        mode: Mode::Gate,
        canary: metric::canary_at(turn.plan, turn.state, Some(unit.node)),
        cause: "",
    };
    match sampled(turn, &mut sample, asker, |eval| eval.call(call)) {
        None => Some(Standing::Arguments(sample)),
        Some(Err(trouble)) => Some(Standing::Left(trouble.reason())),
        Some(Ok(call)) => {
            let key = turn.key(unit.node, "undo");
            let order = Order {
                key: key.clone(),
                node: unit.node,
                call,
                timeout_ns,
                at_most_once: AtMostOnce::No,
            };
            write::prepare(turn, order);
            Some(Standing::Written(key))
        }
    }
}

fn undo_call(kind: Option<&NodeKind>) -> Option<(&CallExpr, i64)> {
    match kind? {
        NodeKind::Step(step) => match &step.undo {
            UndoPlan::Written {
                call, timeout_ns, ..
            } => Some((call, *timeout_ns)),
            _ => None,
        },
        _ => None,
    }
}

fn written_standing(turn: &mut Turn, key: &Key) -> Option<Standing> {
    let leg = turn.state.writes.get(key)?.forward.clone();
    if matches!(leg, Leg::Prepared(_)) {
        write::commit(turn, key);
        return None;
    }
    over(&leg).map(|result| match result {
        Ok(()) => Standing::Done,
        Err(why) => Standing::Left(why),
    })
}

fn over(leg: &Leg) -> Option<Result<(), String>> {
    match leg {
        Leg::Done => Some(Ok(())),
        Leg::NotDone(failure)
        | Leg::Unachieved(failure)
        | Leg::Foreign(failure)
        | Leg::Unknown(failure) => Some(Err(failure.message.clone())),
        _ => None,
    }
}

fn stand(turn: &mut Turn, index: usize, standing: Standing) {
    let Some(ending) = &mut turn.state.ending else {
        return;
    };
    let How::Rollback(rollback) = &mut ending.how else {
        return;
    };
    let Some(unit) = rollback.units.get_mut(index) else {
        return;
    };
    if unit.standing == standing {
        return;
    }
    unit.standing = standing.clone();
    let node = unit.node;
    let outcome = match standing {
        Standing::Done => "done".to_owned(),
        Standing::Left(why) => format!("left: {why}"),
        _ => return turn.moved(),
    };
    turn.note(Some(node), NoteKind::Undone { outcome });
    turn.moved();
}

/// The proof of the way back.
fn verify(turn: &mut Turn) {
    let plan = turn.plan;
    let checks = plan
        .rollback
        .as_ref()
        .map_or(&[][..], |rollback| &rollback.verify);
    if let Some(rollback) = rollback_mut(turn)
        && rollback.verifying == Verifying::NotYet
    {
        rollback.verifying = Verifying::Begun;
        for &id in checks {
            if let Some(NodeKind::Check(check)) = plan.node(id).map(|node| &node.kind) {
                let work = check::work(turn, check);
                turn.begin(id);
                turn.node_mut(id).work = Work::Check(work);
                if let Some(step) = never_begun(turn, check) {
                    let why = format!("{step} was never begun");
                    turn.end(id, Verdict::NotApplicable, Some(why));
                }
            }
        }
    }
    for &id in checks {
        if let Some(NodeKind::Check(check)) = plan.node(id).map(|node| &node.kind)
            && turn.node(id).life == Life::Running
        {
            check::advance(turn, id, check);
        }
    }
    if !checks.iter().all(|id| turn.node(*id).life == Life::Ended) {
        return;
    }
    let left: Vec<String> = checks
        .iter()
        .filter(|id| !turn.node(**id).ended_open())
        .map(|id| {
            left_words(
                turn,
                *id,
                turn.node(*id).reason.as_deref().unwrap_or("it failed"),
            )
        })
        .collect();
    match left.is_empty() {
        true => {
            let cause = cause(turn);
            tell::handlers(turn, HandlerEvent::RolledBack, &cause);
            ending::finish(turn, RunOutcome::RolledBack);
        }
        false => end_incomplete(turn, left),
    }
}

/// The change that the proof compares with, when it has never been near the world: then there is nothing to prove of it.
fn never_begun(turn: &Turn, check: &Check) -> Option<String> {
    let reads = plan_walk::reads(turn.plan, plan_walk::of_stmts(&check.body));
    let untouched = |(id, datum): &&(NodeId, Datum)| {
        let mut writes = turn.state.writes.values();
        matches!(datum, Datum::Before | Datum::Result)
            && !writes.any(|write| write.node == *id && write.intent.is_some())
    };
    let (id, _) = reads.nodes.iter().find(untouched)?;
    turn.plan.node(*id).map(named)
}

fn end_incomplete(turn: &mut Turn, left: Vec<String>) {
    let cause = format!("{}; left: {}", cause(turn), left.join("; "));
    if let Some(rollback) = rollback_mut(turn) {
        rollback.left = left;
    }
    let checks = turn
        .plan
        .rollback
        .as_ref()
        .map_or(&[][..], |rollback| &rollback.verify);
    for &id in checks {
        if turn.node(id).life != Life::Ended {
            turn.end(id, Verdict::Cancelled, Some("something is left".to_owned()));
        }
        walk::cancel_inside(turn, id, "something is left");
    }
    tell::handlers(turn, HandlerEvent::RollbackIncomplete, &cause);
    ending::finish(turn, RunOutcome::RollbackIncomplete);
}

fn cause(turn: &Turn) -> String {
    let ending = turn.state.ending.as_ref();
    ending.map_or(String::new(), |ending| ending.cause.clone())
}

fn left_words(turn: &Turn, id: NodeId, why: &str) -> String {
    let name = turn.plan.node(id).map(named).unwrap_or_default();
    format!("{name}: {why}")
}

fn units_of<'t>(turn: &'t Turn) -> Option<&'t Vec<Unit>> {
    match &turn.state.ending.as_ref()?.how {
        How::Rollback(rollback) => Some(&rollback.units),
        How::Stop => None,
    }
}

fn rollback_mut<'t>(turn: &'t mut Turn) -> Option<&'t mut Rollback> {
    match &mut turn.state.ending.as_mut()?.how {
        How::Rollback(rollback) => Some(rollback),
        How::Stop => None,
    }
}
