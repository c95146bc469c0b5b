//! How long freezes hold a plan up, and whether they leave it time for its changes.

use crate::analyze::order::check::name;
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::timing::FROZEN;
use crate::plan::deps;
use crate::plan::node::{Node, NodeKind};
use crate::plan::{LocId, Plan, Window};
use crate::values::show::instant;

/// What freezes may add to a longest time: all of them, but not beyond the plan's own ends, where it goes back.
pub fn longest(plan: &Plan, without_ns: i64) -> i64 {
    let within = |window: &Window| match plan.window {
        None => window.to.since(window.from),
        Some(own) => own.to.min(window.to).since(own.from.max(window.from)),
    };
    let frozen = merged(plan);
    let all = frozen.iter().map(|window| within(window).max(0));
    let all_ns = all.fold(0_i64, i64::saturating_add);
    let window_ns = plan.window.map(|window| window.to.since(window.from));
    let ends = [plan.deadline_ns, window_ns].into_iter().flatten();
    let room = ends.map(|end| end.saturating_sub(without_ns).max(0));
    room.fold(all_ns, i64::min)
}

/// Changes that can only be made while nothing goes forward.
pub fn check(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let frozen = merged(plan);
    let whole = |window: &Window| {
        let around = |freeze: &&Window| freeze.from <= window.from && window.to <= freeze.to;
        frozen.iter().find(around).copied()
    };
    let first = plan.nodes.first().map_or(LocId(0), |node| node.loc);
    let changes = |node: &&Node| matches!(node.kind, NodeKind::Step(_) | NodeKind::Stage(_));
    if let Some((own, freeze)) = plan.window.and_then(|own| Some((own, whole(&own)?)))
        && plan.nodes.iter().any(|node| changes(&node))
    {
        let at = places.setting("window");
        let at = at.unwrap_or_else(|| places.span(first));
        let message = format!(
            "the plan can change nothing in its window, which closes at {}: changes are frozen until {}",
            instant(own.to),
            instant(freeze.to)
        );
        return vec![Diagnostic::new(&FROZEN, at, message)];
    }
    let mut said: Vec<Window> = Vec::new();
    let nodes = plan.nodes.iter().filter(changes);
    let found = nodes.filter_map(|node| {
        let around = deps::with_parents(plan, node.id).into_iter();
        let mut windows = around.filter_map(|around| plan.node(around)?.window);
        let own = windows.next()?;
        let freeze = whole(&own)?;
        // One window, one message.
        if said.contains(&own) {
            return None;
        }
        said.push(own);
        let message = format!(
            "{} cannot be done in its window, which closes at {}: changes are frozen until {}",
            name(node),
            instant(own.to),
            instant(freeze.to)
        );
        Some(Diagnostic::new(&FROZEN, places.span(node.loc), message).label("never"))
    });
    found.collect()
}

/// In order, without overlaps.
fn merged(plan: &Plan) -> Vec<Window> {
    let mut windows: Vec<Window> = plan.freezes.iter().map(|freeze| freeze.window).collect();
    windows.sort_by_key(|window| (window.from, window.to));
    let mut merged: Vec<Window> = Vec::new();
    for window in windows {
        match merged.last_mut() {
            Some(last) if window.from <= last.to => last.to = last.to.max(window.to),
            _ => merged.push(window),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use crate::analyze::timing::freezes::longest;
    use crate::plan::draft::{Draft, HOUR_NS};
    use crate::plan::{Freeze, Window};
    use crate::values::Instant;

    fn hours(from: i64, to: i64) -> Window {
        Window {
            from: Instant(from * HOUR_NS),
            to: Instant(to * HOUR_NS),
        }
    }

    #[test]
    fn a_freeze_counts_once_and_within_the_ends_of_the_plan() {
        let mut draft = Draft::blank();
        let plan = &mut draft.plan;
        for (from, to) in [(2, 4), (3, 5), (8, 9)] {
            plan.freezes.push(Freeze {
                window: hours(from, to),
                title: None,
                refs: Vec::new(),
            });
        }
        plan.deadline_ns = None;
        assert_eq!(longest(plan, HOUR_NS), 4 * HOUR_NS);
        plan.window = Some(hours(4, 10));
        assert_eq!(longest(plan, HOUR_NS), 2 * HOUR_NS);
        // No more than there is room for.
        assert_eq!(longest(plan, 5 * HOUR_NS), HOUR_NS);
        plan.deadline_ns = Some(3 * HOUR_NS);
        assert_eq!(longest(plan, 2 * HOUR_NS), HOUR_NS);
        assert_eq!(longest(plan, 4 * HOUR_NS), 0);
    }
}
