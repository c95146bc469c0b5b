//! Choices as the text of a scenario.

use crate::plan::node::{NodeId, NodeKind, UndoPlan};
use crate::providers::request::Direction;
use crate::simulate::scenario::Moment;
use crate::syntax::scan::{ITEM_WORDS, STATEMENT_WORDS};
use crate::verify::branch::{Branch, Step};
use crate::verify::explore::Choice;
use crate::verify::fault::{Change, Doing, Fault, Flight, Looking, Says, Seeing, Span, What};
use crate::verify::inject::away_ns;
use crate::verify::promise::Violation;
use crate::verify::scenario::play::{Moments, play};
use crate::verify::scenario::{Planned, When};
use crate::verify::story::{self, Line};
use crate::verify::subject::{Site, Subject};
use crate::verify::words;
use std::fmt::Write;

/// The scenario in which these choices are made again. `how` says how to play it.
pub fn scenario(subject: &Subject, step: &Step, choices: &[Choice], how: &str) -> String {
    let branch = story::play(subject, step, choices);
    let planned = planned(subject, step, choices, &branch);
    let title = branch
        .violation
        .as_ref()
        .map_or("No promise is broken", |broken| broken.promise.words());
    let mut out = String::from("deploy 1\n\n");
    if let Some(broken) = &branch.violation {
        let words = one_line(&broken.words);
        let node = broken.node.map(|id| format!("{}: ", subject.name(id)));
        let _ = writeln!(out, "// Broken: {}{words}", node.unwrap_or_default());
    }
    let _ = writeln!(out, "// Played by: {}", one_line(how));
    let _ = writeln!(out, "scenario \"{}\" {{", capital(&title.replace('"', "'")));
    out.push_str("  // Measurements pass, people agree, changes work; but:\n  world = open\n");
    for one in &planned {
        let said = one_line(&words::fault(subject, &one.fault));
        let _ = writeln!(out, "\n  // {said}");
        let _ = writeln!(
            out,
            "  at {} {{ {} }}",
            moment(subject, one.when),
            statement(subject, &branch, &one.fault, one.when)
        );
    }
    out.push_str("}\n");
    out
}

/// At moments of the run where that comes to the same end; else after as many events as it was.
fn planned(subject: &Subject, step: &Step, choices: &[Choice], branch: &Branch) -> Vec<Planned> {
    let by_moment = by_moment(subject, choices, branch);
    let again = play(subject, step, &by_moment).branch;
    if again.outcome == branch.outcome && same(&again.violation, &branch.violation) {
        return by_moment;
    }
    let by_event = choices.iter().map(|choice| Planned {
        when: When::Event(choice.event),
        fault: choice.fault,
        span: None,
    });
    by_event.collect()
}

fn same(a: &Option<Violation>, b: &Option<Violation>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a.promise, a.at, a.node) == (b.promise, b.at, b.node),
        (None, None) => true,
        _ => false,
    }
}

fn by_moment(subject: &Subject, choices: &[Choice], branch: &Branch) -> Vec<Planned> {
    let mut moments = Moments::default();
    let mut planned = Vec::new();
    let mut choices = choices.iter();
    for line in branch.log.as_deref().unwrap_or_default() {
        let Line::Fault { at, .. } = line else {
            moments.line(line);
            continue;
        };
        let Some(choice) = choices.next() else { break };
        let own = choice.fault.node().map(Moment::Node);
        let newest = moments.newest.map(Moment::Node);
        let rollback = moments.rollback.map(|_| Moment::Rollback);
        let bases = [rollback, own, newest, Some(Moment::Start)];
        let found = bases.into_iter().flatten().find_map(|moment| {
            let since = moments.at(subject.start, moment)?;
            Some(When::After(moment, at.since(since)))
        });
        planned.push(Planned {
            when: found.unwrap_or(When::Event(choice.event)),
            fault: choice.fault,
            span: None,
        });
    }
    planned
}

fn moment(subject: &Subject, when: When) -> String {
    let (moment, after_ns) = match when {
        When::Event(events) => return format!("event({events})"),
        When::After(moment, after_ns) => (moment, after_ns),
    };
    let base = match moment {
        Moment::Start => "start".to_owned(),
        Moment::Rollback => "rollback".to_owned(),
        Moment::Node(id) => item(subject, id),
        Moment::At(at) => crate::values::show::instant(at),
    };
    match after_ns {
        0 => base,
        ns => format!("{base} + {}", time(ns)),
    }
}

