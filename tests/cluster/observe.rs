//! Watching objects of the cluster, with the time at which each change was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use serde_json::Value;

use crate::namespace::Namespace;

/// A watch on all objects of a kind in a namespace, until it is stopped or dropped.
pub struct Watch {
    kubectl: Child,
    seen: Arc<Mutex<Vec<Seen>>>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Clone)]
pub struct Seen {
    pub at: Instant,
    pub change: Change,
    pub object: Value,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    Added,
    Modified,
    Deleted,
}

impl Watch {
    pub fn start(namespace: &Namespace, kind: &str) -> Self {
        let mut kubectl = namespace
            .kubectl()
            .args([
                "get",
                kind,
                "--watch",
                "--output-watch-events",
                "--output=json",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(kubectl.stdout.take().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let reader = thread::spawn({
            let seen = Arc::clone(&seen);
            move || {
                let events = serde_json::Deserializer::from_reader(output).into_iter::<Value>();
                for mut event in events.map_while(Result::ok) {
                    let event = Seen {
                        at: Instant::now(),
                        change: change(&event),
                        object: event["object"].take(),
                    };
                    seen.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(event);
                }
            }
        });
        Self {
            kubectl,
            seen,
            reader: Some(reader),
        }
    }

    /// All that was seen until now.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.kubectl.kill());
        drop(self.kubectl.wait());
        drop(self.reader.take().map(JoinHandle::join));
    }
}

fn change(event: &Value) -> Change {
    match event["type"].as_str() {
        Some("ADDED") => Change::Added,
        Some("MODIFIED") => Change::Modified,
        Some("DELETED") => Change::Deleted,
        _ => panic!("the watch failed: {event}"),
    }
}

/// The pods that a Service sent requests to, from a time on until the next entry's.
#[derive(Debug)]
pub struct Endpoints {
    pub since: Instant,
    pub pods: BTreeSet<String>,
}

/// How the endpoints of a Service changed, from what was seen of the EndpointSlices.
pub fn endpoints(slices: &[Seen], service: &str) -> Vec<Endpoints> {
    let mut by_slice: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut history: Vec<Endpoints> = Vec::new();
    for seen in slices {
        if seen.object["metadata"]["labels"]["kubernetes.io/service-name"] != service {
            continue;
        }
        let pods = match seen.change {
            Change::Added | Change::Modified => ready_pods(&seen.object),
            Change::Deleted => BTreeSet::new(),
        };
        by_slice.insert(name(&seen.object), pods);
        let pods: BTreeSet<String> = by_slice.values().flatten().cloned().collect();
        if history.last().is_none_or(|last| last.pods != pods) {
            history.push(Endpoints {
                since: seen.at,
                pods,
            });
        }
    }
    history
}

fn ready_pods(slice: &Value) -> BTreeSet<String> {
    let endpoints = slice["endpoints"].as_array().into_iter().flatten();
    endpoints
        .filter(|endpoint| endpoint["conditions"]["ready"] == true)
        .filter_map(|endpoint| endpoint["targetRef"]["name"].as_str())
        .map(str::to_owned)
        .collect()
}

/// The image of each pod that was ever seen, by the pod's name.
pub fn images(pods: &[Seen]) -> BTreeMap<String, String> {
    let image = |pod: &Value| {
        pod["spec"]["containers"][0]["image"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    pods.iter()
        .map(|seen| (name(&seen.object), image(&seen.object)))
        .collect()
}

fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap().to_owned()
}
