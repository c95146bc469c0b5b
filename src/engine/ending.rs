//! How a run ends: it succeeds, stops, or is rolled back.

use crate::engine::pause::Cause;
use crate::engine::protocol::{Actor, Effect, NoteKind, RunOutcome};
use crate::engine::rollback::Rollback;
use crate::engine::state::{Life, State};
use crate::engine::turn::Turn;
use crate::engine::{check, pause, rollback, tell, walk, watch, write};
use crate::plan::HandlerEvent;
use crate::plan::deps;
use crate::plan::node::{NodeId, NodeKind, UndoPlan};
use crate::providers::request::Key;
use crate::values::{Instant, Verdict};
use serde::Serialize;

/// The run no longer goes forward.
#[derive(Clone, Debug, Serialize)]
pub struct Ending {
    pub cause: String,
    /// The same as data, so that its own causes can be found.
    pub by: By,
    pub since: Instant,
    pub how: How,
}

/// What decided that the run goes no further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// An item's policy, or what a rule or a blind watch does.
    Trouble(Cause),
    /// `deployc abort`, an interrupt.
    Abort(Actor),
    /// `deployc rollback`.
    Request(Actor),
    Deadline,
    Window,
    /// Nothing in the plan could go on.
    Nothing,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Stop,
    Rollback(Rollback),
}

pub fn is_rolling_back(state: &State) -> bool {
    matches!(&state.ending, Some(ending) if matches!(ending.how, How::Rollback(_)))
}

/// Whether a request of any change may have left.
pub fn has_begun(state: &State) -> bool {
    state.writes.values().any(|write| write.issued > 0)
}

/// What runs is cancelled and awaited; nothing is undone.
pub fn stop(turn: &mut Turn, cause: String, by: By) {
    if turn.state.ending.is_some() {
        return;
    }
    interrupt(turn, &cause, &by);
    turn.state.ending = Some(Ending {
        cause,
        by,
        since: turn.state.now,
        how: How::Stop,
    });
    turn.moved();
}

/// A rollback that no person asked for: before the first step it reads as a stop, and so it does outside the range over
/// which the plan arms it.
pub fn roll_back_by_itself(turn: &mut Turn, cause: String, by: By) {
    match is_armed(turn) {
        true => roll_back(turn, cause, by),
        false => stop(turn, cause, by),
    }
}

/// One rollback per run; a rollback is never rolled back.
pub fn roll_back(turn: &mut Turn, cause: String, by: By) {
    if is_rolling_back(turn.state) {
        return;
    }
    if !has_begun(turn.state) {
        return stop(turn, cause, by);
    }
    interrupt(turn, &cause, &by);
    turn.note(
        None,
        NoteKind::RollbackStarted {
            cause: cause.clone(),
        },
    );
    let rollback = rollback::begin(turn, &cause);
    turn.state.ending = Some(Ending {
        cause,
        by,
        since: turn.state.now,
        how: How::Rollback(rollback),
    });
    turn.moved();
}

pub fn advance(turn: &mut Turn) {
    let keys: Vec<Key> = turn.state.writes.keys().cloned().collect();
    for key in &keys {
        write::advance(turn, key);
    }
    match turn.state.ending.as_ref().map(|ending| &ending.how) {
        Some(How::Stop) if all_settled(turn) && turn.state.asked.is_empty() => {
            finish(turn, RunOutcome::Stopped)
        }
        Some(How::Rollback(_)) => rollback::advance(turn),
        Some(How::Stop) | None => {}
    }
}

/// Everything has ended and everything opened.
pub fn succeed(turn: &mut Turn) {
    watch::stop(turn);
    tell::handlers(turn, HandlerEvent::Success, "");
    tell::advance(turn);
    finish(turn, RunOutcome::Succeeded);
}

pub fn finish(turn: &mut Turn, outcome: RunOutcome) {
    give_up_asked(turn, "the run has ended");
    turn.state.outcome = Some(outcome);
    turn.moved();
}

/// Says the end, once its messages have their words.
pub fn say(turn: &mut Turn) {
    if let Some(outcome) = turn.state.outcome
        && turn.state.messages.is_empty()
        && turn.state.said != Some(outcome)
    {
        turn.state.said = Some(outcome);
        turn.effects.push(Effect::Finish(outcome));
    }
}

/// Whether the change is right for the old version too: then nobody waits for it.
pub fn is_kept(turn: &Turn, id: NodeId) -> bool {
    let kind = turn.plan.node(id).map(|node| &node.kind);
    matches!(kind, Some(NodeKind::Step(step)) if matches!(step.undo, UndoPlan::Keep { .. }))
}

/// Nothing goes forward any more: items are cancelled, what may have left is awaited.
fn interrupt(turn: &mut Turn, cause: &str, by: &By) {
    pause::clear(turn);
    watch::stop(turn);
    if let By::Trouble(Cause::Node(_)) = by {
        let asked = check::asked(turn);
        turn.state.asked.extend(asked);
    }
    for id in turn.state.phases.clone() {
        walk::cancel(turn, id, cause);
    }
    let keys: Vec<Key> = turn.state.writes.keys().cloned().collect();
    for key in keys {
        write::cancel(turn, &key);
    }
    for id in turn.state.asked.clone() {
        turn.stir_node(id);
    }
}

/// What was asked before the run was stopped is not waited for any longer.
pub fn give_up_asked(turn: &mut Turn, why: &str) {
    for id in std::mem::take(&mut turn.state.asked) {
        turn.end(id, Verdict::Cancelled, Some(why.to_owned()));
    }
}

fn all_settled(turn: &Turn) -> bool {
    let mut writes = turn.state.writes.values();
    writes.all(|write| write.forward.is_settled() || is_kept(turn, write.node))
}

fn is_armed(turn: &Turn) -> bool {
    let during = turn
        .plan
        .rollback
        .as_ref()
        .and_then(|rollback| rollback.during);
    let Some((from, to)) = during else {
        return true;
    };
    let begun = deps::subtree(turn.plan, from)
        .into_iter()
        .any(|id| turn.node(id).life != Life::Waiting);
    let over = turn.node(to).life == Life::Ended;
    begun && !over
}
