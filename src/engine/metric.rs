//! Metrics: the one door from raw numbers to quantities, and what several series, nothing and a scope mean.

use crate::engine::eval::{Evaluated, Evaluator, Trouble, field};
use crate::engine::question::Wanted;
use crate::engine::state::{Life, State, Work};
use crate::plan::expr::{CallExpr, Expr, Scope, Stmt};
use crate::plan::node::{Canary, NodeId, NodeKind};
use crate::plan::walk as plan_walk;
use crate::plan::{Metric, MetricSource, Plan, SCOPE_PLACEHOLDER};
use crate::providers::catalog;
use crate::providers::request::Call;
use crate::syntax::ast::BinaryOp;
use crate::units::amount::Quantity;
use crate::units::{Dim, Per};
use crate::values::Value;
use std::borrow::Cow;

/// One value. Several series have none: the plan has to say how they are combined.
pub fn scalar<'p>(eval: &mut Evaluator<'p, '_>, index: u32, scope: &'p Scope) -> Evaluated {
    let metric = of_plan(eval.plan, index)?;
    if let MetricSource::Derived(expr) = &metric.source {
        return derived(eval, index, expr, scope);
    }
    match rows(eval, index, scope)? {
        [] => Ok(stand_in(&metric.source).cloned().unwrap_or(Value::Absent)),
        [row] => scaled(row, metric),
        several => Err(Trouble::Wrong(format!(
            "`{}` gives {} series: say how to combine them (`any`, `all`, `max`, `min`, `sum`, `avg`, `count`)",
            metric.name,
            several.len()
        ))),
    }
}

/// All series, in the metric's unit. An empty answer is what the metric says it is, else no data.
pub fn series<'p>(
    eval: &mut Evaluator<'p, '_>,
    index: u32,
    scope: &'p Scope,
) -> Result<Vec<Value>, Trouble> {
    let metric = of_plan(eval.plan, index)?;
    if let MetricSource::Derived(_) = metric.source {
        return scalar(eval, index, scope).map(|value| vec![value]);
    }
    match rows(eval, index, scope)? {
        [] => Ok(stand_in(&metric.source).cloned().into_iter().collect()),
        rows => rows.iter().map(|row| scaled(row, metric)).collect(),
    }
}

/// As they were answered.
fn rows<'s>(
    eval: &mut Evaluator<'_, 's>,
    index: u32,
    scope: &Scope,
) -> Result<&'s [Value], Trouble> {
    let wanted = wanted(eval, index, scope)?;
    match eval.read(&wanted)? {
        Value::List(rows) => Ok(rows),
        _ => Err(Trouble::Wrong("the answer is no list of series".to_owned())),
    }
}

/// Whether what the expression asks is there to be asked: `canary.` and `stable.` from the first weight that was
/// achieved until the canary ends, `all.` from the release on.
pub fn in_range(plan: &Plan, state: &State, canary: Option<NodeId>, scopes: &Scopes) -> bool {
    if scopes.all && canary.is_some_and(|id| release_of(plan, state, id).is_none()) {
        return false;
    }
    if !scopes.revision {
        return true;
    }
    let Some((id, node)) = canary.and_then(|id| Some((id, plan.node(id)?))) else {
        return false;
    };
    let life = state.nodes.get(id.0 as usize).map(|node| node.life);
    let holds = |stage: &NodeId| {
        let stage = state.nodes.get(stage.0 as usize);
        stage.is_some_and(|stage| {
            let holds = matches!(&stage.work, Work::Stage(work) if work.holds());
            holds || stage.life == Life::Ended
        })
    };
    life == Some(Life::Running) && node.children.iter().any(holds)
}

/// Which scopes an expression uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    /// `canary.` or `stable.`
    pub revision: bool,
    pub all: bool,
}

pub fn scopes_of(plan: &Plan, expr: &Expr) -> Scopes {
    let reads = plan_walk::reads(plan, [expr]);
    let metrics = reads.metrics.iter().map(|(_, scope)| scope);
    let mut found = Scopes::default();
    for scope in metrics.chain(&reads.pods) {
        match scope {
            Scope::None => {}
            Scope::Canary | Scope::Stable => found.revision = true,
            Scope::All => found.all = true,
        }
    }
    found
}

/// How far back the newest answer to any question of the body looks, in nanoseconds.
pub fn lookback_ns(plan: &Plan, body: &[Stmt]) -> i64 {
    lookback_of_ns(plan, plan_walk::of_stmts(body))
}

