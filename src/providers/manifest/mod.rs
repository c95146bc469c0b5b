//! Manifests of Kubernetes objects: several documents to a file, files in a folder, read without a cluster.
//!
//! What is wrong with them is data with a place, so that the compiler can point at file and line.

pub mod check;
pub mod images;
pub mod tree;

use crate::providers::manifest::images::Container;
use crate::providers::manifest::tree::Node;
use serde_json::Value;
use std::collections::BTreeMap;

/// The objects of some files, in the order of the files and of the text, and what is wrong with them.
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    pub objects: Vec<Object>,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug)]
pub struct Object {
    pub api_version: String,
    pub kind: String,
    pub name: String,
    /// As it is written in the manifest.
    pub namespace: Option<String>,
    /// `spec.replicas` where it is written.
    pub replicas: Option<u32>,
    pub containers: Vec<Container>,
    pub body: Value,
    pub place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    /// Both counted from 1.
    pub line: u32,
    pub column: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    pub place: Place,
    /// Lower-case, no full stop, names in backquotes.
    pub message: String,
    /// The next action.
    pub help: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// No YAML.
    Malformed,
    /// No object of Kubernetes: a field is missing or of the wrong type.
    Incomplete,
    /// One object stands twice.
    Duplicate,
    /// Belongs to another namespace than the provider's.
    OtherNamespace,
    /// A field that only a live object has.
    LiveField,
    /// A Secret: its data would stand in the plan and in the journal.
    Secret,
    /// Parts that contradict each other.
    Contradiction,
    /// An image is given for a container that there is not.
    UnknownContainer,
    /// No object at all.
    Nothing,
}

/// The name of a file that holds manifests.
pub fn is_manifest(file: &str) -> bool {
    let (_, extension) = file.rsplit_once('.').unwrap_or(("", ""));
    ["yaml", "yml", "json"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// The files that `path` names among the files of a plan: itself, or those directly in it.
pub fn named_by<'a>(files: &'a BTreeMap<String, String>, path: &str) -> Vec<(&'a str, &'a str)> {
    let path = path.trim_start_matches("./");
    if let Some((name, text)) = files.get_key_value(path) {
        return vec![(name.as_str(), text.as_str())];
    }
    let folder = path.trim_end_matches('/');
    let inside = |name: &str| {
        let rest = match folder {
            "" | "." => Some(name),
            _ => name
                .strip_prefix(folder)
                .and_then(|rest| rest.strip_prefix('/')),
        };
        rest.is_some_and(|rest| !rest.contains('/') && is_manifest(rest))
    };
    files
        .iter()
        .filter(|(name, _)| inside(name))
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect()
}

/// Reads and checks the objects of some files. `namespace` is the provider's, where it is known.
pub fn read(files: &[(&str, &str)], namespace: Option<&str>) -> Manifests {
    let mut manifests = Manifests::default();
    for (file, text) in files {
        match tree::documents(text) {
            Ok(documents) => {
                for document in documents.iter().flat_map(unfold) {
                    add(&mut manifests, file, document);
                }
            }
            Err(malformed) => manifests.problems.push(Problem {
                kind: ProblemKind::Malformed,
                place: Place {
                    file: (*file).to_owned(),
                    line: malformed.line,
                    column: malformed.column,
                },
                message: malformed.message,
                help: None,
            }),
        }
    }
    check::together(&mut manifests, namespace);
    manifests
}

/// A `List` stands for its items.
fn unfold(document: &Node) -> Vec<&Node> {
    let is_list = document.get("kind").and_then(Node::text) == Some("List");
    match document.get("items") {
        Some(items) if is_list => items.items().iter().flat_map(unfold).collect(),
        _ => vec![document],
    }
}

fn add(manifests: &mut Manifests, file: &str, document: &Node) {
    let place = place_of(file, document);
    let problems = check::alone(file, document);
    let text = |pointer: &str| document.at(pointer).and_then(Node::text);
    if let (Some(api_version), Some(kind), Some(name)) =
        (text("/apiVersion"), text("/kind"), text("/metadata/name"))
    {
        let replicas = document.at("/spec/replicas").map(Node::to_json);
        let replicas = replicas.and_then(|value| value.as_u64());
        manifests.objects.push(Object {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: text("/metadata/namespace").map(str::to_owned),
            replicas: replicas.and_then(|n| u32::try_from(n).ok()),
            containers: images::containers(file, kind, document),
            body: document.to_json(),
            place,
        });
    }
    manifests.problems.extend(problems);
}

pub fn place_of(file: &str, node: &Node) -> Place {
    Place {
        file: file.to_owned(),
        line: node.line,
        column: node.column,
    }
}

#[cfg(test)]
mod tests {
    use crate::providers::manifest::{is_manifest, named_by, read};
    use std::collections::BTreeMap;

    #[test]
    fn a_folder_stands_for_the_manifests_directly_in_it() {
        let names = [
            "k8s/b.yaml",
            "k8s/a.yml",
            "k8s/readme.md",
            "k8s/deep/c.yaml",
            "k8s2/d.yaml",
            "e.json",
        ];
        let files: BTreeMap<String, String> = names
            .iter()
            .map(|name| ((*name).to_owned(), String::new()))
            .collect();
        let named = |path: &str| -> Vec<&str> {
            named_by(&files, path)
                .iter()
                .map(|(name, _)| *name)
                .collect()
        };
        assert_eq!(named("k8s/"), ["k8s/a.yml", "k8s/b.yaml"]);
        assert_eq!(named("./k8s"), ["k8s/a.yml", "k8s/b.yaml"]);
        assert_eq!(named("k8s/deep/c.yaml"), ["k8s/deep/c.yaml"]);
        assert_eq!(named("."), ["e.json"]);
        assert!(named("k9s").is_empty());
        assert!(is_manifest("A.YAML") && !is_manifest("yaml"));
    }

    #[test]
    fn a_list_stands_for_its_items_and_replicas_are_read() {
        let text = "apiVersion: v1\nkind: List\nitems:\n\
                    - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n\
                    - {apiVersion: apps/v1, kind: StatefulSet, metadata: {name: b, namespace: ns}, spec: {replicas: 3}}\n";
        let manifests = read(&[("all.yaml", text)], None);
        let found: Vec<(&str, Option<&str>, Option<u32>)> = manifests
            .objects
            .iter()
            .map(|o| (o.name.as_str(), o.namespace.as_deref(), o.replicas))
            .collect();
        assert_eq!(found, [("a", None, None), ("b", Some("ns"), Some(3))]);
        assert_eq!(manifests.objects[1].place.line, 5);
    }
}
