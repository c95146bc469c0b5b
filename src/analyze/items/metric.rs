//! `metric NAME: DIMENSION = QUERY in UNIT [absent as V] [lower is better]`, or arithmetic over other metrics.

use crate::analyze::context::{Cx, Globals, MetricInfo, MetricQuery};
use crate::analyze::env::{Env, Role};
use crate::analyze::expr;
use crate::analyze::expr::{coerce, json, node};
use crate::analyze::messages::{numbers, typing as say};
use crate::analyze::promql;
use crate::analyze::promql::report;
use crate::analyze::types;
use crate::plan::expr::Expr;
use crate::plan::{Direction, Metric, MetricSource};
use crate::providers::prometheus;
use crate::resolve::names::{Decl, DeclId, What};
use crate::syntax::ast;
use crate::syntax::ast::{Arg, Better, ExprKind, Ident, StringPart};
use crate::units::Dim;
use crate::values::{Type, Value};

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
    }
}

/// The metric, and what narrowing it needs to know. `None` has been reported.
pub fn metric(
    cx: &mut Cx<'_, '_>,
    metric: &ast::Metric,
    index: u32,
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
        None => derived(cx, metric, value, unit, dim, &mut info),
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

/// Metrics that are made of themselves; without this, narrowing them would never end.
pub fn circular(g: &Globals<'_>) -> Vec<DeclId> {
    let mut found: Vec<DeclId> = g
        .metrics
        .keys()
        .filter(|id| leads_to(g, **id, **id, &mut Vec::new()))
        .copied()
        .collect();
    found.sort();
    found
}

fn leads_to(g: &Globals<'_>, from: DeclId, to: DeclId, seen: &mut Vec<DeclId>) -> bool {
    let Some(info) = g.metrics.get(&from) else {
        return false;
    };
    info.parts.iter().any(|part| {
        if *part == to {
            return true;
        }
        if seen.contains(part) {
            return false;
        }
        seen.push(*part);
        leads_to(g, *part, to, seen)
    })
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

fn derived(
    cx: &mut Cx<'_, '_>,
    metric: &ast::Metric,
    value: &ast::Expr,
    unit: Option<&Ident>,
    dim: Dim,
    info: &mut MetricInfo,
) -> Option<MetricSource> {
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
    let mut parts = Vec::new();
    if !arithmetic_of_metrics(&typed.expr, &mut parts) || parts.is_empty() {
        cx.report(say::metric_of_no_metrics(value.span));
        return None;
    }
    let ids =
        cx.g.metrics
            .iter()
            .filter(|(_, known)| parts.contains(&known.index));
    info.parts = ids.map(|(id, _)| *id).collect();
    info.parts.sort();
    Some(MetricSource::Derived(typed.expr))
}

/// Whether nothing but metrics and constants is in it.
fn arithmetic_of_metrics(expr: &Expr, parts: &mut Vec<u32>) -> bool {
    match expr {
        Expr::Metric { metric, .. } => {
            parts.push(*metric);
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
