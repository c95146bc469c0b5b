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

#[cfg(test)]
mod tests {
    use super::replay;
    use crate::analyze::compile::{SourceText, compile};
    use crate::analyze::files::InMemory;
    use crate::engine::protocol::{Actor, Event, EventKind, RunOutcome};
    use crate::values::Instant;
    use crate::values::fields::Fields;

    const DAY_NS: i64 = 24 * 60 * 60 * 1_000_000_000;

    #[test]
    fn a_state_is_its_journal_folded() {
        let text = "deploy 1\n\nplan p \"A day\" {\n  deadline 25h\n}\n\nphase quiet at start \"A day\" {\n  hold 24h\n}\n";
        let source = SourceText {
            name: "p.deploy".to_owned(),
            text: text.to_owned(),
        };
        let plan = compile(vec![source], &InMemory::default()).plan.unwrap();
        let started = Event {
            at: Instant(0),
            kind: EventKind::Started {
                run: "r".to_owned(),
                digest: "d".to_owned(),
                inputs: Fields::new(),
                by: Actor::default(),
            },
        };
        let over = Event {
            at: Instant(DAY_NS),
            kind: EventKind::Tick,
        };
        assert!(replay(&plan, &[]).run.is_none());
        let begun = replay(&plan, std::slice::from_ref(&started));
        assert_eq!(begun.run.map(|run| run.id), Some("r".to_owned()));
        assert_eq!(begun.outcome, None);
        let ended = replay(&plan, &[started, over]);
        assert_eq!(ended.outcome, Some(RunOutcome::Succeeded));
    }
}
