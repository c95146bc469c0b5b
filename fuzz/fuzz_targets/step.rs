//! Any events, wanted or not, in any order: the engine takes them, ends, and sends nothing twice without a look.

#![no_main]
#![allow(
    clippy::disallowed_methods,
    reason = "the macro of the fuzzer touches files"
)]

use arbitrary::Arbitrary;
use deployc::engine::protocol::{Actor, Answer, Effect, Event, EventKind, ReadId};
use deployc::engine::state::State;
use deployc::engine::step;
use deployc::plan::Plan;
use deployc::plan::node::NodeId;
use deployc::providers::request::{
    Call, Direction, Failure, FailureKind, Intent, Key, Observable, Observation, Outcome,
};
use deployc::units::Dim;
use deployc::values::fields::Fields;
use deployc::values::{Instant, Value};
use libfuzzer_sys::fuzz_target;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

static PLAN: LazyLock<Plan> = LazyLock::new(deployc_fuzz::plan);

#[derive(Arbitrary, Debug)]
enum Move {
    Answer { which: u8, how: u8, measured: f64 },
    Wake,
    Wait { seconds: u16 },
    Back { seconds: u16 },
    Say { node: u8, how: u8 },
    Crash,
    Again { which: u8 },
}

struct World {
    state: State,
    now: Instant,
    wake: Option<Instant>,
    open: Vec<Effect>,
    events: Vec<Event>,
    intended: BTreeSet<Key>,
    unseen: BTreeMap<(Key, bool), u32>,
    epoch: u64,
}

fuzz_target!(|moves: Vec<Move>| {
    let mut world = World {
        state: State::default(),
        now: Instant(0),
        wake: None,
        open: Vec::new(),
        events: Vec::new(),
        intended: BTreeSet::new(),
        unseen: BTreeMap::new(),
        epoch: 1,
    };
    world.take(EventKind::Started {
        run: "r".to_owned(),
        digest: "d".to_owned(),
        inputs: Fields::new(),
        by: Actor::default(),
    });
    for one in moves.iter().take(400) {
        world.play(one);
    }
});

impl World {
    fn play(&mut self, one: &Move) {
        match one {
            Move::Answer {
                which,
                how,
                measured,
            } => self.answer(*which, *how, *measured),
            Move::Wake => {
                if let Some(at) = self.wake.take() {
                    self.now = self.now.max(at);
                    self.take(EventKind::Tick);
                }
            }
            Move::Wait { seconds } => {
                self.now = self.now.plus(i64::from(*seconds) * 1_000_000_000);
                self.take(EventKind::Tick);
            }
            // A clock that was put back.
            Move::Back { seconds } => {
                let at = self.now.plus(-i64::from(*seconds) * 1_000_000_000);
                self.take_at(at, EventKind::Tick);
            }
            Move::Say { node, how } => self.say(*node, *how),
            Move::Crash => {
                self.open.clear();
                self.epoch += 1;
                let epoch = self.epoch;
                let by = Actor::default();
                self.take(EventKind::Resumed { by, epoch });
            }
            Move::Again { which } => {
                let earlier = self.events.get(usize::from(*which)).cloned();
                let harmless = |event: &Event| {
                    !matches!(
                        event.kind,
                        EventKind::Resumed { .. } | EventKind::Observed { .. }
                    )
                };
                if let Some(event) = earlier.filter(harmless) {
                    self.take(event.kind);
                }
            }
        }
    }

    fn take(&mut self, kind: EventKind) {
        self.take_at(self.now, kind);
    }

    fn take_at(&mut self, at: Instant, kind: EventKind) {
        match &kind {
            EventKind::Prepared { key, result: Ok(_) } => {
                self.intended.insert(key.clone());
            }
            EventKind::Observed { key, direction, .. } => self.seen(key, *direction),
            // Where it is known what became of the first, a person may ask for another.
            EventKind::Committed {
                key,
                direction,
                outcome,
            } if !matches!(outcome, Outcome::Unknown(_)) => self.seen(key, *direction),
            _ => {}
        }
        let event = Event { at, kind };
        self.events.push(event.clone());
        let (state, effects) = step(&PLAN, std::mem::take(&mut self.state), event);
        self.state = state;
        for effect in effects {
            self.begin(effect);
        }
    }

    fn seen(&mut self, key: &Key, direction: Direction) {
        let side = (key.clone(), direction == Direction::Back);
        self.unseen.remove(&side);
    }

    fn begin(&mut self, effect: Effect) {
        match &effect {
            Effect::Wake { at } => self.wake = Some(*at),
            Effect::Commit { key, direction, .. } => {
                assert!(self.intended.contains(key), "no commit before its intent");
                let side = (key.clone(), *direction == Direction::Back);
                let sent = self.unseen.entry(side).or_default();
                *sent += 1;
                assert_eq!(*sent, 1, "no second commit without a look: {key:?}");
                self.open.push(effect);
            }
            Effect::Read { .. }
            | Effect::Prepare { .. }
            | Effect::Observe { .. }
            | Effect::Tell { .. } => self.open.push(effect),
            Effect::Cancel { .. } | Effect::Ask { .. } | Effect::Show(_) | Effect::Finish(_) => {}
        }
    }

