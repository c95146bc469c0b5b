//! A canary of a plain Deployment, by replica ratio and a readiness gate: the arithmetic, the names, the shape of the
//! Deployment that holds the new pods. No cluster is needed for any of it.

use crate::providers::kubernetes::KEY_ANNOTATION;
use crate::units::amount::{NANO, Nano};
use serde_json::{Map, Value, json};
use std::fmt;

/// The condition that a pod of a canary waits for; the run opens and shuts it.
pub const GATE: &str = "deployc.dev/traffic";
pub const TRACK_LABEL: &str = "deployc.dev/track";
pub const TRACK_CANARY: &str = "canary";

const SUFFIX: &str = "-canary";
/// A pod is named after its ReplicaSet, cut at 58 characters, and the scopes rely on the whole name: `-canary`, and up
/// to 12 for the hash and its dashes have to fit.
pub const NAME_CHARS_MAX: usize = 39;

/// A weight that replicas cannot express.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inexpressible {
    pub stable: u32,
    pub weight: Nano,
    /// The nearest that can be had: pods, and the weight that they make.
    pub nearest: Vec<(u32, Nano)>,
    /// The fewest replicas, more than there are, that can express it.
    pub replicas: Option<u32>,
}

impl fmt::Display for Inexpressible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stable == 0 {
            return f.write_str("there is no old pod beside which a weight could be made");
        }
        let weight = percent(self.weight);
        let stable = self.stable;
        write!(
            f,
            "beside {stable} old pods, {weight} of the traffic takes no whole number of new ones"
        )?;
        for (i, (pods, achieved)) in self.nearest.iter().enumerate() {
            let separator = if i == 0 { ": " } else { ", " };
            let verb = if *pods == 1 { "is" } else { "are" };
            write!(f, "{separator}{pods} {verb} {}", percent(*achieved))?;
        }
        match self.replicas {
            Some(replicas) => write!(f, "; {replicas} replicas can express it"),
            None => Ok(()),
        }
    }
}

/// With at most two decimals.
fn percent(part: Nano) -> String {
    let hundredths = (part.0 * 10_000 + NANO / 2).div_euclid(NANO);
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}%")
}

/// How many canary pods beside `stable` old ones take `weight` of the traffic; the fewest where two are as near.
///
/// At 100% the old pods take none, so it is as many as there were.
pub fn canary_pods(stable: u32, weight: Nano, tolerance: Nano) -> Result<u32, Inexpressible> {
    if stable > 0 && weight.0 >= NANO {
        return Ok(stable);
    }
    let candidates = neighbours(stable, weight);
    let fitting = candidates
        .iter()
        .filter(|pods| fits(**pods, stable, weight, tolerance));
    fitting
        .min_by_key(|pods| (achieved(**pods, stable).0 - weight.0).abs())
        .copied()
        .ok_or_else(|| Inexpressible {
            stable,
            weight,
            nearest: candidates
                .iter()
                .map(|pods| (*pods, achieved(*pods, stable)))
                .collect(),
            replicas: enough_replicas(stable, weight, tolerance),
        })
}

/// Whether `canary` pods beside `stable` ones are within the tolerance of the weight.
pub fn fits(canary: u32, stable: u32, weight: Nano, tolerance: Nano) -> bool {
    let (canary, all) = (i128::from(canary), i128::from(canary) + i128::from(stable));
    canary > 0 && (canary * NANO - weight.0 * all).abs() <= tolerance.0 * all
}

/// The part of the traffic that `canary` pods beside `stable` ones take.
pub fn achieved(canary: u32, stable: u32) -> Nano {
    let all = i128::from(canary) + i128::from(stable);
    match all {
        0 => Nano(0),
        _ => Nano(i128::from(canary) * NANO / all),
    }
}

/// The whole numbers around the exact answer.
fn neighbours(stable: u32, weight: Nano) -> Vec<u32> {
    if stable == 0 || weight.0 <= 0 || weight.0 >= NANO {
        return Vec::new();
    }
    let below = weight.0 * i128::from(stable) / (NANO - weight.0);
    [below, below + 1]
        .into_iter()
        .filter_map(|pods| u32::try_from(pods).ok())
        .filter(|pods| *pods > 0)
        .collect()
}

fn enough_replicas(stable: u32, weight: Nano, tolerance: Nano) -> Option<u32> {
    const SEARCHED_MAX: u32 = 1_000;
    let more = stable.saturating_add(1)..=stable.saturating_add(SEARCHED_MAX);
    more.into_iter().find(|replicas| {
        neighbours(*replicas, weight)
            .into_iter()
            .any(|pods| fits(pods, *replicas, weight, tolerance))
    })
}

