//! What a change of the cluster consists of: requests and waits, one after the other.
//!
//! Each task may be carried out again under the same key and then does nothing, so a change that was cut short can be
//! issued anew. What is not as it was when the change was prepared is never written over.

use crate::providers::kubernetes::canary::{GATE, TRACK_LABEL};
use crate::providers::kubernetes::{FIELD_MANAGER, KEY_ANNOTATION};
use crate::providers::request::{Failure, FailureKind, Key};
use crate::simulate::kubernetes::Cluster;
use crate::simulate::kubernetes::deployment::Wanted;
use crate::simulate::kubernetes::field::{self, Path};
use crate::simulate::kubernetes::object::{ApiError, Name, Object};
use crate::simulate::kubernetes::pod::Gate;
use crate::simulate::kubernetes::store::{Force, How, Precondition, Writer};
use crate::simulate::kubernetes::undo;
use crate::simulate::systems::failure;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A field and what it is to be; `None` takes it away.
pub type Field = (Path, Option<Value>);

/// An object as it was when the change was prepared.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seen {
    pub uid: String,
    pub said: Vec<Field>,
}

/// Whether a write puts the key of its change on the object: then it is the one that wrote it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    Yes,
    /// A canary's scale and a Service's selector move back and forth under several keys.
    No,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Server-side apply.
    Apply {
        name: Name,
        manifest: Value,
        /// `None`: it was not there.
        seen: Option<Seen>,
        force: Force,
    },
    /// Writes single fields.
    Write {
        name: Name,
        fields: Vec<Field>,
        seen: Seen,
        force: Force,
        mark: Mark,
    },
    /// Puts fields back that are still as this change left them.
    Restore {
        name: Name,
        uid: String,
        ours: Vec<Field>,
        before: Vec<Field>,
        key_before: Option<String>,
    },
    /// Deletes what this change created, by uid; nothing else.
    DeleteOurs {
        name: Name,
    },
    Delete {
        name: Name,
        uid: String,
    },
    /// Lets exactly so many pods of a Deployment take traffic, those first that do.
    Open {
        owner: Name,
        pods: usize,
    },
    /// Lets a Service take the old pods too.
    Widen {
        service: Name,
    },
    AwaitRollout {
        name: Name,
    },
    /// Containers ready, with or without traffic.
    AwaitHealthy {
        owner: Name,
        pods: usize,
    },
    AwaitEndpoints {
        service: Name,
    },
    /// Until none of its pods is left that could take traffic.
    AwaitGone {
        owner: Name,
    },
    /// Refuses to take the traffic from `from` without a ready pod to give it to.
    NeedHealthy {
        owner: Name,
        from: Name,
    },
}

/// How far a task got.
#[derive(Clone, Debug)]
pub enum Progress {
    /// A request was answered.
    Sent,
    /// There was nothing to do, or nothing more to wait for.
    Nothing,
    Waiting,
    Failed(Failure),
}

impl Task {
    /// Whether it asks the API server to change something.
    pub fn writes(&self) -> bool {
        !self.is_wait() && !matches!(self, Task::NeedHealthy { .. })
    }

    pub fn is_wait(&self) -> bool {
        matches!(
            self,
            Task::AwaitRollout { .. }
                | Task::AwaitHealthy { .. }
                | Task::AwaitEndpoints { .. }
                | Task::AwaitGone { .. }
        )
    }

    /// Undoing one object; that it cannot be done keeps nothing else from it.
    pub fn is_undo(&self) -> bool {
        matches!(self, Task::Restore { .. } | Task::DeleteOurs { .. })
    }

    pub fn name(&self) -> &Name {
        match self {
            Task::Apply { name, .. }
            | Task::Write { name, .. }
            | Task::Restore { name, .. }
            | Task::DeleteOurs { name }
            | Task::Delete { name, .. }
            | Task::AwaitRollout { name } => name,
            Task::Open { owner, .. }
            | Task::AwaitHealthy { owner, .. }
            | Task::AwaitGone { owner }
            | Task::NeedHealthy { owner, .. } => owner,
            Task::Widen { service } | Task::AwaitEndpoints { service } => service,
        }
    }

