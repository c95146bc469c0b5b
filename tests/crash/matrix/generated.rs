//! Plans that nobody thought of: the same number gives the same plan.
//!
//! What they measure does not depend on when it is measured, so a fault that costs time must not change how they end. Only the
//! new version of the API turns bad, and only its own stages look at it.

use super::machine::Subject;
use crate::crash::moments::Random;
use crate::crash::play::path;
use crate::crash::shop;
use deployc::analyze::compile::{Content, SourceBytes, compile_bytes};
use deployc::commands::load::Disk;
use std::fmt::Write as _;

const WORKERS: [&str; 3] = ["worker", "worker-2", "worker-3"];

/// What stands in all of them, whether they use it or not.
const SURROUNDINGS: &str = "
plan shop \"A plan of its own kind\" {
  deadline 12h
  sample every 1s
  on fail rollback
  on error, inconclusive pause up to 5m then rollback
}

rollback within 30m {
  verify \"Its workers are there\" within 30s { expect cluster.deployment(\"worker\").available == 2 }
}

provider cluster = kubernetes { namespace: \"shop\" }
provider prom = prometheus { url: \"http://prometheus.invalid\" }
provider shell = shell { }
provider chat = slack { webhook: secret(env \"SHOP_CHAT\") }

role engineer \"Engineer\"
role manager \"Manager\"

metric error_rate: ratio = prom.query(`error_rate{namespace=\"shop\"}`) in 1 lower is better

on success notify chat \"It is out\"
on rolled_back notify chat \"It is back\"
";

pub fn subject(number: u64) -> (String, Subject) {
    let Writing { text, kept, .. } = Writing::of(number);
    let found = SourceBytes {
        name: "generated.deploy".to_owned(),
        content: Content::Bytes(text.clone().into_bytes()),
    };
    let compiled = compile_bytes(vec![found], &Disk { folder: path() });
    let Some(plan) = compiled.plan else {
        let said: Vec<_> = compiled
            .diagnostics
            .iter()
            .map(|found| (&found.message, &found.primary.text))
            .collect();
        panic!("{text}\n{said:#?}");
    };
    let world = shop::world(&plan, &WORKERS);
    (
        text,
        Subject {
            plan,
            world,
            kept,
            is_straight: false,
        },
    )
}

struct Writing {
    random: Random,
    text: String,
    items: usize,
    workers: Vec<&'static str>,
    watched: Option<String>,
    kept: Vec<String>,
}

impl Writing {
    fn of(number: u64) -> Writing {
        let mut writing = Writing {
            random: Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            text: "deploy 1\n".to_owned(),
            items: 0,
            workers: WORKERS.to_vec(),
            watched: None,
            kept: Vec::new(),
        };
        // The first numbers of neighbours are alike.
        for _ in 0..8 {
            writing.random.below(2);
        }
        writing.text += SURROUNDINGS;
        writing.phases();
        writing
    }

    fn phases(&mut self) {
        let count = 2 + self.random.below(2);
        let parts: Vec<String> = (0..count).map(|number| format!("part_{number}")).collect();
        for name in &parts {
            self.phase(name);
        }
        let places = match self.random.below(4) {
            0 => parts,
            1 => self.released(vec![format!("[{}]", parts.join(", "))]),
            _ => self.released(parts),
        };
        writeln!(self.text, "\norder {}", places.join(" -> ")).unwrap();
    }

    fn phase(&mut self, name: &str) {
        writeln!(self.text, "\nphase {name} {{").unwrap();
        for _ in 0..1 + self.random.below(4) {
            match self.random.below(5) {
                0 => {
                    self.text += "  parallel {\n";
                    for _ in 0..2 {
                        self.item("    ");
                    }
                    self.text += "  }\n";
                }
                _ => self.item("  "),
            }
        }
        self.text += "}\n";
    }

    fn item(&mut self, margin: &str) {
        self.items += 1;
        let number = self.items;
        let line = match self.random.below(12) {
            0..=3 => self.worker(number),
            4 | 5 => format!(
                "step command_{number} \"A command\" = shell.run(\"new.sh\") timeout 1m undo shell.run(\"old.sh\") timeout 1m"
            ),
            6 => format!("confirm \"Question {number}\" by engineer within 30m"),
            7 => format!(
                "approve gate_{number} \"Gate {number}\" by 2 of (engineer, manager) within 30m"
            ),
            8 => format!("notify chat \"Message {number}\""),
            9 => format!("check \"Check {number}\" expect error_rate < 5% for 3s"),
            10 => format!("check \"Never {number}\" expect error_rate < 0.1%"),
            _ => format!("check \"Check {number}\" expect error_rate < 5%"),
        };
        writeln!(self.text, "{margin}{line}").unwrap();
    }

    fn worker(&mut self, number: usize) -> String {
        let Some(worker) = self.workers.pop() else {
            return "hold 2s".to_owned();
        };
        let image = "image: \"registry.local/worker:2\"";
        let undo = match self.random.below(4) {
            0 => {
                self.kept.push(worker.to_owned());
                "keep \"it serves both versions\""
            }
            _ => "undo timeout 2m",
        };
        format!(
            "step worker_{number} \"A worker\" = cluster.image(\"{worker}\", container: \"worker\", {image}) timeout 2m {undo}"
        )
    }

    /// A release behind a canary, its watch, and a check that may fail afterwards.
    fn released(&mut self, mut places: Vec<String>) -> Vec<String> {
        self.text += "
phase deploy {
  step release \"The new version beside the old one\"
    = cluster.apply(\"k8s/\", images: { api: \"registry.local/api:2\" }, traffic: 0%)
    timeout 2m undo timeout 2m
}

phase rollout {
  canary release timeout 2m undo timeout 2m {
";
        let stages: &[u64] = match self.random.below(3) {
            0 => &[50, 100],
            1 => &[25, 50, 100],
            _ => &[100],
        };
        for percent in stages {
            let hold_s = 1 + self.random.below(4);
            writeln!(
                self.text,
                "    stage {percent}% within 1m {{
      check \"Few errors\" expect canary.error_rate < 5%
      hold {hold_s}s
    }}"
            )
            .unwrap();
        }
        self.text += "  }\n";
        if self.random.below(2) == 0 {
            self.item("  ");
        }
        self.text += "}\n";
        if self.random.below(2) == 0 {
            self.watched = Some("rollout".to_owned());
        }
        if let Some(phase) = &self.watched {
            let watch = format!(
                "
watch \"Errors\" during {phase} {{
  no data for 2m => rollback
  critical \"Many errors\" when canary.error_rate > 10% => rollback
}}
"
            );
            self.text += &watch;
        }
        places.extend(["deploy".to_owned(), "rollout".to_owned()]);
        places
    }
}
