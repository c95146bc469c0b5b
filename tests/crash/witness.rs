//! What the world sees of a run: which requests came, in which order, and what the journal held at that moment. It is
//! also who kills, so that a kill falls exactly between two things that happen.

use super::moments::Moment;
use super::shop::Day;
use deployc::effects::store::sqlite::SqliteStore;
use deployc::effects::world::server::Witness;
use deployc::engine::protocol::Effect;
use deployc::engine::state::State;
use deployc::engine::step;
use deployc::journal::store::Store;
use deployc::journal::writer::read;
use deployc::plan::Plan;
use deployc::providers::kubernetes::FIELD_MANAGER;
use deployc::providers::request::{Direction, Key, Request, Response};
use deployc::simulate::kubernetes::object::Name;
use deployc::simulate::script::Line;
use deployc::simulate::world::{Ticket, Turn, World};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Child, ExitStatus};

pub struct Watching {
    pub state: PathBuf,
    pub day: Day,
    pub process: Option<Child>,
    /// How the last process ended.
    pub status: Option<ExitStatus>,
    pub moment: Option<Moment>,
    /// What must never happen, in words.
    pub breaches: Vec<String>,
    /// Changes that were begun and not answered.
    pub in_flight: BTreeSet<Ticket>,
    /// What was asked last of each change, in each direction.
    last: BTreeMap<(Key, Back), Asked>,
    /// How often each change was sent.
    sent: BTreeMap<(Key, Back), usize>,
    plan: Plan,
    /// How much of the world's history was looked at.
    seen: usize,
    is_bad: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Commit,
    Observe,
}

/// Whether it is the way back: directions have no order of their own.
type Back = bool;

impl Watching {
    pub fn new(state: PathBuf, plan: Plan, day: Day) -> Watching {
        Watching {
            state,
            day,
            process: None,
            status: None,
            moment: None,
            breaches: Vec::new(),
            in_flight: BTreeSet::new(),
            last: BTreeMap::new(),
            sent: BTreeMap::new(),
            plan,
            seen: 0,
            is_bad: false,
        }
    }

    /// Ends the process where it stands. What it had sent stays sent.
    pub fn kill(&mut self, world: &mut World) {
        self.moment = None;
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            self.status = Some(process.wait().unwrap());
            world.forget_requests();
        }
    }

    /// One fewer to go; whether this was the one.
    fn count(&mut self, world: &mut World, is: impl Fn(&mut Moment) -> Option<&mut u64>) {
        if let Some(left) = self.moment.as_mut().and_then(is) {
            *left -= 1;
            if *left == 0 {
                self.kill(world);
            }
        }
    }

    fn check_commit(&mut self, key: &Key, direction: Direction) {
        let is_back = direction == Direction::Back;
        let asked = self.last.insert((key.clone(), is_back), Asked::Commit);
        if asked == Some(Asked::Commit) {
            let breach = format!("{} {direction:?} was sent again without a look", key.0);
            self.breaches.push(breach);
        }
        let sent = self.sent.entry((key.clone(), is_back)).or_default();
        *sent += 1;
        let sent = *sent;
        if sent > self.asked_for(key, direction) {
            let breach = format!("{} {direction:?} left before its intent was durable", key.0);
            self.breaches.push(breach);
        }
    }

    /// How often the journal on the disk asks for a change by now.
    fn asked_for(&self, wanted: &Key, wanted_direction: Direction) -> usize {
        let store = SqliteStore::open_existing(&self.state).unwrap();
        let runs = store.runs().unwrap();
        let journal = read(&store, &runs[0].run).unwrap();
        let mut state = State::default();
        let mut effects = Vec::new();
        for event in journal.events {
            let (next, asked) = step(&self.plan, state, event);
            state = next;
            effects.extend(asked);
        }
        let is_it = |effect: &&Effect| match effect {
            Effect::Commit { key, direction, .. } => {
                key == wanted && *direction == wanted_direction
            }
            _ => false,
        };
        effects.iter().filter(is_it).count()
    }

    /// On a bad day the new version answers with errors from half of the traffic on.
    fn turn_bad(&mut self, world: &mut World) {
        if self.is_bad || self.day == Day::Good {
            return;
        }
        let pods = world
            .cluster
            .endpoints(&Name::new("service", "shop", "api"));
        let new = pods.iter().filter(|pod| pod.owner.name == "api-canary");
        if 2 * new.count() >= pods.len() && !pods.is_empty() {
            self.is_bad = true;
            let line = Line::Metric {
                metric: "error_rate".to_owned(),
                scope: Some("canary".to_owned()),
                raw: Some(0.2),
            };
            world.plan_turn(world.now, Turn::Begin(1, vec![line]));
        }
    }
}

impl Witness for Watching {
    fn arrived(&mut self, world: &mut World, ticket: Ticket, request: &Request) {
        match request {
            Request::Commit { key, direction, .. } => {
                self.check_commit(key, *direction);
                self.in_flight.insert(ticket);
                self.count(world, |moment| match moment {
                    Moment::Commit(left) => Some(left),
                    _ => None,
                });
            }
            Request::Observe { key, direction, .. } => {
                self.last
                    .insert((key.clone(), *direction == Direction::Back), Asked::Observe);
                if matches!(self.moment, Some(Moment::Observe)) {
                    self.kill(world);
                }
            }
            _ => {}
        }
        self.count(world, |moment| match moment {
            Moment::Request(left) => Some(left),
            _ => None,
        });
    }

    fn answered(&mut self, world: &mut World, ticket: Ticket, _response: &Response) {
        if self.in_flight.contains(&ticket) {
            self.count(world, |moment| match moment {
                Moment::Answer(left) => Some(left),
                _ => None,
            });
            if self.process.is_some() {
                self.in_flight.remove(&ticket);
            }
        }
    }

    fn gave_up(&mut self, ticket: Ticket) {
        if self.process.is_some() {
            self.in_flight.remove(&ticket);
        }
    }

    fn passed(&mut self, world: &mut World) {
        self.turn_bad(world);
        let history = &world.cluster.store.history;
        let new = history.get(self.seen..).unwrap_or_default();
        let writes = new.iter().filter(|change| change.who == FIELD_MANAGER);
        let writes = writes.count();
        self.seen = history.len();
        for _ in 0..writes {
            self.count(world, |moment| match moment {
                Moment::Write(left) => Some(left),
                _ => None,
            });
        }
    }
}
