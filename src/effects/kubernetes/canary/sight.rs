//! One look at both sides of a release.

use crate::effects::kubernetes::change::foreign;
use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::endpoints;
use crate::effects::kubernetes::failure::{ApiError, conflicting, not_found};
use crate::effects::kubernetes::intent::Release;
use crate::effects::kubernetes::object::{is_being_deleted, key, name, sorted};
use crate::effects::kubernetes::pods::{is_finished, is_of};
use crate::effects::kubernetes::resource::{DEPLOYMENTS, PODS, SERVICES};
use crate::providers::kubernetes::canary::{TRACK_CANARY, TRACK_LABEL};
use crate::providers::kubernetes::fields::{self, Difference, Path};
use crate::providers::request::Failure;
use futures::future::try_join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub struct Sight {
    /// The Deployment that holds the new pods; `None` where it is gone, going, or of another release.
    pub canary: Option<Value>,
    pub stable: Option<Value>,
    /// The new pods, by name.
    pub pods: Vec<Value>,
    /// Those of the release that are there.
    pub services: Vec<Value>,
}

/// All requests run at the same time.
pub async fn see(api: &Api, release: &Release) -> Result<Sight, ApiError> {
    let (beside, main) = (
        api.place(DEPLOYMENTS, &release.canary),
        api.place(DEPLOYMENTS, &release.deployment),
    );
    let selector = format!("{TRACK_LABEL}={TRACK_CANARY}");
    let services = release
        .services
        .iter()
        .map(async |name| api.get(&api.place(SERVICES, name)).await);
    let resource = PODS;
    let (canary, stable, mut pods, services) = tokio::try_join!(
        api.get(&beside),
        api.get(&main),
        api.list(&resource, &selector),
        try_join_all(services)
    )?;
    pods.retain(|pod| is_of(pod, &release.canary) && !is_finished(pod));
    pods.sort_by(|a, b| name(a).cmp(name(b)));
    let ours = |live: &Value| key(live) == Some(release.key.as_str()) && !is_being_deleted(live);
    Ok(Sight {
        canary: canary.filter(ours),
        stable,
        pods,
        services: services.into_iter().flatten().collect(),
    })
}

impl Sight {
    pub fn canary(&self, release: &Release) -> Result<&Value, Failure> {
        self.canary.as_ref().ok_or_else(|| {
            conflicting(format!(
                "deployment/{} is not there as {} released it",
                release.canary, release.key
            ))
        })
    }

    pub fn stable(&self, release: &Release) -> Result<&Value, Failure> {
        self.stable
            .as_ref()
            .ok_or_else(|| not_found(format!("there is no deployment/{}", release.deployment)))
    }

    /// Refuses where somebody changed the pods of the old version since the release: what was judged until then says
    /// nothing of them, and nobody has seen the new version with that change.
    pub fn old_is_as_it_was(&self, api: &Api, release: &Release) -> Result<(), Failure> {
        let stable = self.stable(release)?;
        let Ok(was) = serde_json::from_str::<Value>(&release.was) else {
            return Ok(()); // of a release that did not note it
        };
        if stable.pointer("/spec/template").map(sorted) == Some(sorted(&was)) {
            return Ok(());
        }
        let was = json!({ "spec": { "template": was } });
        let template = Path::of(&["spec", "template"]);
        let mut differences = fields::differences(&fields::of_all(stable), &was, stable);
        differences.retain(|difference| difference.path.0.starts_with(&template.0));
        if differences.is_empty() {
            differences.push(Difference {
                wrote: was.pointer("/spec/template").cloned(),
                found: stable.pointer("/spec/template").cloned(),
                path: template,
            });
        }
        let place = api.place(DEPLOYMENTS, &release.deployment);
        Err(foreign(&place, stable, &differences))
    }

    pub fn pod_names(&self) -> BTreeSet<String> {
        self.pods.iter().map(|pod| name(pod).to_owned()).collect()
    }
}

/// The ready endpoints of each Service, in the order of the release.
pub async fn endpoints_of(api: &Api, release: &Release) -> Result<Vec<BTreeSet<String>>, ApiError> {
    try_join_all(
        release
            .services
            .iter()
            .map(|service| endpoints::ready(api, service)),
    )
    .await
}
