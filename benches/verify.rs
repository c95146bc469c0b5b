//! `deployc verify`: states a second, on the plan of the example, on one thread.
//!
//! `cargo bench --bench verify -- [FAULTS]`; 1 is every single fault.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and prints"
)]

use deployc::analyze::compile::{SourceText, compile};
use deployc::commands::load::Disk;
use deployc::engine::step;
use deployc::values::fields::Fields;
use deployc::verify::explore::{Bounds, Progressing, explore};
use deployc::verify::subject::subject;
use std::path::Path;
use std::time::Instant;

fn main() {
    let faults = std::env::args()
        .find_map(|word| word.parse().ok())
        .unwrap_or(1);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/x0tta6bl4");
    let text = std::fs::read_to_string(folder.join("x0tta6bl4.deploy")).expect("the example");
    let name = "x0tta6bl4.deploy".to_owned();
    let compiled = compile(vec![SourceText { name, text }], &Disk { folder });
    let plan = compiled.plan.expect("the plan of the example is valid");
    let subject = subject(&plan, &Fields::new()).expect("it has times");
    let one = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a thread");
    let bounds = Bounds {
        faults,
        states_max: u64::MAX,
    };
    let since = Instant::now();
    let found = one.install(|| explore(&subject, &step, bounds, &Progressing::default()));
    let seconds = since.elapsed().as_secs_f64();
    println!(
        "{faults} at once: {} runs, {} states, {} classes, {seconds:.2} s, {:.0} states a second",
        found.runs,
        found.states,
        found.classes,
        found.states as f64 / seconds
    );
}
