//! What can be proved of a finished plan, and what cannot be.

use crate::analyze::places::Places;
use crate::analyze::timing::line::Line;
use crate::analyze::timing::{budget, rollback, samples, signatures, windows};
use crate::analyze::{coverage, order};
use crate::diagnostics::Diagnostic;
use crate::plan::Plan;
use crate::plan::graph::Graph;

/// Adds the edges that follow from effects and data, and says what is wrong with the whole.
pub fn analyze(plan: &mut Plan, places: &Places) -> Vec<Diagnostic> {
    order::fill(plan);
    let graph = Graph::of(&plan.nodes);
    let mut found = order::check::check(plan, &graph, places);
    found.extend(samples::check(plan, places));
    found.extend(coverage::check::check(plan, &graph, places));
    if let Some(line) = Line::new(plan, &graph) {
        found.extend(windows::check(&line, places));
        found.extend(signatures::check(&line, places));
        if let Some(time) = rollback::longest(plan, &graph) {
            found.extend(budget::rollback(plan, &time, places));
        }
    }
    found.sort_by_key(|diagnostic| (diagnostic.primary.span, diagnostic.code.id));
    found
}
