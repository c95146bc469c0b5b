//! One change, from its intent to its outcome, and back.
//!
//! A change takes three requests: `Prepare` changes nothing and gives the durable intent, `Commit` carries it out, `Observe`
//! finds out what happened when nobody knows. **Invariant:** no commit before its intent, and no second commit of one
//! direction without an observation between.

use crate::engine::protocol::{Effect, NoteKind};
use crate::engine::subject;
use crate::engine::turn::Turn;
use crate::plan::node::{AtMostOnce, NodeId};
use crate::providers::request::{
    Call, Direction, Failure, FailureKind, Intent, Key, Observable, Observation, Outcome,
};
use crate::values::{Instant, Value};
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub struct Write {
    pub key: Key,
    pub node: NodeId,
    pub call: Call,
    pub intent: Option<Box<Intent>>,
    pub at_most_once: AtMostOnce,
    pub timeout_ns: i64,
    /// Until then it is tried again where that is harmless.
    pub until: Instant,
    pub forward: Leg,
    /// How often a request of it may have left; above 0 it has to be undone.
    pub issued: u32,
    /// Until when a request of it may have left: one that changes several objects sends several.
    pub sent: Instant,
    pub back: Option<Leg>,
    pub back_issued: u32,
    /// Until then the way back is tried again.
    pub back_until: Instant,
    /// What `NAME.field` reads.
    pub result: Option<Value>,
    pub cancel: Cancel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cancel {
    No,
    /// It is no longer wanted: what is in flight ends, nothing is issued again.
    Asked,
}

/// How far one direction of a change has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    Preparing,
    PrepareAgain(Instant),
    /// The intent is durable since then; nothing was sent.
    Prepared(Instant),
    Committing,
    Observing,
    ObserveAgain(Instant),
    Done,
    /// Certain that it changed nothing.
    NotDone(Failure),
    /// It is there, but did not become what was wanted.
    Unachieved(Failure),
    /// Somebody else changed it since.
    Foreign(Failure),
    /// Nobody knows, and nothing more can be found out.
    Unknown(Failure),
}

/// What a change is made from.
pub struct Order {
    pub key: Key,
    pub node: NodeId,
    pub call: Call,
    pub timeout_ns: i64,
    pub at_most_once: AtMostOnce,
}

impl Leg {
    pub fn is_settled(&self) -> bool {
        matches!(
            self,
            Leg::Done | Leg::NotDone(_) | Leg::Unachieved(_) | Leg::Foreign(_) | Leg::Unknown(_)
        )
    }

    pub fn is_in_flight(&self) -> bool {
        matches!(self, Leg::Preparing | Leg::Committing | Leg::Observing)
    }
}

/// Asks for the intent.
pub fn prepare(turn: &mut Turn, order: Order) {
    let write = Write {
        key: order.key.clone(),
        node: order.node,
        call: order.call.clone(),
        intent: None,
        at_most_once: order.at_most_once,
        timeout_ns: order.timeout_ns,
        until: turn.now().plus(order.timeout_ns),
        forward: Leg::Preparing,
        issued: 0,
        sent: turn.now(),
        back: None,
        back_issued: 0,
        back_until: turn.now(),
        result: None,
        cancel: Cancel::No,
    };
    turn.state.writes.insert(order.key.clone(), write);
    turn.moved();
    turn.stir_node(order.node);
    turn.effects.push(Effect::Prepare {
        key: order.key,
        call: order.call,
        timeout_ns: order.timeout_ns.max(1),
    });
}

/// Lets the change leave, once its intent is there. One that has waited, in a pause, looks again first; the wait does not
/// count as its time.
pub fn commit(turn: &mut Turn, key: &Key) {
    const FRESH_NS: i64 = 60_000_000_000;
    let now = turn.now();
    let Some(write) = turn.state.writes.get_mut(key) else {
        return;
    };
    let Leg::Prepared(at) = write.forward else {
        return;
    };
    let waited_ns = now.since(at).max(0);
    write.until = write.until.plus(waited_ns);
    match waited_ns <= FRESH_NS {
        true => issue(turn, key, Direction::Forward),
        false => prepare_again(turn, key),
    }
}

/// Tries again from the start what has never left.
pub fn try_again(turn: &mut Turn, key: &Key) {
    let now = turn.now();
    let Some(write) = turn.state.writes.get_mut(key) else {
        return;
    };
    if write.issued == 0 {
        write.until = now.plus(write.timeout_ns);
        prepare_again(turn, key);
    }
}

