//! A run whose process is killed, wherever it stands, and is then resumed, ends as if nothing had been.

use std::thread;
use std::time::Duration;

use crate::cluster::shared;
use crate::e2e::program::{Ended, Running};
use crate::e2e::site::Site;
use crate::e2e::world::{World, assert_released, history, owned, replicas, uids};
use crate::observe::Watch;
use crate::wait::until;

const RUN: Duration = Duration::from_secs(4 * 60);
/// So that it is the same five moments each time.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

#[test]
fn killed_between_a_scale_up_and_its_outcome_it_is_scaled_once() {
    let (cluster, _guard) = shared();
    let site = Site::new(cluster, "killed");
    let watched = Watched::start(&site);
    let load = site.some_load().start();

    let running = site.start("v2");
    until("three canary pods are asked for", RUN, || {
        (watched.canary_replicas().last() == Some(&3)).then_some(())
    });
    let killed = running.kill();
    let weights = killed.lines.iter();
    let weights = weights.filter(|line| !line.object["event"]["weight"].is_null());
    assert_eq!(
        weights.count(),
        1,
        "the outcome was known already: {}",
        killed.text()
    );

    let ended = site.resume(&site.run_name()).wait(RUN);
    load.stop().assert_no_loss(300);
    watched.assert_as_if_never_killed(&site, &ended);
}

#[test]
fn killed_while_it_goes_back_it_goes_back_the_rest_of_the_way() {
    let (cluster, _guard) = shared();
    let site = Site::new(cluster, "killed-going-back");
    let watched = Watched::start(&site);
    let load = site.some_load().start();

    let mut running = site.start("v2-bad");
    running.await_line("it goes back", RUN, |line| {
        !line["event"]["rollback_started"].is_null()
    });
    let killed = running.kill();
    assert_eq!(killed.code, None, "it had ended: {}", killed.text());

    site.resume(&site.run_name()).wait(RUN).assert_code(3);
    drop(load.stop());
    assert_eq!(owned(&site.namespace), watched.before);
    assert_eq!(watched.canary_replicas(), [1]);
    assert_eq!(uids(&watched.deployments.seen(), "demo-canary").len(), 1);
}

#[test]
fn killed_five_times_at_random_it_ends_as_if_it_never_was() {
    let (cluster, _guard) = shared();
    let site = Site::new(cluster, "killed-often");
    let watched = Watched::start(&site);
    let load = site.some_load().start();

    let mut random = SEED;
    let mut running: Running = site.start("v2");
    for _ in 0..5 {
        thread::sleep(Duration::from_millis(next(&mut random) % 14_000));
        drop(running.kill());
        running = site.resume(&site.run_name());
    }
    let ended = running.wait(RUN);
    load.stop().assert_no_loss(300);
    watched.assert_as_if_never_killed(&site, &ended);
}

/// xorshift64: enough to choose moments by.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// What a run without a crash is known to do to the cluster, by `good.rs`.
struct Watched {
    before: World,
    deployments: Watch,
    services: Watch,
}

impl Watched {
    fn start(site: &Site) -> Self {
        Self {
            before: owned(&site.namespace),
            deployments: Watch::start(&site.namespace, "deployments"),
            services: Watch::start(&site.namespace, "services"),
        }
    }

    fn canary_replicas(&self) -> Vec<i64> {
        let mut history = history(&self.deployments.seen());
        let specs = history.remove("Deployment/demo-canary");
        replicas(&specs.unwrap_or_default())
    }

    fn assert_as_if_never_killed(&self, site: &Site, ended: &Ended) {
        ended.assert_code(0);
        assert_released(&site.namespace, &self.before, "v2");
        let deployments = history(&self.deployments.seen());
        assert_eq!(deployments["Deployment/demo"].len(), 2);
        assert_eq!(self.canary_replicas(), [1, 3]);
        assert_eq!(uids(&self.deployments.seen(), "demo-canary").len(), 1);
        // To the new pods, and back.
        assert_eq!(history(&self.services.seen())["Service/demo"].len(), 3);
    }
}
