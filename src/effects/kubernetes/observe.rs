//! What has become of a change, from the objects themselves.

use crate::effects::kubernetes::back::{Task, restored, what_to_do};
use crate::effects::kubernetes::change::{Change, How, Undo};
use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::commit::{Standing, standing};
use crate::effects::kubernetes::failure::unready;
use crate::effects::kubernetes::intent::Shown;
use crate::effects::kubernetes::object::{resource_version, uid};
use crate::effects::kubernetes::rollout::{self, State};
use crate::effects::kubernetes::shown;
use crate::providers::request::{Failure, FailureKind, Key, Observation, Written};
use crate::values::Value;
use serde_json::Value as Json;

/// Of changes of objects, forward.
pub async fn forward(api: &Api, key: &Key, changes: &[Change], shown: &Shown) -> Observation {
    match look(api, key, changes).await {
        Looked::Told(observation) => observation,
        Looked::There(live) => Observation::Applied {
            result: shown::result(shown, changes, &live),
            written: written(changes, &live),
        },
    }
}

pub enum Looked {
    Told(Observation),
    /// All of it is there and runs.
    There(Vec<Json>),
}

pub async fn look(api: &Api, key: &Key, changes: &[Change]) -> Looked {
    let mut live = Vec::new();
    let mut missing = Vec::new();
    let mut ours = 0;
    for change in changes {
        let found = match api.get(&change.place).await {
            Ok(found) => found,
            Err(error) => {
                return Looked::Told(Observation::Unknown(error.about(&change.place.short())));
            }
        };
        match standing(key, change, found) {
            Ok(Standing::Ours(object)) => {
                ours += 1;
                live.push(object);
            }
            Ok(Standing::Same(object)) if change.how == How::Keep => live.push(object),
            Ok(Standing::Same(_) | Standing::Absent) => missing.push(change.place.short()),
            // What stays as it is may be changed by others as they like.
            Err(failure) if change.how != How::Keep => {
                return Looked::Told(Observation::Foreign(failure));
            }
            Err(_) => {}
        }
    }
    match (ours, missing.is_empty()) {
        (_, true) => running(api, changes, live).await,
        (0, false) => Looked::Told(Observation::NotApplied),
        (_, false) => {
            let message = format!("not yet written: {}", missing.join(", "));
            Looked::Told(Observation::Underway(unready(message)))
        }
    }
}

async fn running(api: &Api, changes: &[Change], live: Vec<Json>) -> Looked {
    for change in changes {
        match rollout::state(api, change).await {
            Ok(State::Done) => {}
            Ok(State::Pending(failure)) => {
                let explained = rollout::explained(api, change, failure).await;
                return Looked::Told(Observation::Underway(explained));
            }
            Err(failure) if failure.kind == FailureKind::Conflict => {
                return Looked::Told(Observation::Foreign(failure));
            }
            Err(failure) => return Looked::Told(Observation::Underway(failure)),
        }
    }
    Looked::There(live)
}

pub fn written(changes: &[Change], live: &[Json]) -> Vec<Written> {
    let written = changes.iter().zip(live).map(|(change, object)| Written {
        object: change.place.object(),
        uid: uid(object).to_owned(),
        resource_version: resource_version(object).to_owned(),
        how: match change.how {
            How::Create => "created",
            How::Change => "changed",
            How::Keep => "unchanged",
        }
        .to_owned(),
    });
    written.collect()
}

/// Of the way back of objects.
pub async fn back(api: &Api, key: &Key, undos: &[Undo]) -> Observation {
    let mut left = Vec::new();
    let mut waiting: Option<Failure> = None;
    for undo in undos {
        let what = undo.place.short();
        let found = match api.get(&undo.place).await {
            Ok(found) => found,
            Err(error) => return Observation::Unknown(error.about(&what)),
        };
        match what_to_do(key, undo, found.clone()) {
            Err(failure) => return Observation::Foreign(failure),
            Ok(Task::Nothing) => {}
            Ok(Task::Await(_)) => waiting = Some(unready(format!("{what} is being deleted"))),
            Ok(Task::Delete(_))
                if crate::providers::kubernetes::order::is_kept(&undo.place.resource.kind) => {}
            Ok(Task::Delete(_) | Task::Restore(_)) => {
                left.push(what);
                continue;
            }
        }
        if let (Some(found), Some(_)) = (found, &undo.restore)
            && let Ok(State::Pending(failure)) = rollout::state(api, &restored(undo, &found)).await
        {
            waiting = Some(failure);
        }
    }
    match (left.len(), waiting) {
        (0, None) => Observation::Applied {
            result: Value::Absent,
            written: Vec::new(),
        },
        (0, Some(failure)) => Observation::Underway(failure),
        (n, _) if n == undos.len() => Observation::NotApplied,
        _ => Observation::Underway(unready(format!("not yet undone: {}", left.join(", ")))),
    }
}
