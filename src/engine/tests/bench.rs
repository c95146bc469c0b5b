//! A driver for tests: virtual time, answers by script, a log of what happened.

use crate::engine::protocol::{
    Actor, Answer, Effect, Event, EventKind, Note, NoteKind, RunOutcome,
};
use crate::engine::state::State;
use crate::engine::{look_again, step};
use crate::plan::Plan;
use crate::plan::node::NodeId;
use crate::providers::request::{
    Call, Direction, Failure, FailureKind, Intent, Key, Observable, Observation, Outcome, Target,
};
use crate::units::Dim;
use crate::units::show::duration_ns;
use crate::values::fields::Fields;
use crate::values::{Instant, Value, show};
use std::collections::VecDeque;

pub type Reply = Box<dyn Fn(Instant) -> Option<Result<Value, Failure>>>;

pub struct Bench {
    pub plan: Plan,
    pub state: State,
    pub journal: Vec<Event>,
    pub log: Vec<String>,
    pub outcome: Option<RunOutcome>,
    pub reads: usize,
    pub latency_ns: i64,
    pub observable: Observable,
    /// Reads whose words contain the pattern take so long.
    pub slow: Vec<(&'static str, i64)>,
    /// What every change is about to touch.
    pub targets: Vec<Target>,
    answers: Vec<(String, Reply)>,
    outcomes: Vec<(String, VecDeque<Option<Outcome>>)>,
    observations: VecDeque<Observation>,
    events: Vec<(Instant, u64, EventKind)>,
    seq: u64,
    wake: Option<Instant>,
}

impl Bench {
    pub fn new(plan: Plan) -> Bench {
        Bench {
            plan,
            state: State::default(),
            journal: Vec::new(),
            log: Vec::new(),
            outcome: None,
            reads: 0,
            latency_ns: 0,
            observable: Observable::Yes,
            slow: Vec::new(),
            targets: Vec::new(),
            answers: Vec::new(),
            outcomes: Vec::new(),
            observations: VecDeque::new(),
            events: Vec::new(),
            seq: 0,
            wake: None,
        }
    }

    /// What a read answers whose words contain the pattern; the newest script counts. `None`: no answer comes.
    pub fn answer(
        mut self,
        pattern: &str,
        reply: impl Fn(Instant) -> Option<Result<Value, Failure>> + 'static,
    ) -> Bench {
        self.answers
            .insert(0, (pattern.to_owned(), Box::new(reply)));
        self
    }

    /// A metric with one value, as it is at each moment.
    pub fn metric(self, pattern: &str, value: impl Fn(i64) -> f64 + 'static) -> Bench {
        self.answer(pattern, move |at| Some(Ok(series(&[value(at.0)]))))
    }

    /// How the commits under a key end, in turn; `None`: no answer comes.
    pub fn commits(mut self, pattern: &str, outcomes: Vec<Option<Outcome>>) -> Bench {
        self.outcomes.push((pattern.to_owned(), outcomes.into()));
        self
    }

    pub fn observes(mut self, observations: Vec<Observation>) -> Bench {
        self.observations = observations.into();
        self
    }

    pub fn start(mut self) -> Bench {
        self.event(
            Instant(0),
            EventKind::Started {
                run: "r1".to_owned(),
                digest: "d".repeat(64),
                inputs: Fields::new(),
                by: actor("ann"),
            },
        );
        self
    }

    /// Goes on until the moment; then nothing more happens at it.
    pub fn until(mut self, until_ns: i64) -> Bench {
        for _ in 0..1_000_000 {
            let wake = self.wake.map(|at| (at, u64::MAX));
            let next = self.events.iter().map(|(at, seq, _)| (*at, *seq)).min();
            let (at, seq) = match (next, wake) {
                (Some(next), Some(wake)) => next.min(wake),
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => break,
            };
            if at.0 > until_ns || self.outcome.is_some() && seq == u64::MAX {
                break;
            }
            if seq == u64::MAX {
                self.wake = None;
                self.event(at, EventKind::Tick);
            } else {
                let index = self.events.iter().position(|event| event.1 == seq).unwrap();
                let (at, _, kind) = self.events.remove(index);
                self.event(at, kind);
            }
        }
        self
    }

    pub fn run(self) -> Bench {
        self.until(i64::MAX)
    }

    pub fn at(mut self, at_ns: i64, kind: EventKind) -> Bench {
        self = self.until(at_ns - 1);
        self.event(Instant(at_ns), kind);
        self
    }

