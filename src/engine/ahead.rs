//! What a condition asks, known before it is evaluated: then it need not be evaluated once only to see what it asks.

use crate::plan::expr::{Expr, Scope};
use crate::plan::{MetricSource, Plan};
use crate::syntax::ast::{Aggregate, BinaryOp};
use rustc_hash::FxHashMap;

/// The metrics that the condition asks, in the order in which it does; `None` where that depends on answers, on the run or on
/// what the condition is evaluated for. While none of them is answered, the condition is neither true nor false.
pub fn metrics(plan: &Plan, condition: &Expr) -> Option<Vec<u32>> {
    let mut ahead = Ahead {
        plan,
        metrics: Vec::new(),
        derived: FxHashMap::default(),
        depth: 0,
    };
    ahead.truth(condition)?;
    Some(ahead.metrics)
}

struct Ahead<'p> {
    plan: &'p Plan,
    metrics: Vec<u32>,
    /// Metrics of metrics whose parts stand there already.
    derived: FxHashMap<u32, Asks>,
    depth: u32,
}

/// Whether anything is asked for a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Nothing,
    Something,
}

/// Deeper than conditions that people write; metrics of metrics count, too.
const DEPTH_MAX: u32 = 50;

impl Ahead<'_> {
    /// Each side of `and`, `or` and a comparison has to wait for an answer: one that does not could decide alone.
    fn truth(&mut self, expr: &Expr) -> Option<()> {
        match expr {
            Expr::Not(inner) => self.deeper(|ahead| ahead.truth(inner)),
            Expr::Binary(left, BinaryOp::And | BinaryOp::Or, right) => self.deeper(|ahead| {
                ahead.truth(left)?;
                ahead.truth(right)
            }),
            Expr::Compare(first, rest) => {
                let mut left = self.value(first)?;
                for (_, expr) in rest {
                    let right = self.value(expr)?;
                    something(left.or(right))?;
                    left = right;
                }
                Some(())
            }
            Expr::Aggregate(Aggregate::Any | Aggregate::All, list) => something(self.metric(list)?),
            _ => None,
        }
    }

    fn value(&mut self, expr: &Expr) -> Option<Asks> {
        match expr {
            Expr::Literal(_) => Some(Asks::Nothing),
            Expr::Metric { .. } => self.metric(expr),
            Expr::Aggregate(_, list) => self.metric(list),
            Expr::Negate(inner) => self.deeper(|ahead| ahead.value(inner)),
            Expr::Binary(_, BinaryOp::And | BinaryOp::Or, _) => None,
            Expr::Binary(left, _, right) => self.deeper(|ahead| {
                let left = ahead.value(left)?;
                Some(left.or(ahead.value(right)?))
            }),
            _ => None,
        }
    }

    fn metric(&mut self, expr: &Expr) -> Option<Asks> {
        let Expr::Metric {
            metric,
            scope: Scope::None,
        } = expr
        else {
            return None;
        };
        match &self.plan.metrics.get(*metric as usize)?.source {
            MetricSource::Query { .. } => {
                self.metrics.push(*metric);
                Some(Asks::Something)
            }
            MetricSource::Derived(expr) => match self.derived.get(metric) {
                Some(known) => Some(*known),
                None => {
                    let asks = self.deeper(|ahead| ahead.value(expr))?;
                    self.derived.insert(*metric, asks);
                    Some(asks)
                }
            },
        }
    }

    fn deeper<T>(&mut self, look: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.depth += 1;
        let found = match self.depth {
            0..=DEPTH_MAX => look(self),
            _ => None,
        };
        self.depth -= 1;
        found
    }
}

impl Asks {
    fn or(self, other: Asks) -> Asks {
        match self {
            Asks::Nothing => other,
            Asks::Something => self,
        }
    }
}

fn something(asks: Asks) -> Option<()> {
    (asks == Asks::Something).then_some(())
}
