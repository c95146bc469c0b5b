//! Manifests of a plan's folder, as the objects that they name.

use crate::providers::request::{Failure, FailureKind};
use crate::simulate::systems::failure;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The objects of a file or of a folder's `.yaml`, `.yml` and `.json` files, in the order of their names.
pub fn read(files: &BTreeMap<String, String>, path: &str) -> Result<Vec<Value>, Failure> {
    let folder = format!("{}/", path.trim_end_matches('/'));
    let mut found = Vec::new();
    for (name, text) in files {
        let inside = name
            .strip_prefix(&folder)
            .is_some_and(|rest| !rest.contains('/'));
        if name == path || (inside && is_manifest(name)) {
            found.extend(parse(name, text)?);
        }
    }
    if found.is_empty() {
        let message = format!("there is no manifest in `{path}`");
        return Err(failure(FailureKind::Invalid, message));
    }
    Ok(found)
}

/// Replaces images by the name of their container.
pub fn set_images(manifest: &mut Value, images: &BTreeMap<String, String>) {
    let containers = manifest.pointer_mut("/spec/template/spec/containers");
    for container in containers
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let name = container.get("name").and_then(Value::as_str);
        if let Some(image) = name.and_then(|name| images.get(name)) {
            container["image"] = json!(image);
        }
    }
}

fn is_manifest(name: &str) -> bool {
    [".yaml", ".yml", ".json"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

fn parse(name: &str, text: &str) -> Result<Vec<Value>, Failure> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text)
        .map_err(|error| failure(FailureKind::Invalid, format!("`{name}`: {error}")))?;
    Ok(documents.into_iter().filter(Value::is_object).collect())
}
