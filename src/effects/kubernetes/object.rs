//! Reading live objects: JSON as the API server sends it.

use crate::providers::kubernetes::KEY_ANNOTATION;
use crate::values::Instant;
use jiff::Timestamp;
use serde_json::{Map, Value};

pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or("")
}

/// A number that is left out where it is 0.
pub fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

pub fn flag(object: &Value, pointer: &str) -> bool {
    object
        .pointer(pointer)
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

pub fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    let list = object.pointer(pointer).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

pub fn map<'a>(object: &'a Value, pointer: &str) -> Option<&'a Map<String, Value>> {
    object.pointer(pointer).and_then(Value::as_object)
}

pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

pub fn resource_version(object: &Value) -> &str {
    text(object, "/metadata/resourceVersion")
}

pub fn generation(object: &Value) -> i64 {
    number(object, "/metadata/generation")
}

pub fn is_being_deleted(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some()
}

/// The change that wrote it last, where it was one of ours.
pub fn key(object: &Value) -> Option<&str> {
    let annotations = map(object, "/metadata/annotations")?;
    annotations.get(KEY_ANNOTATION)?.as_str()
}

pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    items(object, "/status/conditions")
        .iter()
        .find(|condition| text(condition, "/type") == kind)
}

/// The status of a condition is `True`.
pub fn holds(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|condition| text(condition, "/status") == "True")
}

/// `2026-01-21T06:30:00Z`
pub fn instant(text: &str) -> Option<Instant> {
    let stamp: Timestamp = text.parse().ok()?;
    i64::try_from(stamp.as_nanosecond()).ok().map(Instant)
}

/// Sets a field, and makes the objects on the way to it.
pub fn set(target: &mut Value, path: &[&str], new: Value) {
    let mut at = target;
    for name in path {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Some(map) = at.as_object_mut() else {
            return;
        };
        at = map.entry(*name).or_insert(Value::Null);
    }
    *at = new;
}

/// What an object means, without what the server and its controllers note on it: two reads of an object that nobody
/// changed give the same.
pub fn meaning(object: &Value) -> Value {
    let mut meaning = object.clone();
    if let Some(map) = meaning.as_object_mut() {
        map.shift_remove("status");
    }
    if let Some(metadata) = meaning.get_mut("metadata").and_then(Value::as_object_mut) {
        for noted in [
            "resourceVersion",
            "managedFields",
            "generation",
            "selfLink",
            "creationTimestamp",
        ] {
            metadata.shift_remove(noted);
        }
        if let Some(annotations) = metadata
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
        {
            annotations.shift_remove("deployment.kubernetes.io/revision");
            if annotations.is_empty() {
                metadata.shift_remove("annotations");
            }
        }
    }
    sorted(&meaning)
}

/// With the members of each object in order, so that equal objects are equal text.
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut members: Vec<(&String, &Value)> = map.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members = members
                .into_iter()
                .map(|(name, value)| (name.clone(), sorted(value)));
            Value::Object(members.collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::effects::kubernetes::object::{holds, instant, meaning, set};
    use crate::values::Instant;
    use serde_json::json;

    #[test]
    fn two_reads_of_an_object_that_nobody_changed_mean_the_same() {
        let first = json!({"metadata": {"name": "a", "resourceVersion": "1", "generation": 1}, "spec": {"x": 1, "y": 2}});
        let second = json!({
            "spec": {"y": 2, "x": 1},
            "metadata": {"generation": 1, "resourceVersion": "7", "name": "a",
                         "annotations": {"deployment.kubernetes.io/revision": "1"}},
            "status": {"readyReplicas": 3},
        });
        assert_eq!(meaning(&first), meaning(&second));
        let mut changed = second.clone();
        set(&mut changed, &["spec", "x"], json!(3));
        assert_ne!(meaning(&first), meaning(&changed));
    }

    #[test]
    fn conditions_and_times_are_read() {
        let node = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "X", "status": "Unknown"}]}});
        assert!(holds(&node, "Ready") && !holds(&node, "X") && !holds(&node, "Y"));
        assert_eq!(
            instant("1970-01-01T00:00:01Z"),
            Some(Instant(1_000_000_000))
        );
        assert_eq!(instant("yesterday"), None);
    }
}
