//! The way back of a change in the simulated cluster: only what is still ours.

use crate::providers::kubernetes::canary::TRACK_LABEL;
use crate::providers::kubernetes::order::is_kept;
use crate::providers::request::{Failure, FailureKind, Key};
use crate::simulate::kubernetes::Cluster;
use crate::simulate::kubernetes::field::Path;
use crate::simulate::kubernetes::object::{Name, Object};
use crate::simulate::kubernetes::store::{Precondition, Writer};
use crate::simulate::kubernetes::task::{
    Field, Progress, Task, differing, drift, is_narrow, key_of, key_path, refusal, sent,
};
use crate::simulate::systems::failure;
use serde_json::json;

pub fn carry_out(cluster: &mut Cluster, by: &Writer, key: &Key, task: &Task) -> Progress {
    match task {
        Task::Restore {
            name,
            uid,
            ours,
            before,
            key_before,
        } => {
            let key_before = key_before.as_ref();
            match what_to_do(cluster, key, name, (uid, ours), key_before) {
                Err(failure) => Progress::Failed(failure),
                Ok(None) => Progress::Nothing,
                Ok(Some(only_if)) => {
                    let mut fields = before.clone();
                    fields.push((key_path(), key_before.map(|key| json!(key))));
                    sent(name, cluster.write(by, name, &fields, &only_if))
                }
            }
        }
        Task::DeleteOurs { name } => match cluster.store.objects.get(name) {
            Some(object) if key_of(object) == Some(&key.0) && !is_kept(&object.kind) => {
                let uid = object.uid.clone();
                delete(cluster, by, name, &uid)
            }
            _ => Progress::Nothing,
        },
        Task::Delete { name, uid } => delete(cluster, by, name, uid),
        Task::Widen { service } => match cluster.store.objects.get(service) {
            Some(object) if is_narrow(object) => {
                let field = (Path::of("spec.selector").field(TRACK_LABEL), None);
                sent(
                    service,
                    cluster.write(by, service, &[field], &Precondition::default()),
                )
            }
            _ => Progress::Nothing,
        },
        _ => Progress::Nothing,
    }
}

/// What the write back has to find; `None` when there is nothing left to undo.
fn what_to_do(
    cluster: &Cluster,
    key: &Key,
    name: &Name,
    (uid, ours): (&str, &[Field]),
    key_before: Option<&String>,
) -> Result<Option<Precondition>, Failure> {
    let conflict = |words: String| {
        let message = format!("{} {words}", name.short());
        Err(failure(FailureKind::Conflict, message))
    };
    let Some(live) = cluster.store.objects.get(name) else {
        return conflict("was deleted since".to_owned());
    };
    let key_now = key_of(live);
    if key_now != Some(&key.0) {
        let whose = key_now.map_or("nobody", String::as_str);
        return match key_now == key_before {
            true => Ok(None),
            false => conflict(format!("belongs to another change since: {whose}")),
        };
    }
    if live.uid != uid {
        return conflict("is another object than it was".to_owned());
    }
    if let Some((path, wrote)) = differing(live, ours) {
        return Err(drift(live, name, path, wrote.as_ref()));
    }
    Ok(Some(as_now(live)))
}

fn as_now(live: &Object) -> Precondition {
    Precondition {
        uid: Some(live.uid.clone()),
        resource_version: Some(live.resource_version.to_string()),
    }
}

fn delete(cluster: &mut Cluster, by: &Writer, name: &Name, uid: &str) -> Progress {
    match cluster.delete(by, name, Some(uid)) {
        Ok(()) => Progress::Sent,
        Err(error) if error.code == 404 => Progress::Nothing,
        Err(error) => Progress::Failed(refusal(name, &error)),
    }
}
