//! What a change of the cluster consists of: requests and waits, one after the other.
//!
//! Each task may be carried out again under the same key and then does nothing, so a change that was cut short can be
//! issued anew.

use crate::providers::kubernetes::canary::GATE;
use crate::providers::kubernetes::{FIELD_MANAGER, KEY_ANNOTATION};
use crate::providers::request::{Failure, FailureKind, Key, Written};
use crate::simulate::kubernetes::Cluster;
use crate::simulate::kubernetes::deployment::Wanted;
use crate::simulate::kubernetes::field::{self, Path};
use crate::simulate::kubernetes::object::{ApiError, Name, Object};
use crate::simulate::kubernetes::pod::Gate;
use crate::simulate::kubernetes::store::{Force, How, Precondition, Writer};
use crate::simulate::systems::failure;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A field and what it is to be; `None` takes it away.
pub type Field = (Path, Option<Value>);

/// An object as it was when the change was prepared.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seen {
    pub uid: String,
    pub resource_version: String,
    pub generation: i64,
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
    },
    /// Puts fields back that are still as this change left them.
    Restore {
        name: Name,
        uid: String,
        ours: Vec<Field>,
        before: Vec<Field>,
    },
    /// Deletes what this change created, by uid; nothing else.
    DeleteOurs {
        name: Name,
    },
    Delete {
        name: Name,
        uid: String,
    },
    /// Lets exactly so many pods of a Deployment take traffic, the oldest first.
    Open {
        owner: Name,
        pods: usize,
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
    Sent(Option<Written>),
    /// There was nothing to do, or nothing more to wait for.
    Nothing,
    Waiting,
    Failed(Failure),
}

impl Task {
    /// Whether it asks the API server to change something.
    pub fn writes(&self) -> bool {
        !matches!(
            self,
            Task::AwaitRollout { .. }
                | Task::AwaitHealthy { .. }
                | Task::AwaitEndpoints { .. }
                | Task::NeedHealthy { .. }
        )
    }

    /// Whose pods it waits for.
    pub fn owner(&self) -> Option<&Name> {
        match self {
            Task::AwaitRollout { name } => Some(name),
            Task::AwaitHealthy { owner, .. } => Some(owner),
            _ => None,
        }
    }

    /// For a person.
    pub fn describe(&self) -> String {
        match self {
            Task::Apply { name, .. } | Task::Write { name, .. } => format!("write `{name}`"),
            Task::Restore { name, .. } => format!("restore `{name}`"),
            Task::DeleteOurs { name } | Task::Delete { name, .. } => format!("delete `{name}`"),
            Task::Open { owner, pods } => format!("let {pods} pods of `{owner}` take traffic"),
            Task::AwaitRollout { name } => format!("wait until `{name}` has rolled out"),
            Task::AwaitHealthy { owner, pods } => {
                format!("wait for {pods} healthy pods of `{owner}`")
            }
            Task::AwaitEndpoints { service } => format!("wait for endpoints of `{service}`"),
            Task::NeedHealthy { owner, .. } => format!("find a healthy pod of `{owner}`"),
        }
    }
}

