//! State is never stored: it is the journal, folded.

use crate::engine::protocol::Event;
use crate::engine::state::State;
use crate::engine::step;
use crate::plan::Plan;

/// Does no I/O; the effects of the past are not carried out again.
pub fn replay(plan: &Plan, events: &[Event]) -> State {
    events.iter().fold(State::default(), |state, event| {
        step(plan, state, event.clone()).0
    })
}
