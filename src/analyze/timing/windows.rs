//! Whether a plan and its parts fit the windows and the deadline.

use crate::analyze::order::check::name;
use crate::analyze::places::Places;
use crate::analyze::timing::budget::{marked, sum};
use crate::analyze::timing::line::{Line, Way};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::timing::{
    EVERY_OVERLAPS, OVER_DEADLINE, OVER_WINDOW, UNREACHABLE_PHASE,
};
use crate::plan::facts::Took;
use crate::plan::graph::Point;
use crate::plan::node::{Node, NodeId, NodeKind};
use crate::plan::{LocId, Plan};
use crate::source::Span;
use crate::units::show::duration_ns;
use crate::values::show::instant;

pub fn check(line: &Line<'_>, places: &Places) -> Vec<Diagnostic> {
    let mut found = nodes(line, places);
    if found.is_empty() {
        found.extend(whole(line, places));
    }
    found.extend(ticks(line, places));
    found
}

/// The plan as a whole. Where a part does not fit, that is said instead.
fn whole(line: &Line<'_>, places: &Places) -> Vec<Diagnostic> {
    let plan = line.plan;
    let way = line.latest(None);
    let mut found = Vec::new();
    if let Some(window) = plan.window {
        let has_ns = window.to.since(window.from);
        if way.ns > has_ns {
            let message = format!(
                "the plan can take {}, and its window is {} long",
                duration_ns(way.ns),
                duration_ns(has_ns)
            );
            found.push(over(
                line,
                places,
                &way,
                Diagnostic::new(&OVER_WINDOW, setting(plan, places, "window"), message),
            ));
        }
    }
    if let Some(deadline_ns) = plan.deadline_ns
        && way.ns > deadline_ns
    {
        let message = format!(
            "the plan can take {}, and its deadline is {}",
            duration_ns(way.ns),
            duration_ns(deadline_ns)
        );
        found.push(over(
            line,
            places,
            &way,
            Diagnostic::new(&OVER_DEADLINE, setting(plan, places, "deadline"), message),
        ));
    }
    found
}

/// Nodes with a window: can they start in it, and do they end in it?
fn nodes(line: &Line<'_>, places: &Places) -> Vec<Diagnostic> {
    let (plan, Some(origin)) = (line.plan, line.origin) else {
        return Vec::new();
    };
    let earliest = line.earliest();
    let mut late: Vec<NodeId> = Vec::new();
    let mut found = Vec::new();
    for node in plan.nodes.iter().filter(|node| own_window(plan, node)) {
        let Some(window) = node.window else { continue };
        let closes_ns = window.to.since(origin);
        let (start, end) = (Point::Start(node.id), Point::End(node.id));
        let known = |point: Point| earliest.get(point.index()).copied().unwrap_or(0);
        // One mistake, one message: what comes after something late is late because of it.
        if late
            .iter()
            .any(|late| line.graph.ends_before(*late, node.id))
        {
            continue;
        }
        let here = places.span(node.loc);
        if known(start) >= closes_ns || known(end) > closes_ns {
            late.push(node.id);
            let message = format!(
                "{} cannot be done in its window, which closes at {}: it cannot end before {}",
                name(node),
                instant(window.to),
                instant(origin.plus(known(end)))
            );
            found.push(Diagnostic::new(&UNREACHABLE_PHASE, here, message).label("never in time"));
            continue;
        }
        let way = line.latest(Some(end));
        if way.ns > closes_ns {
            late.push(node.id);
            let message = format!(
                "{} can end at {}, and its window closes at {}",
                name(node),
                instant(origin.plus(way.ns)),
                instant(window.to)
            );
            found.push(over(
                line,
                places,
                &way,
                Diagnostic::new(&OVER_WINDOW, here, message),
            ));
        }
    }
    found
}

/// An `every` whose items take longer than its period.
fn ticks(line: &Line<'_>, places: &Places) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in &line.plan.nodes {
        let NodeKind::Every { period_ns, .. } = node.kind else {
            continue;
        };
        let took = |id: &NodeId| line.took.get(id.0 as usize).copied();
        let body = node
            .children
            .iter()
            .filter_map(took)
            .max_by_key(|took| took.longest_ns);
        let Some(Took { longest_ns, .. }) = body.filter(|took| took.longest_ns > period_ns) else {
            continue;
        };
        let message = format!(
            "an item of this `every` can take {}, and its period is {}",
            duration_ns(longest_ns),
            duration_ns(period_ns)
        );
        found.push(
            Diagnostic::new(&EVERY_OVERLAPS, places.span(node.loc), message)
                .note("a tick that is not over holds up the next one, so there may be fewer than it seems"),
        );
    }
    found
}

fn over(line: &Line<'_>, places: &Places, way: &Way, diagnostic: Diagnostic) -> Diagnostic {
    let diagnostic = diagnostic
        .note(sum(line.plan, &way.parts))
        .help("shorten the longest of them, or give it more time");
    marked(line.plan, places, diagnostic, &way.parts)
}

/// Not one that it has from the group around it.
fn own_window(plan: &Plan, node: &Node) -> bool {
    let outer = node.parent.and_then(|parent| plan.node(parent)?.window);
    node.window.is_some() && node.window != outer
}

/// The plan itself has no place; where its setting is not known either, its first line is the nearest.
fn setting(plan: &Plan, places: &Places, word: &str) -> Span {
    let first = plan.nodes.first().map_or(LocId(0), |node| node.loc);
    places.setting(word).unwrap_or_else(|| places.span(first))
}
