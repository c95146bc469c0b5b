//! `define f(x) { … }`: its statements stand wherever it is called.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::extent;
use crate::analyze::lower::judge::Body;
use crate::analyze::lower::{Around, judge, statement};
use crate::analyze::messages::extent as say_of;
use crate::analyze::messages::structure as say;
use crate::analyze::typed::{Reads, Typed};
use crate::analyze::types;
use crate::plan::expr::Expr;
use crate::resolve::messages;
use crate::resolve::names::{Decl, What};
use crate::syntax::ast;
use crate::syntax::ast::{Arg, Block, Define, ExprKind, Ident, StmtKind};
use crate::syntax::scan::DEPTH_MAX;
use std::collections::BTreeSet;

/// A call inside of what is judged.
pub fn in_body(cx: &mut Cx<'_, '_>, env: &Env, body: &mut Body, call: &ast::Expr) {
    let Some((decl, define, args)) = called(cx, env, call) else {
        return;
    };
    let Some(args) = arguments(cx, env, define, args, call) else {
        return;
    };
    let mut own = inner_env(env, &decl);
    for (name, typed) in args {
        judge::bind(&mut own, body, &name, typed);
    }
    judge::block(cx, &own, body, &define.body);
}

/// A call among the items of a phase, a stage or an `every`: items stay items, and what is only judged is one check.
pub fn among_items(cx: &mut Cx<'_, '_>, around: &Around, call: &ast::Expr) {
    let Some((decl, define, args)) = called(cx, &around.env, call) else {
        return;
    };
    if only_judges(cx, &define.body) {
        statement::judged_call(cx, around, call);
        return;
    }
    let Some(args) = arguments(cx, &around.env, define, args, call) else {
        return;
    };
    let mut inside = Around {
        env: inner_env(&around.env, &decl),
        ..around.clone()
    };
    for (name, typed) in args {
        inside.env.bind(&name, typed);
    }
    statement::block(cx, &inside, &define.body);
}

/// The define by itself: whatever its arguments will be.
pub fn check(cx: &mut Cx<'_, '_>, define: &Define) {
    let mut env = Env::open();
    if let Some(decl) = cx.g.names.find(&define.name.name) {
        env.calls.push(decl.id);
    }
    for (index, param) in define.params.iter().enumerate() {
        let ty = types::read(cx, &param.ty);
        let twice = define
            .params
            .iter()
            .take(index)
            .find(|other| other.name.name == param.name.name);
        if let Some(first) = twice {
            cx.report(say::doubled(
                &param.name.name,
                param.name.span,
                first.name.span,
            ));
        }
        let reads = Reads::live(param.name.span);
        let opaque = parameter(index);
        env.bind(
            &param.name.name,
            Typed::new(opaque, ty, reads, param.name.span),
        );
    }
    if define.body.stmts.is_empty() {
        cx.report(say::nothing_in(
            "a define",
            define.name.span,
            "what it stands for",
        ));
    }
    if only_judges(cx, &define.body) {
        judge::block(cx, &env, &mut Body::default(), &define.body);
    }
}

/// Stands for a parameter of a define that is read by itself: more locals than these no body has.
fn parameter(index: usize) -> Expr {
    Expr::Local(u32::MAX - u32::try_from(index).unwrap_or(0).min(PARAMETERS_MAX))
}

/// Whether a local stands for a parameter of a define that is read by itself.
pub fn is_parameter(local: u32) -> bool {
    local >= u32::MAX - PARAMETERS_MAX
}

const PARAMETERS_MAX: u32 = 1 << 16;

