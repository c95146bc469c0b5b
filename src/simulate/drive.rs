//! The driver of a simulation: an event queue over virtual time, around the same `step` that carries real runs out.
//!
//! One event after another goes into the journal, then into `step`, and what `step` asks for is begun in the world. It can be
//! stopped between any two events, crash, and resume, as a process can.

use crate::engine::protocol::{
    Actor, Answer, Effect, Event, EventKind, Note, NoteKind, ReadId, RunOutcome,
};
use crate::engine::state::State;
use crate::engine::{step, step_in};
use crate::plan::Plan;
use crate::plan::node::{NodeId, NodeKind};
use crate::providers::request::{Direction, FailureKind, Key, Request, Response};
use crate::simulate::agenda::{Agenda, Planned};
use crate::simulate::due::Due;
use crate::simulate::fault::{self, Fate};
use crate::simulate::scenario::{Asked, Block, DeedKind, Moment, Says, Scenario};
use crate::simulate::world::{Ticket, Turn, World};
use crate::values::Instant;
use crate::values::fields::Fields;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

pub struct Drive<'p> {
    plan: &'p Plan,
    scenario: &'p Scenario,
    pub world: World,
    pub state: State,
    /// As far as it is kept.
    pub journal: Vec<Event>,
    keeps: Keeps,
    /// How many there were, kept or not, and when the newest was.
    pub events: usize,
    pub newest: Option<Instant>,
    flights: FxHashMap<Ticket, Flight>,
    /// Of those that have one.
    deadlines: Due,
    tickets: u64,
    wake: Option<Instant>,
    agenda: Agenda,
    /// `None` while no process carries the run out: when the next one does.
    down_until: Option<Instant>,
    /// Blocks of the scenario whose moment has come.
    begun: BTreeSet<usize>,
    /// Questions that nobody in the scenario answers.
    pub unanswered: BTreeSet<NodeId>,
    pub rollback_started: Option<Instant>,
    epoch: u64,
    outcome: Option<RunOutcome>,
}

/// Which events stay when they have been taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    All,
    /// All but ticks and answers to reads, which are the many.
    Deeds,
}

/// A request under way.
enum Flight {
    Read(ReadId),
    Prepare(Key),
    Commit(Key, Direction),
    Observe(Key, Direction),
    Tell(Key),
}

/// How far one call of [`Drive::advance`] got.
#[derive(Clone, Debug)]
pub enum Progress {
    /// One event, and what there is to show of it.
    Event(Vec<Note>),
    Ended(RunOutcome),
    /// Nothing will ever happen: the plan waits for somebody who does not come, without a time limit.
    Stuck,
}

/// How far one call of [`Drive::next`] is to go at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stride {
    /// To the next event of the run.
    Event,
    /// To whatever happens next, in the world too.
    Change,
}

/// How far one call of [`Drive::next`] got.
#[derive(Clone, Debug)]
pub enum Step {
    /// As [`Progress::Event`].
    Event(Vec<Note>),
    /// Something happened in the world that the run has not been told of.
    World,
    /// The moment has come at which somebody wanted to look, for these reasons.
    Look(Vec<usize>),
    Ended(RunOutcome),
    Stuck,
}

/// What names a run.
#[derive(Clone, Debug)]
pub struct Identity {
    pub run: String,
    pub digest: String,
    pub inputs: Fields,
}

