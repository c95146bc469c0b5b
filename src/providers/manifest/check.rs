//! What can be wrong with manifests, as far as it can be seen without a cluster.

use crate::providers::manifest::images::pod_pointer;
use crate::providers::manifest::tree::{Node, NodeKind};
use crate::providers::manifest::{Manifests, Place, Problem, ProblemKind, place_of};
use std::collections::BTreeMap;

const NAME_CHARS_MAX: usize = 253;

/// Of one document by itself.
pub fn alone(file: &str, document: &Node) -> Vec<Problem> {
    if !matches!(document.kind, NodeKind::Map(_)) {
        let message = "a document has to be an object with `apiVersion`, `kind` and `metadata`";
        return vec![problem(ProblemKind::Incomplete, file, document, message)];
    }
    let mut problems = Vec::new();
    for field in ["apiVersion", "kind"] {
        required_text(file, document, document, field, &mut problems);
    }
    match document.get("metadata") {
        None => problems.push(problem(
            ProblemKind::Incomplete,
            file,
            document,
            "`metadata` is missing",
        )),
        Some(metadata) => names(file, document, metadata, &mut problems),
    }
    live_fields(file, document, &mut problems);
    secret(file, document, &mut problems);
    workload(file, document, &mut problems);
    problems
}

/// Of all documents beside each other.
pub fn together(manifests: &mut Manifests, namespace: Option<&str>) {
    let mut first: BTreeMap<(String, &str, &str, &str), &Place> = BTreeMap::new();
    let mut problems = Vec::new();
    for object in &manifests.objects {
        let group = object
            .api_version
            .split_once('/')
            .map_or("", |(group, _)| group);
        let at = object.namespace.as_deref().or(namespace).unwrap_or("");
        let id = (
            group.to_owned(),
            object.kind.as_str(),
            at,
            object.name.as_str(),
        );
        if let Some(before) = first.insert(id, &object.place) {
            problems.push(Problem {
                kind: ProblemKind::Duplicate,
                place: object.place.clone(),
                message: format!("{} `{}` stands twice", object.kind, object.name),
                help: Some(format!(
                    "the first one is in {}:{}",
                    before.file, before.line
                )),
            });
        }
        if let (Some(written), Some(wanted)) = (&object.namespace, namespace)
            && written != wanted
        {
            problems.push(Problem {
                kind: ProblemKind::OtherNamespace,
                place: object.place.clone(),
                message: format!(
                    "{} `{}` belongs to namespace `{written}`, the provider to `{wanted}`",
                    object.kind, object.name
                ),
                help: Some(
                    "leave `metadata.namespace` out, or use a provider for that namespace"
                        .to_owned(),
                ),
            });
        }
    }
    manifests.problems.extend(problems);
}

fn names(file: &str, document: &Node, metadata: &Node, problems: &mut Vec<Problem>) {
    if metadata.get("name").is_none() && metadata.get("generateName").is_some() {
        let mut found = problem(
            ProblemKind::Incomplete,
            file,
            metadata,
            "an object with `generateName` cannot be applied",
        );
        found.help = Some("give it a `name`".to_owned());
        problems.push(found);
        return;
    }
    required_text(file, document, metadata, "name", problems);
    if metadata.get("namespace").is_some() {
        required_text(file, document, metadata, "namespace", problems);
    }
    let Some(node) = metadata.get("name") else {
        return;
    };
    let api_version = document
        .get("apiVersion")
        .and_then(Node::text)
        .unwrap_or("");
    // Roles and their bindings may be called `system:node`.
    if api_version.starts_with("rbac.authorization.k8s.io/") {
        return;
    }
    if let Some(name) = node.text().filter(|name| !is_name(name)) {
        let message =
            format!("`{name}` is no name of an object: lower-case letters, digits, `-` and `.`");
        problems.push(problem(ProblemKind::Incomplete, file, node, &message));
    }
}

fn is_name(name: &str) -> bool {
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= NAME_CHARS_MAX
        && name.chars().all(inside)
        && name.chars().next().is_some_and(edge)
        && name.chars().next_back().is_some_and(edge)
}

fn required_text(
    file: &str,
    document: &Node,
    parent: &Node,
    field: &str,
    problems: &mut Vec<Problem>,
) {
    let message = match parent.get(field) {
        None => format!("`{field}` is missing"),
        Some(node) if node.text().is_none_or(str::is_empty) => {
            format!("`{field}` has to be a text")
        }
        Some(_) => return,
    };
    let at = parent.get(field).unwrap_or(if parent.entries().is_empty() {
        document
    } else {
        parent
    });
    problems.push(problem(ProblemKind::Incomplete, file, at, &message));
}

/// What `kubectl get -o yaml` gives and `apply` refuses or misunderstands.
fn live_fields(file: &str, document: &Node, problems: &mut Vec<Problem>) {
    let Some(metadata) = document.get("metadata") else {
        return;
    };
    for field in ["resourceVersion", "uid", "managedFields"] {
        if let Some(node) = metadata.get(field) {
            let message = format!("`metadata.{field}` belongs to a live object");
            let mut found = problem(ProblemKind::LiveField, file, node, &message);
            found.help = Some("remove it".to_owned());
            problems.push(found);
        }
    }
}

fn secret(file: &str, document: &Node, problems: &mut Vec<Problem>) {
    let text = |field: &str| document.get(field).and_then(Node::text);
    if text("apiVersion") == Some("v1") && text("kind") == Some("Secret") {
        let message =
            "a Secret cannot be applied: its data would stand in the plan and in the journal";
        let mut found = problem(ProblemKind::Secret, file, document, message);
        found.help = Some(
            "make it outside of the plan (an external secret, a sealed secret), and check for it with `has`"
                .to_owned(),
        );
        problems.push(found);
    }
}

