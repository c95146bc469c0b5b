//! Which fields of an object a manager owns (`metadata.managedFields`), and what follows from it: the part of an object
//! that is ours, how it differs from what was written, whose a field is now.
//!
//! A field set is the server's own notation (`fieldsV1`): `f:NAME` for a field, `k:{…}` for an item of a list by its
//! keys, `v:…` for an item by its value, `i:N` by its place, `.` for the thing itself; an empty set is a whole value.
//! The server knows which lists have keys and which are one value; this notation says it, so no schema is needed here.

use serde_json::{Map, Value, json};
use std::fmt;

/// The way to a field, in the notation of a field set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(pub Vec<String>);

/// A field that is not as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub path: Path,
    pub wrote: Option<Value>,
    pub found: Option<Value>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub manager: String,
    /// As the server wrote it: `2026-01-21T06:30:00Z`.
    pub since: Option<String>,
}

/// What `manager` owns of an object by server-side apply.
pub fn applied_by(object: &Value, manager: &str) -> Value {
    let ours = |entry: &&Value| {
        entry.get("manager").and_then(Value::as_str) == Some(manager)
            && entry.get("operation").and_then(Value::as_str) == Some("Apply")
            && is_main(entry)
    };
    let entry = entries(object).find(ours);
    entry
        .and_then(|entry| entry.get("fieldsV1"))
        .cloned()
        .unwrap_or(json!({}))
}

/// What anybody owns of an object, but for its status.
pub fn of_all(object: &Value) -> Value {
    let sets = entries(object)
        .filter(|entry| is_main(entry))
        .filter_map(|entry| entry.get("fieldsV1"));
    sets.fold(json!({}), |all, set| union(&all, set))
}

/// When `manager` last changed what it owns by server-side apply.
pub fn applied_at<'a>(object: &'a Value, manager: &str) -> Option<&'a str> {
    entries(object)
        .filter(|entry| entry.get("manager").and_then(Value::as_str) == Some(manager))
        .filter_map(|entry| entry.get("time").and_then(Value::as_str))
        .max()
}

pub fn union(one: &Value, other: &Value) -> Value {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut all = one.clone();
            for (key, set) in other {
                let merged = all
                    .get(key)
                    .map_or_else(|| set.clone(), |known| union(known, set));
                all.insert(key.clone(), merged);
            }
            Value::Object(all)
        }
        _ => one.clone(),
    }
}

/// The fields of a set that are not in the other.
pub fn minus(set: &Value, path: &Path) -> Value {
    let Some((first, rest)) = path.0.split_first() else {
        return json!({});
    };
    let mut left = set.as_object().cloned().unwrap_or_default();
    match left.get(first) {
        Some(_) if rest.is_empty() => {
            left.shift_remove(first);
        }
        Some(inner) => {
            let inner = minus(inner, &Path(rest.to_vec()));
            left.insert(first.clone(), inner);
        }
        None => {}
    }
    Value::Object(left)
}

/// The part of an object that a field set names; `None` where it has none of it.
pub fn extract(object: &Value, fields: &Value) -> Option<Value> {
    let children: Vec<(&String, &Value)> = members(fields).filter(|(key, _)| *key != ".").collect();
    if children.is_empty() {
        let only_itself = fields.get(".").is_some();
        return Some(match object {
            Value::Object(_) if only_itself => json!({}),
            Value::Array(_) if only_itself => json!([]),
            whole => whole.clone(),
        });
    }
    // A map that holds nothing of it is not part of it: to send an empty one would be to ask for that.
    let present = fields.get(".").is_some();
    match object {
        Value::Object(map) => {
            let mut part = Map::new();
            for (key, set) in children {
                let found = key
                    .strip_prefix("f:")
                    .and_then(|name| Some((name, map.get(name)?)));
                if let Some((name, value)) = found
                    && let Some(value) = extract(value, set)
                {
                    part.insert(name.to_owned(), value);
                }
            }
            (present || !part.is_empty()).then_some(Value::Object(part))
        }
        Value::Array(items) => {
            let part = extract_items(items, &children);
            (present || !part.is_empty()).then_some(Value::Array(part))
        }
        _ => None,
    }
}

