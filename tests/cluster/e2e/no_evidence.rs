//! Where nothing can be known there is no verdict: the run waits, and goes back in the end.

use std::thread;
use std::time::{Duration, Instant};

use crate::cluster::{Program, alone, shared};
use crate::e2e::site::Site;
use crate::e2e::world::{assert_released, history, owned};
use crate::observe::Watch;

const RUN: Duration = Duration::from_secs(4 * 60);
const IMPATIENT: [(&str, &str); 2] = [
    ("pause up to 2m then", "pause up to 15s then"),
    ("sample every 5s", "sample every 2s"),
];

#[test]
fn without_traffic_nothing_is_promoted_and_the_run_goes_back() {
    let (cluster, _guard) = shared();
    goes_back_unjudged(&Site::with(cluster, "silent", &IMPATIENT));
}

#[test]
fn a_metric_that_does_not_exist_promotes_nothing() {
    let (cluster, _guard) = shared();
    let misspelt = ("http_requests_total", "http_request_total");
    let site = Site::with(cluster, "misspelt", &[&IMPATIENT[..], &[misspelt]].concat());
    let load = site.some_load().start();
    goes_back_unjudged(&site);
    load.stop().assert_no_loss(100);
}

fn goes_back_unjudged(site: &Site) {
    let before = owned(&site.namespace);
    let deployments = Watch::start(&site.namespace, "deployments");
    let mut running = site.start("v2");
    running.await_line("the run is paused", RUN, |line| {
        !line["event"]["paused"].is_null()
    });
    let paused = Instant::now();
    let ended = running.wait(RUN);
    ended.assert_code(3);
    assert!(paused.elapsed() > Duration::from_secs(12));
    assert_eq!(owned(&site.namespace), before);
    assert_eq!(history(&deployments.seen())["Deployment/demo"].len(), 1);
}

#[test]
fn while_prometheus_hangs_there_is_no_verdict_and_then_the_release_goes_on() {
    let (cluster, _guard) = alone();
    let site = Site::new(cluster, "blind");
    let before = owned(&site.namespace);
    let services = Watch::start(&site.namespace, "services");
    let deployments = Watch::start(&site.namespace, "deployments");
    let load = site.some_load().start();
    let mut running = site.start("v2");
    // In the first stage.
    running.await_line("the first weight", Duration::from_secs(60), |line| {
        !line["event"]["weight"].is_null()
    });
    thread::sleep(Duration::from_secs(6));

    cluster.pause(Program::Prometheus);
    let specs = || {
        let seen = [services.seen(), deployments.seen()].concat();
        history(&seen)
    };
    let then = specs();
    thread::sleep(Duration::from_secs(40));
    let now = specs();
    cluster.resume(Program::Prometheus);
    assert_eq!(now, then, "something was changed without evidence");

    running.wait(RUN).assert_code(0);
    load.stop().assert_no_loss(300);
    assert_released(&site.namespace, &before, "v2");
}

#[test]
fn a_bound_without_its_unit_does_not_compile() {
    let (cluster, _guard) = shared();
    let site = Site::with(
        cluster,
        "bare",
        &[("canary.error_rate < 5%", "canary.error_rate < 5")],
    );
    let before = owned(&site.namespace);
    let output = site.program(&["check", "rollout.deploy"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("5%"), "the correction is not named:\n{said}");

    site.run("v2", RUN).assert_code(1);
    assert_eq!(owned(&site.namespace), before);
}
