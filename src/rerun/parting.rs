//! Where two runs part: the first thing that one does and the other does not, and the verdicts that differ.

use crate::causes::rule;
use crate::engine::protocol::{Note, NoteKind};
use crate::plan::Plan;
use crate::values::{Instant, Verdict, show};
use std::collections::BTreeMap;

/// What happened in a run, of what can be compared, by the words of its plan.
pub struct Course {
    pub steps: Vec<(Instant, String)>,
    pub verdicts: BTreeMap<String, (Instant, Verdict)>,
}

/// The first difference. `None`: nothing happened in that run at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    pub at: Instant,
    pub recorded: Option<String>,
    pub with: Option<String>,
}

/// An item that ended in another way, or in one of the two only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    pub path: String,
    pub recorded: Option<(Instant, Verdict)>,
    pub with: Option<(Instant, Verdict)>,
}

/// Up to a moment, and with it.
pub fn course(plan: &Plan, notes: &[(Instant, Note)], until: Instant) -> Course {
    let mut course = Course {
        steps: Vec::new(),
        verdicts: BTreeMap::new(),
    };
    for (at, note) in notes.iter().filter(|(at, _)| *at <= until) {
        let path = note
            .node
            .and_then(|id| plan.node(id))
            .map(|node| &node.path);
        if let (Some(path), NoteKind::Ended { verdict }) = (path, &note.kind) {
            course.verdicts.insert(path.clone(), (*at, *verdict));
        }
        let path = path.map_or("the run", String::as_str);
        if let Some(words) = words(plan, path, &note.kind) {
            course.steps.push((*at, words));
        }
    }
    course
}

pub fn first(recorded: &Course, with: &Course) -> Option<First> {
    let longest = recorded.steps.len().max(with.steps.len());
    let pairs = (0..longest).map(|index| (recorded.steps.get(index), with.steps.get(index)));
    let (old, new) = pairs.into_iter().find(|(old, new)| old != new)?;
    let at = [old, new].into_iter().flatten().map(|(at, _)| *at).min()?;
    let then = |step: Option<&(Instant, String)>| {
        let step = step.filter(|(own, _)| *own == at);
        step.map(|(_, words)| words.clone())
    };
    Some(First {
        at,
        recorded: then(old),
        with: then(new),
    })
}

pub fn changed(recorded: &Course, with: &Course) -> Vec<Changed> {
    let mut paths: Vec<&String> = recorded.verdicts.keys().collect();
    paths.extend(with.verdicts.keys());
    paths.sort();
    paths.dedup();
    let verdict = |known: Option<&(Instant, Verdict)>| known.map(|(_, verdict)| *verdict);
    let differs = |path: &&String| {
        let (old, new) = (recorded.verdicts.get(*path), with.verdicts.get(*path));
        verdict(old) != verdict(new)
    };
    let changed = paths.into_iter().filter(differs).map(|path| Changed {
        path: path.clone(),
        recorded: recorded.verdicts.get(path).copied(),
        with: with.verdicts.get(path).copied(),
    });
    changed.collect()
}

/// Without values and bounds: what was measured is the same, and the bound is what may differ.
fn words(plan: &Plan, path: &str, kind: &NoteKind) -> Option<String> {
    Some(match kind {
        NoteKind::Started => format!("{path} started"),
        NoteKind::Ended { verdict } => format!("{path}: {}", show::word(*verdict)),
        NoteKind::Weight { wanted, .. } => {
            format!("{path}: {:.1}% of the traffic", wanted.as_f64() * 100.0)
        }
        NoteKind::Paused { .. } => format!("{path} paused"),
        NoteKind::Unpaused => format!("{path} went on"),
        NoteKind::RuleFired { watch, rule, .. } => {
            let watch = plan.watches.get(*watch as usize)?;
            let rule = watch.rules.get(*rule as usize).map(rule::name)?;
            format!("{rule} of the watch \"{}\" fired", watch.title)
        }
        NoteKind::Blind { watch, .. } => {
            let watch = plan.watches.get(*watch as usize)?;
            format!("the watch \"{}\" was blind", watch.title)
        }
        NoteKind::RollbackStarted { .. } => "the run went back".to_owned(),
        NoteKind::Undone { .. } => format!("{path} was undone"),
        NoteKind::Judged(_)
        | NoteKind::Failed { .. }
        | NoteKind::Drift { .. }
        | NoteKind::Said { .. } => return None,
    })
}
