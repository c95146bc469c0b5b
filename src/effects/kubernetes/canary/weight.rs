//! One stage: as many new pods as the weight takes, ready first, then open, then read back.

use crate::effects::kubernetes::Kubernetes;
use crate::effects::kubernetes::args::{Args, record};
use crate::effects::kubernetes::canary::gates::{self, Gate};
use crate::effects::kubernetes::canary::release::carrying;
use crate::effects::kubernetes::canary::services::{Reach, set_reach};
use crate::effects::kubernetes::canary::sight::{Sight, endpoints_of, see};
use crate::effects::kubernetes::client::{Api, Payload};
use crate::effects::kubernetes::commit::Stop;
use crate::effects::kubernetes::endpoints::{Split, split};
use crate::effects::kubernetes::failure::{ApiError, conflicting, refusal, unready};
use crate::effects::kubernetes::intent::{Forward, Inverse, Plan, Release, Weight};
use crate::effects::kubernetes::object::{number, resource_version, uid};
use crate::effects::kubernetes::pods::is_ready;
use crate::effects::kubernetes::resource::DEPLOYMENTS;
use crate::effects::kubernetes::rights;
use crate::effects::kubernetes::rollout::{LOOK_EVERY, Patience};
use crate::effects::kubernetes::shown;
use crate::providers::kubernetes::canary::{canary_pods, fits};
use crate::providers::request::{
    Call, Failure, FailureKind, Intent, Key, Observation, Outcome, Target,
};
use crate::units::Dim;
use crate::values::Value;
use serde_json::{Value as Json, json};
use std::time::Duration;

const READ_BACK_EVERY: Duration = Duration::from_millis(50);

pub async fn prepare(cluster: &Kubernetes, call: &Call) -> Result<Intent, Failure> {
    let (api, args) = (&cluster.api, Args::of(call));
    let release = shown::release(args.record("release")?)?;
    if release.canary.is_empty() {
        return Err(refusal(
            "this release was not made with `traffic: 0%`: it has all traffic already",
        ));
    }
    rights::check(api, carrying()).await?;
    let sight = see(api, &release)
        .await
        .map_err(|error| about(error, &release))?;
    let canary = sight.canary(&release)?;
    sight.old_is_as_it_was(api, &release)?;
    let stable = number(sight.stable(&release)?, "/spec/replicas");
    let stable = u32::try_from(stable).unwrap_or(0);
    let tolerance = args
        .optional_ratio("tolerance")?
        .unwrap_or(crate::units::amount::Nano(0));
    let mut weight = Weight {
        canary_uid: uid(canary).to_owned(),
        stable,
        pods: 0,
        weight: args.ratio("weight")?,
        tolerance,
        release,
    };
    weight.pods = wanted_pods(&weight, args.optional_count("pods")?)?;
    let target = Target {
        object: api.place(DEPLOYMENTS, &weight.release.canary).object(),
        uid: Some(weight.canary_uid.clone()),
        resource_version: Some(resource_version(canary).to_owned()),
        desired: format!("{} pods open", weight.pods),
    };
    let plan = Plan {
        call: call.clone(),
        before: Value::Absent,
        inverse: Some(Inverse::Shut(weight.release.clone())),
        forward: Forward::Weight(weight),
        targets: vec![target],
    };
    plan.intent()
}

fn wanted_pods(weight: &Weight, asked: Option<u32>) -> Result<u32, Failure> {
    let fewest = canary_pods(weight.stable, weight.weight, weight.tolerance);
    match asked {
        None => fewest.map_err(|inexpressible| refusal(inexpressible.to_string())),
        Some(pods) if weight.is_all() && pods >= weight.stable.max(1) => Ok(pods),
        Some(pods) if weight.is_all() => Err(refusal(format!(
            "{pods} new pods are fewer than the {} old ones whose traffic they would take",
            weight.stable
        ))),
        Some(pods) if fits(pods, weight.stable, weight.weight, weight.tolerance) => Ok(pods),
        Some(pods) => Err(refusal(format!(
            "{pods} new pods beside {} old ones do not take that part of the traffic",
            weight.stable
        ))),
    }
}

