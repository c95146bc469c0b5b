//! Looks at the cluster and says what a change will consist of, and what would undo it. Changes nothing.

use crate::providers::kubernetes::canary::{self, TRACK_LABEL};
use crate::providers::manifest::{self, images};
use crate::providers::request::{Call, Failure, FailureKind, Intent, Observable, Target};
use crate::simulate::kubernetes::Cluster;
use crate::simulate::kubernetes::deployment::Wanted;
use crate::simulate::kubernetes::field::{self, Path};
use crate::simulate::kubernetes::object::{Name, Object};
use crate::simulate::kubernetes::pod::{self, Labels};
use crate::simulate::kubernetes::reads::{containers, field_of, not_found};
use crate::simulate::kubernetes::store::Force;
use crate::simulate::kubernetes::task::{Field, Seen, Task};
use crate::simulate::systems::{failure, record, text, unknown};
use crate::units::amount::{Amount, NANO, Nano};
use crate::values::Value;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Where a change happens, and the files that it may name.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub cluster: &'a Cluster,
    pub namespace: &'a str,
    pub files: &'a BTreeMap<String, String>,
}

/// A change while it is put together.
#[derive(Debug, Default)]
struct Draft {
    forward: Vec<Task>,
    back: Vec<Task>,
    targets: Vec<Target>,
    before: Option<Value>,
}

pub fn prepare(place: Place, call: &Call) -> Result<Intent, Failure> {
    let draft = match call.function.as_str() {
        "apply" => apply(place, call),
        "scale" | "image" | "restart" => rollout(place, call),
        "switch" => switch(place, call),
        "create_namespace" => Ok(create_namespace(place, call)),
        "canary_weight" => canary_weight(place, call),
        "canary_promote" => canary_promote(place, call),
        _ => Err(unknown(call)),
    }?;
    let json = |tasks: &[Task]| serde_json::to_value(tasks).unwrap_or(Json::Null);
    Ok(Intent {
        call: call.clone(),
        targets: draft.targets,
        before: draft.before.unwrap_or(record([])),
        forward: json(&draft.forward),
        inverse: json(&draft.back),
        observable: Observable::Yes,
    })
}

impl Place<'_> {
    fn live(&self, name: &Name) -> Option<&Object> {
        self.cluster.store.objects.get(name)
    }

    fn deployment(&self, name: &str) -> Result<(Name, &Object), Failure> {
        let id = Name::new("deployment", self.namespace, name);
        let object = self.live(&id);
        let object = object.ok_or_else(|| not_found("Deployment", name, self.namespace))?;
        Ok((id, object))
    }

    /// Services that select pods with these labels.
    fn services(&self, labels: &Labels) -> Vec<(Name, Labels)> {
        let all = self.cluster.store.objects.iter();
        all.filter(|(name, _)| name.kind == "service" && name.namespace == self.namespace)
            .map(|(name, object)| {
                (
                    name.clone(),
                    pod::labels(object.body.pointer("/spec/selector")),
                )
            })
            .filter(|(_, selector)| pod::selects(selector, labels))
            .collect()
    }
}

impl Draft {
    fn target(&mut self, name: &Name, live: Option<&Object>, desired: &Json) {
        self.targets.push(Target {
            object: name.to_string(),
            uid: live.map(|object| object.uid.clone()),
            resource_version: live.map(|object| object.resource_version.to_string()),
            desired: digest(desired),
        });
    }

    /// Writes fields of an object that is there, and knows how to put them back.
    fn write(&mut self, name: &Name, live: &Object, fields: Vec<Field>, force: Force) {
        let before: Vec<Field> = fields
            .iter()
            .map(|(path, _)| (path.clone(), field::get(&live.body, path).cloned()))
            .collect();
        self.target(name, Some(live), &json!(fields));
        self.back.push(Task::Restore {
            name: name.clone(),
            uid: live.uid.clone(),
            ours: fields.clone(),
            before,
        });
        self.forward.push(Task::Write {
            name: name.clone(),
            fields,
            seen: as_it_is(live),
            force,
        });
    }
}

