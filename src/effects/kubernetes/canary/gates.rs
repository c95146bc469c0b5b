//! The readiness gate of a pod: the one small write that lets traffic in, or keeps it out.

use crate::effects::kubernetes::client::{Api, Payload};
use crate::effects::kubernetes::failure::ApiError;
use crate::effects::kubernetes::object::{holds, name, uid};
use crate::effects::kubernetes::resource::PODS;
use crate::providers::kubernetes::canary::GATE;
use crate::providers::request::Key;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    Open,
    Shut,
}

/// Pods are written at the same time: the way back is as long as one of them takes.
const AT_ONCE: usize = 64;
const STALE_TRIES: u32 = 8;

pub fn is_open(pod: &Value) -> bool {
    holds(pod, GATE)
}

/// Sets the gate of all these pods. One that is gone by now is as good as shut. Every pod is tried, also after a
/// failure; the first failure is returned.
pub async fn set(api: &Api, key: &Key, pods: &[&Value], gate: Gate) -> Result<(), ApiError> {
    let writes: Vec<_> = pods
        .iter()
        .map(|pod| set_one(api, key, pod, gate))
        .collect();
    let results: Vec<Result<(), ApiError>> = stream::iter(writes)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    results.into_iter().collect()
}

async fn set_one(api: &Api, key: &Key, pod: &Value, gate: Gate) -> Result<(), ApiError> {
    let path = format!("{}/status", api.place(PODS, name(pod)).path());
    let patch = json!({
        "metadata": { "uid": uid(pod) },
        "status": { "conditions": [{
            "type": GATE,
            "status": match gate {
                Gate::Open => "True",
                Gate::Shut => "False",
            },
            "lastTransitionTime": now(),
            "reason": "Deployc",
            "message": key.0,
        }] },
    });
    // The kubelet writes there, too. To write the same again is harmless.
    let mut stale = 1;
    loop {
        match api.patch(&path, Payload::Strategic(patch.clone())).await {
            Ok(_) => return Ok(()),
            // 422: another pod has its name, which is shut as every new one is.
            Err(error) if matches!(error.code(), Some(404 | 422)) => return Ok(()),
            Err(ApiError::Refused(status)) if status.is_stale() && stale < STALE_TRIES => {
                stale += 1
            }
            Err(error) => return Err(error),
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a condition says when it changed"
)]
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