pub fn carry_out(cluster: &mut Cluster, key: &Key, task: &Task) -> Progress {
    let by = Writer {
        at: cluster.now,
        manager: FIELD_MANAGER.to_owned(),
        key: Some(key.clone()),
    };
    match task {
        Task::Apply {
            name,
            manifest,
            seen,
            force,
        } => {
            if is_done(cluster, key, task) {
                return Progress::Nothing;
            }
            let manifest = with_key(manifest, key);
            let only_if = only_if(cluster, name, seen.as_ref());
            let how = cluster.apply(&by, name, &manifest, &only_if, *force);
            sent(cluster, name, how)
        }
        Task::Write {
            name,
            fields,
            seen,
            force,
        } => {
            if is_done(cluster, key, task) {
                return Progress::Nothing;
            }
            if *force == Force::No
                && let Some(conflict) = foreign(cluster, name, fields)
            {
                return Progress::Failed(conflict);
            }
            let only_if = only_if(cluster, name, Some(seen));
            let how = cluster.write(&by, name, fields, &only_if);
            sent(cluster, name, how)
        }
        Task::Restore {
            name,
            uid,
            ours,
            before,
        } => restore(cluster, &by, name, uid, (ours, before)),
        Task::DeleteOurs { name } => match cluster.store.objects.get(name) {
            Some(object) if key_of(object) == Some(&key.0) => {
                let uid = object.uid.clone();
                delete(cluster, &by, name, &uid)
            }
            _ => Progress::Nothing,
        },
        Task::Delete { name, uid } => delete(cluster, &by, name, uid),
        Task::Open { owner, pods } => open(cluster, &by, owner, *pods),
        Task::AwaitRollout { .. } | Task::AwaitHealthy { .. } | Task::AwaitEndpoints { .. } => {
            waiting(is_done(cluster, key, task))
        }
        Task::NeedHealthy { owner, .. } => match is_done(cluster, key, task) {
            true => Progress::Nothing,
            false => Progress::Failed(failure(
                FailureKind::Refused,
                format!("`{}` has no healthy pod to go back to", owner.name),
            )),
        },
    }
}

