//! One object that a change writes: what is to be applied, what it was, and what proves that it is ours.

use crate::effects::kubernetes::client::{Api, Force, Run};
use crate::effects::kubernetes::failure::conflicting;
use crate::effects::kubernetes::object::{self, is_being_deleted, key, meaning, set, sorted, uid};
use crate::effects::kubernetes::resource::Place;
use crate::providers::kubernetes::fields::{self, Path};
use crate::providers::kubernetes::{FIELD_MANAGER, KEY_ANNOTATION};
use crate::providers::request::{Failure, Key, Target};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// An applied configuration that is not sent as long as the object is not as it was seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    pub place: Place,
    pub how: How,
    /// What is sent, but for uid and resourceVersion.
    pub config: Value,
    pub force: Force,
    /// The fields that are ours afterwards, in the server's notation, …
    pub owned: Value,
    /// … and what stands in them, as the server reads it.
    pub wrote: Value,
    /// The object as it was, but for what controllers note on it.
    pub seen: Option<Value>,
    pub uid: Option<String>,
    pub resource_version: Option<String>,
    pub wait: Wait,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Create,
    Change,
    /// It is already as it should be: nothing is sent.
    Keep,
}

/// What has to be true before the change counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    Nothing,
    /// All pods are of this template, and available.
    Rollout,
    /// The containers of all pods are ready; their gates are shut.
    Dark,
}

/// How a [`Change`] is undone: as data of its own, complete without it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Undo {
    pub place: Place,
    pub uid: Option<String>,
    pub owned: Value,
    pub wrote: Value,
    /// `None`: the object was not there, and goes if this run made it.
    pub restore: Option<Value>,
    /// The key that stood on it before.
    pub key_before: Option<String>,
}

/// What is to be applied at a place.
pub struct Wanted {
    pub place: Place,
    pub config: Value,
    pub force: Force,
    pub wait: Wait,
}

/// A change and its undo, and the object as it was.
pub struct Draft {
    pub change: Change,
    pub undo: Undo,
    pub live: Option<Value>,
    /// What the object would be; from the server's dry run.
    pub after: Value,
}

/// Asks the server what applying would do, and captures what undoing it takes. Changes nothing.
pub async fn draft(api: &Api, key: &Key, wanted: Wanted) -> Result<Draft, Failure> {
    let place = &wanted.place;
    let about = |error: crate::effects::kubernetes::failure::ApiError| error.about(&place.short());
    let live = api.get(place).await.map_err(about)?;
    if live.as_ref().is_some_and(is_being_deleted) {
        return Err(conflicting(format!("{} is being deleted", place.short())));
    }
    // With the key that stands on it, so that an object that is as it should be shows as such.
    let before = live.as_ref().and_then(object::key).map(str::to_owned);
    let mut config = wanted.config.clone();
    let carried = if live.is_some() {
        before.as_deref()
    } else {
        Some(key.0.as_str())
    };
    if let Some(carried) = carried {
        mark(&mut config, carried);
    }
    let only_if = Precondition::of(live.as_ref());
    let mut after = api
        .apply(place, only_if.on(&config), wanted.force, Run::Dry)
        .await
        .map_err(about)?;
    let how = match &live {
        None => How::Create,
        Some(live) if is_same(live, &after) => How::Keep,
        Some(_) => How::Change,
    };
    if how == How::Change {
        mark(&mut config, &key.0);
        mark(&mut after, &key.0);
    }
    Ok(assemble(wanted, config, live, after, how))
}

fn assemble(wanted: Wanted, config: Value, live: Option<Value>, after: Value, how: How) -> Draft {
    let owned = fields::union(&fields::applied_by(&after, FIELD_MANAGER), &key_field());
    let wrote = sorted(&fields::extract(&after, &owned).unwrap_or(Value::Null));
    let place = wanted.place;
    let uid_before = live.as_ref().map(|live| uid(live).to_owned());
    let undo = Undo {
        place: place.clone(),
        uid: uid_before.clone(),
        owned: owned.clone(),
        wrote: wrote.clone(),
        restore: live.as_ref().map(|live| restoring(live, &owned)),
        key_before: live.as_ref().and_then(key).map(str::to_owned),
    };
    let change = Change {
        place,
        how,
        config,
        force: wanted.force,
        owned,
        wrote,
        seen: live.as_ref().map(meaning),
        uid: uid_before,
        resource_version: live
            .as_ref()
            .map(|live| object::resource_version(live).to_owned()),
        wait: wanted.wait,
    };
    Draft {
        change,
        undo,
        live,
        after,
    }
}

/// The configuration that brings back what stood in all fields that are ours before or after.
///
/// A field that was not there is left out, and what only this manager owned goes with it.
fn restoring(live: &Value, owned: &Value) -> Value {
    let ever = fields::union(&fields::applied_by(live, FIELD_MANAGER), owned);
    let mut config = fields::extract(live, &ever).unwrap_or_else(|| json!({}));
    identify(&mut config, live);
    config
}

/// What the server needs to know which object is meant.
pub fn identify(config: &mut Value, live: &Value) {
    for field in ["apiVersion", "kind"] {
        if let Some(value) = live.get(field) {
            set(config, &[field], value.clone());
        }
    }
    for field in ["name", "namespace"] {
        if let Some(value) = live
            .get("metadata")
            .and_then(|metadata| metadata.get(field))
        {
            set(config, &["metadata", field], value.clone());
        }
    }
}

