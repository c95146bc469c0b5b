//! Pauses: the run stands still until what caused it passes, a person says so, or the time is over.
//!
//! The time of a pause is a total for the place in the plan that wrote it, so that every plan ends. While several items draw
//! on one place, its time runs once.

use crate::engine::protocol::NoteKind;
use crate::engine::state::{Life, StageWork, State, Work};
use crate::engine::turn::Turn;
use crate::engine::{policy, watch};
use crate::plan::node::NodeId;
use crate::plan::{LocId, Policy};
use crate::values::{Instant, Verdict};
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub struct Pause {
    pub cause: Cause,
    pub holds: Holds,
    pub verdict: Verdict,
    pub reason: String,
    pub since: Instant,
    /// When what caused it was tried last.
    pub tried: Instant,
    pub place: LocId,
    pub depth: u32,
    pub up_to_ns: i64,
    pub then: Policy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Node(NodeId),
    Rule { watch: u32, rule: u32 },
    Blind { watch: u32 },
}

/// What stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// The run: nothing begins, no change leaves, holds and `every` do not count.
    Run,
    /// Only what caused it has more time (`extend`).
    Item,
}

/// How much of a place's total is used up.
#[derive(Clone, Debug, Serialize)]
pub struct Pool {
    pub place: LocId,
    /// 0 for the pause that was written, 1 for the one in its `then`, …
    pub depth: u32,
    pub spent_ns: i64,
    pub active: u32,
    pub since: Instant,
}

/// What a pause is made from.
pub struct Wanted<'a> {
    pub cause: Cause,
    pub holds: Holds,
    pub verdict: Verdict,
    pub reason: &'a str,
    pub place: LocId,
    pub depth: u32,
    pub up_to_ns: i64,
    pub then: &'a Policy,
}

pub fn is_paused(state: &State) -> bool {
    state.pauses.iter().any(|pause| pause.holds == Holds::Run)
}

pub fn of(state: &State, cause: Cause) -> Option<&Pause> {
    state.pauses.iter().find(|pause| pause.cause == cause)
}

/// When its place has no more time: a pause that is there takes of it.
pub fn until(state: &State, pause: &Pause) -> Instant {
    let pool = pool_of(state, pause.place, pause.depth);
    let end = |pool: &Pool| pool.since.plus(pause.up_to_ns - pool.spent_ns);
    pool.map_or(state.now, end)
}

/// Begins a pause. Where its place has no time left, what comes then comes now.
pub fn begin(turn: &mut Turn, wanted: Wanted) {
    let now = turn.now();
    let spent = pool_of(turn.state, wanted.place, wanted.depth).map_or(0, |pool| {
        let running = if pool.active > 0 {
            now.since(pool.since)
        } else {
            0
        };
        pool.spent_ns.saturating_add(running)
    });
    if spent >= wanted.up_to_ns {
        let after = policy::Trouble {
            cause: wanted.cause,
            verdict: wanted.verdict,
            reason: wanted.reason.to_owned(),
            depth: wanted.depth + 1,
        };
        return policy::respond(turn, after, wanted.then);
    }
    take(turn, wanted.place, wanted.depth);
    let pause = Pause {
        cause: wanted.cause,
        holds: wanted.holds,
        verdict: wanted.verdict,
        reason: wanted.reason.to_owned(),
        since: now,
        tried: now,
        place: wanted.place,
        depth: wanted.depth,
        up_to_ns: wanted.up_to_ns,
        then: wanted.then.clone(),
    };
    let was_paused = is_paused(turn.state);
    let until = until(turn.state, &pause);
    let kind = NoteKind::Paused {
        cause: pause.reason.clone(),
        until,
        then: pause.then.clone(),
    };
    turn.note(node_of(pause.cause), kind);
    turn.state.pauses.push(pause);
    turn.stir_everybody();
    if !was_paused && is_paused(turn.state) {
        stand_still(turn);
    }
    turn.moved();
}

