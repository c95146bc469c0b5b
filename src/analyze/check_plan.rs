//! What can be proved of a finished plan, and what cannot be.

use crate::analyze::bands::{gates, holds, rules};
use crate::analyze::lints::{moving_image, series, silence, title_numbers};
use crate::analyze::places::Places;
use crate::analyze::timing::line::Line;
use crate::analyze::timing::{budget, rollback, samples, signatures, windows};
use crate::analyze::{canary, coverage, order, watches};
use crate::diagnostics::Diagnostic;
use crate::plan::Plan;
use crate::plan::graph::Graph;

/// Adds the edges that follow from effects and data, and says what is wrong with the whole.
pub fn analyze(plan: &mut Plan, places: &Places) -> Vec<Diagnostic> {
    order::fill(plan);
    let graph = Graph::of(&plan.nodes);
    let mut found = order::check::check(plan, &graph, places);
    found.extend(coverage::check::check(plan, &graph, places));
    found.extend(samples::check(plan, places));
    found.extend(in_time(plan, &graph, places));
    found.extend(holds::check(plan, places));
    found.extend(rules::check(plan, places));
    found.extend(gates::check(plan, &graph, places));
    found.extend(watches::check(plan, &graph, places));
    found.extend(canary::check(plan, &graph, places));
    found.extend(silence::check(plan, places));
    found.extend(series::check(plan, places));
    found.extend(title_numbers::check(plan, places));
    found.extend(moving_image::check(plan, places));
    found.sort_by_key(|diagnostic| (diagnostic.primary.span, diagnostic.code.id));
    found
}

/// A plan with a cycle has no time.
fn in_time(plan: &Plan, graph: &Graph, places: &Places) -> Vec<Diagnostic> {
    let Some(line) = Line::new(plan, graph) else {
        return Vec::new();
    };
    let mut found = windows::check(&line, places);
    found.extend(signatures::check(&line, places));
    let back = rollback::longest(plan, graph);
    found.extend(back.and_then(|time| budget::rollback(plan, &time, places)));
    found
}