/// `is_written` of an undo: by a call that the plan names.
fn statement(subject: &Subject, branch: &Branch, fault: &Fault, when: When) -> String {
    match fault {
        Fault::Measure { site, says, span } => {
            let item = item(subject, site.node());
            let what = match site {
                Site::Check(_) | Site::When(_) => item,
                Site::Arguments(_) => format!("{item}.reads"),
                Site::Post(_) => format!("{item}.expects"),
                Site::Undo(_) => format!("undo {item}.reads"),
            };
            format!("{what} {} {}", verb(*span), said(*says))
        }
        Fault::Rule {
            watch,
            rule,
            says,
            span,
        } => {
            let (watch, rule, verb) = (watch_of(subject, *watch), rule + 1, verb(*span));
            format!("rule({watch}, {rule}) {verb} {}", said(*says))
        }
        Fault::Blind { watch, span } => {
            format!("rules({}) {} blind", watch_of(subject, *watch), verb(*span))
        }
        Fault::Prepare { change, how, span } => {
            let how = match how {
                Looking::Unreachable => "unreachable",
                Looking::Refused => "refused",
            };
            let what = change_of(subject, *change, Direction::Forward);
            format!("{what}.intent {} {how}", verb(*span))
        }
        Fault::Commit {
            change,
            direction,
            how,
            span,
        } => {
            let what = change_of(subject, *change, *direction);
            match (how, verb(*span)) {
                (Doing::Unachieved, _) => format!("{what} fails after applying"),
                (how, verb) => format!("{what} {verb} {}", doing(*how)),
            }
        }
        Fault::Observe {
            change,
            direction,
            how,
            span,
        } => {
            let how = match how {
                Seeing::Unknown => "unknown",
                Seeing::Foreign => "foreign",
            };
            let what = change_of(subject, *change, *direction);
            format!("{what}.look {} {how}", verb(*span))
        }
        Fault::Refused { gate } => format!("{} is refused", item(subject, *gate)),
        Fault::Silent { gate } => format!("{} is silent", item(subject, *gate)),
        Fault::Late { gate } => format!("{} is late", item(subject, *gate)),
        Fault::Stranger { gate } => format!("{} is forged", item(subject, *gate)),
        Fault::Twice { gate } => format!("{} is doubled", item(subject, *gate)),
        Fault::Untold => "message is lost".to_owned(),
        Fault::Aborted => "somebody aborts".to_owned(),
        Fault::Continued { node } => format!("{} is skipped", item(subject, *node)),
        Fault::Crash { flight, away } => {
            let flight = match flight {
                Flight::Happened => "after applying",
                Flight::Lost => "before applying",
            };
            let at = struck_at(branch, fault, when).unwrap_or(subject.start);
            format!("kill {flight} for {}", time(away_ns(subject, at, *away)))
        }
    }
}

/// When a fault struck that was played.
fn struck_at(branch: &Branch, fault: &Fault, when: When) -> Option<crate::values::Instant> {
    let mut moments = Moments::default();
    for line in branch.log.as_deref().unwrap_or_default() {
        match (line, when) {
            (Line::Fault { at, fault: struck }, When::Event(_)) if struck == fault => {
                return Some(*at);
            }
            (Line::Fault { at, fault: struck }, When::After(moment, after_ns))
                if struck == fault
                    && moments
                        .at(Default::default(), moment)
                        .is_none_or(|since| since.plus(after_ns) == *at) =>
            {
                return Some(*at);
            }
            _ => moments.line(line),
        }
    }
    None
}

fn verb(span: Span) -> &'static str {
    match span {
        Span::Once => "is",
        Span::Lasting => "stays",
    }
}

fn said(says: Says) -> &'static str {
    match says {
        Says::True => "met",
        Says::False => "unmet",
        Says::NoData => "blind",
        Says::Error => "nonsense",
        Says::Unreachable => "unreachable",
    }
}

fn doing(how: Doing) -> &'static str {
    match how {
        Doing::Unreachable => "unreachable",
        Doing::Refused | Doing::Unachieved => "refused",
        Doing::DoneUnknown => "unknown after applying",
        Doing::DoneLate => "late",
        Doing::NotDoneUnknown => "unknown before applying",
    }
}

/// `undo NAME` is whatever takes the change of NAME back; what of a step nothing else is called by has words of its own.
fn change_of(subject: &Subject, change: Change, direction: Direction) -> String {
    let item = item(subject, change.node);
    match (change.what, direction) {
        (What::Undo, Direction::Forward) => format!("undo {item}"),
        (What::Undo, Direction::Back) => format!("undo {item}.call"),
        (_, Direction::Forward) => item,
        (What::Step, Direction::Back) if has_written_undo(subject, change.node) => {
            format!("undo {item}.change")
        }
        (_, Direction::Back) => format!("undo {item}"),
    }
}

/// By a call that the plan names.
pub fn has_written_undo(subject: &Subject, node: NodeId) -> bool {
    let kind = subject.plan.node(node).map(|node| &node.kind);
    matches!(kind, Some(NodeKind::Step(step)) if matches!(step.undo, UndoPlan::Written { .. }))
}

/// By its title, where that is clear; else by its place in the plan.
fn watch_of(subject: &Subject, watch: u32) -> String {
    let watches = &subject.plan.watches;
    let title = watches.get(watch as usize).map(|watch| &watch.title);
    let named = title.filter(|title| {
        let same = watches.iter().filter(|known| known.title == **title);
        same.count() == 1 && is_plain(title)
    });
    match named {
        Some(title) => format!("\"{title}\""),
        None => format!("{}", watch + 1),
    }
}

fn item(subject: &Subject, id: NodeId) -> String {
    let Some(node) = subject.plan.node(id) else {
        return "start".to_owned();
    };
    let taken = |name: &&String| {
        let name = name.as_str();
        [
            "start", "rollback", "item", "rule", "rules", "event", "message", "somebody",
        ]
        .contains(&name)
            || ITEM_WORDS.contains(&name)
            || STATEMENT_WORDS.contains(&name)
    };
    match node.name.as_ref().filter(|name| !taken(name)) {
        Some(name) => name.clone(),
        None => format!("item(\"{}\")", node.path),
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(['"', '\\', '$', '\n'])
}

fn time(ns: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    let unit = UNITS.iter().find(|(one, _)| ns % one == 0);
    match unit {
        Some((one, unit)) => format!("{}{unit}", ns / one),
        None => format!("{ns}ns"),
    }
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