    /// For a person.
    pub fn describe(&self) -> String {
        let name = self.name().short();
        match self {
            Task::Apply { .. } | Task::Write { .. } => format!("write {name}"),
            Task::Restore { .. } | Task::Widen { .. } => format!("restore {name}"),
            Task::DeleteOurs { .. } | Task::Delete { .. } => format!("delete {name}"),
            Task::Open { pods, .. } => format!("let {pods} pods of {name} take traffic"),
            Task::AwaitRollout { .. } => format!("wait until {name} has rolled out"),
            Task::AwaitHealthy { pods, .. } => format!("wait for {pods} healthy pods of {name}"),
            Task::AwaitEndpoints { .. } => format!("wait for endpoints of {name}"),
            Task::AwaitGone { .. } => format!("wait until {name} is gone"),
            Task::NeedHealthy { .. } => format!("find a ready pod of {name}"),
        }
    }
}

pub fn carry_out(cluster: &mut Cluster, key: &Key, task: &Task) -> Progress {
    let by = Writer {
        at: cluster.now,
        manager: FIELD_MANAGER.to_owned(),
        key: Some(key.clone()),
    };
    if task.is_wait() {
        return waiting(is_done(cluster, key, task));
    }
    match task {
        Task::Apply { .. } | Task::Write { .. } if is_done(cluster, key, task) => Progress::Nothing,
        Task::Apply {
            name,
            manifest,
            seen,
            force,
        } => match precondition(cluster, name, seen.as_ref()) {
            Err(failure) => Progress::Failed(failure),
            Ok(only_if) => {
                let manifest = with_key(manifest, key);
                sent(name, cluster.apply(&by, name, &manifest, &only_if, *force))
            }
        },
        Task::Write {
            name,
            fields,
            seen,
            force,
            mark,
        } => {
            if let Some(conflict) = taken(cluster, name, fields, *force) {
                return Progress::Failed(conflict);
            }
            match precondition(cluster, name, Some(seen)) {
                Err(failure) => Progress::Failed(failure),
                Ok(only_if) => {
                    let mut fields = fields.clone();
                    if *mark == Mark::Yes {
                        fields.push((key_path(), Some(json!(key.0))));
                    }
                    sent(name, cluster.write(&by, name, &fields, &only_if))
                }
            }
        }
        Task::Open { owner, pods } => open(cluster, &by, owner, *pods),
        Task::NeedHealthy { owner, from } => match is_done(cluster, key, task) {
            true => Progress::Nothing,
            false => Progress::Failed(failure(
                FailureKind::Refused,
                format!(
                    "no pod of {} is ready, and some of {} take traffic: they stay, and somebody has to look",
                    owner.short(),
                    from.short()
                ),
            )),
        },
        back => undo::carry_out(cluster, &by, key, back),
    }
}