/// Cancels what a node still has in flight.
pub fn cancel_of(turn: &mut Turn, id: NodeId) {
    let writes = turn.state.writes.values();
    let own: Vec<Key> = writes
        .filter(|write| write.node == id && !write.forward.is_settled())
        .map(|write| write.key.clone())
        .collect();
    for key in own {
        cancel(turn, &key);
    }
}

/// Finds out what became of changes that are no longer wanted.
pub fn advance_cancelled(turn: &mut Turn) {
    let writes = turn.state.writes.values();
    let open: Vec<Key> = writes
        .filter(|write| write.cancel == Cancel::Asked)
        .map(|write| write.key.clone())
        .collect();
    for key in open {
        advance(turn, &key);
    }
}

/// Begins the way back. Where a rollback before this one has sent it, what became of that is looked at first.
pub fn undo(turn: &mut Turn, key: &Key, timeout_ns: i64) {
    let until = turn.now().plus(timeout_ns);
    let Some(write) = turn.state.writes.get_mut(key) else {
        return;
    };
    write.back_until = until;
    match write.back_issued {
        0 => issue(turn, key, Direction::Back),
        _ => observe(turn, key, Direction::Back),
    }
}

/// It is no longer wanted. What may have left is awaited; what has not left never will.
pub fn cancel(turn: &mut Turn, key: &Key) {
    let Some(write) = turn.state.writes.get_mut(key) else {
        return;
    };
    if write.cancel == Cancel::Asked || write.forward.is_settled() {
        return;
    }
    write.cancel = Cancel::Asked;
    let in_flight = write.forward.is_in_flight();
    match write.forward {
        Leg::Preparing | Leg::PrepareAgain(_) | Leg::Prepared(_) => {
            write.forward = Leg::NotDone(cancelled());
        }
        Leg::ObserveAgain(_) => write.forward = Leg::ObserveAgain(turn.state.now),
        _ => {}
    }
    turn.moved();
    stir(turn, key);
    if in_flight {
        turn.effects.push(Effect::Cancel { key: key.clone() });
    }
}

/// Does what time asks for: prepares and observes again.
pub fn advance(turn: &mut Turn, key: &Key) {
    let Some(write) = turn.state.writes.get(key) else {
        return;
    };
    let legs = [
        (Direction::Forward, Some(write.forward.clone())),
        (Direction::Back, write.back.clone()),
    ];
    for (direction, leg) in legs {
        match leg {
            Some(Leg::PrepareAgain(at)) if turn.due(at) => prepare_again(turn, key),
            Some(Leg::ObserveAgain(at)) if turn.due(at) => observe(turn, key, direction),
            _ => {}
        }
    }
}

pub fn prepared(turn: &mut Turn, key: &Key, result: Result<Box<Intent>, Failure>) {
    let again = turn.now().plus(turn.plan.sample_ns.max(1));
    let now = turn.now();
    let write = turn.state.writes.get(key);
    if write.is_none_or(|write| write.forward != Leg::Preparing) {
        return;
    }
    if let Ok(intent) = &result {
        subject::prepared_again(turn, key, intent);
    }
    let Some(write) = turn.state.writes.get_mut(key) else {
        return;
    };
    write.forward = match result {
        Ok(intent) => {
            write.intent = Some(intent);
            Leg::Prepared(now)
        }
        // Nothing was changed, so asking again is harmless, while there is time left to be answered in.
        Err(failure) if is_passing(&failure) && again < write.until => Leg::PrepareAgain(again),
        Err(failure) => Leg::NotDone(failure),
    };
    turn.moved();
    stir(turn, key);
}

pub fn committed(turn: &mut Turn, key: &Key, direction: Direction, outcome: Outcome) {
    let Some((write, leg)) = leg_of(turn, key, direction) else {
        return;
    };
    if leg != Leg::Committing {
        return;
    }
    let at_most_once = write.at_most_once == AtMostOnce::Yes || is_at_most_once(write);
    let until = until(write, direction);
    // The way back of a change that is no longer wanted is wanted.
    let cancelled = direction == Direction::Forward && write.cancel == Cancel::Asked;
    let issued = match direction {
        Direction::Forward => write.issued,
        Direction::Back => write.back_issued,
    };
    let next = match outcome {
        Outcome::Applied { result, .. } => {
            keep_result(turn, key, direction, result);
            Leg::Done
        }
        Outcome::NotApplied(failure) => {
            let again = is_passing(&failure) && turn.now() < until && !cancelled;
            match again {
                true => Leg::ObserveAgain(turn.now().plus(turn.plan.sample_ns.max(1))),
                false => Leg::NotDone(failure),
            }
        }
        Outcome::Unknown(failure) if at_most_once && direction == Direction::Forward => {
            Leg::Unknown(failure)
        }
        // At once the first time; then not faster than things are sampled.
        Outcome::Unknown(_) => {
            left_by_now(turn, key, direction);
            match issued > 1 {
                true => Leg::ObserveAgain(turn.now().plus(turn.plan.sample_ns.max(1))),
                false => Leg::ObserveAgain(turn.now()),
            }
        }
        Outcome::Unachieved(failure) => Leg::Unachieved(failure),
    };
    set_leg(turn, key, direction, next);
}

