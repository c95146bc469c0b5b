//! The simulated world: every system that a plan names, in one place, in virtual time.
//!
//! A request begins at a moment and is answered at a later one; in between the world goes on, and the request may be
//! cancelled or forgotten, with what it has done so far done. Nothing here reads a clock.

use crate::plan::{Plan, Setting};
use crate::providers::catalog;
use crate::providers::request::{
    Call, Direction, Failure, FailureKind, Intent, Key, Observation, Outcome, Request, Response,
};
use crate::simulate::chance::{Chance, Stream};
use crate::simulate::due::Due;
use crate::simulate::fault::{Fate, Reach};
use crate::simulate::history::{Change, What};
use crate::simulate::kubernetes::job::{self, Job, Poll};
use crate::simulate::kubernetes::object::Name;
use crate::simulate::kubernetes::rights::{self, Rule};
use crate::simulate::kubernetes::{Cluster, change, reads};
use crate::simulate::script::{BlockId, Line, Script};
use crate::simulate::systems::{self, Traffic};
use crate::values::{Instant, Value};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct World {
    pub now: Instant,
    pub script: Script,
    pub cluster: Cluster,
    chance: Chance,
    kinds: BTreeMap<String, Kind>,
    /// Of the plan's folder.
    pub files: Arc<BTreeMap<String, String>>,
    /// What the credentials for the cluster may do; everything where nothing is said.
    pub rules: Option<Vec<Rule>>,
    /// Commands that ran and messages that were told; the cluster has its own.
    told: Vec<Change>,
    running: FxHashMap<Ticket, Running>,
    /// When each of them is to be looked at next.
    due: Due,
    turns: BTreeMap<(Instant, u64), Turn>,
    turns_made: u64,
}

/// Names a request that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What a provider of the plan is here.
#[derive(Clone, Debug)]
enum Kind {
    Kubernetes {
        namespace: String,
    },
    Prometheus,
    Http,
    Shell,
    /// Slack, webhooks: told, never asked.
    Channel,
}

/// What the scenario does at a moment.
#[derive(Clone, Debug)]
pub enum Turn {
    Begin(BlockId, Vec<Line>),
    End(BlockId),
}

#[derive(Clone, Debug)]
struct Running {
    /// When it is to be looked at next.
    at: Instant,
    work: Work,
    /// What the scenario wants to be heard of it.
    fate: Option<Fate>,
}

#[derive(Clone, Debug)]
enum Work {
    /// The answer to a read; nearly all requests are reads.
    Answer(Result<Value, Failure>),
    Reply(Box<Response>),
    Change(Box<Job>),
    /// A command that is under way since the moment it was begun.
    Command(Call),
}

const MS: i64 = 1_000_000;
const COMMAND_NS: i64 = 1_000 * MS;

impl World {
    pub fn new(plan: &Plan, now: Instant) -> World {
        let kinds = plan.providers.iter().map(|provider| {
            let kind = match provider.kind.as_str() {
                "kubernetes" => Kind::Kubernetes {
                    namespace: namespace(provider.settings.get("namespace")),
                },
                "prometheus" => Kind::Prometheus,
                "http" => Kind::Http,
                "shell" => Kind::Shell,
                _ => Kind::Channel,
            };
            (provider.name.clone(), kind)
        });
        World {
            now,
            script: Script::default(),
            cluster: Cluster::new(now),
            chance: Chance::default(),
            kinds: kinds.collect(),
            files: Arc::new(plan.files.clone()),
            rules: None,
            told: Vec::new(),
            running: FxHashMap::default(),
            due: Due::default(),
            turns: BTreeMap::new(),
            turns_made: 0,
        }
    }

    /// From now on things take longer or less long, by chance.
    pub fn seed(&mut self, seed: u64) {
        self.chance = Chance::seeded(seed, Stream::Requests);
        self.cluster.chance = Chance::seeded(seed, Stream::Pods);
    }

    /// All that happened, in the order in which it happened.
    pub fn history(&self) -> Vec<Change> {
        let mut all = self.cluster.store.history.clone();
        all.extend(self.told.iter().cloned());
        all.sort_by_key(|change| change.at);
        all
    }

    /// Of a provider that is a cluster.
    pub fn namespace_of(&self, provider: &str) -> Option<String> {
        match self.kinds.get(provider) {
            Some(Kind::Kubernetes { namespace }) => Some(namespace.clone()),
            _ => None,
        }
    }

