//! What can be proved of a finished plan, and what cannot be.

use crate::analyze::bands::{gates, holds, rules};
use crate::analyze::lints::{moving_image, series, silence, title_numbers};
use crate::analyze::places::Places;
use crate::analyze::timing::line::Line;
use crate::analyze::timing::{budget, evidence, freezes, rollback, samples, signatures, windows};
use crate::analyze::{canary, coverage, extent, order, watches};
use crate::diagnostics::Diagnostic;
use crate::plan::Plan;
use crate::plan::graph::Graph;
use rayon::prelude::*;

/// Adds the edges that follow from effects and data, and says what is wrong with the whole.
pub fn analyze(plan: &mut Plan, places: &Places) -> Vec<Diagnostic> {
    order::fill(plan);
    let graph = Graph::of(&plan.nodes);
    let plan = &*plan;
    let mut found: Vec<Diagnostic> = CHECKS
        .par_iter()
        .flat_map_iter(|check| check(plan, &graph, places))
        .collect();
    found.sort_by_key(|diagnostic| (diagnostic.primary.span, diagnostic.code.id));
    found
}

/// What is certain of a plan with mistakes in it.
pub fn draft(plan: &mut Plan, places: &Places) -> Vec<Diagnostic> {
    order::fill(plan);
    order::check::cyclic(plan, &Graph::of(&plan.nodes), places)
}

type Check = fn(&Plan, &Graph, &Places) -> Vec<Diagnostic>;

/// Each looks at the whole plan by itself.
const CHECKS: [Check; 14] = [
    |plan, _, places| extent::check(plan, places),
    order::check::check,
    coverage::check::check,
    in_time,
    gates::check,
    watches::check,
    canary::check,
    |plan, _, places| samples::check(plan, places),
    |plan, _, places| holds::check(plan, places),
    |plan, _, places| rules::check(plan, places),
    |plan, _, places| silence::check(plan, places),
    |plan, _, places| series::check(plan, places),
    |plan, _, places| title_numbers::check(plan, places),
    |plan, _, places| moving_image::check(plan, places),
];

/// A plan with a cycle has no time.
fn in_time(plan: &Plan, graph: &Graph, places: &Places) -> Vec<Diagnostic> {
    let Some(line) = Line::new(plan, graph) else {
        return Vec::new();
    };
    let mut found = windows::check(&line, places);
    found.extend(freezes::check(plan, places));
    found.extend(evidence::check(plan, places));
    found.extend(signatures::check(&line, places));
    let back = rollback::longest(plan, graph);
    found.extend(back.and_then(|time| budget::rollback(plan, &time, places)));
    found
}
