//! A pod of the simulated cluster: what its template says, and what has become of it.

use crate::simulate::kubernetes::object::Name;
use crate::values::Instant;
use serde_json::Value;
use std::collections::BTreeMap;

pub type Labels = BTreeMap<String, String>;

#[derive(Clone, Debug)]
pub struct Pod {
    pub name: Name,
    pub uid: String,
    pub labels: Labels,
    /// The Deployment that it belongs to.
    pub owner: Name,
    pub template_hash: String,
    pub images: Vec<String>,
    pub created: Instant,
    pub phase: Phase,
    /// Why it waits: `ImagePullBackOff`.
    pub waiting: Option<&'static str>,
    pub containers_ready: bool,
    /// Readiness gates by their condition's type.
    pub gates: BTreeMap<String, Gate>,
    pub ready_since: Option<Instant>,
    pub restarts: i64,
    pub deleting: bool,
    /// From its containers' start to their readiness.
    pub start_delay_ns: i64,
    /// From the order to go until it is gone; it takes no new requests meanwhile.
    pub drain_ns: i64,
    /// What happens to it next, by itself.
    pub next: Option<(Instant, Move)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Pending,
    Running,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    Open,
    Shut,
}

/// What the scheduler and the kubelet do to a pod in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Schedule,
    Pull,
    Start,
    BecomeReady,
    Vanish,
}

impl Pod {
    /// Whether it takes traffic from the Services that select it.
    pub fn ready(&self) -> bool {
        let open = self.gates.values().all(|gate| *gate == Gate::Open);
        self.containers_ready && open && !self.deleting
    }

    /// Its containers run and answer, whether or not it takes traffic.
    pub fn healthy(&self) -> bool {
        self.containers_ready && !self.deleting
    }
}

/// What a pod template asks for.
#[derive(Clone, Debug, Default)]
pub struct Template {
    pub hash: String,
    pub labels: Labels,
    pub images: Vec<String>,
    pub gates: Vec<String>,
    pub start_delay_ns: i64,
    pub drain_ns: i64,
}

const SECOND_NS: i64 = 1_000_000_000;

impl Template {
    pub fn of(template: &Value) -> Template {
        let containers = list(template, "/spec/containers");
        let text = |value: &Value, key: &str| {
            let found = value.get(key).and_then(Value::as_str);
            found.unwrap_or_default().to_owned()
        };
        let delay = |container: &Value| seconds(container, "/readinessProbe/initialDelaySeconds");
        let pause = |container: &Value| seconds(container, "/lifecycle/preStop/sleep/seconds");
        let grace = template.pointer("/spec/terminationGracePeriodSeconds");
        let grace_ns = grace.and_then(Value::as_i64).unwrap_or(30) * SECOND_NS;
        let drain_ns = containers.iter().map(pause).max().unwrap_or(0) + SECOND_NS;
        Template {
            hash: hash(template),
            labels: labels(template.pointer("/metadata/labels")),
            images: containers.iter().map(|c| text(c, "image")).collect(),
            gates: list(template, "/spec/readinessGates")
                .iter()
                .map(|gate| text(gate, "conditionType"))
                .collect(),
            start_delay_ns: containers.iter().map(delay).max().unwrap_or(0),
            drain_ns: drain_ns.min(grace_ns),
        }
    }
}

pub fn labels(value: Option<&Value>) -> Labels {
    let pairs = value.and_then(Value::as_object).into_iter().flatten();
    pairs
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Whether all of `selector` is among `labels`; an empty selector selects nothing.
pub fn selects(selector: &Labels, labels: &Labels) -> bool {
    let has = |(key, value): (&String, &String)| labels.get(key) == Some(value);
    !selector.is_empty() && selector.iter().all(has)
}

/// The letters of generated names: no vowels, so no words.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A name's random part, which here is not random.
pub fn suffix(mut number: u64, length: usize) -> String {
    let mut text = String::new();
    for _ in 0..length {
        let index = number as usize % LETTERS.len();
        text.push(LETTERS.get(index).copied().map_or('x', char::from));
        number /= LETTERS.len() as u64;
    }
    text
}

/// FNV-1a over a template's text: the same on every machine.
fn hash(template: &Value) -> String {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in template.to_string().bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    suffix(state, 10)
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    let found = value.pointer(path).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

fn seconds(value: &Value, path: &str) -> i64 {
    let found = value.pointer(path).and_then(Value::as_i64);
    found.unwrap_or(0).saturating_mul(SECOND_NS)
}
