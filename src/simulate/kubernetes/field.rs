//! Fields of an object by path, as server-side apply sees them.
//!
//! A list whose items have a key (containers by name, ports by number) is entered by that key; every other list is one
//! value. A path prints as the API server prints it: `.spec.template.spec.containers[name="api"].image`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    Field(String),
    /// An item of a list, by the value of its key.
    Item {
        key: String,
        value: String,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// `spec.template`: members of members, nothing with a dot in its name.
    pub fn of(dotted: &str) -> Path {
        let names = dotted
            .split('.')
            .map(|name| Segment::Field(name.to_owned()));
        Path(names.collect())
    }

    pub fn field(mut self, name: &str) -> Path {
        self.0.push(Segment::Field(name.to_owned()));
        self
    }

    /// The item of a list whose `key` has this value.
    pub fn item(mut self, key: &str, value: &Value) -> Path {
        self.0.push(Segment::Item {
            key: key.to_owned(),
            value: value.to_string(),
        });
        self
    }

    /// Whether this is the field by which an item is told apart.
    fn is_key(&self) -> bool {
        let mut last = self.0.iter().rev();
        match (last.next(), last.next()) {
            (Some(Segment::Field(name)), Some(Segment::Item { key, .. })) => name == key,
            _ => false,
        }
    }

    pub fn starts_with(&self, prefix: &Path) -> bool {
        self.0.starts_with(&prefix.0)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.0 {
            match segment {
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Item { key, value } => write!(f, "[{key}={value}]")?,
            }
        }
        Ok(())
    }
}

/// All that an object says, as paths to values.
pub fn leaves(value: &Value) -> Vec<(Path, Value)> {
    let mut found = Vec::new();
    collect(&Path::default(), value, &mut found);
    found
}

/// What an object says beside its metadata, as fields to be written.
pub fn leaves_of_spec(object: &Value) -> Vec<(Path, Option<Value>)> {
    let beside = ["apiVersion", "kind", "metadata", "status"];
    let inner = |path: &Path| match path.0.first() {
        Some(Segment::Field(name)) => !beside.contains(&name.as_str()),
        _ => false,
    };
    let all = leaves(object).into_iter();
    all.filter(|(path, _)| inner(path))
        .map(|(path, value)| (path, Some(value)))
        .collect()
}

pub fn get<'a>(value: &'a Value, path: &Path) -> Option<&'a Value> {
    path.0.iter().try_fold(value, |at, segment| match segment {
        Segment::Field(name) => at.get(name),
        Segment::Item { key, value } => items(at).find(|item| is_item(item, key, value)),
    })
}

/// Puts a value at a path, making what is missing on the way.
pub fn set(target: &mut Value, path: &Path, new: Value) {
    let mut at = target;
    for (segment, next) in path
        .0
        .iter()
        .zip(path.0.iter().skip(1).map(Some).chain([None]))
    {
        at = match segment {
            Segment::Field(name) => member(at, name, next),
            Segment::Item { key, value } => item(at, key, value),
        };
    }
    *at = new;
}

/// Takes values away, and what is empty without them. An item goes with the last of its fields.
pub fn remove<'a>(target: &mut Value, paths: impl IntoIterator<Item = &'a Path>) {
    // By its key an item is found, so the key goes last.
    let (keys, others): (Vec<&Path>, Vec<&Path>) =
        paths.into_iter().partition(|path| path.is_key());
    for path in others.into_iter().chain(keys) {
        remove_below(target, &path.0);
    }
}

fn collect(path: &Path, value: &Value, found: &mut Vec<(Path, Value)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, inner) in map {
                collect(&path.clone().field(name), inner, found);
            }
        }
        Value::Array(list) => match key_of(path, list) {
            Some(key) => {
                for inner in list {
                    let at = inner.get(key).unwrap_or(&Value::Null);
                    collect(&path.clone().item(key, at), inner, found);
                }
            }
            None => found.push((path.clone(), value.clone())),
        },
        other => found.push((path.clone(), other.clone())),
    }
}

