//! The simulated cluster keeps the contract of the real one.

use super::kubernetes::{Bench, Right, canary_suite, suite};
use async_trait::async_trait;
use deployc::effects::clock::Clock;
use deployc::effects::provider::Provider;
use deployc::effects::twin::Twin;
use deployc::plan::Setting;
use deployc::providers::manifest;
use deployc::providers::request::{Request, Response};
use deployc::simulate::kubernetes::field::Path;
use deployc::simulate::kubernetes::object::Name;
use deployc::simulate::kubernetes::rights::Rule;
use deployc::simulate::kubernetes::store::{Force, Precondition, Writer};
use deployc::simulate::world::World;
use deployc::values::Value;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const NAMESPACE: &str = "contract";

struct Simulated {
    twin: Twin,
}

/// The provider `it` with files and rights of its own, in a world that it shares.
struct It {
    twin: Twin,
    files: Arc<BTreeMap<String, String>>,
    rules: Option<Vec<Rule>>,
}

#[async_trait]
impl Provider for It {
    async fn answer(&self, request: Request) -> Response {
        {
            let mut world = self.twin.world();
            world.files = Arc::clone(&self.files);
            world.rules = self.rules.clone();
        }
        self.twin.answer(request).await
    }
}

impl Simulated {
    fn new() -> Simulated {
        let namespace = Setting::Value(Value::String(NAMESPACE.to_owned()));
        let plan = super::ask::plan(vec![("it", "kubernetes", vec![("namespace", namespace)])]);
        // The suite asks in the time of the wall.
        let world = World::new(&plan, Clock::start().now());
        let bench = Simulated {
            twin: Twin::new(world),
        };
        let own = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}\n");
        bench.apply("setup", &own);
        let mut world = bench.twin.world();
        world.cluster.missing_images.insert(bench.image("missing"));
        world.cluster.unready_images.insert(bench.image("stuck"));
        drop(world);
        bench
    }

    fn connect(&self, files: &[(&str, String)], rules: Option<Vec<Rule>>) -> Arc<dyn Provider> {
        let files = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.clone()));
        Arc::new(It {
            twin: self.twin.clone(),
            files: Arc::new(files.collect()),
            rules,
        })
    }

    fn writer(&self, manager: &str) -> Writer {
        Writer {
            at: self.twin.world().now,
            manager: manager.to_owned(),
            key: None,
        }
    }
}

fn named(object: &str) -> Name {
    let (kind, name) = object.split_once('/').unwrap();
    Name::new(kind, NAMESPACE, name)
}

/// A merge patch as fields: lists are replaced whole, `null` takes away.
fn fields(at: Path, patch: &Json, found: &mut Vec<(Path, Option<Json>)>) {
    match patch {
        Json::Object(map) => {
            for (name, inner) in map {
                fields(at.clone().field(name), inner, found);
            }
        }
        Json::Null => found.push((at, None)),
        other => found.push((at, Some(other.clone()))),
    }
}

impl Bench for Simulated {
    fn provider(&self, files: &[(&str, String)]) -> Arc<dyn Provider> {
        self.connect(files, None)
    }

    fn provider_that_may(
        &self,
        files: &[(&str, String)],
        rights: &[Right<'_>],
    ) -> Arc<dyn Provider> {
        let rules = rights.iter().map(|(group, resource, verbs)| Rule {
            group: (*group).to_owned(),
            resource: (*resource).to_owned(),
            verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        });
        self.connect(files, Some(rules.collect()))
    }

    fn namespace(&self) -> String {
        NAMESPACE.to_owned()
    }

    fn image(&self, version: &str) -> String {
        format!("registry.local/web:{version}")
    }

    fn apply(&self, manager: &str, manifests: &str) {
        let by = self.writer(manager);
        let objects = manifest::read(&[("all.yaml", manifests)], None).objects;
        let mut world = self.twin.world();
        for object in objects {
            let name = Name::of(&object.body, NAMESPACE);
            let any = Precondition::default();
            world
                .cluster
                .apply(&by, &name, &object.body, &any, Force::Yes)
                .unwrap();
        }
    }

    fn edit(&self, manager: &str, object: &str, patch: Json) {
        let by = self.writer(manager);
        let mut changed = Vec::new();
        fields(Path::default(), &patch, &mut changed);
        let mut world = self.twin.world();
        world
            .cluster
            .write(&by, &named(object), &changed, &Precondition::default())
            .unwrap();
    }

    fn delete(&self, object: &str) {
        let by = self.writer("somebody");
        let name = named(object);
        let mut world = self.twin.world();
        match name.kind.as_str() {
            "pod" => world.cluster.delete_pod(&name),
            _ => world.cluster.delete(&by, &name, None).unwrap(),
        }
    }

    fn find(&self, object: &str) -> Option<Json> {
        let name = named(object);
        let world = self.twin.world();
        let found = world.cluster.store.get(&name).ok()?;
        let mut json = found.to_json(&name);
        if json.get("status").is_none() {
            json["status"] = json!({});
        }
        Some(json)
    }

    fn endpoints(&self, service: &str) -> Vec<String> {
        let name = Name::new("service", NAMESPACE, service);
        let world = self.twin.world();
        let pods = world.cluster.endpoints(&name);
        pods.iter().map(|pod| pod.name.name.clone()).collect()
    }

    fn pods(&self, deployment: &str) -> Vec<String> {
        let owner = Name::new("deployment", NAMESPACE, deployment);
        let world = self.twin.world();
        let pods = world.cluster.pods_of(&owner).filter(|pod| !pod.deleting);
        pods.map(|pod| pod.name.name.clone()).collect()
    }

    fn wait(&self, time: Duration) {
        self.twin.wait(i64::try_from(time.as_nanos()).unwrap());
    }
}

#[tokio::test]
async fn the_simulated_cluster_keeps_the_contract() {
    suite(Simulated::new).await;
}

#[tokio::test]
async fn the_simulated_cluster_carries_a_canary_as_the_contract_says() {
    canary_suite(Simulated::new).await;
}
