//! The way back of a canary: the old version gets all traffic, and the new pods stay for a look.

use crate::effects::kubernetes::canary::gates::{self, Gate};
use crate::effects::kubernetes::canary::services::{Reach, reach, set_reach};
use crate::effects::kubernetes::canary::sight::{Sight, endpoints_of, see};
use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::commit::Stop;
use crate::effects::kubernetes::failure::{ApiError, refusal};
use crate::effects::kubernetes::intent::Release;
use crate::effects::kubernetes::object::number;
use crate::effects::kubernetes::pods;
use crate::providers::request::{Failure, Key, Observation, Outcome};
use crate::values::Value;
use serde_json::Value as Json;
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_millis(20);

pub async fn commit(api: &Api, key: &Key, release: &Release) -> Outcome {
    match shut(api, key, release).await {
        Ok(()) => Outcome::Applied {
            result: Value::Absent,
            written: Vec::new(),
        },
        Err(Stop::Refused(failure)) => Outcome::NotApplied(failure),
        Err(Stop::Unclear(failure)) => Outcome::Unknown(failure),
    }
}

/// Gives the Services back, shuts the gates, and waits until no new pod is among the endpoints.
///
/// A Service that is given back takes the old pods at once, while a gate that is shut has to pass the kubelet first: so
/// the old pods are there before the new ones go.
pub async fn shut(api: &Api, key: &Key, release: &Release) -> Result<(), Stop> {
    let sight = see(api, release)
        .await
        .map_err(|error| Stop::Refused(about(error, release)))?;
    if !takes_traffic(&sight) {
        return Ok(());
    }
    old_is_able(&sight, release).map_err(Stop::Refused)?;
    let present: Vec<String> = sight
        .services
        .iter()
        .map(|s| crate::effects::kubernetes::object::name(s).to_owned())
        .collect();
    set_reach(api, &present, Reach::Wide, release.force).await?;
    let open: Vec<&Json> = sight
        .pods
        .iter()
        .filter(|pod| gates::is_open(pod))
        .collect();
    gates::set(api, key, &open, Gate::Shut)
        .await
        .map_err(|error| Stop::of(error, "the gates"))?;
    let new = sight.pod_names();
    loop {
        let behind = endpoints_of(api, release).await;
        let behind = behind.map_err(|error| Stop::Unclear(about(error, release)))?;
        if behind.iter().all(|ready| ready.is_disjoint(&new)) {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn takes_traffic(sight: &Sight) -> bool {
    sight
        .services
        .iter()
        .any(|service| reach(service) == Reach::Narrow)
        || sight.pods.iter().any(gates::is_open)
}

/// Without a ready pod of the old version, the new one is the healthiest there is: it stays, and a person has to look.
fn old_is_able(sight: &Sight, release: &Release) -> Result<(), Failure> {
    let old = sight
        .stable
        .as_ref()
        .map_or(0, |stable| number(stable, "/status/readyReplicas"));
    let new = sight.pods.iter().filter(|pod| pods::is_open(pod)).count();
    if old > 0 || new == 0 {
        return Ok(());
    }
    Err(refusal(format!(
        "no pod of deployment/{} is ready, and {new} of deployment/{} take traffic: they stay, and somebody has to look",
        release.deployment, release.canary
    )))
}

pub async fn observe(api: &Api, release: &Release) -> Observation {
    match see(api, release).await {
        Err(error) => Observation::Unknown(about(error, release)),
        Ok(sight) if takes_traffic(&sight) => Observation::NotApplied,
        Ok(_) => Observation::Applied {
            result: Value::Absent,
            written: Vec::new(),
        },
    }
}

fn about(error: ApiError, release: &Release) -> Failure {
    error.about(&format!("the canary of deployment/{}", release.deployment))
}
