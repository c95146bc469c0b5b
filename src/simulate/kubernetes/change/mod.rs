//! Looks at the cluster and says what a change will consist of, and what would undo it. Changes nothing.

pub mod canary;

use crate::providers::kubernetes::FIELD_MANAGER;
use crate::providers::manifest::{self, images};
use crate::providers::request::{Call, Failure, FailureKind, Intent, Observable, Target};
use crate::simulate::kubernetes::Cluster;
use crate::simulate::kubernetes::deployment::Wanted;
use crate::simulate::kubernetes::field::{self, Path};
use crate::simulate::kubernetes::object::{Name, Object};
use crate::simulate::kubernetes::pod::{self, Labels};
use crate::simulate::kubernetes::reads::{containers, not_found};
use crate::simulate::kubernetes::result::Steps;
use crate::simulate::kubernetes::rights::{self, Rule};
use crate::simulate::kubernetes::schema;
use crate::simulate::kubernetes::store::{Force, Precondition, Writer};
use crate::simulate::kubernetes::task::{Field, Mark, Seen, Task, key_of, refusal, taken};
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
    /// What its credentials may do; everything where nothing is said.
    pub rules: Option<&'a [Rule]>,
}

/// A change while it is put together.
#[derive(Debug, Default)]
pub struct Draft {
    pub forward: Vec<Task>,
    pub back: Vec<Task>,
    pub targets: Vec<Target>,
    pub before: Option<Value>,
    pub deployment: String,
    pub beside: String,
    pub kept: usize,
    pub services: Vec<String>,
}

pub fn prepare(place: Place, call: &Call) -> Result<Intent, Failure> {
    let draft = match call.function.as_str() {
        "apply" => apply(place, call),
        "scale" | "image" | "restart" => rollout(place, call),
        "switch" => switch(place, call),
        "create_namespace" => create_namespace(place, call),
        "canary_weight" => canary::weight(place, call),
        "canary_promote" => canary::promote(place, call),
        _ => Err(unknown(call)),
    }?;
    rights::check_writes(place, &draft.forward)?;
    let steps = Steps {
        tasks: draft.forward,
        deployment: draft.deployment,
        beside: draft.beside,
        kept: draft.kept,
        services: draft.services,
    };
    let inverse = match draft.back.is_empty() {
        true => Json::Null,
        false => serde_json::to_value(&draft.back).unwrap_or(Json::Null),
    };
    Ok(Intent {
        call: call.clone(),
        targets: draft.targets,
        before: draft.before.unwrap_or(record([])),
        forward: serde_json::to_value(&steps).unwrap_or(Json::Null),
        inverse,
        observable: Observable::Yes,
    })
}

impl Place<'_> {
    pub fn live(&self, name: &Name) -> Option<&Object> {
        self.cluster.store.objects.get(name)
    }

    pub fn deployment(&self, name: &str) -> Result<(Name, &Object), Failure> {
        let id = Name::new("deployment", self.namespace, name);
        let object = self.live(&id);
        let object = object.ok_or_else(|| not_found("Deployment", name, self.namespace))?;
        Ok((id, object))
    }

    /// Services that select pods with these labels.
    pub fn services(&self, labels: &Labels) -> Vec<(Name, Labels)> {
        let mut all = self.all_services();
        all.retain(|(_, selector)| pod::selects(selector, labels));
        all
    }

    pub fn all_services(&self) -> Vec<(Name, Labels)> {
        let all = self.cluster.store.objects.iter();
        all.filter(|(name, _)| name.kind == "service" && name.namespace == self.namespace)
            .map(|(name, object)| {
                (
                    name.clone(),
                    pod::labels(object.body.pointer("/spec/selector")),
                )
            })
            .collect()
    }
}

impl Draft {
    pub fn target(&mut self, name: &Name, live: Option<&Object>, desired: &Json) {
        self.targets.push(Target {
            object: name.to_string(),
            uid: live.map(|object| object.uid.clone()),
            resource_version: live.map(|object| object.resource_version.to_string()),
            desired: digest(desired),
        });
    }

    /// Writes fields of an object that is there, under the key of the change, and knows how to put them back.
    pub fn write(&mut self, name: &Name, live: &Object, fields: Vec<Field>, force: Force) {
        let before: Vec<Field> = fields
            .iter()
            .map(|(path, _)| (path.clone(), field::get(&live.body, path).cloned()))
            .collect();
        self.back.push(Task::Restore {
            name: name.clone(),
            uid: live.uid.clone(),
            ours: fields.clone(),
            before,
            key_before: key_of(live).cloned(),
        });
        self.move_fields(name, live, fields, force, Mark::Yes);
    }

