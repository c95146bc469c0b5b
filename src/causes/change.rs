//! A change: what was tried, in both directions.

use crate::causes::chain::{Evidence, words};
use crate::causes::trace::{Trace, Try};
use crate::engine::write::{Leg, Write};
use crate::plan::node::NodeId;
use crate::providers::request::Direction;
use crate::values::show;

const TRIES_MAX: usize = 8;

/// What an item asked of its provider, and what was heard of it.
pub fn tries(trace: &Trace, id: NodeId) -> Vec<Evidence> {
    let writes = trace.state.writes.values();
    let calls = writes.filter(|write| write.node == id).map(called);
    let tries = trace.tries.iter().filter(|tried| tried.node == id);
    let tries: Vec<&Try> = tries.collect();
    let skipped = tries.len().saturating_sub(TRIES_MAX);
    let shown = tries.into_iter().skip(skipped).map(|tried| {
        let words = match tried.direction {
            Direction::Forward => tried.words.clone(),
            Direction::Back => format!("back: {}", tried.words),
        };
        Evidence::Moment {
            at: tried.at,
            words,
        }
    });
    let earlier = (skipped > 0).then(|| words(format!("{skipped} earlier tries")));
    calls.chain(earlier).chain(shown).collect()
}

/// What a change that is not settled is about, and until when.
pub fn under_way(trace: &Trace, id: NodeId) -> Option<String> {
    let mut writes = trace.state.writes.values().rev();
    let write = writes.find(|write| write.node == id)?;
    let (leg, until) = match &write.back {
        Some(back) => (back, write.back_until),
        None => (&write.forward, write.until),
    };
    let doing = match leg {
        Leg::Preparing | Leg::PrepareAgain(_) => "looks at what is there",
        Leg::Prepared(_) => "is ready to change it",
        Leg::Committing => "waits for the change to be achieved",
        Leg::Observing | Leg::ObserveAgain(_) => "finds out what became of the change",
        _ => return None,
    };
    let way = if write.back.is_some() {
        ", going back"
    } else {
        ""
    };
    Some(format!("it {doing}{way}, until {}", trace.time(until)))
}

fn called(write: &Write) -> Evidence {
    let args = write.call.args.iter();
    let args = args.map(|(name, value)| format!("{name}: {}", show::value(value)));
    let args = args.collect::<Vec<_>>().join(", ");
    words(format!(
        "{}.{}({args})",
        write.call.provider, write.call.function
    ))
}
