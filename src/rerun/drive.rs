//! The driver of a replay: `step`, with the journal in place of the world.

use crate::engine::protocol::{Effect, Event, EventKind, Note, RunOutcome};
use crate::engine::state::State;
use crate::engine::step;
use crate::engine::turn::canonical;
use crate::plan::Plan;
use crate::plan::node::NodeId;
use crate::providers::request::{Call, Failure, FailureKind, Key};
use crate::rerun::recording::{Ask, Asked, Heard, Recording, ask_of, call_of};
use crate::values::Instant;
use crate::values::fields::Fields;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What the run is called in the replay.
pub struct Identity {
    pub digest: String,
    pub inputs: Fields,
}

pub struct Rerun {
    pub events: Vec<Event>,
    pub notes: Vec<(Instant, Note)>,
    pub state: State,
    pub end: End,
    /// Questions that the journal has no answer to.
    pub unanswered: Vec<(Instant, Call)>,
    /// Answers of people to items that are not in the plan.
    pub unheard: Vec<(Instant, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Ended(RunOutcome),
    /// The journal ends there, and the run does not.
    Unknown(Instant),
    /// From then on the world would have been another one.
    OtherWorld {
        at: Instant,
        change: Change,
    },
}

/// Why the world would have been another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The recorded run changed it, this one would not have.
    NotMade { what: String, back: bool },
    /// This one would have changed it.
    Made { what: String, back: bool },
    /// Both would have, but not to the same.
    Other { what: String },
}

/// `recorded` and `plan` may be the same. People answer the items that have the same path.
pub fn replay(recorded: &Plan, recording: Recording, plan: &Plan, identity: &Identity) -> Rerun {
    let commits = commits(&recording);
    let mut play = Play {
        plan,
        end_at: recording.end,
        asked: recording.asked,
        ticks: recording.ticks,
        missed: recording.missed,
        dead: recording.dead,
        commits,
        due: BTreeMap::new(),
        queued: 0,
        wake: None,
        outcome: None,
        stop: None,
        rerun: Rerun {
            events: Vec::new(),
            notes: Vec::new(),
            state: State::default(),
            end: End::Unknown(recording.end),
            unanswered: Vec::new(),
            unheard: Vec::new(),
        },
    };
    for heard in recording.unasked {
        play.hear(recorded, heard, identity);
    }
    while let Some(event) = play.next() {
        play.take(event);
    }
    play.rerun.end = play.ended();
    play.rerun
}

/// The moment, the place in the journal, and a number for what has none.
type Turn = (Instant, usize, u64);

struct Play<'p> {
    plan: &'p Plan,
    end_at: Instant,
    asked: BTreeMap<Ask, VecDeque<Asked>>,
    ticks: BTreeMap<Instant, VecDeque<Heard>>,
    missed: BTreeMap<Instant, (Instant, usize)>,
    dead: Vec<(Instant, Instant)>,
    /// Changes of the recorded run that were not made yet: by when they left.
    commits: BTreeMap<(Instant, String, bool), usize>,
    due: BTreeMap<Turn, EventKind>,
    queued: u64,
    /// The moment that is wanted, and when the clock strikes for it.
    wake: Option<(Instant, Turn)>,
    outcome: Option<RunOutcome>,
    stop: Option<End>,
    rerun: Rerun,
}

