//! The simulated API server: objects, and who may change what in them.
//!
//! Its answers are those of a real server (v1.34): a stale resourceVersion is a 409, another uid a 422, an apply that
//! changes nothing leaves the resourceVersion alone, a field of another manager is a conflict that names it. So apply
//! with uid and resourceVersion is a true compare-and-set, here as there.

use crate::providers::request::Key;
use crate::simulate::history::{Change, What};
use crate::simulate::kubernetes::field::{self, Path};
use crate::simulate::kubernetes::object::{ApiError, Name, Object};
use crate::values::Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default)]
pub struct Store {
    pub objects: BTreeMap<Name, Object>,
    pub history: Vec<Change>,
    versions: u64,
    uids: u64,
}

/// Who writes, when, and for which change of a plan.
#[derive(Clone, Debug)]
pub struct Writer {
    pub at: Instant,
    pub manager: String,
    pub key: Option<Key>,
}

/// What has to be true of the object for the write to happen.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Precondition {
    pub uid: Option<String>,
    pub resource_version: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    No,
    /// Takes fields from other managers.
    Yes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Created,
    Changed,
    Unchanged,
}

impl Store {
    pub fn get(&self, name: &Name) -> Result<&Object, ApiError> {
        self.objects
            .get(name)
            .ok_or_else(|| ApiError::not_found(name))
    }

    /// Server-side apply: `manifest` is all that this manager wants of the object.
    pub fn apply(
        &mut self,
        by: &Writer,
        name: &Name,
        manifest: &Value,
        only_if: &Precondition,
        force: Force,
    ) -> Result<How, ApiError> {
        let wanted = asked_for(manifest);
        let Some(object) = self.objects.get(name) else {
            if only_if.uid.is_some() || only_if.resource_version.is_some() {
                return Err(ApiError::modified(name));
            }
            return Ok(self.create(by, name, manifest, wanted));
        };
        admit(name, object, only_if)?;
        let fields = field::leaves(&wanted);
        if force == Force::No {
            refuse_conflicts(object, &fields, &by.manager)?;
        }
        let mut next = object.clone();
        let changed = merge(&mut next, &fields, &by.manager);
        if object.kind == "Deployment"
            && object.body.pointer("/spec/selector") != next.body.pointer("/spec/selector")
        {
            return Err(ApiError::immutable(name, "spec.selector"));
        }
        if object.body.get("immutable") == Some(&json!(true)) && object.body != next.body {
            return Err(ApiError::immutable(name, "data"));
        }
        Ok(self.replace(by, name, next, changed))
    }

    /// An update of single fields by whoever: takes their ownership, asks nobody.
    pub fn write(
        &mut self,
        by: &Writer,
        name: &Name,
        fields: &[(Path, Option<Value>)],
        only_if: &Precondition,
    ) -> Result<How, ApiError> {
        let object = self.get(name)?;
        admit(name, object, only_if)?;
        let mut next = object.clone();
        let mut changed = Vec::new();
        for (path, value) in fields {
            if field::get(&next.body, path) == value.as_ref() {
                continue;
            }
            next.owners.retain(|owned, _| !owned.starts_with(path));
            match value {
                Some(value) => {
                    field::set(&mut next.body, path, value.clone());
                    let owner = BTreeSet::from([by.manager.clone()]);
                    next.owners.insert(path.clone(), owner);
                    changed.push(format!("{path}: {value}"));
                }
                None => {
                    field::remove(&mut next.body, [path]);
                    changed.push(format!("{path} removed"));
                }
            }
        }
        Ok(self.replace(by, name, next, changed))
    }

    pub fn delete(&mut self, by: &Writer, name: &Name, uid: Option<&str>) -> Result<(), ApiError> {
        let found = &self.get(name)?.uid;
        if let Some(asked) = uid.filter(|asked| asked != found) {
            return Err(ApiError::uid_precondition(name, asked, found));
        }
        self.objects.remove(name);
        self.versions += 1;
        self.record(by, name, What::Deleted);
        Ok(())
    }

    /// What a controller says of an object; it changes the resourceVersion, but is no change of the object.
    pub fn set_status(&mut self, name: &Name, status: Value) {
        if let Some(object) = self.objects.get_mut(name)
            && object.status != status
        {
            self.versions += 1;
            object.resource_version = self.versions;
            object.status = status;
        }
    }

