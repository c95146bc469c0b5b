//! The way to the API server is bad: it is busy, slow, or loses answers. The run ends as if it were not.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::cluster::shared;
use crate::contract::server::Asked;
use crate::e2e::site::Site;
use crate::e2e::world::{assert_released, history, owned, replicas, uids};
use crate::observe::Watch;
use crate::proxy::{Fate, Proxy, writes};

const RUN: Duration = Duration::from_secs(4 * 60);
/// Whatever is repeated or waited for takes its time.
const PATIENT: [(&str, &str); 2] = [
    ("timeout 30s", "timeout 90s"),
    ("within 30s \"", "within 90s \""),
];

#[test]
fn busy_and_slow_answers_cost_time_only() {
    released("busy", |_, number| match number {
        number if number % 5 == 0 => Fate::Busy,
        number if number % 7 == 0 => Fate::Slow(Duration::from_secs(2)),
        _ => Fate::Passed,
    });
}

#[test]
fn writes_whose_answers_are_lost_by_a_500_are_done_once() {
    released("lost-500", first_of_each_lost_as(500));
}

#[test]
fn writes_that_are_answered_429_though_they_were_done_are_done_once() {
    released("lost-429", first_of_each_lost_as(429));
}

#[test]
fn writes_that_are_answered_409_though_they_were_done_are_done_once() {
    released("lost-409", first_of_each_lost_as(409));
}

#[test]
fn a_rollback_whose_answers_are_lost_is_done_once_too() {
    let (cluster, _guard) = shared();
    let mut site = Site::with(cluster, "lost-back", &PATIENT);
    let proxy = Proxy::start(&site.kubeconfig, first_of_each_lost_as(500));
    site.kubeconfig.clone_from(&proxy.kubeconfig);
    let before = owned(&site.namespace);
    let deployments = Watch::start(&site.namespace, "deployments");
    let load = site.some_load().start();
    let ended = site.run("v2-bad", RUN);
    let record = load.stop();
    ended.assert_code(3);
    eprintln!(
        "lost-back: {} answers hindered; {record}",
        proxy.hindered.load(Relaxed)
    );
    assert_eq!(owned(&site.namespace), before);
    assert_eq!(uids(&deployments.seen(), "demo-canary").len(), 1);
}

/// The first write of each method to each object: the others of it pass, so it ends.
fn first_of_each_lost_as(status: u16) -> impl Fn(&Asked, usize) -> Fate + Send + Sync + 'static {
    let known = Mutex::new(BTreeSet::new());
    move |asked, _| {
        let path = asked.target.split('?').next().unwrap_or_default();
        let write = format!("{} {path}", asked.method);
        match writes(asked) && known.lock().unwrap().insert(write) {
            true => Fate::LostAs(status),
            false => Fate::Passed,
        }
    }
}

fn released(purpose: &str, fate: impl Fn(&Asked, usize) -> Fate + Send + Sync + 'static) {
    let (cluster, _guard) = shared();
    let mut site = Site::with(cluster, purpose, &PATIENT);
    let proxy = Proxy::start(&site.kubeconfig, fate);
    site.kubeconfig.clone_from(&proxy.kubeconfig);
    let before = owned(&site.namespace);
    let deployments = Watch::start(&site.namespace, "deployments");
    let load = site.some_load().start();
    let begun = Instant::now();
    let ended = site.run("v2", RUN);
    let took = begun.elapsed();
    let record = load.stop();
    ended.assert_code(0);
    let hindered = proxy.hindered.load(Relaxed);
    eprintln!("{purpose}: {hindered} requests hindered, the run took {took:?}; {record}");
    assert!(hindered >= 4, "{hindered}");
    record.assert_no_loss(300);
    assert_released(&site.namespace, &before, "v2");
    let specs = history(&deployments.seen());
    assert_eq!(specs["Deployment/demo"].len(), 2);
    assert_eq!(replicas(&specs["Deployment/demo-canary"]), [1, 3]);
    assert_eq!(uids(&deployments.seen(), "demo-canary").len(), 1);
}
