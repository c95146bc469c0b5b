//! An event is taken in; then everything that follows from it and from the time is done, until nothing more follows.
//!
//! At one instant: abort, then watches, checks, deadlines, approvals, success.

use crate::engine::agenda::{Visitor, Waiter};
use crate::engine::ending::By;
use crate::engine::pause::Cause;
use crate::engine::people::Said;
use crate::engine::protocol::{Actor, Effect, Event, EventKind, NoteKind, ReadId, RunOutcome};
use crate::engine::start::First;
use crate::engine::state::{Life, Passage};
use crate::engine::turn::{Moved, Turn};
use crate::engine::write::{Leg, Write};
use crate::engine::{
    check, ending, evidence, pause, people, resume, start, tell, walk, watch, write,
};
use crate::plan::deps;
use crate::plan::node::{NodeId, NodeKind};
use crate::providers::request::Failure;
use crate::values::{Instant, Value, Verdict, show};
use std::collections::BTreeSet;

pub fn take(turn: &mut Turn, event: Event) {
    let before = turn.state.now;
    turn.state.now = before.max(event.at);
    match event.kind {
        EventKind::Started {
            run,
            digest,
            inputs,
            by,
        } => {
            let first = First {
                run,
                digest,
                inputs,
                by,
            };
            start::begin(turn, first);
        }
        kind => {
            if turn.state.run.is_none() {
                return;
            }
            absorb(turn, kind, before);
        }
    }
    settle(turn);
    ending::say(turn);
    wake(turn);
    let now = turn.now();
    turn.state.moments.forget(now);
}

fn absorb(turn: &mut Turn, kind: EventKind, before: Instant) {
    match kind {
        EventKind::Started { .. } => {}
        // Even one that is too early has used up the wake.
        EventKind::Tick => turn.state.wake = None,
        EventKind::Read { id, result } => answer(turn, id, result),
        EventKind::Prepared { key, result } => write::prepared(turn, &key, result),
        EventKind::Committed {
            key,
            direction,
            outcome,
        } => write::committed(turn, &key, direction, outcome),
        EventKind::Observed {
            key,
            direction,
            observation,
        } => write::observed(turn, &key, direction, observation),
        EventKind::Told { key, result } => tell::told(turn, &key, result),
        EventKind::Answered {
            node,
            by,
            role,
            answer,
            subject,
        }
        | EventKind::Signed {
            node,
            by,
            role,
            answer,
            subject,
        } => {
            let at = turn.now();
            let said = Said {
                at,
                by,
                role,
                answer,
            };
            people::hear(turn, node, said, subject.as_deref());
        }
        EventKind::Continued { node, by, reason } => go_on(turn, node, &by, &reason),
        EventKind::Aborted { by, reason } => abort(turn, &by, &reason),
        EventKind::RollbackAsked { by, reason } => roll_back(turn, &by, &reason),
        EventKind::TargetTaken { place, from } => {
            let text = format!("took the lock on the target over from {from} ({place})");
            turn.note(None, NoteKind::Said { text });
        }
        EventKind::Resumed { epoch, .. } => {
            let gap_ns = turn.now().since(before);
            resume::resume(turn, epoch, gap_ns);
        }
    }
}

fn answer(turn: &mut Turn, id: ReadId, result: Result<Value, Failure>) {
    let Some(moment) = turn.state.moments.answered(id) else {
        return;
    };
    for Waiter { visitor, rule } in moment.answer(id, result) {
        if let (Visitor::Watch(watch), Some(rule)) = (visitor, rule) {
            turn.state.agenda.call(watch, rule);
        }
        turn.stir(visitor);
    }
}

/// A person goes on past what is paused: skipped, never passed.
fn go_on(turn: &mut Turn, id: NodeId, by: &Actor, reason: &str) {
    if turn.state.ending.is_some() {
        return;
    }
    let inside: BTreeSet<NodeId> = deps::subtree(turn.plan, id).into_iter().collect();
    let why = format!("skipped by {}: {reason}", by.user);
    let before = turn.state.pauses.len();
    for pause in turn.state.pauses.clone() {
        match pause.cause {
            Cause::Node(paused) if inside.contains(&paused) => {
                pause::release(turn, pause.cause);
                walk::cancel_inside(turn, paused, &why);
                write::cancel_of(turn, paused);
                if turn.node(paused).life == Life::Running {
                    let why = Some(why.clone());
                    turn.end_with(paused, Verdict::Skipped, why, Passage::Open);
                }
            }
            Cause::Rule { watch, .. } | Cause::Blind { watch } => {
                let watch = turn.plan.watches.get(watch as usize);
                if watch.is_some_and(|watch| inside.contains(&watch.from)) {
                    pause::release(turn, pause.cause);
                }
            }
            Cause::Node(_) => {}
        }
    }
    if turn.state.pauses.len() == before {
        turn.say(id, "there is no pause here to go on from");
    }
}

/// Always accepted, and a second time nothing: it leads to a rollback once a step has started, else to a stop.
fn abort(turn: &mut Turn, by: &Actor, reason: &str) {
    if turn.state.ending.is_some() || turn.state.outcome.is_some() {
        return;
    }
    let cause = format!("aborted by {}: {reason}", by.user);
    ending::roll_back(turn, cause, By::Abort(by.clone()));
}

