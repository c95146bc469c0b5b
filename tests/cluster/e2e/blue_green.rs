//! All of the traffic moves with one write of a selector, and back with one, and no request is lost.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::cluster::{Cluster, shared};
use crate::e2e::rights;
use crate::e2e::site::{Shape, Site};
use crate::e2e::world::{history, owned};
use crate::observe::Watch;

const PLAN: &str = include_str!("../plans/switch.deploy");
const DEMO: &str = include_str!("../plans/k8s/demo.yaml");
const RUN: Duration = Duration::from_secs(3 * 60);

/// The Deployment of one colour: only the Service tells them apart.
fn deployment(color: &str) -> String {
    let (deployment, _) = DEMO.split_once("---\n").unwrap();
    deployment
        .replacen("name: demo\n", &format!("name: demo-{color}\n"), 1)
        .replace(
            "app: demo\n",
            &format!("app: demo\n        color: {color}\n"),
        )
        .replacen(
            &format!("        color: {color}\n"),
            &format!("    color: {color}\n"),
            1,
        )
        .replacen(
            &format!("      app: demo\n        color: {color}\n"),
            &format!("      app: demo\n      color: {color}\n"),
            1,
        )
}

fn site(cluster: &'static Cluster, purpose: &str, changes: &[(&str, &str)]) -> Site {
    let (_, service) = DEMO.split_once("---\n").unwrap();
    let service = service.replace("app: demo\n", "app: demo\n    color: blue\n");
    let blue = deployment("blue") + "---\n" + &service;
    let functions = ["apply", "switch", "deployment"];
    let shape = Shape {
        plan: PLAN,
        installed: blue.leak(),
        released: deployment("green").leak(),
        rights: rights::of(&functions, &[("apps", "deployments"), ("", "services")]),
    };
    Site::rolled_out(cluster, purpose, &shape, changes, "demo-blue")
}

#[test]
fn the_selector_goes_over_without_a_lost_request() {
    let (cluster, _guard) = shared();
    let site = site(cluster, "switched", &[]);
    let services = Watch::start(&site.namespace, "services");
    let load = site.some_load().start();
    site.run("v2", RUN).assert_code(0);
    thread::sleep(Duration::from_secs(3));
    let record = load.stop();
    eprintln!("blue-green: {record}");
    record.assert_no_loss(300);
    assert!(record.answered_by("v2").count() > 100, "{record}");
    let specs = &history(&services.seen())["Service/demo"];
    assert_eq!(specs.len(), 2);
    assert_eq!(
        specs[1]["selector"],
        json!({"app": "demo", "color": "green"})
    );
}

#[test]
fn the_selector_comes_back_without_a_lost_request() {
    let (cluster, _guard) = shared();
    let site = site(
        cluster,
        "switched-back",
        &[("replicas >= 3", "replicas >= 30")],
    );
    let before = owned(&site.namespace);
    let services = Watch::start(&site.namespace, "services");
    let load = site.some_load().start();
    let ended = site.run("v2", RUN);
    thread::sleep(Duration::from_secs(8)); // the green pods drain for five
    let record = load.stop();
    ended.assert_code(3);
    eprintln!("blue-green and back: {record}");
    record.assert_no_loss(300);
    assert!(record.answered_by("v2").count() > 100, "{record}");
    assert_eq!(owned(&site.namespace), before);
    assert_eq!(history(&services.seen())["Service/demo"].len(), 3);
}
