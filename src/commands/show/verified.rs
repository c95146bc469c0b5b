//! What `deployc verify` found: the story of a broken promise, its places in the plan, the numbers.

use crate::analyze::compile::Compiled;
use crate::commands::show::line;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::{Code, verify as codes};
use crate::diagnostics::render::human::{self, Style};
use crate::engine::protocol::NoteKind;
use crate::plan::{Plan, SourceMap};
use crate::source::{FileId, Span};
use crate::values::show::{instant, time_of_day};
use crate::verify::branch::Branch;
use crate::verify::claims;
use crate::verify::explore::{Bounds, Choice, Found};
use crate::verify::fault::{Fault, Kind};
use crate::verify::promise::{Promise, outcome_words};
use crate::verify::story::Line;
use crate::verify::subject::Subject;
use crate::verify::words;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

/// A counterexample on the disk.
pub struct Saved {
    pub file: PathBuf,
    /// The command that plays it.
    pub how: String,
}

/// What there is to tell.
pub struct Told<'a> {
    pub compiled: &'a Compiled,
    pub plan: &'a Plan,
    pub subject: &'a Subject,
    pub found: &'a Found,
    pub bounds: Bounds,
    pub took: Duration,
}

/// What happened before the first fault is only shown as far as it leads there.
const LINES_BEFORE: usize = 6;

pub fn story(compiled: &Compiled, plan: &Plan, subject: &Subject, branch: &Branch) -> String {
    let log = branch.log.as_deref().unwrap_or_default();
    let first = log
        .iter()
        .position(|line| matches!(line, Line::Fault { .. }));
    let told: Vec<(usize, String)> = log
        .iter()
        .enumerate()
        .filter_map(|(at, line)| Some((at, told(compiled, plan, subject, line)?)))
        .collect();
    let before = told
        .iter()
        .filter(|(at, _)| first.is_some_and(|first| *at < first))
        .count();
    let skipped = before.saturating_sub(LINES_BEFORE);
    let mut out = String::new();
    let _ = writeln!(out, "{}\n", instant(subject.start));
    if skipped > 0 {
        let _ = writeln!(
            out,
            "          … {skipped} lines on which everything goes well"
        );
    }
    for (_, line) in told.iter().skip(skipped) {
        let _ = writeln!(out, "{line}");
    }
    if let Some(violation) = &branch.violation {
        let at = time_of_day(violation.at);
        let node = violation.node.map(|id| format!("{}: ", subject.name(id)));
        let _ = writeln!(
            out,
            "{at}  BROKEN {}{}",
            node.unwrap_or_default(),
            violation.words
        );
    }
    out
}

/// The broken promise on the lines of the plan.
pub fn diagnosis(
    compiled: &Compiled,
    subject: &Subject,
    choices: &[Choice],
    branch: &Branch,
    style: Style,
) -> String {
    let Some(violation) = &branch.violation else {
        return "no promise was broken\n".to_owned();
    };
    let places = &compiled.places;
    let struck = choices.iter().filter_map(|choice| {
        let loc = words::place(subject, &choice.fault)?;
        Some((places.span(loc), words::fault(subject, &choice.fault)))
    });
    let mut struck: Vec<_> = struck.collect();
    let node = violation.node.and_then(|id| subject.plan.node(id));
    let (span, label) = match node {
        _ if violation.claim.is_some() => {
            let claim = violation.claim.unwrap_or(Span::new(FileId(0), 0, 0));
            (claim, "claimed here".to_owned())
        }
        Some(node) => (places.span(node.loc), violation.words.clone()),
        None if struck.is_empty() => {
            let first = subject.plan.nodes.first().map(|node| places.span(node.loc));
            (first.unwrap_or(Span::new(FileId(0), 0, 0)), String::new())
        }
        None => struck.remove(0),
    };
    let message = violation.words.clone();
    let mut diagnostic = Diagnostic::new(code(violation.promise), span, message).label(label);
    for (span, text) in struck {
        diagnostic = diagnostic.and(span, text);
    }
    let diagnostic = diagnostic.note(format!("promised: {}", violation.promise.words()));
    human::render(&diagnostic, &compiled.sources, style)
}

pub fn summary(told: &Told) -> String {
    let mut out = String::new();
    let found = told.found;
    let seconds = told.took.as_secs_f64();
    let _ = writeln!(out, "  runs      {}", found.runs);
    let _ = writeln!(
        out,
        "  states    {} in {} classes, {seconds:.2} s, {:.0} a second",
        found.states,
        found.classes,
        found.states as f64 / seconds.max(1e-9)
    );
    let faults: Vec<String> = Kind::ALL
        .iter()
        .zip(found.faults)
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| format!("{count} {}", kind.words()))
        .collect();
    let sum: u64 = found.faults.iter().sum();
    if sum > 0 {
        let _ = writeln!(out, "  faults    {sum}: {}", faults.join(", "));
    }
    let _ = writeln!(out, "\n{}", verdict(told));
    out
}

