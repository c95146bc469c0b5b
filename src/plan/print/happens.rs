//! What will happen, phase by phase. Items with the same number run side by side.

use crate::plan::elements;
use crate::plan::facts::{Facts, Took};
use crate::plan::node::{
    Approve, Canary, Check, CheckMode, Node, NodeId, NodeKind, Quorum, Stage, Step, UndoPlan,
};
use crate::plan::print::expr::{node_name, template, words};
use crate::plan::print::layout::{column, heading, line, span, time};
use crate::plan::{Plan, Window};
use crate::units::amount::Quantity;
use crate::units::{Dim, show};
use crate::values::Instant;
use crate::values::show::instant;
use std::collections::{BTreeSet, HashMap};

/// Groups inside groups that are shown; a plan has far fewer.
const DEPTH_MAX: usize = 24;

pub fn happens(out: &mut String, plan: &Plan, facts: &Facts) {
    heading(out, "WHAT HAPPENS", "same number: side by side");
    let phases: Vec<NodeId> = plan
        .nodes
        .iter()
        .filter(|node| matches!(node.kind, NodeKind::Phase))
        .map(|node| node.id)
        .collect();
    for (number, id) in waves(plan, &phases) {
        let Some(phase) = plan.node(id) else { continue };
        phase_head(out, plan, facts, number, phase);
        items(out, plan, facts, &phase.children, 1);
        out.push('\n');
    }
    if out.ends_with("\n\n") {
        out.pop();
    }
}

fn phase_head(out: &mut String, plan: &Plan, facts: &Facts, number: usize, phase: &Node) {
    let name = node_name(plan, phase.id);
    let title = match &phase.title {
        Some(title) => format!("{name} - {title}"),
        None => name,
    };
    let took = took(facts, phase.id);
    let text = format!("{}{}", title, refs(&phase.refs));
    column(
        out,
        0,
        &format!("{number:>2}"),
        2,
        &text,
        &span(took.shortest_ns, took.longest_ns),
    );
    let after: Vec<String> = phase
        .after
        .iter()
        .map(|edge| node_name(plan, edge.from))
        .collect();
    let mut place = Vec::new();
    if !after.is_empty() {
        place.push(format!("after {}", after.join(", ")));
    }
    place.extend(phase.window.map(window));
    if !place.is_empty() {
        line(out, 4, &place.join("; "), "");
    }
}

/// `window 2026-01-21 06:30Z .. 07:30Z`
pub fn window(window: Window) -> String {
    let (from, to) = (minutes(window.from), minutes(window.to));
    let same_day = from.split_once(' ').zip(to.split_once(' '));
    match same_day {
        Some(((day, _), (other, hour))) if day == other => format!("window {from} .. {hour}"),
        _ => format!("window {from} .. {to}"),
    }
}

/// Without seconds, where there are none.
fn minutes(at: Instant) -> String {
    let text = instant(at);
    text.strip_suffix(":00Z")
        .map_or(text.clone(), |text| format!("{text}Z"))
}

fn items(out: &mut String, plan: &Plan, facts: &Facts, ids: &[NodeId], depth: usize) {
    if depth > DEPTH_MAX {
        line(out, depth * 2, "...", "");
        return;
    }
    let flat = flatten(plan, ids);
    let ids: Vec<NodeId> = flat.iter().map(|(id, _)| *id).collect();
    let sections: HashMap<NodeId, &Node> = flat
        .iter()
        .filter_map(|(id, section)| Some((*id, (*section)?)))
        .collect();
    let mut last = None;
    for (number, id) in shown(plan, waves(plan, &ids)) {
        let Some(node) = plan.node(id) else { continue };
        let section = sections.get(&id).copied();
        let at = section.map(|section| section.id);
        if at != last
            && let Some(section) = section
        {
            let title = section.title.as_deref().unwrap_or_default();
            let text = format!("[{title}]{}", refs(&section.refs));
            line(out, depth * 2 + 2, &text, "");
        }
        last = at;
        item(out, plan, facts, number, node, depth);
    }
}

/// The copies of a `for` are alike: the first one speaks for all, and no number is left out for the others.
fn shown(plan: &Plan, mut waves: Vec<(usize, NodeId)>) -> Vec<(usize, NodeId)> {
    waves.retain(|(_, id)| {
        let copy = plan.node(*id).and_then(elements::of_copy);
        copy.is_none_or(|(_, index)| index == 0)
    });
    let numbers: BTreeSet<usize> = waves.iter().map(|(number, _)| *number).collect();
    let place = |number: usize| numbers.range(..=number).count();
    waves
        .into_iter()
        .map(|(number, id)| (place(number), id))
        .collect()
}

