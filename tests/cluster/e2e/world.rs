//! What a run may change and has to leave as it should: objects of a namespace, compared by the fields
//! that somebody has to have written.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use deployc::providers::kubernetes::KEY_ANNOTATION;
use serde_json::{Value, json};

use crate::namespace::{Namespace, run};
use crate::observe::Seen;
use crate::workload::image;

/// The kinds that a plan of these tests could change.
const KINDS: &str = "deployments,services,configmaps";

/// Owned fields of each object by `Kind/name`: all but what the cluster itself keeps there.
pub type World = BTreeMap<String, Value>;

/// With its uid: an object that was deleted and made anew is another one.
pub fn owned(namespace: &Namespace) -> World {
    objects(namespace).iter().map(owned_fields).collect()
}

/// The same with the generation and the managers of each: if nobody wrote, this has not changed.
pub fn touched(namespace: &Namespace) -> World {
    let mut world = owned(namespace);
    for object in objects(namespace) {
        let metadata = &object["metadata"];
        let mut managers = metadata["managedFields"].clone();
        // Controllers write the status when they like.
        managers
            .as_array_mut()
            .unwrap()
            .retain(|entry| entry["subresource"].is_null());
        world.insert(
            format!("{}, written", name(&object)),
            json!([metadata["generation"], managers]),
        );
    }
    world
}

fn objects(namespace: &Namespace) -> Vec<Value> {
    let get = ["get", KINDS, "--output=json", "--show-managed-fields"];
    let output = run(namespace.kubectl().args(get));
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    list["items"].as_array().unwrap().clone()
}

fn owned_fields(object: &Value) -> (String, Value) {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove("status");
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in ["managedFields", "resourceVersion", "generation"] {
        metadata.remove(field);
    }
    if let Some(annotations) = metadata.get_mut("annotations") {
        let annotations = annotations.as_object_mut().unwrap();
        annotations.remove("deployment.kubernetes.io/revision");
    }
    (name(&object), object)
}

/// Which specs an object had, one after the other, as a watch saw them, by `Kind/name`. Whatever is
/// applied twice, or undone and done again, is there twice.
pub fn history(seen: &[Seen]) -> BTreeMap<String, Vec<Value>> {
    let mut histories: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for seen in seen {
        let history = histories.entry(name(&seen.object)).or_default();
        if history.last() != Some(&seen.object["spec"]) {
            history.push(seen.object["spec"].clone());
        }
    }
    histories
}

/// The uids that the objects of a name had: more than one if it was made anew.
pub fn uids(seen: &[Seen], name: &str) -> BTreeSet<String> {
    let metadata = seen.iter().map(|seen| &seen.object["metadata"]);
    metadata
        .filter(|metadata| metadata["name"] == name)
        .map(|metadata| metadata["uid"].as_str().unwrap().to_owned())
        .collect()
}

/// The replicas that each of these specs of a Deployment wants.
pub fn replicas(specs: &[Value]) -> Vec<i64> {
    specs
        .iter()
        .map(|spec| spec["replicas"].as_i64().unwrap())
        .collect()
}

/// Asserts that the demo service runs this version, and that nothing else is different from before.
pub fn assert_released(namespace: &Namespace, before: &World, version: &str) {
    let mut expected = before.clone();
    let deployment = expected.get_mut("Deployment/demo").unwrap();
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image(version));
    let mut found = owned(namespace);
    // Whoever wrote it last leaves a name there.
    let metadata = &mut found.get_mut("Deployment/demo").unwrap()["metadata"];
    let annotations = metadata["annotations"].as_object_mut().unwrap();
    annotations
        .remove(KEY_ANNOTATION)
        .expect("whose change it is");
    assert_eq!(found, expected);
    namespace.await_rollout("demo", Duration::from_secs(1));
}

fn name(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!(
        "{}/{}",
        text(&object["kind"]),
        text(&object["metadata"]["name"])
    )
}