impl Play<'_> {
    fn hear(&mut self, recorded: &Plan, heard: Heard, identity: &Identity) {
        let at = heard.event.at;
        let mut kind = heard.event.kind;
        let node = match &mut kind {
            EventKind::Started { digest, inputs, .. } => {
                digest.clone_from(&identity.digest);
                inputs.clone_from(&identity.inputs);
                None
            }
            EventKind::Answered { node, .. }
            | EventKind::Signed { node, .. }
            | EventKind::Continued { node, .. } => Some(node),
            _ => None,
        };
        if let Some(node) = node {
            let path = recorded.node(*node).map_or("?", |node| node.path.as_str());
            match self.plan.nodes.iter().find(|own| own.path == path) {
                Some(own) => *node = own.id,
                None => return self.rerun.unheard.push((at, path.to_owned())),
            }
        }
        self.queue((at, heard.index), kind);
    }

    fn queue(&mut self, (at, index): (Instant, usize), kind: EventKind) {
        self.queued += 1;
        self.due.insert((at, index, self.queued), kind);
    }

    /// The next event, as long as the journal speaks of the same world.
    fn next(&mut self) -> Option<Event> {
        if self.stop.is_some() {
            return None;
        }
        let queued = self.due.keys().next().copied();
        let turn = match (queued, self.wake) {
            (Some(queued), Some((_, wake))) => queued.min(wake),
            (queued, wake) => queued.or(wake.map(|(_, turn)| turn))?,
        };
        let now = self.rerun.state.now;
        let at = turn.0.max(now);
        if let Some((left, what, back)) = self.commits.keys().next().cloned()
            && left < at
        {
            let change = Change::NotMade { what, back };
            self.stop = Some(End::OtherWorld { at: left, change });
            return None;
        }
        let is_over = self.outcome.is_some() && self.due.is_empty();
        if is_over || (turn.1 == usize::MAX && at > self.end_at) {
            return None;
        }
        let kind = match self.due.remove(&turn) {
            Some(kind) => kind,
            None => {
                self.strike();
                EventKind::Tick
            }
        };
        Some(Event { at, kind })
    }

    fn take(&mut self, event: Event) {
        let at = event.at;
        // Whoever took over knows nothing of what was in flight.
        if let EventKind::Resumed { .. } = event.kind {
            self.wake = None;
        }
        self.rerun.events.push(event.clone());
        let state = std::mem::take(&mut self.rerun.state);
        let (state, effects) = step(self.plan, state, event);
        self.rerun.state = state;
        for effect in effects {
            match effect {
                Effect::Wake { at } => self.wake = self.tick(at),
                Effect::Show(note) => self.rerun.notes.push((at, note)),
                Effect::Finish(outcome) => self.outcome = Some(outcome),
                effect => self.answer(effect, at),
            }
        }
        // After the end only messages are heard out.
        if self.rerun.state.outcome.is_some() {
            self.wake = None;
        }
    }

    /// Each tick of the journal is one.
    fn strike(&mut self) {
        if let Some((wanted, (_, index, _))) = self.wake.take()
            && index != usize::MAX
            && let Some(ticks) = self.ticks.get_mut(&wanted)
        {
            ticks.pop_front();
        }
    }

    /// When the clock strikes for a moment: as it did then, else at that moment, if there was somebody to hear it.
    fn tick(&self, wake: Instant) -> Option<(Instant, Turn)> {
        let heard = self.ticks.get(&wake).and_then(|ticks| ticks.front());
        if let Some(heard) = heard {
            return Some((wake, (heard.event.at, heard.index, 0)));
        }
        if let Some((at, index)) = self.missed.get(&wake) {
            return Some((wake, (*at, *index, u64::MAX)));
        }
        let mut dead = self.dead.iter();
        let is_dead = dead.any(|(from, to)| *from <= wake && wake <= *to);
        (!is_dead).then_some((wake, (wake, usize::MAX, 0)))
    }

    fn answer(&mut self, effect: Effect, now: Instant) {
        let Some(ask) = ask_of(&effect) else {
            return;
        };
        let asked = self.asked.get_mut(&ask).and_then(|times| times.pop_front());
        if let Ask::Commit { what, back } = &ask {
            let same = asked.as_ref().is_some_and(|asked| asked.at == now);
            if !same {
                let (what, back) = (what.clone(), *back);
                return self.part(now, Change::Made { what, back });
            }
            self.made(now, what, *back);
        }
        if let (Ask::Prepare { what }, Some(call)) = (&ask, call_of(&effect)) {
            let own = canonical(call);
            let known = asked.as_ref().and_then(|asked| asked.call.as_ref());
            if known.is_some_and(|known| *known != own) {
                let what = what.clone();
                return self.part(now, Change::Other { what });
            }
        }
        match asked {
            Some(Asked {
                answer: Some(heard),
                ..
            }) => {
                let kind = renamed(heard.event.kind, &effect);
                self.queue((heard.event.at, heard.index), kind);
            }
            Some(Asked { answer: None, .. }) => {}
            None => self.without_answer(effect, ask, now),
        }
    }

    /// Nothing was asked like this then.
    fn without_answer(&mut self, effect: Effect, ask: Ask, now: Instant) {
        match (effect, ask) {
            (Effect::Read { id, call, .. }, _) if now <= self.end_at => {
                let result = Err(Failure::new(
                    FailureKind::Unreachable,
                    "the journal has no answer to this",
                ));
                let call = Arc::unwrap_or_clone(call);
                self.rerun.unanswered.push((now, call));
                self.queue((now, usize::MAX), EventKind::Read { id, result });
            }
            // Nothing waits for what a message comes to.
            (Effect::Tell { key, .. }, _) => {
                let result = Ok(());
                self.queue((now, usize::MAX), EventKind::Told { key, result });
            }
            (_, Ask::Prepare { what }) => self.part(now, Change::Made { what, back: false }),
            _ => {}
        }
    }

    fn made(&mut self, at: Instant, what: &str, back: bool) {
        let key = (at, what.to_owned(), back);
        if let Some(count) = self.commits.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.commits.remove(&key);
            }
        }
    }

    fn part(&mut self, at: Instant, change: Change) {
        self.stop.get_or_insert(End::OtherWorld { at, change });
    }

    fn ended(&mut self) -> End {
        match (self.stop.take(), self.outcome) {
            (Some(stop), _) => stop,
            (None, Some(outcome)) => End::Ended(outcome),
            (None, None) => match self.commits.keys().next().cloned() {
                Some((at, what, back)) => {
                    let change = Change::NotMade { what, back };
                    End::OtherWorld { at, change }
                }
                None => End::Unknown(self.rerun.state.now),
            },
        }
    }
}

