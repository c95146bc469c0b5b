//! What is wrong outside of the plan is said clearly, and before anything is changed.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::{Value, json};

use crate::cluster::shared;
use crate::e2e::site::Site;
use crate::e2e::world::{owned, touched};

const RUN: Duration = Duration::from_secs(2 * 60);

#[test]
fn a_cluster_that_cannot_be_reached_or_refuses_is_named() {
    let (cluster, _guard) = shared();
    let mut site = Site::new(cluster, "unreachable");
    let before = touched(&site.namespace);
    let good = site.kubeconfig.clone();

    site.kubeconfig = site.folder.join("nowhere.kubeconfig");
    site.assert_refused(&["KUBECONFIG"]);

    let mut config: Value = serde_json::from_slice(&fs::read(&good).unwrap()).unwrap();
    config["clusters"][0]["cluster"]["server"] = json!("https://127.0.0.1:1");
    site.kubeconfig = site.write("refused.kubeconfig", &config.to_string());
    site.assert_refused(&["127.0.0.1:1"]);

    site.kubeconfig = site.write("broken.kubeconfig", "clusters: [{");
    site.assert_refused(&["KUBECONFIG"]);

    site.kubeconfig = expired(&site, &good);
    site.assert_refused(&["certificate", "expired", "2021-01-01"]);

    site.kubeconfig = good;
    site.change_plan("kubernetes { }", "kubernetes { context: \"elsewhere\" }");
    site.assert_refused(&["elsewhere"]);

    assert_eq!(touched(&site.namespace), before);
}

/// The kubeconfig of a person whose certificate has expired.
fn expired(site: &Site, good: &PathBuf) -> PathBuf {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    let certificate_file = site.write("expired.crt", &certificate.pem());
    let key_file = site.write("expired.key", &key.serialize_pem());
    let mut config: Value = serde_json::from_slice(&fs::read(good).unwrap()).unwrap();
    config["users"][0]["user"] = json!({
        "client-certificate": certificate_file,
        "client-key": key_file,
    });
    site.write("expired.kubeconfig", &config.to_string())
}

#[test]
fn a_manifest_that_is_wrong_changes_nothing() {
    let (cluster, _guard) = shared();
    let site = Site::new(cluster, "manifest");
    let before = touched(&site.namespace);

    // What the compiler can see.
    site.replace_in_manifest("replicas: 3", "replicas: three");
    site.assert_refused(&["replicas", "demo.yaml"]);
    // What only the cluster knows.
    site.replace_in_manifest(
        "memory: 16Mi",
        "memory: 16Mi\n            limits:\n              memory: 8Mi",
    );
    let ended = site.run("v2", RUN);
    assert_ne!(ended.code, Some(0), "{}", ended.text());
    ended.assert_says(&["memory", "demo"]);

    assert_eq!(touched(&site.namespace), before);
}

#[test]
fn a_prometheus_that_answers_html_gives_no_verdict() {
    let (cluster, _guard) = shared();
    let impatient = ("pause up to 2m then", "pause up to 10s then");
    let mut site = Site::with(cluster, "html", &[impatient]);
    let before = owned(&site.namespace);
    site.prometheus = format!("http://{}", login_page());
    let ended = site.run("v2", RUN);
    ended.assert_code(3);
    ended.assert_says(&[&site.prometheus, "<!doctype html>"]);
    assert_eq!(owned(&site.namespace), before);
}

/// A server that answers each request as a proxy does that wants a login first. It ends with the process.
fn login_page() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().filter_map(Result::ok) {
            drop(stream.read(&mut [0; 4096]));
            let page = "<!doctype html><title>Sign in</title>";
            drop(write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{page}",
                page.len()
            ));
        }
    });
    address
}

impl Site {
    /// Asserts that a release is refused with these words, before it has begun.
    fn assert_refused(&self, words: &[&str]) {
        let ended = self.run("v2", RUN);
        ended.assert_says(words);
        ended.assert_code(1);
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}