pub fn observed(turn: &mut Turn, key: &Key, direction: Direction, observation: Observation) {
    let Some((write, leg)) = leg_of(turn, key, direction) else {
        return;
    };
    if leg != Leg::Observing {
        return;
    }
    let observable = write.intent.as_ref().map(|intent| intent.observable);
    let node = write.node;
    let wanted = direction == Direction::Back || write.cancel == Cancel::No;
    let again = wanted && turn.now() < until(write, direction);
    let retry = turn.now().plus(turn.plan.sample_ns.max(1));
    let settled = settled_at(turn, write, direction, again);
    match observation {
        Observation::Applied { result, .. } => {
            keep_result(turn, key, direction, result);
            set_leg(turn, key, direction, Leg::Done);
        }
        Observation::Underway(_) if again => issue(turn, key, direction),
        Observation::Underway(failure) => {
            set_leg(turn, key, direction, Leg::Unachieved(failure));
        }
        // A request that nobody waits for any longer may still arrive.
        Observation::NotApplied if turn.now() < settled => {
            set_leg(turn, key, direction, Leg::ObserveAgain(settled));
        }
        Observation::NotApplied if again => issue(turn, key, direction),
        Observation::NotApplied => {
            let failure = match wanted {
                true => too_late(),
                false => cancelled(),
            };
            set_leg(turn, key, direction, Leg::NotDone(failure));
        }
        Observation::Foreign(failure) => {
            let message = failure.message.clone();
            turn.note(Some(node), NoteKind::Drift { message });
            set_leg(turn, key, direction, Leg::Foreign(failure));
        }
        Observation::Unknown(_) if again && observable == Some(Observable::Idempotent) => {
            issue(turn, key, direction);
        }
        Observation::Unknown(_) if again => {
            set_leg(turn, key, direction, Leg::ObserveAgain(retry));
        }
        Observation::Unknown(failure) => {
            set_leg(turn, key, direction, Leg::Unknown(failure));
        }
    }
}

/// After a take-over: what was prepared is prepared again, what may have left is looked at.
pub fn resume(turn: &mut Turn, key: &Key, gap_ns: i64) {
    let Some(write) = turn.state.writes.get_mut(key) else {
        return;
    };
    write.until = write.until.plus(gap_ns);
    write.back_until = write.back_until.plus(gap_ns);
    let at_most_once = write.at_most_once == AtMostOnce::Yes || is_at_most_once(write);
    let legs = [
        (Direction::Forward, Some(write.forward.clone())),
        (Direction::Back, write.back.clone()),
    ];
    for (direction, leg) in legs {
        match leg {
            // What the intent has seen may have changed meanwhile.
            Some(Leg::Preparing | Leg::Prepared(_)) => prepare_again(turn, key),
            Some(Leg::Committing) if at_most_once && direction == Direction::Forward => {
                set_leg(turn, key, direction, Leg::Unknown(lost()));
            }
            Some(Leg::Committing) => {
                left_by_now(turn, key, direction);
                observe(turn, key, direction);
            }
            Some(Leg::Observing) => observe(turn, key, direction),
            _ => {}
        }
    }
}

/// Nobody sends it any more; the last request of it may have left just now.
fn left_by_now(turn: &mut Turn, key: &Key, direction: Direction) {
    let now = turn.now();
    if let Some(write) = turn.state.writes.get_mut(key)
        && direction == Direction::Forward
    {
        write.sent = now;
    }
}

