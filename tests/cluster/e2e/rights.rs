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

/// The same but for some verbs on some resources.
pub fn without(missing: &[(&str, &str)]) -> Rights {
    let mut verbs: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    let kind = kubernetes::kind();
    let declared = FUNCTIONS.iter().flat_map(|name| {
        let function = kind.function(name).unwrap();
        function.rights.iter()
    });
    let declared = declared.map(|right| (right.group, right.resource, right.verb));
    for (group, resource, verb) in declared.chain(BESIDE) {
        if !missing.contains(&(verb, resource)) {
            verbs.entry((group, resource)).or_default().insert(verb);
        }
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