/// Whether a task has already happened, or what it waits for is there, as the objects themselves say.
pub fn is_done(cluster: &Cluster, key: &Key, task: &Task) -> bool {
    let object = |name: &Name| cluster.store.objects.get(name);
    let ours = |name: &Name| object(name).and_then(key_of) == Some(&key.0);
    match task {
        Task::Apply { name, .. } => ours(name),
        Task::Write {
            name,
            mark: Mark::Yes,
            ..
        } => ours(name),
        Task::Write { name, fields, .. } => {
            object(name).is_some_and(|object| differing(object, fields).is_none())
        }
        Task::Restore { name, .. } | Task::DeleteOurs { name } => !ours(name),
        Task::Delete { name, uid } => object(name).is_none_or(|object| object.uid != *uid),
        Task::Open { owner, pods } => {
            let pods_now = cluster.pods_of(owner).filter(|pod| !pod.deleting);
            let open = pods_now.filter(|pod| pod.gates.get(GATE) == Some(&Gate::Open));
            open.count() == *pods
        }
        Task::Widen { service } => object(service).is_none_or(|object| !is_narrow(object)),
        Task::AwaitRollout { name } => rolled_out(cluster, name),
        Task::AwaitHealthy { owner, pods } => {
            let healthy = cluster.pods_of(owner).filter(|pod| pod.healthy());
            healthy.count() >= *pods
        }
        Task::AwaitEndpoints { service } => !cluster.endpoints(service).is_empty(),
        Task::AwaitGone { owner } => cluster.pods_of(owner).all(|pod| pod.deleting),
        Task::NeedHealthy { owner, from } => {
            let able = cluster.pods_of(owner).any(|pod| pod.ready());
            able || !cluster.pods_of(from).any(|pod| pod.ready())
        }
    }
}

/// A field that this task wrote and that is another now.
pub fn drifted(cluster: &Cluster, task: &Task) -> Option<Failure> {
    let (name, fields) = match task {
        Task::Apply { name, manifest, .. } => (name, field::leaves_of_spec(manifest)),
        Task::Write { name, fields, .. } => (name, fields.clone()),
        _ => return None,
    };
    let object = cluster.store.objects.get(name)?;
    let (path, value) = differing(object, &fields)?;
    Some(drift(object, name, path, value.as_ref()))
}

pub fn refusal(name: &Name, error: &ApiError) -> Failure {
    let kind = match error.code {
        403 => FailureKind::Denied,
        404 => FailureKind::NotFound,
        409 => FailureKind::Conflict,
        422 if error.message.contains("metadata.uid") => FailureKind::Conflict,
        _ => FailureKind::Invalid,
    };
    failure(kind, format!("{}: {}", name.short(), error.message))
}

/// The key of the change that wrote an object last.
pub fn key_of(object: &Object) -> Option<&String> {
    match field::get(&object.body, &key_path()) {
        Some(Value::String(key)) => Some(key),
        _ => None,
    }
}

pub fn key_path() -> Path {
    Path::of("metadata.annotations").field(KEY_ANNOTATION)
}

pub fn is_narrow(service: &Object) -> bool {
    let selector = Path::of("spec.selector").field(TRACK_LABEL);
    field::get(&service.body, &selector).is_some()
}

pub fn sent(name: &Name, how: Result<How, ApiError>) -> Progress {
    match how {
        Err(error) => Progress::Failed(refusal(name, &error)),
        Ok(_) => Progress::Sent,
    }
}

/// The first of these fields that is another now.
pub fn differing<'f>(object: &Object, fields: &'f [Field]) -> Option<&'f Field> {
    let differs = |(path, value): &&Field| field::get(&object.body, path) != value.as_ref();
    fields.iter().find(differs)
}

/// Somebody else changed what was seen, or what this run had written.
pub fn drift(object: &Object, name: &Name, path: &Path, was: Option<&Value>) -> Failure {
    let found = field::get(&object.body, path);
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    let overlaps = |owned: &Path| owned.starts_with(path) || path.starts_with(owned);
    let owners = object.owners.iter().filter(|(owned, _)| overlaps(owned));
    let mut managers = owners.flat_map(|(_, managers)| managers);
    let other = managers.find(|manager| *manager != FIELD_MANAGER);
    let message = format!(
        "{}: `{path}` was changed by `{}` since: it is {}, and was {}",
        name.short(),
        other.map_or("somebody", String::as_str),
        shown(found),
        shown(was),
    );
    failure(FailureKind::Conflict, message)
}

