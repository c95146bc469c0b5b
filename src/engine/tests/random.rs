//! What holds for every sequence of events: no panic, the same again, every prefix is a journal, and no change leaves
//! without its intent, or twice without a look between.

use crate::engine::ending::How;
use crate::engine::protocol::{Answer, Effect, Event, EventKind, ReadId, RunOutcome};
use crate::engine::rollback::Verifying;
use crate::engine::state::{Life, StageWork, State, Work};
use crate::engine::step;
use crate::engine::tests::bench::{
    Bench, actor, applied, failure, nothing_was_overlooked, record, series,
};
use crate::engine::tests::build::{
    Builder, H, M, S, approve, call, check, confirm, errors, expect, no_data, notice, pause, ready,
    rule, step as step_of,
};
use crate::engine::write::Leg;
use crate::plan::expr::Scope;
use crate::plan::node::{CheckMode, NodeId, NodeKind, Quorum, UndoPlan};
use crate::plan::{Action, Plan, Policy};
use crate::providers::request::{
    Call, Direction, FailureKind, Intent, Key, Observable, Observation, Outcome,
};
use crate::syntax::ast::CompareOp;
use crate::values::fields::Fields;
use crate::values::{Instant, Value, Verdict};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};

/// A plan with something of everything.
fn whole() -> Plan {
    let mut b = Builder::new();
    let before = preparation(&mut b);
    let (deploy, release) = deployment(&mut b);
    b.after(deploy, before);
    let rollout = rollout(&mut b, release);
    b.after(rollout, deploy);
    let observe = observation(&mut b);
    b.after(observe, rollout);
    guard(&mut b, rollout, observe);
    let body = vec![expect(ready("nodes", CompareOp::Ge, 3))];
    let kind = NodeKind::Check(check(body, CheckMode::Within { ns: M }));
    let verify = b.node(None, "verify", kind);
    b.rollback(vec![verify]);
    b.plan
}

fn preparation(b: &mut Builder) -> NodeId {
    let before = b.phase("before");
    let within = CheckMode::Within { ns: M };
    let nodes = b.check(before, "nodes", ready("nodes", CompareOp::Ge, 3), within);
    b.policies(nodes).fail = Some(pause(5 * M, Policy::Warn));
    let briefing = b.node(Some(before), "briefing", NodeKind::ConfirmGroup);
    b.node(Some(briefing), "online", confirm(H));
    b.node(Some(before), "go", approve(Quorum::People(2), Some(2 * H)));
    let when = NodeKind::When(ready("nodes", CompareOp::Ge, 5));
    let when = b.node(Some(before), "when", when);
    b.check(
        when,
        "many",
        ready("nodes", CompareOp::Le, 9),
        CheckMode::Once,
    );
    before
}

fn deployment(b: &mut Builder) -> (NodeId, NodeId) {
    let deploy = b.phase("deploy");
    let release = b.step(deploy, "release");
    let undo = UndoPlan::Written {
        call: call("restore", "script"),
        timeout_ns: M,
        title: None,
        refs: Vec::new(),
    };
    let script = step_of("script", undo);
    b.node(Some(deploy), "script", NodeKind::Step(script));
    b.node(Some(deploy), "said", NodeKind::Notify(notice("deploying")));
    (deploy, release)
}

fn rollout(b: &mut Builder, release: NodeId) -> NodeId {
    let rollout = b.phase("rollout");
    let canary = b.canary(rollout, release, &[(50, 2 * M), (100, 2 * M)]);
    for at in 0..2 {
        let stage = b.child(canary, at);
        let low = errors(Scope::Canary, CompareOp::Lt, 5);
        let gate = b.check(stage, "errors", low, CheckMode::Stage { for_ns: 0 });
        b.policies(gate).no_data = Some((M, pause(10 * M, Policy::Rollback)));
    }
    rollout
}

fn observation(b: &mut Builder) -> NodeId {
    let observe = b.phase("observe");
    let every = b.every(observe);
    let low = errors(Scope::None, CompareOp::Lt, 5);
    let gate = b.check(every, "errors", low, CheckMode::For { ns: M });
    b.policies(gate).fail = Some(pause(20 * M, Policy::Warn));
    b.node(Some(observe), "hold", NodeKind::Hold { ns: 10 * M });
    observe
}

fn guard(b: &mut Builder, from: NodeId, to: NodeId) {
    let actions = vec![
        Action::Notify(notice("bad")),
        Action::Pause {
            up_to_ns: 10 * M,
            then: Box::new(Policy::Rollback),
        },
    ];
    let all = errors(Scope::All, CompareOp::Gt, 10);
    let rules = vec![
        rule(all, 30 * S, vec![Action::Rollback]),
        rule(errors(Scope::Canary, CompareOp::Gt, 5), 0, actions),
    ];
    let blind = no_data(2 * M, vec![Action::Notify(notice("blind"))]);
    b.watch(from, to, rules, blind);
}

