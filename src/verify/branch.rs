//! One run: the engine and the world, event by event, in virtual time.
//!
//! Measurements are answered at once and in one fixed order; what changes something takes a little time, so that watches
//! speak meanwhile.

use crate::engine::protocol::{Actor, Effect, Event, EventKind, Note, NoteKind, RunOutcome};
use crate::engine::state::{Life, State};
use crate::plan::Plan;
use crate::plan::node::{NodeId, NodeKind};
use crate::providers::request::{Call, Direction, Key, Observable};
use crate::providers::{CANARY_PROMOTE, CANARY_WEIGHT};
use crate::units::amount::{Amount, NANO, Nano};
use crate::values::{Instant, Value, Verdict};
use crate::verify::answer;
use crate::verify::claims;
use crate::verify::fault::{Change, Doing, Fault, What};
use crate::verify::ledger;
use crate::verify::people;
use crate::verify::promise::{self, Promise, Violation};
use crate::verify::quiet::{self, Rhythm};
use crate::verify::request::Request;
use crate::verify::story::Line;
use crate::verify::subject::{Site, Subject};
use crate::verify::world::{Account, Became, Looked, Side, There, World};
use std::collections::BTreeMap;

/// The function that is explored: the engine's, but for tests of the promises.
pub type Step = dyn Fn(&Plan, State, Event) -> (State, Vec<Effect>) + Sync;

pub const SECOND_NS: i64 = 1_000_000_000;
/// More than any run of any plan needs.
const EVENTS_MAX: u64 = 5_000_000;
const AT_ONE_INSTANT_MAX: u32 = 20_000;

#[derive(Clone)]
pub struct Branch {
    pub state: State,
    pub world: World,
    pub now: Instant,
    pub wake: Option<Instant>,
    /// By when they are answered.
    pub pending: BTreeMap<Due, Request>,
    /// Those that the newest event led to.
    pub fresh: Vec<Due>,
    pub issued: u64,
    /// How many were injected.
    pub faults: u32,
    /// Those that go on.
    pub active: Vec<Fault>,
    /// How many events were taken in.
    pub events: u64,
    pub epoch: u64,
    /// Time in which no process carried the run out, and that of the samples that were lost with one.
    pub away_ns: i64,
    /// When the rollback began, and how long nobody had carried the run out by then.
    pub rolling: Option<(Instant, i64)>,
    pub outcome: Option<RunOutcome>,
    pub violation: Option<Violation>,
    pub log: Option<Vec<Line>>,
    pub rhythm: Rhythm,
    still: u32,
}

/// When a request is answered; those of one instant in the order in which they were asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    pub at: Instant,
    pub number: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Event,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Answer,
    /// Time alone, at this moment.
    Tick(Instant),
    Nothing,
}

impl Branch {
    /// A run whose first event has been taken in.
    pub fn start(subject: &Subject, step: &Step) -> Branch {
        let mut branch = Branch {
            state: State::default(),
            world: World::new(subject.sites.len()),
            now: subject.start,
            wake: None,
            pending: BTreeMap::new(),
            fresh: Vec::new(),
            issued: 0,
            faults: 0,
            active: Vec::new(),
            events: 0,
            epoch: 0,
            away_ns: 0,
            rolling: None,
            outcome: None,
            violation: None,
            log: None,
            rhythm: Rhythm::default(),
            still: 0,
        };
        let kind = EventKind::Started {
            run: subject.plan.name.clone(),
            digest: "verify".to_owned(),
            inputs: subject.inputs.clone(),
            by: actor("deployc"),
        };
        branch.take(subject, step, subject.start, kind);
        branch
    }

    /// Takes the next event in: an answer, or the time.
    pub fn advance(&mut self, subject: &Subject, step: &Step) -> Progress {
        if self.outcome.is_some() || self.violation.is_some() {
            return Progress::Ended;
        }
        if self.events >= EVENTS_MAX || self.still >= AT_ONE_INSTANT_MAX {
            self.break_promise(Promise::End, None, "it goes round and round".to_owned());
            return Progress::Ended;
        }
        if self.took_ns(subject) > subject.patience_ns() {
            let text = "it goes on long after the longest time of its plan";
            self.break_promise(Promise::End, None, text.to_owned());
            return Progress::Ended;
        }
        match self.next() {
            Next::Tick(at) => match quiet::landed(self, subject, step, at) {
                Some(landed) => *self = landed,
                None => self.go_on(subject, step),
            },
            Next::Answer => self.go_on(subject, step),
            Next::Nothing => {
                let text = "nothing is on its way, nothing is waited for, and it has not ended";
                self.break_promise(Promise::End, None, text.to_owned());
                return Progress::Ended;
            }
        }
        Progress::Event
    }