/// Always allowed, also after the end, unless it was rolled back.
fn roll_back(turn: &mut Turn, by: &Actor, reason: &str) {
    let over = turn.state.outcome;
    let nothing_to_do = over == Some(RunOutcome::RolledBack) || !ending::has_begun(turn.state);
    if over.is_some() && nothing_to_do {
        return;
    }
    if over.is_some() || !ending::is_rolling_back(turn.state) {
        turn.state.outcome = None;
        turn.state.said = None;
        turn.state.ending = None;
    }
    let cause = format!("asked by {}: {reason}", by.user);
    ending::roll_back(turn, cause, By::Request(by.clone()));
}

/// More passes than a run of any size needs for one event; a plan that would need more stands still until the next event.
const PASSES_MAX: usize = 1_000_000;

fn settle(turn: &mut Turn) {
    let ringing = turn.state.agenda.ringing(turn.state.now);
    turn.stir_all_of(ringing);
    for _ in 0..PASSES_MAX {
        turn.moved = Moved::No;
        tell::advance(turn);
        let more = pass(turn);
        if turn.moved == Moved::No && more == More::No && !is_stuck(turn) {
            return;
        }
    }
}

/// Whether somebody is to be visited in the next pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum More {
    No,
    Yes,
}

/// Nothing is in flight, nothing is waited for, and it has not ended: no compiled plan comes to this.
/// Whoever is asked is asked up to a moment, so that a question has an alarm.
fn is_stuck(turn: &mut Turn) -> bool {
    let state = &turn.state;
    let writing = |write: &Write| {
        let back = write.back.as_ref().is_some_and(Leg::is_in_flight);
        back || write.forward.is_in_flight()
    };
    let waits = state.agenda.has_alarm()
        || state.ending.is_some()
        || state.outcome.is_some()
        || state.moments.is_any_unanswered()
        || !state.messages.is_empty()
        || state.writes.values().any(writing);
    if waits {
        return false;
    }
    let cause = "nothing in the plan can go on".to_owned();
    ending::roll_back_by_itself(turn, cause, By::Nothing);
    true
}

fn pass(turn: &mut Turn) -> More {
    if turn.state.outcome.is_some() {
        turn.state.agenda.close();
        return More::No;
    }
    if turn.state.ending.is_some() {
        report_asked(turn);
        turn.state.agenda.close();
        turn.visit(Visitor::Plan, ending::advance);
        return More::No;
    }
    let mut has_begun = true;
    turn.visit(Visitor::Plan, |turn| has_begun = window_has_begun(turn));
    if !has_begun {
        return More::No;
    }
    turn.visit(Visitor::Cancelled, write::advance_cancelled);
    while let Some(visitor) = turn.state.agenda.next() {
        visit(turn, visitor);
        if turn.state.ending.is_some() {
            return More::Yes;
        }
    }
    turn.visit(Visitor::Plan, deadlines);
    // What was opened again comes last.
    while turn.state.ending.is_none()
        && let Some(visitor) = turn.state.agenda.next_of_all()
    {
        visit(turn, visitor);
    }
    if turn.state.ending.is_none() && turn.state.phases.iter().all(|id| has_passed(turn, *id)) {
        ending::succeed(turn);
    }
    match turn.state.agenda.turn_over() {
        true => More::Yes,
        false => More::No,
    }
}

/// What was asked before the run was stopped is judged as its answers come.
fn report_asked(turn: &mut Turn) {
    turn.state.agenda.turn_over();
    while let Some(visitor) = turn.state.agenda.next_of_all() {
        if let Visitor::Node(id) = visitor
            && turn.state.asked.contains(&id)
            && let Some(NodeKind::Check(check)) = turn.plan.node(id).map(|node| &node.kind)
        {
            turn.visit(visitor, |turn| check::report(turn, id, check));
        }
    }
}

fn visit(turn: &mut Turn, visitor: Visitor) {
    turn.visit(visitor, |turn| match visitor {
        Visitor::Watch(watch) => watch::advance(turn, watch),
        Visitor::Node(id) if turn.is_reopened(id) => evidence::advance_reopened(turn, id),
        Visitor::Node(id) => walk::advance(turn, id),
        Visitor::Cancelled | Visitor::Plan => {}
    });
}

fn has_passed(turn: &Turn, id: NodeId) -> bool {
    turn.node(id).ended_open()
}

fn window_has_begun(turn: &mut Turn) -> bool {
    match turn.plan.window {
        Some(window) => turn.due(window.from),
        None => true,
    }
}

/// The plan's own ends, then those of pauses.
fn deadlines(turn: &mut Turn) {
    let started = turn.state.run.as_ref().map(|run| run.started);
    if let (Some(started), Some(deadline_ns)) = (started, turn.plan.deadline_ns)
        && turn.due(started.plus(deadline_ns))
    {
        let cause = "the deadline of the plan is over".to_owned();
        return ending::roll_back_by_itself(turn, cause, By::Deadline);
    }
    if let Some(window) = turn.plan.window
        && turn.due(window.to)
    {
        let end = show::instant(window.to);
        let cause = format!("the window of the plan ended at {end}");
        return ending::roll_back_by_itself(turn, cause, By::Window);
    }
    pause::expire(turn);
}

fn wake(turn: &mut Turn) {
    let over = turn.state.outcome.is_some() && turn.state.messages.is_empty();
    let first = turn.state.agenda.first_alarm();
    let Some(at) = first.filter(|_| !over) else {
        turn.state.wake = None;
        return;
    };
    if turn.state.wake != Some(at) {
        turn.state.wake = Some(at);
        turn.effects.push(Effect::Wake { at });
    }
}
