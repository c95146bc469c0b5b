//! The old version has fallen ill when a rollback wants it: the traffic stays where it is answered, and a person is called.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::cluster::alone;
use crate::e2e::site::Site;
use crate::load::Load;
use crate::namespace::run;
use crate::wait::until;

const RUN: Duration = Duration::from_secs(3 * 60);

/// Processes of pods that stand still until this is dropped, as a service that hangs.
struct Frozen(Vec<Pid>);

impl Frozen {
    /// A container knows its pod by its host name.
    fn pods(names: &[String]) -> Self {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let id = entry.file_name().to_string_lossy().parse().ok();
            let Some(process) = id.and_then(Pid::from_raw) else {
                continue;
            };
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let mut variables = environment.split(|byte| *byte == 0);
            let of_pod = variables.any(|variable| {
                let name = variable.strip_prefix(b"HOSTNAME=".as_slice());
                name.is_some_and(|name| names.iter().any(|pod| pod.as_bytes() == name))
            });
            if of_pod {
                found.push(process);
            }
        }
        assert!(found.len() >= names.len(), "{found:?} of {names:?}");
        for process in &found {
            kill_process(*process, Signal::STOP).unwrap();
        }
        Self(found)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for process in &self.0 {
            let _ = kill_process(*process, Signal::CONT);
        }
    }
}

#[test]
fn the_traffic_stays_on_the_healthiest_and_a_person_is_called() {
    let (cluster, _guard) = alone();
    let site = Site::with(cluster, "old-is-ill", &[("hold 20s", "hold 15s")]);
    cluster.forget_connections();
    // A connection that was kept to a pod that hangs is in nobody's hands.
    let load = Load {
        kept: 0,
        ..site.some_load()
    };
    let load = load.start();
    let mut running = site.start("v2");
    let all = |line: &serde_json::Value| line["event"]["weight"]["achieved"] == 1.0;
    running.await_line("all of the traffic", RUN, all);
    // The node's own table of endpoints follows a little later.
    std::thread::sleep(Duration::from_secs(3));
    let pods = run(site.namespace.kubectl().args([
        "get",
        "pods",
        "--selector=app=demo,deployc.dev/track!=canary",
        "--output=jsonpath={.items[*].metadata.name}",
    ]));
    let pods: Vec<String> = String::from_utf8(pods.stdout)
        .unwrap()
        .split(' ')
        .map(str::to_owned)
        .collect();
    assert_eq!(pods.len(), 3, "{pods:?}");
    let frozen = Frozen::pods(&pods);
    until("no old pod is ready", Duration::from_secs(30), || {
        let ready = &site.namespace.get("deployment/demo")["status"]["readyReplicas"];
        ready.is_null().then_some(())
    });

    running.interrupt();
    let begun = Instant::now();
    let ended = running.wait(RUN);
    let took = begun.elapsed();
    // The users have noticed nothing, and go on doing so.
    std::thread::sleep(Duration::from_secs(3));
    let record = load.stop();
    eprintln!("the old version is ill: a person is called after {took:?}; {record}");
    record.assert_no_loss(300);
    ended.assert_code(4);
    ended.assert_says(&["no pod of deployment/demo is ready", "somebody has to look"]);
    let selector = &site.namespace.get("service/demo")["spec"]["selector"];
    assert_eq!(selector["deployc.dev/track"], "canary", "{selector}");
    let canary = site.namespace.get("deployment/demo-canary");
    assert_eq!(canary["status"]["readyReplicas"], 3);
    let why = site.why();
    assert!(why.contains("was not undone"), "{why}");
    drop(frozen);
}