/// What caused it has passed, or a person goes on.
pub fn release(turn: &mut Turn, cause: Cause) {
    if turn.state.pauses.is_empty() {
        return;
    }
    let (gone, kept): (Vec<Pause>, Vec<Pause>) = std::mem::take(&mut turn.state.pauses)
        .into_iter()
        .partition(|pause| pause.cause == cause);
    turn.state.pauses = kept;
    for pause in &gone {
        give_back(turn, pause.place, pause.depth);
        turn.note(node_of(cause), NoteKind::Unpaused);
    }
    if !gone.is_empty() {
        turn.moved();
        turn.stir_everybody();
        go_on(turn);
    }
}

pub fn tried(turn: &mut Turn, cause: Cause) {
    let now = turn.now();
    for pause in &mut turn.state.pauses {
        if pause.cause == cause {
            pause.tried = now;
        }
    }
}

/// Ends the pauses whose time is over; a sample that began before that is judged first.
pub fn expire(turn: &mut Turn) {
    for pause in turn.state.pauses.clone() {
        let until = until(turn.state, &pause);
        if !turn.due(until) || is_being_judged(turn.state, pause.cause, until) {
            continue;
        }
        release(turn, pause.cause);
        let after = policy::Trouble {
            cause: pause.cause,
            verdict: pause.verdict,
            reason: pause.reason.clone(),
            depth: pause.depth + 1,
        };
        policy::respond(turn, after, &pause.then);
        if turn.state.ending.is_some() {
            return;
        }
    }
}

/// All pauses end, because the run does.
pub fn clear(turn: &mut Turn) {
    for pause in turn.state.pauses.clone() {
        release(turn, pause.cause);
    }
}

fn is_being_judged(state: &State, cause: Cause, until: Instant) -> bool {
    let open = match cause {
        Cause::Node(id) => {
            let node = state.nodes.get(id.0 as usize);
            node.and_then(|node| node.sample()).map(|sample| sample.at)
        }
        Cause::Rule { watch, .. } | Cause::Blind { watch } => watch::open_at(state, watch),
    };
    open.is_some_and(|at| at <= until)
}

fn pool_of(state: &State, place: LocId, depth: u32) -> Option<&Pool> {
    let mut pools = state.pools.iter();
    pools.find(|pool| pool.place == place && pool.depth == depth)
}

fn take(turn: &mut Turn, place: LocId, depth: u32) {
    let now = turn.now();
    let mut pools = turn.state.pools.iter_mut();
    match pools.find(|pool| pool.place == place && pool.depth == depth) {
        Some(pool) => {
            if pool.active == 0 {
                pool.since = now;
            }
            pool.active += 1;
        }
        None => turn.state.pools.push(Pool {
            place,
            depth,
            spent_ns: 0,
            active: 1,
            since: now,
        }),
    }
}

fn give_back(turn: &mut Turn, place: LocId, depth: u32) {
    let now = turn.now();
    let mut pools = turn.state.pools.iter_mut();
    if let Some(pool) = pools.find(|pool| pool.place == place && pool.depth == depth) {
        pool.active = pool.active.saturating_sub(1);
        if pool.active == 0 {
            pool.spent_ns = pool.spent_ns.saturating_add(now.since(pool.since).max(0));
        }
    }
}

fn stand_still(turn: &mut Turn) {
    let now = turn.now();
    for node in &mut turn.state.nodes {
        if node.life != Life::Running {
            continue;
        }
        match &mut node.work {
            Work::Hold(clock) => clock.stop(now),
            Work::Every(every) => every.clock.stop(now),
            Work::Stage(StageWork::Holding(holding)) => holding.seen_at = None,
            Work::Check(check) => check.held_at = None,
            _ => {}
        }
    }
}

fn go_on(turn: &mut Turn) {
    if is_paused(turn.state) {
        return;
    }
    let now = turn.now();
    for node in &mut turn.state.nodes {
        if node.life != Life::Running {
            continue;
        }
        match &mut node.work {
            Work::Hold(clock) => clock.go_on(now),
            Work::Every(every) => every.clock.go_on(now),
            _ => {}
        }
    }
}

fn node_of(cause: Cause) -> Option<NodeId> {
    match cause {
        Cause::Node(id) => Some(id),
        Cause::Rule { .. } | Cause::Blind { .. } => None,
    }
}