    fn answer(&mut self, which: u8, how: u8, measured: f64) {
        if self.open.is_empty() {
            return;
        }
        let effect = self.open.remove(usize::from(which) % self.open.len());
        let trouble = || Failure::new(FailureKind::Unreachable, "connection refused");
        let kind = match effect {
            Effect::Read { id, call, .. } => EventKind::Read {
                id,
                result: match how % 8 {
                    0 => Err(trouble()),
                    1 => Err(Failure::new(FailureKind::Denied, "403")),
                    2 => Ok(Value::Absent),
                    _ => Ok(read(&call, how, measured)),
                },
            },
            Effect::Prepare { key, call, .. } => EventKind::Prepared {
                key,
                result: match how % 4 {
                    0 => Err(trouble()),
                    1 => Err(Failure::new(FailureKind::Conflict, "it is somebody else's")),
                    _ => Ok(Box::new(intent(call, how))),
                },
            },
            Effect::Commit {
                key,
                intent,
                direction,
                ..
            } => EventKind::Committed {
                key,
                direction,
                outcome: match how % 8 {
                    0 => Outcome::Unknown(trouble()),
                    1 => Outcome::NotApplied(trouble()),
                    2 => Outcome::Unachieved(trouble()),
                    _ => applied(&intent.call),
                },
            },
            Effect::Observe {
                key,
                intent,
                direction,
                ..
            } => EventKind::Observed {
                key,
                direction,
                observation: match how % 5 {
                    0 => Observation::Unknown(trouble()),
                    1 => Observation::NotApplied,
                    2 => Observation::Underway(trouble()),
                    3 => Observation::Foreign(trouble()),
                    _ => match applied(&intent.call) {
                        Outcome::Applied { result, written } => {
                            Observation::Applied { result, written }
                        }
                        _ => Observation::NotApplied,
                    },
                },
            },
            Effect::Tell { key, .. } => EventKind::Told {
                key,
                result: match how % 2 {
                    0 => Err(trouble()),
                    _ => Ok(()),
                },
            },
            _ => return,
        };
        self.take(kind);
    }

    fn say(&mut self, node: u8, how: u8) {
        let node = NodeId(u32::from(node));
        let by = Actor::default();
        let role = "engineer".to_owned();
        let reason = "because".to_owned();
        let answer = match how % 2 {
            0 => Answer::Yes { note: None },
            _ => Answer::No {
                reason: reason.clone(),
            },
        };
        self.take(match how % 16 {
            0 => EventKind::Aborted { by, reason },
            1 => EventKind::RollbackAsked { by, reason },
            2 => EventKind::Read {
                id: ReadId(u64::from(how)),
                result: Ok(Value::Absent),
            },
            3..=7 => EventKind::Continued { node, by, reason },
            8..=11 => EventKind::Answered {
                node,
                by,
                role,
                answer,
                subject: None,
            },
            _ => EventKind::Signed {
                node,
                by,
                role,
                answer,
                subject: None,
            },
        });
    }
}

fn read(call: &Call, how: u8, measured: f64) -> Value {
    let row = || {
        let fields = [
            ("labels", Value::Record(Fields::new())),
            ("value", Value::measured(Dim::Count, measured)),
        ];
        record(fields)
    };
    match call.function.as_str() {
        "query" => Value::List((0..how % 3).map(|_| row()).collect()),
        _ => record([
            ("image", Value::String("registry.local/api:1".to_owned())),
            ("ready", Value::count(i64::from(how))),
        ]),
    }
}

fn intent(call: Call, how: u8) -> Intent {
    Intent {
        call,
        targets: Vec::new(),
        before: record([("image", Value::String("registry.local/api:1".to_owned()))]),
        forward: serde_json::json!({}),
        inverse: match how % 5 {
            4 => serde_json::Value::Null,
            _ => serde_json::json!({ "to": "old" }),
        },
        observable: match how % 3 {
            0 => Observable::AtMostOnce,
            1 => Observable::Idempotent,
            _ => Observable::Yes,
        },
    }
}

fn applied(call: &Call) -> Outcome {
    let pods = |name: &str| Value::String(format!("api-{name}"));
    let achieved = call.args.get("weight").cloned().unwrap_or(Value::Absent);
    Outcome::Applied {
        result: record([
            ("achieved", achieved),
            ("canary_pods", pods("canary")),
            ("stable_pods", pods("stable")),
            ("all_pods", pods("all")),
        ]),
        written: Vec::new(),
    }
}

fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Value::Record(fields.into_iter().collect())
}
