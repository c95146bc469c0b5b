//! What `kubernetes` promises, on a real cluster.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use deployc::effects::kubernetes::Kubernetes;
use deployc::effects::kubernetes::config::Target;
use deployc::effects::provider::Provider;
use serde_json::{Value, json};

use crate::cluster::{Cluster, own_folder, shared};
use crate::contract::ask::install_crypto;
use crate::contract::kubernetes::{Bench, Right, canary_suite, suite};
use crate::namespace::{Namespace, Rights, run};
use crate::workload;

#[test]
fn a_real_cluster_keeps_the_contract() {
    let (cluster, _guard) = shared();
    block_on(suite(|| Real::new(cluster)));
}

#[test]
fn a_real_cluster_carries_a_canary_as_the_contract_says() {
    let (cluster, _guard) = shared();
    block_on(canary_suite(|| Real::new(cluster)));
}

pub struct Real {
    cluster: &'static Cluster,
    pub namespace: Namespace,
    accounts: RefCell<usize>,
}

impl Real {
    pub fn new(cluster: &'static Cluster) -> Real {
        Real {
            cluster,
            namespace: Namespace::new(cluster, "contract"),
            accounts: RefCell::new(0),
        }
    }

    fn connect(&self, kubeconfig: PathBuf, files: &[(&str, String)]) -> Arc<dyn Provider> {
        install_crypto();
        let target = Target {
            kubeconfig: Some(kubeconfig),
            context: None,
            namespace: Some(self.namespace.name.clone()),
            timeout: Duration::from_secs(10),
        };
        let files: BTreeMap<String, String> = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.clone()))
            .collect();
        Arc::new(Kubernetes::connect(&target, Arc::new(files)).unwrap())
    }

    fn list(&self, arguments: &[&str]) -> Vec<Value> {
        let output = run(self
            .namespace
            .kubectl()
            .arg("get")
            .args(arguments)
            .arg("--output=json"));
        let list: Value = serde_json::from_slice(&output.stdout).unwrap();
        list["items"].as_array().unwrap().clone()
    }
}

impl Bench for Real {
    fn provider(&self, files: &[(&str, String)]) -> Arc<dyn Provider> {
        self.connect(self.cluster.kubeconfig.clone(), files)
    }

    fn provider_that_may(
        &self,
        files: &[(&str, String)],
        rights: &[Right<'_>],
    ) -> Arc<dyn Provider> {
        *self.accounts.borrow_mut() += 1;
        let rules: Vec<Value> = rights
            .iter()
            .map(|(group, resource, verbs)| json!({"apiGroups": [group], "resources": [resource], "verbs": verbs}))
            .collect();
        let rights = Rights {
            here: Value::Array(rules),
            everywhere: json!([]),
        };
        let name = format!("account-{}", self.accounts.borrow());
        let folder = own_folder(&format!("contract-{}", self.namespace.name));
        self.connect(
            self.namespace.service_account(&name, &rights, &folder),
            files,
        )
    }

    fn namespace(&self) -> String {
        self.namespace.name.clone()
    }

    fn image(&self, version: &str) -> String {
        match version {
            "stuck" => workload::image("v2-stuck"),
            "missing" => workload::image("v0-of-nowhere"),
            version => workload::image(version),
        }
    }

    fn apply(&self, manager: &str, manifests: &str) {
        let mut child = self
            .namespace
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
            .write_all(manifests.as_bytes())
            .unwrap();
        assert!(
            child.wait().unwrap().success(),
            "kubectl apply of:\n{manifests}"
        );
    }

    fn edit(&self, manager: &str, object: &str, patch: Value) {
        run(self
            .namespace
            .kubectl()
            .args(["patch", object, "--type=merge"])
            .arg(format!("--field-manager={manager}"))
            .arg(format!("--patch={patch}")));
    }

    fn delete(&self, object: &str) {
        run(self
            .namespace
            .kubectl()
            .args(["delete", object, "--wait=false"]));
    }

    fn find(&self, object: &str) -> Option<Value> {
        self.namespace.find(object)
    }

    fn endpoints(&self, service: &str) -> Vec<String> {
        let selector = format!("--selector=kubernetes.io/service-name={service}");
        let slices = self.list(&["endpointslices", &selector]);
        let endpoints = slices
            .iter()
            .filter_map(|slice| slice["endpoints"].as_array())
            .flatten();
        let mut names: Vec<String> = endpoints
            .filter(|endpoint| endpoint["conditions"]["ready"] == true)
            .map(|endpoint| endpoint["targetRef"]["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    fn pods(&self, deployment: &str) -> Vec<String> {
        let owned = |pod: &&Value| {
            let hash = pod["metadata"]["labels"]["pod-template-hash"]
                .as_str()
                .unwrap_or("");
            pod["metadata"]["ownerReferences"][0]["name"] == format!("{deployment}-{hash}")
        };
        let staying = |pod: &&Value| pod["metadata"].get("deletionTimestamp").is_none();
        let mut names: Vec<String> = self
            .list(&["pods"])
            .iter()
            .filter(owned)
            .filter(staying)
            .map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    fn wait(&self, time: Duration) {
        thread::sleep(time);
    }
}

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}