    /// Lets the scenario say or take back something at a moment that is still to come.
    pub fn plan_turn(&mut self, at: Instant, turn: Turn) {
        self.turns_made += 1;
        self.turns.insert((at.max(self.now), self.turns_made), turn);
    }

    /// Begins a request; its answer comes out of [`World::advance`].
    pub fn begin(&mut self, ticket: Ticket, request: Request) {
        self.begin_as(ticket, request, None);
    }

    /// As [`World::begin`], for a change of which the scenario says what becomes of it.
    pub fn begin_as(&mut self, ticket: Ticket, request: Request, fate: Option<Fate>) {
        self.catch_up();
        let (delay_ns, work) = match fate.filter(|fate| fate.reach == Reach::Nothing) {
            Some(fate) => (15 * MS, reply(Response::Committed(fate.refusal()))),
            None => self.work(request),
        };
        let at = self.now.plus(self.chance.vary(delay_ns));
        self.keep(ticket, Running { at, work, fate });
    }

    /// As [`World::begin`], of a read.
    pub fn begin_read(&mut self, ticket: Ticket, call: &Call, at: Instant) {
        self.catch_up();
        let (delay_ns, answer) = self.read(call, at);
        let running = Running {
            at: self.now.plus(self.chance.vary(delay_ns)),
            work: Work::Answer(answer),
            fate: None,
        };
        self.keep(ticket, running);
    }

    /// What the scenario says of this very moment holds for what is asked in it.
    pub fn catch_up(&mut self) {
        self.take_turns();
        self.cluster.advance(self.now);
    }

    /// The moment at which something happens next by itself.
    pub fn next_at(&mut self) -> Option<Instant> {
        let due = self.first_due();
        self.first_with(due)
    }

    /// Lets time pass up to `to`, or to the first answer on the way; the world then stands at that moment.
    pub fn advance(&mut self, to: Instant) -> Option<(Ticket, Response)> {
        loop {
            let due = self.first_due();
            let Some(at) = self.first_with(due).filter(|at| *at <= to) else {
                break;
            };
            self.now = self.now.max(at);
            self.take_turns();
            self.cluster.advance(self.now);
            if let Some((_, ticket)) = due.filter(|(at, _)| *at <= self.now)
                && let Some(running) = self.take(ticket)
                && let fate = running.fate
                && let Some(response) = self.look_at(ticket, running)
            {
                let response = match (fate, response) {
                    (
                        Some(Fate {
                            reach: Reach::Nothing,
                            ..
                        })
                        | None,
                        response,
                    ) => response,
                    (Some(fate), Response::Committed(real)) => {
                        Response::Committed(fate.reply(real))
                    }
                    (_, response) => response,
                };
                return Some((ticket, response));
            }
        }
        self.now = self.now.max(to);
        self.cluster.advance(self.now);
        None
    }

    /// Stops a request and says what is certain of it; `None` when it is not under way.
    pub fn cancel(&mut self, ticket: Ticket, kind: FailureKind) -> Option<Response> {
        let running = self.take(ticket)?;
        let message = match kind {
            FailureKind::Timeout => "no answer in time",
            _ => "cancelled",
        };
        let why = systems::failure(kind, message);
        Some(match running.work {
            Work::Change(job) => Response::Committed(job.cancelled(kind, message)),
            Work::Command(..) => Response::Committed(Outcome::Unknown(why)),
            Work::Answer(_) => Response::Read(Err(why)),
            Work::Reply(reply) => match *reply {
                Response::Read(_) => Response::Read(Err(why)),
                Response::Prepared(_) => Response::Prepared(Err(why)),
                Response::Observed(_) => Response::Observed(Observation::Unknown(why)),
                Response::Told(_) => Response::Told(Err(why)),
                Response::Committed(_) => Response::Committed(Outcome::Unknown(why)),
            },
        })
    }

    /// What a read would answer at this moment, for whoever looks at the world from outside: no time passes.
    pub fn look(&mut self, call: &Call) -> Result<Value, Failure> {
        self.catch_up();
        self.read(call, self.now).1
    }

    /// The runner's process is gone: nobody waits for an answer any more. What was sent was sent.
    pub fn forget_requests(&mut self) {
        self.running.clear();
        self.due.clear();
    }

    /// One request, and the time it took; the world goes on meanwhile.
    pub fn answer(&mut self, now: Instant, request: &Request) -> (Response, i64) {
        loop {
            if let Some(answered) = self.answer_within(now, request, i64::MAX) {
                return answered;
            }
        }
    }

