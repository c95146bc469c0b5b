//! Strings with holes, and what may be put into them.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::expr::fold;
use crate::analyze::messages::typing as say;
use crate::analyze::typed::{Reads, Typed};
use crate::plan::elements;
use crate::plan::expr::{Expr, Template, TemplatePart};
use crate::syntax::ast::{StringLit, StringPart};
use crate::values::{Type, Value, show};

/// A string as an expression: a constant when nothing in it has to be read.
pub fn string(cx: &mut Cx<'_, '_>, env: &Env, string: &StringLit) -> Typed {
    let (template, reads) = parts(cx, env, string);
    let expr = fold::fold(Expr::Template(template));
    Typed::new(expr, Type::String, reads, string.span)
}

/// A string as words for people.
pub fn template(cx: &mut Cx<'_, '_>, env: &Env, string: &StringLit) -> Template {
    let (template, _) = parts(cx, env, string);
    match fold::fold(Expr::Template(template)) {
        Expr::Template(template) => template,
        Expr::Literal(Value::String(text)) => Template {
            parts: vec![TemplatePart::Text(text)],
        },
        _ => Template::default(),
    }
}

/// A string that has to be known when the plan is compiled: a title, a path.
pub fn constant(cx: &mut Cx<'_, '_>, env: &Env, string: &StringLit, what: &str) -> Option<String> {
    let typed = self::string(cx, env, string);
    match typed.value() {
        Some(Value::String(text)) => Some(text.clone()),
        _ => {
            cx.report(say::constant_needed(string.span, what));
            None
        }
    }
}

/// A title: known when the plan is compiled, but for elements of a list that only a run knows.
pub fn title(cx: &mut Cx<'_, '_>, env: &Env, string: &StringLit) -> Option<String> {
    let typed = self::string(cx, env, string);
    let text = match &typed.expr {
        Expr::Literal(Value::String(text)) => Some(text.clone()),
        Expr::Template(template) => with_elements(template),
        _ => None,
    };
    if text.is_none() && !typed.is_unknown() {
        cx.report(say::constant_needed(string.span, "a title"));
    }
    text
}

fn with_elements(template: &Template) -> Option<String> {
    let part = |part: &TemplatePart| match part {
        TemplatePart::Text(text) => Some(text.clone()),
        TemplatePart::Expr(Expr::Literal(value)) => Some(show::interpolated(value)),
        TemplatePart::Expr(Expr::Element { input, index }) => {
            Some(elements::placeholder(input, *index))
        }
        TemplatePart::Expr(_) => None,
    };
    template.parts.iter().map(part).collect()
}

fn parts(cx: &mut Cx<'_, '_>, env: &Env, string: &StringLit) -> (Template, Reads) {
    let mut reads = Reads::default();
    let mut parts = Vec::with_capacity(string.parts.len());
    for part in &string.parts {
        match part {
            StringPart::Text(text) => parts.push(TemplatePart::Text(text.clone())),
            StringPart::Interpolation(hole) => {
                let typed = expr::infer(cx, env, hole);
                let text = cx.text(hole.span);
                if let Some(found) = say::not_for_text(&typed, &text) {
                    cx.report(found);
                    continue;
                }
                reads = reads.and(typed.reads);
                parts.push(TemplatePart::Expr(typed.expr));
            }
        }
    }
    (Template { parts }, reads)
}