fn extract_items(items: &[Value], children: &[(&String, &Value)]) -> Vec<Value> {
    let mut part = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let set = children.iter().find(|(key, _)| is_item(item, place, key));
        let Some((key, set)) = set else {
            continue;
        };
        let mut taken = extract(item, set).unwrap_or(Value::Null);
        // Without its keys an item could not be found again.
        if let (Some(keys), Some(taken)) = (item_keys(key), taken.as_object_mut()) {
            for (name, value) in keys {
                taken.entry(name).or_insert(value);
            }
        }
        part.push(taken);
    }
    part
}

/// The fields of the set that differ between two objects; `wrote` and `found` may be whole objects or parts of them.
pub fn differences(fields: &Value, wrote: &Value, found: &Value) -> Vec<Difference> {
    let mut differences = Vec::new();
    compare(
        fields,
        Some(wrote),
        Some(found),
        &Path::default(),
        &mut differences,
    );
    differences
}

fn compare(
    fields: &Value,
    wrote: Option<&Value>,
    found: Option<&Value>,
    path: &Path,
    differences: &mut Vec<Difference>,
) {
    let children: Vec<(&String, &Value)> = members(fields).filter(|(key, _)| *key != ".").collect();
    let differs = match (children.is_empty(), fields.get(".").is_some()) {
        // A whole value.
        (true, false) => wrote != found,
        // The thing itself is owned, whatever stands in it.
        (_, true) => wrote.is_some() != found.is_some(),
        (false, false) => false,
    };
    if differs {
        differences.push(Difference {
            path: path.clone(),
            wrote: wrote.cloned(),
            found: found.cloned(),
        });
        return;
    }
    for (key, set) in children {
        let mut inner = path.clone();
        inner.0.push(key.clone());
        compare(
            set,
            child(wrote, key),
            child(found, key),
            &inner,
            differences,
        );
    }
}

/// Who owns a field now, but for `except`.
pub fn owner_of(object: &Value, path: &Path, except: &str) -> Option<Owner> {
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    entries(object)
        .filter(|entry| text(entry, "manager").as_deref() != Some(except))
        .filter(|entry| {
            entry
                .get("fieldsV1")
                .is_some_and(|set| contains(set, &path.0))
        })
        .map(|entry| Owner {
            manager: text(entry, "manager").unwrap_or_default(),
            since: text(entry, "time"),
        })
        .max_by(|a, b| a.since.cmp(&b.since))
}

/// Whether a field was last set through the `scale` subresource, as autoscalers do.
pub fn is_scaled(object: &Value, path: &Path) -> bool {
    entries(object)
        .filter(|entry| entry.get("subresource").and_then(Value::as_str) == Some("scale"))
        .any(|entry| {
            entry
                .get("fieldsV1")
                .is_some_and(|set| contains(set, &path.0))
        })
}

/// Whether `manager` set a field by an update, beside what it applies.
pub fn is_updated_by(object: &Value, path: &Path, manager: &str) -> bool {
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str) == Some(manager);
    entries(object)
        .filter(|entry| text(entry, "manager"))
        .filter(|entry| entry.get("operation").and_then(Value::as_str) == Some("Update"))
        .any(|entry| {
            entry
                .get("fieldsV1")
                .is_some_and(|set| contains(set, &path.0))
        })
}

fn contains(set: &Value, path: &[String]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    match set.get(first) {
        Some(inner) => is_whole(inner) || contains(inner, rest),
        None => false,
    }
}

fn is_whole(set: &Value) -> bool {
    set.as_object().is_some_and(Map::is_empty)
}

fn entries(object: &Value) -> impl Iterator<Item = &Value> {
    let list = object
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array);
    list.into_iter().flatten()
}

fn is_main(entry: &Value) -> bool {
    entry
        .get("subresource")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
}

fn members(set: &Value) -> impl Iterator<Item = (&String, &Value)> {
    set.as_object().into_iter().flatten()
}

