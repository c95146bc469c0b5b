//! The containers of an object and their images.

use crate::providers::manifest::tree::Node;
use crate::providers::manifest::{Manifests, Object, Place, Problem, ProblemKind, place_of};
use indexmap::IndexMap;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    pub name: String,
    /// As the manifest says; one that gets its image from the plan needs none.
    pub image: Option<String>,
    /// Of the image where it is written, else of the container.
    pub place: Place,
}

/// Where a kind of object describes its pods.
pub fn pod_pointer(kind: &str) -> Option<&'static str> {
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
            Some("/spec/template/spec")
        }
        "CronJob" => Some("/spec/jobTemplate/spec/template/spec"),
        "Pod" => Some("/spec"),
        _ => None,
    }
}

const LISTS: [&str; 2] = ["containers", "initContainers"];

pub fn containers(file: &str, kind: &str, document: &Node) -> Vec<Container> {
    let Some(pod) = pod_pointer(kind).and_then(|pointer| document.at(pointer)) else {
        return Vec::new();
    };
    let lists = LISTS.iter().filter_map(|list| pod.get(list));
    lists
        .flat_map(Node::items)
        .filter_map(|container| {
            let image = container.get("image");
            Some(Container {
                name: container.get("name")?.text()?.to_owned(),
                image: image.and_then(Node::text).map(str::to_owned),
                place: place_of(file, image.unwrap_or(container)),
            })
        })
        .collect()
}

/// Puts images in, by the name of the container, wherever it stands.
pub fn put(objects: &mut [Object], images: &IndexMap<String, String>) {
    for object in objects {
        let Some(pod) = pod_pointer(&object.kind).and_then(|at| object.body.pointer_mut(at)) else {
            continue;
        };
        for list in LISTS {
            let containers = pod.get_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                let image = container.get("name").and_then(Value::as_str);
                let image = image.and_then(|name| images.get(name)).cloned();
                if let (Some(image), Some(container)) = (image, container.as_object_mut()) {
                    container.insert("image".to_owned(), Value::String(image));
                }
            }
        }
    }
}

/// Whether each image of `given` has a container, and each container an image.
pub fn check<'a>(
    manifests: &Manifests,
    given: impl Iterator<Item = &'a str> + Clone,
) -> Vec<Problem> {
    let all = || {
        manifests
            .objects
            .iter()
            .flat_map(|object| &object.containers)
    };
    let mut problems = Vec::new();
    for name in given.clone() {
        if all().any(|container| container.name == name) {
            continue;
        }
        let place = manifests.objects.first().map(|object| object.place.clone());
        let mut known: Vec<&str> = all().map(|container| container.name.as_str()).collect();
        known.dedup();
        problems.push(Problem {
            kind: ProblemKind::UnknownContainer,
            place: place.unwrap_or(Place {
                file: String::new(),
                line: 1,
                column: 1,
            }),
            message: format!("an image is given for container `{name}`, which is in no manifest"),
            help: (!known.is_empty())
                .then(|| format!("the containers are `{}`", known.join("`, `"))),
        });
    }
    for container in all() {
        let has_image =
            container.image.is_some() || given.clone().any(|name| name == container.name);
        if !has_image {
            problems.push(Problem {
                kind: ProblemKind::Incomplete,
                place: container.place.clone(),
                message: format!("container `{}` has no image", container.name),
                help: Some(format!(
                    "write it here, or give it as `images: {{ {}: … }}`",
                    container.name
                )),
            });
        }
    }
    problems
}

/// Whether an image may be another one tomorrow: no digest, and no tag or `latest`.
pub fn is_moving(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use crate::providers::manifest::images::{check, is_moving, put};
    use crate::providers::manifest::{Manifests, ProblemKind, read};
    use indexmap::IndexMap;

    fn manifests() -> Manifests {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  \
                    selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec:\n      \
                    initContainers:\n      - {name: init, image: \"i:1\"}\n      containers:\n      \
                    - {name: api, image: \"a:1\"}\n      - name: side\n---\n\
                    apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly}\nspec:\n  schedule: \"0 3 * * *\"\n  \
                    jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: api, image: \"a:1\"}]}}}}\n";
        read(&[("web.yaml", text)], None)
    }

    #[test]
    fn an_image_goes_to_each_container_of_its_name() {
        let mut manifests = manifests();
        let images = IndexMap::from([("api".to_owned(), "a:2".to_owned())]);
        put(&mut manifests.objects, &images);
        let body = &manifests.objects[0].body;
        assert_eq!(
            body.pointer("/spec/template/spec/containers/0/image")
                .unwrap(),
            "a:2"
        );
        assert_eq!(
            body.pointer("/spec/template/spec/initContainers/0/image")
                .unwrap(),
            "i:1"
        );
        let job = "/spec/jobTemplate/spec/template/spec/containers/0/image";
        assert_eq!(manifests.objects[1].body.pointer(job).unwrap(), "a:2");
    }

    #[test]
    fn images_without_container_and_containers_without_image_are_found() {
        let manifests = manifests();
        let problems = check(&manifests, ["apii"].into_iter());
        let kinds: Vec<ProblemKind> = problems.iter().map(|problem| problem.kind).collect();
        assert_eq!(
            kinds,
            [ProblemKind::UnknownContainer, ProblemKind::Incomplete]
        );
        assert!(problems[0].help.as_ref().unwrap().contains("`api`"));
        assert_eq!(problems[1].place.line, 13);
        assert!(check(&manifests, ["side"].into_iter()).is_empty());
    }

    #[test]
    fn moving_tags() {
        assert!(is_moving("nginx") && is_moving("reg:5000/nginx") && is_moving("nginx:latest"));
        assert!(!is_moving("reg:5000/nginx:1.2") && !is_moving("nginx@sha256:00"));
    }
}