    /// A new uid; the same in each run of the same world.
    pub fn fresh_uid(&mut self) -> String {
        self.uids += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.uids)
    }

    pub fn record(&mut self, by: &Writer, name: &Name, what: What) {
        self.history.push(Change {
            at: by.at,
            who: by.manager.clone(),
            key: by.key.clone(),
            object: name.to_string(),
            what,
        });
    }

    fn create(&mut self, by: &Writer, name: &Name, manifest: &Value, wanted: Value) -> How {
        let text = |key: &str| manifest.get(key).and_then(Value::as_str).unwrap_or("");
        let owner = BTreeSet::from([by.manager.clone()]);
        let owners = field::leaves(&wanted)
            .into_iter()
            .map(|(path, _)| (path, owner.clone()))
            .collect();
        self.versions += 1;
        let object = Object {
            uid: self.fresh_uid(),
            resource_version: self.versions,
            generation: 1,
            api_version: text("apiVersion").to_owned(),
            kind: text("kind").to_owned(),
            body: wanted,
            status: Value::Null,
            owners,
        };
        self.objects.insert(name.clone(), object);
        self.record(by, name, What::Created);
        How::Created
    }

    fn replace(&mut self, by: &Writer, name: &Name, mut next: Object, changed: Vec<String>) -> How {
        let Some(object) = self.objects.get_mut(name) else {
            return How::Unchanged;
        };
        if object.body == next.body && object.owners == next.owners {
            return How::Unchanged;
        }
        let how = if object.body == next.body {
            How::Unchanged
        } else {
            How::Changed
        };
        if object.body.get("spec") != next.body.get("spec") {
            next.generation += 1;
        }
        self.versions += 1;
        next.resource_version = self.versions;
        *object = next;
        if how == How::Changed {
            self.record(by, name, What::Changed(changed));
        }
        how
    }
}

/// The part of a manifest that its writer can own.
fn asked_for(manifest: &Value) -> Value {
    let mut wanted = manifest.clone();
    let Some(map) = wanted.as_object_mut() else {
        return Value::Null;
    };
    for key in ["apiVersion", "kind", "status"] {
        map.shift_remove(key);
    }
    if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, value| {
            let ours = matches!(key.as_str(), "labels" | "annotations");
            ours && value.as_object().is_some_and(|map| !map.is_empty())
        });
        if metadata.is_empty() {
            map.shift_remove("metadata");
        }
    }
    wanted
}

fn admit(name: &Name, object: &Object, only_if: &Precondition) -> Result<(), ApiError> {
    if let Some(uid) = only_if.uid.as_ref().filter(|uid| **uid != object.uid) {
        return Err(ApiError::other_uid(uid));
    }
    let current = object.resource_version.to_string();
    match &only_if.resource_version {
        Some(version) if *version != current => Err(ApiError::modified(name)),
        _ => Ok(()),
    }
}

fn refuse_conflicts(
    object: &Object,
    fields: &[(Path, Value)],
    manager: &str,
) -> Result<(), ApiError> {
    let mut conflicts = Vec::new();
    for (path, value) in fields {
        if field::get(&object.body, path) == Some(value) {
            continue;
        }
        for (owned, owners) in &object.owners {
            let overlap = owned.starts_with(path) || path.starts_with(owned);
            if let Some(other) = owners.iter().find(|owner| *owner != manager)
                && overlap
            {
                conflicts.push((path.clone(), other.clone()));
            }
        }
    }
    if conflicts.is_empty() {
        return Ok(());
    }
    Err(ApiError::field_conflict(&conflicts))
}

/// Puts the fields in, takes out what this manager had said before and says no more, and returns what changed.
fn merge(object: &mut Object, fields: &[(Path, Value)], manager: &str) -> Vec<String> {
    let mut changed = Vec::new();
    let said: BTreeSet<&Path> = fields.iter().map(|(path, _)| path).collect();
    let mut dropped = Vec::new();
    for (path, owners) in &mut object.owners {
        if !said.contains(path) && owners.remove(manager) && owners.is_empty() {
            dropped.push(path.clone());
        }
    }
    field::remove(&mut object.body, &dropped);
    for path in dropped {
        object.owners.remove(&path);
        changed.push(format!("{path} removed"));
    }
    for (path, value) in fields {
        if field::get(&object.body, path) != Some(value) {
            field::set(&mut object.body, path, value.clone());
            changed.push(format!("{path}: {value}"));
            object.owners.remove(path);
        }
        let owners = object.owners.entry(path.clone()).or_default();
        owners.insert(manager.to_owned());
    }
    changed
}