fn apply(place: Place, call: &Call) -> Result<Draft, Failure> {
    let objects = wanted(place, call)?;
    let dark = call
        .args
        .get("traffic")
        .is_some_and(|traffic| !matches!(traffic, Value::Absent));
    let carrier = match dark {
        true => Some(carrier(place, &objects)?),
        false => None,
    };
    let mut draft = Draft::default();
    for manifest in &objects {
        let name = Name::of(manifest, place.namespace);
        match place.live(&name) {
            Some(live) if says_already(live, manifest) => draft.target(&name, Some(live), manifest),
            Some(live) if carrier.as_ref() == Some(&name) => {
                release_dark(&mut draft, place, live, manifest)?;
            }
            live => put(&mut draft, &name, live, manifest, force(call)),
        }
    }
    let waits: Vec<Task> = draft.forward.iter().filter_map(wait_for).collect();
    draft.forward.extend(waits);
    let waits: Vec<Task> = draft.back.iter().filter_map(wait_for).collect();
    draft.back.reverse();
    draft.back.extend(waits);
    let mut names = objects
        .iter()
        .map(|manifest| Name::of(manifest, place.namespace));
    let shown = carrier.or_else(|| names.find(|name| name.kind == "deployment"));
    draft.before = Some(before(shown.and_then(|name| place.live(&name))));
    Ok(draft)
}

/// The objects of the files that the call names, with its images.
fn wanted(place: Place, call: &Call) -> Result<Vec<Json>, Failure> {
    let path = text(call, "path");
    let files = manifest::named_by(place.files, &path);
    let mut found = manifest::read(&files, Some(place.namespace));
    if let Some(problem) = found.problems.first() {
        let message = format!(
            "`{}` line {}: {}",
            problem.place.file, problem.place.line, problem.message
        );
        return Err(failure(FailureKind::Invalid, message));
    }
    images::put(
        &mut found.objects,
        &text_map(call, "images").into_iter().collect(),
    );
    Ok(found
        .objects
        .into_iter()
        .map(|object| object.body)
        .collect())
}