fn child<'a>(value: Option<&'a Value>, key: &str) -> Option<&'a Value> {
    let value = value?;
    if let Some(name) = key.strip_prefix("f:") {
        return value.get(name);
    }
    let items = value.as_array()?;
    let found = items
        .iter()
        .enumerate()
        .find(|(place, item)| is_item(item, *place, key));
    found.map(|(_, item)| item)
}

fn is_item(item: &Value, place: usize, key: &str) -> bool {
    if let Some(keys) = item_keys(key) {
        return keys
            .iter()
            .all(|(name, value)| item.get(name) == Some(value));
    }
    if let Some(value) = key.strip_prefix("v:") {
        return serde_json::from_str::<Value>(value).is_ok_and(|value| value == *item);
    }
    key.strip_prefix("i:").and_then(|i| i.parse().ok()) == Some(place)
}

fn item_keys(key: &str) -> Option<Map<String, Value>> {
    let text = key.strip_prefix("k:")?;
    serde_json::from_str::<Map<String, Value>>(text).ok()
}

impl Path {
    pub fn of(names: &[&str]) -> Path {
        Path(names.iter().map(|name| format!("f:{name}")).collect())
    }
}

/// As the API server prints it: `.spec.template.spec.containers[name="api"].image`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in &self.0 {
            if let Some(name) = key.strip_prefix("f:") {
                write!(f, ".{name}")?;
            } else if let Some(keys) = item_keys(key) {
                let keys: Vec<String> = keys
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                write!(f, "[{}]", keys.join(","))?;
            } else {
                let plain = key.split_once(':').map_or(key.as_str(), |(_, value)| value);
                write!(f, "[{plain}]")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), brief);
        write!(
            f,
            "{} was {}, is {}",
            self.path,
            shown(&self.wrote),
            shown(&self.found)
        )
    }
}

const SHOWN_CHARS_MAX: usize = 120;

fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN_CHARS_MAX {
        return text;
    }
    let cut: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use crate::providers::kubernetes::fields::{
        Path, applied_by, differences, extract, is_scaled, minus, owner_of, union,
    };
    use serde_json::{Value, json};

    /// As a server gives it after `deployc` applied image, port and args, and others wrote beside it.
    fn live() -> Value {
        json!({
            "metadata": {
                "name": "api",
                "labels": {"app": "api", "team": "x"},
                "managedFields": [
                    {"manager": "deployc", "operation": "Apply", "time": "2026-01-01T00:00:00Z", "fieldsV1": ours()},
                    {"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-02T00:00:00Z", "fieldsV1": {
                        "f:metadata": {"f:labels": {"f:team": {}}},
                        "f:spec": {"f:containers": {"k:{\"name\":\"api\"}": {"f:image": {}}}},
                    }},
                    {"manager": "kube-controller-manager", "operation": "Update", "subresource": "scale",
                     "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                ],
            },
            "spec": {
                "replicas": 5,
                "selector": {"matchLabels": {"app": "api"}},
                "finalizers": ["a", "b"],
                "containers": [
                    {"name": "side", "image": "side:1"},
                    {"name": "api", "image": "api:3", "args": ["-v", "-x"], "policy": "Always",
                     "ports": [{"containerPort": 80, "protocol": "TCP", "name": "http"}, {"containerPort": 90, "protocol": "TCP"}]},
                ],
            },
        })
    }

    fn ours() -> Value {
        json!({
            "f:metadata": {"f:labels": {"f:app": {}}},
            "f:spec": {
                "f:selector": {},
                "f:finalizers": {"v:\"b\"": {}},
                "f:containers": {"k:{\"name\":\"api\"}": {
                    ".": {}, "f:name": {}, "f:image": {}, "f:args": {},
                    "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}},
                }},
            },
        })
    }

    #[test]
    fn the_part_that_is_ours_is_taken_out() {
        assert_eq!(applied_by(&live(), "deployc"), ours());
        assert_eq!(
            applied_by(&live(), "kubectl-edit"),
            json!({}),
            "an update is no apply"
        );
        assert_eq!(
            extract(&live(), &ours()).unwrap(),
            json!({
                "metadata": {"labels": {"app": "api"}},
                "spec": {
                    "selector": {"matchLabels": {"app": "api"}},
                    "finalizers": ["b"],
                    "containers": [{
                        "name": "api", "image": "api:3", "args": ["-v", "-x"],
                        "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    }],
                },
            })
        );
    }

    #[test]
    fn what_is_not_there_is_left_out_and_an_owned_empty_map_stays() {
        let set = json!({"f:spec": {"f:gone": {}, "f:items": {"k:{\"name\":\"z\"}": {"f:x": {}}}, "f:empty": {".": {}}}});
        let object = json!({"spec": {"items": [{"name": "a", "x": 1}], "empty": {"theirs": 1}}});
        assert_eq!(
            extract(&object, &set).unwrap(),
            json!({"spec": {"empty": {}}})
        );
    }

    #[test]
    fn differences_name_the_field_and_nothing_that_is_not_ours() {
        let mut changed = live();
        changed["spec"]["containers"][1]["image"] = json!("api:4");
        changed["spec"]["containers"][1]["policy"] = json!("Never");
        changed["spec"]["containers"]
            .as_array_mut()
            .unwrap()
            .remove(0);
        changed["metadata"]["labels"]
            .as_object_mut()
            .unwrap()
            .shift_remove("app");
        let found = differences(&ours(), &live(), &changed);
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                ".metadata.labels.app was \"api\", is nothing",
                ".spec.containers[name=\"api\"].image was \"api:3\", is \"api:4\"",
            ]
        );
        assert_eq!(differences(&ours(), &live(), &live()), []);
    }

    #[test]
    fn a_map_with_nothing_of_ours_is_neither_sent_nor_compared() {
        let set = json!({"f:metadata": {"f:annotations": {"f:deployc.dev/key": {}}}});
        let bare = json!({"metadata": {"name": "a"}});
        let noted = json!({"metadata": {"annotations": {"revision": "3"}}});
        assert_eq!(extract(&noted, &set), None);
        assert_eq!(differences(&set, &bare, &noted), []);
    }

    #[test]
    fn a_lost_item_is_one_difference() {
        let mut changed = live();
        changed["spec"]["containers"].as_array_mut().unwrap().pop();
        let found = differences(&ours(), &live(), &changed);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path.to_string(), ".spec.containers[name=\"api\"]");
    }

    #[test]
    fn the_owner_of_a_field_is_who_set_it_last() {
        let image = &differences(&ours(), &live(), &{
            let mut changed = live();
            changed["spec"]["containers"][1]["image"] = json!("x");
            changed
        })[0]
            .path;
        assert_eq!(
            owner_of(&live(), image, "deployc").unwrap().manager,
            "kubectl-edit"
        );
        assert_eq!(
            owner_of(&live(), &Path::of(&["spec", "selector"]), "deployc"),
            None
        );
        assert_eq!(
            owner_of(&live(), &Path::of(&["spec", "selector", "x"]), "nobody")
                .unwrap()
                .manager,
            "deployc"
        );
        assert!(is_scaled(&live(), &Path::of(&["spec", "replicas"])));
        assert!(!is_scaled(&live(), &Path::of(&["spec", "selector"])));
    }

    #[test]
    fn sets_are_joined_and_reduced() {
        let one = json!({"f:spec": {"f:a": {}}});
        let other = json!({"f:spec": {"f:b": {".": {}, "f:c": {}}}, "f:data": {}});
        let both = union(&one, &other);
        assert_eq!(
            both,
            json!({"f:spec": {"f:a": {}, "f:b": {".": {}, "f:c": {}}}, "f:data": {}})
        );
        assert_eq!(
            minus(&both, &Path::of(&["spec", "b"])),
            json!({"f:spec": {"f:a": {}}, "f:data": {}})
        );
        assert_eq!(minus(&both, &Path::of(&["nothing", "b"])), both);
    }
}
