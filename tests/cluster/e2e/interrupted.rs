//! Ctrl-C in a stage: once it goes back, twice it stops where it is and can be resumed.

use std::thread;
use std::time::{Duration, Instant};

use crate::cluster::shared;
use crate::e2e::program::Running;
use crate::e2e::site::Site;
use crate::e2e::world::owned;

const RUN: Duration = Duration::from_secs(3 * 60);

fn in_the_first_stage(site: &Site) -> Running {
    let mut running = site.start("v2");
    running.await_line("the first weight", Duration::from_secs(90), |line| {
        !line["event"]["weight"].is_null()
    });
    thread::sleep(Duration::from_secs(4));
    running
}

#[test]
fn once_it_is_journalled_and_everything_goes_back() {
    let (cluster, _guard) = shared();
    let site = Site::new(cluster, "interrupted");
    let before = owned(&site.namespace);
    let load = site.some_load().start();
    let running = in_the_first_stage(&site);
    running.interrupt();
    let begun = Instant::now();
    let ended = running.wait(RUN);
    let took = begun.elapsed();
    thread::sleep(Duration::from_secs(6)); // the new pod drains for five
    let record = load.stop();
    eprintln!("interrupted once: back {took:?} later; {record}");
    ended.assert_code(3);
    assert_eq!(owned(&site.namespace), before);
    record.assert_no_loss(100);
    let why = site.why();
    assert!(why.contains("stopped the run"), "{why}");
    assert!(why.contains(": interrupted"), "{why}");
}

#[test]
fn twice_it_stops_and_a_resume_finishes_the_way_back() {
    let (cluster, _guard) = shared();
    let site = Site::new(cluster, "interrupted-twice");
    let before = owned(&site.namespace);
    let load = site.some_load().start();
    let mut running = in_the_first_stage(&site);
    running.interrupt();
    running.await_line("it goes back", RUN, |line| {
        !line["event"]["rollback_started"].is_null()
    });
    running.interrupt();
    let begun = Instant::now();
    let ended = running.wait(RUN);
    let stopped = begun.elapsed();
    ended.assert_code(130);
    ended.assert_says(&["deployc resume"]);
    let resumed = Instant::now();
    site.resume(&site.run_name()).wait(RUN).assert_code(3);
    let took = resumed.elapsed();
    thread::sleep(Duration::from_secs(6));
    let record = load.stop();
    eprintln!(
        "interrupted twice: stopped after {stopped:?}, resumed and back after {took:?}; {record}"
    );
    assert_eq!(owned(&site.namespace), before);
    record.assert_no_loss(100);
}
