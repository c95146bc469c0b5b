//! Waiting until what was written runs: *our* generation, *our* template, nobody else's change.

use crate::effects::kubernetes::change::{Change, Wait, differing, foreign};
use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::failure::{ApiError, conflicting, unready};
use crate::effects::kubernetes::object::{
    condition, flag, generation, instant, items, map, name, number, text,
};
use crate::effects::kubernetes::pods::{is_finished, is_of, is_ready, restarts, waiting, words};
use crate::effects::kubernetes::resource::{PODS, Place};
use crate::providers::kubernetes::FIELD_MANAGER;
use crate::providers::kubernetes::fields;
use crate::providers::request::{Failure, FailureKind};
use futures::future::try_join_all;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// How far a workload has come.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    Done,
    /// What is missing.
    Pending(Failure),
}

pub const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Pods are looked at less often than the object that counts them.
const PODS_EVERY: u32 = 5;
/// A pull that fails is tried again by the kubelet after 10 s, then 20 s: by then it has failed twice.
const PATIENCE: Duration = Duration::from_secs(30);
const CRASHES_MAX: i64 = 3;

/// Waits for all of them; there is no time limit here, the caller has one.
pub async fn all(api: &Api, changes: &[Change]) -> Result<(), Failure> {
    try_join_all(changes.iter().map(|change| one(api, change)))
        .await
        .map(|_| ())
}

async fn one(api: &Api, change: &Change) -> Result<(), Failure> {
    let mut patience = Patience::default();
    loop {
        match state(api, change).await? {
            State::Done => return Ok(()),
            State::Pending(_) => patience.look(api, &change.place).await?,
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Waiting for pods ends when they say for long enough that they cannot start.
#[derive(Default)]
pub struct Patience {
    looks: u32,
    trouble_since: Option<Instant>,
}

impl Patience {
    /// An error when there is nothing left to wait for.
    pub async fn look(&mut self, api: &Api, place: &Place) -> Result<(), Failure> {
        self.looks += 1;
        if !self.looks.is_multiple_of(PODS_EVERY) {
            return Ok(());
        }
        let Some(trouble) = trouble(api, place).await else {
            self.trouble_since = None;
            return Ok(());
        };
        let since = *self.trouble_since.get_or_insert_with(Instant::now);
        if trouble.hopeless || since.elapsed() >= PATIENCE {
            return Err(unready(format!("{}: {}", place.short(), trouble.words)));
        }
        Ok(())
    }
}

/// One look. An error is final: it will not become what was wanted by itself.
pub async fn state(api: &Api, change: &Change) -> Result<State, Failure> {
    if change.wait == Wait::Nothing {
        return Ok(State::Done);
    }
    let what = change.place.short();
    let live = match api.get(&change.place).await {
        Ok(Some(live)) => live,
        Ok(None) => return Err(conflicting(format!("{what} was deleted since"))),
        Err(ApiError::Refused(status)) if status.code == 403 => {
            return Err(ApiError::Refused(status).about(&what));
        }
        // The server is away for a moment; the pods do not need it to become ready.
        Err(error) => return Ok(State::Pending(error.about(&what))),
    };
    let differences = differing(&change.owned, &change.wrote, &live);
    if !differences.is_empty() {
        return Err(foreign(&change.place, &live, &differences));
    }
    if flag(&live, "/spec/paused") {
        return Err(unready(format!(
            "{what} is paused: its rollout stands still"
        )));
    }
    let pending = match change.wait {
        Wait::Nothing => None,
        Wait::Rollout => unfinished(&live)?,
        Wait::Dark => shut_pods_missing(api, &change.place, &live).await,
    };
    Ok(match pending {
        None => State::Done,
        Some(words) => State::Pending(unready(format!("{what}: {words}"))),
    })
}

/// What a workload lacks until its rollout is through; an error when its controller gave up.
fn unfinished(live: &Value) -> Result<Option<String>, Failure> {
    if number(live, "/status/observedGeneration") < generation(live) {
        return Ok(Some(
            "its controller has not seen the change yet".to_owned(),
        ));
    }
    match text(live, "/kind") {
        "Deployment" => {
            let stuck = condition(live, "Progressing")
                .filter(|progress| text(progress, "/reason") == "ProgressDeadlineExceeded");
            if let Some(stuck) = stuck {
                return Err(unready(format!(
                    "deployment/{}: {}",
                    name(live),
                    text(stuck, "/message")
                )));
            }
            let counts = [
                "updatedReplicas",
                "replicas",
                "readyReplicas",
                "availableReplicas",
            ];
            Ok(short_of(live, number(live, "/spec/replicas"), &counts))
        }
        "StatefulSet" => {
            let mut counts = vec!["replicas", "readyReplicas", "availableReplicas"];
            let strategy = text(live, "/spec/updateStrategy/type");
            let partition = number(live, "/spec/updateStrategy/rollingUpdate/partition");
            if strategy != "OnDelete" && partition == 0 {
                counts.push("updatedReplicas");
            }
            Ok(short_of(live, number(live, "/spec/replicas"), &counts))
        }
        "DaemonSet" => {
            let wanted = number(live, "/status/desiredNumberScheduled");
            let mut counts = vec!["numberReady", "numberAvailable"];
            if text(live, "/spec/updateStrategy/type") != "OnDelete" {
                counts.push("updatedNumberScheduled");
            }
            Ok(short_of(live, wanted, &counts))
        }
        _ => Ok(None),
    }
}

fn short_of(live: &Value, wanted: i64, counts: &[&str]) -> Option<String> {
    let off: Vec<String> = counts
        .iter()
        .map(|count| (count, number(live, &format!("/status/{count}"))))
        .filter(|(_, found)| *found != wanted)
        .map(|(count, found)| format!("{count} is {found}"))
        .collect();
    (!off.is_empty()).then(|| format!("{} of {wanted}", off.join(", ")))
}

/// The pods of a canary are ready but not available: its Deployment cannot say when they are.
async fn shut_pods_missing(api: &Api, place: &Place, live: &Value) -> Option<String> {
    if number(live, "/status/observedGeneration") < generation(live) {
        return Some("its controller has not seen the change yet".to_owned());
    }
    let wanted = number(live, "/spec/replicas");
    let updated = number(live, "/status/updatedReplicas");
    if updated != wanted {
        return Some(format!("{updated} of {wanted} pods are of this template"));
    }
    match pods_of(api, place, live).await {
        Err(error) => Some(error.about("the pods").message),
        Ok(pods) => {
            let ready = pods.iter().filter(|pod| is_ready(pod)).count();
            let ready = i64::try_from(ready).unwrap_or(i64::MAX);
            (ready < wanted).then(|| format!("{ready} of {wanted} pods have ready containers"))
        }
    }
}

/// The pods of a workload that exist now.
pub async fn pods_of(api: &Api, place: &Place, live: &Value) -> Result<Vec<Value>, ApiError> {
    let labels = map(live, "/spec/selector/matchLabels")
        .into_iter()
        .flatten();
    let selector: Vec<String> = labels
        .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)))
        .collect();
    let mut pods = api.list(&PODS, &selector.join(",")).await?;
    pods.retain(|pod| !is_finished(pod) && belongs(pod, place));
    Ok(pods)
}

