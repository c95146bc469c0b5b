//! Names in expressions, and fields of what they stand for.

use crate::analyze::context::Cx;
use crate::analyze::env::{Cause, Env};
use crate::analyze::expr;
use crate::analyze::expr::{call, node, scope};
use crate::analyze::extent;
use crate::analyze::messages::typing as say;
use crate::analyze::typed::{Reads, Typed};
use crate::analyze::types;
use crate::plan::expr::{Expr, RunWord, Scope};
use crate::resolve::messages;
use crate::resolve::names::{Decl, RESERVED, What};
use crate::resolve::near;
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::{ExprKind, Ident};
use crate::values::Type;

pub fn name(cx: &mut Cx<'_, '_>, env: &Env, name: &str, span: Span) -> Typed {
    if let Some(bound) = env.lookup(name, span) {
        return extent::used(cx, bound);
    }
    if RESERVED.contains(&name) {
        return word(cx, env, name, span);
    }
    let Some(decl) = cx.g.names.find(name).cloned() else {
        unknown(cx, env, name, span);
        return Typed::unknown(span);
    };
    cx.out.used.insert(decl.id);
    match decl.what {
        What::Input(input) => {
            let ty = types::read_quietly(&input.ty);
            let reads = Reads {
                input: Some(span),
                ..Reads::default()
            };
            Typed::new(Expr::Input(name.to_owned()), ty, reads, span)
        }
        What::Let(_) => match cx.g.lets.get(&decl.id) {
            Some(typed) => {
                let typed = Typed {
                    span,
                    ..typed.clone()
                };
                extent::used(cx, typed)
            }
            None => Typed::unknown(span),
        },
        What::Metric(_) => scope::metric(cx, env, &decl, Scope::None, span),
        _ => {
            let name = Ident {
                name: name.to_owned(),
                span,
            };
            cx.report(say::no_value(&name, &decl));
            Typed::unknown(span)
        }
    }
}

pub fn field(cx: &mut Cx<'_, '_>, env: &Env, base: &ast::Expr, field: &Ident, span: Span) -> Typed {
    if let ExprKind::Name(name) = &base.kind
        && env.lookup(name, span).is_none()
    {
        if let Some(scope) = scope::of_word(name) {
            return scope::scoped(cx, env, scope, base.span, field, span);
        }
        if name == "plan" {
            return plan_word(cx, field, span);
        }
        if let Some(decl) = cx.g.names.find(name).cloned() {
            match decl.what {
                What::Provider(_) => return call::provider_call(cx, env, &decl, field, &[], span),
                What::Step(_) | What::Node(_) | What::Phase(_) => {
                    cx.out.used.insert(decl.id);
                    return node::datum(cx, env, &decl, field, span);
                }
                _ => {}
            }
        }
    }
    let typed = expr::infer(cx, env, base);
    field_of(cx, typed, field, span)
}

/// A field of a value.
pub fn field_of(cx: &mut Cx<'_, '_>, base: Typed, field: &Ident, span: Span) -> Typed {
    let (ty, reads) = match &base.ty {
        Type::Unknown => return Typed::unknown(span),
        Type::Record(record) => {
            let known = record.fields.iter().find(|known| known.name == field.name);
            let Some(known) = known else {
                let names: Vec<&str> = record.fields.iter().map(|field| field.name).collect();
                cx.report(say::unknown_field(field, &base.ty, &names));
                return Typed::unknown(span);
            };
            (known.ty.clone(), base.reads)
        }
        Type::Map(of) => (of.as_ref().clone(), base.reads),
        Type::Json => {
            cx.report(say::json_has_no_fields(span, field));
            return Typed::unknown(span);
        }
        other => {
            cx.report(say::unknown_field(field, other, &[]));
            return Typed::unknown(span);
        }
    };
    let expr = Expr::Field(Box::new(base.expr), field.name.clone());
    Typed::new(expr, ty, reads, span)
}

/// Words of the run: `run`, `cause`.
fn word(cx: &mut Cx<'_, '_>, env: &Env, word: &str, span: Span) -> Typed {
    let run_word = match (word, env.place.cause) {
        ("run", _) => RunWord::RunId,
        ("cause", Cause::Known) => RunWord::Cause,
        ("cause", Cause::None) => {
            cx.report(say::no_cause(span));
            return Typed::unknown(span);
        }
        _ => {
            cx.report(say::word_needs_field(word, span));
            return Typed::unknown(span);
        }
    };
    Typed::new(Expr::Word(run_word), Type::String, Reads::live(span), span)
}

/// `plan.name`, `plan.title`
fn plan_word(cx: &mut Cx<'_, '_>, field: &Ident, span: Span) -> Typed {
    let word = match field.name.as_str() {
        "name" => RunWord::PlanName,
        "title" => RunWord::PlanTitle,
        _ => {
            let message = say::unknown_member(field, "plan", &["name", "title"]);
            cx.report(message);
            return Typed::unknown(span);
        }
    };
    Typed::new(Expr::Word(word), Type::String, Reads::default(), span)
}

fn unknown(cx: &mut Cx<'_, '_>, env: &Env, name: &str, span: Span) {
    let global = cx.g.names.nearest(name, is_value).map(|decl| decl.name);
    let near = near::nearest(name, env.names().chain(global));
    let ident = Ident {
        name: name.to_owned(),
        span,
    };
    cx.report(messages::unknown_name(&ident, "name", near));
}

/// What may stand in an expression, by itself or with a field.
fn is_value(what: &What<'_>) -> bool {
    !matches!(what, What::Role(_) | What::Order(_) | What::Define(_))
}

/// A name that has to stand for a role.
pub fn role<'a>(cx: &mut Cx<'_, 'a>, name: &Ident) -> Option<Decl<'a>> {
    let Some(decl) = cx.g.names.find(&name.name).cloned() else {
        let near =
            cx.g.names
                .nearest(&name.name, |what| matches!(what, What::Role(_)));
        let near = near.map(|decl| decl.name);
        cx.report(messages::unknown_name(name, "role", near));
        return None;
    };
    cx.out.used.insert(decl.id);
    if matches!(decl.what, What::Role(_)) {
        return Some(decl);
    }
    cx.report(messages::wrong_kind(name, &decl, "a role"));
    None
}