/// The key by which items of a list are told apart, where it has one and every item has it.
fn key_of(path: &Path, list: &[Value]) -> Option<&'static str> {
    let Some(Segment::Field(name)) = path.0.last() else {
        return None;
    };
    let key = match name.as_str() {
        "containers" | "initContainers" | "volumes" | "env" | "imagePullSecrets" => "name",
        "volumeMounts" => "mountPath",
        "conditions" => "type",
        "ports" if path.0.len() == 2 => "port",
        "ports" => "containerPort",
        _ => return None,
    };
    let keyed = !list.is_empty() && list.iter().all(|item| item.get(key).is_some());
    keyed.then_some(key)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn is_item(item: &Value, key: &str, value: &str) -> bool {
    let text = item.get(key).map(Value::to_string);
    text.as_deref() == Some(value)
}

fn member<'a>(at: &'a mut Value, name: &str, next: Option<&Segment>) -> &'a mut Value {
    if !at.is_object() {
        *at = Value::Object(Map::new());
    }
    let inner = &mut at[name];
    if matches!(next, Some(Segment::Item { .. })) && !inner.is_array() {
        *inner = Value::Array(Vec::new());
    }
    inner
}

fn item<'a>(at: &'a mut Value, key: &str, value: &str) -> &'a mut Value {
    let found = items(at).position(|item| is_item(item, key, value));
    let index = found.unwrap_or_else(|| {
        let mut fresh = Map::new();
        fresh.insert(
            key.to_owned(),
            serde_json::from_str(value).unwrap_or(Value::Null),
        );
        match at.as_array_mut() {
            Some(list) => list.push(Value::Object(fresh)),
            None => *at = Value::Array(vec![Value::Object(fresh)]),
        }
        items(at).count() - 1
    });
    &mut at[index]
}

fn remove_below(at: &mut Value, path: &[Segment]) {
    let Some((segment, rest)) = path.split_first() else {
        return;
    };
    match (segment, at) {
        (Segment::Field(name), Value::Object(map)) => {
            if let Some(inner) = map.get_mut(name) {
                remove_below(inner, rest);
                if rest.is_empty() || is_empty(inner) {
                    map.shift_remove(name);
                }
            }
        }
        (Segment::Item { key, value }, Value::Array(list)) => {
            if let Some(index) = list.iter().position(|item| is_item(item, key, value)) {
                if let Some(inner) = list.get_mut(index) {
                    remove_below(inner, rest);
                }
                if rest.is_empty() || list.get(index).is_some_and(is_empty) {
                    list.remove(index);
                }
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{leaves, remove, set};
    use serde_json::{Value, json};

    fn template() -> Value {
        json!({"spec": {"replicas": 3, "containers": [
            {"name": "api", "image": "a:1", "ports": [{"containerPort": 80}]},
            {"name": "side", "image": "b:1", "args": ["x", "y"]},
        ]}})
    }

    #[test]
    fn paths_print_as_the_api_server_prints_them() {
        let printed: Vec<String> = leaves(&template())
            .iter()
            .map(|(p, _)| p.to_string())
            .collect();
        assert!(printed.contains(&".spec.containers[name=\"api\"].image".to_owned()));
        assert!(printed.contains(
            &".spec.containers[name=\"api\"].ports[containerPort=80].containerPort".to_owned()
        ));
        assert!(printed.contains(&".spec.containers[name=\"side\"].args".to_owned()));
    }

    #[test]
    fn what_is_set_leaf_by_leaf_is_what_was_taken_apart() {
        let mut built = Value::Null;
        for (path, value) in leaves(&template()) {
            set(&mut built, &path, value);
        }
        assert_eq!(built, template());
    }

    #[test]
    fn an_item_goes_with_its_last_field() {
        let mut value = template();
        let mut side = leaves(&template());
        side.retain(|(path, _)| path.to_string().contains("side"));
        remove(&mut value, side.iter().map(|(path, _)| path));
        assert_eq!(value["spec"]["containers"].as_array().unwrap().len(), 1);
    }
}
