//! A journal gone through once more, with what the state does not keep: samples, questions, pauses, tries.

use crate::causes::chain::{Judging, Question, Sampled};
use crate::engine::pause::{self, Cause, Pause};
use crate::engine::protocol::{Effect, Event, EventKind, NoteKind, ReadId};
use crate::engine::state::State;
use crate::engine::step;
use crate::plan::node::NodeId;
use crate::plan::{LocId, Plan, deps};
use crate::providers::request::{Direction, Key, Observation, Outcome};
use crate::values::{Instant, show};
use std::collections::BTreeMap;
use std::sync::Arc;

pub struct Trace<'p> {
    pub plan: &'p Plan,
    pub events: &'p [Event],
    /// After the last event.
    pub state: State,
    /// For a run that goes on: the time of whoever asks.
    pub now: Instant,
    pub shots: Vec<Shot>,
    pub questions: BTreeMap<ReadId, Question>,
    pub pauses: Vec<Pausing>,
    pub tries: Vec<Try>,
    /// When which rule of which watch fired.
    pub fired: Vec<(Instant, u32, u32)>,
}

/// One clause or rule, judged at one sample.
pub struct Shot {
    pub of: Of,
    pub sampled: Sampled,
    pub loc: LocId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Node(NodeId),
    Rule { watch: u32, rule: u32 },
}

pub struct Pausing {
    pub pause: Pause,
    /// When its time was going to be over, as it looked when it began.
    pub until: Instant,
    pub over: Option<Instant>,
}

/// What was heard of a change.
pub struct Try {
    pub key: Key,
    pub node: NodeId,
    pub direction: Direction,
    pub at: Instant,
    pub words: String,
}

pub fn trace<'p>(plan: &'p Plan, events: &'p [Event], now: Instant) -> Trace<'p> {
    let mut trace = Trace {
        plan,
        events,
        state: State::default(),
        now,
        shots: Vec::new(),
        questions: BTreeMap::new(),
        pauses: Vec::new(),
        tries: Vec::new(),
        fired: Vec::new(),
    };
    for event in events {
        take(&mut trace, event);
    }
    trace.now = now.max(trace.state.now);
    trace
}

impl Trace<'_> {
    /// `06:45:15`; with its date where that is not the day of the newest event.
    pub fn time(&self, at: Instant) -> String {
        let (full, newest) = (show::instant(at), show::instant(self.state.now));
        match full.get(..10) == newest.get(..10) {
            true => show::time_of_day(at),
            false => full,
        }
    }

    pub fn run(&self) -> &str {
        self.state.run.as_ref().map_or("RUN", |run| run.id.as_str())
    }

    pub fn shots_of(&self, of: Of) -> Vec<&Shot> {
        self.shots.iter().filter(|shot| shot.of == of).collect()
    }

    /// The newest pause that this caused, and that had begun by then.
    pub fn pause_of(&self, cause: Cause, by: Instant) -> Option<&Pausing> {
        let mut newest = self.pauses.iter().rev();
        newest.find(|pausing| pausing.pause.cause == cause && pausing.pause.since <= by)
    }
}

fn take(trace: &mut Trace, event: &Event) {
    let before = Before::of(&trace.state);
    heard(trace, event);
    let state = std::mem::take(&mut trace.state);
    let (state, effects) = step(trace.plan, state, event.clone());
    trace.state = state;
    for effect in effects {
        match effect {
            Effect::Read { id, call, at, .. } => {
                let question = Question {
                    at,
                    call: Arc::unwrap_or_clone(call),
                    answer: None,
                };
                trace.questions.insert(id, question);
            }
            Effect::Show(note) => {
                if let NoteKind::RuleFired { watch, rule, .. } = note.kind {
                    trace.fired.push((event.at, watch, rule));
                } else if let Some(id) = note.node {
                    judged(trace, &before, id, note.kind);
                }
            }
            _ => {}
        }
    }
    ruled(trace, &before);
    paused(trace, event.at);
}

/// What is known before an event and gone after it.
struct Before {
    /// By node: the instant of the sample that was open.
    open: BTreeMap<u32, Instant>,
    /// By watch: the instant of the open sample; by rule: how many samples it has judged.
    watches: Vec<(Option<Instant>, Vec<u32>)>,
}

impl Before {
    fn of(state: &State) -> Before {
        let nodes = (0u32..).zip(&state.nodes);
        let open = nodes.filter_map(|(id, node)| Some((id, node.sample()?.at)));
        let watches = state.watches.iter().map(|watch| {
            let counts = watch.rules.iter();
            let counts = counts.map(|rule| rule.seen_samples + rule.blind_samples);
            (watch.sampler.open_at(), counts.collect())
        });
        Before {
            open: open.collect(),
            watches: watches.collect(),
        }
    }
}

