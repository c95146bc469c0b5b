//! A namespace of a test's own: what it applies, reads and grants there.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::wait::until;

/// The label, on objects that are in no namespace, that says whose they are.
const OWNER: &str = "deployc-test-namespace";

pub struct Namespace {
    pub name: String,
    cluster: &'static Cluster,
}

impl Namespace {
    /// Makes a namespace whose name begins with `purpose`. It goes when the test has passed; what is
    /// left of a failed one can be looked at.
    pub fn new(cluster: &'static Cluster, purpose: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "{purpose}-{}-{}",
            process::id(),
            COUNT.fetch_add(1, Relaxed)
        );
        run(cluster.kubectl().args(["create", "namespace", &name]));
        let namespace = Self { name, cluster };
        // No pod is admitted before a controller has made this account; and a controller that has missed the API server looks
        // for it only now and then.
        until(
            "the default service account",
            Duration::from_secs(90),
            || namespace.find("serviceaccount/default"),
        );
        namespace
    }

    /// A kubectl that is in this namespace, with all rights.
    pub fn kubectl(&self) -> Command {
        let mut command = self.cluster.kubectl();
        command.args(["--namespace", &self.name]);
        command
    }

    /// Applies objects of any number, in YAML or JSON.
    pub fn apply(&self, manifest: &str) {
        self.apply_as("test", manifest);
    }

    /// The same, with the name under which the cluster notes whose the fields are.
    pub fn apply_as(&self, manager: &str, manifest: &str) {
        let mut child = self
            .kubectl()
            .args(["apply", "--server-side", "--filename=-"])
            .arg(format!("--field-manager={manager}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(manifest.as_bytes())
            .unwrap();
        assert!(
            child.wait().unwrap().success(),
            "kubectl apply of:\n{manifest}"
        );
    }

    /// An object by `kind/name`, as the cluster has it now.
    pub fn get(&self, object: &str) -> Value {
        let output =
            run(self
                .kubectl()
                .args(["get", object, "--output=json", "--show-managed-fields"]));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The same for an object that may not be there.
    pub fn find(&self, object: &str) -> Option<Value> {
        let output =
            run(self
                .kubectl()
                .args(["get", object, "--output=json", "--ignore-not-found"]));
        (!output.stdout.is_empty()).then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    pub fn set_image(&self, deployment: &str, image: &str) {
        let container = format!("{deployment}={image}");
        run(self.kubectl().args([
            "set",
            "image",
            &format!("deployment/{deployment}"),
            &container,
        ]));
    }

    /// Waits until a rollout is through: of the generation that was asked for last, with no pod of an
    /// older one left.
    pub fn await_rollout(&self, deployment: &str, within: Duration) -> Duration {
        let name = format!("deployment/{deployment}");
        let ((), took) = until(&format!("{name} is rolled out"), within, || {
            let live = self.get(&name);
            let status = &live["status"];
            let wanted = &live["spec"]["replicas"];
            let current = status["observedGeneration"] == live["metadata"]["generation"];
            let all = ["replicas", "updatedReplicas", "availableReplicas"];
            (current && all.iter().all(|count| &status[count] == wanted)).then_some(())
        });
        took
    }

    /// Where a Service is reached from here.
    pub fn service(&self, name: &str) -> SocketAddr {
        let service = self.get(&format!("service/{name}"));
        let ip = service["spec"]["clusterIP"].as_str().unwrap();
        let port = service["spec"]["ports"][0]["port"].as_u64().unwrap();
        format!("{ip}:{port}").parse().unwrap()
    }

    /// Makes a service account with just these rights, and a kubeconfig in `folder` that is it.
    pub fn service_account(&self, name: &str, rights: &Rights, folder: &Path) -> PathBuf {
        let subject = json!({"kind": "ServiceAccount", "name": name, "namespace": self.name});
        let group = "rbac.authorization.k8s.io";
        let version = format!("{group}/v1");
        let everywhere = format!("{}-{name}", self.name);
        let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}},
            {"apiVersion": version, "kind": "Role", "metadata": {"name": name}, "rules": rights.here},
            {"apiVersion": version, "kind": "RoleBinding", "metadata": {"name": name},
             "roleRef": {"apiGroup": group, "kind": "Role", "name": name}, "subjects": [subject]},
            {"apiVersion": version, "kind": "ClusterRole",
             "metadata": {"name": everywhere, "labels": {OWNER: self.name}},
             "rules": rights.everywhere},
            {"apiVersion": version, "kind": "ClusterRoleBinding",
             "metadata": {"name": everywhere, "labels": {OWNER: self.name}},
             "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": everywhere},
             "subjects": [subject]},
        ]});
        self.apply(&objects.to_string());
        let path = folder.join(format!("{name}.kubeconfig"));
        fs::create_dir_all(folder).unwrap();
        fs::write(&path, self.kubeconfig_of(name).to_string()).unwrap();
        path
    }

    fn kubeconfig_of(&self, account: &str) -> Value {
        let token = run(self
            .kubectl()
            .args(["create", "token", account, "--duration=12h"]));
        let token = String::from_utf8(token.stdout).unwrap();
        let view = [
            "config",
            "view",
            "--raw",
            "--minify",
            "--flatten",
            "--output=json",
        ];
        let own = run(self.cluster.kubectl().args(view));
        let own: Value = serde_json::from_slice(&own.stdout).unwrap();
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": own["clusters"][0]["cluster"]}],
            "users": [{"name": account, "user": {"token": token.trim()}}],
            "contexts": [{"name": "test", "context":
                {"cluster": "test", "user": account, "namespace": self.name}}],
            "current-context": "test",
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if !thread::panicking() {
            run(self
                .cluster
                .kubectl()
                .args(["delete", "namespace", &self.name, "--wait=false"]));
            // What was granted everywhere is in no namespace.
            let selector = format!("{OWNER}={}", self.name);
            let kinds = "clusterrolebindings,clusterroles";
            run(self
                .cluster
                .kubectl()
                .args(["delete", kinds, "--selector", &selector]));
        }
    }
}

/// What a service account may do: lists of RBAC rules.
pub struct Rights {
    pub here: Value,
    pub everywhere: Value,
}

/// Runs a command to its end, and fails the test with its words when it fails.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
