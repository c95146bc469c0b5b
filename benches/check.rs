//! `deployc check` of generated plans with 100 to 100,000 checks, whole processes: the time and the most memory, beside
//! other programs that read as many items of their own, in turn.
//!
//! `cargo bench --bench check -- [SIZE…]`; the limits aimed at: 60 ms for 10,000, linear, 4 KB an item. Nothing is
//! judged: machines are shared and noisy. `benches/peer/install` gets the other programs.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing
)]

mod peer;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];
/// Of one file of a plan: it has at most 8 MiB.
const CHECKS_A_FILE: usize = 10_000;

/// What is measured: a name, and how it is called on the files in a folder.
struct Program {
    name: &'static str,
    path: PathBuf,
    command: fn(&Path, &Path) -> Command,
}

fn main() {
    let mut sizes: Vec<usize> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    let folder = std::env::temp_dir().join(format!("deployc-bench-{}", std::process::id()));
    let programs = programs();
    let mut at_smallest = Vec::new();
    for &size in &sizes {
        write(&folder, size);
        let found = measure(&programs, &folder, size);
        std::fs::remove_dir_all(&folder).unwrap();
        if at_smallest.is_empty() {
            at_smallest = found.iter().map(|found| (size, found.peak)).collect();
        }
        println!("\n{size} items");
        for ((program, own), (least, base)) in programs.iter().zip(&found).zip(&at_smallest) {
            let more = size.saturating_sub(*least).max(1) as u64;
            println!(
                "{:>18}: {:9.2} ms, {:7.2} µs an item, {:5.2} of it is deployc's; {:6.1} MB at most, {} bytes an item more",
                program.name,
                own.median.as_secs_f64() * 1e3,
                own.median.as_secs_f64() * 1e6 / size as f64,
                found[0].median.as_secs_f64() / own.median.as_secs_f64(),
                own.peak as f64 / 1e6,
                own.peak.saturating_sub(*base) / more,
            );
        }
    }
}

struct Found {
    median: Duration,
    peak: u64,
}

fn measure(programs: &[Program], folder: &Path, size: usize) -> Vec<Found> {
    let rounds = if size > 10_000 { 5 } else { 15 };
    let mut times = vec![Vec::new(); programs.len()];
    for round in 0..=rounds {
        for (program, times) in programs.iter().zip(&mut times) {
            let took = peer::time((program.command)(&program.path, folder));
            // The first round warms the caches.
            if round > 0 {
                times.push(took);
            }
        }
    }
    let found = programs.iter().zip(times).map(|(program, times)| Found {
        median: median(times),
        peak: peer::peak_bytes((program.command)(&program.path, folder)),
    });
    found.collect()
}

fn programs() -> Vec<Program> {
    let ours = Program {
        name: "deployc check",
        path: PathBuf::from(env!("CARGO_BIN_EXE_deployc")),
        command: |path, folder| with(path, &["check"], &folder.join("plan")),
    };
    let make: fn(&Path, &Path) -> Command =
        |path, folder| with(path, &["-n", "-f"], &folder.join("Makefile"));
    let just: fn(&Path, &Path) -> Command =
        |path, folder| with(path, &["--dry-run", "--justfile"], &folder.join("justfile"));
    let ruff: fn(&Path, &Path) -> Command = |path, folder| {
        with(
            path,
            &["check", "--isolated", "--no-cache"],
            &folder.join("services.py"),
        )
    };
    let promtool: fn(&Path, &Path) -> Command =
        |path, folder| with(path, &["check", "rules"], &folder.join("rules.yml"));
    let peers = [
        ("make -n", "make", make),
        ("just --dry-run", "just", just),
        ("ruff check", "ruff", ruff),
        ("promtool check", "promtool", promtool),
    ];
    let peers = peers.into_iter().filter_map(|(name, program, command)| {
        let path = peer::find(program)?;
        Some(Program {
            name,
            path,
            command,
        })
    });
    std::iter::once(ours).chain(peers).collect()
}

fn with(program: &Path, args: &[&str], file: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(args).arg(file);
    command
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn write(folder: &Path, size: usize) {
    std::fs::create_dir_all(folder.join("plan")).unwrap();
    for (number, text) in plan(size).iter().enumerate() {
        std::fs::write(folder.join(format!("plan/{number:02}.deploy")), text).unwrap();
    }
    for (name, text) in [
        ("Makefile", makefile(size)),
        ("justfile", justfile(size)),
        ("services.py", python(size)),
        ("rules.yml", rules(size)),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

/// As many files as it takes.
fn plan(size: usize) -> Vec<String> {
    let mut files = Vec::new();
    for first in (0..size).step_by(CHECKS_A_FILE) {
        let mut text = String::from("deploy 1\n\n");
        for phase in first / 100..size.min(first + CHECKS_A_FILE) / 100 {
            write_phase(&mut text, phase);
        }
        files.push(text);
    }
    files[0].push_str(
        "plan bench \"Many checks\" {\n  deadline 1d\n  sample every 15s\n}\n\nprovider api = http { base: \"https://api.example.com\" }\n",
    );
    files
}

fn write_phase(text: &mut String, phase: usize) {
    let place = match phase.checked_sub(1) {
        None => "at start".to_owned(),
        Some(before) => format!("after phase_{before}"),
    };
    writeln!(text, "phase phase_{phase} {place} \"Phase {phase}\" {{").unwrap();
    for check in 0..100 {
        writeln!(text, "  check \"Service {check} answers\" ref B-{phase}-{check} expect api.get(\"/service/{check}\").status == 200").unwrap();
    }
    text.push_str("}\n\n");
}

fn makefile(size: usize) -> String {
    let mut text = all(size);
    for n in 0..size {
        writeln!(
            text,
            "target-{n}:\n\tcurl -sf https://api.example.com/service/{n}"
        )
        .unwrap();
    }
    text
}

fn justfile(size: usize) -> String {
    let mut text = all(size);
    for n in 0..size {
        writeln!(
            text,
            "target-{n}:\n    curl -sf https://api.example.com/service/{n}\n"
        )
        .unwrap();
    }
    text
}

fn all(size: usize) -> String {
    let names: Vec<String> = (0..size).map(|n| format!("target-{n}")).collect();
    format!("all: {}\n\n", names.join(" "))
}

fn python(size: usize) -> String {
    let mut text = String::from("from api import get\n\n\n");
    for n in 0..size {
        writeln!(
            text,
            "def service_{n}() -> bool:\n    return get(\"/service/{n}\").status == 200\n\n"
        )
        .unwrap();
    }
    text
}

fn rules(size: usize) -> String {
    let mut text = String::from("groups:\n");
    for n in 0..size {
        if n % 100 == 0 {
            writeln!(text, "  - name: group-{}\n    rules:", n / 100).unwrap();
        }
        writeln!(text, "      - alert: Service{n}\n        expr: probe_http_status_code{{service=\"{n}\"}} != 200").unwrap();
    }
    text
}
