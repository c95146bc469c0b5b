//! A run with all its processes, in virtual time, and a fault where one is planned.

use super::answers::{What, call_of, landed, no_answer, refused};
use super::fault::{Call, Fault, Planned};
use super::people::{People, in_the_store};
use super::shaky::{Shaky, Write};
use crate::crash::play::path;
use crate::crash::shop::{self, Day, Left};
use deployc::commands::compile::compiled;
use deployc::engine::protocol::{Actor, Effect, Event, EventKind, RunOutcome};
use deployc::engine::state::State;
use deployc::engine::{ending, step};
use deployc::journal::record::Header;
use deployc::journal::store::{LetterId, Store};
use deployc::journal::writer::{self, Writer};
use deployc::plan::Plan;
use deployc::providers::request::{
    FailureKind, Intent, Key, Observable, Outcome, Request, Response,
};
use deployc::simulate::script::Line;
use deployc::simulate::world::{Ticket, Turn, World};
use deployc::values::Instant;
use deployc::values::fields::Fields;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    people: People,
    planned: Vec<Planned>,
    /// Every call that was made, in order.
    pub calls: Vec<Call>,
    pub met: BTreeMap<(Call, Fault, bool), usize>,
    pub outcome: Option<RunOutcome>,
    pub processes: usize,
    /// Nobody can look what became of a command: a person has to, or the run goes back.
    pub command_in_doubt: bool,
    commands_under_way: BTreeSet<Key>,
    /// How late the clock strikes.
    pub lateness_ns: i64,
    /// Requests of lost processes that are still under way.
    late: BTreeMap<Instant, Late>,
    /// The world as it was before the newest change.
    yesterday: World,
    tickets: u64,
}

/// A request carries the versions of the objects that its sender had seen: of one that was changed since, it is refused.
struct Late {
    request: Request,
    seen: BTreeMap<String, u64>,
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
    /// That of the first of two. Whoever goes away before it comes does not know what becomes of the second.
    OfTwo,
    Error,
    Lost,
}

/// The process is no longer there.
struct Lost;

/// A plan, and the world as it is before.
pub struct Subject {
    pub plan: Plan,
    pub world: World,
    /// The Deployments that stay as they are when a run goes back.
    pub kept: Vec<String>,
    /// Nothing goes side by side: what has been done when it turns back does not depend on how long a thing took.
    pub is_straight: bool,
}

/// The plan beside this.
pub fn subject() -> Subject {
    let plan = compiled(&path()).unwrap().plan.unwrap();
    let world = shop::world(&plan, &["worker"]);
    Subject {
        plan,
        world,
        kept: Vec::new(),
        is_straight: true,
    }
}