/// The one Deployment that is there and whose template changes: it stays as it is, and the new pods start beside it.
fn carrier(place: Place, objects: &[Json]) -> Result<Name, Failure> {
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

fn release_dark(
    draft: &mut Draft,
    place: Place,
    live: &Object,
    manifest: &Json,
) -> Result<(), Failure> {
    let name = Name::of(manifest, place.namespace);
    // The key is put on when it is applied; here it only has a place.
    let mut beside = canary::dark(manifest, "");
    let annotations = Path::of("metadata.annotations");
    field::remove(
        &mut beside,
        [&annotations.field(crate::providers::kubernetes::KEY_ANNOTATION)],
    );
    let beside_name = Name::of(&beside, place.namespace);
    draft.target(&name, Some(live), manifest);
    if place.live(&beside_name).is_some() {
        let message =
            format!("`{beside_name}` is there already: another release is under way, or was left");
        return Err(failure(FailureKind::Conflict, message));
    }
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
    draft.back.push(Task::DeleteOurs { name: beside_name });
    Ok(())
}

fn put(draft: &mut Draft, name: &Name, live: Option<&Object>, manifest: &Json, force: Force) {
    draft.target(name, live, manifest);
    draft.forward.push(Task::Apply {
        name: name.clone(),
        manifest: manifest.clone(),
        seen: live.map(as_it_is),
        force,
    });
    draft.back.push(match live {
        None => Task::DeleteOurs { name: name.clone() },
        Some(live) => Task::Restore {
            name: name.clone(),
            uid: live.uid.clone(),
            ours: field::leaves_of_spec(manifest),
            before: before_fields(live, manifest),
        },
    });
}

fn rollout(place: Place, call: &Call) -> Result<Draft, Failure> {
    let (name, live) = place.deployment(&text(call, "name"))?;
    let fields = match call.function.as_str() {
        "scale" => {
            let replicas = call.args.get("replicas").and_then(Value::amount);
            let replicas = replicas.map_or(0.0, Amount::as_f64).round() as i64;
            vec![(Path::of("spec.replicas"), Some(json!(replicas)))]
        }
        "image" => vec![(image_path(live, call)?, Some(json!(text(call, "image"))))],
        _ => {
            let annotations = Path::of("spec.template.metadata.annotations");
            let at = place.cluster.now.0.to_string();
            vec![(
                annotations.field("kubectl.kubernetes.io/restartedAt"),
                Some(json!(at)),
            )]
        }
    };
    let mut draft = Draft {
        before: Some(before(Some(live))),
        ..Draft::default()
    };
    draft.write(&name, live, fields, force(call));
    if call.function == "restart" {
        draft.back.clear();
    } else {
        draft.back.push(Task::AwaitRollout { name: name.clone() });
    }
    draft.forward.push(Task::AwaitRollout { name });
    Ok(draft)
}

fn image_path(live: &Object, call: &Call) -> Result<Path, Failure> {
    let list = Path::of("spec.template.spec.containers");
    let all = field::get(&live.body, &list).and_then(Json::as_array);
    let names: Vec<&str> = all
        .into_iter()
        .flatten()
        .filter_map(|container| container.get("name")?.as_str())
        .collect();
    let asked = text(call, "container");
    let found = match (asked.as_str(), names.as_slice()) {
        ("", [only]) => Some(*only),
        ("", _) => None,
        (asked, names) => names.iter().copied().find(|name| *name == asked),
    };
    match found {
        Some(name) => Ok(list.item("name", &json!(name)).field("image")),
        None => Err(failure(
            FailureKind::Invalid,
            format!(
                "the containers are {}; `container` has to name one",
                names.join(", ")
            ),
        )),
    }
}

fn switch(place: Place, call: &Call) -> Result<Draft, Failure> {
    let service = text(call, "service");
    let name = Name::new("service", place.namespace, &service);
    let live = place
        .live(&name)
        .ok_or_else(|| not_found("Service", &service, place.namespace))?;
    let selector: Labels = text_map(call, "selector");
    let pods = place.cluster.selected(place.namespace, &selector);
    if !pods.iter().any(|pod| pod.ready()) {
        let message = format!("no pod that `{service}` would take is ready");
        return Err(failure(FailureKind::Refused, message));
    }
    let old = pod::labels(live.body.pointer("/spec/selector"));
    let mut draft = Draft {
        before: Some(record([(
            "selector",
            crate::simulate::kubernetes::reads::text_map(&old),
        )])),
        ..Draft::default()
    };
    draft.write(&name, live, selector_fields(&old, &selector), force(call));
    draft.forward.push(Task::AwaitEndpoints { service: name });
    Ok(draft)
}

fn create_namespace(place: Place, call: &Call) -> Draft {
    let name = Name::new("namespace", "", &text(call, "name"));
    let manifest = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name.name},
    });
    let mut draft = Draft::default();
    match place.live(&name) {
        Some(live) => draft.target(&name, Some(live), &manifest),
        None => put(&mut draft, &name, None, &manifest, Force::No),
    }
    draft.back.clear(); // a namespace is never deleted
    draft
}

fn canary_weight(place: Place, call: &Call) -> Result<Draft, Failure> {
    let (stable, old) = place.deployment(&field_of(call, "release", "deployment"))?;
    let (beside, new) = place.deployment(&canary::canary_name(&stable.name))?;
    let weight = nano(call, "weight");
    let stable_pods = u32::try_from(Wanted::of(old).replicas).unwrap_or(0);
    let pods = match call.args.get("pods").and_then(Value::amount) {
        Some(pods) => pods.as_f64().round() as u32,
        None => {
            canary::canary_pods(stable_pods, weight, nano(call, "tolerance")).map_err(|_| {
                let message = format!(
                    "{stable_pods} replicas cannot express {}%",
                    weight.as_f64() * 100.0
                );
                failure(FailureKind::Refused, message)
            })?
        }
    };
    let mut draft = Draft::default();
    let replicas = vec![(Path::of("spec.replicas"), Some(json!(pods)))];
    draft.write(&beside, new, replicas, Force::Yes);
    draft.back.clear(); // the pods stay for a look; they only take no traffic
    let count = usize::try_from(pods).unwrap_or(usize::MAX);
    draft.forward.push(Task::AwaitHealthy {
        owner: beside.clone(),
        pods: count,
    });
    draft.forward.push(Task::Open {
        owner: beside.clone(),
        pods: count,
    });
    if weight.0 >= NANO {
        for (name, selector) in place.services(&Wanted::of(new).template.labels) {
            if let Some(service) = place.live(&name) {
                let mut narrowed = selector.clone();
                narrowed.insert(TRACK_LABEL.to_owned(), canary::TRACK_CANARY.to_owned());
                draft.write(
                    &name,
                    service,
                    selector_fields(&selector, &narrowed),
                    Force::Yes,
                );
            }
        }
    }
    let able = Task::NeedHealthy {
        owner: stable,
        from: beside.clone(),
    };
    draft.back.insert(0, able);
    draft.back.push(Task::Open {
        owner: beside,
        pods: 0,
    });
    Ok(draft)
}

