//! What a scenario has said so far: values of metrics, answers of systems, systems that are down.
//!
//! The last word counts: a later block replaces what an earlier one said of the same thing, until it ends.

use crate::providers::request::Call;
use crate::values::Value;
use std::collections::BTreeSet;

/// One line of a scenario.
#[derive(Clone, Debug)]
pub enum Line {
    /// `canary.error_rate = 12%`
    Metric {
        metric: String,
        /// `None`: whatever the scope.
        scope: Option<String>,
        /// In the unit of the query; `None` for no data.
        raw: Option<f64>,
    },
    /// `api.get("/health").status = 503`
    Answer { to: Question, value: Value },
    /// `prom is down`
    Down { provider: String },
}

/// Which answers a line is about.
#[derive(Clone, Debug)]
pub struct Question {
    pub provider: String,
    pub function: String,
    /// Those that were written; the others may be anything.
    pub args: Vec<(String, Value)>,
    /// Which part of the answer: `status`. Empty for the whole.
    pub path: Vec<String>,
}

/// Names a block of a scenario while it holds.
pub type BlockId = usize;

#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The latest last.
    blocks: Vec<(BlockId, Vec<Line>)>,
    /// Metrics that were asked for and of which nothing was said.
    pub silent: BTreeSet<String>,
}

impl Script {
    pub fn begin(&mut self, id: BlockId, lines: Vec<Line>) {
        self.blocks.push((id, lines));
    }

    pub fn end(&mut self, id: BlockId) {
        self.blocks.retain(|(block, _)| *block != id);
    }

    /// `None`: nothing was said of it. `Some(None)`: it was said to have no data.
    pub fn metric(&self, name: &str, asked: Option<&str>) -> Option<Option<f64>> {
        self.latest().find_map(|line| match line {
            Line::Metric { metric, scope, raw } if metric == name => {
                let fits = scope.is_none() || scope.as_deref() == asked;
                fits.then_some(*raw)
            }
            _ => None,
        })
    }

    pub fn is_down(&self, name: &str) -> bool {
        let mut lines = self.latest();
        lines.any(|line| matches!(line, Line::Down { provider } if provider == name))
    }

    /// Puts what was said into an answer: the earliest line first, so that the last word counts.
    pub fn correct(&self, call: &Call, answer: Value) -> Value {
        let said: Vec<&Line> = self.latest().collect();
        said.into_iter()
            .rev()
            .fold(answer, |answer, line| match line {
                Line::Answer { to, value } if to.is_about(call) => {
                    replaced(answer, &to.path, value.clone())
                }
                _ => answer,
            })
    }

    /// Whether anything was said of the answers to this call.
    pub fn knows(&self, call: &Call) -> bool {
        self.latest()
            .any(|line| matches!(line, Line::Answer { to, .. } if to.is_about(call)))
    }

    fn latest(&self) -> impl Iterator<Item = &Line> {
        self.blocks
            .iter()
            .rev()
            .flat_map(|(_, lines)| lines.iter().rev())
    }
}

impl Question {
    fn is_about(&self, call: &Call) -> bool {
        let said = |(name, value): &(String, Value)| {
            call.args.get(name).is_some_and(|arg| same(arg, value))
        };
        self.provider == call.provider
            && self.function == call.function
            && self.args.iter().all(said)
    }
}

/// Values have no equality of their own, as floats have none; two that print alike are the same argument.
fn same(a: &Value, b: &Value) -> bool {
    serde_json::to_value(a).ok() == serde_json::to_value(b).ok()
}

fn replaced(answer: Value, path: &[String], new: Value) -> Value {
    let Some((field, rest)) = path.split_first() else {
        return new;
    };
    match answer {
        Value::Record(mut fields) => {
            let old = fields.get(field).cloned().unwrap_or(Value::Absent);
            fields.insert(field.clone(), replaced(old, rest, new));
            Value::Record(fields)
        }
        other => other,
    }
}
