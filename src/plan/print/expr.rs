//! Expressions of a compiled plan in the words of the language, for people.

use crate::plan::Plan;
use crate::plan::elements;
use crate::plan::expr::{Datum, Expr, RunWord, Scope, Template, TemplatePart};
use crate::plan::node::NodeId;
use crate::plan::walk::revision;
use crate::values::Value;
use crate::values::show::value;

pub fn words(plan: &Plan, expr: &Expr) -> String {
    match expr {
        Expr::Literal(Value::String(text)) => format!("\"{text}\""),
        Expr::Literal(literal) => value(literal),
        Expr::Input(name) => name.clone(),
        Expr::Element { input, index } => elements::name(input, *index),
        Expr::HasElement { input, index } => format!("there is {}", elements::name(input, *index)),
        Expr::Let(index) => {
            let item = plan.lets.get(*index as usize);
            item.map_or_else(|| "let".to_owned(), |item| item.name.clone())
        }
        Expr::Local(_) => "it".to_owned(),
        Expr::Call(call) => {
            if let Some(scope) = revision(call) {
                return scoped(&scope, "pods");
            }
            let args: Vec<String> = call.args.iter().map(|(_, arg)| words(plan, arg)).collect();
            match args.is_empty() {
                true => format!("{}.{}", call.provider, call.function),
                false => format!("{}.{}({})", call.provider, call.function, args.join(", ")),
            }
        }
        Expr::Field(of, name) => format!("{}.{name}", words(plan, of)),
        Expr::Metric { metric, scope } => {
            let item = plan.metrics.get(*metric as usize);
            let name = item.map_or("metric", |item| item.name.as_str());
            scoped(scope, name)
        }
        Expr::Node { node, datum } => format!("{}.{}", node_name(plan, *node), datum_word(*datum)),
        Expr::Word(word) => run_word(*word).to_owned(),
        Expr::Not(inner) => format!("not {}", words(plan, inner)),
        Expr::Negate(inner) => format!("-{}", words(plan, inner)),
        Expr::Binary(left, op, right) => {
            format!("{} {} {}", words(plan, left), op.word(), words(plan, right))
        }
        Expr::Compare(first, rest) => {
            let mut text = words(plan, first);
            for (op, operand) in rest {
                text.push_str(&format!(" {} {}", op.word(), words(plan, operand)));
            }
            text
        }
        Expr::Aggregate(how, of) => format!("{} {}", how.word(), words(plan, of)),
        Expr::List(items) => {
            let items: Vec<String> = items.iter().map(|item| words(plan, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Expr::Map(entries) => {
            let entries = entries.iter();
            let entries: Vec<String> = entries
                .map(|(key, value)| format!("{key}: {}", words(plan, value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Expr::Template(text) => format!("\"{}\"", template(plan, text)),
        Expr::Narrow { json, path, .. } => match path {
            Some(path) => format!("{}.json(\"{path}\")", words(plan, json)),
            None => words(plan, json),
        },
    }
}

/// The text of a message, with what is put in as `${…}`.
pub fn template(plan: &Plan, template: &Template) -> String {
    let parts = template.parts.iter();
    parts
        .map(|part| match part {
            TemplatePart::Text(text) => text.clone(),
            TemplatePart::Expr(expr) => format!("${{{}}}", words(plan, expr)),
        })
        .collect()
}

pub fn node_name(plan: &Plan, id: NodeId) -> String {
    let Some(node) = plan.node(id) else {
        return "?".to_owned();
    };
    if let Some(name) = &node.name {
        return name.clone();
    }
    let (before, last) = node.path.rsplit_once('/').unwrap_or(("", &node.path));
    let parent = node.parent.and_then(|parent| plan.node(parent));
    match parent.and_then(elements::of_copy) {
        // Alike in each copy.
        Some(_) => {
            let copy = before.rsplit('/').next().unwrap_or(before);
            format!("{copy}/{last}")
        }
        None => last.to_owned(),
    }
}

fn scoped(scope: &Scope, name: &str) -> String {
    match scope {
        Scope::None => name.to_owned(),
        Scope::Canary => format!("canary.{name}"),
        Scope::Stable => format!("stable.{name}"),
        Scope::All => format!("all.{name}"),
    }
}

fn datum_word(datum: Datum) -> &'static str {
    match datum {
        Datum::Started => "started",
        Datum::Ended => "ended",
        Datum::Took => "took",
        Datum::Before => "before",
        Datum::Result => "result",
        Datum::Verdict => "verdict",
    }
}

fn run_word(word: RunWord) -> &'static str {
    match word {
        RunWord::PlanName => "plan.name",
        RunWord::PlanTitle => "plan.title",
        RunWord::RunId => "run",
        RunWord::Cause => "cause",
    }
}
