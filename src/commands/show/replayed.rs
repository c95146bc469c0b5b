//! What a replay came to: for people and for programs.

use crate::causes::chain::Link;
use crate::causes::item;
use crate::commands::list::outcome_word;
use crate::commands::runs::Loaded;
use crate::commands::show::chain::{self, Ground, time};
use crate::diagnostics::render::human::Style;
use crate::plan::Plan;
use crate::providers::request::Call;
use crate::rerun::drive::{Change, End, Rerun, node_of};
use crate::rerun::parting::{Changed, First};
use crate::values::{Instant, Value, Verdict, show};
use serde_json::{Value as Json, json};
use std::path::Path;

/// A journal against another plan.
pub struct Compared<'a> {
    pub with: &'a Path,
    pub loaded: &'a Loaded,
    pub rerun: &'a Rerun,
    pub first: Option<First>,
    pub changed: Vec<Changed>,
    /// Of the other plan: why it stands as it does at the end of the replay.
    pub why: Link,
    pub ground: Ground<'a>,
}

/// The end of what the journal can say of the other plan, if it is not that of the journal.
pub fn known_until(end: &End) -> Option<Instant> {
    match end {
        End::Ended(_) => None,
        End::Unknown(at) | End::OtherWorld { at, .. } => Some(*at),
    }
}

pub fn same_text(loaded: &Loaded, difference: Option<usize>) -> String {
    let run = &loaded.journal.header.run;
    let count = loaded.journal.events.len();
    match difference {
        None => format!("run {run}: the same {count} events came out, byte for byte\n"),
        Some(event) => format!(
            "run {run}: event {event} of {count} did not come out as it stands in the journal: \
             this deployc decides differently\n"
        ),
    }
}

pub fn same_object(loaded: &Loaded, difference: Option<usize>) -> Json {
    json!({
        "run": loaded.journal.header.run,
        "events": loaded.journal.events.len(),
        "identical": difference.is_none(),
        "first_difference": difference,
    })
}

pub fn text(compared: &Compared, style: Style) -> String {
    let trace = compared.ground.trace;
    let with = compared.with.display();
    let mut lines = vec![format!(
        "run {}, with {with}\n",
        compared.loaded.journal.header.run
    )];
    match &compared.first {
        None => lines
            .push("nothing would have been different, as far as the journal tells\n".to_owned()),
        Some(first) => {
            let at = trace.time(first.at);
            let nothing = || "nothing of the kind".to_owned();
            let recorded = first.recorded.clone().unwrap_or_else(nothing);
            let other = first.with.clone().unwrap_or_else(nothing);
            lines.push(format!("the same until {at}; then"));
            lines.push(format!("  in the journal  {recorded}"));
            lines.push(format!("  with that plan  {other}\n"));
        }
    }
    lines.extend(end_words(compared));
    if !compared.changed.is_empty() {
        lines.push("\nverdicts by then that differ".to_owned());
        let shown = compared.changed.iter().take(CHANGED_MAX);
        lines.extend(shown.map(|changed| changed_words(compared, changed)));
        let more = compared.changed.len().saturating_sub(CHANGED_MAX);
        lines.extend((more > 0).then(|| format!("  and {more} more")));
    }
    lines.extend(unanswered_words(compared.rerun));
    let heard = compared.rerun.unheard.iter();
    lines.extend(heard.map(|(at, path)| {
        let at = trace.time(*at);
        format!("what a person said at {at} to `{path}` was left out: that plan has no such item")
    }));
    lines.push("\nwith that plan".to_owned());
    let why = chain::text(&compared.ground, &compared.why, style);
    lines.extend(why.lines().skip(1).map(|line| format!("  {line}")));
    lines.join("\n") + "\n"
}

const CHANGED_MAX: usize = 20;
const UNANSWERED_MAX: usize = 5;

pub fn object(compared: &Compared) -> Json {
    let first = compared
        .first
        .as_ref()
        .map(|first| json!({"at": time(first.at), "recorded": first.recorded, "with": first.with}));
    let verdict = |known: Option<(Instant, Verdict)>| {
        known.map(|(at, verdict)| json!({"at": time(at), "verdict": verdict}))
    };
    let changed = compared.changed.iter().map(|changed| {
        json!({
            "path": changed.path,
            "recorded": verdict(changed.recorded),
            "with": verdict(changed.with),
        })
    });
    let unanswered = unanswered(compared.rerun);
    let unanswered = unanswered
        .into_iter()
        .map(|(words, count)| json!({"question": words, "times": count}));
    json!({
        "run": compared.loaded.journal.header.run,
        "recorded": {"digest": compared.loaded.journal.header.digest},
        "with": {"plan": compared.with.display().to_string(), "digest": compared.ground.header.digest},
        "first_difference": first,
        "end": end_object(compared),
        "verdicts": changed.collect::<Vec<_>>(),
        "unanswered": unanswered.collect::<Vec<_>>(),
        "why": chain::object(&compared.ground, &compared.why).get("why"),
    })
}

