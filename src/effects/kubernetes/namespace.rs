//! A namespace that has to be there. It is made, and never deleted.

use crate::effects::kubernetes::args::record;
use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::commit::Stop;
use crate::effects::kubernetes::failure::ApiError;
use crate::effects::kubernetes::object::{is_being_deleted, key as key_on, resource_version, uid};
use crate::effects::kubernetes::resource::{NAMESPACES, Place};
use crate::providers::kubernetes::KEY_ANNOTATION;
use crate::providers::request::{Key, Observation, Outcome, Written};
use crate::values::Value;
use serde_json::{Value as Json, json};

pub async fn commit(api: &Api, key: &Key, name: &str) -> Outcome {
    let body = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": { "name": name, "annotations": { KEY_ANNOTATION: key.0 } },
    });
    match api.create(&NAMESPACES.path(""), body).await {
        Ok(_) => {}
        Err(ApiError::Refused(status)) if status.code == 409 => {}
        Err(error) => {
            return match Stop::of(error, &format!("namespace/{name}")) {
                Stop::Refused(failure) => Outcome::NotApplied(failure),
                Stop::Unclear(failure) => Outcome::Unknown(failure),
            };
        }
    }
    match api.get(&place(name)).await {
        Ok(Some(live)) => applied(key, name, &live),
        Ok(None) => Outcome::Unknown(crate::effects::kubernetes::failure::conflicting(format!(
            "namespace/{name} was deleted at once"
        ))),
        Err(error) => Outcome::Unknown(error.about(&format!("namespace/{name}"))),
    }
}

fn applied(key: &Key, name: &str, live: &Json) -> Outcome {
    if is_being_deleted(live) {
        let message = format!("namespace/{name} is being deleted");
        return Outcome::NotApplied(crate::effects::kubernetes::failure::conflicting(message));
    }
    let (result, written) = shown(key, name, live);
    Outcome::Applied { result, written }
}

fn shown(key: &Key, name: &str, live: &Json) -> (Value, Vec<Written>) {
    let created = key_on(live) == Some(key.0.as_str());
    let written = Written {
        object: place(name).object(),
        uid: uid(live).to_owned(),
        resource_version: resource_version(live).to_owned(),
        how: if created { "created" } else { "unchanged" }.to_owned(),
    };
    (record([("created", Value::Bool(created))]), vec![written])
}

pub async fn observe(api: &Api, key: &Key, name: &str) -> Observation {
    match api.get(&place(name)).await {
        Ok(Some(live)) => {
            let (result, written) = shown(key, name, &live);
            Observation::Applied { result, written }
        }
        Ok(None) => Observation::NotApplied,
        Err(error) => Observation::Unknown(error.about(&format!("namespace/{name}"))),
    }
}

fn place(name: &str) -> Place {
    Place::new(NAMESPACES, "", name)
}
