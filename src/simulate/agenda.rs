//! What is going to happen around a simulated run by itself: what people do, when the process ends, who looks when.

use crate::engine::protocol::EventKind;
use crate::values::Instant;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub struct Agenda {
    planned: BTreeMap<(Instant, u64), Planned>,
    looks: BTreeMap<Instant, Vec<usize>>,
    made: u64,
}

#[derive(Clone, Debug)]
pub enum Planned {
    Event(EventKind),
    /// The process ends, and another one goes on later.
    Kill {
        for_ns: i64,
    },
}

impl Agenda {
    pub fn plan(&mut self, at: Instant, what: Planned) {
        self.made += 1;
        self.planned.insert((at, self.made), what);
    }

    pub fn plan_look(&mut self, at: Instant, why: &[usize]) {
        if !why.is_empty() {
            self.looks.entry(at).or_default().extend(why);
        }
    }

    pub fn next_event(&self) -> Option<Instant> {
        self.planned.keys().next().map(|(at, _)| *at)
    }

    pub fn next_look(&self) -> Option<Instant> {
        self.looks.keys().next().copied()
    }

    /// The first of what is due.
    pub fn take(&mut self, now: Instant) -> Option<Planned> {
        let first = self.planned.first_entry();
        let due = first.filter(|entry| entry.key().0 <= now);
        due.map(|entry| entry.remove())
    }

    /// Why somebody wanted to look by now.
    pub fn look(&mut self, now: Instant) -> Option<Vec<usize>> {
        let first = self.looks.first_entry();
        let due = first.filter(|entry| *entry.key() <= now);
        due.map(|entry| entry.remove())
    }
}
