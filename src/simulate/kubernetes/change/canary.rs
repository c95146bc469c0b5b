//! Releases without traffic, the traffic of a canary, and its promotion.

use crate::providers::kubernetes::KEY_ANNOTATION;
use crate::providers::kubernetes::canary::{self, TRACK_LABEL};
use crate::providers::request::{Call, Failure, FailureKind};
use crate::simulate::kubernetes::change::{Draft, Place, before, force, nano, selector_fields};
use crate::simulate::kubernetes::deployment::Wanted;
use crate::simulate::kubernetes::field::{self, Path};
use crate::simulate::kubernetes::object::{Name, Object};
use crate::simulate::kubernetes::pod::{self, Labels};
use crate::simulate::kubernetes::reads::field_of;
use crate::simulate::kubernetes::store::Force;
use crate::simulate::kubernetes::task::{Mark, Task, drift};
use crate::simulate::systems::failure;
use crate::units::amount::NANO;
use crate::values::Value;
use serde_json::{Value as Json, json};

/// The one Deployment that is there and whose template changes: it stays as it is, and the new pods start beside it.
pub fn carrier(place: Place, objects: &[Json]) -> Result<Name, Failure> {
    let named = objects
        .iter()
        .map(|manifest| (Name::of(manifest, place.namespace), manifest))
        .filter(|(name, _)| name.kind == "deployment");
    let (there, absent): (Vec<_>, Vec<_>) = named.partition(|(name, _)| place.live(name).is_some());
    let changed: Vec<Name> = there
        .into_iter()
        .filter(|(name, manifest)| {
            let live = place
                .live(name)
                .map(|live| live.body.pointer("/spec/template"));
            live.flatten() != manifest.pointer("/spec/template")
        })
        .map(|(name, _)| name)
        .collect();
    let refuse = |message: String| Err(failure(FailureKind::Refused, message));
    match (changed.as_slice(), absent.first()) {
        ([only], _) => served(place, only).map(|()| only.clone()),
        ([], Some((name, _))) => refuse(format!(
            "deployment/{} is not there yet: a canary needs an old version beside which it runs",
            name.name
        )),
        ([], None) => {
            refuse("no pod template changes: what would be released runs already".to_owned())
        }
        _ => refuse("the pods of several Deployments change: they need a step each".to_owned()),
    }
}

/// Whether there is traffic to move.
fn served(place: Place, name: &Name) -> Result<(), Failure> {
    let live = place.live(name).map(Wanted::of);
    let labels = live.map(|live| live.template.labels).unwrap_or_default();
    if place.services(&labels).is_empty() {
        let message = format!(
            "no Service takes the pods of deployment/{}: there is no traffic to move",
            name.name
        );
        return Err(failure(FailureKind::Refused, message));
    }
    Ok(())
}

pub fn release_dark(
    draft: &mut Draft,
    place: Place,
    live: &Object,
    manifest: &Json,
) -> Result<(), Failure> {
    let name = Name::of(manifest, place.namespace);
    // The key is put on when it is applied; here it only has a place.
    let mut beside = canary::dark(manifest, "");
    let annotations = Path::of("metadata.annotations");
    field::remove(&mut beside, [&annotations.field(KEY_ANNOTATION)]);
    let beside_name = Name::of(&beside, place.namespace);
    if place.live(&beside_name).is_some() {
        let message = format!(
            "{} is there already: another release is under way, or was left",
            beside_name.short()
        );
        return Err(failure(FailureKind::Conflict, message));
    }
    can_carry(place, &name, live)?;
    draft.beside = beside_name.name.clone();
    let services = place
        .services(&Wanted::of(live).template.labels)
        .into_iter();
    draft.services = services.map(|(service, _)| service.name).collect();
    draft.target(&beside_name, None, &beside);
    draft.forward.push(Task::Apply {
        name: beside_name.clone(),
        manifest: beside,
        seen: None,
        force: Force::No,
    });
    draft.forward.push(Task::AwaitHealthy {
        owner: beside_name.clone(),
        pods: 1,
    });
    // The list is turned round: the traffic is given back first.
    draft.back.push(Task::DeleteOurs {
        name: beside_name.clone(),
    });
    let mut shut = shut(
        place,
        &name,
        &beside_name,
        &Wanted::of(live).template.labels,
    );
    shut.reverse();
    draft.back.extend(shut);
    Ok(())
}