fn belongs(pod: &Value, place: &Place) -> bool {
    if place.is_deployment() {
        return is_of(pod, &place.name);
    }
    let owners = items(pod, "/metadata/ownerReferences").iter();
    let mut owners = owners.filter(|owner| text(owner, "/kind") == place.resource.kind);
    owners.any(|owner| text(owner, "/name") == place.name)
}

struct Trouble {
    words: String,
    /// No time will mend it.
    hopeless: bool,
}

/// What keeps the pods that this change made from starting; those that were there before are not its doing.
async fn trouble(api: &Api, place: &Place) -> Option<Trouble> {
    let live = api.get(place).await.ok()??;
    let written = fields::applied_at(&live, FIELD_MANAGER).and_then(instant);
    let pods = pods_of(api, place, &live).await.ok()?;
    let new = pods.iter().filter(|pod| {
        let made = instant(text(pod, "/metadata/creationTimestamp"));
        made >= written
    });
    let (pod, reason) = new
        .filter_map(|pod| waiting(pod).map(|(_, reason)| (pod, reason)))
        .max_by_key(|(pod, reason)| (is_hopeless(pod, reason), restarts(pod)))?;
    Some(Trouble {
        words: words(pod)?,
        hopeless: is_hopeless(pod, reason),
    })
}

fn is_hopeless(pod: &Value, reason: &str) -> bool {
    match reason {
        "InvalidImageName" | "ErrImageNeverPull" => true,
        "CrashLoopBackOff" => restarts(pod) >= CRASHES_MAX,
        _ => false,
    }
}

/// Why the caller's time was not enough, from the pods where they say so.
pub async fn explained(api: &Api, change: &Change, missing: Failure) -> Failure {
    let Ok(Some(live)) = api.get(&change.place).await else {
        return missing;
    };
    let pods = pods_of(api, &change.place, &live).await.unwrap_or_default();
    match pods.iter().find_map(words) {
        Some(words) if missing.kind == FailureKind::Unready => {
            unready(format!("{}; {words}", missing.message))
        }
        _ => missing,
    }
}

#[cfg(test)]
mod tests {
    use crate::effects::kubernetes::rollout::unfinished;
    use serde_json::{Value, json};

    fn deployment(status: Value) -> Value {
        json!({"kind": "Deployment", "metadata": {"name": "api", "generation": 3}, "spec": {"replicas": 2}, "status": status})
    }

    #[test]
    fn a_rollout_is_through_when_every_pod_is_new_and_available() {
        let done = json!({"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2});
        assert_eq!(unfinished(&deployment(done.clone())), Ok(None));
        let mut old = done.clone();
        old["observedGeneration"] = json!(2);
        assert!(
            unfinished(&deployment(old))
                .unwrap()
                .unwrap()
                .contains("not seen")
        );
        let mut surplus = done.clone();
        surplus["replicas"] = json!(3);
        assert_eq!(
            unfinished(&deployment(surplus)).unwrap().unwrap(),
            "replicas is 3 of 2"
        );
        let mut stuck = done;
        stuck["conditions"] = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too slow"}]);
        assert_eq!(
            unfinished(&deployment(stuck)).unwrap_err().message,
            "deployment/api: too slow"
        );
    }

    #[test]
    fn a_workload_scaled_to_nothing_is_through() {
        let none = json!({"kind": "Deployment", "metadata": {"generation": 1}, "spec": {"replicas": 0}, "status": {"observedGeneration": 1}});
        assert_eq!(unfinished(&none), Ok(None));
    }

    #[test]
    fn pods_that_are_not_replaced_by_themselves_are_not_waited_for() {
        let mut set = json!({"kind": "StatefulSet", "metadata": {"generation": 1},
            "spec": {"replicas": 2, "updateStrategy": {"type": "RollingUpdate"}},
            "status": {"observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "updatedReplicas": 1}});
        assert!(unfinished(&set).unwrap().is_some());
        set["spec"]["updateStrategy"]["type"] = json!("OnDelete");
        assert_eq!(unfinished(&set), Ok(None));
    }
}
