//! The engine: one pure function that serves `run`, `simulate`, `resume` and `status`.
//!
//! **Invariant:** `step` sees no clock, does no I/O, draws nothing and never panics; the same plan, state and event give the
//! same state and effects on every machine.

mod agenda;
mod ahead;
mod arith;
pub mod baseline;
pub mod canary;
pub mod change;
pub mod check;
pub mod compare;
mod describe;
pub mod ending;
pub mod eval;
mod evidence;
pub mod freeze;
pub mod grid;
mod index;
pub mod judge;
pub mod metric;
pub mod moments;
mod narrow;
pub mod pause;
pub mod people;
pub mod policy;
pub mod protocol;
pub mod question;
mod resume;
pub mod rollback;
mod settle;
mod start;
pub mod state;
pub mod subject;
pub mod tell;
mod truth;
pub mod turn;
pub mod view;
mod walk;
pub mod watch;
pub mod write;

#[cfg(test)]
mod tests;

use crate::engine::protocol::{Effect, Event};
use crate::engine::state::State;
use crate::engine::turn::Turn;
use crate::plan::Plan;

/// Takes an event in; gives the new state, and what the driver is to do once the event is durable.
pub fn step(plan: &Plan, mut state: State, event: Event) -> (State, Vec<Effect>) {
    let effects = step_in(plan, &mut state, event);
    (state, effects)
}

/// As [`step`], in place.
pub fn step_in(plan: &Plan, state: &mut State, event: Event) -> Vec<Effect> {
    let mut turn = Turn::new(plan, state);
    settle::take(&mut turn, event);
    turn.effects
}

/// Looks at everything once more, though nothing has happened: what comes of it was overlooked before.
#[cfg(test)]
fn look_again(plan: &Plan, mut state: State) -> (State, Vec<Effect>) {
    let mut turn = Turn::new(plan, &mut state);
    turn.stir_everybody();
    let nothing = Event {
        at: turn.now(),
        kind: protocol::EventKind::Told {
            key: crate::providers::request::Key(String::new()),
            result: Ok(()),
        },
    };
    settle::take(&mut turn, nothing);
    let effects = turn.effects;
    (state, effects)
}
