//! A day in virtual time: 24 hours under 100 thresholds that are looked at every 15 seconds, beside `promtool test rules`
//! on the same series, whole processes, in turn.
//!
//! `cargo bench --bench simulate -- [THRESHOLDS]`; the limit aimed at: 0.3 s. Nothing is judged: machines are shared and
//! noisy. `benches/peer/install` gets promtool; without it there is nothing to compare with.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing
)]

mod peer;

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const THRESHOLDS: usize = 100;
/// One every 15 seconds.
const SAMPLES: usize = 24 * 60 * 4;
const ROUNDS: usize = 3;

fn main() {
    let thresholds = std::env::args().find_map(|word| word.parse().ok());
    let thresholds = thresholds.unwrap_or(THRESHOLDS);
    let folder = std::env::temp_dir().join(format!("deployc-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in [
        ("day.deploy", plan(thresholds)),
        ("rules.yml", rules(thresholds)),
        ("day.yml", rule_test(thresholds)),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let promtool = peer::find("promtool");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(peer::time(deployc(&folder)));
        if let Some(promtool) = &promtool {
            theirs.push(peer::time(on(
                promtool,
                &["test", "rules"],
                &folder.join("day.yml"),
            )));
        }
    }
    let peak = peer::peak_bytes(deployc(&folder)) as f64 / 1e6;
    std::fs::remove_dir_all(&folder).unwrap();
    println!(
        "24 h, {thresholds} thresholds every 15 s: {} looks",
        SAMPLES * thresholds
    );
    let seconds = told("deployc test", ours, thresholds);
    println!("deployc test: at most {peak:.0} MB");
    if promtool.is_some() {
        let peer = told("promtool test rules", theirs, thresholds);
        println!("promtool takes {:.1} times as long", peer / seconds);
    }
}

fn told(name: &str, mut times: Vec<Duration>, thresholds: usize) -> f64 {
    times.sort();
    let seconds = times[times.len() / 2].as_secs_f64();
    let each = seconds * 1e6 / (SAMPLES * thresholds) as f64;
    println!("{name}: median {seconds:.2} s, {each:.2} µs a look");
    seconds
}

fn deployc(folder: &Path) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_deployc"));
    on(program, &["test"], &folder.join("day.deploy"))
}

fn on(program: &Path, args: &[&str], file: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(args).arg(file);
    command
}

fn plan(thresholds: usize) -> String {
    let mut text = String::from(
        r##"deploy 1

plan day "A day under thresholds" {
  deadline 25h
  sample every 15s
}

phase quiet at start "A day" {
  hold 24h
}

provider prom = prometheus { url: "http://prometheus.example.com" }
provider room = slack { webhook: secret(env "SLACK_WEBHOOK"), channel: "#deployments" }

watch "Thresholds" during quiet {
  no data for 5m => notify room "Blind"
"##,
    );
    for n in 0..thresholds {
        writeln!(
            text,
            "  critical when m{n} > 5% for 1m => notify room \"m{n} is high\""
        )
        .unwrap();
    }
    text.push_str("}\n\n");
    for n in 0..thresholds {
        writeln!(
            text,
            "metric m{n}: ratio = prom.query(`sum(m{n})`) in % lower is better"
        )
        .unwrap();
    }
    text.push_str("\ntest \"A day on which nothing happens\" {\n");
    for n in 0..thresholds {
        writeln!(text, "  m{n} = `{}` in % every 15s", series()).unwrap();
    }
    text.push_str("  expect outcome == success and told(room) == 0\n}\n");
    text
}

/// Rising all day, to just under a percent.
fn series() -> String {
    format!("0+0.0001x{SAMPLES}")
}

fn rules(thresholds: usize) -> String {
    let mut text = String::from("groups:\n  - name: thresholds\n    interval: 15s\n    rules:\n");
    for n in 0..thresholds {
        writeln!(
            text,
            "      - alert: High{n}\n        expr: sum(m{n}) > 5\n        for: 1m"
        )
        .unwrap();
    }
    text
}

fn rule_test(thresholds: usize) -> String {
    let mut text = String::from(
        "rule_files: [rules.yml]\nevaluation_interval: 15s\ntests:\n  - interval: 15s\n    input_series:\n",
    );
    for n in 0..thresholds {
        writeln!(text, "      - series: m{n}\n        values: {}", series()).unwrap();
    }
    text.push_str("    alert_rule_test:\n");
    for n in 0..thresholds {
        writeln!(
            text,
            "      - eval_time: 24h\n        alertname: High{n}\n        exp_alerts: []"
        )
        .unwrap();
    }
    text
}