fn issue(turn: &mut Turn, key: &Key, direction: Direction) {
    let now = turn.now();
    let Some(write) = turn.state.writes.get_mut(key) else {
        return;
    };
    let Some(intent) = write.intent.clone() else {
        return;
    };
    let until = until(write, direction);
    match direction {
        Direction::Forward => {
            write.issued += 1;
            write.sent = now;
        }
        Direction::Back => write.back_issued += 1,
    }
    let timeout_ns = until.since(now).max(1);
    set_leg(turn, key, direction, Leg::Committing);
    turn.effects.push(Effect::Commit {
        key: key.clone(),
        intent,
        direction,
        timeout_ns,
    });
}

fn observe(turn: &mut Turn, key: &Key, direction: Direction) {
    let intent = turn.state.writes.get(key).and_then(|w| w.intent.clone());
    let Some(intent) = intent else {
        return;
    };
    set_leg(turn, key, direction, Leg::Observing);
    turn.effects.push(Effect::Observe {
        key: key.clone(),
        intent,
        direction,
        timeout_ns: OBSERVE_TIMEOUT_NS,
    });
}

/// Reading back is a read: it gets the time of a slow one.
const OBSERVE_TIMEOUT_NS: i64 = 30_000_000_000;

fn prepare_again(turn: &mut Turn, key: &Key) {
    let now = turn.now();
    let Some(write) = turn.state.writes.get_mut(key) else {
        return;
    };
    write.forward = Leg::Preparing;
    let effect = Effect::Prepare {
        key: key.clone(),
        call: write.call.clone(),
        timeout_ns: write.until.since(now).max(1),
    };
    turn.moved();
    turn.effects.push(effect);
}

fn leg_of<'t>(turn: &'t Turn, key: &Key, direction: Direction) -> Option<(&'t Write, Leg)> {
    let write = turn.state.writes.get(key)?;
    let leg = match direction {
        Direction::Forward => write.forward.clone(),
        Direction::Back => write.back.clone()?,
    };
    Some((write, leg))
}

fn set_leg(turn: &mut Turn, key: &Key, direction: Direction, leg: Leg) {
    let done = leg == Leg::Done;
    if let Some(write) = turn.state.writes.get_mut(key) {
        match direction {
            Direction::Forward => write.forward = leg,
            Direction::Back => write.back = Some(leg),
        }
    }
    if done {
        turn.state.changed = Some(turn.state.now);
    }
    turn.moved();
    stir(turn, key);
}

/// Its node goes on.
fn stir(turn: &mut Turn, key: &Key) {
    if let Some(node) = turn.state.writes.get(key).map(|write| write.node) {
        turn.stir_node(node);
    }
}

fn keep_result(turn: &mut Turn, key: &Key, direction: Direction, result: Value) {
    if let Some(write) = turn.state.writes.get_mut(key)
        && direction == Direction::Forward
    {
        write.result = Some(result);
    }
}

fn until(write: &Write, direction: Direction) -> Instant {
    match direction {
        Direction::Forward => write.until,
        Direction::Back => write.back_until,
    }
}

/// When it is certain that a request that was sent arrives no more. One that comes late is refused by its precondition once
/// the object was changed again. So it is waited for where that does not hold: what was made and taken away would be made
/// once more, and where nothing is sent `again` the object stays as the request has seen it.
fn settled_at(turn: &Turn, write: &Write, direction: Direction, again: bool) -> Instant {
    let targets = write
        .intent
        .as_ref()
        .map_or(&[][..], |intent| &intent.targets);
    let creates = targets.iter().any(|target| target.uid.is_none());
    match direction == Direction::Forward && (creates || !again) {
        true => write.sent.plus(turn.request_life_ns(&write.call.provider)),
        false => turn.now(),
    }
}

fn is_at_most_once(write: &Write) -> bool {
    let observable = write.intent.as_ref().map(|intent| intent.observable);
    observable == Some(Observable::AtMostOnce)
}

/// Trouble of the way, not of the request: it may pass.
pub fn is_passing(failure: &Failure) -> bool {
    matches!(
        failure.kind,
        FailureKind::Unreachable | FailureKind::Timeout
    )
}

fn cancelled() -> Failure {
    Failure {
        kind: FailureKind::Cancelled,
        message: "it was cancelled before it changed anything".to_owned(),
    }
}

fn too_late() -> Failure {
    Failure {
        kind: FailureKind::Timeout,
        message: "it was not done in its time".to_owned(),
    }
}

fn lost() -> Failure {
    Failure {
        kind: FailureKind::Cancelled,
        message: "the process ended while it was carried out; it may be carried out at most once, \
                  so a person has to look whether it was"
            .to_owned(),
    }
}
