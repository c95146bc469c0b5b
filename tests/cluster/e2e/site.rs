//! A place where a plan is carried out: a namespace with the old version in it, a folder with the plan,
//! a service account.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::cluster::{Cluster, own_folder};
use crate::e2e::program::{Ended, Running};
use crate::e2e::rights;
use crate::load::Load;
use crate::namespace::{Namespace, Rights, run};

const PLAN: &str = include_str!("../plans/rollout.deploy");
const MANIFEST: &str = include_str!("../plans/k8s/demo.yaml");
const ROLLOUT: Duration = Duration::from_secs(60);

/// What a site is made of.
pub struct Shape {
    pub plan: &'static str,
    /// What is there before a run.
    pub installed: &'static str,
    /// What the plan applies.
    pub released: &'static str,
    pub rights: Rights,
}

pub struct Site {
    pub namespace: Namespace,
    pub folder: PathBuf,
    pub kubeconfig: PathBuf,
    pub prometheus: String,
}

impl Site {
    /// The plan as it is written, and the old version up.
    pub fn new(cluster: &'static Cluster, purpose: &str) -> Self {
        Self::with(cluster, purpose, &[])
    }

    /// The same with some texts of the plan replaced.
    pub fn with(cluster: &'static Cluster, purpose: &str, changes: &[(&str, &str)]) -> Self {
        let shape = Shape {
            plan: PLAN,
            installed: MANIFEST,
            released: MANIFEST,
            rights: rights::of_the_plan(),
        };
        Self::rolled_out(cluster, purpose, &shape, changes, "demo")
    }

    /// With another plan, other objects, other rights; once this Deployment is up.
    pub fn rolled_out(
        cluster: &'static Cluster,
        purpose: &str,
        shape: &Shape,
        changes: &[(&str, &str)],
        deployment: &str,
    ) -> Self {
        let namespace = Namespace::new(cluster, purpose);
        let folder = own_folder(purpose);
        fs::create_dir_all(folder.join("k8s")).unwrap();
        fs::write(folder.join("k8s/demo.yaml"), shape.released).unwrap();
        let kubeconfig = namespace.service_account("deployer", &shape.rights, &folder);
        let site = Self {
            namespace,
            folder,
            kubeconfig,
            prometheus: cluster.prometheus.clone(),
        };
        fs::write(site.plan(), shape.plan).unwrap();
        let here = format!("namespace=\"{}\"", site.namespace.name);
        site.change_plan("namespace=\"here\"", &here);
        for (from, to) in changes {
            site.change_plan(from, to);
        }
        // As an earlier run has left it: its fields are owned by deployc.
        site.namespace.apply_as("deployc", shape.installed);
        site.namespace.await_rollout(deployment, ROLLOUT);
        site
    }

    pub fn plan(&self) -> PathBuf {
        self.folder.join("rollout.deploy")
    }

    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    pub fn address(&self) -> SocketAddr {
        self.namespace.service("demo")
    }

    /// Users enough to see a version, and few enough that several tests fit side by side.
    pub fn some_load(&self) -> Load {
        Load {
            fresh: 2,
            kept: 1,
            per_second: 40,
            ..Load::on(self.address())
        }
    }

    /// The program, with nothing of this process's environment that it might read.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deployc"));
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("HOME", &self.folder)
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::null());
        command
    }

    /// Starts the release of a version.
    pub fn start(&self, version: &str) -> Running {
        Running::start(&mut self.run_command(version))
    }

    pub fn run_command(&self, version: &str) -> Command {
        let mut command = self.program(&["run", "rollout.deploy", "--output=json"]);
        command
            .arg(format!("--set=version={version}"))
            .arg(format!("--set=prometheus={}", self.prometheus))
            .arg("--state")
            .arg(self.state());
        command
    }

    /// Releases a version, and waits for the end.
    pub fn run(&self, version: &str, within: Duration) -> Ended {
        self.start(version).wait(within)
    }

    /// Goes on with a run whose process was killed.
    pub fn resume(&self, run: &str) -> Running {
        let mut command = self.program(&["resume", run, "--output=json"]);
        command.arg("--state").arg(self.state());
        Running::start(&mut command)
    }

    /// The name of the one run that was started here.
    pub fn run_name(&self) -> String {
        let mut command = self.program(&["list", "--output=json"]);
        let output = run(command.arg("--state").arg(self.state()));
        let list = String::from_utf8(output.stdout).unwrap();
        let runs: Vec<&str> = list.lines().collect();
        let [only] = runs[..] else {
            panic!("not one run:\n{list}");
        };
        let object: Value = serde_json::from_str(only).unwrap();
        object["run"].as_str().unwrap().to_owned()
    }

    /// What `deployc why` says of the one run.
    pub fn why(&self) -> String {
        let mut command = self.program(&["why", &self.run_name()]);
        let output = run(command.arg("--state").arg(self.state()));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn change_plan(&self, from: &str, to: &str) {
        let plan = fs::read_to_string(self.plan()).unwrap();
        assert!(plan.contains(from), "the plan has no `{from}`");
        fs::write(self.plan(), plan.replace(from, to)).unwrap();
    }

    pub fn replace_in_manifest(&self, from: &str, to: &str) {
        assert!(MANIFEST.contains(from), "the manifest has no `{from}`");
        let path = Path::new(&self.folder).join("k8s/demo.yaml");
        fs::write(path, MANIFEST.replace(from, to)).unwrap();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}