    /// What comes next: an answer before the time of the same instant.
    pub fn next(&self) -> Next {
        let answer = self.pending.first_key_value().map(|(due, _)| due.at);
        match (answer, self.wake) {
            (Some(at), wake) if wake.is_none_or(|wake| at <= wake) => Next::Answer,
            (_, Some(wake)) => Next::Tick(wake),
            (_, None) => Next::Nothing,
        }
    }

    /// Takes in what comes next, as it comes.
    pub fn go_on(&mut self, subject: &Subject, step: &Step) {
        match self.next() {
            Next::Answer => self.deliver(subject, step),
            Next::Tick(at) => self.tick(subject, step, at),
            Next::Nothing => {}
        }
    }

    /// The time is told, which may be late.
    pub fn tick(&mut self, subject: &Subject, step: &Step, at: Instant) {
        self.wake = None;
        self.take(subject, step, at, EventKind::Tick);
    }

    pub fn take(&mut self, subject: &Subject, step: &Step, at: Instant, kind: EventKind) {
        self.still = if at > self.now { 0 } else { self.still + 1 };
        self.now = self.now.max(at);
        self.events += 1;
        self.fresh.clear();
        let state = std::mem::take(&mut self.state);
        let event = Event { at: self.now, kind };
        let (state, effects) = step(&subject.plan, state, event);
        self.state = state;
        for effect in effects {
            self.effect(subject, effect);
        }
        self.claims(subject);
        self.forget();
    }

    /// Before it is copied for each fault: what items that have ended had measured is for those who look at the run.
    pub fn travel_light(&mut self) {
        let ended = self.state.nodes.iter_mut();
        for node in ended.filter(|node| node.life == Life::Ended) {
            node.clauses = Vec::new();
        }
    }

    /// Lasting faults of what is over are over.
    pub fn forget(&mut self) {
        if self.active.is_empty() {
            return;
        }
        let mut active = std::mem::take(&mut self.active);
        active.retain(|fault| goes_on(self, fault));
        self.active = active;
    }

    /// Without the time in which no process carried it out.
    pub fn took_ns(&self, subject: &Subject) -> i64 {
        self.now.since(subject.start) - self.away_ns
    }

    /// How long the rollback has gone on.
    pub fn back_ns(&self) -> Option<i64> {
        let (since, away_ns) = self.rolling?;
        Some(self.now.since(since) - (self.away_ns - away_ns))
    }

    pub fn push(&mut self, at: Instant, request: Request) {
        let due = Due {
            at,
            number: self.issued,
        };
        self.issued += 1;
        self.pending.insert(due, request);
        self.fresh.push(due);
    }

    pub fn say(&mut self, line: impl FnOnce() -> Line) {
        if let Some(log) = &mut self.log {
            log.push(line());
        }
    }

    /// The first broken promise is the one that counts.
    pub fn break_promise(&mut self, promise: Promise, node: Option<NodeId>, words: String) {
        let at = self.now;
        self.violation.get_or_insert(Violation {
            promise,
            at,
            node,
            claim: None,
            words,
        });
    }

    /// What the plan claims holds after each event.
    fn claims(&mut self, subject: &Subject) {
        if subject.invariants.is_empty() || self.violation.is_some() {
            return;
        }
        if let Some((invariant, claim)) = claims::broken(subject, self) {
            self.violation = Some(Violation {
                promise: Promise::Invariant,
                at: self.now,
                node: None,
                claim: Some(claim.span),
                words: format!("{} does not hold: {}", invariant.name(), claim.text),
            });
        }
    }

