//! What a run needs is away for a while: nothing is decided, nothing is lost, and the run goes on.
//!
//! A client of Kubernetes that lost its API server looks for it after ever longer waits, up to a minute
//! with their jitter, and again as long if it is not ready for it then. Controllers that share the work
//! with others end instead and are started afresh; the only ones of this cluster wait. So the steps here
//! have minutes, though they commonly take one.

use std::thread;
use std::time::{Duration, Instant};

use crate::cluster::{Program, alone};
use crate::e2e::program::Line;
use crate::e2e::site::Site;
use crate::e2e::world::{assert_released, owned};

const RUN: Duration = Duration::from_secs(10 * 60);
const PROMETHEUS_AWAY: Duration = Duration::from_secs(60);
const API_AWAY: Duration = Duration::from_secs(30);

#[test]
fn while_prometheus_is_away_nothing_is_decided_and_then_the_release_goes_on() {
    let (cluster, _guard) = alone();
    let site = Site::with(cluster, "prometheus-away", &[("hold 20s", "hold 15s")]);
    let before = owned(&site.namespace);
    let load = site.some_load().start();
    let mut running = site.start("v2");
    running.await_line("the first weight", Duration::from_secs(60), |line| {
        !line["event"]["weight"].is_null()
    });
    thread::sleep(Duration::from_secs(6));

    cluster.kill(Program::Prometheus);
    let then = owned(&site.namespace);
    thread::sleep(PROMETHEUS_AWAY);
    let now = owned(&site.namespace);
    cluster.restart(Program::Prometheus);
    let back = Instant::now();
    assert_eq!(now, then, "something was changed without evidence");

    let ended = running.wait(RUN);
    let record = load.stop();
    ended.assert_code(0);
    let fired = ended.when(|line| !line["event"]["rule_fired"].is_null());
    assert!(fired.is_none(), "{}", ended.text());
    let unpaused = |line: &&Line| line.at > back && line.object["event"] == "unpaused";
    let on = ended.lines.iter().find(unpaused);
    eprintln!(
        "Prometheus away for {PROMETHEUS_AWAY:?}: went on {:?} after it was back, ended {:?} after; {record}",
        on.map(|line| line.at.duration_since(back)),
        back.elapsed(),
    );
    record.assert_no_loss(300);
    assert_released(&site.namespace, &before, "v2");
}

#[test]
fn while_the_api_server_is_away_a_forward_step_waits_and_is_done_once() {
    let (cluster, _guard) = alone();
    let patient = [
        ("stage 50% within 30s", "stage 50% within 5m"),
        ("rollback within 5m", "rollback within 8m"),
        ("hold 20s", "hold 15s"),
    ];
    let site = Site::with(cluster, "api-away", &patient);
    let before = owned(&site.namespace);
    let load = site.some_load().start();
    let mut running = site.start("v2");
    running.await_line("the first weight", Duration::from_secs(60), |line| {
        !line["event"]["weight"].is_null()
    });
    // The next stage wants to scale up while nobody is there.
    thread::sleep(Duration::from_secs(8));
    cluster.kill(Program::ApiServer);
    thread::sleep(API_AWAY);
    cluster.restart(Program::ApiServer);
    let back = Instant::now();
    let ended = running.wait(RUN);
    let record = load.stop();
    ended.assert_code(0);
    let weights = ended.lines.iter();
    let mut weights = weights.filter(|line| !line.object["event"]["weight"].is_null());
    let second = weights.nth(1).unwrap().at;
    eprintln!(
        "API server away for {API_AWAY:?} before a scale-up: the weight was there {:?} after it was back; {record}",
        second.checked_duration_since(back),
    );
    assert!(second > back, "it was not away when it was needed");
    record.assert_no_loss(300);
    assert_released(&site.namespace, &before, "v2");
}

#[test]
fn while_the_api_server_is_away_a_rollback_waits_and_everything_goes_back() {
    let (cluster, _guard) = alone();
    let patient = [
        (
            "expect canary.error_rate < 5%",
            "expect canary.error_rate < 50%",
        ),
        ("undo timeout 1m", "undo timeout 4m"),
        ("rollback within 5m", "rollback within 11m"),
    ];
    let site = Site::with(cluster, "api-away-back", &patient);
    let before = owned(&site.namespace);
    let load = site.some_load().start();
    let mut running = site.start("v2-bad");
    running.await_line("the first weight", Duration::from_secs(60), |line| {
        !line["event"]["weight"].is_null()
    });
    cluster.kill(Program::ApiServer);
    let line = running.await_line("it goes back", RUN, |line| {
        !line["event"]["rollback_started"].is_null()
    });
    thread::sleep(API_AWAY.saturating_sub(line.at.elapsed()));
    cluster.restart(Program::ApiServer);
    let back = Instant::now();
    let ended = running.wait(RUN);
    let took = back.elapsed();
    let record = load.stop();
    ended.assert_code(3);
    let last_bad = record
        .bad()
        .map(|request| request.began + request.latency)
        .max()
        .unwrap();
    eprintln!(
        "API server away for {API_AWAY:?} in a rollback: the last bad answer {:?} after it was back, the end {took:?} after; {record}",
        last_bad.checked_duration_since(back),
    );
    assert_eq!(owned(&site.namespace), before);
}