/// A check in a stage is judged at the stage's sample.
fn judged(trace: &mut Trace, before: &Before, id: NodeId, kind: NoteKind) {
    let NoteKind::Judged(clause) = kind else {
        return;
    };
    let around = deps::with_parents(trace.plan, id);
    let open = around.iter().find_map(|id| before.open.get(&id.0).copied());
    let at = open.unwrap_or(trace.state.now);
    trace.shots.push(Shot {
        of: Of::Node(id),
        sampled: Sampled {
            at,
            by: Judging::Clause,
            text: clause.text.clone(),
            measured: clause.measured.clone(),
            verdict: clause.verdict,
            reason: clause.reason.clone(),
        },
        loc: clause.loc,
    });
}

fn ruled(trace: &mut Trace, before: &Before) {
    for (index, watch) in (0u32..).zip(&trace.state.watches) {
        let known = before.watches.get(index as usize);
        for (number, rule) in (0u32..).zip(&watch.rules) {
            let count = known.and_then(|(_, counts)| counts.get(number as usize));
            let is_new = rule.seen_samples + rule.blind_samples != count.copied().unwrap_or(0);
            let Some(judged) = rule.judged.as_ref().filter(|_| is_new) else {
                continue;
            };
            let open = known.and_then(|(open, _)| *open);
            let at = open.or(watch.sampler.last).unwrap_or(trace.state.now);
            trace.shots.push(Shot {
                of: Of::Rule {
                    watch: index,
                    rule: number,
                },
                sampled: Sampled {
                    at,
                    by: Judging::Rule,
                    text: judged.text.clone(),
                    measured: judged.measured.clone(),
                    verdict: judged.verdict,
                    reason: judged.reason.clone(),
                },
                loc: judged.loc,
            });
        }
    }
}

fn paused(trace: &mut Trace, at: Instant) {
    let standing = &trace.state.pauses;
    let stands = |old: &Pausing| {
        let is_it =
            |pause: &Pause| pause.cause == old.pause.cause && pause.since == old.pause.since;
        standing.iter().any(is_it)
    };
    for old in trace.pauses.iter_mut().filter(|old| old.over.is_none()) {
        if !stands(old) {
            old.over = Some(at);
        }
    }
    for pause in standing {
        let is_known = |old: &Pausing| old.over.is_none() && old.pause.cause == pause.cause;
        if !trace.pauses.iter().any(is_known) {
            trace.pauses.push(Pausing {
                pause: pause.clone(),
                until: pause::until(&trace.state, pause),
                over: None,
            });
        }
    }
}

/// Answers, before `step` takes them in.
fn heard(trace: &mut Trace, event: &Event) {
    let (key, direction, words) = match &event.kind {
        EventKind::Read { id, result } => {
            if let Some(question) = trace.questions.get_mut(id) {
                question.answer = Some((event.at, result.clone()));
            }
            return;
        }
        EventKind::Prepared { key, result } => {
            let words = match result {
                Ok(intent) => {
                    let targets = intent.targets.iter().map(|target| target.object.as_str());
                    let targets: Vec<&str> = targets.collect();
                    format!("intended, in the journal: {}", listed(&targets))
                }
                Err(failure) => format!("could not be prepared: {}", failure.message),
            };
            (key, Direction::Forward, words)
        }
        EventKind::Committed {
            key,
            direction,
            outcome,
        } => (key, *direction, outcome_words(outcome)),
        EventKind::Observed {
            key,
            direction,
            observation,
        } => (key, *direction, observation_words(observation)),
        _ => return,
    };
    if let Some(write) = trace.state.writes.get(key) {
        trace.tries.push(Try {
            key: key.clone(),
            node: write.node,
            direction,
            at: event.at,
            words,
        });
    }
}

const TARGETS_MAX: usize = 4;

fn listed(targets: &[&str]) -> String {
    let shown: Vec<&str> = targets.iter().copied().take(TARGETS_MAX).collect();
    match targets.len().saturating_sub(TARGETS_MAX) {
        0 if shown.is_empty() => "no object".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Applied { .. } => "done, and read back".to_owned(),
        Outcome::NotApplied(failure) => format!("nothing was changed: {}", failure.message),
        Outcome::Unknown(failure) => format!("nobody knows what happened: {}", failure.message),
        Outcome::Unachieved(failure) => {
            format!(
                "sent, but did not become what was wanted: {}",
                failure.message
            )
        }
    }
}

fn observation_words(observation: &Observation) -> String {
    match observation {
        Observation::Applied { .. } => "looked again: it is done".to_owned(),
        Observation::Underway(failure) => {
            format!("looked again: it is under way: {}", failure.message)
        }
        Observation::NotApplied => "looked again: it has not been done".to_owned(),
        Observation::Foreign(failure) => {
            format!(
                "looked again: somebody else changed it: {}",
                failure.message
            )
        }
        Observation::Unknown(failure) => {
            format!("looked again, without an answer: {}", failure.message)
        }
    }
}