    /// `None`: nothing was answered in this time, and whoever asked has gone.
    pub fn answer_within(
        &mut self,
        now: Instant,
        request: &Request,
        limit_ns: i64,
    ) -> Option<(Response, i64)> {
        while self.now < now && self.advance(now).is_some() {}
        let ticket = Ticket(u64::MAX);
        let began = self.now;
        let end = began.plus(limit_ns);
        self.begin(ticket, request.clone());
        while self.now < end {
            let next = self.running.get(&ticket).map_or(end, |running| running.at);
            match self.advance(next.min(end)) {
                Some((answered, response)) if answered == ticket => {
                    return Some((response, self.now.since(began)));
                }
                _ => {}
            }
        }
        self.take(ticket);
        None
    }

    fn keep(&mut self, ticket: Ticket, running: Running) {
        self.due.plan(running.at, ticket);
        self.running.insert(ticket, running);
    }

    fn take(&mut self, ticket: Ticket) -> Option<Running> {
        self.running.remove(&ticket)
    }

    /// The moment at which something happens next: with a request, in the scenario or in the cluster.
    fn first_with(&self, due: Option<(Instant, Ticket)>) -> Option<Instant> {
        let request = due.map(|(at, _)| at);
        let turn = self.turns.keys().next().map(|(at, _)| *at);
        let first = [request, turn, self.cluster.next_at()];
        first.into_iter().flatten().min()
    }

    fn first_due(&mut self) -> Option<(Instant, Ticket)> {
        let running = &self.running;
        let stands = |at, ticket| running.get(&ticket).is_some_and(|running| running.at == at);
        self.due.first(stands)
    }

    fn work(&mut self, request: Request) -> (i64, Work) {
        match request {
            Request::Read { call, at } => {
                let (ns, answer) = self.read(&call, at);
                (ns, Work::Answer(answer))
            }
            Request::Prepare { call, .. } => {
                let intent = self.prepare(&call);
                (20 * MS, reply(Response::Prepared(intent)))
            }
            Request::Commit {
                key,
                intent,
                direction,
            } => self.commit(key, intent, direction),
            Request::Observe {
                key,
                intent,
                direction,
            } => {
                let seen = self.observe(&key, &intent, direction);
                (20 * MS, reply(Response::Observed(seen)))
            }
            Request::Tell { key, call } => {
                if self.script.is_down(&call.provider) {
                    let why = systems::refused(&call.provider);
                    return (100 * MS, reply(Response::Told(Err(why))));
                }
                self.record(&call.provider, Some(key), What::Told(systems::told(&call)));
                (100 * MS, reply(Response::Told(Ok(()))))
            }
        }
    }

    fn read(&mut self, call: &Call, at: Instant) -> (i64, Result<Value, Failure>) {
        let down = self.script.is_down(&call.provider);
        match self.kinds.get(&call.provider) {
            Some(Kind::Kubernetes { .. }) if down => {
                (15 * MS, Err(systems::refused(&call.provider)))
            }
            Some(Kind::Kubernetes { namespace }) => {
                let answer = self
                    .may_read(namespace, call)
                    .and_then(|()| reads::read(&self.cluster, namespace, call));
                let answer = match answer {
                    Err(_) if self.script.knows(call) => Ok(Value::Record(Default::default())),
                    other => other,
                };
                (
                    15 * MS,
                    answer.map(|value| self.script.correct(call, value)),
                )
            }
            Some(Kind::Prometheus) => {
                let scope = systems::word(call, "scope");
                let scope = (!matches!(scope, "" | "none")).then_some(scope);
                let traffic = self.traffic(scope);
                let seen = systems::Seen { at, scope, traffic };
                (10 * MS, systems::prometheus(&mut self.script, call, seen))
            }
            Some(Kind::Http) => (20 * MS, systems::http(&self.script, call)),
            Some(Kind::Shell) => (2 * MS, systems::shell_read(&self.script, call)),
            Some(Kind::Channel) | None => (MS, Err(systems::unknown(call))),
        }
    }

    fn may_read(&self, namespace: &str, call: &Call) -> Result<(), Failure> {
        let kind = catalog::find("kubernetes");
        match kind.and_then(|kind| kind.function(&call.function)) {
            Some(function) => rights::check_read(self.rules.as_deref(), namespace, function),
            None => Ok(()),
        }
    }

