//! `deployc check` of a generated plan with 10,000 checks against `make -n` of 10,000 targets, whole processes, in turn.
//!
//! `cargo bench --bench check`; prints the medians and the ratio. Nothing is judged: machines are shared and noisy.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing
)]

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const CHECKS: usize = 10_000;
const ROUNDS: usize = 21;

fn main() {
    let folder = std::env::temp_dir().join(format!("deployc-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("plan.deploy"), plan()).unwrap();
    std::fs::write(folder.join("Makefile"), makefile()).unwrap();
    let (ours, peer): (Vec<Duration>, Vec<Duration>) = (0..=ROUNDS)
        .map(|_| (time(&mut deployc(&folder)), time(&mut make(&folder))))
        .skip(1) // the first one warms the caches
        .unzip();
    std::fs::remove_dir_all(&folder).unwrap();
    let mut ratios: Vec<f64> = ours
        .iter()
        .zip(&peer)
        .map(|(a, b)| a.as_secs_f64() / b.as_secs_f64())
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!("deployc check, {CHECKS} checks: median {:?}", median(ours));
    println!("make -n, {CHECKS} targets:      median {:?}", median(peer));
    println!(
        "ratio, pair by pair: median {:.2} (min {:.2}, max {:.2})",
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1]
    );
}

fn deployc(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deployc"));
    command.arg("check").arg(folder.join("plan.deploy"));
    command
}

fn make(folder: &Path) -> Command {
    let mut command = Command::new("make");
    command.arg("-n").arg("-C").arg(folder);
    command
}

fn time(command: &mut Command) -> Duration {
    let started = Instant::now();
    let status = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    let took = started.elapsed();
    assert!(status.success(), "{command:?} failed");
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn plan() -> String {
    let mut text = String::from(
        "deploy 1\n\nplan bench \"Ten thousand checks\" {\n  deadline 1d\n  sample every 15s\n}\n\n",
    );
    for phase in 0..CHECKS / 100 {
        let place = if phase == 0 {
            "at start".to_owned()
        } else {
            format!("after phase_{}", phase - 1)
        };
        writeln!(text, "phase phase_{phase} {place} \"Phase {phase}\" {{").unwrap();
        for check in 0..100 {
            writeln!(text, "  check \"Service {check} answers\" ref B-{phase}-{check} expect api.get(\"/service/{check}\").status == 200").unwrap();
        }
        text.push_str("}\n\n");
    }
    text.push_str("provider api = http { base: \"https://api.example.com\" }\n");
    text
}

fn makefile() -> String {
    let names: Vec<String> = (0..CHECKS).map(|n| format!("target-{n}")).collect();
    let mut text = format!("all: {}\n\n", names.join(" "));
    for (n, name) in names.iter().enumerate() {
        writeln!(
            text,
            "{name}:\n\tcurl -sf https://api.example.com/service/{n}"
        )
        .unwrap();
    }
    text
}
