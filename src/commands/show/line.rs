//! One plain line for a note: what a pipe, a CI log and a reader of `deployc log` get.

use crate::engine::protocol::{Judged, Measured, Note, NoteKind};
use crate::plan::node::{Node, NodeId, NodeKind};
use crate::plan::print::watched::policy;
use crate::plan::{LocId, Plan, SourceMap};
use crate::values::{Instant, Verdict, show as values};

/// The time of day, the place, what happened. `None` for what would only be noise: a sample that passed.
pub fn line(plan: &Plan, map: &SourceMap, at: Instant, note: &Note) -> Option<String> {
    let text = words(plan, map, note)?;
    let place = note.node.and_then(|id| plan.node(id)).map(place);
    let time = values::time_of_day(at);
    Some(match place {
        Some(place) => format!("{time}  {place}: {text}"),
        None => format!("{time}  {text}"),
    })
}

/// `rollout/stage-50 "50% Traffic"`
pub fn place(node: &Node) -> String {
    match &node.title {
        Some(title) => format!("{} \"{}\"", node.path, title),
        None => node.path.clone(),
    }
}

fn words(plan: &Plan, map: &SourceMap, note: &Note) -> Option<String> {
    Some(match &note.kind {
        NoteKind::Started => "started".to_owned(),
        NoteKind::Ended { verdict } => {
            let node = note.node.and_then(|id| plan.node(id));
            ended_words(*verdict, node)
        }
        NoteKind::Judged(judged) if judged.verdict == Verdict::Pass => return None,
        NoteKind::Judged(judged) => {
            let Judged {
                text,
                measured,
                verdict,
                reason,
                loc,
            } = judged.as_ref();
            let reason = reason.as_ref().map(|reason| format!(": {reason}"));
            format!(
                "{} `{text}`{}{}{}",
                values::word(*verdict),
                measured_words(measured),
                reason.unwrap_or_default(),
                source_place(map, *loc),
            )
        }
        NoteKind::Weight { wanted, achieved } => format!(
            "weight {:.1}% (wanted {:.1}%)",
            achieved * 100.0,
            wanted.as_f64() * 100.0
        ),
        NoteKind::Paused { cause, until, then } => {
            format!(
                "paused until {}, then {}: {cause}",
                values::time_of_day(*until),
                policy(then)
            )
        }
        NoteKind::Unpaused => "goes on".to_owned(),
        NoteKind::RuleFired { watch, rule, cause } => rule_words(plan, map, *watch, *rule, cause),
        NoteKind::Blind { watch, since } => {
            let title = plan
                .watches
                .get(*watch as usize)
                .map_or("watch", |watch| &watch.title);
            format!(
                "\"{title}\" has no data since {}",
                values::time_of_day(*since)
            )
        }
        NoteKind::RollbackStarted { cause } => format!("rolling back: {cause}"),
        NoteKind::Undone { outcome } if outcome == "done" => "undone".to_owned(),
        NoteKind::Undone { outcome } => format!("not undone: {outcome}"),
        NoteKind::Failed { failure } => format!("failed: {}", failure.message),
        NoteKind::Drift { message } => format!("changed by somebody else: {message}"),
        NoteKind::Said { text } => text.clone(),
    })
}

/// Whoever is responsible is named where it did not pass.
fn ended_words(verdict: Verdict, node: Option<&Node>) -> String {
    let word = values::word(verdict);
    let bad = [Verdict::Fail, Verdict::Error, Verdict::Inconclusive];
    let is_check = node.is_some_and(|node| matches!(node.kind, NodeKind::Check(_)));
    if is_check && verdict == Verdict::Cancelled {
        return format!("{word}, which is inconclusive");
    }
    match node.and_then(|node| node.owner.as_ref()) {
        Some(owner) if bad.contains(&verdict) => format!("{word} (owner: {owner})"),
        _ => word.to_owned(),
    }
}

fn rule_words(plan: &Plan, map: &SourceMap, watch: u32, rule: u32, cause: &str) -> String {
    let watch = plan.watches.get(watch as usize);
    let Some(rule) = watch.and_then(|watch| watch.rules.get(rule as usize)) else {
        return format!("fired: {cause}");
    };
    // The cause names it.
    format!("fired: {cause}{}", source_place(map, rule.loc))
}

fn measured_words(measured: &[Measured]) -> String {
    let parts: Vec<String> = measured
        .iter()
        .map(|measured| format!("{} is {}", measured.what, values::value(&measured.value)))
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!(" ({})", parts.join(", "))
    }
}

fn source_place(map: &SourceMap, loc: LocId) -> String {
    match map.places.get(loc.0 as usize) {
        Some(place) => format!("  [{}:{}]", place.file, place.line),
        None => String::new(),
    }
}

/// The path of a node, for messages about one that may be gone.
pub fn path(plan: &Plan, id: NodeId) -> &str {
    plan.node(id).map_or("?", |node| &node.path)
}
