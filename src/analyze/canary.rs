//! Whether the stages of a canary have what they are compared with.

use crate::analyze::messages::comparison::without_a_hold;
use crate::analyze::messages::typing as say;
use crate::analyze::order::check::name;
use crate::analyze::order::data::{is_inside, is_verify};
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::canary::BASELINE_GONE;
use crate::plan::expr::{Expr, Scope};
use crate::plan::graph::{Graph, Point, Reach};
use crate::plan::node::{CheckMode, Node, NodeId, NodeKind};
use crate::plan::walk::{clauses, comparisons, each, of_node, reads};
use crate::plan::{LocId, Plan};
use crate::source::Span;
use crate::units::Dim;
use crate::units::amount::NANO;

pub fn check(plan: &Plan, graph: &Graph, places: &Places) -> Vec<Diagnostic> {
    let mut found = totals(plan, graph, places);
    let whole = |node: &&Node| match &node.kind {
        NodeKind::Stage(stage) => stage.weight.0 >= NANO,
        _ => false,
    };
    let stages = plan.nodes.iter().filter(whole);
    found.extend(misplaced(plan, places));
    found.extend(stages.filter_map(|stage| baseline(plan, places, stage)));
    found
}

/// Windows are collected through the hold of a stage, or the time of a check, and nowhere else.
fn misplaced(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let bodies = plan.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Check(check) => match check.mode {
            CheckMode::Stage { .. } | CheckMode::For { .. } => None,
            CheckMode::Once | CheckMode::Within { .. } => Some((node, &check.body)),
        },
        NodeKind::Step(step) => Some((node, &step.post)),
        _ => None,
    });
    let first = bodies.filter_map(|(node, body)| {
        comparisons(body).first()?;
        Some(without_a_hold(places.span(node.loc)))
    });
    first.collect()
}

/// What is judged while a canary runs, but not inside of it: nothing puts the one before the other.
fn totals(plan: &Plan, graph: &Graph, places: &Places) -> Vec<Diagnostic> {
    let canaries: Vec<Ordered<'_>> = plan
        .nodes
        .iter()
        .filter(|node| matches!(node.kind, NodeKind::Canary(_)))
        .map(|canary| Ordered {
            canary,
            before: graph.origins(Point::Start(canary.id)),
            after: graph.reach(Point::End(canary.id)),
        })
        .collect();
    if canaries.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for node in &plan.nodes {
        if is_verify(plan, node.id) {
            continue;
        }
        let beside = |own: &&Ordered<'_>| {
            own.may_overlap(node.id, node.id) && !is_inside(plan, node.id, own.canary.id)
        };
        let Some(Ordered { canary, .. }) = canaries.iter().find(beside) else {
            continue;
        };
        for (condition, loc) in judged(node) {
            // A threshold is written elsewhere, and may be right for others.
            let (own, whole) = (places.span(loc), places.span(node.loc));
            let here = whole.file == own.file && whole.range().contains(&(own.start as usize));
            let span = if here { own } else { whole };
            found.extend(total(plan, condition, span, canary));
        }
    }
    for watch in &plan.watches {
        let beside = |own: &&Ordered<'_>| own.may_overlap(watch.from, watch.to);
        if let Some(Ordered { canary, .. }) = canaries.iter().find(beside) {
            let rules = watch.rules.iter();
            found
                .extend(rules.filter_map(|rule| {
                    total(plan, &rule.condition, places.span(rule.loc), canary)
                }));
        }
    }
    found
}

/// A canary, with all that has ended when it starts, and all that starts when it has ended.
struct Ordered<'p> {
    canary: &'p Node,
    before: Reach,
    after: Reach,
}

impl Ordered<'_> {
    /// Whether it may run at some time between the start of one node and the end of another.
    fn may_overlap(&self, from: NodeId, to: NodeId) -> bool {
        !self.after.has(Point::Start(from)) && !self.before.has(Point::End(to))
    }
}

fn judged(node: &Node) -> Vec<(&Expr, LocId)> {
    let of = |stmts| {
        let clauses = clauses(stmts).into_iter();
        clauses
            .map(|clause| (&clause.condition, clause.loc))
            .collect()
    };
    match &node.kind {
        NodeKind::Check(check) => of(&check.body),
        NodeKind::Step(step) => of(&step.post),
        NodeKind::When(condition) => vec![(condition, node.loc)],
        _ => Vec::new(),
    }
}

fn total(plan: &Plan, condition: &Expr, span: Span, canary: &Node) -> Option<Diagnostic> {
    let mut read = None;
    each(condition, &mut |expr| {
        if let Expr::Metric {
            metric,
            scope: Scope::None,
        } = expr
        {
            let metric = plan.metrics.get(*metric as usize);
            let blind = metric.filter(|metric| is_blind(metric.dim));
            read = read.or(blind);
        }
    });
    let metric = read?;
    let step = plan.node(step_of(canary)?).map_or_else(String::new, name);
    Some(say::total_beside(span, &metric.name, metric.dim, &step))
}

fn step_of(canary: &Node) -> Option<NodeId> {
    match &canary.kind {
        NodeKind::Canary(canary) => Some(canary.step),
        _ => None,
    }
}

/// Whether a total of it cannot see the canary: at 10% of the traffic one that fails every request makes 10%.
pub fn is_blind(dim: Dim) -> bool {
    matches!(dim, Dim::Ratio | Dim::Duration | Dim::Change)
}

/// At 100% the old version gets no requests, so nothing can be compared with it.
fn baseline(plan: &Plan, places: &Places, stage: &Node) -> Option<Diagnostic> {
    let node = stage
        .children
        .iter()
        .filter_map(|id| plan.node(*id))
        .find(|node| {
            let reads = reads(plan, of_node(node));
            let judged = matches!(node.kind, NodeKind::Check(_));
            judged
                && reads
                    .metrics
                    .iter()
                    .any(|(_, scope)| *scope == Scope::Stable)
        })?;
    let message = format!(
        "{} compares with a version that gets no requests any more",
        name(node)
    );
    Some(
        Diagnostic::new(&BASELINE_GONE, places.span(node.loc), message)
            .label("reads `stable.`")
            .and(
                places.span(stage.loc),
                "all of the traffic is on the new version",
            )
            .help("compare in an earlier stage; here, write a bound"),
    )
}

#[cfg(test)]
mod tests {
    use crate::analyze::canary::check;
    use crate::analyze::places::Places;
    use crate::plan::draft::{Draft, MINUTE_NS, compare, metric};
    use crate::plan::expr::Scope;
    use crate::plan::graph::Graph;
    use crate::plan::node::CheckMode;
    use crate::syntax::ast::CompareOp;
    use crate::units::Dim;

    #[test]
    fn at_the_end_there_is_no_baseline() {
        let with = |percent, scope| {
            let mut draft = Draft::blank();
            draft.metric("error_rate", Dim::Ratio);
            let phase = draft.phase("rollout");
            let step = draft.step(phase, "release", "api");
            let canary = draft.canary(phase, "canary", step);
            let stage = draft.stage(canary, percent, MINUTE_NS);
            let worse = compare(metric(0, Scope::Canary), CompareOp::Le, metric(0, scope));
            draft.check_of(stage, "errors", CheckMode::Stage { for_ns: 0 }, worse);
            check(
                &draft.plan,
                &Graph::of(&draft.plan.nodes),
                &Places::default(),
            )
            .len()
        };
        assert_eq!(with(50, Scope::Stable), 0);
        assert_eq!(with(100, Scope::Stable), 1);
        assert_eq!(with(100, Scope::All), 0);
    }
}
