//! A version that is good is released, and its users notice nothing.

use std::thread;
use std::time::Duration;

use crate::cluster::alone;
use crate::e2e::site::Site;
use crate::e2e::world::{assert_released, history, owned, replicas};
use crate::load::Load;
use crate::observe::{Watch, endpoints, images};
use crate::workload::image;

const RUN: Duration = Duration::from_secs(4 * 60);

#[test]
fn a_good_version_takes_all_the_traffic_and_no_request_is_lost() {
    let (cluster, _guard) = alone();
    let site = Site::new(cluster, "good");
    let before = owned(&site.namespace);
    cluster.forget_connections();
    let slices = Watch::start(&site.namespace, "endpointslices");
    let pods = Watch::start(&site.namespace, "pods");
    let objects = Watch::start(&site.namespace, "deployments");
    let load = Load::on(site.address()).start();

    let ended = site.run("v2", RUN);
    thread::sleep(Duration::from_secs(8)); // the old pods drain for five
    let record = load.stop();

    ended.assert_code(0);
    eprintln!("good version: {record}");
    record.assert_no_loss(2_000);
    assert_released(&site.namespace, &before, "v2");
    let specs = history(&objects.seen());
    assert_eq!(specs["Deployment/demo"].len(), 2);
    assert_eq!(replicas(&specs["Deployment/demo-canary"]), [1, 3]);

    // What the endpoints were: old and new ones, from the first to the last.
    let images = images(&pods.seen());
    let of = |version: &str, pods: &std::collections::BTreeSet<String>| {
        let wanted = image(version);
        pods.iter().filter(|pod| images[*pod] == wanted).count()
    };
    let mix: Vec<(usize, usize)> = endpoints(&slices.seen(), "demo")
        .iter()
        .map(|entry| (of("v1", &entry.pods), of("v2", &entry.pods)))
        .collect();
    eprintln!("good version: old and new endpoints {mix:?}");
    for stage in [(3, 0), (3, 1), (3, 3), (0, 3)] {
        assert!(mix.contains(&stage), "never {stage:?} in {mix:?}");
    }
    // Capacity first: never fewer than there were.
    assert!(mix.iter().all(|(old, new)| old + new >= 3), "{mix:?}");
    // The old ones take nothing while they are replaced.
    let all_new = mix.iter().position(|mix| *mix == (0, 3)).unwrap();
    assert!(mix[all_new..].iter().all(|(old, _)| *old == 0), "{mix:?}");
}
