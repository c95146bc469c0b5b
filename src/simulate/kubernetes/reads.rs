//! What the simulated cluster answers when it is asked.

use crate::providers::kubernetes::canary;
use crate::providers::kubernetes::reads::EVENTS_KEPT_NS;
use crate::providers::request::{Call, Failure, FailureKind};
use crate::simulate::kubernetes::Cluster;
use crate::simulate::kubernetes::deployment::Wanted;
use crate::simulate::kubernetes::object::{Name, Object};
use crate::simulate::kubernetes::pod::{self, Labels, Pod};
use crate::simulate::systems::{failure, record, text, unknown};
use crate::values::{Instant, Value, Version};
use regex::Regex;
use serde_json::Value as Json;

/// Answers a read of a provider whose namespace this is.
pub fn read(cluster: &Cluster, namespace: &str, call: &Call) -> Result<Value, Failure> {
    match call.function.as_str() {
        "version" => Ok(Value::version(version(&cluster.version))),
        "nodes" => Ok(nodes(cluster)),
        "storage_classes" => Ok(counts([("total", 1), ("default", 1)])),
        "namespace" => Ok(namespace_record(cluster, &text(call, "name"))),
        "quotas" => Ok(counts([("count", 0), ("exceeded", 0)])),
        "deployment" => deployment(cluster, namespace, &text(call, "name")),
        "autoscaler" => autoscaler(cluster, namespace, &text(call, "name")),
        "service" => service(cluster, namespace, &text(call, "name")),
        "pods" => Ok(selected(cluster, namespace, &text(call, "selector"))),
        "revision_pods" => revision_pods(cluster, namespace, call),
        "events" => events(cluster, namespace, call),
        "has" => Ok(Value::Bool(has(cluster, namespace, &text(call, "object")))),
        "can" => can(cluster, namespace, call),
        _ => Err(unknown(call)),
    }
}

/// A Deployment as `deployment(…)` and `NAME.before` show it.
pub fn containers(object: &Object) -> (String, Value) {
    let template = object.body.pointer("/spec/template/spec/containers");
    let list = template
        .and_then(Json::as_array)
        .map_or(&[][..], Vec::as_slice);
    let word = |container: &Json, key: &str| {
        let found = container.get(key).and_then(Json::as_str);
        found.unwrap_or_default().to_owned()
    };
    let images = list.iter().map(|container| {
        let image = Value::String(word(container, "image"));
        (word(container, "name"), image)
    });
    let first = list.first().map(|container| word(container, "image"));
    (first.unwrap_or_default(), Value::Record(images.collect()))
}

pub fn not_found(kind: &str, name: &str, namespace: &str) -> Failure {
    let message = format!("there is no {kind} `{name}` in namespace `{namespace}`");
    failure(FailureKind::NotFound, message)
}

pub fn text_map(labels: &Labels) -> Value {
    let pairs = labels.iter();
    Value::Record(
        pairs
            .map(|(key, value)| (key.clone(), Value::String(value.clone())))
            .collect(),
    )
}