fn end_words(compared: &Compared) -> Vec<String> {
    let trace = compared.ground.trace;
    match &compared.rerun.end {
        End::Ended(outcome) => {
            let word = outcome_word(Some(*outcome));
            vec![format!("with that plan it ends: {word}")]
        }
        End::Unknown(at) => vec![format!(
            "at {} the journal ends, and with that plan the run does not: what comes then was not measured",
            trace.time(*at)
        )],
        End::OtherWorld { at, change } => vec![
            format!("at {} {}", trace.time(*at), change_words(compared, change)),
            "so what was measured after that says nothing of that plan, and the replay ends there"
                .to_owned(),
        ],
    }
}

fn change_words(compared: &Compared, change: &Change) -> String {
    let (recorded, with) = (&compared.loaded.plan, compared.ground.trace.plan);
    match change {
        Change::NotMade { what, back } => {
            let doing = doing(*back);
            let name = name(recorded, what);
            format!("the run {doing} {name}; with that plan it would not have")
        }
        Change::Made { what, back } => {
            let doing = if *back { "have undone" } else { "have changed" };
            let name = name(with, what);
            format!("that plan would {doing} {name}; the run did not, or at another moment")
        }
        Change::Other { what } => {
            let name = name(with, what);
            format!("that plan would have made something else of {name} than the run did")
        }
    }
}

fn doing(back: bool) -> &'static str {
    match back {
        true => "undid",
        false => "changed",
    }
}

fn name(plan: &Plan, what: &str) -> String {
    let node = node_of(plan, what).and_then(|id| plan.node(id));
    node.map_or_else(|| format!("`{what}`"), item::name)
}

fn changed_words(compared: &Compared, changed: &Changed) -> String {
    let words = |known: Option<(Instant, Verdict)>| match known {
        Some((at, verdict)) => {
            format!(
                "{} at {}",
                show::word(verdict),
                compared.ground.trace.time(at)
            )
        }
        None => "not ended".to_owned(),
    };
    let (recorded, with) = (words(changed.recorded), words(changed.with));
    format!("  {}: {recorded}; with that plan {with}", changed.path)
}

fn unanswered_words(rerun: &Rerun) -> Vec<String> {
    let all = unanswered(rerun);
    if all.is_empty() {
        return Vec::new();
    }
    let mut lines = vec!["\nasked by that plan, and never measured, so without data".to_owned()];
    let shown = all.iter().take(UNANSWERED_MAX);
    lines.extend(shown.map(|(words, count)| format!("  {count} times: {words}")));
    let more = all.len().saturating_sub(UNANSWERED_MAX);
    lines.extend((more > 0).then(|| format!("  and {more} other questions")));
    lines
}

/// Each question with how often it was asked, in the order of the first time.
fn unanswered(rerun: &Rerun) -> Vec<(String, usize)> {
    let mut found: Vec<(String, usize)> = Vec::new();
    for (_, call) in &rerun.unanswered {
        let words = call_words(call);
        match found.iter_mut().find(|(known, _)| *known == words) {
            Some((_, count)) => *count += 1,
            None => found.push((words, 1)),
        }
    }
    found
}

fn call_words(call: &Call) -> String {
    match call.args.get("query") {
        Some(Value::String(query)) if call.function == "query" => query.clone(),
        _ => {
            let args = call.args.values().map(show::value).collect::<Vec<_>>();
            format!("{}.{}({})", call.provider, call.function, args.join(", "))
        }
    }
}

fn end_object(compared: &Compared) -> Json {
    match &compared.rerun.end {
        End::Ended(outcome) => json!({"outcome": outcome}),
        End::Unknown(at) => json!({"unknown_from": time(*at)}),
        End::OtherWorld { at, change } => json!({
            "other_world_from": time(*at), "because": change_words(compared, change),
        }),
    }
}
