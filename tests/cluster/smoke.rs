//! What the other tests stand on: a cluster that comes up, serves, can be disturbed, and goes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::cluster::{Program, Supervisor, alone, own_folder, shared};
use crate::load::Load;
use crate::namespace::{Namespace, Rights, run};
use crate::observe::{Watch, endpoints, images};
use crate::prometheus::query;
use crate::wait::until;
use crate::workload::{deployment, image, service};

const ROLLOUT: Duration = Duration::from_secs(60);

#[test]
fn a_rolling_update_of_a_draining_service_loses_no_request() {
    let (cluster, _guard) = alone();
    let namespace = Namespace::new(cluster, "rolling");
    namespace.apply(&deployment("demo", "v1", 3));
    namespace.apply(&service("demo"));
    let up = namespace.await_rollout("demo", ROLLOUT);

    cluster.forget_connections();
    let slices = Watch::start(&namespace, "endpointslices");
    let pods = Watch::start(&namespace, "pods");
    let load = Load::on(namespace.service("demo")).start();
    thread::sleep(Duration::from_secs(2));
    namespace.set_image("demo", &image("v2"));
    let updated = namespace.await_rollout("demo", ROLLOUT);
    thread::sleep(Duration::from_secs(8)); // the old pods drain for five
    let record = load.stop();

    eprintln!("three replicas in {up:?}, rolling update in {updated:?}; {record}");
    record.assert_no_loss(500);
    let versions: Vec<&str> = record.by_version().into_keys().collect();
    assert_eq!(versions, ["v1", "v2"]);

    let images = images(&pods.seen());
    let history = endpoints(&slices.seen(), "demo");
    let runs = |version: &str, at: usize| {
        let wanted = image(version);
        history[at]
            .pods
            .iter()
            .filter(|pod| images[*pod] == wanted)
            .count()
    };
    assert_eq!((runs("v1", 0), runs("v2", 0)), (3, 0));
    let last = history.len() - 1;
    assert_eq!((runs("v1", last), runs("v2", last)), (0, 3));

    // Both records have one clock: nobody new is sent to a pod that has left, but for the moment that
    // the node needs to hear of it, and kept connections have moved when the drain is over.
    let left = (0..history.len()).find(|&at| runs("v1", at) == 0).unwrap();
    let last_of_v1 = record.answered_by("v1").last().unwrap();
    assert!(last_of_v1.began < history[left].since + Duration::from_secs(6));
}

#[test]
fn prometheus_sees_each_pod_and_what_it_answered() {
    let (cluster, _guard) = shared();
    let namespace = Namespace::new(cluster, "metrics");
    namespace.apply(&deployment("demo", "v2-bad", 2));
    namespace.apply(&service("demo"));
    namespace.await_rollout("demo", ROLLOUT);

    let here = format!("namespace=\"{}\"", namespace.name);
    let up = format!("up{{{here},app=\"demo\"}}");
    until("two targets are up", Duration::from_secs(60), || {
        (query(cluster, &up).unwrap() == [1.0, 1.0]).then_some(())
    });
    let begun = Instant::now();
    let record = Load::on(namespace.service("demo")).run_for(Duration::from_secs(4));
    assert!(record.first_bad_at().unwrap() < begun + Duration::from_secs(3));
    let bad = record.bad().count() as f64;
    let all = record.requests.len() as f64;
    // Each pod fails each fifth of its own requests, so that the last few may be good ones.
    assert!((bad / all - 0.2).abs() < 0.01, "{record}");

    for (selector, expected) in [("code=\"500\",", bad), ("", all)] {
        let total = format!("sum(http_requests_total{{{selector}{here}}})");
        until(
            &format!("{total} is {expected}"),
            Duration::from_secs(30),
            || (query(cluster, &total).unwrap() == [expected]).then_some(()),
        );
    }
}

