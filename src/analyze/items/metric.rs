//! `metric NAME: DIMENSION = QUERY in UNIT [absent as V] [lower is better]`, or arithmetic over other metrics.

use crate::analyze::context::{Cx, MetricInfo, MetricQuery};
use crate::analyze::env::{Env, Role};
use crate::analyze::expr;
use crate::analyze::expr::{coerce, json, node};
use crate::analyze::extent;
use crate::analyze::messages::{numbers, typing as say};
use crate::analyze::promql;
use crate::analyze::promql::report;
use crate::analyze::types;
use crate::plan::expr::Expr;
use crate::plan::graph::knots::knots;
use crate::plan::{Direction, Metric, MetricSource};
use crate::providers::prometheus;
use crate::resolve::names::{Decl, DeclId, What};
use crate::syntax::ast;
use crate::syntax::ast::{Arg, Better, ExprKind, Ident, StringPart};
use crate::syntax::scan::DEPTH_MAX;
use crate::units::Dim;
use crate::values::{Type, Value};
use std::collections::{BTreeSet, HashMap};

/// What uses of a metric need before its own text is read.
pub fn signature(metric: &ast::Metric, index: u32) -> MetricInfo {
    let dim = match types::read_quietly(&metric.ty) {
        Type::Quantity(dim) => Some(dim),
        _ => None,
    };
    MetricInfo {
        index,
        dim,
        query: None,
        parts: Vec::new(),
        depth: 0,
        not_narrowed: None,
    }
}

/// The metric, and what narrowing it needs to know. `None` has been reported. `declared`: all metrics, in their order.
pub fn metric(
    cx: &mut Cx<'_, '_>,
    metric: &ast::Metric,
    index: u32,
    declared: &[DeclId],
) -> (Option<Metric>, MetricInfo) {
    let mut info = signature(metric, index);
    let ty = types::read(cx, &metric.ty);
    let Some(dim) = info.dim else {
        if ty != Type::Unknown {
            cx.report(say::metric_of_no_quantity(metric.ty.span, &ty));
        }
        return (None, info);
    };
    let (value, unit) = match &expr::bare(&metric.value).kind {
        ExprKind::In(inner, unit) => (expr::bare(inner), Some(unit)),
        _ => (expr::bare(&metric.value), metric.unit.as_ref()),
    };
    let source = match query_call(cx, value) {
        Some(call) => query(cx, metric, &call, unit, dim, &mut info),
        None => {
            let derived = derived(cx, metric, value, unit, dim);
            derived.map(|Derived { expr, parts }| {
                let ids = parts.iter().filter_map(|part| declared.get(*part as usize));
                info.parts = ids.copied().collect();
                info.depth = extent::levels(&expr);
                MetricSource::Derived(expr)
            })
        }
    };
    let lowered = source.map(|source| Metric {
        name: metric.name.name.clone(),
        dim,
        better: metric.better.map(|(better, _)| match better {
            Better::Lower => Direction::Lower,
            Better::Higher => Direction::Higher,
        }),
        source,
        loc: cx.loc(metric.name.span),
    });
    (lowered, info)
}

/// Of metrics of metrics, what cannot be reckoned.
#[derive(Default)]
pub struct Endless {
    /// Those that lead back to themselves.
    pub circular: Vec<DeclId>,
    /// The first on their way that stand on too many levels.
    pub too_deep: Vec<DeclId>,
}

/// Each metric takes over what is known of those that it is made of.
pub fn inherit(metrics: &mut HashMap<DeclId, MetricInfo>) -> Endless {
    let made_of = metrics.iter().map(|(id, info)| (*id, &*info.parts));
    let mut endless = Endless::default();
    // What others are made of comes first.
    for knot in knots(made_of) {
        match knot[..] {
            [id] if !is_made_of(metrics, id, id) => {
                if !inherit_one(metrics, id) {
                    endless.too_deep.push(id);
                }
            }
            _ => endless.circular.extend(knot),
        }
    }
    endless.circular.sort();
    endless.too_deep.sort();
    endless
}

fn is_made_of(metrics: &HashMap<DeclId, MetricInfo>, id: DeclId, part: DeclId) -> bool {
    let info = metrics.get(&id);
    info.is_some_and(|info| info.parts.contains(&part))
}

/// Whether it stands on few enough levels.
fn inherit_one(metrics: &mut HashMap<DeclId, MetricInfo>, id: DeclId) -> bool {
    let Some(info) = metrics.get(&id) else {
        return true;
    };
    let parts = || info.parts.iter().filter_map(|part| metrics.get(part));
    let below = parts().map(|part| part.depth).max().unwrap_or(0);
    let not_narrowed = match info.is_narrowed() {
        true => parts().find_map(|part| part.not_narrowed),
        false => Some(id),
    };
    let depth = info.depth + below;
    let fits = depth <= DEPTH_MAX;
    if let Some(info) = metrics.get_mut(&id) {
        info.not_narrowed = not_narrowed;
        info.depth = if fits { depth } else { 0 };
    }
    fits
}

/// A call of a provider's `query`.
struct QueryCall<'a, 'c> {
    provider: Decl<'a>,
    args: &'c [Arg],
    call: &'c ast::Expr,
}