fn canary_promote(place: Place, call: &Call) -> Result<Draft, Failure> {
    let (stable, old) = place.deployment(&field_of(call, "release", "deployment"))?;
    let (beside, new) = place.deployment(&canary::canary_name(&stable.name))?;
    has_all_traffic(place, &stable, &beside)?;
    let mut draft = Draft {
        before: Some(before(Some(old))),
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
            let mut widened = selector.clone();
            widened.remove(TRACK_LABEL);
            let fields = selector_fields(&selector, &widened);
            draft.target(&name, Some(service), &json!(fields));
            draft.forward.push(Task::Write {
                name: name.clone(),
                fields,
                seen: as_it_is(service),
                force: Force::Yes,
            });
            draft.forward.push(Task::AwaitEndpoints { service: name });
        }
    }
    draft.forward.push(Task::Delete {
        name: beside,
        uid: new.uid.clone(),
    });
    Ok(draft)
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

fn selector_fields(old: &Labels, new: &Labels) -> Vec<Field> {
    let path = |key: &String| Path::of("spec.selector").field(key);
    let set = new
        .iter()
        .map(|(key, value)| (path(key), Some(json!(value))));
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    set.chain(gone.map(|key| (path(key), None))).collect()
}

/// What has to be put back: every field as it was, and those gone that the manifest added.
fn before_fields(live: &Object, manifest: &Json) -> Vec<Field> {
    let was = field::leaves_of_spec(&live.body);
    let added = field::leaves_of_spec(manifest)
        .into_iter()
        .filter(|(path, _)| field::get(&live.body, path).is_none());
    was.clone()
        .into_iter()
        .chain(added.map(|(path, _)| (path, None)))
        .collect()
}

fn wait_for(task: &Task) -> Option<Task> {
    match task {
        Task::Apply { name, manifest, .. } if name.kind == "deployment" => {
            let dark = manifest
                .pointer("/spec/template/spec/readinessGates")
                .is_some();
            (!dark).then(|| Task::AwaitRollout { name: name.clone() })
        }
        Task::Restore { name, .. } if name.kind == "deployment" => {
            Some(Task::AwaitRollout { name: name.clone() })
        }
        _ => None,
    }
}

/// Whether an apply of the manifest would change nothing.
fn says_already(live: &Object, manifest: &Json) -> bool {
    let mut said = field::leaves_of_spec(manifest).into_iter();
    said.all(|(path, value)| field::get(&live.body, &path) == value.as_ref())
}

fn as_it_is(live: &Object) -> Seen {
    Seen {
        uid: live.uid.clone(),
        resource_version: live.resource_version.to_string(),
        generation: live.generation,
    }
}

fn before(live: Option<&Object>) -> Value {
    let (image, images) = live.map_or((String::new(), record([])), containers);
    let replicas = live.map_or(0, |live| Wanted::of(live).replicas);
    record([
        ("exists", Value::Bool(live.is_some())),
        ("image", Value::String(image)),
        ("images", images),
        ("replicas", Value::count(replicas)),
    ])
}

fn force(call: &Call) -> Force {
    match text(call, "force").as_str() {
        "" => Force::No,
        _ => Force::Yes,
    }
}

fn text_map(call: &Call, arg: &str) -> BTreeMap<String, String> {
    let Some(Value::Record(pairs)) = call.args.get(arg) else {
        return BTreeMap::new();
    };
    let texts = pairs.iter().filter_map(|(key, value)| match value {
        Value::String(text) => Some((key.clone(), text.clone())),
        _ => None,
    });
    texts.collect()
}

fn nano(call: &Call, arg: &str) -> Nano {
    match call.args.get(arg).and_then(Value::amount) {
        Some(Amount::Exact(nano)) => nano,
        Some(Amount::Measured(value)) => Nano((value * NANO as f64) as i128),
        None => Nano(0),
    }
}

fn digest(desired: &Json) -> String {
    let bytes = Sha256::digest(desired.to_string().as_bytes());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
