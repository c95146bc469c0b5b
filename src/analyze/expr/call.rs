//! Calls of provider functions: what is declared decides what may be called where.

use crate::analyze::context::{Cx, unlinked_node};
use crate::analyze::env::{Env, Role};
use crate::analyze::expr;
use crate::analyze::expr::{args, json, node};
use crate::analyze::messages::{calls, structure};
use crate::analyze::typed::{Reads, Typed};
use crate::plan::expr::{CallExpr, Datum, Expr};
use crate::providers::{Effect, Function, REVISION_PODS, prometheus};
use crate::resolve::messages;
use crate::resolve::names::{Decl, DeclId, What};
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::{Arg, ExprKind, Ident};
use crate::values::Value;

pub fn call(cx: &mut Cx<'_, '_>, env: &Env, callee: &ast::Expr, args: &[Arg], span: Span) -> Typed {
    match &callee.kind {
        ExprKind::Field(base, function) => {
            if let Some(provider) = provider_of(cx, env, base) {
                return provider_call(cx, env, &provider, function, args, span);
            }
            let base = match json_of_step(cx, env, base, function) {
                Some(json) => json,
                None => expr::infer(cx, env, base),
            };
            if base.is_unknown() {
                return Typed::unknown(span);
            }
            match json::json_of(&base) {
                Some(found) if function.name == "json" => {
                    json::at_path(cx, env, &base, found, args, span)
                }
                _ => {
                    cx.report(calls::not_callable(callee.span, &format!("a {}", base.ty)));
                    Typed::unknown(span)
                }
            }
        }
        ExprKind::Name(name) => {
            let decl = cx.g.names.find(name).cloned();
            let found = match decl {
                Some(decl) if matches!(decl.what, What::Define(_)) => {
                    cx.out.used.insert(decl.id);
                    calls::define_is_a_statement(callee.span, name)
                }
                Some(decl) => calls::not_callable(callee.span, decl.what.noun()),
                None => {
                    let near = cx.g.names.nearest(name, is_callable).map(|decl| decl.name);
                    let ident = Ident {
                        name: name.clone(),
                        span: callee.span,
                    };
                    messages::unknown_name(&ident, "name", near)
                }
            };
            cx.report(found);
            Typed::unknown(span)
        }
        _ => {
            cx.report(calls::not_callable(callee.span, "a value"));
            Typed::unknown(span)
        }
    }
}

/// `backup.json("$.size")` of a step whose result has some.
fn json_of_step(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    base: &ast::Expr,
    function: &Ident,
) -> Option<Typed> {
    let ExprKind::Name(name) = &base.kind else {
        return None;
    };
    if function.name != "json" || env.lookup(name, base.span).is_some() {
        return None;
    }
    let decl = cx.g.names.find(name)?.clone();
    if !matches!(decl.what, What::Step(_)) {
        return None;
    }
    cx.out.used.insert(decl.id);
    Some(node::datum(cx, env, &decl, function, base.span))
}

/// A call in an expression: only what changes nothing may stand there.
pub fn provider_call(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    provider: &Decl<'_>,
    name: &Ident,
    args: &[Arg],
    span: Span,
) -> Typed {
    let Some(function) = function(cx, provider, name) else {
        return Typed::unknown(span);
    };
    if function.effect != Effect::Read {
        cx.report(calls::effect_misplaced(function, provider.name, span));
        return Typed::unknown(span);
    }
    if function.name == prometheus::QUERY && env.place.role != Role::Metric {
        cx.report(calls::query_outside_of_metric(span));
        return Typed::unknown(span);
    }
    let Some((call, reads)) = bind(cx, env, provider, function, args, span) else {
        return Typed::unknown(span);
    };
    let reads = Reads::live(span).and(reads);
    Typed::new(Expr::Call(call), function.result.clone(), reads, span)
}

/// What a step does.
pub struct Change<'a> {
    pub call: CallExpr,
    pub function: &'static Function,
    pub provider: Decl<'a>,
}