pub async fn commit(api: &Api, key: &Key, weight: &Weight) -> Outcome {
    let mut sent = Sent::No;
    match achieve(api, key, weight, &mut sent).await {
        Ok(result) => Outcome::Applied {
            result,
            written: Vec::new(),
        },
        Err(Stop::Unclear(failure)) => Outcome::Unknown(failure),
        Err(Stop::Refused(failure)) => match (sent, failure.kind) {
            (Sent::No, _) => Outcome::NotApplied(failure),
            (Sent::Yes, FailureKind::Unreachable | FailureKind::Timeout) => {
                Outcome::Unknown(failure)
            }
            (Sent::Yes, _) => Outcome::Unachieved(failure),
        },
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    No,
    Yes,
}

/// Each turn looks at everything anew and does what is missing: so a pod that is replaced meanwhile, or a second commit
/// after a crash, needs no case of its own.
async fn achieve(api: &Api, key: &Key, weight: &Weight, sent: &mut Sent) -> Result<Value, Stop> {
    let release = &weight.release;
    let mut patience = Patience::default();
    loop {
        let sight = see(api, release)
            .await
            .map_err(|error| Stop::Refused(about(error, release)))?;
        let canary = sight.canary(release).map_err(Stop::Refused)?;
        if scale(api, weight, canary).await? == Sent::Yes {
            *sent = Sent::Yes;
            continue;
        }
        let chosen = chosen(&sight, weight);
        if chosen.len() < wanted(weight) {
            let place = api.place(DEPLOYMENTS, &release.canary);
            patience.look(api, &place).await.map_err(Stop::Refused)?;
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        }
        if open(api, key, &sight, &chosen).await? == Sent::Yes {
            *sent = Sent::Yes;
        }
        let reach = if weight.is_all() {
            Reach::Narrow
        } else {
            Reach::Wide
        };
        let ready_to_switch = !weight.is_all() || are_endpoints(api, release, &chosen).await?;
        if ready_to_switch && set_reach(api, &release.services, reach, release.force).await? > 0 {
            *sent = Sent::Yes;
        }
        if let Some(split) = read_back(api, weight, &sight).await? {
            return Ok(result(split));
        }
        tokio::time::sleep(READ_BACK_EVERY).await;
    }
}

/// Capacity first.
async fn scale(api: &Api, weight: &Weight, canary: &Json) -> Result<Sent, Stop> {
    let place = api.place(DEPLOYMENTS, &weight.release.canary);
    if uid(canary) != weight.canary_uid {
        let message = format!("{} is another object than it was", place.short());
        return Err(Stop::Refused(conflicting(message)));
    }
    if number(canary, "/spec/replicas") >= i64::from(weight.pods) {
        return Ok(Sent::No);
    }
    let patch = json!({
        "metadata": { "uid": uid(canary), "resourceVersion": resource_version(canary) },
        "spec": { "replicas": weight.pods },
    });
    match api.patch(&place.path(), Payload::Merge(patch)).await {
        Ok(_) => Ok(Sent::Yes),
        // Its controller noted something on it meanwhile: the next turn sees that.
        Err(ApiError::Refused(status)) if status.is_stale() => Ok(Sent::Yes),
        Err(error) => Err(Stop::of(error, &place.short())),
    }
}

/// The pods that are to be open: ready ones, those first that are open already.
fn chosen<'a>(sight: &'a Sight, weight: &Weight) -> Vec<&'a Json> {
    let mut ready: Vec<&Json> = sight.pods.iter().filter(|pod| is_ready(pod)).collect();
    ready.sort_by_key(|pod| !gates::is_open(pod));
    ready.truncate(wanted(weight));
    ready
}

fn wanted(weight: &Weight) -> usize {
    usize::try_from(weight.pods).unwrap_or(usize::MAX)
}

