//! A version that does not come up: there is a deadline, and then the way back.

use std::time::Duration;

use crate::cluster::{Cluster, shared};
use crate::e2e::site::Site;
use crate::e2e::world::{history, owned};
use crate::observe::Watch;

const RUN: Duration = Duration::from_secs(3 * 60);

#[test]
fn a_version_that_never_becomes_ready_is_given_up_at_its_deadline() {
    let (cluster, _guard) = shared();
    gives_up(cluster, "stuck", "v2-stuck", &["demo-canary"]);
}

#[test]
fn an_image_that_does_not_exist_is_named() {
    let (cluster, _guard) = shared();
    gives_up(
        cluster,
        "no-image",
        "v77",
        &["registry.local/demo-service:v77", "ImagePull"],
    );
}

#[test]
fn where_the_node_has_no_room_for_it_that_is_said_and_nothing_is_left() {
    let (cluster, _guard) = shared();
    let site = Site::with(cluster, "no-room", &[("timeout 30s", "timeout 15s")]);
    site.replace_in_manifest("cpu: 10m", "cpu: 500");
    gives_up_at(&site, "v2", &["Insufficient cpu", "demo-canary"]);
}

fn gives_up(cluster: &'static Cluster, purpose: &str, version: &str, says: &[&str]) {
    let site = Site::with(cluster, purpose, &[("timeout 30s", "timeout 15s")]);
    gives_up_at(&site, version, says);
}

fn gives_up_at(site: &Site, version: &str, says: &[&str]) {
    let before = owned(&site.namespace);
    let deployments = Watch::start(&site.namespace, "deployments");
    let load = site.some_load().start();
    let ended = site.run(version, RUN);
    ended.assert_code(3);
    ended.assert_says(says);
    load.stop().assert_no_loss(100);
    assert_eq!(owned(&site.namespace), before);
    assert_eq!(history(&deployments.seen())["Deployment/demo"].len(), 1);
}