pub fn lookback_of_ns<'p>(plan: &'p Plan, exprs: impl IntoIterator<Item = &'p Expr>) -> i64 {
    let reads = plan_walk::reads(plan, exprs);
    let of_metric = |(metric, _): &(u32, Scope)| {
        let source = plan.metrics.get(*metric as usize).map(|m| &m.source);
        match source {
            Some(MetricSource::Query { lookback_ns, .. }) => *lookback_ns,
            _ => 0,
        }
    };
    let of_call = |call: &&CallExpr| {
        plan.provider(&call.provider)
            .and_then(|provider| catalog::find(&provider.kind))
            .and_then(|kind| kind.function(&call.function))
            .map_or(0, |function| function.lookback_ns)
    };
    let metrics = reads.metrics.iter().map(of_metric);
    metrics
        .chain(reads.calls.iter().map(of_call))
        .max()
        .unwrap_or(0)
}

/// The canary that scopes stand for at a node: the one around it, else the one that runs, else the one that began last.
pub fn canary_at(plan: &Plan, state: &State, at: Option<NodeId>) -> Option<NodeId> {
    let mut up = at;
    while let Some(node) = up.and_then(|id| plan.node(id)) {
        if matches!(node.kind, NodeKind::Canary(_)) {
            return Some(node.id);
        }
        up = node.parent;
    }
    let began = |id: &&NodeId| {
        let state = state.nodes.get(id.0 as usize);
        let running = state.is_some_and(|state| state.life == Life::Running);
        (running, state.and_then(|state| state.started))
    };
    // Among equals the first of the plan.
    state.canaries.iter().rev().max_by_key(began).copied()
}

pub fn scope_word(scope: &Scope) -> &'static str {
    match scope {
        Scope::None => "none",
        Scope::Canary => "canary",
        Scope::Stable => "stable",
        Scope::All => "all",
    }
}

fn of_plan(plan: &Plan, index: u32) -> Result<&Metric, Trouble> {
    let metric = plan.metrics.get(index as usize);
    metric.ok_or_else(|| Trouble::Wrong("there is no such metric".to_owned()))
}

fn derived<'p>(
    eval: &mut Evaluator<'p, '_>,
    index: u32,
    expr: &'p Expr,
    scope: &'p Scope,
) -> Evaluated {
    let metric = of_plan(eval.plan, index)?;
    let outer = eval.scope.clone();
    if *scope != Scope::None {
        eval.scope = scope.clone();
    }
    // Once for each scope, however often it is a part of others.
    let place = (index, scope_word(&eval.scope));
    let value = match eval.derived.get(&place) {
        Some(known) => known.clone(),
        None => {
            let value = eval.value(expr);
            eval.derived.insert(place, value.clone());
            value
        }
    };
    eval.scope = outer;
    Ok(match value? {
        Value::Quantity(quantity) => Value::Quantity(Quantity {
            dim: metric.dim,
            ..quantity
        }),
        other => other,
    })
}

/// Of a metric that is one rate of counts over another, what both counted in the time that its query looks back.
pub fn counted<'p>(
    eval: &mut Evaluator<'p, '_>,
    index: u32,
    scope: &'p Scope,
) -> Result<Option<(f64, f64)>, Trouble> {
    let MetricSource::Derived(Expr::Binary(hits, BinaryOp::Div, of)) =
        &of_plan(eval.plan, index)?.source
    else {
        return Ok(None);
    };
    let (Some(in_hits), Some(in_of)) = (window_s(eval.plan, hits), window_s(eval.plan, of)) else {
        return Ok(None);
    };
    let outer = eval.scope.clone();
    if *scope != Scope::None {
        eval.scope = scope.clone();
    }
    let (hits, of) = (eval.value(hits), eval.value(of));
    eval.scope = outer;
    let whole = |value: Value, seconds: f64| match value {
        Value::Quantity(quantity) if quantity.amount.is_finite() => {
            Some((quantity.amount.as_f64() * seconds).round())
        }
        _ => None,
    };
    Ok(whole(hits?, in_hits).zip(whole(of?, in_of)))
}

/// How many seconds a query of a rate of counts looks back; `None` of anything else.
fn window_s(plan: &Plan, expr: &Expr) -> Option<f64> {
    let Expr::Metric { metric, .. } = expr else {
        return None;
    };
    let metric = plan.metrics.get(*metric as usize)?;
    match &metric.source {
        MetricSource::Query { lookback_ns, .. }
            if metric.dim == Dim::Rate(Per::Count) && *lookback_ns > 0 =>
        {
            Some(*lookback_ns as f64 / 1e9)
        }
        _ => None,
    }
}

