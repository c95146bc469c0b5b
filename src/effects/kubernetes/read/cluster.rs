//! The cluster as a whole: version, nodes, storage, namespaces, quotas.

use crate::effects::kubernetes::args::{number, record, string};
use crate::effects::kubernetes::client::{Api, Payload};
use crate::effects::kubernetes::failure::malformed;
use crate::effects::kubernetes::object::{condition, holds, map, text};
use crate::effects::kubernetes::read::workload::text_map;
use crate::effects::kubernetes::resource::{NAMESPACES, NODES, QUOTAS, STORAGE_CLASSES};
use crate::providers::request::Failure;
use crate::values::{Value, Version};
use http::Method;
use serde_json::Value as Json;

pub async fn version(api: &Api) -> Result<Value, Failure> {
    let answer = api.send(Method::GET, "/version", Payload::None).await;
    let answer = answer.map_err(|error| error.about("the version"))?;
    let text = text(&answer, "/gitVersion");
    let version = parse(text);
    version
        .map(Value::version)
        .ok_or_else(|| malformed(format!("the API server calls its version `{text}`")))
}

/// `v1.34.4`, `v1.33.5-eks-3025e55`, `v1.32.0+k3s1`: what distributions put behind is no pre-release.
fn parse(text: &str) -> Option<Version> {
    let bare = text.strip_prefix('v')?;
    let digits = bare.split(['-', '+']).next()?;
    let numbers: Option<Vec<u64>> = digits.split('.').map(|part| part.parse().ok()).collect();
    let pre = bare.strip_prefix(digits)?.strip_prefix('-');
    let pre = pre.filter(|pre| {
        ["alpha", "beta", "rc"]
            .iter()
            .any(|stage| pre.starts_with(stage))
    });
    Some(Version {
        numbers: numbers?,
        pre: pre.map(str::to_owned),
        text: text.to_owned(),
    })
}

pub async fn nodes(api: &Api) -> Result<Value, Failure> {
    let nodes = api
        .list(&NODES, "")
        .await
        .map_err(|error| error.about("the nodes"))?;
    let how_many = |is: fn(&Json) -> bool| number(nodes.iter().filter(|node| is(node)).count());
    Ok(record([
        ("total", number(nodes.len())),
        ("ready", how_many(|node| holds(node, "Ready"))),
        ("networked", how_many(is_networked)),
    ]))
}

/// A node without its network plugin says so in its condition `Ready`, or by `NetworkUnavailable`.
fn is_networked(node: &Json) -> bool {
    let ready = condition(node, "Ready").map_or("", |ready| text(ready, "/message"));
    let plugin_is_missing =
        ready.contains("NetworkPluginNotReady") || ready.contains("cni plugin not initialized");
    let known = condition(node, "Ready").is_some_and(|ready| text(ready, "/status") != "Unknown");
    known && !plugin_is_missing && !holds(node, "NetworkUnavailable")
}

pub async fn storage_classes(api: &Api) -> Result<Value, Failure> {
    let classes = api.list(&STORAGE_CLASSES, "").await;
    let classes = classes.map_err(|error| error.about("the storage classes"))?;
    let default = classes.iter().filter(|class| {
        let annotations = map(class, "/metadata/annotations");
        let mark =
            annotations.and_then(|all| all.get("storageclass.kubernetes.io/is-default-class"));
        mark.and_then(Json::as_str) == Some("true")
    });
    let default = default.count();
    Ok(record([
        ("total", number(classes.len())),
        ("default", number(default)),
    ]))
}

pub async fn namespace(api: &Api, name: &str) -> Result<Value, Failure> {
    let found = api.get(&api.place(NAMESPACES, name)).await;
    let found = found.map_err(|error| error.about(&format!("namespace/{name}")))?;
    let phase = found
        .as_ref()
        .map_or("", |found| text(found, "/status/phase"));
    let labels = found
        .as_ref()
        .and_then(|found| map(found, "/metadata/labels"));
    Ok(record([
        ("exists", Value::Bool(found.is_some())),
        ("phase", string(phase)),
        ("labels", text_map(labels)),
    ]))
}

