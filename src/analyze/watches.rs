//! Watches that look too late, or too seldom.

use crate::analyze::order::check::name;
use crate::analyze::order::data::is_inside;
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::timing::{FOR_UNSEEN, SAMPLING_GAPS, WATCH_STARTS_LATE};
use crate::plan::expr::Scope;
use crate::plan::graph::{Graph, Point};
use crate::plan::node::{Node, NodeKind};
use crate::plan::walk::reads;
use crate::plan::{MetricSource, Plan, Rule, Watch};
use crate::units::show::duration_ns;
use std::collections::BTreeSet;

pub fn check(plan: &Plan, graph: &Graph, places: &Places) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for watch in &plan.watches {
        found.extend(starts_late(plan, graph, places, watch));
        let unseen = watch
            .rules
            .iter()
            .filter_map(|rule| for_unseen(places, watch, rule));
        found.extend(unseen);
        found.extend(gaps(plan, places, watch));
    }
    found
}

/// A watch on the new version that begins when part of the traffic is on it already.
fn starts_late(plan: &Plan, graph: &Graph, places: &Places, watch: &Watch) -> Option<Diagnostic> {
    let conditions = watch.rules.iter().map(|rule| &rule.condition);
    let read = reads(plan, conditions);
    let scopes = read
        .metrics
        .iter()
        .map(|(_, scope)| scope)
        .chain(&read.pods);
    if !scopes.into_iter().any(|scope| *scope == Scope::Canary) {
        return None;
    }
    let from = plan.node(watch.from)?;
    let canary = plan
        .nodes
        .iter()
        .filter(|node| matches!(node.kind, NodeKind::Canary(_)))
        .find(|canary| misses_first_stage(plan, graph, canary, from))?;
    let message = format!(
        "\"{}\" begins with {}, when the new version has traffic already",
        watch.title,
        name(from)
    );
    Some(
        Diagnostic::new(&WATCH_STARTS_LATE, places.span(watch.loc), message)
            .label("begins too late")
            .and(
                places.span(canary.loc),
                "the new version gets its first traffic here",
            )
            .help("let it begin with the phase of the canary"),
    )
}

fn misses_first_stage(plan: &Plan, graph: &Graph, canary: &Node, from: &Node) -> bool {
    let first = canary.children.iter().find(|id| {
        let kind = plan.node(**id).map(|node| &node.kind);
        matches!(kind, Some(NodeKind::Stage(_)))
    });
    let Some(first) = first else { return false };
    // Behind the canary there is no `canary.` any more; such a watch is about something else.
    let over = graph.ends_before(canary.id, from.id);
    let begun = graph.reach(Point::Start(*first)).has(Point::Start(from.id));
    begun && !over && from.id != *first && !is_inside(plan, *first, from.id)
}

fn for_unseen(places: &Places, watch: &Watch, rule: &Rule) -> Option<Diagnostic> {
    if rule.for_ns == 0 || rule.for_ns >= watch.sample_ns {
        return None;
    }
    let message = format!(
        "`for {}` is shorter than the {} between two samples",
        duration_ns(rule.for_ns),
        duration_ns(watch.sample_ns)
    );
    Some(
        Diagnostic::new(&FOR_UNSEEN, places.span(rule.loc), message)
            .label(format!(
                "acts after {} in fact",
                duration_ns(watch.sample_ns)
            ))
            .help("sample more often, or write what is meant"),
    )
}