    #[track_caller]
    pub fn event(&mut self, at: Instant, kind: EventKind) {
        let of_this_instant = self.journal.iter().rev().take_while(|one| one.at == at);
        assert!(of_this_instant.count() < 1_000, "time stands still");
        let event = Event { at, kind };
        self.journal.push(event.clone());
        let state = std::mem::take(&mut self.state);
        let (state, effects) = step(&self.plan, state, event);
        nothing_was_overlooked(&self.plan, &state);
        self.state = state;
        for effect in effects {
            self.carry_out(at, effect);
        }
    }

    /// The process is lost, with everything that is in flight.
    pub fn crash(mut self) -> Bench {
        self.events.clear();
        self.wake = None;
        self
    }

    #[track_caller]
    pub fn expect(self, expected: &str) -> Bench {
        let wanted: Vec<&str> = expected
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        assert_eq!(self.log.join("\n"), wanted.join("\n"));
        self
    }

    /// The lines that contain one of the words.
    pub fn lines(&self, words: &[&str]) -> String {
        let wanted = |line: &&String| words.iter().any(|word| line.contains(word));
        let lines: Vec<&str> = self.log.iter().filter(wanted).map(String::as_str).collect();
        lines.join("\n")
    }

    #[track_caller]
    pub fn expect_lines(self, words: &[&str], expected: &str) -> Bench {
        let wanted: Vec<&str> = expected
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        assert_eq!(self.lines(words), wanted.join("\n"));
        self
    }

    #[track_caller]
    pub fn outcome(self, outcome: RunOutcome) -> Bench {
        assert_eq!(self.outcome, Some(outcome), "{}", self.log.join("\n"));
        self
    }

    fn carry_out(&mut self, at: Instant, effect: Effect) {
        match effect {
            Effect::Read {
                id,
                call,
                at: asked,
                ..
            } => {
                self.reads += 1;
                let words = words(&call);
                let reply = self
                    .answers
                    .iter()
                    .find(|(pattern, _)| words.contains(pattern));
                let reply = match reply {
                    Some((_, reply)) => reply(asked),
                    None => Some(Ok(series(&[]))),
                };
                if let Some(result) = reply {
                    let slow = self
                        .slow
                        .iter()
                        .find(|(pattern, _)| words.contains(pattern));
                    let at = at.plus(slow.map_or(0, |(_, ns)| *ns));
                    self.soon(at, EventKind::Read { id, result });
                }
            }
            Effect::Prepare { key, call, .. } => {
                self.say(at, &format!("prepare {}", short(&key)));
                let mut intent = intent(call, self.observable);
                intent.targets.clone_from(&self.targets);
                let result = Ok(Box::new(intent));
                self.soon(at, EventKind::Prepared { key, result });
            }
            Effect::Commit {
                key,
                intent,
                direction,
                ..
            } => self.commit(at, key, &intent, direction),
            Effect::Observe { key, direction, .. } => {
                self.say(at, &format!("observe {} {}", way(direction), short(&key)));
                if let Some(observation) = self.observations.pop_front() {
                    let kind = EventKind::Observed {
                        key,
                        direction,
                        observation,
                    };
                    self.soon(at, kind);
                }
            }
            Effect::Tell { key, call } => {
                let text = call
                    .args
                    .get("text")
                    .map(show::interpolated)
                    .unwrap_or_default();
                self.say(at, &format!("tell {text}"));
                self.soon(
                    at,
                    EventKind::Told {
                        key,
                        result: Ok(()),
                    },
                );
            }
            Effect::Cancel { key } => self.say(at, &format!("cancel {}", short(&key))),
            Effect::Wake { at } => self.wake = Some(at),
            Effect::Ask { node } => self.say(at, &format!("ask {}", self.path(node))),
            Effect::Show(note) => self.note(at, note),
            Effect::Finish(outcome) => {
                self.outcome = Some(outcome);
                self.say(at, &format!("finish {outcome:?}"));
            }
        }
    }

    fn commit(&mut self, at: Instant, key: Key, intent: &Intent, direction: Direction) {
        self.say(at, &format!("commit {} {}", way(direction), short(&key)));
        let words = format!("{} {}", way(direction), key.0);
        let script = self
            .outcomes
            .iter_mut()
            .find(|(pattern, _)| words.contains(pattern.as_str()));
        let scripted = script.and_then(|(_, outcomes)| outcomes.pop_front());
        let outcome = match scripted {
            Some(outcome) => outcome,
            None => Some(applied(&intent.call)),
        };
        if let Some(outcome) = outcome {
            let kind = EventKind::Committed {
                key,
                direction,
                outcome,
            };
            self.soon(at, kind);
        }
    }

