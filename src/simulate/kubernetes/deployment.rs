//! The Deployment controller of the simulated cluster: which pods are to be made, which are to go.
//!
//! One look at a Deployment gives at most one move; the next look follows when a pod has changed. Surge and
//! unavailability are counted as the real controller counts them: pods that are going count for neither.

use crate::simulate::kubernetes::object::Object;
use crate::simulate::kubernetes::pod::{Pod, Template};
use serde_json::{Value, json};

/// What a Deployment asks for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub replicas: i64,
    pub template: Template,
    max_surge: i64,
    max_unavailable: i64,
}

/// What has to happen for it now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    pub create: i64,
    /// Names of pods.
    pub delete: Vec<String>,
}

impl Wanted {
    pub fn of(deployment: &Object) -> Wanted {
        let body = &deployment.body;
        let replicas = body.pointer("/spec/replicas").and_then(Value::as_i64);
        let replicas = replicas.unwrap_or(1).max(0);
        let template = body.pointer("/spec/template").unwrap_or(&Value::Null);
        let rolling = |key: &str| body.pointer(&format!("/spec/strategy/rollingUpdate/{key}"));
        let max_surge = amount(rolling("maxSurge"), replicas, Rounding::Up);
        let max_unavailable = amount(rolling("maxUnavailable"), replicas, Rounding::Down);
        let recreate = body.pointer("/spec/strategy/type") == Some(&json!("Recreate"));
        Wanted {
            replicas,
            template: Template::of(template),
            max_surge: if recreate { 0 } else { max_surge },
            max_unavailable: match (recreate, max_surge, max_unavailable) {
                (true, ..) => replicas,
                (false, 0, 0) => 1, // the server's default for two zeros
                (false, _, n) => n,
            },
        }
    }
}

/// What brings these pods nearer to what is wanted.
pub fn moves(wanted: &Wanted, pods: &[&Pod]) -> Moves {
    let alive: Vec<&Pod> = pods.iter().copied().filter(|pod| !pod.deleting).collect();
    let is_new = |pod: &&Pod| pod.template_hash == wanted.template.hash;
    let (new, old): (Vec<&Pod>, Vec<&Pod>) = alive.iter().copied().partition(is_new);
    let total = count(&alive);
    let room = wanted.replicas + wanted.max_surge - total;
    let create = (wanted.replicas - count(&new)).min(room).max(0);
    let mut delete = surplus(new.clone(), count(&new) - wanted.replicas);
    delete.extend(retire(wanted, &new, old));
    Moves { create, delete }
}

/// `status` as the controller writes it.
pub fn status(deployment: &Object, wanted: &Wanted, pods: &[&Pod]) -> Value {
    let alive: Vec<&Pod> = pods.iter().copied().filter(|pod| !pod.deleting).collect();
    let updated = alive
        .iter()
        .filter(|pod| pod.template_hash == wanted.template.hash);
    let ready = alive.iter().filter(|pod| pod.ready()).count();
    json!({
        "observedGeneration": deployment.generation,
        "replicas": alive.len(),
        "updatedReplicas": updated.count(),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": (wanted.replicas - i64::try_from(ready).unwrap_or(0)).max(0),
    })
}

/// Old pods that may go: those that are not ready at once, the others while enough are available.
fn retire(wanted: &Wanted, new: &[&Pod], old: Vec<&Pod>) -> Vec<String> {
    let ready = |pods: &[&Pod]| {
        count(
            &pods
                .iter()
                .copied()
                .filter(|pod| pod.ready())
                .collect::<Vec<_>>(),
        )
    };
    let (up, down): (Vec<&Pod>, Vec<&Pod>) = old.into_iter().partition(|pod| pod.ready());
    let spare = ready(new) + count(&up) - (wanted.replicas - wanted.max_unavailable);
    let unready_new = count(new) - ready(new);
    // A broken old pod goes even when nothing is spare, but not while the new ones fail in its place.
    let broken = if unready_new > wanted.max_surge {
        0
    } else {
        count(&down)
    };
    let mut delete = surplus(down, broken);
    delete.extend(surplus(up, spare));
    delete
}

/// The names of `n` pods to go: the unready first, then the youngest.
fn surplus(mut pods: Vec<&Pod>, n: i64) -> Vec<String> {
    pods.sort_by_key(|pod| {
        (
            pod.ready(),
            std::cmp::Reverse(pod.created),
            pod.name.clone(),
        )
    });
    let n = usize::try_from(n).unwrap_or(0);
    pods.iter()
        .take(n)
        .map(|pod| pod.name.name.clone())
        .collect()
}

fn count(pods: &[&Pod]) -> i64 {
    i64::try_from(pods.len()).unwrap_or(i64::MAX)
}

#[derive(Clone, Copy)]
enum Rounding {
    Up,
    Down,
}

/// `3` or `25%`; 25% where nothing is written.
fn amount(value: Option<&Value>, replicas: i64, rounding: Rounding) -> i64 {
    let percent = match value {
        Some(Value::Number(number)) => return number.as_i64().unwrap_or(0),
        Some(Value::String(text)) => text.trim_end_matches('%').parse().unwrap_or(25),
        _ => 25,
    };
    let product = replicas * percent;
    match rounding {
        Rounding::Up => (product + 99) / 100,
        Rounding::Down => product / 100,
    }
}
