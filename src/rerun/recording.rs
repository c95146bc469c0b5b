//! What a journal knows, by what was asked and not by the numbers of that run.

use crate::engine::protocol::{Effect, Event, EventKind, Note, ReadId};
use crate::engine::state::State;
use crate::engine::step;
use crate::engine::turn::canonical;
use crate::plan::Plan;
use crate::providers::request::{Call, Direction, Key};
use crate::values::Instant;
use std::collections::{BTreeMap, VecDeque};

/// What can be asked. Keys are without run and digest, so that another plan asks alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    Read { call: String, at: Instant },
    Prepare { what: String },
    Commit { what: String, back: bool },
    Observe { what: String, back: bool },
    Tell { what: String },
}

/// One time that something was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub at: Instant,
    /// Of a change that is prepared: what it is.
    pub call: Option<String>,
    /// `None`: the process ended before it came.
    pub answer: Option<Heard>,
}

/// An event with its place in the journal, which decides among those of one moment.
#[derive(Clone, Debug)]
pub struct Heard {
    pub index: usize,
    pub event: Event,
}

#[derive(Default)]
pub struct Recording {
    pub asked: BTreeMap<Ask, VecDeque<Asked>>,
    /// By the moment that was wanted: when the clock struck.
    pub ticks: BTreeMap<Instant, VecDeque<Heard>>,
    /// Moments that had come, but something else was heard before the clock, and another moment was wanted then: when that
    /// was, and its place in the journal.
    pub missed: BTreeMap<Instant, (Instant, usize)>,
    /// What nobody asked for: people, processes that took over.
    pub unasked: Vec<Heard>,
    /// From the last event of a process that was killed to the first of the next one: no clock strikes there.
    pub dead: Vec<(Instant, Instant)>,
    pub notes: Vec<(Instant, Note)>,
    pub end: Instant,
    pub state: State,
}

pub fn recording(plan: &Plan, events: &[Event]) -> Recording {
    let mut recording = Recording::default();
    let mut open = Open::default();
    for (index, event) in events.iter().enumerate() {
        let heard = Heard {
            index,
            event: event.clone(),
        };
        if let EventKind::Resumed { .. } = event.kind {
            recording.dead.push((recording.end, event.at));
        }
        recording.end = recording.end.max(event.at);
        open.answered(&mut recording, heard);
        let state = std::mem::take(&mut recording.state);
        let (state, effects) = step(plan, state, event.clone());
        recording.state = state;
        for effect in effects {
            open.took(&mut recording, effect, (event.at, index));
        }
    }
    recording
}

/// What an effect asks, if it asks anything.
pub fn ask_of(effect: &Effect) -> Option<Ask> {
    Some(match effect {
        Effect::Read { call, at, .. } => Ask::Read {
            call: canonical(call),
            at: *at,
        },
        Effect::Prepare { key, .. } => Ask::Prepare { what: what(key) },
        Effect::Commit { key, direction, .. } => Ask::Commit {
            what: what(key),
            back: *direction == Direction::Back,
        },
        Effect::Observe { key, direction, .. } => Ask::Observe {
            what: what(key),
            back: *direction == Direction::Back,
        },
        Effect::Tell { key, .. } => Ask::Tell { what: what(key) },
        _ => return None,
    })
}

/// The change that a `Prepare` is about.
pub fn call_of(effect: &Effect) -> Option<&Call> {
    match effect {
        Effect::Prepare { call, .. } => Some(call),
        _ => None,
    }
}

/// A key without the run and the digest that it begins with.
pub fn what(key: &Key) -> String {
    key.0.splitn(3, '/').nth(2).unwrap_or(&key.0).to_owned()
}

/// What is in flight while the journal is read.
#[derive(Default)]
struct Open {
    reads: BTreeMap<ReadId, (Ask, usize)>,
    /// One at a time under each key.
    changes: BTreeMap<Key, (Ask, usize)>,
    tells: BTreeMap<Key, (Ask, usize)>,
    wake: Option<Instant>,
}

impl Open {
    fn took(&mut self, recording: &mut Recording, effect: Effect, (at, index): (Instant, usize)) {
        if let Some(ask) = ask_of(&effect) {
            let times = recording.asked.entry(ask.clone()).or_default();
            times.push_back(Asked {
                at,
                call: call_of(&effect).map(canonical),
                answer: None,
            });
            let place = (ask, times.len() - 1);
            match effect {
                Effect::Read { id, .. } => drop(self.reads.insert(id, place)),
                Effect::Tell { key, .. } => drop(self.tells.insert(key, place)),
                Effect::Prepare { key, .. }
                | Effect::Commit { key, .. }
                | Effect::Observe { key, .. } => drop(self.changes.insert(key, place)),
                _ => {}
            }
            return;
        }
        match effect {
            Effect::Wake { at: wanted } => {
                if let Some(missed) = self.wake.replace(wanted).filter(|wake| *wake < at) {
                    recording.missed.insert(missed, (at, index));
                }
            }
            Effect::Show(note) => recording.notes.push((at, note)),
            _ => {}
        }
    }

    fn answered(&mut self, recording: &mut Recording, heard: Heard) {
        let place = match &heard.event.kind {
            EventKind::Read { id, .. } => self.reads.remove(id),
            EventKind::Told { key, .. } => self.tells.remove(key),
            EventKind::Prepared { key, .. }
            | EventKind::Committed { key, .. }
            | EventKind::Observed { key, .. } => self.changes.remove(key),
            EventKind::Tick => {
                match self.wake.take() {
                    Some(wake) => recording.ticks.entry(wake).or_default().push_back(heard),
                    None => recording.unasked.push(heard),
                }
                return;
            }
            EventKind::Resumed { .. } => {
                *self = Open::default();
                return recording.unasked.push(heard);
            }
            _ => return recording.unasked.push(heard),
        };
        let asked = place.and_then(|(ask, index)| recording.asked.get_mut(&ask)?.get_mut(index));
        // An answer to what was not asked is none: left out, it is missed.
        if let Some(asked) = asked {
            asked.answer = Some(heard);
        }
    }
}