    fn soon(&mut self, at: Instant, kind: EventKind) {
        self.seq += 1;
        self.events.push((at.plus(self.latency_ns), self.seq, kind));
    }

    fn note(&mut self, at: Instant, note: Note) {
        let place = note
            .node
            .map(|id| format!(" {}", self.path(id)))
            .unwrap_or_default();
        let text = match note.kind {
            NoteKind::Started => format!("begin{place}"),
            NoteKind::Ended { verdict } => format!("end{place} {}", show::word(verdict)),
            NoteKind::Judged(_) => return,
            NoteKind::Weight { achieved, .. } => format!("weight{place} {}%", achieved * 100.0),
            NoteKind::Paused { until, .. } => {
                format!("pause{place} until {}", duration_ns(until.0))
            }
            NoteKind::Unpaused => format!("go on{place}"),
            NoteKind::RuleFired { cause, .. } => format!("fired: {cause}"),
            NoteKind::Blind { since, .. } => format!("blind since {}", duration_ns(since.0)),
            NoteKind::RollbackStarted { cause } => format!("rollback: {cause}"),
            NoteKind::Undone { outcome } => format!("undone{place}: {outcome}"),
            NoteKind::Failed { failure } => format!("failed{place}: {}", failure.message),
            NoteKind::Drift { message } => format!("drift{place}: {message}"),
            NoteKind::Said { text } => format!("said{place}: {text}"),
        };
        self.say(at, &text);
    }

    fn say(&mut self, at: Instant, text: &str) {
        self.log.push(format!("{} {text}", duration_ns(at.0)));
    }

    fn path(&self, id: NodeId) -> String {
        self.plan
            .node(id)
            .map_or_else(|| "?".to_owned(), |node| node.path.clone())
    }
}

/// Everything that an event may change was stirred by it.
#[track_caller]
pub fn nothing_was_overlooked(plan: &Plan, state: &State) {
    let (again, effects) = look_again(plan, state.clone());
    assert_eq!(
        serde_json::to_string(&effects).unwrap(),
        "[]",
        "it was overlooked"
    );
    let known = serde_json::to_string(state).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), known);
}

pub fn actor(user: &str) -> Actor {
    Actor {
        user: user.to_owned(),
        host: "h".to_owned(),
    }
}

/// By the next process.
pub fn resumed() -> EventKind {
    EventKind::Resumed {
        by: actor("ann"),
        epoch: 2,
    }
}

pub fn signed(node: NodeId, user: &str, role: &str) -> EventKind {
    EventKind::Signed {
        node,
        by: actor(user),
        role: role.to_owned(),
        answer: Answer::Yes { note: None },
        subject: None,
    }
}

pub fn series(values: &[f64]) -> Value {
    let row = |value: &f64| {
        Value::Record(Fields::from([
            ("labels", Value::Record(Fields::new())),
            ("value", Value::measured(Dim::Count, *value)),
        ]))
    };
    Value::List(values.iter().map(row).collect())
}

pub fn record(fields: &[(&str, Value)]) -> Value {
    let fields = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    Value::Record(fields.collect())
}

pub fn failure(kind: FailureKind, message: &str) -> Failure {
    Failure {
        kind,
        message: message.to_owned(),
    }
}

pub fn applied(call: &Call) -> Outcome {
    let pods = |name: &str| Value::String(format!("shop-{name}"));
    let achieved = call.args.get("weight").cloned().unwrap_or(Value::Absent);
    Outcome::Applied {
        result: record(&[
            ("achieved", achieved),
            ("canary_pods", pods("canary")),
            ("stable_pods", pods("stable")),
            ("all_pods", pods("all")),
        ]),
        written: Vec::new(),
    }
}

fn intent(call: Call, observable: Observable) -> Intent {
    Intent {
        call,
        targets: Vec::new(),
        before: record(&[("image", Value::String("old".to_owned()))]),
        forward: serde_json::json!({}),
        inverse: serde_json::json!({ "to": "old" }),
        observable,
    }
}

fn words(call: &Call) -> String {
    let args: Vec<String> = call
        .args
        .iter()
        .map(|(name, value)| format!("{name}={}", show::interpolated(value)))
        .collect();
    format!("{}.{} {}", call.provider, call.function, args.join(" "))
}

fn short(key: &Key) -> &str {
    key.0.splitn(3, '/').nth(2).unwrap_or(&key.0)
}

fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "forward",
        Direction::Back => "back",
    }
}
