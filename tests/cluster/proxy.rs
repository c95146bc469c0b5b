//! A way to the API server that can be bad: it says that it is busy, takes its time, or loses the answer to a request that
//! was carried out.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::contract::server::{Asked, Reply, Server};

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Passed,
    /// 429, and nothing is done.
    Busy,
    Slow(Duration),
    /// It is carried out, and this is the answer.
    LostAs(u16),
}

pub struct Proxy {
    pub kubeconfig: PathBuf,
    pub hindered: Arc<AtomicUsize>,
    _server: Server,
}

impl Proxy {
    /// `fate` is asked with the number of the request, from 1.
    pub fn start(
        kubeconfig: &Path,
        fate: impl Fn(&Asked, usize) -> Fate + Send + Sync + 'static,
    ) -> Self {
        let mut config: Value = serde_json::from_slice(&fs::read(kubeconfig).unwrap()).unwrap();
        let behind = config["clusters"][0]["cluster"]["server"].as_str().unwrap();
        let behind = behind.to_owned();
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The test's own cluster, whose certificate is not what is tested.
        let client = Client::builder().tls_danger_accept_invalid_certs(true);
        let client = client.build().unwrap();
        let runtime = Runtime::new().unwrap();
        let hindered = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&hindered);
        let number = AtomicUsize::new(0);
        let server = Server::start(move |asked| {
            let fate = fate(asked, number.fetch_add(1, Relaxed) + 1);
            if fate != Fate::Passed {
                counted.fetch_add(1, Relaxed);
            }
            let pass = || runtime.block_on(forward(&client, &behind, asked));
            match fate {
                Fate::Passed => pass(),
                Fate::Busy => refusal(429).with("retry-after", "1"),
                Fate::Slow(pause) => pass().after(pause),
                Fate::LostAs(status) => {
                    drop(pass());
                    refusal(status).with("retry-after", "1")
                }
            }
        });
        config["clusters"][0]["cluster"] =
            json!({"server": format!("http://127.0.0.1:{}", server.address.port())});
        let path = kubeconfig.with_extension("proxy");
        fs::write(&path, config.to_string()).unwrap();
        Self {
            kubeconfig: path,
            hindered,
            _server: server,
        }
    }
}

/// Whether a request changes something.
pub fn writes(asked: &Asked) -> bool {
    let asks_only = asked.target.contains("accessreviews") || asked.target.contains("dryRun=All");
    asked.method != "GET" && !asks_only
}

async fn forward(client: &Client, behind: &str, asked: &Asked) -> Reply {
    let method = Method::from_bytes(asked.method.as_bytes()).unwrap();
    let mut request = client.request(method, format!("{behind}{}", asked.target));
    for name in ["authorization", "content-type", "accept"] {
        if let Some(value) = asked.header(name) {
            request = request.header(name, value);
        }
    }
    let answer = request.body(asked.body.clone()).send().await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.bytes().await.unwrap();
    Reply::new(status, body.to_vec()).with("content-type", "application/json")
}

fn refusal(status: u16) -> Reply {
    let words = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status,
        "message": "the test's proxy says so",
    });
    Reply::new(status, words.to_string()).with("content-type", "application/json")
}