/// Gives all traffic back to the old pods; the new ones stay.
fn shut(place: Place, stable: &Name, beside: &Name, labels: &Labels) -> Vec<Task> {
    let mut tasks = vec![Task::NeedHealthy {
        owner: stable.clone(),
        from: beside.clone(),
    }];
    let narrowed = |selector: &Labels| {
        let mut wide = selector.clone();
        wide.remove(TRACK_LABEL);
        pod::selects(&wide, labels)
    };
    for (service, _) in place
        .all_services()
        .into_iter()
        .filter(|(_, s)| narrowed(s))
    {
        tasks.push(Task::Widen { service });
    }
    tasks.push(Task::Open {
        owner: beside.clone(),
        pods: 0,
    });
    tasks
}

/// Whether it can be promoted in the end, and nothing scales it meanwhile.
fn can_carry(place: Place, name: &Name, live: &Object) -> Result<(), Failure> {
    let what = name.short();
    if live.body.pointer("/spec/paused") == Some(&json!(true)) {
        let message = format!("{what} is paused: it could not be promoted");
        return Err(failure(FailureKind::Refused, message));
    }
    let scales = |(scaler, object): &(&Name, &Object)| {
        let of = |path: &str| object.body.pointer(path);
        scaler.kind == "horizontalpodautoscaler"
            && scaler.namespace == name.namespace
            && of("/spec/scaleTargetRef/name") == Some(&json!(name.name))
            && of("/spec/minReplicas") != of("/spec/maxReplicas")
    };
    match place.cluster.store.objects.iter().find(scales) {
        None => Ok(()),
        Some((scaler, _)) => Err(failure(
            FailureKind::Refused,
            format!("{} scales {what}: pin it for the rollout", scaler.short()),
        )),
    }
}

pub fn weight(place: Place, call: &Call) -> Result<Draft, Failure> {
    let (stable, old) = place.deployment(&field_of(call, "release", "deployment"))?;
    let (beside, new) = place.deployment(&canary::canary_name(&stable.name))?;
    old_is_as_it_was(&stable, old, call)?;
    let weight = nano(call, "weight");
    let stable_pods = u32::try_from(Wanted::of(old).replicas).unwrap_or(0);
    let pods = match call.args.get("pods").and_then(Value::amount) {
        Some(pods) => pods.as_f64().round() as u32,
        None => {
            let fewest = canary::canary_pods(stable_pods, weight, nano(call, "tolerance"));
            fewest.map_err(|none| failure(FailureKind::Refused, none.to_string()))?
        }
    };
    let mut draft = Draft::default();
    let replicas = vec![(Path::of("spec.replicas"), Some(json!(pods)))];
    draft.move_fields(&beside, new, replicas, Force::Yes, Mark::No);
    let count = usize::try_from(pods).unwrap_or(usize::MAX);
    draft.forward.push(Task::AwaitHealthy {
        owner: beside.clone(),
        pods: count,
    });
    draft.forward.push(Task::Open {
        owner: beside.clone(),
        pods: count,
    });
    let labels = Wanted::of(old).template.labels;
    if weight.0 >= NANO {
        narrow(&mut draft, place, &Wanted::of(new).template.labels);
    }
    draft.back = shut(place, &stable, &beside, &labels);
    Ok(draft)
}

