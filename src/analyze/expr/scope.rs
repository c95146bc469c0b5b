//! Metrics, and the scopes `canary.` `stable.` `all.` that narrow them to one revision's pods.

use crate::analyze::canary;
use crate::analyze::context::Cx;
use crate::analyze::env::{Canary, Env};
use crate::analyze::expr::{call, node};
use crate::analyze::messages::typing as say;
use crate::analyze::promql::report;
use crate::analyze::typed::{Reads, Typed};
use crate::plan::expr::{Expr, Scope};
use crate::resolve::messages;
use crate::resolve::names::{Decl, DeclId, What};
use crate::source::Span;
use crate::syntax::ast::Ident;
use crate::units::Dim;
use crate::values::{Type, Value};

pub fn of_word(word: &str) -> Option<Scope> {
    Some(match word {
        "canary" => Scope::Canary,
        "stable" => Scope::Stable,
        "all" => Scope::All,
        _ => return None,
    })
}

pub fn word(scope: &Scope) -> &'static str {
    match scope {
        Scope::None => "",
        Scope::Canary => "canary",
        Scope::Stable => "stable",
        Scope::All => "all",
    }
}

/// `canary.p95`, `canary.pods`.
pub fn scoped(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    scope: Scope,
    word_span: Span,
    field: &Ident,
    span: Span,
) -> Typed {
    let Some(step) = canary_here(cx, env, &scope, word_span) else {
        return Typed::unknown(span);
    };
    if field.name == "pods" {
        return match step {
            Some(step) => pods(cx, step, &scope, span),
            // In a threshold or a define that is read by itself.
            None => Typed::unknown(span),
        };
    }
    let Some(decl) = cx.g.names.find(&field.name).cloned() else {
        let is_metric = |what: &What<'_>| matches!(what, What::Metric(_));
        let near = cx.g.names.nearest(&field.name, is_metric);
        let near = near.map(|decl| decl.name);
        cx.report(messages::unknown_name(field, "metric", near));
        return Typed::unknown(span);
    };
    cx.out.used.insert(decl.id);
    match decl.what {
        What::Metric(_) => metric(cx, env, &decl, scope, span),
        _ => {
            cx.report(messages::wrong_kind(field, &decl, "a metric"));
            Typed::unknown(span)
        }
    }
}

/// A metric; without a scope of its own it takes that of `on canary`.
pub fn metric(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    decl: &Decl<'_>,
    written: Scope,
    span: Span,
) -> Typed {
    let Some(info) = cx.g.metrics.get(&decl.id) else {
        return Typed::unknown(span);
    };
    let Some(dim) = info.dim else {
        return Typed::unknown(span);
    };
    let scope = match (written, &env.scope) {
        (Scope::None, Some(scope)) => scope.clone(),
        (written, _) => written,
    };
    if scope == Scope::None {
        if blind(env, dim) {
            let text = cx.text(span);
            cx.report(say::scope_missing(span, &text, dim));
            return Typed::unknown(span);
        }
    } else if let Some((why, literal)) = info.not_narrowed(&cx.g.metrics) {
        let found = report::not_narrowed(why, decl.name, span, literal);
        cx.report(found);
        return Typed::unknown(span);
    }
    let expr = Expr::Metric {
        metric: info.index,
        scope,
    };
    let reads = Reads {
        live: Some(span),
        measured: Some(span),
        depth: info.depth,
        ..Reads::default()
    };
    Typed::new(expr, Type::Quantity(dim), reads, span)
}

fn blind(env: &Env, dim: Dim) -> bool {
    let running = matches!(env.place.canary, Canary::Known(_) | Canary::Beside);
    running && canary::is_blind(dim)
}

/// The step whose canary a scope means here; `None` inside when whoever uses this decides. Reports where there is none.
pub fn canary_here(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    scope: &Scope,
    span: Span,
) -> Option<Option<DeclId>> {
    match (env.place.canary, scope) {
        (Canary::Known(step), _) => Some(Some(step)),
        (Canary::Open, _) => Some(None),
        (Canary::None | Canary::Beside, Scope::All | Scope::None) => match cx.g.canaries.as_slice()
        {
            [only] => Some(Some(only.step)),
            [] => {
                cx.report(say::no_canary_in_plan(span, word(scope)));
                None
            }
            _ => {
                cx.report(say::which_canary(span, word(scope)));
                None
            }
        },
        (Canary::None | Canary::Beside, Scope::Canary | Scope::Stable) => {
            let word = word(scope);
            cx.report(match cx.g.canaries.is_empty() {
                true => say::no_canary_in_plan(span, word),
                false => say::no_canary_here(span, word),
            });
            None
        }
    }
}

/// The pods of one side, read live from the provider of the canary's step.
pub fn pods(cx: &mut Cx<'_, '_>, step: DeclId, scope: &Scope, span: Span) -> Typed {
    let Some(decl) = cx.g.names.get(step).cloned() else {
        return Typed::unknown(span);
    };
    let scope = Value::String(word(scope).to_owned());
    match node::step_function(cx.g, &decl) {
        Some((provider, _)) => call::revision_pods(cx, &provider, step, scope, span)
            .unwrap_or_else(|| Typed::unknown(span)),
        None => Typed::unknown(span),
    }
}
