//! Metrics with several series where one is compared, and recorded series that cannot be narrowed.

use crate::analyze::places::Places;
use crate::analyze::promql::{Query, Series, parse_query};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::promql::{RECORDED_SERIES, SEVERAL_SERIES};
use crate::plan::expr::{Expr, Scope};
use crate::plan::walk::{each, of_node, of_watch};
use crate::plan::{LocId, Metric, MetricSource, Plan, Setting};
use crate::values::Value;
use std::collections::{BTreeMap, BTreeSet};

pub fn check(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let uses = uses(plan);
    let mut found = Vec::new();
    for (at, metric) in (0..).zip(&plan.metrics) {
        let Some(query) = query(plan, metric) else {
            continue;
        };
        if let (Series::By(labels), Some(loc)) = (&query.series, uses.compared.get(&at)) {
            found.push(several(places, metric, labels, *loc));
        }
        if let (Some(series), Some(loc)) = (&query.recorded, uses.narrowed.get(&at)) {
            found.push(recorded(plan, places, metric, series, *loc));
        }
    }
    found
}

/// Where each metric is compared as one value, and where it is narrowed to a revision; the first place of each.
#[derive(Default)]
struct Uses {
    compared: BTreeMap<u32, LocId>,
    narrowed: BTreeMap<u32, LocId>,
}

fn uses(plan: &Plan) -> Uses {
    let mut uses = Uses::default();
    for node in &plan.nodes {
        uses.add(of_node(node), node.loc);
    }
    for watch in &plan.watches {
        uses.add(of_watch(watch), watch.loc);
    }
    uses
}

impl Uses {
    fn add(&mut self, exprs: Vec<&Expr>, loc: LocId) {
        for expr in exprs {
            // By itself it is a side of a comparison with a baseline.
            if let Expr::Metric { metric, .. } = expr {
                self.compared.entry(*metric).or_insert(loc);
            }
            each(expr, &mut |inner| match inner {
                Expr::Compare(first, rest) => {
                    let operands = rest.iter().map(|(_, operand)| operand);
                    for operand in std::iter::once(&**first).chain(operands) {
                        if let Expr::Metric { metric, .. } = operand {
                            self.compared.entry(*metric).or_insert(loc);
                        }
                    }
                }
                Expr::Metric {
                    metric,
                    scope: Scope::Canary | Scope::Stable,
                } => {
                    self.narrowed.entry(*metric).or_insert(loc);
                }
                _ => {}
            });
        }
    }
}

fn query(plan: &Plan, metric: &Metric) -> Option<Query> {
    let MetricSource::Query {
        provider, query, ..
    } = &metric.source
    else {
        return None;
    };
    parse_query(query, pod_label(plan, provider)).ok()
}

fn pod_label<'a>(plan: &'a Plan, provider: &str) -> &'a str {
    let settings = plan.provider(provider).map(|provider| &provider.settings);
    match settings.and_then(|settings| settings.get("pod")) {
        Some(Setting::Value(Value::String(label))) => label,
        _ => "pod",
    }
}

fn several(places: &Places, metric: &Metric, labels: &[String], loc: LocId) -> Diagnostic {
    let labels: BTreeSet<&str> = labels.iter().map(String::as_str).collect();
    let labels: Vec<&str> = labels.into_iter().collect();
    let message = format!(
        "`{}` has a value for each `{}`, and is compared as one",
        metric.name,
        labels.join(", ")
    );
    Diagnostic::new(&SEVERAL_SERIES, places.span(loc), message)
        .and(places.span(metric.loc), "its query keeps these labels")
        .help("say how they count: `max`, `min`, `sum`, `avg`, `any` or `all` before it")
        .note("several values where one is compared are an error of the check when it is judged")
}

fn recorded(plan: &Plan, places: &Places, metric: &Metric, series: &str, loc: LocId) -> Diagnostic {
    let provider = match &metric.source {
        MetricSource::Query { provider, .. } => provider.as_str(),
        MetricSource::Derived(_) => "",
    };
    let label = pod_label(plan, provider);
    let message = format!("`{}` may have no data for one revision", metric.name);
    Diagnostic::new(&RECORDED_SERIES, places.span(loc), message)
        .and(
            places.span(metric.loc),
            format!("`{series}` is recorded, and its name does not promise the label `{label}`"),
        )
        .help(format!(
            "write out what is recorded, or record it with `{label}` under a name such as `job_{label}:…`"
        ))
}

#[cfg(test)]
mod tests {
    use crate::analyze::lints::series::check;
    use crate::analyze::places::Places;
    use crate::plan::MetricSource;
    use crate::plan::draft::{Draft, compare, metric, ratio};
    use crate::plan::expr::{Expr, Scope};
    use crate::plan::node::CheckMode;
    use crate::syntax::ast::{Aggregate, CompareOp};
    use crate::units::Dim;

    fn with(text: &str, operand: Expr) -> Vec<&'static str> {
        let mut draft = Draft::blank();
        draft.metric("errors", Dim::Ratio);
        if let MetricSource::Query { query, .. } = &mut draft.plan.metrics[0].source {
            *query = text.to_owned();
        }
        let phase = draft.phase("verify");
        let below = compare(operand, CompareOp::Lt, ratio(1));
        draft.check_of(phase, "check", CheckMode::Once, below);
        let found = check(&draft.plan, &Places::default()).into_iter();
        found.map(|found| found.code.name).collect()
    }

    #[test]
    fn several_series_need_a_word_that_says_how_they_count() {
        let one = || metric(0, Scope::None);
        assert_eq!(with("sum(rate(e[1m]))", one()), Vec::<&str>::new());
        assert_eq!(
            with("sum by (path) (rate(e[1m]))", one()),
            ["several-series"]
        );
        let max = Expr::Aggregate(Aggregate::Max, Box::new(one()));
        assert_eq!(with("sum by (path) (rate(e[1m]))", max), Vec::<&str>::new());
        // What is not known is not claimed.
        assert_eq!(with("rate(e[1m])", one()), Vec::<&str>::new());
    }

    #[test]
    fn a_recorded_series_may_have_lost_its_pods() {
        let narrowed = || metric(0, Scope::Canary);
        assert_eq!(with("job:errors:rate1m", narrowed()), ["recorded-series"]);
        assert_eq!(
            with("job_pod:errors:rate1m", narrowed()),
            Vec::<&str>::new()
        );
        assert_eq!(
            with("job:errors:rate1m", metric(0, Scope::All)),
            Vec::<&str>::new()
        );
    }
}
