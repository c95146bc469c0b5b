//! The world of the plan beside this, and what is in it after a run.

use deployc::plan::Plan;
use deployc::providers::kubernetes::{FIELD_MANAGER, KEY_ANNOTATION};
use deployc::simulate::history::What;
use deployc::simulate::kubernetes::object::Name;
use deployc::simulate::kubernetes::store::{Force, Precondition, Writer};
use deployc::simulate::script::Line;
use deployc::simulate::setup;
use deployc::simulate::world::{Turn, World};
use deployc::values::Instant;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const MINUTE_NS: i64 = 60_000_000_000;
const START: Instant = Instant(1_769_000_000_000_000_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Day {
    Good,
    /// The new version answers with errors from half of the traffic on.
    Bad,
}

/// Objects without what a run leaves in annotations; pods without their names.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    pub objects: BTreeMap<String, Value>,
    pub pods: Vec<String>,
    pub serving: Vec<String>,
}

/// With what the manifests of the plan name, and with workers of this name.
pub fn world(plan: &Plan, workers: &[&str]) -> World {
    let mut world = setup::world(plan, START);
    let by = Writer {
        at: world.now,
        manager: FIELD_MANAGER.to_owned(),
        key: None,
    };
    for worker in workers {
        install(&mut world, &by, worker);
    }
    let healthy = Line::Metric {
        metric: "error_rate".to_owned(),
        scope: None,
        raw: Some(0.01),
    };
    world.plan_turn(world.now, Turn::Begin(0, vec![healthy]));
    settle(&mut world);
    world.cluster.store.history.clear();
    world
}

fn install(world: &mut World, by: &Writer, worker: &str) {
    let body = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": worker},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": worker}},
            "template": {
                "metadata": {"labels": {"app": worker}},
                "spec": {"containers": [{"name": "worker", "image": "registry.local/worker:1"}]},
            },
        },
    });
    let name = Name::of(&body, "shop");
    let any = Precondition::default();
    world
        .cluster
        .apply(by, &name, &body, &any, Force::Yes)
        .unwrap();
}

impl Left {
    pub fn of(world: &World) -> Left {
        let objects = world.cluster.store.objects.iter().map(|(name, object)| {
            let mut body = object.body.clone();
            if let Some(annotations) = body.pointer_mut("/metadata/annotations") {
                annotations
                    .as_object_mut()
                    .unwrap()
                    .shift_remove(KEY_ANNOTATION);
            }
            (name.to_string(), body)
        });
        let mut pods: Vec<String> = world
            .cluster
            .pods
            .values()
            .map(|pod| format!("{} {:?} {}", pod.owner, pod.images, pod.ready()))
            .collect();
        pods.sort();
        let serving = world
            .cluster
            .endpoints(&Name::new("service", "shop", "api"));
        Left {
            objects: objects.collect(),
            pods,
            serving: serving.iter().map(|pod| pod.images[0].clone()).collect(),
        }
    }
}

impl Left {
    /// What is left but for these Deployments.
    pub fn without(mut self, names: &[String]) -> Left {
        for name in names {
            let object = format!("deployment/shop/{name}");
            self.objects.remove(&object);
            self.pods
                .retain(|pod| !pod.starts_with(&format!("{object} ")));
        }
        self
    }
}

/// Pods that start or drain get the time for it.
pub fn settle(world: &mut World) {
    let later = world.now.plus(MINUTE_NS);
    while world.now < later {
        world.advance(later);
    }
}

/// By the names of objects; pods by that of their Deployment, since they are all alike. Each write with its change, but
/// without the name of the run.
pub fn writes(world: &World, run: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for change in world.history() {
        let Some(key) = change.key.filter(|_| change.who == FIELD_MANAGER) else {
            continue;
        };
        if let What::Told(_) = change.what {
            continue;
        }
        let object = match change.object.strip_prefix("pod/") {
            Some(pod) => pod.rsplitn(3, '-').last().unwrap().to_owned(),
            None => change.object,
        };
        let writes = found.entry(object).or_default();
        writes.push(format!("{} {:?}", key.0, change.what).replace(run, "RUN"));
    }
    found
}

/// What people were told. Whether a message arrived before a kill nobody knows, so it may be told again, and then once
/// more.
pub fn told(world: &World) -> BTreeSet<String> {
    let history = world.history().into_iter();
    let texts = history.filter_map(|change| match change.what {
        What::Told(text) => Some(text),
        _ => None,
    });
    texts.collect()
}