    fn effect(&mut self, subject: &Subject, effect: Effect) {
        match effect {
            Effect::Read { id, call, at, .. } => {
                let request = match call.function.as_str() {
                    "watch" => Request::Watch {
                        id,
                        watch: number(&call, "watch"),
                        says: Vec::new(),
                        blind: false,
                    },
                    _ => Request::Site {
                        id,
                        site: number(&call, "site") as usize,
                        at,
                        says: None,
                    },
                };
                self.push(self.now, request);
            }
            Effect::Prepare { key, call, .. } => {
                let change = self.account(subject, key, &call);
                self.push(
                    self.now.plus(SECOND_NS),
                    Request::Prepare { change, how: None },
                );
            }
            Effect::Commit {
                key,
                direction,
                timeout_ns,
                ..
            } => self.commit(subject, &key, direction, timeout_ns),
            Effect::Observe { key, direction, .. } => {
                if let Some(change) = self.world.find(&key) {
                    let request = Request::Observe {
                        change,
                        direction,
                        how: None,
                    };
                    self.push(self.now.plus(SECOND_NS), request);
                }
            }
            Effect::Tell { key, .. } => {
                self.push(self.now.plus(SECOND_NS), Request::Tell { key, works: true });
            }
            Effect::Wake { at } => self.wake = Some(at),
            Effect::Ask { node } => self.ask(subject, node),
            Effect::Show(note) => self.note(subject, note),
            Effect::Finish(outcome) => self.finish(subject, outcome),
            // What is on its way ends as it would have.
            Effect::Cancel { .. } => {}
        }
    }

    fn commit(&mut self, subject: &Subject, key: &Key, direction: Direction, timeout_ns: i64) {
        let Some(change) = self.world.find(key) else {
            let text = "it was sent, and its intent had not been asked for".to_owned();
            return self.break_promise(Promise::Once, None, text);
        };
        let found = self.world.changes.get(change);
        let broken = found.and_then(|account| {
            let (promise, text) = promise::sending(subject, self, account, direction)?;
            Some((promise, account.change.node, text))
        });
        if let Some((promise, node, text)) = broken {
            self.break_promise(promise, Some(node), text);
        }
        if let Some(account) = self.world.changes.get_mut(change) {
            let side = account.side_mut(direction);
            side.sent += 1;
            side.looked = Looked::No;
        }
        let request = Request::Commit {
            change,
            direction,
            how: None,
            timeout_ns,
        };
        let how = self.lasting_doing(change, direction);
        self.push(self.now.plus(doing_ns(how, timeout_ns)), request);
    }

    fn ask(&mut self, subject: &Subject, gate: NodeId) {
        self.pending.retain(
            |_, request| !matches!(request, Request::Person { gate: of, .. } if *of == gate),
        );
        if self.active.contains(&Fault::Silent { gate }) {
            return;
        }
        let mut at = self
            .now
            .plus((within_ns(subject, gate) / 3).min(60 * SECOND_NS));
        for signer in people::signers(&subject.plan, gate) {
            let request = Request::Person {
                gate,
                signer,
                yes: true,
            };
            self.push(at, request);
            at = at.plus(1);
        }
    }

    fn note(&mut self, subject: &Subject, note: Note) {
        match (&note.kind, note.node) {
            (NoteKind::Started, Some(id)) => {
                for site in subject.sites_of(id) {
                    self.world.begun(*site);
                }
            }
            (NoteKind::Ended { verdict }, Some(id)) if *verdict == Verdict::Pass => {
                if let Some((promise, text)) = promise::passed(subject, self, id) {
                    self.break_promise(promise, Some(id), text);
                }
            }
            (NoteKind::RollbackStarted { .. }, _) => {
                self.rolling = Some((self.now, self.away_ns));
            }
            _ => {}
        }
        let at = self.now;
        self.say(|| Line::Note { at, note });
    }

    fn finish(&mut self, subject: &Subject, outcome: RunOutcome) {
        if self.outcome.is_some() {
            return;
        }
        self.outcome = Some(outcome);
        let at = self.now;
        self.say(|| Line::Ended { at, outcome });
        if let Some((promise, node, text)) = promise::ended(subject, self, outcome) {
            self.break_promise(promise, node, text);
        }
    }

    /// The account of a change, opened when its intent is asked for the first time.
    fn account(&mut self, subject: &Subject, key: Key, call: &Call) -> usize {
        if let Some(known) = self.world.find(&key) {
            return known;
        }
        let (change, weight) = change_of(&subject.plan, call);
        let observable = match change.what {
            What::Step => subject.observable(change.node),
            _ => Observable::Yes,
        };
        self.world.changes.push(Account {
            key,
            change,
            observable,
            weight,
            forward: Side::default(),
            back: Side::default(),
            there: There::No,
            became: Became::Nothing,
        });
        self.world.changes.len() - 1
    }

    pub fn lasting_doing(&self, change: usize, direction: Direction) -> Option<Doing> {
        let change = self.world.changes.get(change)?.change;
        self.active.iter().find_map(|fault| match fault {
            Fault::Commit {
                change: of,
                direction: towards,
                how,
                ..
            } if *of == change && *towards == direction => Some(*how),
            _ => None,
        })
    }

