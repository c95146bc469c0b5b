//! The lock on a target in a cluster: a `Lease` in its namespace. `kubectl get leases` says who has it.

use crate::effects::kubernetes::client::{Api, Payload};
use crate::effects::kubernetes::failure::ApiError;
use crate::effects::kubernetes::object;
use crate::effects::kubernetes::resource::{LEASES, Place};
use crate::effects::target::claim::{Claim, Hold};
use crate::effects::target::fence::LEASE;
use crate::effects::target::lease::{Lease, LeaseError, Standing, Written};
use crate::providers::kubernetes::FIELD_MANAGER;
use crate::values::Instant;
use async_trait::async_trait;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

/// What stands in the lease as it is meant; its other fields are for people and their tools.
const CLAIM: &str = "deployc.dev/claim";

pub struct KubernetesLease {
    api: Api,
    place: Place,
}

impl KubernetesLease {
    /// Its own requests are let through when its fence is closed: they open it again.
    pub fn new(api: &Api, plan: &str) -> KubernetesLease {
        let api = api.unfenced();
        let place = api.place(LEASES, &name(plan));
        KubernetesLease { api, place }
    }

    /// Whether this very claim stands there, with the moment at which it was written.
    async fn says(&self, wanted: &Claim) -> bool {
        let found = self.api.get(&self.place).await;
        matches!(found, Ok(Some(lease)) if claim(&lease).as_ref() == Some(wanted))
    }

    fn error(&self, error: ApiError) -> LeaseError {
        LeaseError {
            place: self.place(),
            why: error.about(&self.place.short()).message,
        }
    }
}

#[async_trait]
impl Lease for KubernetesLease {
    fn place(&self) -> String {
        format!("{} at {}", self.place.object(), self.api.address)
    }

    async fn look(&self) -> Result<Option<Standing>, LeaseError> {
        let found = self.api.get(&self.place).await;
        let found = found.map_err(|error| self.error(error))?;
        Ok(found.map(|lease| Standing {
            claim: claim(&lease),
            version: object::resource_version(&lease).to_owned(),
            transitions: lease
                .pointer("/spec/leaseTransitions")
                .and_then(Value::as_u64)
                .unwrap_or(0),
        }))
    }

    async fn write(&self, seen: Option<&Standing>, claim: &Claim) -> Result<Written, LeaseError> {
        let body = body(&self.place, seen, claim).map_err(|error| LeaseError {
            place: self.place(),
            why: error.to_string(),
        })?;
        let written = match seen {
            None => {
                let collection = self.place.resource.path(&self.place.namespace);
                self.api.create(&collection, body).await
            }
            Some(_) => {
                let path = format!("{}?fieldManager={FIELD_MANAGER}", self.place.path());
                let payload = Payload::Json(body);
                self.api.send(Method::PUT, &path, payload).await
            }
        };
        match written {
            Ok(_) => Ok(Written::Done),
            // The answer was lost, and not the write.
            Err(error) if !is_unsent(&error) && self.says(claim).await => Ok(Written::Done),
            Err(error) => match (error.code(), seen) {
                (Some(404), None) => Ok(Written::Nowhere),
                (Some(404 | 409), _) => Ok(Written::Beaten),
                _ => Err(self.error(error)),
            },
        }
    }
}

fn is_unsent(error: &ApiError) -> bool {
    matches!(error, ApiError::Unsent(_))
}

/// A name of an object: lower-case, of letters, digits and `-`.
fn name(plan: &str) -> String {
    let plan = plan.to_lowercase().replace('_', "-");
    format!("deployc-{plan}").trim_end_matches('-').to_owned()
}

fn claim(lease: &Value) -> Option<Claim> {
    let annotations = lease.get("metadata")?.get("annotations")?;
    serde_json::from_str(annotations.get(CLAIM)?.as_str()?).ok()
}

fn body(place: &Place, seen: Option<&Standing>, claim: &Claim) -> Result<Value, serde_json::Error> {
    let before = seen.and_then(|seen| seen.claim.as_ref());
    let passed_on = u64::from(before.is_some_and(|before| !before.is_by(claim)));
    let transitions = seen.map_or(0, |seen| seen.transitions) + passed_on;
    let holder = match claim.hold {
        Hold::Free => None,
        _ => Some(format!(
            "{}@{} process {} run {}",
            claim.user, claim.host, claim.process, claim.run
        )),
    };
    Ok(json!({
        "apiVersion": place.resource.api_version(),
        "kind": place.resource.kind,
        "metadata": {
            "name": place.name,
            "namespace": place.namespace,
            "resourceVersion": seen.map(|seen| &seen.version),
            "labels": { "app.kubernetes.io/managed-by": "deployc" },
            "annotations": { CLAIM: serde_json::to_string(claim)? },
        },
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": LEASE.as_secs(),
            "acquireTime": time(claim.since),
            "renewTime": time(claim.renewed),
            "leaseTransitions": transitions,
        },
    }))
}

/// `2026-01-21T06:30:00.000000Z`
fn time(at: Instant) -> String {
    let time = Timestamp::from_nanosecond(i128::from(at.0)).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use crate::effects::kubernetes::lease::{body, claim, name};
    use crate::effects::kubernetes::resource::{LEASES, Place};
    use crate::effects::target::claim::{Claim, Hold};
    use crate::effects::target::lease::Standing;
    use crate::values::Instant;

    fn by(run: &str, hold: Hold) -> Claim {
        Claim {
            run: run.to_owned(),
            user: "ana".to_owned(),
            host: "laptop".to_owned(),
            process: 7,
            since: Instant(1_768_977_000_000_000_000),
            renewed: Instant(1_768_977_002_500_000_000),
            head: None,
            hold,
        }
    }

    #[test]
    fn it_says_who_where_and_since_when() {
        let place = Place::new(LEASES, "prod", &name("shop"));
        let made = body(&place, None, &by("a", Hold::Held)).unwrap();
        assert_eq!(made["metadata"]["name"], "deployc-shop");
        assert_eq!(made["spec"]["holderIdentity"], "ana@laptop process 7 run a");
        assert_eq!(made["spec"]["acquireTime"], "2026-01-21T06:30:00.000000Z");
        assert_eq!(made["spec"]["renewTime"], "2026-01-21T06:30:02.500000Z");
        assert_eq!(claim(&made), Some(by("a", Hold::Held)));
    }

    #[test]
    fn each_new_holder_is_counted_and_a_free_one_has_none() {
        let place = Place::new(LEASES, "prod", &name("shop"));
        let seen = Standing {
            claim: Some(by("a", Hold::Held)),
            version: "41".to_owned(),
            transitions: 3,
        };
        let renewed = body(&place, Some(&seen), &by("a", Hold::Free)).unwrap();
        assert_eq!(renewed["spec"]["leaseTransitions"], 3);
        assert_eq!(renewed["metadata"]["resourceVersion"], "41");
        assert!(renewed["spec"]["holderIdentity"].is_null());
        let taken = body(&place, Some(&seen), &by("b", Hold::Held)).unwrap();
        assert_eq!(taken["spec"]["leaseTransitions"], 4);
    }

    #[test]
    fn a_plan_has_a_name_that_an_object_may_have() {
        assert_eq!(name("Two_words_"), "deployc-two-words");
    }
}
