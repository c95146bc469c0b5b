//! A change of the simulated cluster while it is under way, and the finding out of what has become of one.

use crate::providers::request::{
    Direction, Failure, FailureKind, Intent, Key, Observation, Outcome, Written,
};
use crate::simulate::kubernetes::Cluster;
use crate::simulate::kubernetes::deployment::Wanted;
use crate::simulate::kubernetes::object::Name;
use crate::simulate::kubernetes::result::{result, steps};
use crate::simulate::kubernetes::task::{self, Progress, Task};
use crate::simulate::systems::failure;
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
    /// Objects that could not be undone; the others are undone all the same.
    failures: Vec<(Name, Failure)>,
    /// Since when pods that are waited for say that they cannot start.
    trouble_since: Option<Instant>,
    started: Instant,
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
            failures: Vec::new(),
            trouble_since: None,
            started: now,
        }
    }

    /// Goes on as far as it can at this moment.
    pub fn poll(&mut self, cluster: &mut Cluster) -> Poll {
        while let Some(task) = self.tasks.front().cloned() {
            let given_up = self.failures.iter().any(|(name, _)| name == task.name());
            if given_up && task.is_wait() {
                self.tasks.pop_front();
                continue;
            }
            match task::carry_out(cluster, &self.key, &task) {
                Progress::Waiting => {
                    return match self.lost_hope(cluster, &task) {
                        Some(failure) => Poll::Done(self.failed(failure)),
                        None => Poll::Again(cluster.now.plus(LOOK_AGAIN_NS)),
                    };
                }
                Progress::Failed(failure) if task.is_undo() => {
                    self.failures.push((task.name().clone(), failure));
                    self.tasks.pop_front();
                }
                Progress::Failed(failure) => return Poll::Done(self.failed(failure)),
                Progress::Nothing => {
                    self.tasks.pop_front();
                }
                Progress::Sent => {
                    self.tasks.pop_front();
                    self.done.push(task);
                    return Poll::Again(cluster.now.plus(REQUEST_NS));
                }
            }
        }
        Poll::Done(self.finished(cluster))
    }

    /// What is certain when it is stopped now.
    pub fn cancelled(&self, kind: FailureKind, message: &str) -> Outcome {
        let failure = failure(kind, message);
        match self.done.is_empty() {
            true => Outcome::NotApplied(failure),
            false => Outcome::Unknown(failure),
        }
    }

    /// What will not come right by waiting: somebody changed what was written, or pods that cannot start.
    fn lost_hope(&mut self, cluster: &Cluster, waiting: &Task) -> Option<Failure> {
        let mut drifts = self
            .done
            .iter()
            .filter_map(|task| task::drifted(cluster, task));
        if let Some(failure) = drifts.next() {
            return Some(failure);
        }
        let Some(words) = trouble(cluster, waiting.name()) else {
            self.trouble_since = None;
            return None;
        };
        let since = *self.trouble_since.get_or_insert(cluster.now);
        let message = format!("{}: {words}", waiting.name().short());
        let lost = cluster.now.since(since) >= PATIENCE_NS;
        lost.then(|| failure(FailureKind::Unready, message))
    }

    fn finished(&self, cluster: &Cluster) -> Outcome {
        let messages: Vec<&str> = self
            .failures
            .iter()
            .map(|(_, one)| one.message.as_str())
            .collect();
        match self.failures.first() {
            Some((_, first)) => self.failed(failure(first.kind, messages.join("; "))),
            None => Outcome::Applied {
                result: given(
                    cluster,
                    &self.namespace,
                    &self.key,
                    &self.intent,
                    self.direction,
                    self.started,
                ),
                written: written(cluster, &self.intent, self.direction),
            },
        }
    }

    fn failed(&self, failure: Failure) -> Outcome {
        match self.done.is_empty() {
            true => Outcome::NotApplied(failure),
            false => Outcome::Unachieved(failure),
        }
    }
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
    if direction == Direction::Forward
        && let Some(failure) = changed_by_another(cluster, key, &tasks)
    {
        return Observation::Foreign(failure);
    }
    let Some(missing) = tasks.iter().find(|task| !is_done(task)) else {
        return Observation::Applied {
            result: given(cluster, namespace, key, intent, direction, cluster.now),
            written: written(cluster, intent, direction),
        };
    };
    let mut writes = tasks.iter().filter(|task| task.writes());
    if writes.any(|task| is_done(&task)) {
        let message = format!("still to be done: {}", missing.describe());
        return Observation::Underway(failure(FailureKind::Unready, message));
    }
    Observation::NotApplied
}

/// An object that is neither as the intent saw it nor as this change wrote it.
fn changed_by_another(cluster: &Cluster, key: &Key, tasks: &[Task]) -> Option<Failure> {
    tasks.iter().find_map(|task| {
        let seen = match task {
            Task::Apply { seen, .. } => seen.as_ref(),
            Task::Write { seen, .. } => Some(seen),
            _ => return None,
        };
        let live = cluster.store.objects.get(task.name());
        match (task::is_done(cluster, key, task), live, seen) {
            (true, ..) => task::drifted(cluster, task),
            (false, None, None) => None,
            _ => task::precondition(cluster, task.name(), seen).err(),
        }
    })
}

/// What keeps a pod of the newest template from starting.
fn trouble(cluster: &Cluster, owner: &Name) -> Option<String> {
    let object = cluster.store.objects.get(owner)?;
    let newest = Wanted::of(object).template.hash;
    let mut pods = cluster
        .pods_of(owner)
        .filter(|pod| pod.template_hash == newest);
    pods.find_map(|pod| {
        let reason = pod.waiting?;
        let image = pod.images.first().map_or("", String::as_str);
        Some(format!(
            "pod {}: {reason}: Back-off pulling image \"{image}\"",
            pod.name.name
        ))
    })
}

fn tasks(intent: &Intent, direction: Direction) -> Vec<Task> {
    match direction {
        Direction::Forward => steps(intent).tasks,
        Direction::Back => serde_json::from_value(intent.inverse.clone()).unwrap_or_default(),
    }
}

fn given(
    cluster: &Cluster,
    namespace: &str,
    key: &Key,
    intent: &Intent,
    direction: Direction,
    started: Instant,
) -> Value {
    match direction {
        Direction::Forward => result(cluster, namespace, key, intent, started),
        Direction::Back => Value::Absent,
    }
}

/// The objects that the change wrote, as they are now.
fn written(cluster: &Cluster, intent: &Intent, direction: Direction) -> Vec<Written> {
    let tasks = tasks(intent, direction);
    let written = tasks.iter().filter_map(|task| {
        let how = match task {
            Task::Apply { seen: None, .. } => "created",
            Task::Apply { .. } | Task::Write { .. } => "changed",
            Task::Restore { .. } => "restored",
            _ => return None,
        };
        let object = cluster.store.objects.get(task.name())?;
        Some(Written {
            object: task.name().to_string(),
            uid: object.uid.clone(),
            resource_version: object.resource_version.to_string(),
            how: how.to_owned(),
        })
    });
    written.collect()
}