/// What the world or a person does next.
#[derive(Clone, Debug)]
enum Move {
    /// Answers the n-th question that is open, well or badly.
    Answer(usize, u8),
    /// Time goes on to the wake, or by so many seconds.
    Wait(Option<u16>),
    Say(u16),
    Crash,
    /// An answer that nobody asked for.
    Noise(u8),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        40 => (any::<usize>(), answers()).prop_map(|(at, how)| Move::Answer(at, how)),
        12 => Just(Move::Wait(None)),
        1 => (0_u16..400).prop_map(|seconds| Move::Wait(Some(seconds))),
        4 => any::<u16>().prop_map(Move::Say),
        1 => Just(Move::Crash),
        1 => any::<u8>().prop_map(Move::Noise),
    ];
    proptest::collection::vec(one, 1..400)
}

/// Mostly good ones, so that runs come far.
fn answers() -> impl Strategy<Value = u8> {
    prop_oneof![6 => Just(WELL), 1 => any::<u8>()]
}

/// The good answer to every question.
const WELL: u8 = 119;

/// A world that answers as the moves say, and watches what is asked of it.
struct World {
    plan: Plan,
    state: State,
    journal: Vec<Event>,
    /// What each event led to.
    effects: Vec<String>,
    now: Instant,
    wake: Option<Instant>,
    open: Vec<Effect>,
    prepared: BTreeSet<Key>,
    /// Commits since the last observation.
    issued: BTreeMap<(Key, bool), u32>,
}

impl World {
    fn new() -> World {
        let mut world = World {
            plan: whole(),
            state: State::default(),
            journal: Vec::new(),
            effects: Vec::new(),
            now: Instant(0),
            wake: None,
            open: Vec::new(),
            prepared: BTreeSet::new(),
            issued: BTreeMap::new(),
        };
        world.take(EventKind::Started {
            run: "r".to_owned(),
            digest: "d".to_owned(),
            inputs: Fields::new(),
            by: actor("ann"),
        });
        world
    }

    fn take(&mut self, kind: EventKind) {
        if let EventKind::Prepared { key, result: Ok(_) } = &kind {
            self.prepared.insert(key.clone());
        }
        if let EventKind::Observed { key, direction, .. } = &kind {
            self.issued
                .remove(&(key.clone(), *direction == Direction::Back));
        }
        let event = Event { at: self.now, kind };
        self.journal.push(event.clone());
        let state = std::mem::take(&mut self.state);
        let (state, effects) = step(&self.plan, state, event);
        nothing_was_overlooked(&self.plan, &state);
        self.state = state;
        self.effects.push(json(&effects));
        for effect in effects {
            match &effect {
                Effect::Wake { at } => self.wake = Some(*at),
                Effect::Commit { key, direction, .. } => {
                    assert!(self.prepared.contains(key), "no commit before its intent");
                    let back = *direction == Direction::Back;
                    let issued = self.issued.entry((key.clone(), back)).or_default();
                    *issued += 1;
                    assert_eq!(
                        *issued, 1,
                        "no second commit without an observation: {key:?}"
                    );
                    self.open.push(effect);
                }
                Effect::Read { .. } | Effect::Prepare { .. } | Effect::Observe { .. } => {
                    self.open.push(effect);
                }
                Effect::Tell { .. } => self.open.push(effect),
                Effect::Cancel { .. }
                | Effect::Ask { .. }
                | Effect::Show(_)
                | Effect::Finish(_) => {}
            }
        }
    }

    fn play(&mut self, next: &Move) {
        match next {
            Move::Answer(at, how) => self.answer(*at, *how),
            Move::Wait(seconds) => {
                let to = match seconds {
                    Some(seconds) => Some(self.now.plus(i64::from(*seconds) * S)),
                    None => self.wake,
                };
                if let Some(to) = to {
                    self.now = to.max(self.now);
                    self.take(EventKind::Tick);
                }
            }
            Move::Say(what) => self.say(*what),
            Move::Crash => {
                self.open.clear();
                self.now = self.now.plus(7 * S);
                let epoch = self.state.epoch + 1;
                self.take(EventKind::Resumed {
                    by: actor("bob"),
                    epoch,
                });
            }
            Move::Noise(what) => self.noise(*what),
        }
    }