fn verdict(told: &Told) -> String {
    if let Some(broken) = &told.found.broken {
        let promise = broken.violation.promise;
        let count = broken.choices.len();
        return format!(
            "broken, with {}: {} (`deployc explain {}`)",
            at_once(count as u32),
            promise.words(),
            code(promise).id
        );
    }
    let bounds = "measurements, answers, people and crashes are free; how late something is and how often it was seen are not told \
                  apart beyond what the plan tells apart";
    match told.found.complete {
        Some(faults) if faults >= told.bounds.faults => {
            format!(
                "proved: no promise is broken with {}\n  {bounds}{}",
                at_most(faults),
                undecided(told.subject)
            )
        }
        Some(faults) => format!(
            "not finished: after {} states, proved with {} (`--max-states`)",
            told.found.states,
            at_most(faults)
        ),
        None => "nothing was explored".to_owned(),
    }
}

/// Never passed over: what the plan claims, and runs do not decide.
fn undecided(subject: &Subject) -> String {
    let mut out = String::new();
    for (invariant, claim) in claims::undecided(subject) {
        let _ = write!(out, "\nnot decided: {}: {}", invariant.name(), claim.text);
    }
    if !out.is_empty() {
        out.push_str(
            "\n  only a world with values decides it: the plan's tests judge it (`deployc test`)",
        );
    }
    out
}

fn at_most(faults: u32) -> String {
    match faults {
        0 => "no fault".to_owned(),
        1 => "any single fault".to_owned(),
        2 => "any single fault, and any two".to_owned(),
        more => format!("any {more} faults, or fewer"),
    }
}

fn at_once(faults: u32) -> String {
    match faults {
        0 => "no fault at all".to_owned(),
        1 => "one fault".to_owned(),
        more => format!("{more} faults"),
    }
}

/// `--format json`
pub fn object(told: &Told, played_: Option<&(Vec<Choice>, Branch, Option<Saved>)>) -> Value {
    let found = told.found;
    let faults = Kind::ALL.iter().zip(found.faults);
    let faults: serde_json::Map<String, Value> = faults
        .map(|(kind, count)| (kind.words().to_owned(), json!(count)))
        .collect();
    json!({
        "plan": told.plan.name,
        "proved_faults": found.broken.is_none().then_some(found.complete).flatten(),
        "wanted_faults": told.bounds.faults,
        "runs": found.runs,
        "states": found.states,
        "classes": found.classes,
        "faults": faults,
        "seconds": told.took.as_secs_f64(),
        "undecided": claims::undecided(told.subject)
            .iter()
            .map(|(invariant, claim)| json!({"invariant": invariant.title, "claim": claim.text}))
            .collect::<Vec<_>>(),
        "promises": Promise::ALL.map(|promise| json!({"code": code(promise).id, "name": promise.code()})),
        "broken": played_.map(|(choices, branch, file)| {
            let mut object = played(told.plan, told.subject, choices, branch);
            if let (Value::Object(fields), Some(file)) = (&mut object, file) {
                fields.insert("saved".to_owned(), json!(file.file.display().to_string()));
            }
            object
        }),
    })
}

/// A story as an object.
pub fn played(plan: &Plan, subject: &Subject, choices: &[Choice], branch: &Branch) -> Value {
    let violation = branch.violation.as_ref();
    json!({
        "broken": violation.is_some(),
        "code": violation.map(|violation| code(violation.promise).id),
        "promise": violation.map(|violation| violation.promise.code()),
        "words": violation.map(|violation| &violation.words),
        "node": violation.and_then(|violation| violation.node).map(|id| line::path(plan, id)),
        "at": violation.map(|violation| instant(violation.at)),
        "outcome": branch.outcome,
        "faults": choices.iter().map(|choice| json!({
            "event": choice.event,
            "words": words::fault(subject, &choice.fault),
            "fault": choice.fault,
        })).collect::<Vec<_>>(),
    })
}

fn code(promise: Promise) -> &'static Code {
    match promise {
        Promise::GoodDay => &codes::GOOD_DAY_FAILS,
        Promise::Restored => &codes::NOT_RESTORED,
        Promise::Once => &codes::CHANGED_TWICE,
        Promise::Evidence => &codes::GATE_WITHOUT_EVIDENCE,
        Promise::Approval => &codes::APPROVAL_BYPASSED,
        Promise::Traffic => &codes::TRAFFIC_TO_UNREADY,
        Promise::Time => &codes::LONGER_THAN_SAID,
        Promise::End => &codes::NEVER_ENDS,
        Promise::Invariant => &codes::INVARIANT_BROKEN,
    }
}

fn told(compiled: &Compiled, plan: &Plan, subject: &Subject, line: &Line) -> Option<String> {
    match line {
        Line::Fault { at, fault } => {
            let text = words::fault(subject, fault);
            let place = place(compiled.source_map(), subject, fault);
            Some(format!("{}  FAULT  {text}{place}", time_of_day(*at)))
        }
        Line::Note { at, note } => match note.kind {
            NoteKind::Judged(_) => None,
            _ => line::line(plan, compiled.source_map(), *at, note),
        },
        Line::Ended { at, outcome } => Some(format!(
            "{}  the run {}",
            time_of_day(*at),
            outcome_words(*outcome)
        )),
    }
}

fn place(map: &SourceMap, subject: &Subject, fault: &Fault) -> String {
    let loc = words::place(subject, fault);
    let found = loc.and_then(|loc| map.places.get(loc.0 as usize));
    found.map_or(String::new(), |at| format!("  ({}:{})", at.file, at.line))
}
