//! The words of an operand, for messages: `canary.error_rate`, `api.get("/health").status`.

use crate::engine::eval::Evaluator;
use crate::engine::metric::scope_word;
use crate::plan::elements;
use crate::plan::expr::{CallExpr, Datum, Expr, Scope, TemplatePart};
use crate::plan::walk::revision;
use crate::values::show;
use std::sync::Arc;

pub fn describe(eval: &Evaluator, expr: &Expr) -> Arc<str> {
    if let Expr::Metric { metric, scope } = expr
        && *scope == Scope::None
        && let Some(name) = eval.state.agenda.index.metric_name(*metric)
    {
        return Arc::clone(name);
    }
    words(eval, expr, 0).into()
}

/// A `let` that stands for a long expression is cut here.
const DEPTH_MAX: u32 = 12;

fn words(eval: &Evaluator, expr: &Expr, depth: u32) -> String {
    if depth > DEPTH_MAX {
        return "…".to_owned();
    }
    let inside = |inner: &Expr| words(eval, inner, depth + 1);
    match expr {
        Expr::Literal(value) => show::value(value),
        Expr::Input(name) => name.clone(),
        Expr::Element { input, index } => elements::name(input, *index),
        Expr::HasElement { input, index } => format!("there is {}", elements::name(input, *index)),
        Expr::Let(index) => {
            let top = eval.plan.lets.get(*index as usize);
            top.map_or_else(|| "…".to_owned(), |top| top.name.clone())
        }
        Expr::Local(index) => eval.local(*index).map_or_else(|| "…".to_owned(), inside),
        Expr::Call(call) => called(call, &inside),
        Expr::Field(record, name) => format!("{}.{name}", inside(record)),
        Expr::Metric { metric, scope } => {
            let metric = eval.plan.metrics.get(*metric as usize);
            let name = metric.map_or("…", |metric| metric.name.as_str());
            match scope {
                Scope::None => name.to_owned(),
                scope => format!("{}.{name}", scope_word(scope)),
            }
        }
        Expr::Node { node, datum } => {
            let node = eval.plan.node(*node);
            let name = node.map_or("…", |node| node.name.as_deref().unwrap_or(&node.path));
            format!("{name}{}", datum_word(*datum))
        }
        Expr::Word(_) => "a word of the run".to_owned(),
        Expr::Not(inner) => format!("not {}", inside(inner)),
        Expr::Negate(inner) => format!("-{}", inside(inner)),
        Expr::Binary(left, op, right) => {
            format!("{} {} {}", inside(left), op.word(), inside(right))
        }
        Expr::Compare(first, _) => inside(first),
        Expr::Aggregate(how, list) => format!("{} {}", how.word(), inside(list)),
        Expr::List(items) => {
            let items: Vec<String> = items.iter().map(inside).collect();
            format!("[{}]", items.join(", "))
        }
        Expr::Map(_) => "a map".to_owned(),
        Expr::Template(template) => {
            let part = |part: &TemplatePart| match part {
                TemplatePart::Text(text) => text.clone(),
                TemplatePart::Expr(hole) => format!("${{{}}}", inside(hole)),
            };
            let text: String = template.parts.iter().map(part).collect();
            format!("\"{text}\"")
        }
        Expr::Narrow { json, path, .. } => match path {
            Some(path) => format!("{} at {path}", inside(json)),
            None => inside(json),
        },
    }
}

fn called(call: &CallExpr, inside: &dyn Fn(&Expr) -> String) -> String {
    if let Some(scope) = revision(call) {
        return format!("{}.pods", scope_word(&scope));
    }
    let args: Vec<String> = call.args.iter().map(|(_, arg)| inside(arg)).collect();
    match args.is_empty() {
        true => format!("{}.{}", call.provider, call.function),
        false => format!("{}.{}({})", call.provider, call.function, args.join(", ")),
    }
}

fn datum_word(datum: Datum) -> &'static str {
    match datum {
        Datum::Started => ".started",
        Datum::Ended => ".ended",
        Datum::Took => ".took",
        Datum::Before => ".before",
        Datum::Result => "",
        Datum::Verdict => ".verdict",
    }
}