/// The Deployment beside `deployment`.
pub fn canary_name(deployment: &str) -> String {
    format!("{deployment}{SUFFIX}")
}

/// Regexes over the names of pods, whole names, without a backslash so that they can stand in PromQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodNames {
    pub canary: String,
    pub stable: String,
    pub all: String,
}

pub fn pod_names(deployment: &str) -> PodNames {
    let name = deployment.replace('.', "[.]");
    let tail = "[a-z0-9]+-[a-z0-9]{5}";
    PodNames {
        canary: format!("{name}{SUFFIX}-{tail}"),
        stable: format!("{name}-{tail}"),
        all: format!("{name}({SUFFIX})?-{tail}"),
    }
}

/// The Deployment that holds the new pods, from what is to be applied as `NAME` in the end: one replica, pods that
/// wait for the gate, and a label by which Services and people can tell them from the old ones.
pub fn dark(deployment: &Value, key: &str) -> Value {
    let mut dark = deployment.clone();
    let name = text(deployment, "/metadata/name");
    set(&mut dark, &["metadata", "name"], json!(canary_name(name)));
    set(
        &mut dark,
        &["metadata", "labels", TRACK_LABEL],
        json!(TRACK_CANARY),
    );
    set(
        &mut dark,
        &["metadata", "annotations", KEY_ANNOTATION],
        json!(key),
    );
    set(&mut dark, &["spec", "replicas"], json!(1));
    // Pods with a shut gate never become available: that is no failed rollout.
    set(
        &mut dark,
        &["spec", "progressDeadlineSeconds"],
        json!(i32::MAX),
    );
    set(
        &mut dark,
        &["spec", "selector", "matchLabels", TRACK_LABEL],
        json!(TRACK_CANARY),
    );
    let template = ["spec", "template", "metadata", "labels", TRACK_LABEL];
    set(&mut dark, &template, json!(TRACK_CANARY));
    let gates = dark.pointer("/spec/template/spec/readinessGates");
    let mut gates = gates.and_then(Value::as_array).cloned().unwrap_or_default();
    gates.push(json!({ "conditionType": GATE }));
    set(
        &mut dark,
        &["spec", "template", "spec", "readinessGates"],
        json!(gates),
    );
    dark
}

/// Whether a selector takes pods with these labels. An empty one takes none: such a Service has its endpoints from
/// elsewhere.
pub fn selects(selector: &Map<String, Value>, labels: &Map<String, Value>) -> bool {
    !selector.is_empty()
        && selector
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
}

/// A selector that takes canary pods only.
pub fn narrowed(selector: &Map<String, Value>) -> Map<String, Value> {
    let mut selector = selector.clone();
    selector.insert(TRACK_LABEL.to_owned(), json!(TRACK_CANARY));
    selector
}

