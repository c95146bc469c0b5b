//! What a scenario has said so far: values of metrics, answers of systems, systems that are down.
//!
//! The last word counts: a later block replaces what an earlier one said of the same thing, until it ends.

use crate::plan::node::NodeId;
use crate::providers::request::{Call, Direction};
use crate::simulate::fault::{Fate, Fault, Times};
use crate::simulate::series::Series;
use crate::values::fields::Fields;
use crate::values::{Instant, Value};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::Arc;

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
    /// `p95 = "80+5x10 _ stale" in ms every 15s`
    Series {
        metric: String,
        scope: Option<String>,
        series: Arc<Series>,
    },
    /// `api.get("/health").status = 503`
    Answer { to: Question, value: Value },
    /// `prom is down`
    Down { provider: String },
    /// `engineer is silent`
    Silent { role: String },
    /// `release fails before applying`
    Fault(Fault),
}

/// Which answers a line is about.
#[derive(Clone, Debug)]
pub struct Question {
    pub provider: String,
    pub function: String,
    /// Those that were written; the others may be anything.
    pub args: Fields,
    /// Which part of the answer: `status`. Empty for the whole.
    pub path: Vec<String>,
}

/// Names a block of a scenario while it holds.
pub type BlockId = usize;

#[derive(Clone, Debug, Default)]
pub struct Script {
    /// What they say but of metrics; the latest last.
    blocks: Vec<(BlockId, Vec<Line>)>,
    /// What the blocks say of each metric, the latest last: metrics are what a run asks for most.
    metrics: FxHashMap<String, Vec<Said>>,
    /// Faults that were to happen once, and have.
    spent: BTreeSet<(BlockId, usize)>,
    /// Metrics that were asked for and of which nothing was said.
    pub silent: BTreeSet<String>,
}

/// What one line says of a metric.
#[derive(Clone, Debug)]
struct Said {
    by: BlockId,
    scope: Option<String>,
    what: Reading,
}

#[derive(Clone, Debug)]
enum Reading {
    /// In the unit of the query; `None` for no data.
    Steady(Option<f64>),
    Series(Arc<Series>, Instant),
}

impl Script {
    /// From this moment on the block holds.
    pub fn begin(&mut self, id: BlockId, at: Instant, lines: Vec<Line>) {
        let mut others = Vec::new();
        for line in lines {
            let (metric, scope, what) = match line {
                Line::Metric { metric, scope, raw } => (metric, scope, Reading::Steady(raw)),
                Line::Series {
                    metric,
                    scope,
                    series,
                } => (metric, scope, Reading::Series(series, at)),
                other => {
                    others.push(other);
                    continue;
                }
            };
            let said = Said {
                by: id,
                scope,
                what,
            };
            self.metrics.entry(metric).or_default().push(said);
        }
        if !others.is_empty() {
            self.blocks.push((id, others));
        }
    }

    pub fn end(&mut self, id: BlockId) {
        self.blocks.retain(|(block, _)| *block != id);
        for said in self.metrics.values_mut() {
            said.retain(|said| said.by != id);
        }
    }

    /// `None`: nothing was said of it. `Some(None)`: it was said to have no data.
    pub fn metric(&self, name: &str, asked: Option<&str>, now: Instant) -> Option<Option<f64>> {
        let said = self.metrics.get(name)?.iter().rev();
        let mut fits = said.filter(|said| said.scope.is_none() || said.scope.as_deref() == asked);
        Some(match &fits.next()?.what {
            Reading::Steady(raw) => *raw,
            Reading::Series(series, from) => series.at(now.since(*from)),
        })
    }

    /// What is to become of a change that leaves now.
    pub fn fate(&mut self, node: NodeId, direction: Direction) -> Option<Fate> {
        let blocks = self.blocks.iter().rev();
        let lines = blocks.flat_map(|(id, lines)| {
            let numbered = lines.iter().enumerate().rev();
            numbered.map(|(index, line)| ((*id, index), line))
        });
        let mut faults = lines.filter_map(|(place, line)| match line {
            Line::Fault(fault) if fault.node == node && fault.direction == direction => {
                Some((place, fault))
            }
            _ => None,
        });
        let (place, fault) = faults.find(|(place, _)| !self.spent.contains(place))?;
        let (fate, times) = (fault.fate, fault.times);
        if times == Times::Once {
            self.spent.insert(place);
        }
        Some(fate)
    }

    pub fn is_silent(&self, name: &str) -> bool {
        self.latest()
            .any(|line| matches!(line, Line::Silent { role } if role == name))
    }

    pub fn is_down(&self, name: &str) -> bool {
        let mut lines = self.latest();
        lines.any(|line| matches!(line, Line::Down { provider } if provider == name))
    }

    /// Puts what was said into an answer: the earliest line first, so that the last word counts.
    pub fn correct(&self, call: &Call, answer: Value) -> Value {
        self.latest().rev().fold(answer, |answer, line| match line {
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

    fn latest(&self) -> impl DoubleEndedIterator<Item = &Line> {
        self.blocks
            .iter()
            .rev()
            .flat_map(|(_, lines)| lines.iter().rev())
    }
}

impl Question {
    fn is_about(&self, call: &Call) -> bool {
        let said =
            |(name, value): (&str, &Value)| call.args.get(name).is_some_and(|arg| same(arg, value));
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
