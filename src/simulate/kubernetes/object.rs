//! An object of the simulated API server, and the answers that the server gives instead of one.

use crate::simulate::kubernetes::field::Path;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Names an object: `deployment/x0tta6bl4/x0tta6bl4-api`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name {
    /// Lower-case: `deployment`.
    pub kind: String,
    /// Empty for what belongs to no namespace.
    pub namespace: String,
    pub name: String,
}

impl Name {
    pub fn new(kind: &str, namespace: &str, name: &str) -> Name {
        let kind = kind.to_lowercase();
        let namespace = if is_global(&kind) { "" } else { namespace };
        Name {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// As people write it: `deployment/api`.
    pub fn short(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// Of a manifest; one that names no namespace belongs to `namespace`.
    pub fn of(manifest: &Value, namespace: &str) -> Name {
        let text = |path: &str| manifest.pointer(path).and_then(Value::as_str);
        let kind = text("/kind").unwrap_or("");
        let namespace = text("/metadata/namespace").unwrap_or(namespace);
        Name::new(kind, namespace, text("/metadata/name").unwrap_or(""))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{}/{}", self.kind, self.name),
            namespace => write!(f, "{}/{namespace}/{}", self.kind, self.name),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    pub uid: String,
    pub resource_version: u64,
    /// Counts changes of `spec`.
    pub generation: i64,
    /// `apiVersion` and `kind`.
    pub api_version: String,
    pub kind: String,
    /// What was asked for: `metadata.labels`, `metadata.annotations`, `spec`, `data`, …
    pub body: Value,
    /// What the controllers say.
    pub status: Value,
    /// Who last wrote each field.
    pub owners: BTreeMap<Path, BTreeSet<String>>,
}

impl Object {
    /// As the API server would send it, but for the managed fields.
    pub fn to_json(&self, name: &Name) -> Value {
        let mut all = Map::new();
        all.insert("apiVersion".into(), self.api_version.clone().into());
        all.insert("kind".into(), self.kind.clone().into());
        all.insert("metadata".into(), Value::Object(self.metadata(name)));
        for (key, value) in self.body.as_object().into_iter().flatten() {
            if key != "metadata" {
                all.insert(key.clone(), value.clone());
            }
        }
        if !self.status.is_null() {
            all.insert("status".into(), self.status.clone());
        }
        Value::Object(all)
    }

    fn metadata(&self, name: &Name) -> Map<String, Value> {
        let written = self.body.get("metadata").and_then(Value::as_object);
        let mut metadata = written.cloned().unwrap_or_default();
        metadata.insert("name".into(), name.name.clone().into());
        if !name.namespace.is_empty() {
            metadata.insert("namespace".into(), name.namespace.clone().into());
        }
        metadata.insert("uid".into(), self.uid.clone().into());
        metadata.insert("generation".into(), self.generation.into());
        let version = self.resource_version.to_string();
        metadata.insert("resourceVersion".into(), version.into());
        metadata
    }
}

/// A refusal, in the words of the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    pub causes: Vec<Cause>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub reason: &'static str,
    pub field: String,
    pub message: String,
}

impl ApiError {
    pub fn not_found(name: &Name) -> ApiError {
        ApiError {
            code: 404,
            reason: "NotFound",
            message: format!("{}s \"{}\" not found", name.kind, name.name),
            causes: Vec::new(),
        }
    }

    /// The object is no longer the one that was read.
    pub fn modified(name: &Name) -> ApiError {
        ApiError {
            code: 409,
            reason: "Conflict",
            message: format!(
                "Operation cannot be fulfilled on {}s \"{}\": the object has been modified; \
                 please apply your changes to the latest version and try again",
                name.kind, name.name
            ),
            causes: Vec::new(),
        }
    }

    pub fn other_uid(asked: &str) -> ApiError {
        ApiError {
            code: 422,
            reason: "Invalid",
            message: format!("metadata.uid: Invalid value: \"{asked}\": field is immutable"),
            causes: Vec::new(),
        }
    }

    pub fn uid_precondition(name: &Name, asked: &str, found: &str) -> ApiError {
        ApiError {
            code: 409,
            reason: "Conflict",
            message: format!(
                "Operation cannot be fulfilled on {}s \"{}\": Precondition failed: the UID in the precondition \
                 ({asked}) does not match the UID in record ({found})",
                name.kind, name.name
            ),
            causes: Vec::new(),
        }
    }

    /// Fields that other managers own: path, manager.
    pub fn field_conflict(fields: &[(Path, String)]) -> ApiError {
        let causes: Vec<Cause> = fields
            .iter()
            .map(|(path, manager)| Cause {
                reason: "FieldManagerConflict",
                field: path.to_string(),
                message: format!("conflict with \"{manager}\""),
            })
            .collect();
        let listed: Vec<String> = causes
            .iter()
            .map(|cause| format!("{}: {}", cause.message, cause.field))
            .collect();
        let count = causes.len();
        let noun = if count == 1 { "conflict" } else { "conflicts" };
        ApiError {
            code: 409,
            reason: "Conflict",
            message: format!("Apply failed with {count} {noun}: {}", listed.join(", ")),
            causes,
        }
    }

    pub fn failed_test() -> ApiError {
        ApiError {
            code: 422,
            reason: "Invalid",
            message: "the server rejected our request due to an error in our request".to_owned(),
            causes: Vec::new(),
        }
    }

    pub fn immutable(name: &Name, field: &str) -> ApiError {
        ApiError {
            code: 422,
            reason: "Invalid",
            message: format!(
                "{} \"{}\" is invalid: {field}: Forbidden: field is immutable",
                name.kind, name.name
            ),
            causes: Vec::new(),
        }
    }

    pub fn forbidden(verb: &str, resource: &str, namespace: &str, user: &str) -> ApiError {
        ApiError {
            code: 403,
            reason: "Forbidden",
            message: format!(
                "{resource} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" \
                 in the namespace \"{namespace}\""
            ),
            causes: Vec::new(),
        }
    }
}

/// Kinds that belong to no namespace, of those that a plan is likely to have.
fn is_global(kind: &str) -> bool {
    matches!(
        kind,
        "namespace"
            | "node"
            | "clusterrole"
            | "clusterrolebinding"
            | "storageclass"
            | "persistentvolume"
            | "customresourcedefinition"
            | "priorityclass"
    )
}