    /// From here on everything is answered well, and nobody says anything.
    fn finish(&mut self) {
        for _ in 0..20_000 {
            if self.state.outcome.is_some() {
                return;
            }
            match self.open.is_empty() {
                false => self.answer(0, WELL),
                true => {
                    let wake = self.wake.take();
                    assert!(wake.is_some(), "it waits for nothing");
                    self.now = wake.unwrap_or(self.now).max(self.now);
                    self.take(EventKind::Tick);
                }
            }
        }
    }

    fn answer(&mut self, at: usize, how: u8) {
        if self.open.is_empty() {
            return;
        }
        let effect = self.open.remove(at % self.open.len());
        self.now = self.now.plus(i64::from(how) * 10_000_000);
        let broken = || failure(FailureKind::Unreachable, "connection refused");
        let kind = match effect {
            Effect::Read { id, call, .. } => EventKind::Read {
                id,
                result: match how % 8 {
                    0 => Err(broken()),
                    1 => Err(failure(FailureKind::Denied, "403")),
                    _ => Ok(read(&call, how)),
                },
            },
            Effect::Prepare { key, call, .. } => EventKind::Prepared {
                key,
                result: match how % 8 {
                    0 => Err(broken()),
                    1 => Err(failure(FailureKind::Conflict, "it is somebody else's")),
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
                    0 => Outcome::Unknown(broken()),
                    1 => Outcome::NotApplied(broken()),
                    2 => Outcome::Unachieved(failure(FailureKind::Unready, "not ready")),
                    _ => applied(&intent.call),
                },
            },
            Effect::Observe { key, direction, .. } => EventKind::Observed {
                key,
                direction,
                observation: match how % 5 {
                    0 => Observation::Unknown(broken()),
                    1 => Observation::NotApplied,
                    2 => Observation::Underway(failure(FailureKind::Unready, "not ready")),
                    3 => Observation::Foreign(failure(FailureKind::Conflict, "somebody")),
                    _ => Observation::Applied {
                        result: Value::Absent,
                        written: Vec::new(),
                    },
                },
            },
            Effect::Tell { key, .. } => EventKind::Told {
                key,
                result: if how < 9 { Err(broken()) } else { Ok(()) },
            },
            _ => return,
        };
        self.take(kind);
    }

