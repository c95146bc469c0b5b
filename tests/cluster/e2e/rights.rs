//! The rights that a plan needs, as the providers declare them: if a declaration lacks one, the run is
//! refused and its test fails.

use std::collections::{BTreeMap, BTreeSet};

use deployc::providers::kubernetes;
use serde_json::{Value, json};

use crate::namespace::Rights;

/// What the plan calls, and what the engine calls for it.
const FUNCTIONS: [&str; 5] = [
    "apply",
    "canary_weight",
    "canary_promote",
    "revision_pods",
    "deployment",
];

/// The kinds of the manifests beside Deployments, and the lock on the target.
const BESIDE: [(&str, &str, &str); 6] = [
    ("coordination.k8s.io", "leases", "get"),
    ("coordination.k8s.io", "leases", "create"),
    ("coordination.k8s.io", "leases", "update"),
    ("", "services", "get"),
    ("", "services", "create"),
    ("", "services", "patch"),
];

pub fn of_the_plan() -> Rights {
    without(&[])
}

/// What these functions need, and to make, change and remove these kinds.
pub fn of(functions: &[&str], kinds: &[(&str, &str)]) -> Rights {
    let mut all = declared(functions);
    all.extend(BESIDE);
    for (group, resource) in kinds {
        for verb in ["get", "create", "patch", "delete"] {
            all.push((*group, *resource, verb));
        }
    }
    rights(all)
}

/// The same but for some verbs on some resources.
pub fn without(missing: &[(&str, &str)]) -> Rights {
    let all = declared(&FUNCTIONS).into_iter().chain(BESIDE);
    let is_there =
        |(_, resource, verb): &(&str, &str, &str)| !missing.contains(&(*verb, *resource));
    rights(all.filter(is_there).collect())
}

/// Group, resource, verb.
fn declared(functions: &[&str]) -> Vec<(&'static str, &'static str, &'static str)> {
    let kind = kubernetes::kind();
    let declared = functions.iter().flat_map(|name| {
        let function = kind.function(name).unwrap();
        function.rights.iter()
    });
    let declared = declared.map(|right| (right.group, right.resource, right.verb));
    declared.collect()
}

fn rights(all: Vec<(&str, &str, &str)>) -> Rights {
    let mut verbs: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for (group, resource, verb) in all {
        verbs.entry((group, resource)).or_default().insert(verb);
    }
    let rules: Vec<Value> = verbs
        .into_iter()
        .map(|((group, resource), verbs)| {
            json!({"apiGroups": [group], "resources": [resource], "verbs": verbs})
        })
        .collect();
    Rights {
        here: json!(rules),
        everywhere: json!([]),
    }
}
