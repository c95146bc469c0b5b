//! A run with all its processes, in virtual time, and a fault where one is planned.

use super::fault::{Call, Fault, Planned};
use super::shaky::{Shaky, Write};
use crate::crash::play::path;
use crate::crash::shop::{self, Day, Left};
use deployc::commands::compile::compiled;
use deployc::engine::protocol::{Actor, Effect, Event, EventKind, ReadId, RunOutcome};
use deployc::engine::state::State;
use deployc::engine::{ending, step};
use deployc::journal::record::Header;
use deployc::journal::store::Store;
use deployc::journal::writer::{self, Writer};
use deployc::plan::Plan;
use deployc::providers::request::{
    Direction, Failure, FailureKind, Key, Observation, Outcome, Request, Response,
};
use deployc::simulate::script::Line;
use deployc::simulate::world::{Ticket, Turn, World};
use deployc::values::Instant;
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};

pub const RUN: &str = "run-1";
const MS: i64 = 1_000_000;
const SECOND_NS: i64 = 1_000 * MS;
/// Between the loss of a process and the next one: longer than a lease.
const AWAY_NS: i64 = 60 * SECOND_NS;
/// The same where a request is still under way: somebody resumes at once.
const AWAY_AT_ONCE_NS: i64 = SECOND_NS;
/// A late request arrives when the next process has gone on; later than this the other side drops it.
const LATE_NS: i64 = 9 * SECOND_NS;
/// How long a provider waits for the answer to one request.
const REQUEST_NS: i64 = 10 * SECOND_NS;
const PROCESSES_MAX: usize = 8;
const EVENTS_MAX: usize = 5_000;

pub struct Machine<'p> {
    plan: &'p Plan,
    day: Day,
    is_bad: bool,
    pub world: World,
    pub before: Left,
    pub store: Shaky,
    planned: Vec<Planned>,
    /// Every call that was made, in order.
    pub calls: Vec<Call>,
    pub met: BTreeMap<(Call, Fault, bool), usize>,
    pub outcome: Option<RunOutcome>,
    pub processes: usize,
    /// How late the clock strikes.
    pub lateness_ns: i64,
    /// Requests of lost processes that are still under way.
    late: BTreeMap<Instant, Request>,
    /// The world as it was before the newest change.
    yesterday: World,
    tickets: u64,
}

struct Process {
    state: State,
    writer: Writer,
    flights: BTreeMap<Ticket, Flight>,
    /// Answers that are no answers of the world.
    soon: BTreeMap<(Instant, u64), EventKind>,
    wake: Option<Instant>,
}

struct Flight {
    what: What,
    deadline: Option<Instant>,
    /// Whether what the world answers arrives.
    answer: Answer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Arrives,
    Error,
    Lost,
}

#[derive(Clone)]
enum What {
    Read(ReadId),
    Prepare(Key),
    Commit(Key, Direction),
    Observe(Key, Direction),
    Tell(Key),
}

/// The process is no longer there.
struct Lost;

pub fn plan() -> Plan {
    compiled(&path()).unwrap().plan.unwrap()
}

