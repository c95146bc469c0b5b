//! What undoes each change, how long that takes, and where there is no way back.

use crate::plan::Plan;
use crate::plan::facts::{Coverage, Covered, Facts, NoReturnWhy, Part, PartOf, PausePlace};
use crate::plan::node::{NodeId, NodeKind, Step, UndoPlan};
use crate::plan::print::expr::node_name;
use crate::plan::print::layout::{column, heading, line, time, width};

pub fn undone(out: &mut String, plan: &Plan, facts: &Facts) {
    if facts.coverage.is_empty() {
        heading(out, "WHAT UNDOES IT", "");
        line(out, 2, "nothing is changed", "");
        return;
    }
    heading(out, "WHAT UNDOES IT", &share(&facts.coverage));
    let names = facts
        .coverage
        .iter()
        .map(|covered| width(&node_name(plan, covered.node)));
    let widest = names.max().unwrap_or(0).min(24);
    for covered in &facts.coverage {
        let right = match covered.undo_ns {
            0 => String::new(),
            ns => format!("up to {}", time(ns)),
        };
        let name = node_name(plan, covered.node);
        column(out, 2, &name, widest, &how(plan, covered), &right);
    }
    rollback(out, plan, facts);
    no_return(out, plan, facts);
}

/// What is kept is right either way, so it is no part of the share.
fn share(coverage: &[Covered]) -> String {
    let counted = coverage
        .iter()
        .filter(|covered| covered.by != Coverage::Kept);
    let all = counted.clone().count();
    let undone = counted
        .filter(|covered| matches!(covered.by, Coverage::Derived | Coverage::Written))
        .count();
    match all {
        0 => "all of it is kept".to_owned(),
        _ => format!("{undone} of {all} changes, {}%", undone * 100 / all),
    }
}

fn how(plan: &Plan, covered: &Covered) -> String {
    let step = match plan.node(covered.node).map(|node| &node.kind) {
        Some(NodeKind::Step(step)) => Some(step),
        _ => None,
    };
    match (covered.by, step.map(|step: &Step| &step.undo)) {
        (Coverage::Derived, None) => "the old version takes all of the traffic again".to_owned(),
        (Coverage::Derived, _) => "as it was before".to_owned(),
        (Coverage::Written, Some(UndoPlan::Written { call, title, .. })) => {
            let call = format!("{}.{}", call.provider, call.function);
            title
                .as_ref()
                .map_or(call.clone(), |title| format!("{title}: {call}"))
        }
        (Coverage::Kept, Some(UndoPlan::Keep { why })) => format!("kept: {why}"),
        (Coverage::Irreversible, Some(UndoPlan::Irreversible { why })) => {
            format!("NOTHING UNDOES IT: {why}")
        }
        _ => "NOTHING UNDOES IT".to_owned(),
    }
}

fn rollback(out: &mut String, plan: &Plan, facts: &Facts) {
    let budget = plan.rollback.as_ref().map(|rollback| rollback.within_ns);
    if let Some(time_back) = &facts.rollback {
        let right = match budget {
            Some(budget) => format!("budget {}", time(budget)),
            None => "no budget".to_owned(),
        };
        out.push('\n');
        let text = format!("a rollback takes up to {}", time(time_back.longest_ns));
        line(out, 2, &text, &right);
        line(out, 4, &sum(plan, &time_back.path), "");
    }
    let Some(rollback) = &plan.rollback else {
        return;
    };
    if let Some((from, to)) = rollback.during {
        let text = format!(
            "it starts by itself from {} to {}",
            node_name(plan, from),
            node_name(plan, to)
        );
        line(out, 2, &text, "");
    }
    for id in &rollback.verify {
        let Some(node) = plan.node(*id) else { continue };
        let title = node.title.clone().unwrap_or_else(|| node_name(plan, *id));
        line(out, 2, &format!("then verify: {title}"), "");
    }
}

fn no_return(out: &mut String, plan: &Plan, facts: &Facts) {
    let of = |why: NoReturnWhy| {
        let points = facts.no_return.iter().filter(move |point| point.why == why);
        points.map(|point| point.node).collect::<Vec<NodeId>>()
    };
    let loud = of(NoReturnWhy::Irreversible);
    let ends = of(NoReturnWhy::RangeEnds);
    let told = of(NoReturnWhy::Told);
    if loud.is_empty() && ends.is_empty() && told.is_empty() {
        return;
    }
    heading(out, "NO WAY BACK", "");
    for id in loud {
        line(
            out,
            2,
            &format!("!! {}: nothing undoes it", node_name(plan, id)),
            "",
        );
    }
    for id in ends {
        let text = format!(
            "when {} has ended, nothing rolls back by itself any more",
            node_name(plan, id)
        );
        line(out, 2, &text, "");
    }
    match told.len() {
        0 => {}
        1 => line(out, 2, "1 message cannot be unsaid", ""),
        n => line(out, 2, &format!("{n} messages cannot be unsaid"), ""),
    }
}

/// `release still running 5m + undo of release 6m + verify 2m`
pub fn sum(plan: &Plan, parts: &[Part]) -> String {
    let words: Vec<String> = parts.iter().map(|part| part_words(plan, part)).collect();
    words.join(" + ")
}

pub fn part_words(plan: &Plan, part: &Part) -> String {
    let ns = time(part.ns);
    let name = |id: NodeId| node_name(plan, id);
    match &part.what {
        PartOf::Wait(id) => format!("until the window of {} {ns}", name(*id)),
        PartOf::Node(id) => format!("{} {ns}", name(*id)),
        PartOf::Pause(PausePlace::Default) => format!("the pause where none is written {ns}"),
        PartOf::Pause(_) => format!("pause {ns}"),
        PartOf::Frozen => format!("frozen {ns}"),
        PartOf::Running(id) => format!("{} still running {ns}", name(*id)),
        PartOf::Undo(id) => format!("undo of {} {ns}", name(*id)),
        PartOf::Verify(id) => format!("verify {} {ns}", name(*id)),
    }
}
