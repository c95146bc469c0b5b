//! What a Service sends traffic to: its EndpointSlices, read back.

use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::failure::ApiError;
use crate::effects::kubernetes::object::{items, text};
use crate::effects::kubernetes::resource::ENDPOINT_SLICES;
use serde_json::Value;
use std::collections::BTreeSet;

/// The names of the pods that are ready endpoints of a Service. One pod stands in several slices where it has addresses
/// of both families, and counts once.
pub async fn ready(api: &Api, service: &str) -> Result<BTreeSet<String>, ApiError> {
    let selector = format!("kubernetes.io/service-name={service}");
    let slices = api.list(&ENDPOINT_SLICES, &selector).await?;
    Ok(slices.iter().flat_map(of_slice).collect())
}

fn of_slice(slice: &Value) -> impl Iterator<Item = String> {
    items(slice, "/endpoints")
        .iter()
        .filter(|endpoint| is_ready(endpoint))
        .map(|endpoint| {
            let pod = text(endpoint, "/targetRef/name");
            let address = || {
                items(endpoint, "/addresses")
                    .first()
                    .and_then(Value::as_str)
                    .unwrap_or("")
            };
            if pod.is_empty() {
                address().to_owned()
            } else {
                pod.to_owned()
            }
        })
}

/// Unknown counts as ready, as the API defines it.
fn is_ready(endpoint: &Value) -> bool {
    endpoint
        .pointer("/conditions/ready")
        .and_then(Value::as_bool)
        .unwrap_or(true)
}

/// How many of the endpoints are new, and how many old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    pub canary: u32,
    pub stable: u32,
}

pub fn split(ready: &BTreeSet<String>, canary_pods: &BTreeSet<String>) -> Split {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let canary = ready.intersection(canary_pods).count();
    Split {
        canary: count(canary),
        stable: count(ready.len() - canary),
    }
}

#[cfg(test)]
mod tests {
    use crate::effects::kubernetes::endpoints::{Split, of_slice, split};
    use serde_json::json;
    use std::collections::BTreeSet;

    #[test]
    fn ready_endpoints_are_named_by_their_pods() {
        let slice = json!({"endpoints": [
            {"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "targetRef": {"kind": "Pod", "name": "a"}},
            {"addresses": ["10.0.0.2"], "conditions": {"ready": false}, "targetRef": {"kind": "Pod", "name": "b"}},
            {"addresses": ["10.0.0.3"], "conditions": {}},
        ]});
        let ready: BTreeSet<String> = of_slice(&slice).collect();
        assert_eq!(
            ready,
            BTreeSet::from(["a".to_owned(), "10.0.0.3".to_owned()])
        );
        let canary = BTreeSet::from(["a".to_owned(), "z".to_owned()]);
        assert_eq!(
            split(&ready, &canary),
            Split {
                canary: 1,
                stable: 1
            }
        );
    }
}