/// A section orders nothing, so what is in it stands among its neighbours; its title is a heading.
fn flatten<'a>(plan: &'a Plan, ids: &[NodeId]) -> Vec<(NodeId, Option<&'a Node>)> {
    let mut found = Vec::new();
    for id in ids {
        match plan.node(*id) {
            Some(
                section @ Node {
                    kind: NodeKind::Section,
                    children,
                    ..
                },
            ) => {
                let inner = flatten(plan, children).into_iter();
                let titled = Some(section).filter(|section| section.title.is_some());
                found.extend(inner.map(|(id, own)| (id, own.or(titled))));
            }
            _ => found.push((*id, None)),
        }
    }
    found
}

fn item(out: &mut String, plan: &Plan, facts: &Facts, number: usize, node: &Node, depth: usize) {
    let (word, text) = said(plan, node);
    let took = took(facts, node.id);
    let right = match &node.kind {
        NodeKind::Parallel | NodeKind::Notify(_) => String::new(),
        NodeKind::Check(check) => check_time(check, took),
        _ => span(took.shortest_ns, took.longest_ns),
    };
    let name = format!("{number:>2} {word}");
    let text = format!("{text}{}{}", terms(node), refs(&node.refs));
    column(out, depth * 2, &name, 9, &text, &right);
    match &node.kind {
        NodeKind::Step(step) => line(out, depth * 2 + 11, &undo(step), ""),
        NodeKind::Canary(canary) => line(out, depth * 2 + 11, &canary_times(canary), ""),
        _ => {}
    }
    match &node.kind {
        NodeKind::Canary(_) | NodeKind::Every { .. } | NodeKind::When(_) | NodeKind::Parallel => {
            items(out, plan, facts, &node.children, depth + 1);
        }
        NodeKind::Stage(_) | NodeKind::ConfirmGroup => inside(out, plan, node, depth + 1),
        _ => {}
    }
}

/// Lines under a head, without an order of their own.
fn inside(out: &mut String, plan: &Plan, group: &Node, depth: usize) {
    for node in group.children.iter().filter_map(|id| plan.node(*id)) {
        let (word, text) = match &node.kind {
            NodeKind::Confirm(_) => ("", title(plan, node)),
            _ => said(plan, node),
        };
        let text = format!("{text}{}{}", terms(node), refs(&node.refs));
        column(out, depth * 2, &format!("   {word}"), 9, &text, "");
    }
}

/// The word for what a node does, and the rest of its line.
fn said(plan: &Plan, node: &Node) -> (&'static str, String) {
    match &node.kind {
        NodeKind::Phase | NodeKind::Section => ("", title(plan, node)),
        NodeKind::Parallel => ("beside", "each other:".to_owned()),
        NodeKind::When(condition) => match elements::of_copy(node) {
            Some((input, _)) => ("each", each_words(plan, input)),
            None => ("when", words(plan, condition)),
        },
        NodeKind::Check(check) => ("check", check_words(plan, node, check)),
        NodeKind::Step(_) => ("STEP", named(plan, node)),
        NodeKind::Canary(canary) => ("CANARY", format!("of {}", node_name(plan, canary.step))),
        NodeKind::Stage(stage) => ("stage", stage_words(node, stage)),
        NodeKind::ConfirmGroup => ("ask", group_words(plan, node)),
        NodeKind::Confirm(confirm) => (
            "ask",
            format!("{}: {}", confirm.roles.join(", "), title(plan, node)),
        ),
        NodeKind::Approve(approve) => ("SIGN", approve_words(plan, node, approve)),
        NodeKind::Hold { .. } => ("hold", title(plan, node)),
        NodeKind::Every { period_ns, ticks } => (
            "every",
            format!("{}, {ticks} times: {}", time(*period_ns), title(plan, node)),
        ),
        NodeKind::Notify(notice) => {
            let text = template(plan, &notice.text);
            ("tell", format!("{}: {text}", notice.provider))
        }
    }
}

/// Who is responsible, and how long it is worth something.
fn terms(node: &Node) -> String {
    // Of a group, what is in it says so.
    let owner = node
        .owner
        .as_ref()
        .filter(|_| !matches!(node.kind, NodeKind::When(_)));
    let owner = owner.map(|owner| format!("owner {owner}"));
    let expires = node.expires_ns.map(|ns| format!("good for {}", time(ns)));
    let terms: Vec<String> = owner.into_iter().chain(expires).collect();
    match terms.is_empty() {
        true => String::new(),
        false => format!(" ({})", terms.join(", ")),
    }
}

fn each_words(plan: &Plan, input: &str) -> String {
    let declared = plan.inputs.iter().find(|known| known.name == input);
    let most = declared.and_then(|declared| declared.most);
    let most = most.map(|most| format!(", up to {most}"));
    format!("of {input}{}:", most.unwrap_or_default())
}

fn title(plan: &Plan, node: &Node) -> String {
    let title = node.title.clone();
    title.unwrap_or_else(|| node_name(plan, node.id))
}

fn named(plan: &Plan, node: &Node) -> String {
    match (&node.name, &node.title) {
        (Some(name), Some(title)) => format!("{name} - {title}"),
        _ => title(plan, node),
    }
}