    /// Writes fields; whoever calls this knows how to undo it.
    pub fn move_fields(
        &mut self,
        name: &Name,
        live: &Object,
        fields: Vec<Field>,
        force: Force,
        mark: Mark,
    ) {
        self.target(name, Some(live), &json!(fields));
        self.forward.push(Task::Write {
            name: name.clone(),
            fields,
            seen: as_it_is(live),
            force,
            mark,
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
        true => Some(canary::carrier(place, &objects)?),
        false => None,
    };
    let mut names = objects
        .iter()
        .map(|manifest| Name::of(manifest, place.namespace));
    let shown = carrier
        .clone()
        .or_else(|| names.find(|name| name.kind == "deployment"));
    let mut draft = Draft {
        before: Some(before(shown.as_ref().and_then(|name| place.live(name)))),
        deployment: shown.map(|name| name.name).unwrap_or_default(),
        ..Draft::default()
    };
    for manifest in &objects {
        let name = Name::of(manifest, place.namespace);
        match place.live(&name) {
            Some(live) if carrier.as_ref() == Some(&name) => {
                canary::release_dark(&mut draft, place, live, manifest)?;
            }
            Some(live) if says_already(live, manifest) => draft.kept += 1,
            live => put(&mut draft, place, live, manifest, force(call))?,
        }
    }
    let waits: Vec<Task> = draft.forward.iter().filter_map(wait_for).collect();
    draft.forward.extend(waits);
    let waits: Vec<Task> = draft.back.iter().filter_map(wait_for).collect();
    draft.back.reverse();
    draft.back.extend(waits);
    Ok(draft)
}

/// The objects of the files that the call names, with its images.
fn wanted(place: Place, call: &Call) -> Result<Vec<Json>, Failure> {
    let path = text(call, "path");
    let files = manifest::named_by(place.files, &path);
    if files.is_empty() {
        let message = format!("there is no manifest in `{path}`");
        return Err(failure(FailureKind::NotFound, message));
    }
    let mut found = manifest::read(&files, Some(place.namespace));
    if let Some(problem) = found.problems.first() {
        let at = &problem.place;
        let message = format!("{}:{}:{}: {}", at.file, at.line, at.column, problem.message);
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

fn put(
    draft: &mut Draft,
    place: Place,
    live: Option<&Object>,
    manifest: &Json,
    force: Force,
) -> Result<(), Failure> {
    let name = Name::of(manifest, place.namespace);
    if live.is_some_and(|live| live.body.pointer("/spec/paused") == Some(&json!(true))) {
        let message = format!("{} is paused: its rollout would stand still", name.short());
        return Err(failure(FailureKind::Refused, message));
    }
    dry_run(place, &name, manifest, force)?;
    draft.target(&name, live, manifest);
    draft.forward.push(Task::Apply {
        name: name.clone(),
        manifest: manifest.clone(),
        seen: live.map(as_it_is),
        force,
    });
    draft.back.push(match live {
        None => Task::DeleteOurs { name },
        Some(live) => Task::Restore {
            name,
            uid: live.uid.clone(),
            ours: field::leaves_of_spec(manifest),
            before: before_fields(live, manifest),
            key_before: key_of(live).cloned(),
        },
    });
    Ok(())
}

/// What the server would say, without changing anything.
fn dry_run(place: Place, name: &Name, manifest: &Json, force: Force) -> Result<(), Failure> {
    schema::check(manifest)?;
    let by = Writer {
        at: place.cluster.now,
        manager: FIELD_MANAGER.to_owned(),
        key: None,
    };
    let mut store = place.cluster.store.clone();
    let tried = store.apply(&by, name, manifest, &Precondition::default(), force);
    tried.map(|_| ()).map_err(|error| refusal(name, &error))
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
    if let Some(conflict) = taken(place.cluster, &name, &fields, force(call)) {
        return Err(conflict);
    }
    let mut draft = Draft {
        before: Some(before(Some(live))),
        deployment: name.name.clone(),
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

fn create_namespace(place: Place, call: &Call) -> Result<Draft, Failure> {
    let name = Name::new("namespace", "", &text(call, "name"));
    let manifest = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name.name},
    });
    let mut draft = Draft::default();
    if place.live(&name).is_none() {
        put(&mut draft, place, None, &manifest, Force::No)?;
    }
    draft.back.clear(); // a namespace is never deleted
    Ok(draft)
}

pub fn selector_fields(old: &Labels, new: &Labels) -> Vec<Field> {
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
        Task::DeleteOurs { name } if name.kind == "deployment" => Some(Task::AwaitGone {
            owner: name.clone(),
        }),
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

pub fn as_it_is(live: &Object) -> Seen {
    Seen {
        uid: live.uid.clone(),
        said: field::leaves_of_spec(&live.body),
    }
}

pub fn before(live: Option<&Object>) -> Value {
    let (image, images) = live.map_or((String::new(), record([])), containers);
    let replicas = live.map_or(0, |live| Wanted::of(live).replicas);
    record([
        ("exists", Value::Bool(live.is_some())),
        ("image", Value::String(image)),
        ("images", images),
        ("replicas", Value::count(replicas)),
    ])
}

pub fn force(call: &Call) -> Force {
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
        Value::String(text) => Some((key.to_owned(), text.clone())),
        _ => None,
    });
    texts.collect()
}

pub fn nano(call: &Call, arg: &str) -> Nano {
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
