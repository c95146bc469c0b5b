//! A change of the simulated cluster while it is under way, and the finding out of what has become of one.

use crate::providers::kubernetes::canary;
use crate::providers::request::{
    Call, Direction, Failure, FailureKind, Intent, Key, Observation, Outcome, Written,
};
use crate::simulate::kubernetes::Cluster;
use crate::simulate::kubernetes::deployment::Wanted;
use crate::simulate::kubernetes::object::Name;
use crate::simulate::kubernetes::pod;
use crate::simulate::kubernetes::reads::{containers, field_of, text_map};
use crate::simulate::kubernetes::task::{self, Progress, Task};
use crate::simulate::systems::{failure, record, text};
use crate::units::Dim;
use crate::values::{Instant, Value};
use std::collections::VecDeque;

/// A commit whose answer is still to come.
#[derive(Clone, Debug)]
pub struct Job {
    key: Key,
    intent: Intent,
    namespace: String,
    direction: Direction,
    tasks: VecDeque<Task>,
    /// Writes that were answered; nobody else may change their fields while they are waited for.
    done: Vec<Task>,
    /// Since when pods that are waited for say that they cannot start.
    trouble_since: Option<Instant>,
    started: Instant,
    written: Vec<Written>,
    /// Whether any request that changes something was answered.
    touched: Touched,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Touched {
    No,
    Yes,
}

#[derive(Clone, Debug)]
pub enum Poll {
    Again(Instant),
    Done(Outcome),
}

const REQUEST_NS: i64 = 15_000_000;
const LOOK_AGAIN_NS: i64 = 100_000_000;
/// Pods that cannot start are waited for this long, as the real provider does.
const PATIENCE_NS: i64 = 30_000_000_000;

impl Job {
    pub fn new(
        key: Key,
        intent: &Intent,
        direction: Direction,
        namespace: &str,
        now: Instant,
    ) -> Job {
        Job {
            key,
            intent: intent.clone(),
            namespace: namespace.to_owned(),
            direction,
            tasks: tasks(intent, direction).into(),
            done: Vec::new(),
            trouble_since: None,
            started: now,
            written: Vec::new(),
            touched: Touched::No,
        }
    }

    /// Goes on as far as it can at this moment.
    pub fn poll(&mut self, cluster: &mut Cluster) -> Poll {
        while let Some(task) = self.tasks.front() {
            match task::carry_out(cluster, &self.key, task) {
                Progress::Waiting => {
                    let task = task.clone();
                    return match self.lost_hope(cluster, &task) {
                        Some(failure) => Poll::Done(self.failed(failure)),
                        None => Poll::Again(cluster.now.plus(LOOK_AGAIN_NS)),
                    };
                }
                Progress::Failed(failure) => return Poll::Done(self.failed(failure)),
                Progress::Nothing => {
                    self.tasks.pop_front();
                }
                Progress::Sent(written) => {
                    self.touched = Touched::Yes;
                    self.written.extend(written);
                    let done = self.tasks.pop_front();
                    self.done.extend(done);
                    return Poll::Again(cluster.now.plus(REQUEST_NS));
                }
            }
        }
        Poll::Done(Outcome::Applied {
            result: result(
                cluster,
                &self.namespace,
                &self.intent,
                self.direction,
                self.started,
                &self.written,
            ),
            written: self.written.clone(),
        })
    }

    /// What will not come right by waiting: somebody changed what was written, or pods that cannot start.
    fn lost_hope(&mut self, cluster: &Cluster, waiting: &Task) -> Option<Failure> {
        if let Some(failure) = self
            .done
            .iter()
            .find_map(|task| task::drifted(cluster, task))
        {
            return Some(failure);
        }
        let Some((pod, reason)) = waiting.owner().and_then(|owner| trouble(cluster, owner)) else {
            self.trouble_since = None;
            return None;
        };
        let since = *self.trouble_since.get_or_insert(cluster.now);
        let message = format!("pod {}: {reason}", pod.name);
        let lost = cluster.now.since(since) >= PATIENCE_NS;
        lost.then(|| failure(FailureKind::Unready, message))
    }