/// Opens the chosen pods and shuts all others.
async fn open(api: &Api, key: &Key, sight: &Sight, chosen: &[&Json]) -> Result<Sent, Stop> {
    let is_chosen = |pod: &Json| chosen.iter().any(|chosen| uid(chosen) == uid(pod));
    let shut_ones: Vec<&Json> = chosen
        .iter()
        .copied()
        .filter(|pod| !gates::is_open(pod))
        .collect();
    let surplus: Vec<&Json> = sight
        .pods
        .iter()
        .filter(|pod| gates::is_open(pod) && !is_chosen(pod))
        .collect();
    let about = |error| Stop::of(error, "the gates");
    gates::set(api, key, &shut_ones, Gate::Open)
        .await
        .map_err(about)?;
    gates::set(api, key, &surplus, Gate::Shut)
        .await
        .map_err(about)?;
    Ok(match shut_ones.is_empty() && surplus.is_empty() {
        true => Sent::No,
        false => Sent::Yes,
    })
}

/// Whether all of these pods are among the endpoints: the old ones may leave them only then.
async fn are_endpoints(api: &Api, release: &Release, pods: &[&Json]) -> Result<bool, Stop> {
    let behind = endpoints_of(api, release).await;
    let behind = behind.map_err(|error| Stop::Refused(about(error, release)))?;
    let names = || {
        pods.iter()
            .map(|pod| crate::effects::kubernetes::object::name(pod))
    };
    Ok(behind
        .iter()
        .all(|ready| names().all(|name| ready.contains(name))))
}

/// The endpoints of each Service, when they are as the weight wants them: of the fullest one.
async fn read_back(api: &Api, weight: &Weight, sight: &Sight) -> Result<Option<Split>, Stop> {
    let behind = endpoints_of(api, &weight.release).await;
    let behind = behind.map_err(|error| Stop::Refused(about(error, &weight.release)))?;
    let new = sight.pod_names();
    let splits: Vec<Split> = behind.iter().map(|ready| split(ready, &new)).collect();
    let fitting = splits.iter().all(|split| is_achieved(weight, *split));
    Ok(match fitting {
        true => splits
            .into_iter()
            .max_by_key(|split| split.canary + split.stable),
        false => None,
    })
}

fn is_achieved(weight: &Weight, split: Split) -> bool {
    match weight.is_all() {
        true => split.stable == 0 && split.canary >= weight.pods,
        false => {
            split.canary == weight.pods
                && fits(split.canary, split.stable, weight.weight, weight.tolerance)
        }
    }
}

fn result(split: Split) -> Value {
    let all = f64::from(split.canary) + f64::from(split.stable);
    let achieved = if all > 0.0 {
        f64::from(split.canary) / all
    } else {
        0.0
    };
    record([
        ("achieved", Value::measured(Dim::Ratio, achieved)),
        ("canary", Value::count(i64::from(split.canary))),
        ("stable", Value::count(i64::from(split.stable))),
    ])
}

pub async fn observe(api: &Api, weight: &Weight) -> Observation {
    let release = &weight.release;
    let sight = match see(api, release).await {
        Ok(sight) => sight,
        Err(error) => return Observation::Unknown(about(error, release)),
    };
    if let Err(failure) = sight.canary(release) {
        return Observation::Foreign(failure);
    }
    match read_back(api, weight, &sight).await {
        Err(Stop::Refused(failure) | Stop::Unclear(failure)) => Observation::Unknown(failure),
        Ok(Some(split)) => Observation::Applied {
            result: result(split),
            written: Vec::new(),
        },
        Ok(None) => {
            let ready = chosen(&sight, weight).len();
            let message = format!(
                "deployment/{}: {ready} of {} pods are ready, and the endpoints are not yet as the weight wants them",
                release.canary, weight.pods
            );
            Observation::Underway(unready(message))
        }
    }
}

fn about(error: ApiError, release: &Release) -> Failure {
    error.about(&format!("the canary of deployment/{}", release.deployment))
}
