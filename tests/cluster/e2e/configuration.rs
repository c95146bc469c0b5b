//! Configuration that changes with a release goes back with it. A plan may not hold a Secret, as its data would stand in the
//! journal: the one of the new version is made outside, and the template names it.

use std::time::Duration;

use crate::cluster::shared;
use crate::e2e::rights;
use crate::e2e::site::{Shape, Site};
use crate::e2e::world::owned;

const PLAN: &str = include_str!("../plans/rollout.deploy");
const DEMO: &str = include_str!("../plans/k8s/demo.yaml");
const RUN: Duration = Duration::from_secs(3 * 60);
const WORD: &str = "a word that nobody may read";

fn of_version(version: &str) -> String {
    let config = format!(
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: demo-{version}\ndata:\n  LIMIT: \"{version}\"\n"
    );
    let from = format!(
        "          envFrom:\n            - configMapRef:\n                name: demo-{version}\n            - secretRef:\n                name: demo-secret-{version}\n          readinessProbe:\n"
    );
    DEMO.replace("          readinessProbe:\n", &from) + &config
}

fn secret(version: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: demo-secret-{version}\nstringData:\n  PASSWORD: {WORD} {version}\n"
    )
}

#[test]
fn a_config_map_and_a_secret_that_change_with_a_release_go_back_with_it() {
    let (cluster, _guard) = shared();
    let functions = [
        "apply",
        "canary_weight",
        "canary_promote",
        "revision_pods",
        "deployment",
    ];
    let kinds = [("", "services"), ("", "configmaps")];
    let shape = Shape {
        plan: PLAN,
        installed: (of_version("v1") + &secret("v1") + &secret("v2")).leak(),
        released: of_version("v2").leak(),
        rights: rights::of(&functions, &kinds),
    };
    let site = Site::rolled_out(cluster, "configured", &shape, &[], "demo");
    let before = owned(&site.namespace);
    let secrets = || site.namespace.get("secrets")["items"].clone();
    let secrets_before = secrets();
    let load = site.some_load().start();

    let mut running = site.start("v2-bad");
    running.await_line("the first weight", Duration::from_secs(90), |line| {
        !line["event"]["weight"].is_null()
    });
    let made = site.namespace.find("configmap/demo-v2");
    assert_eq!(made.unwrap()["data"]["LIMIT"], "v2");
    let canary = site.namespace.get("deployment/demo-canary");
    let from = &canary["spec"]["template"]["spec"]["containers"][0]["envFrom"];
    assert_eq!(from[0]["configMapRef"]["name"], "demo-v2");
    assert_eq!(from[1]["secretRef"]["name"], "demo-secret-v2");

    let ended = running.wait(RUN);
    let record = load.stop();
    ended.assert_code(3);
    eprintln!("configuration: {record}");
    assert_eq!(owned(&site.namespace), before);
    assert_eq!(secrets(), secrets_before);
    assert!(site.namespace.find("configmap/demo-v2").is_none());
    let journal = std::fs::read(site.state().join("runs.db")).unwrap();
    let mut words = journal.windows(WORD.len());
    assert!(
        !words.any(|part| part == WORD.as_bytes()),
        "the journal holds a secret"
    );
}