/// Ranges that do not reach from one sample to the next.
fn gaps(plan: &Plan, places: &Places, watch: &Watch) -> Vec<Diagnostic> {
    let conditions = watch.rules.iter().map(|rule| &rule.condition);
    let metrics: BTreeSet<u32> = reads(plan, conditions)
        .metrics
        .into_iter()
        .map(|(metric, _)| metric)
        .collect();
    let mut found = Vec::new();
    for metric in metrics
        .iter()
        .filter_map(|at| plan.metrics.get(*at as usize))
    {
        let MetricSource::Query { lookback_ns, .. } = &metric.source else {
            continue;
        };
        // An instant has no range that could be too short.
        if *lookback_ns == 0 || *lookback_ns >= watch.sample_ns {
            continue;
        }
        let message = format!(
            "`{}` sees {} of each {} between two samples",
            metric.name,
            duration_ns(*lookback_ns),
            duration_ns(watch.sample_ns)
        );
        found.push(
            Diagnostic::new(&SAMPLING_GAPS, places.span(watch.loc), message)
                .label("watches with gaps")
                .and(places.span(metric.loc), "its range")
                .help("sample at least as often as the range is long, or make the range longer"),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::analyze::order::fill;
    use crate::analyze::places::Places;
    use crate::analyze::watches::check;
    use crate::plan::Action;
    use crate::plan::draft::{Draft, MINUTE_NS, SECOND_NS, compare, metric, ratio, rule};
    use crate::plan::expr::Scope;
    use crate::plan::graph::Graph;
    use crate::plan::node::NodeId;
    use crate::syntax::ast::CompareOp;
    use crate::units::Dim;

    /// Phases `rollout` and `observe`, a canary of two stages in the first.
    fn rollout() -> (Draft, Vec<NodeId>, [NodeId; 3]) {
        let mut draft = Draft::blank();
        draft.metric("error_rate", Dim::Ratio);
        let phases = draft.chain(&["rollout", "observe"]);
        let step = draft.step(phases[0], "release", "api");
        let canary = draft.canary(phases[0], "canary", step);
        let first = draft.stage(canary, 50, MINUTE_NS);
        let second = draft.stage(canary, 100, MINUTE_NS);
        (draft, phases, [canary, first, second])
    }

    fn codes(draft: &mut Draft) -> Vec<&'static str> {
        fill(&mut draft.plan);
        let graph = Graph::of(&draft.plan.nodes);
        let found = check(&draft.plan, &graph, &Places::default());
        found
            .iter()
            .map(|diagnostic| diagnostic.code.name)
            .collect()
    }

    fn watch(draft: &mut Draft, from: NodeId, to: NodeId, scope: Scope, for_ns: i64) {
        let over = compare(metric(0, scope), CompareOp::Gt, ratio(50));
        draft.plan.watches.clear();
        draft.watch(from, to, vec![rule(over, for_ns, vec![Action::Rollback])]);
    }

    #[test]
    fn a_watch_on_the_new_version_begins_with_its_first_traffic() {
        let (mut draft, phases, [canary, first, second]) = rollout();
        for from in [phases[0], canary, first] {
            watch(&mut draft, from, phases[1], Scope::Canary, 0);
            assert_eq!(codes(&mut draft), Vec::<&str>::new());
        }
        watch(&mut draft, second, phases[1], Scope::Canary, 0);
        assert_eq!(codes(&mut draft), ["watch-starts-late"]);
        watch(&mut draft, second, phases[1], Scope::All, 0);
        assert_eq!(codes(&mut draft), Vec::<&str>::new());
    }

    #[test]
    fn a_time_that_is_shorter_than_the_sampling() {
        let (mut draft, phases, _) = rollout();
        watch(&mut draft, phases[0], phases[1], Scope::All, 15 * SECOND_NS);
        assert_eq!(codes(&mut draft), Vec::<&str>::new());
        watch(&mut draft, phases[0], phases[1], Scope::All, 14 * SECOND_NS);
        assert_eq!(codes(&mut draft), ["for-unseen"]);
    }

    #[test]
    fn a_range_that_does_not_reach_to_the_next_sample() {
        let (mut draft, phases, _) = rollout();
        watch(&mut draft, phases[0], phases[1], Scope::All, 0);
        draft.plan.watches[0].sample_ns = MINUTE_NS;
        assert_eq!(codes(&mut draft), Vec::<&str>::new());
        draft.plan.watches[0].sample_ns = 5 * MINUTE_NS;
        assert_eq!(codes(&mut draft), ["sampling-gaps"]);
    }
}
