//! What can be proved of a finished plan, and what cannot be.

use crate::analyze::order;
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::plan::Plan;
use crate::plan::graph::Graph;

/// Adds the edges that follow from effects and data, and says what is wrong with the whole.
pub fn analyze(plan: &mut Plan, places: &Places) -> Vec<Diagnostic> {
    order::fill(plan);
    let graph = Graph::of(&plan.nodes);
    let mut found = order::check::check(plan, &graph, places);
    found.sort_by_key(|diagnostic| (diagnostic.primary.span, diagnostic.code.id));
    found
}