/// A text field of a record among the arguments, as `release.canary`.
pub fn field_of(call: &Call, arg: &str, field: &str) -> String {
    match call.args.get(arg) {
        Some(Value::Record(fields)) => match fields.get(field) {
            Some(Value::String(text)) => text.clone(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

fn version(text: &str) -> Version {
    let digits = text.trim_start_matches('v').split('.');
    Version {
        numbers: digits.filter_map(|part| part.parse().ok()).collect(),
        pre: None,
        text: text.to_owned(),
    }
}

fn nodes(cluster: &Cluster) -> Value {
    let ready = cluster.nodes.iter().filter(|node| node.ready).count();
    counts([
        ("total", number(cluster.nodes.len())),
        ("ready", number(ready)),
        ("networked", number(ready)),
    ])
}

fn namespace_record(cluster: &Cluster, name: &str) -> Value {
    let object = cluster.store.objects.get(&Name::new("namespace", "", name));
    let labels = pod::labels(object.and_then(|object| object.body.pointer("/metadata/labels")));
    let phase = if object.is_some() { "Active" } else { "" };
    record([
        ("exists", Value::Bool(object.is_some())),
        ("phase", Value::String(phase.to_owned())),
        ("labels", text_map(&labels)),
    ])
}

fn deployment(cluster: &Cluster, namespace: &str, name: &str) -> Result<Value, Failure> {
    let id = Name::new("deployment", namespace, name);
    let object = cluster.store.objects.get(&id);
    let object = object.ok_or_else(|| not_found("Deployment", name, namespace))?;
    let status =
        |key: &str| Value::count(object.status.get(key).and_then(Json::as_i64).unwrap_or(0));
    let observed = object
        .status
        .get("observedGeneration")
        .and_then(Json::as_i64);
    let (image, images) = containers(object);
    Ok(record([
        ("image", Value::String(image)),
        ("images", images),
        ("replicas", Value::count(Wanted::of(object).replicas)),
        ("updated", status("updatedReplicas")),
        ("ready", status("readyReplicas")),
        ("available", status("availableReplicas")),
        ("observed", Value::Bool(observed == Some(object.generation))),
        (
            "paused",
            Value::Bool(object.body.pointer("/spec/paused") == Some(&Json::Bool(true))),
        ),
    ]))
}

fn autoscaler(cluster: &Cluster, namespace: &str, name: &str) -> Result<Value, Failure> {
    let id = Name::new("horizontalpodautoscaler", namespace, name);
    let object = cluster.store.objects.get(&id);
    let object = object.ok_or_else(|| not_found("HorizontalPodAutoscaler", name, namespace))?;
    let of = |path: &str| {
        object
            .body
            .pointer(path)
            .and_then(Json::as_i64)
            .unwrap_or(1)
    };
    let target = object
        .body
        .pointer("/spec/scaleTargetRef/name")
        .and_then(Json::as_str);
    let target = Name::new("deployment", namespace, target.unwrap_or_default());
    let current = cluster
        .store
        .objects
        .get(&target)
        .map_or(0, |object| Wanted::of(object).replicas);
    Ok(record([
        ("able", Value::Bool(true)),
        ("current", Value::count(current)),
        ("desired", Value::count(current)),
        ("min", Value::count(of("/spec/minReplicas"))),
        ("max", Value::count(of("/spec/maxReplicas"))),
    ]))
}

fn service(cluster: &Cluster, namespace: &str, name: &str) -> Result<Value, Failure> {
    let id = Name::new("service", namespace, name);
    let object = cluster.store.objects.get(&id);
    let object = object.ok_or_else(|| not_found("Service", name, namespace))?;
    let selector = pod::labels(object.body.pointer("/spec/selector"));
    Ok(record([
        (
            "endpoints",
            Value::count(number(cluster.endpoints(&id).len())),
        ),
        ("selector", text_map(&selector)),
        ("cluster_ip", Value::String("10.96.0.10".to_owned())),
        (
            "addresses",
            Value::List(vec![Value::String("192.0.2.10".to_owned())]),
        ),
    ]))
}

fn selected(cluster: &Cluster, namespace: &str, selector: &str) -> Value {
    let pairs = selector.split(',').filter_map(|pair| pair.split_once('='));
    let labels: Labels = pairs
        .map(|(key, value)| {
            (
                key.trim().to_owned(),
                value.trim_start_matches('=').trim().to_owned(),
            )
        })
        .collect();
    let here = |pod: &&Pod| pod.name.namespace == namespace;
    let all = cluster.pods.values().filter(here);
    let fits = |pod: &&Pod| labels.is_empty() || pod::selects(&labels, &pod.labels);
    pods(all.filter(fits))
}

fn revision_pods(cluster: &Cluster, namespace: &str, call: &Call) -> Result<Value, Failure> {
    let stable = Name::new(
        "deployment",
        namespace,
        &field_of(call, "release", "deployment"),
    );
    let beside = Name::new("deployment", namespace, &canary::canary_name(&stable.name));
    let scope = text(call, "scope");
    let released = match (scope.as_str(), cluster.store.objects.contains_key(&beside)) {
        ("canary", _) | ("release", true) => vec![&beside],
        ("stable", _) | ("release", false) => vec![&stable],
        _ => vec![&stable, &beside],
    };
    let all = cluster.pods.values();
    Ok(pods(all.filter(|pod| released.contains(&&pod.owner))))
}

fn pods<'a>(pods: impl Iterator<Item = &'a Pod>) -> Value {
    let pods: Vec<&Pod> = pods.filter(|pod| !pod.deleting).collect();
    let how_many = |is: fn(&Pod) -> bool| number(pods.iter().filter(|pod| is(pod)).count());
    counts([
        ("total", number(pods.len())),
        ("ready", how_many(Pod::healthy)),
        ("healthy", how_many(Pod::healthy)),
        ("open", how_many(Pod::ready)),
        ("restarts", pods.iter().map(|pod| pod.restarts).sum()),
        ("waiting", how_many(|pod| pod.waiting.is_some())),
    ])
}

fn events(cluster: &Cluster, namespace: &str, call: &Call) -> Result<Value, Failure> {
    let since = match call.args.get("since") {
        Some(Value::Instant(since)) => *since,
        _ => Instant(0),
    };
    if cluster.now.since(since) > EVENTS_KEPT_NS {
        let message = "the cluster may have thrown away events that are older than 1h".to_owned();
        return Err(failure(FailureKind::Refused, message));
    }
    let pattern = text(call, "pattern");
    let whole = Regex::new(&format!("^(?:{pattern})$"));
    let whole = whole.map_err(|error| failure(FailureKind::Invalid, error.to_string()))?;
    let here = |event: &&crate::simulate::kubernetes::Event| {
        event.object.namespace == namespace && event.at >= since && whole.is_match(event.reason)
    };
    let found = cluster.events.iter().filter(here).count();
    Ok(Value::count(number(found)))
}

fn has(cluster: &Cluster, namespace: &str, object: &str) -> bool {
    let (kind, name) = object.split_once('/').unwrap_or((object, ""));
    let id = Name::new(kind.trim_end_matches('s'), namespace, name);
    cluster.store.objects.contains_key(&id)
}

fn can(cluster: &Cluster, namespace: &str, call: &Call) -> Result<Value, Failure> {
    let account = text(call, "account");
    if !cluster
        .store
        .objects
        .contains_key(&Name::new("serviceaccount", namespace, &account))
    {
        return Err(not_found("ServiceAccount", &account, namespace));
    }
    let verb = text(call, "verb");
    Ok(Value::Bool(
        ["get", "list", "watch"].contains(&verb.as_str()),
    ))
}

fn counts<const N: usize>(fields: [(&'static str, i64); N]) -> Value {
    record(fields.map(|(name, n)| (name, Value::count(n))))
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