/// The selector as it was before it was narrowed.
pub fn widened(selector: &Map<String, Value>) -> Map<String, Value> {
    let mut selector = selector.clone();
    selector.shift_remove(TRACK_LABEL);
    selector
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// Sets a field, and makes the objects on the way to it.
fn set(target: &mut Value, path: &[&str], new: Value) {
    let mut at = target;
    for name in path {
        if !at.is_object() {
            *at = json!({});
        }
        let Some(map) = at.as_object_mut() else {
            return;
        };
        at = map.entry(*name).or_insert(Value::Null);
    }
    *at = new;
}

#[cfg(test)]
mod tests {
    use crate::providers::kubernetes::canary::{
        achieved, canary_pods, dark, fits, narrowed, pod_names, selects, widened,
    };
    use crate::units::amount::{NANO, Nano};
    use proptest::prelude::*;
    use regex::Regex;
    use serde_json::{Map, Value, json};

    fn percent(n: i128) -> Nano {
        Nano(n * NANO / 100)
    }

    #[test]
    fn weights_that_replicas_express() {
        let exact = Nano(0);
        assert_eq!(canary_pods(3, percent(25), exact), Ok(1));
        assert_eq!(canary_pods(9, percent(10), exact), Ok(1));
        assert_eq!(canary_pods(4, percent(50), exact), Ok(4));
        assert_eq!(canary_pods(1, percent(75), exact), Ok(3));
        assert_eq!(canary_pods(7, percent(100), exact), Ok(7));
        assert_eq!(canary_pods(7, percent(10), percent(3)), Ok(1));
        assert_eq!(canary_pods(2, Nano(333_333_333), Nano(1)), Ok(1));
    }

    #[test]
    fn a_weight_that_they_cannot_express_names_what_could() {
        let refused = canary_pods(7, percent(10), Nano(0)).unwrap_err();
        assert_eq!(refused.nearest, [(1, Nano(125_000_000))]);
        assert_eq!(refused.replicas, Some(9));
        let refused = canary_pods(5, percent(30), percent(1)).unwrap_err();
        let near: Vec<u32> = refused.nearest.iter().map(|(pods, _)| *pods).collect();
        assert_eq!(near, [2, 3]);
        assert_eq!(
            refused.to_string(),
            "beside 5 old pods, 30% of the traffic takes no whole number of new ones: 2 are 28.57%, 3 are 37.5%; \
             7 replicas can express it"
        );
    }

    #[test]
    fn no_weight_without_pods() {
        assert!(canary_pods(0, percent(50), percent(50)).is_err());
        assert!(canary_pods(0, percent(100), percent(0)).is_err());
        assert!(canary_pods(5, percent(0), percent(1)).is_err());
    }

    proptest! {
        #[test]
        fn what_is_returned_fits_and_nothing_fits_better(
            stable in 1_u32..200, weight in 1_i128..NANO, tolerance in 0_i128..NANO / 5,
        ) {
            let (weight, tolerance) = (Nano(weight), Nano(tolerance));
            let distance = |pods: u32| (achieved(pods, stable).0 - weight.0).abs();
            let best = (1..=40_000).min_by_key(|pods| distance(*pods)).unwrap();
            match canary_pods(stable, weight, tolerance) {
                Ok(pods) => {
                    prop_assert!(fits(pods, stable, weight, tolerance));
                    prop_assert!(distance(pods) <= distance(best));
                }
                Err(_) => prop_assert!(!fits(best, stable, weight, tolerance)),
            }
        }
    }

    #[test]
    fn each_pod_is_of_one_side() {
        let names = pod_names("api.v2");
        let whole = |regex: &str| Regex::new(&format!("^(?:{regex})$")).unwrap();
        let (canary, stable) = (whole(&names.canary), whole(&names.stable));
        let new = "api.v2-canary-5d9c8f7b6d-x2x4z";
        let old = "api.v2-6b7c9d5f4-abcde";
        assert!(canary.is_match(new) && !stable.is_match(new));
        assert!(stable.is_match(old) && !canary.is_match(old));
        assert!(whole(&names.all).is_match(new) && whole(&names.all).is_match(old));
        assert!(!whole(&names.all).is_match("apixv2-6b7c9d5f4-abcde"));
        assert!(!names.all.contains('\\'));
    }

    #[test]
    fn the_dark_deployment_differs_in_what_it_must() {
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "api", "labels": {"app": "api"}},
            "spec": {
                "replicas": 4,
                "selector": {"matchLabels": {"app": "api"}},
                "template": {
                    "metadata": {"labels": {"app": "api"}},
                    "spec": {"containers": [{"name": "api", "image": "api:2"}]},
                },
            },
        });
        assert_eq!(
            dark(&deployment, "run/1"),
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {
                    "name": "api-canary",
                    "labels": {"app": "api", "deployc.dev/track": "canary"},
                    "annotations": {"deployc.dev/key": "run/1"},
                },
                "spec": {
                    "replicas": 1,
                    "selector": {"matchLabels": {"app": "api", "deployc.dev/track": "canary"}},
                    "template": {
                        "metadata": {"labels": {"app": "api", "deployc.dev/track": "canary"}},
                        "spec": {
                            "containers": [{"name": "api", "image": "api:2"}],
                            "readinessGates": [{"conditionType": "deployc.dev/traffic"}],
                        },
                    },
                    "progressDeadlineSeconds": 2_147_483_647,
                },
            })
        );
    }

    #[test]
    fn a_selector_is_narrowed_and_widened() {
        let map = |value: Value| value.as_object().cloned().unwrap();
        let plain = map(json!({"app": "api"}));
        let old = map(json!({"app": "api", "version": "1"}));
        let new = map(json!({"app": "api", "deployc.dev/track": "canary"}));
        assert!(selects(&plain, &old) && selects(&plain, &new));
        assert!(!selects(&narrowed(&plain), &old) && selects(&narrowed(&plain), &new));
        assert_eq!(widened(&narrowed(&plain)), plain);
        assert!(!selects(&Map::new(), &old));
    }
}
