//! Others have a say: somebody edits what a run works on, or has not granted it what it needs.

use std::time::Duration;

use crate::cluster::shared;
use crate::e2e::rights;
use crate::e2e::site::Site;
use crate::e2e::world::{history, replicas, touched};
use crate::namespace::run;
use crate::observe::Watch;
use crate::workload::image;

const RUN: Duration = Duration::from_secs(3 * 60);

#[test]
fn a_change_by_somebody_else_stops_the_run_and_is_kept() {
    let (cluster, _guard) = shared();
    let site = Site::new(cluster, "edited");
    let deployments = Watch::start(&site.namespace, "deployments");
    let load = site.some_load().start();
    let mut running = site.start("v2");
    running.await_line("the first weight", Duration::from_secs(60), |line| {
        !line["event"]["weight"].is_null()
    });
    let theirs = image("v2-slow");
    run(site.namespace.kubectl().args([
        "set",
        "image",
        "deployment/demo",
        &format!("demo={theirs}"),
        "--field-manager=somebody",
    ]));

    let ended = running.wait(RUN);
    assert!(matches!(ended.code, Some(4 | 5)), "{}", ended.text());
    ended.assert_says(&["somebody", "image", "deployment"]);
    let demo = site.namespace.get("deployment/demo");
    let containers = &demo["spec"]["template"]["spec"]["containers"];
    assert_eq!(
        containers[0]["image"], theirs,
        "their change was overwritten"
    );
    load.stop().assert_no_loss(100);
    // It did not go on to the next stage.
    let specs = history(&deployments.seen());
    assert_eq!(replicas(&specs["Deployment/demo-canary"]), [1]);
}

#[test]
fn a_missing_right_is_named_before_anything_is_changed() {
    let (cluster, _guard) = shared();
    let mut site = Site::new(cluster, "denied");
    let before = touched(&site.namespace);
    let name = site.namespace.name.clone();
    for (account, verb, resource) in [
        ("no-gate", "patch", "pods/status"),
        ("no-create", "create", "deployments"),
        ("no-look", "list", "pods"),
        ("no-service", "patch", "services"),
        ("no-lock", "update", "leases"),
    ] {
        let rights = rights::without(&[(verb, resource)]);
        site.kubeconfig = site
            .namespace
            .service_account(account, &rights, &site.folder);
        let ended = site.run("v2", RUN);
        ended.assert_code(1);
        ended.assert_says(&[verb, resource, &name]);
        assert_eq!(touched(&site.namespace), before, "{account}");
    }
}