    fn say(&mut self, what: u16) {
        let asked = |node: &NodeId| {
            let state = &self.state.nodes[node.0 as usize];
            matches!(state.work, Work::Gate(_)) && state.life == Life::Running
        };
        let nodes = (0..self.plan.nodes.len() as u32).map(NodeId);
        let gates: Vec<NodeId> = nodes.filter(asked).collect();
        let anywhere = NodeId(u32::from(what) % (self.plan.nodes.len() as u32 + 1));
        let node = match gates.is_empty() || what.is_multiple_of(5) {
            true => anywhere,
            false => gates[usize::from(what) % gates.len()],
        };
        let by = actor(if what.is_multiple_of(2) { "ann" } else { "mia" });
        let answer = match what % 37 {
            0 => Answer::No {
                reason: "no".to_owned(),
            },
            _ => Answer::Yes { note: None },
        };
        let reason = "because".to_owned();
        let role = "engineer".to_owned();
        self.take(match what % 97 {
            0 => EventKind::Aborted { by, reason },
            1 => EventKind::RollbackAsked { by, reason },
            2..=9 => EventKind::Continued { node, by, reason },
            10..=50 => EventKind::Answered {
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

    fn noise(&mut self, what: u8) {
        let known = self.state.writes.keys().next().cloned();
        let key = known.unwrap_or_else(|| Key("no".to_owned()));
        let direction = match what % 2 {
            0 => Direction::Forward,
            _ => Direction::Back,
        };
        let kind = match what % 4 {
            0 => EventKind::Read {
                id: ReadId(u64::from(what)),
                result: Ok(Value::Absent),
            },
            1 => EventKind::Committed {
                key,
                direction,
                outcome: Outcome::NotApplied(failure(FailureKind::Refused, "noise")),
            },
            2 => EventKind::Told {
                key,
                result: Ok(()),
            },
            _ => EventKind::Tick,
        };
        self.take(kind);
    }
}

fn read(call: &Call, how: u8) -> Value {
    match call.function.as_str() {
        "query" => match how % 6 {
            0 => series(&[]),
            1 => series(&[f64::NAN]),
            2 => series(&[0.5]),
            3 => series(&[0.0, 0.5]),
            _ => series(&[0.001]),
        },
        _ => record(&[("ready", Value::count(i64::from(how % 6)))]), // WELL: 5
    }
}

fn intent(call: Call, how: u8) -> Intent {
    Intent {
        call,
        targets: Vec::new(),
        before: Value::Absent,
        forward: serde_json::json!({}),
        inverse: match how % 5 {
            0 => serde_json::Value::Null,
            _ => serde_json::json!({ "to": "old" }),
        },
        observable: match how % 3 {
            0 => Observable::AtMostOnce,
            1 => Observable::Idempotent,
            _ => Observable::Yes,
        },
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_sequence_of_events_is_taken(moves in moves()) {
        let mut world = World::new();
        for next in &moves {
            world.play(next);
        }
        // The journal is the state: each prefix folds, and all of it folds to the same.
        let mut state = State::default();
        for (event, effects) in world.journal.iter().zip(&world.effects) {
            let (next, again) = step(&world.plan, state, event.clone());
            prop_assert_eq!(&json(&again), effects);
            state = next;
        }
        prop_assert_eq!(json(&state), json(&world.state));
    }

    #[test]
    fn when_faults_stop_the_run_ends_by_itself(moves in moves()) {
        let mut world = World::new();
        for next in &moves {
            world.play(next);
        }
        world.finish();
        prop_assert!(world.state.outcome.is_some(), "it has not ended");
    }
}

/// Random runs prove nothing about what they never come to.
#[test]
fn the_random_runs_come_to_everything() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for _ in 0..400 {
        let moves = moves().new_tree(&mut runner).unwrap().current();
        let mut world = World::new();
        for next in &moves {
            world.play(next);
            seen.extend(landmarks(&world.state));
        }
        world.finish();
        seen.extend(landmarks(&world.state));
    }
    let all = BTreeSet::from([
        "blind",
        "fired",
        "holding",
        "incomplete",
        "lost patience",
        "paused",
        "rolled back",
        "rolling back",
        "stopped",
        "succeeded",
        "ticking",
        "undoing",
        "unknown",
        "verifying",
    ]);
    assert_eq!(seen, all);
}

fn landmarks(state: &State) -> Vec<&'static str> {
    let mut seen = Vec::new();
    let rules = state.watches.iter().flat_map(|watch| &watch.rules);
    let nodes = || state.nodes.iter();
    let writes = || state.writes.values();
    let rolling = match &state.ending {
        Some(ending) => matches!(ending.how, How::Rollback(_)),
        None => false,
    };
    let verifying = matches!(
        &state.ending,
        Some(ending) if matches!(&ending.how, How::Rollback(it) if it.verifying == Verifying::Begun)
    );
    let marks = [
        ("fired", rules.map(|rule| rule.fires).sum::<u32>() > 0),
        (
            "blind",
            state
                .watches
                .iter()
                .any(|watch| watch.blind_since().is_some()),
        ),
        ("paused", !state.pauses.is_empty()),
        (
            "lost patience",
            state
                .pauses
                .iter()
                .any(|pause| pause.verdict == Verdict::Inconclusive),
        ),
        (
            "holding",
            nodes().any(|node| matches!(&node.work, Work::Stage(StageWork::Holding(_)))),
        ),
        ("ticking", nodes().any(|node| node.round > 0)),
        (
            "unknown",
            writes().any(|write| matches!(write.forward, Leg::Observing)),
        ),
        ("undoing", writes().any(|write| write.back.is_some())),
        ("rolling back", rolling),
        ("verifying", verifying),
        ("succeeded", state.outcome == Some(RunOutcome::Succeeded)),
        ("stopped", state.outcome == Some(RunOutcome::Stopped)),
        ("rolled back", state.outcome == Some(RunOutcome::RolledBack)),
        (
            "incomplete",
            state.outcome == Some(RunOutcome::RollbackIncomplete),
        ),
    ];
    seen.extend(marks.iter().filter(|(_, is)| *is).map(|(name, _)| *name));
    seen
}

#[test]
fn the_whole_plan_succeeds_when_all_is_well() {
    let plan = whole();
    let (gate, online) = (NodeId(4), NodeId(3));
    let yes = |node, user: &str, role: &str| EventKind::Signed {
        node,
        by: actor(user),
        role: role.to_owned(),
        answer: Answer::Yes { note: None },
        subject: None,
    };
    let bench = Bench::new(plan)
        .metric("error_rate", |_| 0.0)
        .answer("nodes", |_| Some(Ok(record(&[("ready", Value::count(7))]))))
        .start()
        .at(M, yes(gate, "ann", "engineer"))
        .at(2 * M, yes(gate, "mia", "manager"))
        .at(3 * M, yes(online, "ann", "engineer"))
        .run();
    assert_eq!(
        bench.lines(&["finish", "fail", "pause"]),
        "38m finish Succeeded",
        "{}",
        bench.log.join("\n")
    );
}
