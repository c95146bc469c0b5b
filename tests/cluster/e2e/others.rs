//! Others have a say: somebody edits what a run works on, or releases at the same time, or has not granted it what it needs.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::cluster::shared;
use crate::e2e::program::Running;
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

/// Another machine shares nothing with the first but the cluster. Its plan says whether it is refused, or waits and then
/// goes on from what the first run left.
#[test]
fn a_second_run_is_refused_or_queued_as_its_plan_declares() {
    let (cluster, _guard) = shared();
    let queued = "deadline 20m\n  concurrent runs queue up to 10m";
    let site = Site::with(cluster, "queued", &[("deadline 20m", queued)]);
    let rejecting = site.folder.join("rejecting");
    fs::create_dir_all(&rejecting).unwrap();
    let plan = fs::read_to_string(site.plan()).unwrap();
    let plan = plan.replace("concurrent runs queue up to 10m", "concurrent runs reject");
    fs::write(rejecting.join("rollout.deploy"), plan).unwrap();
    fs::create_dir_all(rejecting.join("k8s")).unwrap();
    fs::copy(
        site.folder.join("k8s/demo.yaml"),
        rejecting.join("k8s/demo.yaml"),
    )
    .unwrap();
    let deployments = Watch::start(&site.namespace, "deployments");
    let load = site.some_load().start();
    let mut first = site.start("v2");
    first.await_line("the first weight", Duration::from_secs(60), |line| {
        !line["event"]["weight"].is_null()
    });
    let name = site.run_name();
    let refused = Running::start(&mut elsewhere(&site, &rejecting, "refused")).wait(RUN);
    refused.assert_code(1);
    assert!(
        refused.errors.contains("the target is in use by run"),
        "{}",
        refused.errors
    );
    assert!(!refused.errors.contains("waiting"), "{}", refused.errors);

    let mut second = Running::start(&mut elsewhere(&site, &site.folder, "queued"));
    let begun = second.await_line("its begin", RUN, |line| !line["event"].is_null());
    let first = first.wait(RUN);
    first.assert_code(0);
    let last = first.lines.last().unwrap().at;
    assert!(begun.at >= last, "it did not wait for the end of the first");
    let second = second.wait(RUN);
    second.assert_code(0);
    for words in ["note: waiting up to 10m for lease/", &name, "since 20"] {
        assert!(second.errors.contains(words), "{words}: {}", second.errors);
    }
    load.stop().assert_no_loss(300);
    let demo = site.namespace.get("deployment/demo");
    let containers = &demo["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[0]["image"], image("v1"), "the second came last");
    // One canary after the other.
    let specs = history(&deployments.seen());
    assert_eq!(replicas(&specs["Deployment/demo-canary"]), [1, 3, 1, 3]);
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

/// As from another machine, with the plan in this folder, and runs of its own.
fn elsewhere(site: &Site, folder: &Path, state: &str) -> Command {
    let mut command = site.program(&["run", "rollout.deploy", "--output=json"]);
    command
        .current_dir(folder)
        .arg("--set=version=v1")
        .arg(format!("--set=prometheus={}", site.prometheus))
        .arg("--state")
        .arg(site.folder.join(state));
    command
}