fn query_call<'a, 'c>(cx: &mut Cx<'_, 'a>, value: &'c ast::Expr) -> Option<QueryCall<'a, 'c>> {
    let ExprKind::Call(callee, args) = &value.kind else {
        return None;
    };
    let ExprKind::Field(base, function) = &callee.kind else {
        return None;
    };
    let ExprKind::Name(name) = &base.kind else {
        return None;
    };
    let provider = cx.g.names.find(name)?.clone();
    let kind = node::kind_of(&provider)?;
    if function.name != prometheus::QUERY || kind.function(prometheus::QUERY).is_none() {
        return None;
    }
    cx.out.used.insert(provider.id);
    Some(QueryCall {
        provider,
        args,
        call: value,
    })
}

fn query(
    cx: &mut Cx<'_, '_>,
    metric: &ast::Metric,
    call: &QueryCall<'_, '_>,
    unit: Option<&Ident>,
    dim: Dim,
    info: &mut MetricInfo,
) -> Option<MetricSource> {
    let scale = match unit {
        Some(unit) => json::unit_scale(cx, dim, unit),
        None if dim == Dim::Count => Some((1, 1)),
        None => {
            cx.report(numbers::raw_number_needs_unit(call.call.span, dim));
            None
        }
    };
    let absent = metric.absent.as_ref();
    let absent = absent.map(|absent| absent_value(cx, absent, dim));
    let (text, literal) = query_text(cx, call)?;
    let label = pod_label(&call.provider);
    let query = match promql::parse_query(&text, &label) {
        Ok(query) => query,
        Err(error) => {
            cx.report(report::query_error(&error, literal));
            return None;
        }
    };
    if let Some(doubt) = report::query_doubt(&query, literal) {
        cx.report(doubt);
    }
    if let Some(written) = &metric.absent
        && query.has_division
    {
        cx.report(say::absent_of_quotient(written.span, literal));
    }
    info.query = Some(MetricQuery {
        query: query.clone(),
        literal,
    });
    let (numerator, denominator) = scale?;
    Some(MetricSource::Query {
        provider: call.provider.name.to_owned(),
        query: query.text,
        scoped: query.scoped.ok(),
        scale_numerator: numerator,
        scale_denominator: denominator,
        absent: match absent {
            Some(value) => Some(value?),
            None => None,
        },
        lookback_ns: query.lookback_ns,
    })
}

/// The one argument: a text, written out.
fn query_text(
    cx: &mut Cx<'_, '_>,
    call: &QueryCall<'_, '_>,
) -> Option<(String, crate::source::Span)> {
    let [Arg { label: None, value }] = call.args else {
        cx.report(say::query_takes_a_text(call.call.span));
        return None;
    };
    let typed = expr::check(cx, &Env::default(), value, &Type::String);
    match typed.value() {
        Some(Value::String(text)) => Some((text.clone(), value.span)),
        _ if typed.is_unknown() => None,
        _ => {
            cx.report(say::constant_needed(value.span, "a query"));
            None
        }
    }
}

/// The label that names a pod, as the provider says.
fn pod_label(provider: &Decl<'_>) -> String {
    let What::Provider(item) = provider.what else {
        return "pod".to_owned();
    };
    let setting = item.settings.iter().find(|entry| entry.key.name == "pod");
    match setting.map(|entry| &entry.value.kind) {
        Some(ExprKind::String(string)) => match string.parts.as_slice() {
            [StringPart::Text(label)] => label.clone(),
            _ => "pod".to_owned(),
        },
        _ => "pod".to_owned(),
    }
}

fn absent_value(cx: &mut Cx<'_, '_>, absent: &ast::Expr, dim: Dim) -> Option<Value> {
    let typed = expr::check(cx, &Env::default(), absent, &Type::Quantity(dim));
    match typed.value() {
        Some(value) => Some(value.clone()),
        None if typed.is_unknown() => None,
        None => {
            cx.report(say::constant_needed(absent.span, "what no data means"));
            None
        }
    }
}

/// Arithmetic, and the metrics in it.
struct Derived {
    expr: Expr,
    parts: BTreeSet<u32>,
}

fn derived(
    cx: &mut Cx<'_, '_>,
    metric: &ast::Metric,
    value: &ast::Expr,
    unit: Option<&Ident>,
    dim: Dim,
) -> Option<Derived> {
    if let Some(unit) = unit {
        cx.report(numbers::unit_of_what(unit));
    }
    if let Some(absent) = &metric.absent {
        cx.report(say::absent_of_arithmetic(absent.span));
    }
    let mut env = Env::default();
    env.place.role = Role::Metric;
    let typed = expr::infer(cx, &env, value);
    let typed = coerce::coerce(cx, typed, value, &Type::Quantity(dim));
    if typed.is_unknown() {
        return None;
    }
    let mut parts = BTreeSet::new();
    if !arithmetic_of_metrics(&typed.expr, &mut parts) || parts.is_empty() {
        cx.report(say::metric_of_no_metrics(value.span));
        return None;
    }
    Some(Derived {
        expr: typed.expr,
        parts,
    })
}

/// Whether nothing but metrics and constants is in it.
fn arithmetic_of_metrics(expr: &Expr, parts: &mut BTreeSet<u32>) -> bool {
    match expr {
        Expr::Metric { metric, .. } => {
            parts.insert(*metric);
            true
        }
        Expr::Literal(_) => true,
        Expr::Negate(inner) | Expr::Aggregate(_, inner) => arithmetic_of_metrics(inner, parts),
        Expr::Binary(left, _, right) => {
            arithmetic_of_metrics(left, parts) && arithmetic_of_metrics(right, parts)
        }
        _ => false,
    }
}
