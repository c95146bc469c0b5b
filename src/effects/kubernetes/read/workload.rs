//! Deployments, autoscalers, Services and pods.

use crate::effects::kubernetes::args::{record, string};
use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::endpoints;
use crate::effects::kubernetes::failure::{invalid, not_found};
use crate::effects::kubernetes::object::{
    flag, generation, holds, is_being_deleted, items, map, number, text,
};
use crate::effects::kubernetes::pods::{is_finished, is_of, summary};
use crate::effects::kubernetes::resource::{
    AUTOSCALERS, DEPLOYMENTS, PODS, Place, Resource, SERVICES,
};
use crate::providers::kubernetes::canary::canary_name;
use crate::providers::request::Failure;
use crate::values::Value;
use crate::values::fields::Fields;
use serde_json::{Map, Value as Json};

/// An object that has to be there.
pub async fn existing(api: &Api, place: &Place) -> Result<Json, Failure> {
    let found = api
        .get(place)
        .await
        .map_err(|error| error.about(&place.short()))?;
    found.ok_or_else(|| absent(api, &place.resource, &place.name))
}

fn absent(api: &Api, resource: &Resource, name: &str) -> Failure {
    let namespace = &api.namespace;
    not_found(format!(
        "there is no {} `{name}` in namespace `{namespace}`",
        resource.kind
    ))
}

pub async fn deployment(api: &Api, name: &str) -> Result<Value, Failure> {
    let live = existing(api, &api.place(DEPLOYMENTS, name)).await?;
    let count = |pointer: &str| Value::count(number(&live, pointer));
    let (image, images) = images(&live);
    let observed = number(&live, "/status/observedGeneration") >= generation(&live);
    Ok(record([
        ("image", image),
        ("images", images),
        ("replicas", count("/spec/replicas")),
        ("updated", count("/status/updatedReplicas")),
        ("ready", count("/status/readyReplicas")),
        ("available", count("/status/availableReplicas")),
        ("observed", Value::Bool(observed)),
        ("paused", Value::Bool(flag(&live, "/spec/paused"))),
    ]))
}

/// The image of the first container, and all by the names of theirs.
pub fn images(deployment: &Json) -> (Value, Value) {
    let containers = items(deployment, "/spec/template/spec/containers");
    let first = containers
        .first()
        .map_or("", |container| text(container, "/image"));
    let all: Fields = containers
        .iter()
        .map(|container| {
            (
                text(container, "/name").to_owned(),
                string(text(container, "/image")),
            )
        })
        .collect();
    (string(first), Value::Record(all))
}

pub async fn autoscaler(api: &Api, name: &str) -> Result<Value, Failure> {
    let live = existing(api, &api.place(AUTOSCALERS, name)).await?;
    let count = |pointer: &str| Value::count(number(&live, pointer));
    let able = holds(&live, "AbleToScale") && holds(&live, "ScalingActive");
    let min = live
        .pointer("/spec/minReplicas")
        .and_then(Json::as_i64)
        .unwrap_or(1);
    Ok(record([
        ("able", Value::Bool(able)),
        ("current", count("/status/currentReplicas")),
        ("desired", count("/status/desiredReplicas")),
        ("min", Value::count(min)),
        ("max", count("/spec/maxReplicas")),
    ]))
}

pub async fn service(api: &Api, name: &str) -> Result<Value, Failure> {
    let place = api.place(SERVICES, name);
    let (live, ready) = tokio::join!(existing(api, &place), endpoints::ready(api, name));
    let (live, ready) = (live?, ready.map_err(|error| error.about(&place.short()))?);
    let addresses = items(&live, "/status/loadBalancer/ingress")
        .iter()
        .map(|ingress| {
            let ip = text(ingress, "/ip");
            string(if ip.is_empty() {
                text(ingress, "/hostname")
            } else {
                ip
            })
        });
    Ok(record([
        (
            "endpoints",
            crate::effects::kubernetes::args::number(ready.len()),
        ),
        ("selector", text_map(map(&live, "/spec/selector"))),
        ("cluster_ip", string(text(&live, "/spec/clusterIP"))),
        ("addresses", Value::List(addresses.collect())),
    ]))
}

pub async fn pods(api: &Api, selector: Option<&str>) -> Result<Value, Failure> {
    let pods = listed(api, selector.unwrap_or("")).await?;
    Ok(summary(pods.iter().filter(|pod| !is_finished(pod))))
}

/// The pods of one side of a release.
pub async fn revision_pods(api: &Api, deployment: &str, scope: &str) -> Result<Value, Failure> {
    let beside = canary_name(deployment);
    let sides = match scope {
        "canary" => vec![beside.as_str()],
        "stable" => vec![deployment],
        "all" => vec![deployment, beside.as_str()],
        "release" => {
            let found = api.get(&api.place(DEPLOYMENTS, &beside)).await;
            let found = found.map_err(|error| error.about(&format!("deployment/{beside}")))?;
            match found.filter(|found| !is_being_deleted(found)) {
                Some(_) => vec![beside.as_str()],
                None => vec![deployment],
            }
        }
        other => {
            let message = format!("`{other}` is no scope: `canary`, `stable`, `all`, `release`");
            return Err(invalid(message));
        }
    };
    let pods = listed(api, "").await?;
    let belongs = |pod: &&Json| sides.iter().any(|side| is_of(pod, side)) && !is_finished(pod);
    Ok(summary(pods.iter().filter(belongs)))
}

async fn listed(api: &Api, selector: &str) -> Result<Vec<Json>, Failure> {
    let pods = api.list(&PODS, selector).await;
    pods.map_err(|error| error.about("the pods"))
}

pub fn text_map(map: Option<&Map<String, Json>>) -> Value {
    let entries = map.into_iter().flatten();
    let texts = entries.map(|(name, value)| (name.clone(), string(value.as_str().unwrap_or(""))));
    Value::Record(texts.collect())
}
