//! Times in words, and whether a rollback fits its budget.

use crate::analyze::order::check::name;
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::timing::ROLLBACK_OVER_BUDGET;
use crate::plan::Plan;
use crate::plan::facts::{Part, PartOf, PausePlace, RollbackTime};
use crate::plan::node::NodeId;
use crate::units::show::duration_ns;

/// Parts that are marked in the text; the words name all of them.
const MARKED_MAX: usize = 6;

pub fn rollback(plan: &Plan, time: &RollbackTime, places: &Places) -> Option<Diagnostic> {
    let rollback = plan.rollback.as_ref()?;
    if time.longest_ns <= rollback.within_ns {
        return None;
    }
    let message = format!(
        "a rollback can take {}, and its budget is {}",
        duration_ns(time.longest_ns),
        duration_ns(rollback.within_ns)
    );
    let diagnostic = Diagnostic::new(&ROLLBACK_OVER_BUDGET, places.span(rollback.loc), message)
        .note(sum(plan, &time.path))
        .help("shorten the longest of them, or give the rollback more time");
    Some(marked(plan, places, diagnostic, &time.path))
}

/// `release still running 5m + its undo 6m = 11m`
pub fn sum(plan: &Plan, parts: &[Part]) -> String {
    let total = parts
        .iter()
        .fold(0_i64, |sum, part| sum.saturating_add(part.ns));
    let words: Vec<String> = parts.iter().map(|part| words(plan, part)).collect();
    format!("{} = {}", words.join(" + "), duration_ns(total))
}

/// Marks the places of the longest parts.
pub fn marked(plan: &Plan, places: &Places, diagnostic: Diagnostic, parts: &[Part]) -> Diagnostic {
    let mut longest: Vec<&Part> = parts.iter().collect();
    longest.sort_by_key(|part| std::cmp::Reverse(part.ns));
    let shown = longest.into_iter().take(MARKED_MAX);
    let places = shown.filter_map(|part| {
        let loc = match &part.what {
            PartOf::Wait(id)
            | PartOf::Node(id)
            | PartOf::Running(id)
            | PartOf::Undo(id)
            | PartOf::Verify(id) => plan.node(*id)?.loc,
            PartOf::Pause(PausePlace::Written(loc)) => *loc,
            PartOf::Pause(PausePlace::Watch { watch, rule }) => {
                let watch = plan.watches.get(*watch as usize)?;
                match rule {
                    Some(rule) => watch.rules.get(*rule as usize)?.loc,
                    None => watch.no_data.as_ref()?.loc,
                }
            }
            PartOf::Pause(PausePlace::Default) | PartOf::Frozen => return None,
        };
        Some((places.span(loc), words(plan, part)))
    });
    places.fold(diagnostic, |diagnostic, (span, text)| {
        diagnostic.and(span, text)
    })
}

pub fn words(plan: &Plan, part: &Part) -> String {
    let time = duration_ns(part.ns);
    let node = |id: NodeId| plan.node(id).map_or_else(String::new, name);
    match &part.what {
        PartOf::Wait(id) => format!("until the window of {} {time}", node(*id)),
        PartOf::Node(id) => format!("{} {time}", node(*id)),
        PartOf::Pause(PausePlace::Default) => format!("the pause where none is written {time}"),
        PartOf::Pause(_) => format!("pause {time}"),
        PartOf::Frozen => format!("frozen {time}"),
        PartOf::Running(id) => format!("{} still running {time}", node(*id)),
        PartOf::Undo(id) => format!("undo of {} {time}", node(*id)),
        PartOf::Verify(id) => format!("verify {} {time}", node(*id)),
    }
}
