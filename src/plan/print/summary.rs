//! The figures that decide: how long, how far back, who is asked, how often it looks.

use crate::plan::digest::digest;
use crate::plan::facts::{Facts, PausePlace};
use crate::plan::node::{Node, NodeId, NodeKind};
use crate::plan::print::expr::node_name;
use crate::plan::print::happens::window;
use crate::plan::print::layout::{WIDTH, column, heading, line, time, width};
use crate::plan::print::undone::sum;
use crate::plan::{Concurrent, LocId, Plan, SourceMap};
use std::collections::BTreeMap;
use std::fmt::Write;

const LABEL_WIDTH: usize = 6;

pub fn head(out: &mut String, plan: &Plan, facts: &Facts) {
    line(out, 0, &plan.title, &plan.name);
    let _ = writeln!(out, "{}", "=".repeat(WIDTH));
    let mut row = |label: &str, text: &str, right: &str| {
        column(out, 0, label, LABEL_WIDTH, text, right);
    };
    row("digest", &digest(plan), "");
    if let Some(own) = plan.window {
        row("window", window(own).trim_start_matches("window "), "");
    }
    for freeze in &plan.freezes {
        let title = freeze.title.as_deref().unwrap_or_default();
        row(
            "freeze",
            window(freeze.window).trim_start_matches("window "),
            title,
        );
    }
    let takes = format!(
        "at least {}, at most {}",
        time(facts.times.shortest_ns),
        time(facts.times.longest_ns)
    );
    let deadline = plan.deadline_ns.map(|ns| format!("deadline {}", time(ns)));
    row("takes", &takes, &deadline.unwrap_or_default());
    if let Some(back) = &facts.rollback {
        let budget = plan
            .rollback
            .as_ref()
            .map(|known| format!("budget {}", time(known.within_ns)));
        let text = format!("at most {}", time(back.longest_ns));
        row("back", &text, &budget.unwrap_or_default());
    }
    let other = match plan.concurrent {
        Concurrent::Reject => None,
        Concurrent::Queue { up_to_ns } => Some(format!(
            "waits up to {} for another run's end",
            time(up_to_ns)
        )),
        Concurrent::Replace { up_to_ns } => {
            let up_to = time(up_to_ns);
            Some(format!("tells another run to end, and waits up to {up_to}"))
        }
    };
    if let Some(other) = other {
        row("other", &other, "");
    }
    let asked: Vec<String> = asked(plan)
        .into_iter()
        .map(|(role, items)| format!("{role} {}", items.len()))
        .collect();
    if !asked.is_empty() {
        row("asks", &asked.join(", "), "");
    }
    let needed = plan.inputs.iter().filter(|input| input.default.is_none());
    let needed: Vec<String> = needed
        .map(|input| match input.most {
            Some(most) => format!("{} ({}, up to {most})", input.name, input.ty),
            None => format!("{} ({})", input.name, input.ty),
        })
        .collect();
    if !needed.is_empty() {
        row("needs", &needed.join(", "), "");
    }
}

/// Who is asked for what, in the order of the text.
pub fn people(out: &mut String, plan: &Plan) {
    let asked = asked(plan);
    if asked.is_empty() {
        return;
    }
    heading(out, "WHO IS ASKED", "");
    for (role, items) in asked {
        let known = plan.roles.iter().find(|known| known.name == role);
        let members = known.map(|known| known.members.join(", "));
        let who = members.filter(|members| !members.is_empty());
        line(out, 2, role, &who.unwrap_or_default());
        for node in items {
            let (verb, within_ns) = match &node.kind {
                NodeKind::Confirm(confirm) => ("confirms", confirm.within_ns),
                NodeKind::Approve(approve) => ("signs", approve.within_ns),
                _ => continue,
            };
            let title = node
                .title
                .clone()
                .unwrap_or_else(|| node_name(plan, node.id));
            let right = format!("within {}", time(within_ns));
            column(out, 4, verb, 8, &title, &right);
        }
    }
}

