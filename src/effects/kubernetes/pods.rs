//! Pods: what each of them says of itself, and what a group of them amounts to.

use crate::effects::kubernetes::args::{number, record};
use crate::effects::kubernetes::object::{
    holds, is_being_deleted, items, map, name, number as count_at, text,
};
use crate::values::Value;
use serde_json::{Map, Value as Json};

/// A container that starts says so too; that is no trouble.
const STARTING: [&str; 2] = ["ContainerCreating", "PodInitializing"];

pub fn is_finished(pod: &Json) -> bool {
    matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

/// Its containers are ready; whether traffic reaches it is another matter.
pub fn is_ready(pod: &Json) -> bool {
    holds(pod, "ContainersReady") && !is_being_deleted(pod)
}

/// Ready with all its readiness gates: Services send traffic to it.
pub fn is_open(pod: &Json) -> bool {
    holds(pod, "Ready") && !is_being_deleted(pod)
}

pub fn is_healthy(pod: &Json) -> bool {
    is_ready(pod) && text(pod, "/status/phase") == "Running" && waiting(pod).is_none()
}

fn containers(pod: &Json) -> impl Iterator<Item = &Json> {
    let main = items(pod, "/status/containerStatuses");
    items(pod, "/status/initContainerStatuses")
        .iter()
        .chain(main)
}

pub fn restarts(pod: &Json) -> i64 {
    containers(pod)
        .map(|container| count_at(container, "/restartCount"))
        .sum()
}

/// The first container that cannot be started, and why: its status, the reason.
pub fn waiting(pod: &Json) -> Option<(&Json, &str)> {
    containers(pod).find_map(|container| {
        let reason = text(container, "/state/waiting/reason");
        (!reason.is_empty() && !STARTING.contains(&reason)).then_some((container, reason))
    })
}

pub fn labels(pod: &Json) -> Map<String, Json> {
    map(pod, "/metadata/labels").cloned().unwrap_or_default()
}

/// Whether it belongs to a ReplicaSet of this Deployment; labels alone do not say so.
pub fn is_of(pod: &Json, deployment: &str) -> bool {
    let hash = map(pod, "/metadata/labels").and_then(|labels| labels.get("pod-template-hash"));
    let Some(hash) = hash.and_then(Json::as_str) else {
        return false;
    };
    let owner = format!("{deployment}-{hash}");
    items(pod, "/metadata/ownerReferences")
        .iter()
        .any(|reference| {
            text(reference, "/kind") == "ReplicaSet" && text(reference, "/name") == owner
        })
}

/// As the provider's `pods` shows them.
pub fn summary<'a>(pods: impl Iterator<Item = &'a Json>) -> Value {
    let pods: Vec<&Json> = pods.filter(|pod| !is_being_deleted(pod)).collect();
    let how_many = |is: fn(&Json) -> bool| number(pods.iter().filter(|pod| is(pod)).count());
    record([
        ("total", number(pods.len())),
        ("ready", how_many(is_ready)),
        ("healthy", how_many(is_healthy)),
        ("open", how_many(is_open)),
        (
            "restarts",
            Value::count(pods.iter().map(|pod| restarts(pod)).sum()),
        ),
        ("waiting", how_many(|pod| waiting(pod).is_some())),
    ])
}

/// What keeps a pod from becoming ready, in its own words.
pub fn words(pod: &Json) -> Option<String> {
    if let Some((container, reason)) = waiting(pod) {
        let mut words = format!(
            "pod {}, container {}: {reason}",
            name(pod),
            text(container, "/name")
        );
        let message = text(container, "/state/waiting/message");
        if !message.is_empty() {
            words.push_str(&format!(": {message}"));
        }
        if let Some(end) = container.pointer("/lastState/terminated") {
            words.push_str(&format!("; ended with {}", count_at(end, "/exitCode")));
            let reason = text(end, "/reason");
            if !reason.is_empty() && reason != "Error" {
                words.push_str(&format!(" ({reason})"));
            }
        }
        return Some(words);
    }
    let unscheduled = items(pod, "/status/conditions").iter().find(|condition| {
        text(condition, "/type") == "PodScheduled" && text(condition, "/status") == "False"
    });
    if let Some(condition) = unscheduled {
        return Some(format!(
            "pod {} is not scheduled: {}",
            name(pod),
            text(condition, "/message")
        ));
    }
    if is_being_deleted(pod) || is_ready(pod) {
        return None;
    }
    let message = items(pod, "/status/conditions")
        .iter()
        .find(|condition| text(condition, "/type") == "ContainersReady")
        .map_or("", |condition| text(condition, "/message"));
    Some(match message {
        "" => format!("pod {} is not ready", name(pod)),
        message => format!("pod {} is not ready: {message}", name(pod)),
    })
}

#[cfg(test)]
mod tests {
    use crate::effects::kubernetes::pods::{is_healthy, is_of, is_open, is_ready, summary, words};
    use crate::values::show;
    use serde_json::{Value, json};

    fn pod(conditions: &[(&str, &str)], container: Value) -> Value {
        let conditions: Vec<Value> = conditions
            .iter()
            .map(|(kind, status)| json!({"type": kind, "status": status}))
            .collect();
        json!({
            "metadata": {
                "name": "api-canary-5f-x1y2z",
                "labels": {"pod-template-hash": "5f"},
                "ownerReferences": [{"kind": "ReplicaSet", "name": "api-canary-5f"}],
            },
            "status": {"phase": "Running", "conditions": conditions, "containerStatuses": [container]},
        })
    }

    #[test]
    fn a_shut_pod_is_ready_and_healthy_but_not_open() {
        let shut = pod(
            &[("ContainersReady", "True"), ("Ready", "False")],
            json!({"name": "api", "restartCount": 2}),
        );
        assert!(is_ready(&shut) && is_healthy(&shut) && !is_open(&shut));
        let shown = show::value(&summary([&shut].into_iter()));
        assert!(
            shown.contains("ready: 1")
                && shown.contains("open: 0")
                && shown.contains("restarts: 2"),
            "{shown}"
        );
        assert_eq!(words(&shut), None);
    }

    #[test]
    fn a_pod_belongs_to_the_deployment_of_its_replica_set() {
        let canary = pod(&[], json!({}));
        assert!(is_of(&canary, "api-canary") && !is_of(&canary, "api"));
    }

    #[test]
    fn a_pod_in_trouble_says_why() {
        let pulling = json!({"name": "api", "state": {"waiting": {
            "reason": "ImagePullBackOff", "message": "Back-off pulling image \"x:1\"",
        }}});
        let told = words(&pod(&[("ContainersReady", "False")], pulling)).unwrap();
        assert_eq!(
            told,
            "pod api-canary-5f-x1y2z, container api: ImagePullBackOff: Back-off pulling image \"x:1\""
        );
        let crashing = json!({"name": "api", "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                              "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}});
        let told = words(&pod(&[], crashing)).unwrap();
        assert!(
            told.ends_with("CrashLoopBackOff; ended with 137 (OOMKilled)"),
            "{told}"
        );
        let starting =
            json!({"name": "api", "state": {"waiting": {"reason": "ContainerCreating"}}});
        assert_eq!(
            words(&pod(&[], starting)).unwrap(),
            "pod api-canary-5f-x1y2z is not ready"
        );
    }
}
