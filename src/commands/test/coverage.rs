//! How much of a plan its tests have seen, and what they have not.

use crate::commands::test::report::Report;
use crate::plan::{Plan, SourceMap};
use crate::simulate::coverage::{ALL, At, Point, What, place, points};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

pub struct Coverage {
    /// Of each kind that the plan has: how many were seen, of how many.
    pub kinds: Vec<(What, usize, usize)>,
    /// What no test has seen: kind, name, place.
    pub unseen: Vec<(What, String, String)>,
}

pub fn coverage(plan: &Plan, map: &SourceMap, reports: &[Report]) -> Coverage {
    let all = points(plan);
    let seen: BTreeSet<Point> = reports
        .iter()
        .flat_map(|report| &report.seen)
        .copied()
        .collect();
    let of = |what: What| all.iter().filter(move |(kind, _)| *kind == what);
    let kinds = ALL.iter().map(|what| {
        let found = of(*what).filter(|point| seen.contains(point)).count();
        (*what, found, of(*what).count())
    });
    let unseen = all.iter().filter(|point| !seen.contains(point));
    Coverage {
        kinds: kinds.filter(|(_, _, whole)| *whole > 0).collect(),
        unseen: unseen
            .filter_map(|(what, at)| told(plan, map, *what, *at))
            .collect(),
    }
}

impl Coverage {
    pub fn percent(&self) -> f64 {
        let seen: usize = self.kinds.iter().map(|(_, seen, _)| seen).sum();
        let whole: usize = self.kinds.iter().map(|(_, _, whole)| whole).sum();
        match whole {
            0 => 100.0,
            whole => seen as f64 * 100.0 / whole as f64,
        }
    }

    pub fn text(&self) -> String {
        let mut out = format!("\ncoverage: {:.1}%\n", self.percent());
        for (what, seen, whole) in &self.kinds {
            let _ = writeln!(out, "  {}: {seen} of {whole}", words(*what));
            for (_, name, place) in self.unseen.iter().filter(|(kind, ..)| kind == what) {
                let _ = writeln!(out, "    not {name}  [{place}]");
            }
        }
        out
    }

    pub fn object(&self) -> Value {
        let kinds = self
            .kinds
            .iter()
            .map(|(what, seen, whole)| json!({"what": words(*what), "seen": seen, "of": whole}));
        let unseen = self
            .unseen
            .iter()
            .map(|(what, name, place)| json!({"what": words(*what), "name": name, "place": place}));
        json!({"coverage": {
            "percent": self.percent(),
            "kinds": kinds.collect::<Vec<_>>(),
            "unseen": unseen.collect::<Vec<_>>(),
        }})
    }
}

fn words(what: What) -> &'static str {
    match what {
        What::Phase => "phases entered",
        What::Fired => "rules that fired",
        What::Quiet => "rules that stayed quiet",
        What::Undo => "ways back taken",
        What::Given => "gates given",
        What::Refused => "gates refused",
        What::Expired => "gates expired",
    }
}

fn told(plan: &Plan, map: &SourceMap, what: What, at: At) -> Option<(What, String, String)> {
    let (loc, name) = place(plan, at)?;
    let place = map.places.get(loc.0 as usize)?;
    Some((
        what,
        format!("\"{name}\""),
        format!("{}:{}", place.file, place.line),
    ))
}
