//! What users notice of a canary: its way forward loses no request, its way back is short. The rights are those that the
//! functions declare, and no others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use deployc::effects::provider::Provider;
use deployc::providers::catalog;
use deployc::providers::request::Outcome;

use crate::cluster::{Cluster, alone};
use crate::contract::kubernetes::{Bench, applied, apply, back, dark, promote, web, weight};
use crate::kubernetes_contract::{Real, block_on};
use crate::load::Load;
use crate::observe::{Watch, endpoints};

/// For the load to be seen before, between and after.
const BREATH: Duration = Duration::from_secs(2);
/// Decided to gone from the endpoints: 0.3 s is the aim, on a machine that does nothing else.
const WAY_BACK_MAX: Duration = Duration::from_secs(3);

#[test]
fn a_canary_that_is_promoted_loses_no_request_and_needs_no_right_that_is_not_declared() {
    let (cluster, _guard) = alone();
    block_on(way_forward(cluster));
}

#[test]
fn the_way_back_of_a_canary_is_short_and_loses_no_request() {
    let (cluster, _guard) = alone();
    for percent in [50, 100] {
        block_on(way_back(cluster, percent));
    }
}

async fn way_forward(cluster: &'static Cluster) {
    let bench = Real::new(cluster);
    let files = [("k8s/all.yaml", web(&bench, "v1", 3))];
    applied(&*bench.provider(&files), "old/1", apply(&[])).await;
    let it = just_allowed(&bench, &files);

    cluster.forget_connections();
    let load = Load::on(bench.namespace.service("web")).start();
    thread::sleep(BREATH);
    let (_, release) = applied(&*it, "run/release", dark(&bench)).await;
    for percent in [25, 50, 100] {
        let began = Instant::now();
        let key = format!("run/weight-{percent}");
        applied(&*it, &key, weight(&release, percent)).await;
        eprintln!("{percent}% in {:?}", began.elapsed());
        thread::sleep(BREATH);
    }
    let began = Instant::now();
    applied(&*it, "run/promote", promote(&release)).await;
    eprintln!("promoted in {:?}", began.elapsed());
    thread::sleep(BREATH);
    let record = load.stop();
    eprintln!("{record}");
    record.assert_no_loss(200);
    let versions: Vec<&str> = record.by_version().into_keys().collect();
    assert_eq!(versions, ["v1", "v2"]);
}

async fn way_back(cluster: &'static Cluster, percent: i32) {
    let bench = Real::new(cluster);
    let files = [("k8s/all.yaml", web(&bench, "v1", 2))];
    let it = just_allowed(&bench, &files);
    applied(&*bench.provider(&files), "old/1", apply(&[])).await;
    let (_, release) = applied(&*it, "run/release", dark(&bench)).await;
    let (intent, _) = applied(&*it, "run/weight", weight(&release, percent)).await;
    let new = bench.pods("web-canary");

    cluster.forget_connections();
    let slices = Watch::start(&bench.namespace, "endpointslices");
    let load = Load::on(bench.namespace.service("web")).start();
    thread::sleep(BREATH);
    let began = Instant::now();
    let outcome = back(&*it, "run/weight", &intent).await;
    let answered = began.elapsed();
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    thread::sleep(BREATH);
    let record = load.stop();
    record.assert_no_loss(200);

    let history = endpoints(&slices.seen(), "web");
    let gone = history
        .iter()
        .find(|then| then.since >= began && new.iter().all(|pod| !then.pods.contains(pod)));
    let took = gone.unwrap().since - began;
    let empty = history.iter().skip(1).any(|then| then.pods.is_empty());
    assert!(!empty, "somebody always takes the traffic: {history:?}");
    eprintln!(
        "from {percent}%: out of the endpoints after {took:?}, answered after {answered:?}; {record}"
    );
    assert!(took < WAY_BACK_MAX, "{took:?}");
}

/// A service account with the rights that the functions of a canary declare.
fn just_allowed(bench: &Real, files: &[(&str, String)]) -> Arc<dyn Provider> {
    let kind = catalog::find("kubernetes").unwrap();
    let mut rights: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for name in ["apply", "canary_weight", "canary_promote", "revision_pods"] {
        for right in &kind.function(name).unwrap().rights {
            rights
                .entry((right.group, right.resource))
                .or_default()
                .push(right.verb);
        }
    }
    let rights: Vec<(&str, &str, &[&str])> = rights
        .iter()
        .map(|((group, resource), verbs)| (*group, *resource, verbs.as_slice()))
        .collect();
    bench.provider_that_may(files, &rights)
}