/// What the metric asks where it is not narrowed to a scope.
pub fn unscoped(metric: &Metric) -> Option<Call> {
    match &metric.source {
        MetricSource::Query { query, .. } => call(metric, query.clone(), &Scope::None),
        MetricSource::Derived(_) => None,
    }
}

fn wanted<'s>(
    eval: &Evaluator<'_, 's>,
    index: u32,
    scope: &Scope,
) -> Result<Cow<'s, Wanted>, Trouble> {
    let scope = match scope {
        Scope::None => &eval.scope,
        written => written,
    };
    if *scope == Scope::None
        && let Some(known) = eval.state.agenda.index.query(index)
    {
        return Ok(Cow::Borrowed(known));
    }
    let metric = of_plan(eval.plan, index)?;
    let no_query = || Trouble::Wrong("it is no query".to_owned());
    let MetricSource::Query { query, scoped, .. } = &metric.source else {
        return Err(no_query());
    };
    let text = match (scope, scoped) {
        (Scope::None, _) => query.clone(),
        (scope, Some(scoped)) => scoped.replace(SCOPE_PLACEHOLDER, &pods_regex(eval, scope)?),
        (_, None) => {
            let name = &metric.name;
            return Err(Trouble::Wrong(format!(
                "`{name}` cannot be narrowed to a scope"
            )));
        }
    };
    let call = call(metric, text, scope).ok_or_else(no_query)?;
    Ok(Cow::Owned(Wanted::new(call)))
}

fn call(metric: &Metric, query: String, scope: &Scope) -> Option<Call> {
    let MetricSource::Query { provider, .. } = &metric.source else {
        return None;
    };
    let args = [
        ("query", query),
        ("metric", metric.name.clone()),
        ("scope", scope_word(scope).to_owned()),
    ];
    let args = args
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::String(value)));
    Some(Call {
        provider: provider.clone(),
        function: "query".to_owned(),
        args: args.collect(),
    })
}

/// Known by construction: the step that released dark says it. Quoted for where it stands, inside a string of the query.
fn pods_regex(eval: &Evaluator, scope: &Scope) -> Result<String, Trouble> {
    let (_, canary) = canary_of(eval)?;
    let name = format!("{}_pods", scope_word(scope));
    match field(release(eval, canary)?, &name)? {
        Value::String(regex) => Ok(regex.replace('\\', "\\\\").replace('"', "\\\"")),
        _ => Err(Trouble::NoData(format!("`{name}` is not known"))),
    }
}

fn canary_of<'p>(eval: &Evaluator<'p, '_>) -> Result<(NodeId, &'p Canary), Trouble> {
    let found = eval.asker.canary.and_then(|id| {
        let node = eval.plan.node(id)?;
        match &node.kind {
            NodeKind::Canary(canary) => Some((id, canary)),
            _ => None,
        }
    });
    found.ok_or_else(|| Trouble::Wrong("there is no canary".to_owned()))
}

fn release(eval: &Evaluator, canary: &Canary) -> Evaluated {
    let result = step_result(eval.state, canary.step);
    result.ok_or_else(|| Trouble::NoData("nothing has been released yet".to_owned()))
}

fn release_of(plan: &Plan, state: &State, canary: NodeId) -> Option<Value> {
    match &plan.node(canary)?.kind {
        NodeKind::Canary(canary) => step_result(state, canary.step),
        _ => None,
    }
}

/// What the step's change gave.
pub fn step_result(state: &State, step: NodeId) -> Option<Value> {
    let mut writes = state.writes.values().rev();
    writes.find(|write| write.node == step)?.result.clone()
}

/// What the metric is where there is no series.
fn stand_in(source: &MetricSource) -> Option<&Value> {
    match source {
        MetricSource::Query { absent, .. } => absent.as_ref(),
        MetricSource::Derived(_) => None,
    }
}

/// First the numerator, then the denominator: `7 in %` is 0.07 to the last bit.
fn scaled(row: &Value, metric: &Metric) -> Evaluated {
    let value = match row {
        Value::Record(fields) => fields.get("value"),
        _ => None,
    };
    let (numerator, denominator) = match metric.source {
        MetricSource::Query {
            scale_numerator,
            scale_denominator,
            ..
        } => (scale_numerator as f64, scale_denominator as f64),
        MetricSource::Derived(_) => (1.0, 1.0),
    };
    match value {
        Some(Value::Quantity(raw)) => {
            let raw = raw.amount.as_f64();
            Ok(Value::measured(metric.dim, raw * numerator / denominator))
        }
        _ => Err(Trouble::Wrong(
            "a series of the answer has no value".to_owned(),
        )),
    }
}
