//! Before a run begins: whether its providers will let it do what its plan asks of them. A rollout that stops in the
//! middle for want of a right would be worse than none.

use crate::effects::registry::{Problem, Providers};
use crate::plan::expr::Expr;
use crate::plan::node::{Node, NodeKind};
use crate::plan::{MetricSource, Plan, walk};
use crate::providers::OF_A_CANARY;
use std::collections::{BTreeMap, BTreeSet};

/// The functions of each provider that a plan calls, by the provider's name.
type Functions<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Asks every provider, and says everything that is in the way.
pub async fn admit(plan: &Plan, providers: &Providers) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    for (name, functions) in functions(plan) {
        let (Some(provider), Some(declared)) = (providers.get(name), plan.provider(name)) else {
            continue;
        };
        let functions: Vec<&str> = functions.into_iter().collect();
        if let Err(failure) = provider.admit(&functions).await {
            problems.push(Problem {
                provider: name.to_owned(),
                message: failure.message,
                loc: declared.loc,
            });
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems),
    }
}

fn functions(plan: &Plan) -> Functions<'_> {
    let mut found = Functions::new();
    for node in &plan.nodes {
        of_node(node, &mut found);
        of_exprs(walk::of_node(node), &mut found);
    }
    for watch in &plan.watches {
        of_exprs(walk::of_watch(watch), &mut found);
    }
    of_exprs(plan.lets.iter().map(|one| &one.value), &mut found);
    let derived = plan
        .metrics
        .iter()
        .filter_map(|metric| match &metric.source {
            MetricSource::Derived(expr) => Some(expr),
            MetricSource::Query { .. } => None,
        });
    of_exprs(derived, &mut found);
    found
}

fn of_node<'a>(node: &'a Node, found: &mut Functions<'a>) {
    for call in walk::changes_of(node) {
        let functions = found.entry(&call.provider).or_default();
        functions.insert(&call.function);
    }
    if let NodeKind::Canary(canary) = &node.kind {
        let functions = found.entry(&canary.provider).or_default();
        functions.extend(OF_A_CANARY);
    }
}

fn of_exprs<'a>(exprs: impl IntoIterator<Item = &'a Expr>, found: &mut Functions<'a>) {
    for expr in exprs {
        walk::each(expr, &mut |part| {
            if let Expr::Call(call) = part {
                let functions = found.entry(&call.provider).or_default();
                functions.insert(&call.function);
            }
        });
    }
}