impl<'p> Machine<'p> {
    pub fn new(subject: &'p Subject, day: Day, planned: Vec<Planned>) -> Machine<'p> {
        let Subject { plan, world, .. } = subject;
        let mut store = Shaky::default();
        store.create(&header(world)).unwrap();
        Machine {
            plan,
            day,
            is_bad: false,
            before: Left::of(world),
            yesterday: world.clone(),
            world: world.clone(),
            store,
            people: People::default(),
            planned,
            calls: Vec::new(),
            met: BTreeMap::new(),
            outcome: None,
            processes: 0,
            command_in_doubt: false,
            commands_under_way: BTreeSet::new(),
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
                self.command_in_doubt |= !self.commands_under_way.is_empty();
                self.commands_under_way.clear();
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
                inputs: Fields::new(),
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
        self.take(&mut process, first, None)?;
        for _ in 0..EVENTS_MAX {
            if self.outcome.is_some() {
                // Messages are heard out, but no clock strikes any more.
                process.wake = None;
                let told = |flight: &Flight| matches!(flight.what, What::Tell(_));
                if !process.flights.values().any(told) {
                    return Ok(());
                }
            }
            let (kind, letter) = self.next(&mut process)?;
            self.take(&mut process, kind, letter)?;
        }
        panic!("no end with {:?}", self.planned);
    }

    /// The next thing that happens to the process.
    fn next(&mut self, process: &mut Process) -> Result<(EventKind, Option<LetterId>), Lost> {
        for _ in 0..EVENTS_MAX {
            self.post(process)?;
            if let Some((id, kind)) = in_the_store(&self.store, RUN)
                && self.outcome.is_none()
            {
                return Ok((kind, Some(id)));
            }
            if let Some(kind) = self.answered(process) {
                return Ok((kind, None));
            }
        }
        panic!("nothing happens after {:?}", self.met);
    }

    /// What people have written by now is in the store.
    fn post(&mut self, process: &Process) -> Result<(), Lost> {
        while let Some(letter) = self.people.come(self.world.now) {
            let fault = self.call(Call::Letter, ending::is_rolling_back(&process.state));
            self.store.post(RUN, &letter).unwrap();
            match fault {
                Some(Fault::Twice) => drop(self.store.post(RUN, &letter).unwrap()),
                Some(_) => return Err(Lost),
                None => {}
            }
        }
        Ok(())
    }

    /// An answer of a system, or the clock; `None` if nothing has come of the time that was waited.
    fn answered(&mut self, process: &mut Process) -> Option<EventKind> {
        let now = self.world.now;
        if let Some(entry) = process.soon.first_entry().filter(|e| e.key().0 <= now) {
            return Some(entry.remove());
        }
        let late = |flight: &Flight| flight.deadline.is_some_and(|at| at <= now);
        let over = process.flights.iter().find(|(_, flight)| late(flight));
        if let Some(ticket) = over.map(|(ticket, _)| *ticket) {
            let flight = process.flights.remove(&ticket).unwrap();
            let response = self.world.cancel(ticket, FailureKind::Timeout);
            let in_doubt = || no_answer(&flight.what, FailureKind::Timeout, "no answer in time");
            return Some(match (response, flight.answer) {
                (Some(response), Answer::Arrives) => landed(flight.what, response),
                _ => in_doubt(),
            });
        }
        let strikes = process.wake.map(|at| at.plus(self.lateness_ns));
        if strikes.is_some_and(|at| at <= now) {
            process.wake = None;
            return Some(EventKind::Tick);
        }
        let deadlines = process
            .flights
            .values()
            .filter_map(|flight| flight.deadline);
        let soon = process.soon.keys().map(|(at, _)| *at);
        let letter = self.people.next_at();
        let until = deadlines.chain(soon).chain(strikes).chain(letter).min();
        let until = until.unwrap_or_else(|| now.plus(SECOND_NS));
        let (ticket, response) = self.advance(until)?;
        let answer = process.flights.get(&ticket)?.answer;
        if answer == Answer::Lost {
            return None;
        }
        let flight = process.flights.remove(&ticket)?;
        Some(match answer {
            Answer::Error => {
                let words = "the API server answers 500";
                no_answer(&flight.what, FailureKind::Unreachable, words)
            }
            _ => landed(flight.what, response),
        })
    }

    /// Journal first, then `step`, then what it asks for.
    fn take(
        &mut self,
        process: &mut Process,
        kind: EventKind,
        letter: Option<LetterId>,
    ) -> Result<(), Lost> {
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
        // Written as intended, it may have been begun.
        if let EventKind::Prepared {
            key,
            result: Ok(intent),
        } = &event.kind
        {
            self.intend(key, intent);
        }
        let appended = process.writer.append(&mut self.store, &event, letter);
        if appended.is_err() || fault == Some(Fault::LostAfter) {
            return Err(Lost);
        }
        if let EventKind::Committed { key, outcome, .. } = &event.kind {
            let known = !matches!(outcome, Outcome::Unknown(_));
            self.command_in_doubt |= self.commands_under_way.remove(key) && !known;
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
            } => {
                let call = Arc::unwrap_or_clone(call);
                (What::Read(id), Request::Read { call, at }, Some(timeout_ns))
            }
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
            Effect::Ask { node } => {
                self.people
                    .ask(self.plan, &process.state, node, self.world.now);
                return Ok(());
            }
            Effect::Show(_) => return Ok(()),
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
        let fault = self.call(call_of(&request), going_back);
        let now = self.world.now;
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let mut flight = Flight {
            what,
            deadline: timeout_ns.map(|ns| now.plus(ns)),
            answer: Answer::Arrives,
        };
        if let Request::Commit { key, intent, .. } = &request {
            self.intend(key, intent);
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
                let seen = self.versions();
                self.late.insert(now.plus(LATE_NS), Late { request, seen });
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
                flight.answer = Answer::OfTwo;
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

    fn intend(&mut self, key: &Key, intent: &Intent) {
        if intent.observable == Observable::AtMostOnce {
            self.commands_under_way.insert(key.clone());
        }
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

    fn versions(&self) -> BTreeMap<String, u64> {
        let objects = self.world.cluster.store.objects.iter();
        let versions = objects.map(|(name, object)| (name.to_string(), object.resource_version));
        versions.collect()
    }

    fn is_stale(&self, request: &Request, seen: &BTreeMap<String, u64>) -> bool {
        let Request::Commit { intent, .. } = request else {
            return false;
        };
        let now = self.versions();
        let mut objects = intent.targets.iter().map(|target| &target.object);
        objects.any(|object| seen.contains_key(object) && seen.get(object) != now.get(object))
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
                let Late { request, seen } = entry.remove();
                if self.is_stale(&request, &seen) {
                    return None;
                }
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
