//! `absent as 0`: silence that fires a trigger, or opens a gate.

use crate::analyze::bands::condition::{Condition, amount, condition};
use crate::analyze::order::check::name;
use crate::analyze::order::data::is_verify;
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::promql::{FIRES_ON_SILENCE, PASSES_ON_NOTHING};
use crate::plan::expr::{Clause, Expr};
use crate::plan::node::{Check, Node, NodeKind};
use crate::plan::walk::{clauses, of_stmts, reads};
use crate::plan::{Metric, MetricSource, Plan, Rule};

pub fn check(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let is_silent = |metric: &Metric| {
        let source = &metric.source;
        matches!(source, MetricSource::Query { absent, .. } if absent.is_some())
    };
    if !plan.metrics.iter().any(is_silent) {
        return Vec::new();
    }
    let rules = plan.watches.iter().flat_map(|watch| &watch.rules);
    let mut found: Vec<Diagnostic> = rules.filter_map(|rule| fires(plan, places, rule)).collect();
    for node in plan.nodes.iter().filter(|node| !is_verify(plan, node.id)) {
        if let NodeKind::Check(check) = &node.kind {
            found.extend(passes(plan, places, node, check));
        }
    }
    found
}

/// A rule that what stands for no data would fire.
fn fires(plan: &Plan, places: &Places, rule: &Rule) -> Option<Diagnostic> {
    let metric = silent_in(plan, &condition(plan, &rule.condition))?;
    let message = format!("no data of `{}` would fire this rule", metric.name);
    Some(
        Diagnostic::new(&FIRES_ON_SILENCE, places.span(rule.loc), message)
            .label(format!("true of what stands for no data: `{}`", rule.text))
            .and(
                places.span(metric.loc),
                "`absent as` makes a value of silence",
            )
            .help("leave `absent as` out, and say under `no data` what silence means"),
    )
}

/// A check that passes on what stands for no data, when nothing else in it shows that the source lives.
fn passes(plan: &Plan, places: &Places, node: &Node, check: &Check) -> Option<Diagnostic> {
    let clauses = clauses(&check.body);
    let (clause, metric) = clauses.into_iter().find_map(|clause: &Clause| {
        let metric = silent_in(plan, &condition(plan, &clause.condition))?;
        Some((clause, metric))
    })?;
    let provider = provider_of(metric)?;
    let all = reads(plan, of_stmts(&check.body));
    let by_call = all.calls.iter().any(|call| call.provider == provider);
    let mut metrics = all
        .metrics
        .iter()
        .filter_map(|(at, _)| plan.metrics.get(*at as usize));
    let by_metric = metrics.any(|other| match &other.source {
        MetricSource::Query {
            provider: own,
            absent,
            ..
        } => own == provider && absent.is_none(),
        MetricSource::Derived(_) => false,
    });
    if by_call || by_metric {
        return None;
    }
    let message = format!("{} passes when `{}` has no data", name(node), metric.name);
    Some(
        Diagnostic::new(&PASSES_ON_NOTHING, places.span(clause.loc), message)
            .label("true of what stands for no data")
            .and(places.span(metric.loc), "`absent as` makes a value of silence")
            .help("expect something beside it that only a living source answers, such as `up` of what is scraped"),
    )
}

/// The metric whose silence alone makes a condition true.
fn silent_in<'a>(plan: &'a Plan, condition: &Condition) -> Option<&'a Metric> {
    if condition.blurred {
        return None;
    }
    condition.terms.iter().find_map(|term| {
        let (atom, band) = term.only()?;
        let metric = plan.metrics.get(atom.metric? as usize)?;
        let MetricSource::Query {
            absent: Some(absent),
            ..
        } = &metric.source
        else {
            return None;
        };
        let value = amount(&Expr::Literal(absent.clone()))?;
        band.has(value).then_some(metric)
    })
}

fn provider_of(metric: &Metric) -> Option<&str> {
    match &metric.source {
        MetricSource::Query { provider, .. } => Some(provider),
        MetricSource::Derived(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::analyze::lints::silence::check;
    use crate::analyze::places::Places;
    use crate::plan::MetricSource;
    use crate::plan::draft::{Draft, compare, expect, metric, quantity, read, rule};
    use crate::plan::expr::{Expr, Scope};
    use crate::plan::node::CheckMode;
    use crate::syntax::ast::CompareOp;
    use crate::units::Dim;
    use crate::units::amount::NANO;
    use crate::values::Value;

    /// Metric 0 is 0 where it is absent, metric 1 is not.
    fn draft() -> Draft {
        let mut draft = Draft::blank();
        draft.metric("failures", Dim::Count);
        draft.metric("services_up", Dim::Count);
        if let MetricSource::Query { absent, .. } = &mut draft.plan.metrics[0].source {
            *absent = Some(Value::count(0));
        }
        draft
    }

    fn bound(at: u32, op: CompareOp, count: i128) -> Expr {
        compare(
            metric(at, Scope::None),
            op,
            quantity(Dim::Count, count * NANO),
        )
    }

    fn codes(draft: &Draft) -> Vec<&'static str> {
        let found = check(&draft.plan, &Places::default()).into_iter();
        found.map(|found| found.code.name).collect()
    }

    #[test]
    fn a_rule_that_silence_fires() {
        let with = |op, count| {
            let mut draft = draft();
            let phase = draft.phase("rollout");
            draft.watch(phase, phase, vec![rule(bound(0, op, count), 0, Vec::new())]);
            codes(&draft)
        };
        assert_eq!(with(CompareOp::Gt, 0), Vec::<&str>::new());
        assert_eq!(with(CompareOp::Lt, 5), ["fires-on-silence"]);
        assert_eq!(with(CompareOp::Ge, 0), ["fires-on-silence"]);
    }

    #[test]
    fn a_check_that_silence_passes() {
        let mut draft = draft();
        let phase = draft.phase("verify");
        let node = draft.check_of(phase, "none", CheckMode::Once, bound(0, CompareOp::Lt, 1));
        assert_eq!(codes(&draft), ["passes-on-nothing"]);
        draft
            .edit_check(node)
            .body
            .push(expect(bound(1, CompareOp::Ge, 7)));
        assert_eq!(codes(&draft), Vec::<&str>::new());
        draft.edit_check(node).body.pop();
        draft
            .edit_check(node)
            .body
            .push(expect(read("prom", "ready")));
        assert_eq!(codes(&draft), Vec::<&str>::new());
        draft.edit_check(node).body.pop();
        draft.edit_check(node).body.push(expect(read("api", "up")));
        assert_eq!(codes(&draft), ["passes-on-nothing"]);
    }

    #[test]
    fn a_bound_that_silence_does_not_keep_is_fine() {
        let mut draft = draft();
        let phase = draft.phase("verify");
        draft.check_of(phase, "some", CheckMode::Once, bound(0, CompareOp::Gt, 1));
        draft.check_of(phase, "up", CheckMode::Once, bound(1, CompareOp::Lt, 1));
        assert_eq!(codes(&draft), Vec::<&str>::new());
    }
}
