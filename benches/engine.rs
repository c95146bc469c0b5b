//! What one event costs the engine, in memory, and what a waiting check weighs: in a plan of 1,000 checks and in one of
//! 100,000, in the same run.
//!
//! `cargo bench --bench engine -- [FEW MANY]`. All checks ask something of their own and wait; each event is the answer to one of them,
//! which is judged and waits for its next sample. The limits aimed at: 2 µs an event at 100,000, 2 KB a waiting check.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing
)]

use deployc::analyze::compile::{SourceText, compile};
use deployc::analyze::files::InMemory;
use deployc::engine::protocol::{Actor, Effect, Event, EventKind, ReadId};
use deployc::engine::state::State;
use deployc::engine::step;
use deployc::plan::Plan;
use deployc::values::fields::Fields;
use deployc::values::{Instant, Value};
use std::fmt::Write;
use std::time::Duration;

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SAMPLES: i64 = 3;
const SECOND_NS: i64 = 1_000_000_000;

fn main() {
    let given: Vec<usize> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [small, large] = match given[..] {
        [small, large] => [small, large],
        _ => [1_000, 100_000],
    };
    let (of_small, of_large) = (measure(small), measure(large));
    let ratio = of_large.as_secs_f64() / of_small.as_secs_f64();
    println!("an event at {large} checks costs {ratio:.2} of one at {small}");
}

fn measure(checks: usize) -> Duration {
    let plan = plan(checks);
    let mut engine = waiting(&plan, checks);
    let mut took = Duration::ZERO;
    let mut events = 0u32;
    for sample in 0..SAMPLES {
        let at = sample * 15 * SECOND_NS;
        if sample > 0 {
            engine.take(&plan, at, EventKind::Tick);
        }
        let asked = std::mem::take(&mut engine.asked);
        assert_eq!(asked.len(), checks);
        let started = std::time::Instant::now();
        for id in asked {
            let result = Ok(answer());
            engine.take(&plan, at + SECOND_NS, EventKind::Read { id, result });
            events += 1;
        }
        took += started.elapsed();
    }
    let each = took / events;
    let bytes = bytes_of_waiting(&plan, checks);
    println!(
        "{checks:>7} checks: {each:?} an event ({events} events), {bytes} bytes a waiting check"
    );
    each
}

/// A run that has asked for all its checks.
fn waiting(plan: &Plan, checks: usize) -> Engine {
    let mut engine = Engine {
        state: State::default(),
        asked: Vec::new(),
    };
    engine.take(
        plan,
        0,
        EventKind::Started {
            run: "r".to_owned(),
            digest: "d".to_owned(),
            inputs: Fields::new(),
            by: Actor::default(),
        },
    );
    assert_eq!(engine.asked.len(), checks);
    engine
}

/// Of several runs beside each other, because the first live in what the compiler has left free.
fn bytes_of_waiting(plan: &Plan, checks: usize) -> usize {
    let many = 2 * (20_000 / checks).max(1);
    let several = || -> Vec<Engine> { (0..many).map(|_| waiting(plan, checks)).collect() };
    let first = several();
    let before = resident_bytes();
    let second = several();
    let bytes = resident_bytes().saturating_sub(before);
    bytes / checks / (first.len().min(second.len()))
}

struct Engine {
    state: State,
    asked: Vec<ReadId>,
}

impl Engine {
    fn take(&mut self, plan: &Plan, at_ns: i64, kind: EventKind) {
        let event = Event {
            at: Instant(at_ns),
            kind,
        };
        let (state, effects) = step(plan, std::mem::take(&mut self.state), event);
        self.state = state;
        self.asked
            .extend(effects.into_iter().filter_map(|effect| match effect {
                Effect::Read { id, .. } => Some(id),
                _ => None,
            }));
    }
}

fn answer() -> Value {
    let fields = [
        ("status", Value::count(503)),
        ("body", Value::String("no".to_owned())),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Value::Record(fields.into_iter().collect())
}

/// Each check asks a path of its own, and has an hour to pass.
fn plan(checks: usize) -> Plan {
    let mut text = String::from(
        "deploy 1\n\nplan big \"Big\" {\n  deadline 40h\n  sample every 15s\n}\n\nphase checks \"Checks\" at start {\n  section \"Answers\" {\n",
    );
    for index in 0..checks {
        writeln!(
            text,
            "    check \"Check {index}\" within 30h expect api.get(\"/{index}\").status == 200"
        )
        .unwrap();
    }
    text.push_str(
        "  }\n}\n\nprovider api = http { base: \"https://api.example.com\", timeout: 10s }\n",
    );
    let name = "big.deploy".to_owned();
    let compiled = compile(vec![SourceText { name, text }], &InMemory::default());
    compiled.plan.unwrap()
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