fn asked(plan: &Plan) -> BTreeMap<&str, Vec<&Node>> {
    let mut found: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
    for node in &plan.nodes {
        let roles = match &node.kind {
            NodeKind::Confirm(confirm) => &confirm.roles,
            NodeKind::Approve(approve) => &approve.roles,
            _ => continue,
        };
        for role in roles {
            found.entry(role).or_default().push(node);
        }
    }
    found
}

pub fn samples(out: &mut String, plan: &Plan, facts: &Facts) {
    let shown = facts.samples.iter().filter(|count| count.needed > 1);
    let mut shown = shown.peekable();
    if shown.peek().is_none() {
        return;
    }
    let every = format!("one every {}", time(plan.sample_ns));
    heading(out, "HOW OFTEN IT LOOKS", &every);
    for count in shown {
        let text = place(plan, count.node);
        let slack = match count.possible.checked_sub(count.needed) {
            Some(0) => " no slack",
            None => " TOO FEW",
            Some(_) => "",
        };
        let right = format!("{} of {} possible{slack}", count.needed, count.possible);
        line(out, 2, &text, &right);
    }
}

/// Where the item stands, and its words.
fn place(plan: &Plan, id: NodeId) -> String {
    let Some(node) = plan.node(id) else {
        return String::new();
    };
    let group = node.parent.map(|parent| node_name(plan, parent));
    let words = node.title.clone().unwrap_or_else(|| node_name(plan, id));
    match group {
        Some(group) => format!("{group}: {words}"),
        None => words,
    }
}

pub fn times(out: &mut String, plan: &Plan, facts: &Facts, map: &SourceMap) {
    let times = &facts.times;
    heading(out, "HOW LONG", "");
    line(out, 2, "at least", &time(times.shortest_ns));
    line(out, 2, "at most", &time(times.longest_ns));
    if !times.path.is_empty() {
        line(out, 4, &sum(plan, &times.path), "");
    }
    if let Some(deadline_ns) = plan.deadline_ns {
        spare(
            out,
            "to spare before the deadline",
            deadline_ns.saturating_sub(times.longest_ns),
        );
    }
    if let Some(window) = plan.window {
        let has_ns = window.to.since(window.from);
        spare(
            out,
            "to spare in the window",
            has_ns.saturating_sub(times.longest_ns),
        );
    }
    let pauses = times.pauses.iter().filter(|pause| pause.ns > 0);
    for pause in pauses {
        let loc = match &pause.place {
            PausePlace::Default => None,
            PausePlace::Written(loc) => Some(*loc),
            PausePlace::Watch { watch, rule } => {
                let watch = plan.watches.get(*watch as usize);
                watch.map(|watch| {
                    let rule = rule.and_then(|rule| watch.rules.get(rule as usize));
                    rule.map_or(watch.loc, |rule| rule.loc)
                })
            }
        };
        let text = match loc.and_then(|loc| line_of(map, loc)) {
            Some(at) => format!("pauses of {at}, in all"),
            None => "pauses where none is written, in all".to_owned(),
        };
        line(out, 2, &text, &format!("up to {}", time(pause.ns)));
    }
}

fn spare(out: &mut String, text: &str, ns: i64) {
    match ns {
        0 => line(out, 2, &format!("nothing {text}"), ""),
        ns if ns > 0 => line(out, 2, text, &time(ns)),
        ns => line(out, 2, &format!("NOT ENOUGH TIME {text}"), &time(ns)),
    }
}

fn line_of(map: &SourceMap, loc: LocId) -> Option<String> {
    let place = map.places.get(loc.0 as usize)?;
    let file = place.file.rsplit('/').next().unwrap_or(&place.file);
    let shown = match width(file) > 40 {
        true => "line".to_owned(),
        false => file.to_owned(),
    };
    Some(format!("{shown}:{}", place.line))
}