fn check_words(plan: &Plan, node: &Node, check: &Check) -> String {
    let text = title(plan, node);
    match check.mode {
        CheckMode::Stage { for_ns } if for_ns > 0 => format!("{text} (for {})", time(for_ns)),
        _ => text,
    }
}

fn check_time(check: &Check, took: Took) -> String {
    match check.mode {
        CheckMode::Once => span(took.shortest_ns, took.longest_ns),
        CheckMode::Within { ns } => format!("within {}", time(ns)),
        CheckMode::For { ns } => format!("for {}", time(ns)),
        CheckMode::Stage { .. } => String::new(),
    }
}

fn canary_times(canary: &Canary) -> String {
    format!(
        "undo: the old version takes all, within {}; at the end the only one, within {}",
        time(canary.undo_timeout_ns),
        time(canary.promote_timeout_ns)
    )
}

fn stage_words(node: &Node, stage: &Stage) -> String {
    let weight = show::quantity(Quantity::exact(Dim::Ratio, stage.weight.0));
    let words = match &node.title {
        Some(title) if title.starts_with(&weight) => title.clone(),
        Some(title) => format!("{weight} - {title}"),
        None => weight,
    };
    format!(
        "{words}: there within {}, held {}",
        time(stage.within_ns),
        time(stage.hold_ns)
    )
}

fn group_words(plan: &Plan, node: &Node) -> String {
    let lines = node.children.iter().filter_map(|id| plan.node(*id));
    let roles: BTreeSet<&str> = lines
        .filter_map(|line| match &line.kind {
            NodeKind::Confirm(confirm) => Some(&confirm.roles),
            _ => None,
        })
        .flatten()
        .map(String::as_str)
        .collect();
    format!("{}:", roles.into_iter().collect::<Vec<_>>().join(", "))
}

fn approve_words(plan: &Plan, node: &Node, approve: &Approve) -> String {
    let roles = approve.roles.join(", ");
    let who = match approve.quorum {
        Quorum::People(1) => roles,
        Quorum::People(n) => format!("{n} of {roles}"),
        Quorum::EachRole => format!("each of {roles}"),
    };
    let expires = approve
        .expires_ns
        .map(|ns| format!(" (worth {})", time(ns)));
    format!(
        "{who}: {}{}",
        named(plan, node),
        expires.unwrap_or_default()
    )
}

fn undo(step: &Step) -> String {
    match &step.undo {
        UndoPlan::Derived { timeout_ns, .. } => {
            format!("undo: as it was before, within {}", time(*timeout_ns))
        }
        UndoPlan::Written {
            call, timeout_ns, ..
        } => format!(
            "undo: {}.{}, within {}",
            call.provider,
            call.function,
            time(*timeout_ns)
        ),
        UndoPlan::Keep { why } => format!("kept: {why}"),
        UndoPlan::Irreversible { why } => format!("NO WAY BACK: {why}"),
    }
}

pub fn refs(refs: &[String]) -> String {
    match refs.is_empty() {
        true => String::new(),
        false => format!("  [{}]", refs.join(", ")),
    }
}

fn took(facts: &Facts, id: NodeId) -> Took {
    let known = facts.times.nodes.get(id.0 as usize);
    known.copied().unwrap_or_default()
}

/// Numbers the nodes by what they wait for among themselves: 1 for those that wait for none of the others.
pub fn waves(plan: &Plan, ids: &[NodeId]) -> Vec<(usize, NodeId)> {
    let members: BTreeSet<NodeId> = ids.iter().copied().collect();
    let mut numbers: HashMap<NodeId, usize> = HashMap::new();
    let mut open: Vec<(NodeId, bool)> = ids.iter().rev().map(|id| (*id, false)).collect();
    let mut entered = BTreeSet::new();
    while let Some((id, left)) = open.pop() {
        let before = || {
            let edges = plan.node(id).into_iter().flat_map(|node| &node.after);
            edges.filter_map(|edge| member(plan, edge.from, &members))
        };
        if left {
            let last = before().filter_map(|before| numbers.get(&before)).max();
            let number = last.map_or(1, |last| last + 1);
            numbers.insert(id, number);
        } else if entered.insert(id) {
            open.push((id, true));
            open.extend(before().map(|before| (before, false)));
        }
    }
    let mut found: Vec<(usize, NodeId)> = ids
        .iter()
        .map(|id| (numbers.get(id).copied().unwrap_or(1), *id))
        .collect();
    found.sort();
    found
}

/// The member that a node is, or is part of.
fn member(plan: &Plan, id: NodeId, members: &BTreeSet<NodeId>) -> Option<NodeId> {
    let mut at = Some(id);
    for _ in 0..DEPTH_MAX {
        let id = at?;
        if members.contains(&id) {
            return Some(id);
        }
        at = plan.node(id)?.parent;
    }
    None
}