/// A field among those to be written that somebody else owns and has otherwise.
pub fn taken(cluster: &Cluster, name: &Name, fields: &[Field], force: Force) -> Option<Failure> {
    let object = cluster
        .store
        .objects
        .get(name)
        .filter(|_| force == Force::No)?;
    let mut differs = fields
        .iter()
        .filter(|(path, value)| field::get(&object.body, path) != value.as_ref());
    differs.find_map(|(path, _)| {
        let owners = object
            .owners
            .iter()
            .filter(|(owned, _)| owned.starts_with(path));
        let mut managers = owners.flat_map(|(_, managers)| managers);
        let other = managers.find(|manager| *manager != FIELD_MANAGER)?;
        let conflict = ApiError::field_conflict(&[(path.clone(), other.clone())]);
        Some(refusal(name, &conflict))
    })
}

/// Compare-and-set on what was seen. A controller's status makes a new version too, so what is compared is what people
/// say of the object; the version of now then guards the request itself.
pub fn precondition(
    cluster: &Cluster,
    name: &Name,
    seen: Option<&Seen>,
) -> Result<Precondition, Failure> {
    let conflict = |words: &str| {
        let message = format!("{} {words}", name.short());
        Err(failure(FailureKind::Conflict, message))
    };
    let (live, seen) = match (cluster.store.objects.get(name), seen) {
        (None, None) => return Ok(Precondition::default()),
        (None, Some(_)) => return conflict("was deleted since"),
        (Some(_), None) => return conflict("was not there, and somebody made it since"),
        (Some(live), Some(seen)) => (live, seen),
    };
    if live.uid != seen.uid {
        return conflict("is another object than it was");
    }
    if let Some((path, was)) = differing(live, &seen.said) {
        return Err(drift(live, name, path, was.as_ref()));
    }
    let known = |path: &Path| seen.said.iter().any(|(known, _)| known == path);
    let added = field::leaves_of_spec(&live.body)
        .into_iter()
        .find(|(path, _)| !known(path));
    if let Some((path, _)) = added {
        return Err(drift(live, name, &path, None));
    }
    Ok(Precondition {
        uid: Some(live.uid.clone()),
        resource_version: Some(live.resource_version.to_string()),
    })
}

fn with_key(manifest: &Value, key: &Key) -> Value {
    let mut manifest = manifest.clone();
    field::set(&mut manifest, &key_path(), json!(key.0));
    manifest
}

fn waiting(done: bool) -> Progress {
    if done {
        Progress::Nothing
    } else {
        Progress::Waiting
    }
}

fn open(cluster: &mut Cluster, by: &Writer, owner: &Name, pods: usize) -> Progress {
    let mut all: Vec<_> = cluster.pods_of(owner).filter(|pod| !pod.deleting).collect();
    // Those that are open stay, then the healthy ones, then the oldest.
    all.sort_by_key(|pod| (!pod.ready(), !pod.healthy(), pod.created, pod.name.clone()));
    let states: Vec<(Name, Option<Gate>)> = all
        .iter()
        .map(|pod| (pod.name.clone(), pod.gates.get(GATE).copied()))
        .collect();
    let mut changed = Progress::Nothing;
    for (index, (name, gate)) in states.into_iter().enumerate() {
        let wanted = if index < pods { Gate::Open } else { Gate::Shut };
        if gate == Some(wanted) {
            continue;
        }
        if let Err(error) = cluster.set_gate(by, &name, GATE, wanted) {
            return Progress::Failed(refusal(&name, &error));
        }
        changed = Progress::Sent;
    }
    changed
}

/// *Our* generation was seen, and every pod is of *our* template and available.
fn rolled_out(cluster: &Cluster, name: &Name) -> bool {
    let Some(object) = cluster.store.objects.get(name) else {
        return false;
    };
    let wanted = Wanted::of(object).replicas;
    let status = |key: &str| object.status.get(key).and_then(Value::as_i64);
    status("observedGeneration") == Some(object.generation)
        && ["replicas", "updatedReplicas", "availableReplicas"]
            .iter()
            .all(|key| status(key) == Some(wanted))
}
