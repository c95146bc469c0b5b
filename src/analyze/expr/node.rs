//! What an item of the plan leaves behind: `release.image`, `release.before.image`, `rollout.took`.

use crate::analyze::context::{Cx, Globals, unlinked_node};
use crate::analyze::env::Env;
use crate::analyze::expr::call;
use crate::analyze::messages::typing as say;
use crate::analyze::typed::{FrozenWhy, Reads, Typed};
use crate::plan::expr::{Datum, Expr};
use crate::providers::{Function, ProviderKind, catalog};
use crate::resolve::names::{Decl, DeclId, What};
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::{ExprKind, Ident};
use crate::units::Dim;
use crate::values::{Freshness, Type, Value};

/// What every item has.
const OF_EACH: &[&str] = &["started", "ended", "took", "verdict"];

pub fn datum(cx: &mut Cx<'_, '_>, env: &Env, decl: &Decl<'_>, field: &Ident, span: Span) -> Typed {
    let typed = of_item(cx, decl, field, span);
    let same_round = env.every.is_some_and(|every| {
        every.file == decl.span.file && every.start <= decl.span.start && decl.span.end <= every.end
    });
    match typed.reads.frozen {
        Some(_) if same_round => Typed {
            reads: Reads::live(span),
            ..typed
        },
        _ => typed,
    }
}

fn of_item(cx: &mut Cx<'_, '_>, decl: &Decl<'_>, field: &Ident, span: Span) -> Typed {
    let function = step_function(cx.g, decl).map(|(_, function)| function);
    let result = function.map(|function| &function.result);
    if let Some(typed) = result_field(cx, decl, result, field, span) {
        return typed;
    }
    let (datum, ty) = match field.name.as_str() {
        "started" => (Datum::Started, Type::Instant),
        "ended" => (Datum::Ended, Type::Instant),
        "took" => (Datum::Took, Type::Quantity(Dim::Duration)),
        "verdict" => (Datum::Verdict, Type::Verdict),
        "before" if matches!(decl.what, What::Step(_)) => {
            match function.map(|function| function.before.clone()) {
                Some(Some(ty)) => (Datum::Before, ty),
                Some(None) => {
                    cx.report(say::nothing_before(field, decl));
                    return Typed::unknown(span);
                }
                None => return Typed::unknown(span),
            }
        }
        _ => {
            unknown_datum(cx, decl, function, field);
            return Typed::unknown(span);
        }
    };
    fixed(node(decl.id, datum), ty, decl, span)
}

/// The provider and the function that a step calls, when its call can be read at all.
pub fn step_function<'a>(
    g: &Globals<'a>,
    decl: &Decl<'a>,
) -> Option<(Decl<'a>, &'static Function)> {
    let What::Step(step) = decl.what else {
        return None;
    };
    let (provider, name) = callee(&step.call)?;
    let provider = g.names.find(provider)?.clone();
    let function = kind_of(&provider)?.function(name)?;
    Some((provider, function))
}

/// `cluster` and `apply` of `cluster.apply(…)`.
fn callee(call: &ast::Expr) -> Option<(&str, &str)> {
    let callee = match &call.kind {
        ExprKind::Call(callee, _) => callee,
        _ => call,
    };
    let ExprKind::Field(base, function) = &callee.kind else {
        return None;
    };
    match &base.kind {
        ExprKind::Name(provider) => Some((provider, &function.name)),
        _ => None,
    }
}

pub fn kind_of(provider: &Decl<'_>) -> Option<&'static ProviderKind> {
    match provider.what {
        What::Provider(item) => catalog::find(&item.kind.name),
        _ => None,
    }
}

pub fn node(decl: DeclId, datum: Datum) -> Expr {
    Expr::Node {
        node: unlinked_node(decl),
        datum,
    }
}

/// A field of what a step's call returned.
fn result_field(
    cx: &mut Cx<'_, '_>,
    decl: &Decl<'_>,
    result: Option<&Type>,
    field: &Ident,
    span: Span,
) -> Option<Typed> {
    let Some(Type::Record(record)) = result else {
        return None;
    };
    let known = record
        .fields
        .iter()
        .find(|known| known.name == field.name)?;
    if known.freshness == Freshness::Live
        && let Type::Record(_) = known.ty
    {
        let (provider, _) = step_function(cx.g, decl)?;
        let scope = Value::String("release".to_owned());
        return call::revision_pods(cx, &provider, decl.id, scope, span);
    }
    let result = node(decl.id, Datum::Result);
    let expr = Expr::Field(Box::new(result), field.name.clone());
    Some(fixed(expr, known.ty.clone(), decl, span))
}

fn fixed(expr: Expr, ty: Type, decl: &Decl<'_>, span: Span) -> Typed {
    let why = FrozenWhy::Result(decl.name.to_owned());
    Typed::new(expr, ty, Reads::frozen(span, why), span)
}

fn unknown_datum(cx: &mut Cx<'_, '_>, decl: &Decl<'_>, function: Option<&Function>, field: &Ident) {
    if function.is_none() && matches!(decl.what, What::Step(_)) {
        // The call itself has a diagnostic.
        return;
    }
    let mut known: Vec<&str> = match function.map(|function| &function.result) {
        Some(Type::Record(record)) => record.fields.iter().map(|field| field.name).collect(),
        _ => Vec::new(),
    };
    if function.is_some_and(|function| function.before.is_some()) {
        known.push("before");
    }
    for name in OF_EACH {
        if !known.contains(name) {
            known.push(name);
        }
    }
    cx.report(say::unknown_member(field, decl.name, &known));
}