    /// What is certain when it is stopped now.
    pub fn cancelled(&self, kind: FailureKind, message: &str) -> Outcome {
        let failure = failure(kind, message);
        match self.touched {
            Touched::No => Outcome::NotApplied(failure),
            Touched::Yes => Outcome::Unknown(failure),
        }
    }

    fn failed(&self, failure: Failure) -> Outcome {
        match self.touched {
            Touched::No => Outcome::NotApplied(failure),
            Touched::Yes => Outcome::Unachieved(failure),
        }
    }
}

/// A pod of the newest template that cannot start, and why.
fn trouble<'c>(cluster: &'c Cluster, owner: &'c Name) -> Option<(&'c Name, String)> {
    let object = cluster.store.objects.get(owner)?;
    let newest = Wanted::of(object).template.hash;
    let mut pods = cluster
        .pods_of(owner)
        .filter(|pod| pod.template_hash == newest);
    pods.find_map(|pod| {
        let reason = pod.waiting?;
        let image = pod.images.first().map_or("", String::as_str);
        Some((
            &pod.name,
            format!("{reason}: Back-off pulling image \"{image}\""),
        ))
    })
}

/// Whether a change has happened, as the objects themselves say.
pub fn observe(
    cluster: &Cluster,
    namespace: &str,
    key: &Key,
    intent: &Intent,
    direction: Direction,
) -> Observation {
    let tasks = tasks(intent, direction);
    let is_done = |task: &&Task| task::is_done(cluster, key, task);
    let missing = tasks.iter().find(|task| !is_done(task));
    let Some(missing) = missing else {
        return Observation::Applied {
            result: result(cluster, namespace, intent, direction, cluster.now, &[]),
            written: Vec::new(),
        };
    };
    let begun = tasks
        .iter()
        .filter(|task| task.writes())
        .any(|task| is_done(&task));
    match (direction, changed_by_another(cluster, key, intent)) {
        (Direction::Forward, Some(failure)) => Observation::Foreign(failure),
        _ if begun => {
            let message = format!("still to be done: {}", missing.describe());
            Observation::Underway(failure(FailureKind::Unready, message))
        }
        _ => Observation::NotApplied,
    }
}

/// An object that is neither as the intent saw it nor as this change wrote it.
fn changed_by_another(cluster: &Cluster, key: &Key, intent: &Intent) -> Option<Failure> {
    tasks(intent, Direction::Forward).iter().find_map(|task| {
        let (name, seen) = match task {
            Task::Apply { name, seen, .. } => (name, seen.as_ref()?),
            Task::Write { name, seen, .. } => (name, seen),
            _ => return None,
        };
        let live = cluster.store.objects.get(name)?;
        let same = live.uid == seen.uid && live.generation == seen.generation;
        let message = format!("`{name}` was changed by somebody else since");
        let another = !same && !task::is_done(cluster, key, task);
        another.then(|| failure(FailureKind::Conflict, message))
    })
}

fn tasks(intent: &Intent, direction: Direction) -> Vec<Task> {
    let json = match direction {
        Direction::Forward => &intent.forward,
        Direction::Back => &intent.inverse,
    };
    serde_json::from_value(json.clone()).unwrap_or_default()
}

fn result(
    cluster: &Cluster,
    namespace: &str,
    intent: &Intent,
    direction: Direction,
    started: Instant,
    written: &[Written],
) -> Value {
    let call = &intent.call;
    if direction == Direction::Back {
        return record([]);
    }
    match call.function.as_str() {
        "apply" => release(cluster, namespace, intent, started, written),
        "scale" | "image" | "restart" => {
            rollout(cluster, namespace, &text(call, "name"), started, written)
        }
        "switch" => switched(cluster, namespace, &text(call, "service"), started),
        "canary_weight" => weight(cluster, namespace, call),
        "canary_promote" => {
            let name = field_of(call, "release", "deployment");
            rollout(cluster, namespace, &name, started, written)
        }
        "create_namespace" => record([("created", Value::Bool(!written.is_empty()))]),
        _ => record([]),
    }
}