/// The call of a step or of an undo: it has to change something. `None` has been reported.
pub fn change<'a>(cx: &mut Cx<'_, 'a>, env: &Env, written: &ast::Expr) -> Option<Change<'a>> {
    let written = expr::bare(written);
    let (callee, args): (&ast::Expr, &[Arg]) = match &written.kind {
        ExprKind::Call(callee, args) => (callee, args),
        _ => (written, &[]),
    };
    let ExprKind::Field(base, name) = &callee.kind else {
        if written.kind != ExprKind::Junk {
            cx.report(structure::not_a_change(written.span));
        }
        return None;
    };
    let Some(provider) = provider_of(cx, env, base) else {
        if !unknown_provider(cx, env, base) {
            cx.report(structure::not_a_change(written.span));
        }
        return None;
    };
    let function = function(cx, &provider, name)?;
    if !matches!(function.effect, Effect::Write | Effect::Run) {
        cx.report(calls::step_changes_nothing(
            function,
            provider.name,
            written.span,
        ));
        return None;
    }
    let (call, _) = bind(cx, env, &provider, function, args, written.span)?;
    Some(Change {
        call,
        function,
        provider,
    })
}

/// `revision_pods(release, scope)`, which every provider has that can carry a canary.
pub fn revision_pods(
    cx: &mut Cx<'_, '_>,
    provider: &Decl<'_>,
    step: DeclId,
    scope: Value,
    span: Span,
) -> Option<Typed> {
    let function = node::kind_of(provider)?.function(REVISION_PODS)?;
    let release = Expr::Node {
        node: unlinked_node(step),
        datum: Datum::Result,
    };
    let call = CallExpr {
        provider: provider.name.to_owned(),
        function: function.name.to_owned(),
        args: vec![
            ("release".to_owned(), release),
            ("scope".to_owned(), Expr::Literal(scope)),
        ],
        loc: cx.loc(span),
    };
    cx.out.used.insert(step);
    let result = function.result.clone();
    Some(Typed::new(
        Expr::Call(call),
        result,
        Reads::live(span),
        span,
    ))
}

fn bind(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    provider: &Decl<'_>,
    function: &'static Function,
    args: &[Arg],
    span: Span,
) -> Option<(CallExpr, Reads)> {
    let (args, reads) = args::bind(cx, env, provider.name, function, args, span)?;
    let call = CallExpr {
        provider: provider.name.to_owned(),
        function: function.name.to_owned(),
        args,
        loc: cx.loc(span),
    };
    Some((call, reads))
}

fn provider_of<'a>(cx: &mut Cx<'_, 'a>, env: &Env, base: &ast::Expr) -> Option<Decl<'a>> {
    let ExprKind::Name(name) = &base.kind else {
        return None;
    };
    if env.lookup(name, base.span).is_some() {
        return None;
    }
    let decl = cx.g.names.find(name)?.clone();
    matches!(decl.what, What::Provider(_)).then_some(decl)
}

/// Says so when a name is declared nowhere.
fn unknown_provider(cx: &mut Cx<'_, '_>, env: &Env, base: &ast::Expr) -> bool {
    let ExprKind::Name(name) = &base.kind else {
        return false;
    };
    if env.lookup(name, base.span).is_some() || cx.g.names.find(name).is_some() {
        return false;
    }
    let is_provider = |what: &What<'_>| matches!(what, What::Provider(_));
    let near = cx.g.names.nearest(name, is_provider).map(|decl| decl.name);
    let ident = Ident {
        name: name.clone(),
        span: base.span,
    };
    cx.report(messages::unknown_name(&ident, "provider", near));
    true
}

/// The declared function; a provider of unknown kind has its diagnostic where it is declared.
fn function(cx: &mut Cx<'_, '_>, provider: &Decl<'_>, name: &Ident) -> Option<&'static Function> {
    cx.out.used.insert(provider.id);
    let kind = node::kind_of(provider)?;
    let function = kind.function(&name.name);
    if function.is_none() {
        cx.report(calls::unknown_function(name, provider.name, kind));
    }
    function
}

fn is_callable(what: &What<'_>) -> bool {
    matches!(what, What::Define(_) | What::Provider(_))
}