/// Whether a block holds nothing but what is judged.
pub fn only_judges<'s>(cx: &Cx<'_, 's>, block: &'s Block) -> bool {
    let mut seen = BTreeSet::new();
    let mut left = vec![block];
    while let Some(block) = left.pop() {
        for stmt in &block.stmts {
            match &stmt.kind {
                StmtKind::Let(_) | StmtKind::Expect(_) | StmtKind::Setting(_) | StmtKind::Junk => {}
                StmtKind::When(when) => left.push(&when.body),
                StmtKind::For(each) => left.push(&each.body),
                StmtKind::Call(call) => {
                    let name = name_and_args(call).map(|(name, _)| name);
                    let decl = name.and_then(|name| cx.g.names.find(&name.name));
                    if let Some(decl) = decl
                        && let What::Define(define) = decl.what
                        && seen.insert(decl.id)
                    {
                        left.push(&define.body);
                    }
                }
                _ => return false,
            }
        }
    }
    true
}

/// The define that a call names; a wrong name, or a call that leads back to itself, is reported.
fn called<'a, 'c>(
    cx: &mut Cx<'_, 'a>,
    env: &Env,
    call: &'c ast::Expr,
) -> Option<(Decl<'a>, &'a Define, &'c [Arg])> {
    let Some((name, args)) = name_and_args(call) else {
        if call.kind != ExprKind::Junk {
            cx.report(say::not_a_statement(call.span));
        }
        return None;
    };
    let Some(decl) = cx.g.names.find(&name.name).cloned() else {
        let near =
            cx.g.names
                .nearest(&name.name, |what| matches!(what, What::Define(_)));
        let near = near.map(|decl| decl.name);
        cx.report(messages::unknown_name(&name, "define", near));
        return None;
    };
    cx.out.used.insert(decl.id);
    let What::Define(define) = decl.what else {
        cx.report(messages::wrong_kind(&name, &decl, "a define"));
        return None;
    };
    if env.calls.contains(&decl.id) {
        cx.report(messages::recursive(&name, decl.span, "define"));
        return None;
    }
    if env.depth > DEPTH_MAX {
        cx.report(say_of::called_too_deep(&name, DEPTH_MAX));
        return None;
    }
    extent::has_room(cx, 1, &define.body, call.span).then_some((decl, define, args))
}

fn name_and_args(call: &ast::Expr) -> Option<(Ident, &[Arg])> {
    let (callee, args): (&ast::Expr, &[Arg]) = match &call.kind {
        ExprKind::Call(callee, args) => (callee, args),
        _ => (call, &[]),
    };
    match &callee.kind {
        ExprKind::Name(name) => Some((
            Ident {
                name: name.clone(),
                span: callee.span,
            },
            args,
        )),
        _ => None,
    }
}

/// Arguments by the names of the parameters.
fn arguments(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    define: &Define,
    args: &[Arg],
    call: &ast::Expr,
) -> Option<Vec<(String, Typed)>> {
    let mut bound: Vec<(String, Typed)> = Vec::new();
    let mut sound = true;
    for (index, arg) in args.iter().enumerate() {
        let param = match &arg.label {
            Some(label) => define
                .params
                .iter()
                .find(|param| param.name.name == label.name),
            None => define.params.get(index),
        };
        let Some(param) = param else {
            cx.report(say::define_takes(
                define,
                arg.value.span,
                "takes no such argument",
            ));
            sound = false;
            continue;
        };
        if bound.iter().any(|(name, _)| *name == param.name.name) {
            cx.report(say::define_takes(
                define,
                arg.value.span,
                "gets this argument twice",
            ));
            sound = false;
            continue;
        }
        let ty = types::read_quietly(&param.ty);
        let typed = expr::check(cx, env, &arg.value, &ty);
        let typed = extent::named(cx, &param.name, typed);
        bound.push((param.name.name.clone(), typed));
    }
    for param in &define.params {
        if sound && !bound.iter().any(|(name, _)| *name == param.name.name) {
            let missing = format!("needs `{}`", param.name.name);
            cx.report(say::define_takes(define, call.span, &missing));
            sound = false;
        }
    }
    sound.then_some(bound)
}

/// Only the parameters are seen inside; the place is that of the call.
fn inner_env(env: &Env, decl: &Decl<'_>) -> Env {
    let mut inner = env.unbound();
    inner.calls.push(decl.id);
    inner
}