fn release(
    cluster: &Cluster,
    namespace: &str,
    intent: &Intent,
    started: Instant,
    written: &[Written],
) -> Value {
    let prefix = format!("deployment/{namespace}/");
    let names = intent.targets.iter();
    let mut names = names.filter_map(|target| target.object.strip_prefix(&prefix));
    let first = names.clone().next().unwrap_or_default();
    let beside = names.find_map(|name| Some((name.strip_suffix("-canary")?, name)));
    let (deployment, beside) = beside.unwrap_or((first, ""));
    let holder = if beside.is_empty() {
        deployment
    } else {
        beside
    };
    let holder = Name::new("deployment", namespace, holder);
    let object = cluster.store.objects.get(&holder);
    let (image, images) = object.map_or((String::new(), record([])), containers);
    let names = canary::pod_names(deployment);
    let mut fields = vec![
        ("started", Value::Instant(started)),
        ("deployment", Value::String(deployment.to_owned())),
        ("canary", Value::String(beside.to_owned())),
        ("image", Value::String(image)),
        ("images", images),
        ("canary_pods", Value::String(names.canary)),
        ("stable_pods", Value::String(names.stable)),
        ("all_pods", Value::String(names.all)),
        (
            "was",
            Value::String(template_of(cluster, namespace, deployment)),
        ),
    ];
    fields.extend(how_many(written));
    named(fields)
}

/// In JSON: by it a stage sees whether somebody has changed the old version since.
fn template_of(cluster: &Cluster, namespace: &str, deployment: &str) -> String {
    let name = Name::new("deployment", namespace, deployment);
    let object = cluster.store.objects.get(&name);
    let template = object.and_then(|object| object.body.pointer("/spec/template"));
    template.map_or(String::new(), ToString::to_string)
}

fn rollout(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    started: Instant,
    written: &[Written],
) -> Value {
    let object = cluster
        .store
        .objects
        .get(&Name::new("deployment", namespace, name));
    let (image, _) = object.map_or((String::new(), record([])), containers);
    let replicas = object.map_or(0, |object| Wanted::of(object).replicas);
    let mut fields = vec![
        ("started", Value::Instant(started)),
        ("deployment", Value::String(name.to_owned())),
        ("image", Value::String(image)),
        ("replicas", Value::count(replicas)),
    ];
    fields.extend(how_many(written));
    named(fields)
}

fn switched(cluster: &Cluster, namespace: &str, service: &str, started: Instant) -> Value {
    let name = Name::new("service", namespace, service);
    let object = cluster.store.objects.get(&name);
    let selector = pod::labels(object.and_then(|object| object.body.pointer("/spec/selector")));
    record([
        ("started", Value::Instant(started)),
        ("selector", text_map(&selector)),
        (
            "endpoints",
            Value::count(number(cluster.endpoints(&name).len())),
        ),
    ])
}

/// The achieved weight, read back from what takes traffic.
fn weight(cluster: &Cluster, namespace: &str, call: &Call) -> Value {
    let stable = Name::new(
        "deployment",
        namespace,
        &field_of(call, "release", "deployment"),
    );
    let beside = Name::new("deployment", namespace, &canary::canary_name(&stable.name));
    let services = cluster.store.objects.keys();
    let services = services.filter(|name| name.kind == "service" && name.namespace == namespace);
    let behind: Vec<&Name> = services
        .map(|service| cluster.endpoints(service))
        .find(|pods| pods.iter().any(|pod| pod.owner == beside))
        .map(|pods| pods.iter().map(|pod| &pod.owner).collect())
        .unwrap_or_default();
    let of = |owner: &Name| behind.iter().filter(|found| **found == owner).count();
    let (new, old) = (of(&beside), of(&stable));
    let achieved = if new + old == 0 {
        0.0
    } else {
        new as f64 / (new + old) as f64
    };
    record([
        ("achieved", Value::measured(Dim::Ratio, achieved)),
        ("canary", Value::count(number(new))),
        ("stable", Value::count(number(old))),
    ])
}

fn how_many(written: &[Written]) -> Vec<(&'static str, Value)> {
    let of = |how: &str| number(written.iter().filter(|written| written.how == how).count());
    ["created", "changed", "unchanged"]
        .map(|how| (how, Value::count(of(how))))
        .to_vec()
}

fn named(fields: Vec<(&str, Value)>) -> Value {
    let named = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Value::Record(named.collect())
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
