//! The words of an operand, for messages: `canary.error_rate`, `api.get("/health").status`.

use crate::engine::eval::Evaluator;
use crate::engine::metric::scope_word;
use crate::plan::elements;
use crate::plan::expr::{CallExpr, Datum, Expr, Scope, Template, TemplatePart};
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
    let mut words = Words {
        eval,
        text: String::new(),
    };
    words.of(expr, 0);
    words.text.into()
}

/// A `let` that stands for a long expression is cut here.
const DEPTH_MAX: u32 = 12;

/// In one text: most samples have words that nobody reads.
struct Words<'e, 'p: 's, 's> {
    eval: &'e Evaluator<'p, 's>,
    text: String,
}

impl Words<'_, '_, '_> {
    fn of(&mut self, expr: &Expr, depth: u32) {
        if depth > DEPTH_MAX {
            return self.push("…");
        }
        let depth = depth + 1;
        match expr {
            Expr::Literal(value) => self.push(&show::value(value)),
            Expr::Input(name) => self.push(name),
            Expr::Element { input, index } => self.push(&elements::name(input, *index)),
            Expr::HasElement { input, index } => {
                self.all(&["there is ", &elements::name(input, *index)]);
            }
            Expr::Let(index) => {
                let top = self.eval.plan.lets.get(*index as usize);
                self.push(top.map_or("…", |top| &top.name));
            }
            Expr::Local(index) => match self.eval.local(*index) {
                Some(value) => self.of(value, depth),
                None => self.push("…"),
            },
            Expr::Call(call) => self.called(call, depth),
            Expr::Field(record, name) => {
                self.of(record, depth);
                self.all(&[".", name]);
            }
            Expr::Metric { metric, scope } => {
                if *scope != Scope::None {
                    self.all(&[scope_word(scope), "."]);
                }
                let metric = self.eval.plan.metrics.get(*metric as usize);
                self.push(metric.map_or("…", |metric| &metric.name));
            }
            Expr::Node { node, datum } => {
                let node = self.eval.plan.node(*node);
                let name = node.map(|node| node.name.as_ref().unwrap_or(&node.path));
                self.all(&[name.map_or("…", String::as_str), datum_word(*datum)]);
            }
            Expr::Word(_) => self.push("a word of the run"),
            Expr::Not(inner) => self.after("not ", inner, depth),
            Expr::Negate(inner) => self.after("-", inner, depth),
            Expr::Binary(left, op, right) => {
                self.of(left, depth);
                self.all(&[" ", op.word(), " "]);
                self.of(right, depth);
            }
            Expr::Compare(first, _) => self.of(first, depth),
            Expr::Aggregate(how, list) => {
                self.all(&[how.word(), " "]);
                self.of(list, depth);
            }
            Expr::List(items) => {
                self.push("[");
                self.listed(items.iter(), depth);
                self.push("]");
            }
            Expr::Map(_) => self.push("a map"),
            Expr::Template(template) => self.template(template, depth),
            Expr::Narrow { json, path, .. } => {
                self.of(json, depth);
                if let Some(path) = path {
                    self.all(&[" at ", path]);
                }
            }
        }
    }

    fn called(&mut self, call: &CallExpr, depth: u32) {
        if let Some(scope) = revision(call) {
            return self.all(&[scope_word(&scope), ".pods"]);
        }
        self.all(&[&call.provider, ".", &call.function]);
        if !call.args.is_empty() {
            self.push("(");
            self.listed(call.args.iter().map(|(_, arg)| arg), depth);
            self.push(")");
        }
    }

    fn template(&mut self, template: &Template, depth: u32) {
        self.push("\"");
        for part in &template.parts {
            match part {
                TemplatePart::Text(text) => self.push(text),
                TemplatePart::Expr(hole) => {
                    self.after("${", hole, depth);
                    self.push("}");
                }
            }
        }
        self.push("\"");
    }

    fn listed<'x>(&mut self, items: impl Iterator<Item = &'x Expr>, depth: u32) {
        for (place, item) in items.enumerate() {
            self.after(if place == 0 { "" } else { ", " }, item, depth);
        }
    }

    fn after(&mut self, before: &str, expr: &Expr, depth: u32) {
        self.push(before);
        self.of(expr, depth);
    }

    fn all(&mut self, words: &[&str]) {
        words.iter().for_each(|word| self.push(word));
    }

    fn push(&mut self, word: &str) {
        self.text.push_str(word);
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