/// Requests that left, with how many of the same at the same moment.
fn commits(recording: &Recording) -> BTreeMap<(Instant, String, bool), usize> {
    let mut found = BTreeMap::new();
    for (ask, times) in &recording.asked {
        if let Ask::Commit { what, back } = ask {
            for asked in times {
                *found.entry((asked.at, what.clone(), *back)).or_default() += 1;
            }
        }
    }
    found
}

/// The answer under the number or key by which this run asked.
fn renamed(kind: EventKind, effect: &Effect) -> EventKind {
    match (kind, effect) {
        (EventKind::Read { result, .. }, Effect::Read { id, .. }) => {
            EventKind::Read { id: *id, result }
        }
        (kind, Effect::Prepare { key, .. })
        | (kind, Effect::Commit { key, .. })
        | (kind, Effect::Observe { key, .. })
        | (kind, Effect::Tell { key, .. }) => keyed(kind, key),
        (kind, _) => kind,
    }
}

fn keyed(kind: EventKind, own: &Key) -> EventKind {
    let key = own.clone();
    match kind {
        EventKind::Prepared { result, .. } => EventKind::Prepared { key, result },
        EventKind::Committed {
            direction, outcome, ..
        } => EventKind::Committed {
            key,
            direction,
            outcome,
        },
        EventKind::Observed {
            direction,
            observation,
            ..
        } => EventKind::Observed {
            key,
            direction,
            observation,
        },
        EventKind::Told { result, .. } => EventKind::Told { key, result },
        other => other,
    }
}

/// The item that a change belongs to, by its key without run and digest: `rollout/canary/weight#0`.
pub fn node_of(plan: &Plan, what: &str) -> Option<NodeId> {
    let mut path = what;
    loop {
        let found = plan.nodes.iter().find(|node| node.path == path);
        if let Some(node) = found {
            return Some(node.id);
        }
        path = path.rsplit_once('/')?.0;
    }
}
