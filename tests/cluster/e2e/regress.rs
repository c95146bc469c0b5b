//! A version that is bad is taken out of the traffic, and everything is as it was.

use std::thread;
use std::time::{Duration, Instant};

use crate::cluster::alone;
use crate::e2e::site::Site;
use crate::e2e::world::owned;
use crate::load::{Load, Record};
use crate::observe::{Seen, Watch, endpoints, images};
use crate::workload::image;

const RUN: Duration = Duration::from_secs(3 * 60);

#[test]
fn a_bad_version_is_out_of_the_traffic_within_seconds() {
    let (cluster, _guard) = alone();
    // The check of a stage sees the same errors, at moments of its own: here it lets them pass, and the watch decides.
    let patient = [(
        "expect canary.error_rate < 5%",
        "expect canary.error_rate < 50%",
    )];
    let site = Site::with(cluster, "bad", &patient);
    let before = owned(&site.namespace);
    cluster.forget_connections();
    let slices = Watch::start(&site.namespace, "endpointslices");
    let pods = Watch::start(&site.namespace, "pods");
    let load = Load::on(site.address()).start();
    thread::sleep(Duration::from_secs(12)); // the old version's own window is full

    let begun = Instant::now();
    let ended = site.run("v2-bad", RUN);
    let took = begun.elapsed();
    thread::sleep(Duration::from_secs(2));
    let record = load.stop();

    ended.assert_code(3);
    assert_eq!(owned(&site.namespace), before);
    let decided = ended
        .when(|line| !line["event"]["rule_fired"].is_null())
        .expect("the watch fired");
    let times = Times::of(&record, &slices.seen(), &pods.seen());
    let since = |at: Instant| at.duration_since(times.first_bad);
    let to_leave = times.out.duration_since(decided);
    eprintln!(
        "bad version: decided {:?} after the first bad answer, out of the endpoints {to_leave:?} later, \
         that is after {:?}; last bad answer after {:?}; the whole run {took:?}; {record}",
        since(decided),
        since(times.out),
        since(times.last_bad),
    );
    // Far from what is measured: a slow machine must not fail the test.
    assert!(to_leave < Duration::from_secs(3));
    assert!(since(times.out) < Duration::from_secs(28));
    let bad = record.bad().count();
    assert!(bad > 0 && bad * 10 < record.requests.len(), "{record}");
}

struct Times {
    first_bad: Instant,
    last_bad: Instant,
    /// From when on no pod of the bad version was in the endpoints.
    out: Instant,
}

impl Times {
    fn of(record: &Record, slices: &[Seen], pods: &[Seen]) -> Self {
        let images = images(pods);
        let is_bad = |pod: &String| images[pod] == image("v2-bad");
        let endpoints = endpoints(slices, "demo");
        let last_in = endpoints
            .iter()
            .rposition(|entry| entry.pods.iter().any(is_bad))
            .expect("the bad version took traffic");
        let answers = record.bad().map(|request| request.began + request.latency);
        Self {
            first_bad: record.first_bad_at().unwrap(),
            last_bad: answers.max().unwrap(),
            out: endpoints[last_in + 1].since,
        }
    }
}