/// Everything of an object that is ours, to be sent again with a part of it changed.
pub fn ours(live: &Value) -> Value {
    let owned = fields::applied_by(live, FIELD_MANAGER);
    let mut config = match owned.as_object() {
        // Nothing is ours yet; an empty set would name the whole.
        Some(set) if set.is_empty() => json!({}),
        _ => fields::extract(live, &owned).unwrap_or_else(|| json!({})),
    };
    identify(&mut config, live);
    config
}

pub fn mark(object: &mut Value, key: &str) {
    set(
        object,
        &["metadata", "annotations", KEY_ANNOTATION],
        json!(key),
    );
}

fn key_field() -> Value {
    let path = Path::of(&["metadata", "annotations", KEY_ANNOTATION]);
    path.0
        .iter()
        .rev()
        .fold(json!({}), |inner, name| json!({ name: inner }))
}

fn is_same(live: &Value, after: &Value) -> bool {
    let owned = |object: &Value| sorted(&fields::applied_by(object, FIELD_MANAGER));
    meaning(live) == meaning(after) && owned(live) == owned(after)
}

/// What has to be true of the object for a write to happen.
pub struct Precondition {
    uid: Option<String>,
    resource_version: String,
}

impl Precondition {
    pub fn of(live: Option<&Value>) -> Precondition {
        Precondition {
            uid: live.map(|live| uid(live).to_owned()),
            // No object ever has this version: a server takes it for a stale one, unless there is no object yet. (It
            // does create an object whose version is given, but not one whose uid is.)
            resource_version: live
                .map_or("1", |live| object::resource_version(live))
                .to_owned(),
        }
    }

    pub fn on(&self, config: &Value) -> Value {
        let mut config = config.clone();
        if let Some(uid) = &self.uid {
            set(&mut config, &["metadata", "uid"], json!(uid));
        }
        set(
            &mut config,
            &["metadata", "resourceVersion"],
            json!(self.resource_version),
        );
        config
    }
}

impl Change {
    pub fn target(&self) -> Target {
        Target {
            object: self.place.object(),
            uid: self.uid.clone(),
            resource_version: self.resource_version.clone(),
            desired: digest(&self.wrote),
        }
    }
}

fn digest(value: &Value) -> String {
    let hash = Sha256::digest(value.to_string().as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The fields of an object that are not as they were written, but for a scale that an autoscaler owns or that the stages
/// of a canary have set.
pub fn differing(owned: &Value, wrote: &Value, live: &Value) -> Vec<fields::Difference> {
    let replicas = Path::of(&["spec", "replicas"]);
    let ours =
        fields::is_scaled(live, &replicas) || fields::is_updated_by(live, &replicas, FIELD_MANAGER);
    let mut found = fields::differences(owned, wrote, live);
    found.retain(|difference| difference.path != replicas || !ours);
    found
}

/// `deployment/api: .spec.replicas was 3, is 5, set by "kubectl"`
pub fn foreign(place: &Place, live: &Value, differences: &[fields::Difference]) -> Failure {
    let told: Vec<String> = differences
        .iter()
        .map(|difference| {
            let owner = fields::owner_of(live, &difference.path, FIELD_MANAGER);
            let by = owner.map_or("nobody says by whom".to_owned(), |owner| {
                format!("set by \"{}\"", owner.manager)
            });
            format!("{difference}, {by}")
        })
        .collect();
    conflicting(format!("{}: {}", place.short(), told.join("; ")))
}

#[cfg(test)]
mod tests {
    use crate::effects::kubernetes::change::{Precondition, differing, foreign, ours, restoring};
    use crate::effects::kubernetes::resource::{DEPLOYMENTS, Place};
    use serde_json::{Value, json};

    fn live() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "api", "namespace": "prod", "uid": "u", "resourceVersion": "7",
                "managedFields": [
                    {"manager": "deployc", "operation": "Apply", "fieldsV1": {"f:spec": {"f:paused": {}}}},
                    {"manager": "hpa", "operation": "Update", "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                    {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:minReadySeconds": {}}}},
                ],
            },
            "spec": {"replicas": 4, "paused": false, "minReadySeconds": 3, "strategy": {"type": "Recreate"}},
        })
    }

    #[test]
    fn what_was_ours_and_what_becomes_ours_is_brought_back() {
        let owned = json!({"f:spec": {"f:replicas": {}, "f:template": {}}});
        assert_eq!(
            restoring(&live(), &owned),
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "api", "namespace": "prod"},
                "spec": {"replicas": 4, "paused": false},
            })
        );
    }

    #[test]
    fn what_is_ours_is_sent_again_and_nothing_else() {
        let mut object = live();
        assert_eq!(ours(&object)["spec"], json!({"paused": false}));
        object["metadata"]["managedFields"] = json!([]);
        let nothing = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "prod"}});
        assert_eq!(ours(&object), nothing);
    }

    #[test]
    fn a_scale_that_an_autoscaler_owns_is_not_ours() {
        let owned = json!({"f:spec": {"f:replicas": {}, "f:minReadySeconds": {}}});
        let wrote = json!({"spec": {"replicas": 2, "minReadySeconds": 1}});
        let found = differing(&owned, &wrote, &live());
        let failure = foreign(&Place::new(DEPLOYMENTS, "prod", "api"), &live(), &found);
        assert_eq!(
            failure.message,
            "deployment/api: .spec.minReadySeconds was 1, is 3, set by \"kubectl\""
        );
    }

    #[test]
    fn an_object_that_is_not_there_may_not_be_there_when_it_is_made() {
        let there = Precondition::of(Some(&live())).on(&json!({}));
        assert_eq!(
            there,
            json!({"metadata": {"uid": "u", "resourceVersion": "7"}})
        );
        assert_eq!(
            Precondition::of(None).on(&json!({})),
            json!({"metadata": {"resourceVersion": "1"}})
        );
    }
}
