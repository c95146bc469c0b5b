//! A real cluster, through its API server.
//!
//! Nothing is kept here between two requests: what a change is about stands in its intent, and what has become of it
//! stands in the cluster. So a request can be dropped at any moment, and issued again.

pub mod apply;
pub mod args;
pub mod back;
pub mod canary;
pub mod certificate;
pub mod change;
pub mod client;
pub mod commit;
pub mod config;
pub mod endpoints;
pub mod failure;
pub mod intent;
pub mod kinds;
pub mod lease;
pub mod namespace;
pub mod object;
pub mod observe;
pub mod pods;
pub mod read;
pub mod resource;
pub mod rights;
pub mod rollout;
pub mod shown;
pub mod single;
pub mod trouble;

use crate::effects::kubernetes::canary::{promote, shut, weight};
use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::commit::Progress;
use crate::effects::kubernetes::config::Target;
use crate::effects::kubernetes::failure::refusal;
use crate::effects::kubernetes::intent::{Forward, Inverse, Shown};
use crate::effects::kubernetes::kinds::Kinds;
use crate::effects::kubernetes::lease::KubernetesLease;
use crate::effects::kubernetes::resource::LEASES;
use crate::effects::kubernetes::rights::Need;
use crate::effects::provider::Provider;
use crate::effects::settings::{Settings, Wrong};
use crate::effects::target::fence::Fence;
use crate::effects::target::lease::Lease;
use crate::providers::request::{
    Call, Direction, Failure, Intent, Key, Observation, Outcome, Request, Response,
};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

pub struct Kubernetes {
    pub api: Api,
    pub kinds: Kinds,
    /// Of the plan: manifests by their paths.
    pub files: Arc<BTreeMap<String, String>>,
}

impl Kubernetes {
    /// Reads the kubeconfig; the cluster is not asked yet. Has to be called inside a runtime.
    pub fn connect(
        target: &Target,
        files: Arc<BTreeMap<String, String>>,
    ) -> Result<Kubernetes, Failure> {
        Ok(Kubernetes::new(config::connect(target)?, files))
    }

    pub fn new(api: Api, files: Arc<BTreeMap<String, String>>) -> Kubernetes {
        Kubernetes {
            api,
            kinds: Kinds::default(),
            files,
        }
    }
}

/// From the settings of a provider of a plan.
pub fn build(
    settings: Settings<'_>,
    files: Arc<BTreeMap<String, String>>,
) -> Result<Kubernetes, Wrong> {
    let target = Target {
        kubeconfig: settings.text("kubeconfig")?.map(PathBuf::from),
        context: settings.text("context")?.map(str::to_owned),
        namespace: settings.text("namespace")?.map(str::to_owned),
        timeout: settings.timeout()?,
    };
    Kubernetes::connect(&target, files).map_err(|failure| failure.message)
}

#[async_trait]
impl Provider for Kubernetes {
    async fn answer(&self, request: Request) -> Response {
        match request {
            Request::Read { call, at } => Response::Read(read::answer(self, &call, at).await),
            Request::Prepare { key, call } => Response::Prepared(prepare(self, &key, &call).await),
            Request::Commit {
                key,
                intent,
                direction,
            } => Response::Committed(commit(&self.api, &key, &intent, direction).await),
            Request::Observe {
                key,
                intent,
                direction,
            } => Response::Observed(observe(&self.api, &key, &intent, direction).await),
            Request::Tell { .. } => Response::Told(Err(refusal("a cluster is told nothing"))),
        }
    }

    async fn admit(&self, functions: &[&str]) -> Result<(), Failure> {
        let mut needs = rights::declared(functions);
        needs.extend(["get", "create", "update"].map(|verb| Need::any(verb, &LEASES)));
        rights::check(&self.api, needs).await
    }

    fn lock(&self, plan: &str) -> Option<(Arc<dyn Lease>, Fence)> {
        let lease = KubernetesLease::new(&self.api, plan);
        Some((Arc::new(lease), self.api.fence.clone()))
    }
}

async fn prepare(cluster: &Kubernetes, key: &Key, call: &Call) -> Result<Intent, Failure> {
    match call.function.as_str() {
        "apply" => apply::prepare(cluster, key, call).await,
        "scale" => single::scale(cluster, key, call).await,
        "image" => single::image(cluster, key, call).await,
        "restart" => single::restart(cluster, key, call).await,
        "switch" => single::switch(cluster, key, call).await,
        "create_namespace" => single::namespace(cluster, call).await,
        "canary_weight" => weight::prepare(cluster, call).await,
        "canary_promote" => promote::prepare(cluster, key, call).await,
        other => Err(refusal(format!(
            "a kubernetes provider has no `{other}` to carry out"
        ))),
    }
}

async fn commit(api: &Api, key: &Key, intent: &Intent, direction: Direction) -> Outcome {
    match direction {
        Direction::Forward => match intent::read(&intent.forward) {
            Err(failure) => Outcome::NotApplied(failure),
            Ok(Forward::Objects { changes, shown }) => objects(api, key, &changes, &shown).await,
            Ok(Forward::Namespace { name }) => namespace::commit(api, key, &name).await,
            Ok(Forward::Weight(weight)) => weight::commit(api, key, &weight).await,
            Ok(Forward::Promote { release, change }) => {
                promote::commit(api, key, &release, &change).await
            }
        },
        Direction::Back => match intent::read(&intent.inverse) {
            Err(_) if intent.inverse.is_null() => {
                Outcome::NotApplied(refusal("there is nothing that undoes this"))
            }
            Err(failure) => Outcome::NotApplied(failure),
            Ok(Inverse::Objects { undos, guard }) => back::undo(api, key, &undos, &guard).await,
            Ok(Inverse::Shut(release)) => shut::commit(api, key, &release).await,
        },
    }
}

async fn objects(api: &Api, key: &Key, changes: &[change::Change], shown: &Shown) -> Outcome {
    let mut progress = Progress::default();
    if let Err(stop) = commit::write(api, key, changes, &mut progress).await {
        return progress.stopped(stop);
    }
    if let Err(failure) = rollout::all(api, changes).await {
        return progress.unachieved(failure);
    }
    Outcome::Applied {
        result: shown::result(shown, changes, &progress.live),
        written: progress.written,
    }
}

async fn observe(api: &Api, key: &Key, intent: &Intent, direction: Direction) -> Observation {
    match direction {
        Direction::Forward => match intent::read(&intent.forward) {
            Err(failure) => Observation::Unknown(failure),
            Ok(Forward::Objects { changes, shown }) => {
                observe::forward(api, key, &changes, &shown).await
            }
            Ok(Forward::Namespace { name }) => namespace::observe(api, key, &name).await,
            Ok(Forward::Weight(weight)) => weight::observe(api, &weight).await,
            Ok(Forward::Promote { release, change }) => {
                promote::observe(api, key, &release, &change).await
            }
        },
        Direction::Back => match intent::read(&intent.inverse) {
            Err(failure) => Observation::Unknown(failure),
            Ok(Inverse::Objects { undos, .. }) => observe::back(api, key, &undos).await,
            Ok(Inverse::Shut(release)) => shut::observe(api, &release).await,
        },
    }
}