impl<'p> Machine<'p> {
    pub fn new(plan: &'p Plan, day: Day, planned: Vec<Planned>) -> Machine<'p> {
        let world = shop::world(plan);
        let mut store = Shaky::default();
        store.create(&header(&world)).unwrap();
        Machine {
            plan,
            day,
            is_bad: false,
            before: Left::of(&world),
            yesterday: world.clone(),
            world,
            store,
            planned,
            calls: Vec::new(),
            met: BTreeMap::new(),
            outcome: None,
            processes: 0,
            lateness_ns: 0,
            late: BTreeMap::new(),
            tickets: 0,
        }
    }

    /// Process after process, until the run has ended.
    pub fn run(&mut self) {
        while self.outcome.is_none() {
            assert!(self.processes < PROCESSES_MAX, "{:?}", self.planned);
            self.processes += 1;
            if self.process().is_err() {
                self.world.forget_requests();
                self.pass(match self.late.is_empty() {
                    true => AWAY_NS,
                    false => AWAY_AT_ONCE_NS,
                });
            }
        }
        self.pass(LATE_NS);
        shop::settle(&mut self.world);
    }

    fn process(&mut self) -> Result<(), Lost> {
        let journal = writer::read(&self.store, RUN).unwrap();
        let mut state = State::default();
        for event in &journal.events {
            state = step(self.plan, state, event.clone()).0;
        }
        self.day_goes_on(&state);
        let writer = writer::take_over(&mut self.store, &journal).unwrap();
        let first = match journal.events.is_empty() {
            true => EventKind::Started {
                run: RUN.to_owned(),
                digest: journal.header.digest,
                inputs: IndexMap::new(),
                by: Actor::default(),
            },
            false => EventKind::Resumed {
                by: Actor::default(),
                epoch: writer.epoch,
            },
        };
        let mut process = Process {
            state,
            writer,
            flights: BTreeMap::new(),
            soon: BTreeMap::new(),
            wake: None,
        };
        self.take(&mut process, first)?;
        for _ in 0..EVENTS_MAX {
            if self.outcome.is_some() {
                // Messages are heard out, but no clock strikes any more.
                process.wake = None;
                let told = |flight: &Flight| matches!(flight.what, What::Tell(_));
                if !process.flights.values().any(told) {
                    return Ok(());
                }
            }
            let kind = self.next(&mut process);
            self.take(&mut process, kind)?;
        }
        panic!("no end with {:?}", self.planned);
    }

    /// The next thing that happens to the process.
    fn next(&mut self, process: &mut Process) -> EventKind {
        for _ in 0..EVENTS_MAX {
            let now = self.world.now;
            if let Some(entry) = process.soon.first_entry().filter(|e| e.key().0 <= now) {
                return entry.remove();
            }
            let late = |flight: &Flight| flight.deadline.is_some_and(|at| at <= now);
            let over = process.flights.iter().find(|(_, flight)| late(flight));
            if let Some(ticket) = over.map(|(ticket, _)| *ticket) {
                let flight = process.flights.remove(&ticket).unwrap();
                let response = self.world.cancel(ticket, FailureKind::Timeout);
                let in_doubt =
                    || no_answer(&flight.what, FailureKind::Timeout, "no answer in time");
                return match (response, flight.answer) {
                    (Some(response), Answer::Arrives) => landed(flight.what, response),
                    _ => in_doubt(),
                };
            }
            let strikes = process.wake.map(|at| at.plus(self.lateness_ns));
            if strikes.is_some_and(|at| at <= now) {
                process.wake = None;
                return EventKind::Tick;
            }
            let deadlines = process
                .flights
                .values()
                .filter_map(|flight| flight.deadline);
            let soon = process.soon.keys().map(|(at, _)| *at);
            let until = deadlines.chain(soon).chain(strikes).min();
            let until = until.unwrap_or_else(|| now.plus(SECOND_NS));
            let Some((ticket, response)) = self.advance(until) else {
                continue;
            };
            let Some(flight) = process.flights.get(&ticket) else {
                continue;
            };
            match flight.answer {
                Answer::Lost => {}
                Answer::Error => {
                    let flight = process.flights.remove(&ticket).unwrap();
                    let words = "the API server answers 500";
                    return no_answer(&flight.what, FailureKind::Unreachable, words);
                }
                Answer::Arrives => {
                    let flight = process.flights.remove(&ticket).unwrap();
                    return landed(flight.what, response);
                }
            }
        }
        panic!("nothing happens with {:?}", self.planned);
    }

    /// Journal first, then `step`, then what it asks for.
    fn take(&mut self, process: &mut Process, kind: EventKind) -> Result<(), Lost> {
        let going_back = ending::is_rolling_back(&process.state);
        let fault = self.call(Call::Append, going_back);
        if fault == Some(Fault::LostBefore) {
            return Err(Lost);
        }
        self.store.next = match fault {
            Some(Fault::NotWritten) => Write::NotMade,
            Some(Fault::WrittenInDoubt) => Write::InDoubt,
            _ => Write::Made,
        };
        let event = Event {
            at: self.world.now,
            kind,
        };
        let appended = process.writer.append(&mut self.store, &event, None);
        if appended.is_err() || fault == Some(Fault::LostAfter) {
            return Err(Lost);
        }
        let state = std::mem::take(&mut process.state);
        let (state, effects) = step(self.plan, state, event);
        process.state = state;
        self.day_goes_on(&process.state);
        for effect in effects {
            self.carry_out(process, effect)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, process: &mut Process, effect: Effect) -> Result<(), Lost> {
        let (what, request, timeout_ns) = match effect {
            Effect::Read {
                id,
                call,
                at,
                timeout_ns,
            } => (What::Read(id), Request::Read { call, at }, Some(timeout_ns)),
            Effect::Prepare {
                key,
                call,
                timeout_ns,
            } => {
                let what = What::Prepare(key.clone());
                (what, Request::Prepare { key, call }, Some(timeout_ns))
            }
            Effect::Commit {
                key,
                intent,
                direction,
                timeout_ns,
            } => {
                let what = What::Commit(key.clone(), direction);
                let request = Request::Commit {
                    key,
                    intent: *intent,
                    direction,
                };
                (what, request, Some(timeout_ns))
            }
            Effect::Observe {
                key,
                intent,
                direction,
                timeout_ns,
            } => {
                let what = What::Observe(key.clone(), direction);
                let request = Request::Observe {
                    key,
                    intent: *intent,
                    direction,
                };
                (what, request, Some(timeout_ns))
            }
            Effect::Tell { key, call } => {
                (What::Tell(key.clone()), Request::Tell { key, call }, None)
            }
            Effect::Cancel { key } => {
                self.cancel(process, &key);
                return Ok(());
            }
            Effect::Wake { at } => {
                process.wake = Some(at);
                return Ok(());
            }
            Effect::Finish(outcome) => {
                self.outcome = Some(outcome);
                return Ok(());
            }
            Effect::Show(_) | Effect::Ask { .. } => return Ok(()),
        };
        self.send(process, what, request, timeout_ns)
    }

    fn send(
        &mut self,
        process: &mut Process,
        what: What,
        request: Request,
        timeout_ns: Option<i64>,
    ) -> Result<(), Lost> {
        let going_back = ending::is_rolling_back(&process.state);
        let fault = self.call(call_of(&what), going_back);
        let now = self.world.now;
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let mut flight = Flight {
            what,
            deadline: timeout_ns.map(|ns| now.plus(ns)),
            answer: Answer::Arrives,
        };
        if let Request::Commit { .. } = request {
            self.yesterday = self.world.clone();
        }
        match fault {
            Some(Fault::LostBefore) => return Err(Lost),
            Some(Fault::LostAfter) => {
                self.world.begin(ticket, request);
                self.pass(20 * MS);
                return Err(Lost);
            }
            Some(Fault::Late) => {
                self.late.insert(now.plus(LATE_NS), request);
                return Err(Lost);
            }
            Some(Fault::Dropped) => {
                flight.answer = Answer::Lost;
                flight.deadline = Some(now.plus(REQUEST_NS));
            }
            Some(Fault::AnswerLost) => {
                flight.answer = Answer::Lost;
                flight.deadline = Some(now.plus(REQUEST_NS));
                self.world.begin(ticket, request);
            }
            Some(Fault::ErrorAfterDone) => {
                flight.answer = Answer::Error;
                self.world.begin(ticket, request);
            }
            Some(Fault::Twice) => {
                self.world.begin(ticket, request.clone());
                self.tickets += 1;
                self.world.begin(Ticket(self.tickets), request);
            }
            Some(Fault::TooMany) => {
                let refused = refused(&flight.what, FailureKind::Unreachable, "429");
                process.soon.insert((now.plus(5 * MS), ticket.0), refused);
                return Ok(());
            }
            Some(Fault::Conflict) => {
                let refused = refused(&flight.what, FailureKind::Conflict, "409");
                process.soon.insert((now.plus(5 * MS), ticket.0), refused);
                return Ok(());
            }
            Some(Fault::Stale) => {
                let (response, _) = self.yesterday.answer(now, &request);
                let kind = landed(flight.what, response);
                process.soon.insert((now.plus(5 * MS), ticket.0), kind);
                return Ok(());
            }
            _ => self.world.begin(ticket, request),
        }
        process.flights.insert(ticket, flight);
        Ok(())
    }

    /// Counts a call, and gives its fault.
    fn call(&mut self, call: Call, going_back: bool) -> Option<Fault> {
        let at = self.calls.len();
        self.calls.push(call);
        let met = |planned: &Planned| planned.fault(call, at);
        let (index, fault) = self
            .planned
            .iter()
            .enumerate()
            .find_map(|(index, planned)| Some((index, met(planned)?)))?;
        self.planned.remove(index);
        *self.met.entry((call, fault, going_back)).or_default() += 1;
        Some(fault)
    }

    fn cancel(&mut self, process: &mut Process, key: &Key) {
        let is_it = |flight: &Flight| match &flight.what {
            What::Prepare(of) | What::Commit(of, _) | What::Observe(of, _) => of == key,
            What::Read(_) | What::Tell(_) => false,
        };
        let found = process.flights.iter().find(|(_, flight)| is_it(flight));
        let Some(ticket) = found.map(|(ticket, _)| *ticket) else {
            return;
        };
        let flight = process.flights.remove(&ticket).unwrap();
        let response = self.world.cancel(ticket, FailureKind::Cancelled);
        let kind = match (response, flight.answer) {
            (Some(response), Answer::Arrives) => landed(flight.what, response),
            _ => no_answer(&flight.what, FailureKind::Cancelled, "cancelled"),
        };
        process.soon.insert((self.world.now, ticket.0), kind);
    }

    /// From half of the traffic on, the new version is bad.
    fn day_goes_on(&mut self, state: &State) {
        let mut nodes = self.plan.nodes.iter().zip(&state.nodes);
        let half =
            nodes.any(|(node, state)| node.path.ends_with("stage-50") && state.started.is_some());
        if self.day == Day::Bad && half && !self.is_bad {
            self.is_bad = true;
            let worse = Line::Metric {
                metric: "error_rate".to_owned(),
                scope: Some("canary".to_owned()),
                raw: Some(0.2),
            };
            let now = self.world.now;
            self.world.plan_turn(now, Turn::Begin(1, vec![worse]));
        }
    }

    /// Time in which no process is there, or none is asked.
    fn pass(&mut self, ns: i64) {
        let until = self.world.now.plus(ns);
        while self.world.now < until {
            self.advance(until);
        }
    }

    /// Late requests arrive on the way: their first write is tried; nobody is there to go on with them.
    fn advance(&mut self, until: Instant) -> Option<(Ticket, Response)> {
        if let Some(entry) = self
            .late
            .first_entry()
            .filter(|entry| *entry.key() <= until)
        {
            let at = *entry.key();
            if at > self.world.now
                && let Some(answered) = self.world.advance(at)
            {
                return Some(answered);
            }
            if self.world.now >= at {
                let request = entry.remove();
                self.tickets += 1;
                let ticket = Ticket(self.tickets);
                self.world.begin(ticket, request);
                let arrived = self.world.now.plus(16 * MS);
                let answered = self.world.advance(arrived);
                self.world.cancel(ticket, FailureKind::Cancelled);
                return answered.filter(|(of, _)| *of != ticket);
            }
        }
        self.world.advance(until)
    }
}

fn header(world: &World) -> Header {
    Header {
        run: RUN.to_owned(),
        digest: "0123456789abcdef".to_owned(),
        target: "cluster/shop".to_owned(),
        world: None,
        created: world.now,
        by: Actor::default(),
        plan: String::new(),
        source_map: String::new(),
        sources: BTreeMap::new(),
    }
}

fn call_of(what: &What) -> Call {
    match what {
        What::Read(_) => Call::Read,
        What::Prepare(_) => Call::Prepare,
        What::Commit(..) => Call::Commit,
        What::Observe(..) => Call::Observe,
        What::Tell(_) => Call::Tell,
    }
}

fn landed(what: What, response: Response) -> EventKind {
    match (what, response) {
        (What::Read(id), Response::Read(result)) => EventKind::Read { id, result },
        (What::Prepare(key), Response::Prepared(result)) => EventKind::Prepared {
            key,
            result: result.map(Box::new),
        },
        (What::Commit(key, direction), Response::Committed(outcome)) => EventKind::Committed {
            key,
            direction,
            outcome,
        },
        (What::Observe(key, direction), Response::Observed(observation)) => EventKind::Observed {
            key,
            direction,
            observation,
        },
        (What::Tell(key), Response::Told(result)) => EventKind::Told { key, result },
        (_, response) => panic!("another answer than was asked for: {response:?}"),
    }
}

/// Nobody knows whether it was carried out.
fn no_answer(what: &What, kind: FailureKind, message: &str) -> EventKind {
    let failure = Failure::new(kind, message);
    let response = match what {
        What::Read(_) => Response::Read(Err(failure)),
        What::Prepare(_) => Response::Prepared(Err(failure)),
        What::Commit(..) => Response::Committed(Outcome::Unknown(failure)),
        What::Observe(..) => Response::Observed(Observation::Unknown(failure)),
        What::Tell(_) => Response::Told(Err(failure)),
    };
    landed(what.clone(), response)
}

/// It is certain that it was not carried out.
fn refused(what: &What, kind: FailureKind, message: &str) -> EventKind {
    let failure = Failure::new(kind, message);
    match what {
        What::Commit(key, direction) => EventKind::Committed {
            key: key.clone(),
            direction: *direction,
            outcome: Outcome::NotApplied(failure),
        },
        what => no_answer(what, kind, message),
    }
}

/// The keys that the journal has an intent for, with the objects that they were going to touch.
pub fn intended(machine: &Machine) -> BTreeMap<String, BTreeSet<String>> {
    let journal = writer::read(&machine.store, RUN).unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in journal.events {
        if let EventKind::Prepared {
            key,
            result: Ok(intent),
        } = event.kind
        {
            let targets = intent.targets.into_iter().map(|target| target.object);
            found.entry(key.0).or_default().extend(targets);
        }
    }
    found
}