#[test]
fn a_service_account_may_do_what_it_was_granted_and_no_more() {
    let (cluster, _guard) = shared();
    let namespace = Namespace::new(cluster, "rights");
    let rights = Rights {
        here: json!([{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list"]}]),
        everywhere: json!([{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}]),
    };
    let folder = own_folder("rights");
    let kubeconfig = namespace.service_account("reader", &rights, &folder);
    let may = |verb: &str, resource: &str| {
        let mut kubectl = cluster.kubectl_as(&kubeconfig);
        let output = kubectl
            .args(["auth", "can-i", verb, resource])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim() == "yes"
    };
    assert!(may("list", "deployments.apps"));
    assert!(may("list", "nodes"));
    assert!(!may("patch", "deployments.apps"));
    assert!(!may("list", "secrets"));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn prometheus_can_hang_or_crash_and_comes_back_with_its_data() {
    let (cluster, _guard) = alone();
    let answers = || query(cluster, "vector(1)").is_ok();
    let samples = "count_over_time(up{job=\"containers\"}[1h])";
    until("a sample", Duration::from_secs(60), || {
        (!query(cluster, samples).unwrap().is_empty()).then_some(())
    });

    cluster.pause(Program::Prometheus);
    assert!(!answers());
    cluster.resume(Program::Prometheus);
    assert!(answers());

    let before = query(cluster, samples).unwrap()[0];
    cluster.kill(Program::Prometheus);
    assert!(!answers());
    cluster.restart(Program::Prometheus);
    until("Prometheus answers", Duration::from_secs(30), || {
        answers().then_some(())
    });
    let after = query(cluster, samples).unwrap()[0];
    assert!(after >= before, "{after} samples of {before} are left");
}

#[test]
fn the_api_server_can_hang_or_crash_and_comes_back_with_its_data() {
    let (cluster, _guard) = alone();
    let namespace = Namespace::new(cluster, "outage");
    let answers = || {
        let mut kubectl = cluster.kubectl();
        kubectl.args(["get", "namespace", &namespace.name, "--request-timeout=2s"]);
        kubectl.output().unwrap().status.success()
    };
    assert!(answers());
    cluster.pause(Program::ApiServer);
    assert!(!answers());
    cluster.resume(Program::ApiServer);
    until("the API server answers", Duration::from_secs(30), || {
        answers().then_some(())
    });

    cluster.kill(Program::ApiServer);
    assert!(!answers());
    cluster.restart(Program::ApiServer);
    until("the API server answers", Duration::from_secs(60), || {
        answers().then_some(())
    });
}

#[test]
fn a_stopped_cluster_leaves_nothing_behind() {
    leaves_nothing_behind("stopped", Supervisor::stop);
}

#[test]
fn a_killed_cluster_leaves_nothing_behind() {
    leaves_nothing_behind("killed", Supervisor::kill);
}

/// Brings up a second cluster beside the first, with a pod in it, ends it, and looks for anything of it
/// on the host.
fn leaves_nothing_behind(how: &str, end: impl FnOnce(Supervisor)) {
    let (_cluster, _guard) = alone();
    let folder = own_folder(how);
    let fixed = [
        "/run/containerd",
        "/run/netns",
        "/var/lib/kubelet",
        "/var/lib/cni",
        "/var/log/pods",
    ];
    let present = || fixed.map(|path| Path::new(path).exists());
    let before = present();
    let begun = Instant::now();
    let supervisor = Supervisor::start(&folder);
    let ready = begun.elapsed();

    let kubectl = || Command::new(folder.join("kubectl"));
    let image = image("v1");
    run(kubectl().args([
        "run",
        "demo",
        "--image",
        &image,
        "--image-pull-policy=IfNotPresent",
    ]));
    run(kubectl().args(["wait", "pod/demo", "--for=condition=Ready", "--timeout=30s"]));
    let traces = Traces::of(&supervisor, &folder);
    for (kind, found) in traces.left() {
        assert!(
            !found.is_empty(),
            "this test does not see the {kind} of a cluster"
        );
    }

    end(supervisor);
    let ((), gone) = until("nothing is left of it", Duration::from_secs(20), || {
        traces
            .left()
            .iter()
            .all(|(_, found)| found.is_empty())
            .then_some(())
    });
    eprintln!("second cluster, {how}: ready in {ready:?}, all gone in {gone:?}");
    assert_eq!(present(), before, "{fixed:?}");
    assert_eq!(fs::read_dir(folder.join("state")).unwrap().count(), 0);
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(folder.to_str().unwrap()));
    fs::remove_dir_all(folder).unwrap();
}

/// By what a cluster can be recognised on the host.
struct Traces {
    /// Its namespaces of processes, network and mounts, as links in `/proc` name them.
    namespaces: [(&'static str, PathBuf); 3],
    /// The first 16 bits of its addresses.
    network: String,
    group_prefix: String,
    folder: String,
}

impl Traces {
    fn of(supervisor: &Supervisor, folder: &Path) -> Self {
        let first = supervisor.pid("first");
        let namespace = |kind| fs::read_link(format!("/proc/{first}/ns/{kind}")).unwrap();
        let environment = fs::read_to_string(folder.join("env")).unwrap();
        let address = environment.split("http://").nth(1).unwrap();
        Self {
            namespaces: ["pid", "net", "mnt"].map(|kind| (kind, namespace(kind))),
            network: address.split_inclusive('.').take(2).collect(),
            group_prefix: format!("deployc-test-{}-", supervisor.own_pid()),
            folder: folder.to_str().unwrap().to_owned(),
        }
    }

    /// What there is of it now, by kind.
    fn left(&self) -> [(&'static str, Vec<String>); 4] {
        let command = |pid: &Path| fs::read_to_string(pid.join("cmdline")).unwrap_or_default();
        let inside = |pid: &PathBuf| {
            self.namespaces.iter().any(|(kind, namespace)| {
                fs::read_link(pid.join("ns").join(kind)).is_ok_and(|found| found == *namespace)
            })
        };
        let processes = processes().into_iter();
        let processes = processes.filter(|pid| inside(pid) || command(pid).contains(&self.folder));
        let links = run(Command::new("ip").args(["-4", "-oneline", "address"]));
        let routes = run(Command::new("ip").args(["-4", "route"]));
        let mut groups = Vec::new();
        folders_below(Path::new("/sys/fs/cgroup"), &mut groups);
        let groups = groups
            .into_iter()
            .filter(|group| group.contains(&self.group_prefix));
        [
            (
                "processes",
                processes.map(|pid| pid.display().to_string()).collect(),
            ),
            ("links", self.lines_of_network(&links.stdout)),
            ("routes", self.lines_of_network(&routes.stdout)),
            ("control groups", groups.collect()),
        ]
    }

    fn lines_of_network(&self, output: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(output);
        let wanted = format!(" {}", self.network);
        // A route's own network stands at the beginning of its line.
        let lines = text.lines().map(|line| format!(" {line}"));
        lines.filter(|line| line.contains(&wanted)).collect()
    }
}

fn processes() -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    entries
        .filter(|entry| is_number(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .collect()
}

fn folders_below(folder: &Path, found: &mut Vec<String>) {
    // Groups of others come and go meanwhile.
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path().display().to_string());
            folders_below(&entry.path(), found);
        }
    }
}