/// Takes the old pods out of the Services.
fn narrow(draft: &mut Draft, place: Place, labels: &Labels) {
    for (name, selector) in place.services(labels) {
        if let Some(service) = place.live(&name) {
            let mut narrowed = selector.clone();
            narrowed.insert(TRACK_LABEL.to_owned(), canary::TRACK_CANARY.to_owned());
            let fields = selector_fields(&selector, &narrowed);
            draft.move_fields(&name, service, fields, Force::Yes, Mark::No);
        }
    }
}

pub fn promote(place: Place, call: &Call) -> Result<Draft, Failure> {
    let (stable, old) = place.deployment(&field_of(call, "release", "deployment"))?;
    let (beside, new) = place.deployment(&canary::canary_name(&stable.name))?;
    has_all_traffic(place, &stable, &beside)?;
    old_is_as_it_was(&stable, old, call)?;
    let mut draft = Draft {
        before: Some(before(Some(old))),
        deployment: stable.name.clone(),
        ..Draft::default()
    };
    let template = Path::of("spec.template");
    let next = field::get(&new.body, &template).map(without_canary);
    draft.write(&stable, old, vec![(template, next)], force(call));
    draft.forward.push(Task::AwaitRollout {
        name: stable.clone(),
    });
    draft.back.push(Task::AwaitRollout { name: stable });
    for (name, selector) in place.services(&Wanted::of(new).template.labels) {
        if let (Some(service), true) = (place.live(&name), selector.contains_key(TRACK_LABEL)) {
            draft.target(&name, Some(service), &json!(selector));
            draft.forward.push(Task::Widen {
                service: name.clone(),
            });
            draft.forward.push(Task::AwaitEndpoints { service: name });
        }
    }
    draft.forward.push(Task::Delete {
        name: beside.clone(),
        uid: new.uid.clone(),
    });
    draft.forward.push(Task::AwaitGone { owner: beside });
    Ok(draft)
}

/// Refuses where somebody changed the pods of the old version since the release.
fn old_is_as_it_was(name: &Name, old: &Object, call: &Call) -> Result<(), Failure> {
    let Ok(was) = serde_json::from_str::<Json>(&field_of(call, "release", "was")) else {
        return Ok(());
    };
    if old.body.pointer("/spec/template") == Some(&was) {
        return Ok(());
    }
    let template = Path::of("spec.template");
    let was = json!({ "spec": { "template": was } });
    let changed = old.owners.keys().find(|path| {
        path.starts_with(&template) && field::get(&old.body, path) != field::get(&was, path)
    });
    let path = changed.unwrap_or(&template);
    Err(drift(old, name, path, field::get(&was, path)))
}

fn has_all_traffic(place: Place, stable: &Name, beside: &Name) -> Result<(), Failure> {
    let wanted = place
        .live(stable)
        .map_or(0, |live| Wanted::of(live).replicas);
    let open = place
        .cluster
        .pods_of(beside)
        .filter(|pod| pod.ready())
        .count();
    let labels = place
        .live(beside)
        .map(|live| Wanted::of(live).template.labels);
    let services = place.services(&labels.unwrap_or_default());
    let narrow = services
        .iter()
        .all(|(_, selector)| selector.contains_key(TRACK_LABEL));
    if narrow && i64::try_from(open).unwrap_or(i64::MAX) >= wanted {
        return Ok(());
    }
    let message = format!(
        "deployment/{} does not have all traffic yet: {open} of {wanted} pods are open",
        beside.name
    );
    Err(failure(FailureKind::Refused, message))
}

/// A canary's template as the Deployment itself is to have it.
fn without_canary(template: &Json) -> Json {
    let mut template = template.clone();
    let label = Path::of("metadata.labels").field(TRACK_LABEL);
    field::remove(&mut template, [&label]);
    let gates = template
        .pointer_mut("/spec/readinessGates")
        .and_then(Json::as_array_mut);
    if let Some(gates) = gates {
        gates.retain(|gate| gate.get("conditionType") != Some(&json!(canary::GATE)));
        if gates.is_empty() {
            field::remove(&mut template, [&Path::of("spec.readinessGates")]);
        }
    }
    template
}