    fn prepare(&self, call: &Call) -> Result<Intent, Failure> {
        if self.script.is_down(&call.provider) {
            return Err(systems::refused(&call.provider));
        }
        match self.kinds.get(&call.provider) {
            Some(Kind::Kubernetes { namespace }) => {
                let place = change::Place {
                    cluster: &self.cluster,
                    namespace,
                    files: &self.files,
                    rules: self.rules.as_deref(),
                };
                change::prepare(place, call)
            }
            Some(Kind::Shell) => systems::shell_prepare(call),
            _ => Err(systems::unknown(call)),
        }
    }

    fn commit(&mut self, key: Key, intent: Intent, direction: Direction) -> (i64, Work) {
        let call = intent.call.clone();
        if self.script.is_down(&call.provider) {
            let refused = Outcome::NotApplied(systems::refused(&call.provider));
            return (15 * MS, reply(Response::Committed(refused)));
        }
        match self.kinds.get(&call.provider) {
            Some(Kind::Kubernetes { namespace }) => {
                let job = Job::new(key, &intent, direction, namespace, self.now);
                (15 * MS, Work::Change(Box::new(job)))
            }
            Some(Kind::Shell) if direction == Direction::Back => {
                let message = "a command has no inverse";
                let refused = Outcome::NotApplied(systems::failure(FailureKind::Refused, message));
                (MS, reply(Response::Committed(refused)))
            }
            Some(Kind::Shell) => {
                self.record("shell", Some(key), What::Ran(systems::words(&call)));
                (COMMAND_NS, Work::Command(call))
            }
            _ => {
                let unknown = Outcome::NotApplied(systems::unknown(&call));
                (MS, reply(Response::Committed(unknown)))
            }
        }
    }

    fn observe(&self, key: &Key, intent: &Intent, direction: Direction) -> Observation {
        let call = &intent.call;
        if self.script.is_down(&call.provider) {
            return Observation::Unknown(systems::refused(&call.provider));
        }
        match self.kinds.get(&call.provider) {
            Some(Kind::Kubernetes { namespace }) => {
                job::observe(&self.cluster, namespace, key, intent, direction)
            }
            Some(Kind::Shell) => systems::shell_observe(intent),
            _ => Observation::Unknown(systems::unknown(call)),
        }
    }

    fn look_at(&mut self, ticket: Ticket, running: Running) -> Option<Response> {
        match running.work {
            Work::Answer(answer) => Some(Response::Read(answer)),
            Work::Reply(response) => Some(*response),
            Work::Command(call) => {
                let outcome = systems::shell_commit(&self.script, &call);
                Some(Response::Committed(outcome))
            }
            Work::Change(mut job) => match job.poll(&mut self.cluster) {
                Poll::Done(outcome) => Some(Response::Committed(outcome)),
                Poll::Again(at) => {
                    let again = Running {
                        at,
                        work: Work::Change(job),
                        fate: running.fate,
                    };
                    self.keep(ticket, again);
                    None
                }
            },
        }
    }

    fn take_turns(&mut self) {
        while let Some(entry) = self
            .turns
            .first_entry()
            .filter(|entry| entry.key().0 <= self.now)
        {
            let at = entry.key().0;
            match entry.remove() {
                Turn::Begin(id, lines) => self.script.begin(id, at, lines),
                Turn::End(id) => self.script.end(id),
            }
        }
    }

    /// Whether any pod of the scope takes traffic: what serves nothing has no rates and no latencies.
    fn traffic(&self, scope: Option<&str>) -> Traffic {
        let Some(scope @ ("canary" | "stable")) = scope else {
            return Traffic::Some;
        };
        let services = self
            .cluster
            .store
            .objects
            .keys()
            .filter(|name| name.kind == "service");
        let serving: BTreeSet<&Name> = services
            .flat_map(|service| self.cluster.endpoints(service))
            .map(|pod| &pod.owner)
            .collect();
        let is_canary = |owner: &&Name| owner.name.ends_with("-canary");
        let some = match scope {
            "canary" => serving.iter().any(is_canary),
            _ => serving.iter().any(|owner| !is_canary(owner)),
        };
        if some { Traffic::Some } else { Traffic::None }
    }

    fn record(&mut self, object: &str, key: Option<Key>, what: What) {
        self.told.push(Change {
            at: self.now,
            who: "deployc".to_owned(),
            key,
            object: object.to_owned(),
            what,
        });
    }
}

fn reply(response: Response) -> Work {
    Work::Reply(Box::new(response))
}

fn namespace(setting: Option<&Setting>) -> String {
    match setting {
        Some(Setting::Value(Value::String(name))) => name.clone(),
        _ => "default".to_owned(),
    }
}