pub async fn quotas(api: &Api) -> Result<Value, Failure> {
    let quotas = api
        .list(&QUOTAS, "")
        .await
        .map_err(|error| error.about("the quotas"))?;
    let exceeded = quotas.iter().filter(|quota| is_used_up(quota)).count();
    Ok(record([
        ("count", number(quotas.len())),
        ("exceeded", number(exceeded)),
    ]))
}

fn is_used_up(quota: &Json) -> bool {
    let hard = map(quota, "/status/hard");
    let used = map(quota, "/status/used");
    let limits = hard.into_iter().flatten();
    limits.into_iter().any(|(what, limit)| {
        let used = used
            .and_then(|used| used.get(what))
            .and_then(Json::as_str)
            .and_then(quantity);
        let limit = limit.as_str().and_then(quantity);
        matches!((used, limit), (Some(used), Some(limit)) if used >= limit)
    })
}

/// `500m`, `4`, `2Gi`, `1e3` as Kubernetes writes amounts.
fn quantity(text: &str) -> Option<f64> {
    if let Ok(plain) = text.parse::<f64>() {
        return Some(plain);
    }
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (digits, suffix) = text.split_at_checked(split)?;
    let factor = match suffix {
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024.0_f64.powi(2),
        "Gi" => 1024.0_f64.powi(3),
        "Ti" => 1024.0_f64.powi(4),
        "Pi" => 1024.0_f64.powi(5),
        "Ei" => 1024.0_f64.powi(6),
        _ => return None,
    };
    Some(digits.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use crate::effects::kubernetes::read::cluster::{is_networked, is_used_up, parse, quantity};
    use serde_json::json;

    #[test]
    fn a_node_whose_network_plugin_is_missing_is_not_networked() {
        let node = |status: &str, message: &str, unavailable: &str| {
            json!({"status": {"conditions": [
                {"type": "Ready", "status": status, "message": message},
                {"type": "NetworkUnavailable", "status": unavailable},
            ]}})
        };
        assert!(is_networked(&node(
            "True",
            "kubelet is posting ready status",
            "False"
        )));
        assert!(!is_networked(&node("True", "", "True")));
        assert!(!is_networked(&node(
            "Unknown",
            "Kubelet stopped posting node status",
            "False"
        )));
        let missing = "container runtime network not ready: reason:NetworkPluginNotReady";
        assert!(!is_networked(&node("False", missing, "False")));
        assert!(!is_networked(&json!({})));
    }

    #[test]
    fn a_distribution_is_no_pre_release() {
        let read = |text: &str| parse(text).map(|version| (version.numbers, version.pre));
        assert_eq!(read("v1.34.4"), Some((vec![1, 34, 4], None)));
        assert_eq!(read("v1.33.5-eks-3025e55"), Some((vec![1, 33, 5], None)));
        assert_eq!(read("v1.32.0+k3s1"), Some((vec![1, 32, 0], None)));
        assert_eq!(
            read("v1.36.0-rc.1"),
            Some((vec![1, 36, 0], Some("rc.1".to_owned())))
        );
        assert_eq!(read("latest"), None);
    }

    #[test]
    fn quotas_compare_amounts_not_texts() {
        let quota = |used: &str, hard: &str| json!({"status": {"hard": {"cpu": hard}, "used": {"cpu": used}}});
        assert!(is_used_up(&quota("1000m", "1")) && is_used_up(&quota("2Gi", "2Gi")));
        assert!(!is_used_up(&quota("900m", "1")) && !is_used_up(&quota("9", "10")));
        assert_eq!(quantity("1Ki"), Some(1024.0));
        assert_eq!(quantity("1x"), None);
    }
}
