//! What the simulated API server knows of kinds: their groups, their plurals, and the fields of a Deployment.

use crate::providers::request::{Failure, FailureKind};
use crate::simulate::systems::failure;
use serde_json::Value;

const API_VERSIONS: [&str; 10] = [
    "v1",
    "apps/v1",
    "batch/v1",
    "autoscaling/v2",
    "networking.k8s.io/v1",
    "policy/v1",
    "rbac.authorization.k8s.io/v1",
    "storage.k8s.io/v1",
    "scheduling.k8s.io/v1",
    "discovery.k8s.io/v1",
];

const DEPLOYMENT_FIELDS: [&str; 8] = [
    "replicas",
    "selector",
    "template",
    "strategy",
    "minReadySeconds",
    "revisionHistoryLimit",
    "paused",
    "progressDeadlineSeconds",
];

/// Refuses what a server with strict field validation would refuse.
pub fn check(manifest: &Value) -> Result<(), Failure> {
    let text = |key: &str| manifest.get(key).and_then(Value::as_str).unwrap_or("");
    let version = text("apiVersion");
    if !API_VERSIONS.contains(&version) {
        let message = format!("the cluster knows no `{}` of `{version}`", text("kind"));
        return Err(failure(FailureKind::Invalid, message));
    }
    if text("kind") != "Deployment" {
        return Ok(());
    }
    let spec = manifest.get("spec").and_then(Value::as_object);
    let mut fields = spec.into_iter().flatten().map(|(name, _)| name.as_str());
    match fields.find(|name| !DEPLOYMENT_FIELDS.contains(name)) {
        None => Ok(()),
        Some(unknown) => {
            let message = format!("unknown field \"spec.{unknown}\"");
            Err(failure(FailureKind::Invalid, message))
        }
    }
}

/// Group and plural, as rights name them: `("apps", "deployments")`.
pub fn resource(kind: &str) -> (&'static str, String) {
    let group = match kind {
        "deployment" | "statefulset" | "daemonset" | "replicaset" => "apps",
        "job" | "cronjob" => "batch",
        "horizontalpodautoscaler" => "autoscaling",
        "networkpolicy" | "ingress" => "networking.k8s.io",
        "poddisruptionbudget" => "policy",
        "role" | "rolebinding" | "clusterrole" | "clusterrolebinding" => {
            "rbac.authorization.k8s.io"
        }
        _ => "",
    };
    let plural = match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('s') => format!("{kind}es"),
        None => format!("{kind}s"),
    };
    (group, plural)
}
