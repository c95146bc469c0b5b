//! What a simulated run came to, in words and as an object.

use crate::engine::protocol::RunOutcome;
use crate::simulate::summary::{Deployment, Open, Summary};
use crate::units::show::duration_ns;
use crate::values::Verdict;
use crate::values::show::word;
use serde_json::{Value, json};

pub fn text(summary: &Summary) -> String {
    let mut lines = vec![String::new(), headline(summary)];
    lines.push(format!("  items: {}", items(summary)));
    lines.extend(summary.open.iter().map(open));
    lines.extend(summary.deployments.iter().map(deployment));
    if !summary.written.is_empty() {
        lines.push(format!("  written by the run: {}", written(summary)));
    }
    lines.push(format!("  messages: {}", summary.messages));
    lines.extend(named(
        "no data, because the scenario says nothing of",
        &summary.silent,
    ));
    lines.extend(named("nobody in the scenario answers", &summary.unanswered));
    lines.push(String::new());
    lines.join("\n")
}

/// The last object of `--output json`.
pub fn object(summary: &Summary) -> Value {
    let items = summary
        .items
        .iter()
        .map(|(verdict, count)| (verdict_word(*verdict).to_owned(), json!(count)));
    json!({
        "summary": {
            "outcome": outcome(summary.outcome),
            "took_seconds": seconds(summary.took_ns),
            "rollback_seconds": summary.rollback_ns.map(seconds),
            "events": summary.events,
            "items": serde_json::Map::from_iter(items),
            "open": summary.open.iter().map(|open| json!({
                "item": open.what, "verdict": word(open.verdict), "reason": open.reason,
            })).collect::<Vec<_>>(),
            "deployments": summary.deployments.iter().map(|one| json!({
                "name": one.name, "image": one.image, "ready": one.ready, "wanted": one.wanted,
            })).collect::<Vec<_>>(),
            "written": summary.written.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "messages": summary.messages,
            "no_data": summary.silent,
            "unanswered": summary.unanswered,
        }
    })
}

fn headline(summary: &Summary) -> String {
    let took = duration_ns(summary.took_ns);
    let rollback = summary
        .rollback_ns
        .map(|ns| format!(", the rollback took {}", duration_ns(ns)));
    format!(
        "{} after {took} of virtual time{}",
        outcome(summary.outcome),
        rollback.unwrap_or_default()
    )
}

fn outcome(outcome: Option<RunOutcome>) -> &'static str {
    match outcome {
        Some(RunOutcome::Succeeded) => "succeeded",
        Some(RunOutcome::Stopped) => "stopped",
        Some(RunOutcome::RolledBack) => "rolled back",
        Some(RunOutcome::RollbackIncomplete) => "rollback incomplete",
        None => "waits for ever",
    }
}

fn items(summary: &Summary) -> String {
    let counts = summary.items.iter();
    let words: Vec<String> = counts
        .map(|(verdict, count)| format!("{count} {}", verdict_word(*verdict)))
        .collect();
    words.join(", ")
}

fn verdict_word(verdict: Option<Verdict>) -> &'static str {
    verdict.map_or("never reached", word)
}

fn open(open: &Open) -> String {
    let reason = open.reason.as_ref().map(|reason| format!(": {reason}"));
    format!(
        "    {} {}{}",
        word(open.verdict),
        open.what,
        reason.unwrap_or_default()
    )
}

fn deployment(one: &Deployment) -> String {
    format!(
        "  {}: {} of {} pods run {}",
        one.name, one.ready, one.wanted, one.image
    )
}

fn written(summary: &Summary) -> String {
    let words: Vec<String> = summary
        .written
        .iter()
        .map(|(object, count)| match count {
            1 => object.clone(),
            count => format!("{object} ({count} times)"),
        })
        .collect();
    words.join(", ")
}

fn named(intro: &str, names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| format!("  {intro}: {}", names.join(", ")))
}

fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}