/// Whether a task has already happened, or what it waits for is there, as the objects themselves say.
pub fn is_done(cluster: &Cluster, key: &Key, task: &Task) -> bool {
    let object = |name: &Name| cluster.store.objects.get(name);
    match task {
        Task::Apply { name, .. } => object(name).and_then(key_of) == Some(&key.0),
        Task::Write { name, fields, .. } => object(name).is_some_and(|object| {
            fields
                .iter()
                .all(|(path, value)| field::get(&object.body, path) == value.as_ref())
        }),
        Task::Restore { name, before, .. } => object(name).is_none_or(|object| {
            before
                .iter()
                .all(|(path, value)| field::get(&object.body, path) == value.as_ref())
        }),
        Task::DeleteOurs { name } => object(name).and_then(key_of) != Some(&key.0),
        Task::Delete { name, uid } => object(name).is_none_or(|object| object.uid != *uid),
        Task::Open { owner, pods } => {
            let open = cluster
                .pods_of(owner)
                .filter(|pod| pod.gates.get(GATE) == Some(&Gate::Open));
            open.count() == *pods
        }
        Task::AwaitRollout { name } => rolled_out(cluster, name),
        Task::AwaitHealthy { owner, pods } => {
            let healthy = cluster.pods_of(owner).filter(|pod| pod.healthy());
            healthy.count() >= *pods
        }
        Task::AwaitEndpoints { service } => !cluster.endpoints(service).is_empty(),
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
    let (path, value) = fields
        .into_iter()
        .find(|(path, value)| field::get(&object.body, path) != value.as_ref())?;
    Some(drift(object, name, &path, value.as_ref()))
}

pub fn refusal(error: &ApiError) -> Failure {
    let kind = match error.code {
        403 => FailureKind::Denied,
        404 => FailureKind::NotFound,
        409 => FailureKind::Conflict,
        422 if error.message.contains("metadata.uid") => FailureKind::Conflict,
        _ => FailureKind::Invalid,
    };
    failure(kind, error.message.clone())
}

/// The key of the change that applied an object last; a write of single fields leaves it alone.
pub fn key_of(object: &Object) -> Option<&String> {
    match field::get(&object.body, &key_path()) {
        Some(Value::String(key)) => Some(key),
        _ => None,
    }
}

/// Compare-and-set on what was seen. A controller's status raises the version too, so where nothing but the status has
/// changed, the version of now stands for the one that was seen.
fn only_if(cluster: &Cluster, name: &Name, seen: Option<&Seen>) -> Precondition {
    let Some(seen) = seen else {
        return Precondition::default();
    };
    let live = cluster.store.objects.get(name);
    let same = live.filter(|live| !live.status.is_null() && live.generation == seen.generation);
    let version = same.map_or(seen.resource_version.clone(), |live| {
        live.resource_version.to_string()
    });
    Precondition {
        uid: Some(seen.uid.clone()),
        resource_version: Some(version),
    }
}

fn key_path() -> Path {
    Path::of("metadata.annotations").field(KEY_ANNOTATION)
}

fn with_key(manifest: &Value, key: &Key) -> Value {
    let mut manifest = manifest.clone();
    field::set(&mut manifest, &key_path(), json!(key.0));
    manifest
}

fn sent(cluster: &Cluster, name: &Name, how: Result<How, ApiError>) -> Progress {
    match how {
        Err(error) => Progress::Failed(refusal(&error)),
        Ok(how) => Progress::Sent(written(cluster, name, how)),
    }
}

fn written(cluster: &Cluster, name: &Name, how: How) -> Option<Written> {
    let object = cluster.store.objects.get(name)?;
    let how = match how {
        How::Created => "created",
        How::Changed => "changed",
        How::Unchanged => "unchanged",
    };
    Some(Written {
        object: name.to_string(),
        uid: object.uid.clone(),
        resource_version: object.resource_version.to_string(),
        how: how.to_owned(),
    })
}

fn waiting(done: bool) -> Progress {
    if done {
        Progress::Nothing
    } else {
        Progress::Waiting
    }
}

/// A field among those to be written that somebody else owns and has otherwise.
fn foreign(cluster: &Cluster, name: &Name, fields: &[Field]) -> Option<Failure> {
    let object = cluster.store.objects.get(name)?;
    let differs = fields
        .iter()
        .filter(|(path, value)| field::get(&object.body, path) != value.as_ref());
    differs.into_iter().find_map(|(path, _)| {
        let owners = object
            .owners
            .iter()
            .filter(|(owned, _)| owned.starts_with(path));
        let mut managers = owners.flat_map(|(_, managers)| managers);
        let other = managers.find(|manager| *manager != FIELD_MANAGER)?;
        let conflict = ApiError::field_conflict(&[(path.clone(), other.clone())]);
        Some(refusal(&conflict))
    })
}

fn restore(
    cluster: &mut Cluster,
    by: &Writer,
    name: &Name,
    uid: &str,
    (ours, before): (&[Field], &[Field]),
) -> Progress {
    let Some(object) = cluster.store.objects.get(name) else {
        return Progress::Failed(failure(FailureKind::NotFound, format!("`{name}` is gone")));
    };
    if object.uid != uid {
        let message = format!("`{name}` was deleted and made anew by somebody else");
        return Progress::Failed(failure(FailureKind::Conflict, message));
    }
    let is = |fields: &[Field]| {
        fields
            .iter()
            .find(|(path, value)| field::get(&object.body, path) != value.as_ref())
            .cloned()
    };
    if is(before).is_none() {
        return Progress::Nothing;
    }
    if let Some((path, value)) = is(ours) {
        return Progress::Failed(drift(object, name, &path, value.as_ref()));
    }
    let only_if = Precondition {
        uid: Some(uid.to_owned()),
        resource_version: Some(object.resource_version.to_string()),
    };
    let how = cluster.write(by, name, before, &only_if);
    sent(cluster, name, how)
}

/// Somebody else changed what this run had written.
pub fn drift(object: &Object, name: &Name, path: &Path, ours: Option<&Value>) -> Failure {
    let found = field::get(&object.body, path);
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    let mut owners = object
        .owners
        .iter()
        .filter(|(owned, _)| owned.starts_with(path));
    let whose = owners.next().and_then(|(_, managers)| managers.first());
    let message = format!(
        "`{path}` of `{name}` was changed by `{}` since: {} where it was {}",
        whose.map_or("somebody", String::as_str),
        shown(found),
        shown(ours),
    );
    failure(FailureKind::Conflict, message)
}

fn delete(cluster: &mut Cluster, by: &Writer, name: &Name, uid: &str) -> Progress {
    match cluster.delete(by, name, Some(uid)) {
        Ok(()) => Progress::Sent(None),
        Err(error) if error.code == 404 => Progress::Nothing,
        Err(error) => Progress::Failed(refusal(&error)),
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
            return Progress::Failed(refusal(&error));
        }
        changed = Progress::Sent(None);
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