/// Kinds that make pods from a template.
fn workload(file: &str, document: &Node, problems: &mut Vec<Problem>) {
    let kind = document.get("kind").and_then(Node::text).unwrap_or("");
    let Some(pod) = pod_pointer(kind) else {
        return;
    };
    let containers = document.at(pod).and_then(|pod| pod.get("containers"));
    let containers = containers.map_or(&[][..], Node::items);
    if containers.is_empty() {
        let message = format!("{kind} without containers");
        problems.push(problem(ProblemKind::Incomplete, file, document, &message));
    }
    let mut seen: Vec<&str> = Vec::new();
    for container in containers {
        match container.get("name").and_then(Node::text) {
            None => problems.push(problem(
                ProblemKind::Incomplete,
                file,
                container,
                "a container without `name`",
            )),
            Some(name) if seen.contains(&name) => problems.push(problem(
                ProblemKind::Duplicate,
                file,
                container,
                &format!("container `{name}` stands twice"),
            )),
            Some(name) => seen.push(name),
        }
    }
    if matches!(
        kind,
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet"
    ) {
        selector(file, document, kind, problems);
        replicas(file, document, problems);
    }
}

fn selector(file: &str, document: &Node, kind: &str, problems: &mut Vec<Problem>) {
    let Some(selector) = document.at("/spec/selector") else {
        let message = format!("{kind} without `spec.selector`");
        problems.push(problem(ProblemKind::Incomplete, file, document, &message));
        return;
    };
    let labels = document.at("/spec/template/metadata/labels");
    for (key, wanted) in selector.get("matchLabels").map_or(&[][..], Node::entries) {
        let found = labels.and_then(|labels| labels.get(key));
        if found.and_then(Node::text) != wanted.text() {
            let message = format!(
                "the selector asks for label `{key}`, which the template's pods do not have with that value"
            );
            problems.push(problem(ProblemKind::Contradiction, file, wanted, &message));
        }
    }
}

fn replicas(file: &str, document: &Node, problems: &mut Vec<Problem>) {
    if let Some(node) = document.at("/spec/replicas")
        && node.to_json().as_u64().is_none()
    {
        let message = "`replicas` has to be a whole number";
        problems.push(problem(ProblemKind::Incomplete, file, node, message));
    }
}

fn problem(kind: ProblemKind, file: &str, at: &Node, message: &str) -> Problem {
    Problem {
        kind,
        place: place_of(file, at),
        message: message.to_owned(),
        help: None,
    }
}

#[cfg(test)]
mod tests {
    use crate::providers::manifest::{ProblemKind, read};

    fn problems(text: &str) -> Vec<(ProblemKind, u32, String)> {
        let found = read(&[("m.yaml", text)], Some("prod")).problems;
        found
            .into_iter()
            .map(|p| (p.kind, p.place.line, p.message))
            .collect()
    }

    fn kinds(text: &str) -> Vec<(ProblemKind, u32)> {
        problems(text)
            .into_iter()
            .map(|(kind, line, _)| (kind, line))
            .collect()
    }

    const GOOD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 2\n  \
                        selector:\n    matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        \
                        app: web\n    spec:\n      containers:\n      - name: web\n        image: web:1\n";

    #[test]
    fn a_good_manifest_has_no_problem() {
        assert_eq!(problems(GOOD), []);
    }

    #[test]
    fn what_is_missing_is_named_at_its_place() {
        use ProblemKind::Incomplete;
        assert_eq!(
            kinds("kind: ConfigMap\nmetadata: {name: a}\n"),
            [(Incomplete, 1)]
        );
        assert_eq!(
            kinds("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels: {}\n"),
            [(Incomplete, 4)]
        );
        assert_eq!(
            kinds("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Web_1}\n"),
            [(Incomplete, 3)]
        );
        assert_eq!(
            kinds("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: w-}\n"),
            [(Incomplete, 3)]
        );
        assert_eq!(
            kinds("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: n\n"),
            [(Incomplete, 5)]
        );
        assert_eq!(kinds("- 1\n- 2\n"), [(Incomplete, 1)]);
        assert_eq!(
            kinds(&GOOD.replace(
                "containers:\n      - name: web\n        image: web:1\n",
                "containers: []\n"
            )),
            [(Incomplete, 1)]
        );
        assert_eq!(
            kinds(&GOOD.replace("replicas: 2", "replicas: two")),
            [(Incomplete, 6)]
        );
    }

    #[test]
    fn one_object_twice_is_a_duplicate_also_across_versions_of_its_group() {
        let twice = format!("{GOOD}---\n{}", GOOD.replace("apps/v1", "apps/v1beta2"));
        assert_eq!(kinds(&twice), [(ProblemKind::Duplicate, 19)]);
        let other = format!(
            "{GOOD}---\n{}",
            GOOD.replace("name: web\nspec", "name: web\n  namespace: prod\nspec")
        );
        assert_eq!(kinds(&other), [(ProblemKind::Duplicate, 19)]);
    }

    #[test]
    fn a_selector_that_does_not_match_its_template_is_a_contradiction() {
        let text = GOOD.replace("labels:\n        app: web", "labels:\n        app: api");
        assert_eq!(kinds(&text), [(ProblemKind::Contradiction, 9)]);
    }

    #[test]
    fn another_namespace_and_fields_of_live_objects_are_refused() {
        let text =
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: dev\n  uid: x\n";
        use ProblemKind::{LiveField, OtherNamespace};
        assert_eq!(kinds(text), [(LiveField, 6), (OtherNamespace, 1)]);
    }

    #[test]
    fn a_secret_is_refused() {
        let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";
        assert_eq!(kinds(text), [(ProblemKind::Secret, 1)]);
    }
}