impl<'p> Drive<'p> {
    pub fn new(plan: &'p Plan, scenario: &'p Scenario, world: World) -> Drive<'p> {
        Drive {
            plan,
            scenario,
            world,
            state: State::default(),
            journal: Vec::new(),
            keeps: Keeps::All,
            events: 0,
            newest: None,
            flights: FxHashMap::default(),
            deadlines: Due::default(),
            tickets: 0,
            wake: None,
            agenda: Agenda::default(),
            down_until: None,
            begun: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            rollback_started: None,
            epoch: 0,
            outcome: None,
        }
    }

    /// From now on only what was done stays in the journal, for whoever neither writes nor folds it: a day has half a million
    /// answers. Where the scenario ends the process, all stays.
    pub fn keep_deeds(&mut self) {
        let mut blocks = self.scenario.blocks.iter();
        if blocks.all(|block| block.kills_ns.is_empty()) {
            self.keeps = Keeps::Deeds;
        }
    }

    /// The first event.
    pub fn start(&mut self, identity: Identity) -> Vec<Note> {
        let now = self.world.now;
        for index in 0..self.scenario.blocks.len() {
            match self.scenario.blocks.get(index).map(|block| block.moment) {
                Some(Moment::Start) => self.begin_block(index, now),
                Some(Moment::At(at)) => self.begin_block(index, at),
                _ => {}
            }
        }
        self.handle(EventKind::Started {
            run: identity.run,
            digest: identity.digest,
            inputs: identity.inputs,
            by: person("simulation"),
        })
    }

    /// Up to and with the next event.
    pub fn advance(&mut self) -> Progress {
        loop {
            return match self.next(Stride::Event) {
                Step::Event(notes) => Progress::Event(notes),
                Step::Ended(outcome) => Progress::Ended(outcome),
                Step::Stuck => Progress::Stuck,
                Step::World | Step::Look(_) => continue,
            };
        }
    }

    pub fn next(&mut self, stride: Stride) -> Step {
        if let Some(outcome) = self.outcome {
            return Step::Ended(outcome);
        }
        loop {
            let Some(horizon) = self.horizon().or_else(|| self.in_flight()) else {
                return Step::Stuck;
            };
            let until = match stride {
                Stride::Event => horizon,
                Stride::Change => self
                    .world
                    .next_at()
                    .map_or(horizon, |next| next.min(horizon)),
            };
            if let Some((ticket, response)) = self.world.advance(until) {
                if let Some(kind) = self.landed(ticket, response) {
                    return Step::Event(self.handle(kind));
                }
            } else if let Some(step) = self.due() {
                return step;
            } else if stride == Stride::Change {
                return Step::World;
            }
        }
    }

    /// The process ends here, as by `kill -9`. Requests that left have left; the journal stays, and the state that it
    /// amounts to is there to be looked at, until another process folds it anew.
    pub fn crash(&mut self) {
        self.world.forget_requests();
        self.flights.clear();
        self.deadlines.clear();
        self.wake = None;
    }

    /// Another process takes the run over: the journal is folded, then it goes on.
    pub fn resume(&mut self) -> Vec<Note> {
        if self.keeps == Keeps::All {
            let events = self.journal.iter().cloned();
            self.state = events.fold(State::default(), |state, event| {
                step(self.plan, state, event).0
            });
        }
        self.epoch += 1;
        self.down_until = None;
        self.handle(EventKind::Resumed {
            by: person("simulation"),
            epoch: self.epoch,
        })
    }

    /// Somebody says something to the run from outside, now.
    pub fn hear(&mut self, kind: EventKind) -> Vec<Note> {
        self.handle(kind)
    }

    /// The next moment at which somebody wanted to look, and why; it is not asked for again.
    pub fn next_look(&mut self) -> Option<(Instant, Vec<usize>)> {
        let at = self.agenda.next_look()?;
        Some((at, self.agenda.look(at)?))
    }

    /// From the first event to the newest.
    pub fn span(&self) -> (Instant, Instant) {
        let now = self.world.now;
        let first = self.journal.first().map_or(now, |event| event.at);
        (first, self.newest.unwrap_or(now))
    }

    pub fn outcome(&self) -> Option<RunOutcome> {
        self.outcome
    }

    /// The next moment at which the driver itself has something to do.
    fn horizon(&mut self) -> Option<Instant> {
        let looks = self.agenda.next_look();
        if self.down_until.is_some() {
            return self.down_until.into_iter().chain(looks).min();
        }
        let deadline = self.first_deadline().map(|(at, _)| at);
        let first = [deadline, self.agenda.next_event(), looks, self.wake];
        first.into_iter().flatten().min()
    }

    fn first_deadline(&mut self) -> Option<(Instant, Ticket)> {
        let flights = &self.flights;
        self.deadlines
            .first(|_, ticket| flights.contains_key(&ticket))
    }

    /// With nothing else to wait for, the world's own time counts while a request is under way.
    fn in_flight(&mut self) -> Option<Instant> {
        match self.flights.is_empty() {
            true => None,
            false => self.world.next_at(),
        }
    }

    /// What the driver itself does at this moment, looking last.
    fn due(&mut self) -> Option<Step> {
        let now = self.world.now;
        if let Some(until) = self.down_until {
            if until <= now {
                return Some(Step::Event(self.resume()));
            }
            return self.agenda.look(now).map(Step::Look);
        }
        let late = self.first_deadline().filter(|(at, _)| *at <= now);
        if let Some((_, ticket)) = late {
            let response = self.world.cancel(ticket, FailureKind::Timeout)?;
            let kind = self.landed(ticket, response)?;
            return Some(Step::Event(self.handle(kind)));
        }
        match self.agenda.take(now) {
            Some(Planned::Event(kind)) => return Some(Step::Event(self.handle(kind))),
            Some(Planned::Kill { for_ns }) => {
                self.crash();
                self.down_until = Some(now.plus(for_ns));
                return Some(Step::World);
            }
            None => {}
        }
        if self.wake.take_if(|at| *at <= now).is_some() {
            return Some(Step::Event(self.handle(EventKind::Tick)));
        }
        self.agenda.look(now).map(Step::Look)
    }

    fn landed(&mut self, ticket: Ticket, response: Response) -> Option<EventKind> {
        let flight = self.flights.remove(&ticket)?;
        Some(match (flight, response) {
            (Flight::Read(id), Response::Read(result)) => EventKind::Read { id, result },
            (Flight::Prepare(key), Response::Prepared(result)) => EventKind::Prepared {
                key,
                result: result.map(Box::new),
            },
            (Flight::Commit(key, direction), Response::Committed(outcome)) => {
                EventKind::Committed {
                    key,
                    direction,
                    outcome,
                }
            }
            (Flight::Observe(key, direction), Response::Observed(observation)) => {
                EventKind::Observed {
                    key,
                    direction,
                    observation,
                }
            }
            (Flight::Tell(key), Response::Told(result)) => EventKind::Told { key, result },
            _ => return None,
        })
    }

    /// Journal first, then `step`, then what it asks for.
    fn handle(&mut self, kind: EventKind) -> Vec<Note> {
        let event = Event {
            at: self.world.now,
            kind,
        };
        self.events += 1;
        self.newest = Some(event.at);
        if self.keeps == Keeps::All
            || !matches!(event.kind, EventKind::Tick | EventKind::Read { .. })
        {
            self.journal.push(event.clone());
        }
        let effects = step_in(self.plan, &mut self.state, event);
        let mut notes = Vec::new();
        for effect in effects {
            self.carry_out(effect, &mut notes);
        }
        notes
    }

    fn carry_out(&mut self, effect: Effect, notes: &mut Vec<Note>) {
        match effect {
            Effect::Read {
                id,
                call,
                at,
                timeout_ns,
            } => {
                let ticket = self.take_off(Flight::Read(id), Some(timeout_ns));
                self.world.begin_read(ticket, &call, at);
            }
            Effect::Prepare {
                key,
                call,
                timeout_ns,
            } => {
                let request = Request::Prepare {
                    key: key.clone(),
                    call,
                };
                self.fly(Flight::Prepare(key), request, Some(timeout_ns));
            }
            Effect::Commit {
                key,
                intent,
                direction,
                timeout_ns,
            } => {
                let request = Request::Commit {
                    key: key.clone(),
                    intent: *intent,
                    direction,
                };
                self.fly(Flight::Commit(key, direction), request, Some(timeout_ns));
            }
            Effect::Observe {
                key,
                intent,
                direction,
                timeout_ns,
            } => {
                let request = Request::Observe {
                    key: key.clone(),
                    intent: *intent,
                    direction,
                };
                self.fly(Flight::Observe(key, direction), request, Some(timeout_ns));
            }
            Effect::Tell { key, call } => {
                let request = Request::Tell {
                    key: key.clone(),
                    call,
                };
                self.fly(Flight::Tell(key), request, None);
            }
            Effect::Cancel { key } => self.cancel(&key),
            Effect::Wake { at } => self.wake = Some(at),
            Effect::Ask { node } => self.ask(node),
            Effect::Show(note) => {
                self.noticed(&note);
                notes.push(note);
            }
            Effect::Finish(outcome) => self.outcome = Some(outcome),
        }
    }

    fn fly(&mut self, flight: Flight, request: Request, timeout_ns: Option<i64>) {
        let ticket = self.take_off(flight, timeout_ns);
        let fate = self.fate(&request);
        self.world.begin_as(ticket, request, fate);
    }

    fn take_off(&mut self, flight: Flight, timeout_ns: Option<i64>) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.flights.insert(ticket, flight);
        if let Some(ns) = timeout_ns {
            self.deadlines.plan(self.world.now.plus(ns), ticket);
        }
        ticket
    }

    fn fate(&mut self, request: &Request) -> Option<Fate> {
        let Request::Commit { key, direction, .. } = request else {
            return None;
        };
        let (node, of_key) = fault::node_of(self.plan, key)?;
        let undo = [*direction, of_key].contains(&Direction::Back);
        let direction = if undo {
            Direction::Back
        } else {
            Direction::Forward
        };
        self.world.catch_up();
        self.world.script.fate(node, direction)
    }

    /// Its answer comes as an event of its own, at this moment.
    fn cancel(&mut self, key: &Key) {
        let is_it = |flight: &Flight| match flight {
            Flight::Prepare(of) | Flight::Commit(of, _) | Flight::Observe(of, _) => of == key,
            Flight::Read(_) | Flight::Tell(_) => false,
        };
        let found = self.flights.iter().filter(|(_, flight)| is_it(flight));
        let Some(ticket) = found.map(|(ticket, _)| *ticket).min() else {
            return;
        };
        if let Some(response) = self.world.cancel(ticket, FailureKind::Cancelled)
            && let Some(kind) = self.landed(ticket, response)
        {
            self.soon(0, kind);
        }
    }

    /// Whoever has the role answers as the scenario says.
    fn ask(&mut self, node: NodeId) {
        let (roles, to) = match self.plan.node(node).map(|node| &node.kind) {
            Some(NodeKind::Confirm(confirm)) => (&confirm.roles, Asked::Confirm),
            Some(NodeKind::Approve(approve)) => (&approve.roles, Asked::Approve),
            _ => return,
        };
        // Who is silent from this very moment on says nothing.
        self.world.catch_up();
        let mut answered = false;
        for role in roles {
            let reply = self.scenario.reply(role, to, node);
            let Some(reply) = reply.filter(|_| !self.world.script.is_silent(role)) else {
                continue;
            };
            answered = true;
            let answer = match reply.says {
                Says::Yes => Answer::Yes { note: None },
                Says::No => Answer::No {
                    reason: "the scenario says so".to_owned(),
                },
            };
            let by = person(&self.holder(role));
            let role = role.clone();
            let kind = match to {
                Asked::Confirm => EventKind::Answered {
                    node,
                    by,
                    role,
                    answer,
                    subject: None,
                },
                Asked::Approve => EventKind::Signed {
                    node,
                    by,
                    role,
                    answer,
                    subject: None,
                },
            };
            self.soon(reply.after_ns, kind);
        }
        if !answered {
            self.unanswered.insert(node);
        }
    }

    /// Somebody who has the role; people are told apart by their names.
    fn holder(&self, role: &str) -> String {
        let found = self.plan.roles.iter().find(|known| known.name == role);
        let first = found.and_then(|role| role.members.first());
        first.map_or_else(|| role.to_owned(), Clone::clone)
    }

    fn noticed(&mut self, note: &Note) {
        let moment = match (&note.kind, note.node) {
            (NoteKind::Started, Some(node)) => Moment::Node(node),
            (NoteKind::RollbackStarted { .. }, _) => Moment::Rollback,
            _ => return,
        };
        let now = self.world.now;
        if moment == Moment::Rollback {
            self.rollback_started.get_or_insert(now);
        }
        for index in 0..self.scenario.blocks.len() {
            let block = self.scenario.blocks.get(index);
            if block.is_some_and(|block| block.moment == moment) {
                self.begin_block(index, now);
            }
        }
    }

    fn begin_block(&mut self, index: usize, at: Instant) {
        let Some(block) = self.scenario.blocks.get(index) else {
            return;
        };
        if !self.begun.insert(index) {
            return;
        }
        let from = at.plus(block.after_ns);
        self.world
            .plan_turn(from, Turn::Begin(index, block.lines.clone()));
        if let Some(ns) = block.for_ns {
            self.world.plan_turn(from.plus(ns), Turn::End(index));
        }
        self.plan_deeds(block, from);
    }

    fn plan_deeds(&mut self, block: &Block, from: Instant) {
        for for_ns in &block.kills_ns {
            let kill = Planned::Kill { for_ns: *for_ns };
            self.agenda.plan(from, kill);
        }
        self.agenda.plan_look(from, &block.looks);
        for deed in &block.deeds {
            let by = person(&self.holder(&deed.who));
            let reason = "the scenario says so".to_owned();
            let kind = match deed.what {
                DeedKind::Abort => EventKind::Aborted { by, reason },
                DeedKind::Rollback => EventKind::RollbackAsked { by, reason },
            };
            let at = from.plus(deed.after_ns);
            self.agenda.plan(at, Planned::Event(kind));
        }
    }

    fn soon(&mut self, after_ns: i64, kind: EventKind) {
        let at = self.world.now.plus(after_ns);
        self.agenda.plan(at, Planned::Event(kind));
    }
}

fn person(user: &str) -> Actor {
    Actor {
        user: user.to_owned(),
        host: "simulated".to_owned(),
    }
}