    fn deliver(&mut self, subject: &Subject, step: &Step) {
        let Some((due, request)) = self.pending.pop_first() else {
            return;
        };
        self.now = self.now.max(due.at);
        let kind = answer::answer(self, subject, request);
        self.take(subject, step, due.at, kind);
    }
}

/// A request that is answered badly because of time is answered when its time is over.
pub fn doing_ns(how: Option<Doing>, timeout_ns: i64) -> i64 {
    match how {
        Some(Doing::DoneLate | Doing::Unachieved) => timeout_ns,
        _ => (timeout_ns / 2).min(5 * SECOND_NS),
    }
}

pub fn within_ns(subject: &Subject, gate: NodeId) -> i64 {
    match subject.plan.node(gate).map(|node| &node.kind) {
        Some(NodeKind::Confirm(confirm)) => confirm.within_ns,
        Some(NodeKind::Approve(approve)) => approve.within_ns,
        _ => 0,
    }
}

pub fn actor(user: &str) -> Actor {
    Actor {
        user: user.to_owned(),
        host: "verify".to_owned(),
    }
}

fn number(call: &Call, name: &str) -> u32 {
    match call.args.get(name) {
        Some(Value::String(text)) => text.parse().unwrap_or(u32::MAX),
        _ => u32::MAX,
    }
}

fn change_of(plan: &Plan, call: &Call) -> (Change, Nano) {
    let step = |what| Change {
        node: NodeId(number(call, "node")),
        what,
    };
    let canary = || {
        let released = match call.args.get("release") {
            Some(Value::Record(release)) => match release.get("node") {
                Some(Value::String(id)) => id.parse().ok(),
                _ => None,
            },
            _ => None,
        };
        released.and_then(|id| ledger::canary_of(plan, NodeId(id)))
    };
    let nowhere = NodeId(u32::MAX);
    match call.function.as_str() {
        CANARY_WEIGHT => {
            let weight = weight(call);
            let stages = canary().map(|(node, _)| ledger::stages(plan, node));
            let of_weight = |id: &NodeId| {
                let kind = plan.node(*id).map(|node| &node.kind);
                matches!(kind, Some(NodeKind::Stage(stage)) if stage.weight == weight)
            };
            let stage = stages.and_then(|stages| stages.into_iter().find(of_weight));
            let change = Change {
                node: stage.unwrap_or(nowhere),
                what: What::Weight,
            };
            (change, weight)
        }
        CANARY_PROMOTE => {
            let change = Change {
                node: canary().map_or(nowhere, |(node, _)| node.id),
                what: What::Promotion,
            };
            (change, Nano(NANO))
        }
        "undo" => (step(What::Undo), Nano(0)),
        _ => (step(What::Step), Nano(0)),
    }
}

fn weight(call: &Call) -> Nano {
    match call.args.get("weight").and_then(Value::amount) {
        Some(Amount::Exact(nano)) => nano,
        _ => Nano(0),
    }
}

fn goes_on(branch: &Branch, fault: &Fault) -> bool {
    let state = &branch.state;
    let runs = |id: NodeId| {
        let node = state.nodes.get(id.0 as usize);
        node.is_some_and(|node| node.life != Life::Ended)
    };
    match fault {
        Fault::Measure { site, .. } => match site {
            Site::Undo(_) => state.outcome.is_none(),
            Site::Check(id) | Site::When(id) | Site::Arguments(id) | Site::Post(id) => runs(*id),
        },
        Fault::Rule { watch, .. } | Fault::Blind { watch, .. } => {
            let watch = state.watches.get(*watch as usize);
            watch.is_some_and(|watch| watch.life != Life::Ended)
        }
        Fault::Silent { gate } => runs(*gate),
        Fault::Prepare { change, .. }
        | Fault::Commit { change, .. }
        | Fault::Observe { change, .. } => {
            let mut accounts = branch.world.changes.iter().filter(|a| a.change == *change);
            accounts.any(|account| match state.writes.get(&account.key) {
                Some(write) => match fault {
                    Fault::Commit {
                        direction: Direction::Back,
                        ..
                    }
                    | Fault::Observe {
                        direction: Direction::Back,
                        ..
                    } => !write.back.as_ref().is_some_and(|leg| leg.is_settled()),
                    _ => !write.forward.is_settled(),
                },
                None => true,
            })
        }
        _ => false,
    }
}
