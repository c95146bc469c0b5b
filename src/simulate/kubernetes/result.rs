//! What a change of the simulated cluster gives: `NAME.field` of a step reads it.

use crate::providers::kubernetes::canary;
use crate::providers::request::{Call, Intent, Key};
use crate::simulate::kubernetes::Cluster;
use crate::simulate::kubernetes::deployment::Wanted;
use crate::simulate::kubernetes::object::Name;
use crate::simulate::kubernetes::pod;
use crate::simulate::kubernetes::reads::{containers, field_of, text_map};
use crate::simulate::kubernetes::task::Task;
use crate::simulate::systems::{record, text};
use crate::units::Dim;
use crate::values::{Instant, Value};
use serde::{Deserialize, Serialize};

/// What stands in an intent for the way forward.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Steps {
    pub tasks: Vec<Task>,
    /// The Deployment that the change is about, if it is about one.
    pub deployment: String,
    /// The one beside it.
    pub beside: String,
    /// Objects that already are as they are wanted.
    pub kept: usize,
    /// The Services whose traffic a canary moves.
    pub services: Vec<String>,
}

pub fn steps(intent: &Intent) -> Steps {
    serde_json::from_value(intent.forward.clone()).unwrap_or_default()
}

pub fn result(
    cluster: &Cluster,
    namespace: &str,
    key: &Key,
    intent: &Intent,
    started: Instant,
) -> Value {
    let call = &intent.call;
    let steps = steps(intent);
    match call.function.as_str() {
        "apply" => {
            let mut fields = release(cluster, namespace, &steps, started);
            fields.push(("key", Value::String(key.0.clone())));
            for arg in ["path", "force"] {
                fields.push((arg, Value::String(text(call, arg))));
            }
            named(fields)
        }
        "scale" | "image" | "restart" | "canary_promote" => {
            rollout(cluster, namespace, &steps, started)
        }
        "switch" => switched(cluster, namespace, &text(call, "service"), started),
        "canary_weight" => weight(cluster, namespace, call),
        "create_namespace" => record([("created", Value::Bool(!steps.tasks.is_empty()))]),
        _ => record([]),
    }
}

fn release(
    cluster: &Cluster,
    namespace: &str,
    steps: &Steps,
    started: Instant,
) -> Vec<(&'static str, Value)> {
    let holder = match steps.beside.as_str() {
        "" => &steps.deployment,
        _ => &steps.beside,
    };
    let holder = Name::new("deployment", namespace, holder);
    let object = cluster.store.objects.get(&holder);
    let (image, images) = object.map_or((String::new(), record([])), containers);
    let names = canary::pod_names(&steps.deployment);
    let mut fields = vec![
        ("started", Value::Instant(started)),
        ("deployment", Value::String(steps.deployment.clone())),
        ("canary", Value::String(steps.beside.clone())),
        ("image", Value::String(image)),
        ("images", images),
        ("canary_pods", Value::String(names.canary)),
        ("stable_pods", Value::String(names.stable)),
        ("all_pods", Value::String(names.all)),
        ("was", Value::String(template(cluster, namespace, steps))),
        (
            "services",
            Value::List(steps.services.iter().cloned().map(Value::String).collect()),
        ),
    ];
    fields.extend(how_many(steps));
    fields
}

/// In JSON: by it a stage sees whether somebody has changed the old version since.
fn template(cluster: &Cluster, namespace: &str, steps: &Steps) -> String {
    let name = Name::new("deployment", namespace, &steps.deployment);
    let object = cluster.store.objects.get(&name);
    let template = object.and_then(|object| object.body.pointer("/spec/template"));
    template.map_or(String::new(), ToString::to_string)
}

fn rollout(cluster: &Cluster, namespace: &str, steps: &Steps, started: Instant) -> Value {
    let name = Name::new("deployment", namespace, &steps.deployment);
    let object = cluster.store.objects.get(&name);
    let (image, _) = object.map_or((String::new(), record([])), containers);
    let replicas = object.map_or(0, |object| Wanted::of(object).replicas);
    let mut fields = vec![
        ("started", Value::Instant(started)),
        ("deployment", Value::String(steps.deployment.clone())),
        ("image", Value::String(image)),
        ("replicas", Value::count(replicas)),
    ];
    fields.extend(how_many(steps));
    named(fields)
}

fn switched(cluster: &Cluster, namespace: &str, service: &str, started: Instant) -> Value {
    let name = Name::new("service", namespace, service);
    let object = cluster.store.objects.get(&name);
    let selector = pod::labels(object.and_then(|object| object.body.pointer("/spec/selector")));
    let endpoints = number(cluster.endpoints(&name).len());
    record([
        ("started", Value::Instant(started)),
        ("selector", text_map(&selector)),
        ("endpoints", Value::count(endpoints)),
    ])
}

/// The achieved weight, read back from what takes traffic.
fn weight(cluster: &Cluster, namespace: &str, call: &Call) -> Value {
    let stable = Name::new(
        "deployment",
        namespace,
        &field_of(call, "release", "deployment"),
    );
    let beside = Name::new("deployment", namespace, &canary::canary_name(&stable.name));
    let services = cluster.store.objects.keys();
    let services = services.filter(|name| name.kind == "service" && name.namespace == namespace);
    let behind: Vec<&Name> = services
        .map(|service| cluster.endpoints(service))
        .find(|pods| pods.iter().any(|pod| pod.owner == beside))
        .map(|pods| pods.iter().map(|pod| &pod.owner).collect())
        .unwrap_or_default();
    let of = |owner: &Name| behind.iter().filter(|found| **found == owner).count();
    let (new, old) = (of(&beside), of(&stable));
    let achieved = if new + old == 0 {
        0.0
    } else {
        new as f64 / (new + old) as f64
    };
    record([
        ("achieved", Value::measured(Dim::Ratio, achieved)),
        ("canary", Value::count(number(new))),
        ("stable", Value::count(number(old))),
    ])
}

/// By what is wanted, so that it is the same when a change is issued again.
fn how_many(steps: &Steps) -> [(&'static str, Value); 3] {
    let made = |task: &&Task| matches!(task, Task::Apply { seen: None, .. });
    let changed =
        |task: &&Task| matches!(task, Task::Apply { seen: Some(_), .. } | Task::Write { .. });
    let count = |n: usize| Value::count(number(n));
    [
        ("created", count(steps.tasks.iter().filter(made).count())),
        ("changed", count(steps.tasks.iter().filter(changed).count())),
        ("unchanged", count(steps.kept)),
    ]
}

fn named(fields: Vec<(&'static str, Value)>) -> Value {
    Value::Record(fields.into_iter().collect())
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
