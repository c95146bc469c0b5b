//! The lock on a target is a `Lease` in its namespace: seen by everybody, kept by nobody who is gone.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::cluster::shared;
use crate::e2e::program::{Ended, Running};
use crate::e2e::site::Site;
use crate::e2e::world::touched;
use crate::namespace::run;
use crate::wait::until;

const RUN: Duration = Duration::from_secs(4 * 60);
const LEASE: &str = "lease/deployc-rollout";
const CLAIM: &str = "deployc.dev/claim";

#[test]
fn a_second_run_from_elsewhere_is_refused_until_the_first_has_ended() {
    let (cluster, _guard) = shared();
    let site = Site::new(cluster, "locked");
    let load = site.some_load().start();
    let mut first = site.start("v2");
    weighted(&mut first);
    let name = site.run_name();
    let lease = site.namespace.get(LEASE);
    let holder = lease["spec"]["holderIdentity"].as_str().unwrap();
    assert!(holder.ends_with(&format!(" run {name}")), "{holder}");
    assert_eq!(lease["spec"]["leaseDurationSeconds"], 15);
    let before = head(&lease);
    until(
        "the lease is renewed, with more of the journal",
        RUN,
        || {
            let now = site.namespace.get(LEASE);
            let is_later = now["spec"]["renewTime"].as_str() > lease["spec"]["renewTime"].as_str();
            (is_later && head(&now) > before).then_some(())
        },
    );

    let second = elsewhere(&site, "v2");
    second.assert_code(1);
    assert!(
        second.errors.contains("the target is in use by run"),
        "{}",
        second.errors
    );
    assert!(second.errors.contains(&name), "{}", second.errors);

    first.wait(RUN).assert_code(0);
    load.stop().assert_no_loss(300);
    let lease = site.namespace.get(LEASE);
    assert!(lease["spec"]["holderIdentity"].is_null(), "{lease}");
}

#[test]
fn a_stopped_process_that_lost_its_lease_wakes_up_and_writes_nothing() {
    let (cluster, _guard) = shared();
    let site = Site::new(cluster, "lease-lost");
    let mut running = site.start("v2");
    weighted(&mut running);
    running.signal(Signal::STOP);
    take(&site, "somebody-else");
    // What it has asked for already comes to rest.
    thread::sleep(Duration::from_secs(5));
    let before = touched(&site.namespace);
    // Longer than its lease: what it has meant to do next is due by far.
    thread::sleep(Duration::from_secs(20));
    running.signal(Signal::CONT);
    let ended = running.wait(RUN);
    ended.assert_code(130);
    let words = "the lock on the target was taken over by run `somebody-else`";
    assert!(ended.errors.contains(words), "{}", ended.errors);
    assert_eq!(touched(&site.namespace), before);
    let lease = site.namespace.get(LEASE);
    assert_eq!(lease["spec"]["holderIdentity"], "somebody-else");
}

#[test]
fn a_lease_that_nobody_renews_is_taken_over_and_the_journal_says_from_whom() {
    let (cluster, _guard) = shared();
    let site = Site::new(cluster, "lease-lapsed");
    take(&site, "forgotten");
    let load = site.some_load().start();
    let second = site.run("v2", RUN);
    second.assert_code(0);
    load.stop().assert_no_loss(300);
    let told = second.lines.iter().any(|line| {
        line.object
            .to_string()
            .contains("took the lock on the target over from run `forgotten`")
    });
    assert!(told, "{}", second.text());
    let lease = site.namespace.get(LEASE);
    assert_eq!(lease["spec"]["leaseTransitions"], 1);
}

fn weighted(running: &mut Running) {
    running.await_line("the first weight", RUN, |line| {
        !line["event"]["weight"].is_null()
    });
}

/// As from another machine: it shares nothing with the first but the cluster.
fn elsewhere(site: &Site, version: &str) -> Ended {
    let mut command = site.program(&["run", "rollout.deploy", "--output=json"]);
    command
        .arg(format!("--set=version={version}"))
        .arg(format!("--set=prometheus={}", site.prometheus))
        .arg("--state")
        .arg(site.folder.join("elsewhere"));
    Running::start(&mut command).wait(RUN)
}

/// The number of records that the journal had when it was renewed.
fn head(lease: &Value) -> u64 {
    claim(lease)["head"]["seq"].as_u64().unwrap_or(0)
}

fn claim(lease: &Value) -> Value {
    let text = lease["metadata"]["annotations"][CLAIM].as_str();
    serde_json::from_str(text.unwrap()).unwrap()
}

/// Another holder has it from now on, who then does not renew it.
fn take(site: &Site, name: &str) {
    let long_ago = "2026-01-21T06:30:00.000000Z";
    let claim = json!({
        "run": name, "user": "ana", "host": "laptop", "process": 7, "hold": "held", "head": null,
        "since": 1_768_977_000_000_000_000_i64, "renewed": 1_768_977_000_000_000_000_i64,
    });
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "deployc-rollout", "annotations": { CLAIM: claim.to_string() }},
        "spec": {"holderIdentity": name, "acquireTime": long_ago, "renewTime": long_ago},
    });
    let file = site.folder.join("lease.json");
    std::fs::write(&file, lease.to_string()).unwrap();
    let apply = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=somebody",
    ];
    run(site
        .namespace
        .kubectl()
        .args(apply)
        .arg("--filename")
        .arg(&file));
}
