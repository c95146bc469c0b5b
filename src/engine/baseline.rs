//! Comparisons with a baseline: the windows that a stage, or a check through a time, has seen, and what they show when that is over.
//!
//! One window is as long as the queries look back, so no two of them share a measurement: samples that overlap are not
//! independent. There is one look, at the end: whoever looks at each sample finds a difference sooner or later, even where
//! there is none.

use crate::engine::describe::describe;
use crate::engine::eval::{Evaluator, Trouble};
use crate::engine::metric;
use crate::engine::protocol::Measured;
use crate::engine::state::{StageWork, Through, Work};
use crate::engine::turn::Turn;
use crate::plan::expr::{Comparison, Expr, Stmt};
use crate::plan::node::{NodeId, NodeKind};
use crate::plan::{Direction, Plan, walk};
use crate::statistics::baseline::{
    Difference, Evidence, Kind, Margin, Outcome, Worse, difference_of, outcome,
};
use crate::statistics::holm;
use crate::statistics::proportions::Proportion;
use crate::units::Dim;
use crate::units::amount::{NANO, Nano, Quantity};
use crate::units::show::quantity;
use crate::values::{Instant, Value};
use serde::Serialize;
use std::collections::BTreeSet;

/// What one comparison has seen in its stage.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Windows {
    last: Option<Instant>,
    measured: Vec<f64>,
    baseline: Vec<f64>,
    /// Of each window too, while every window has them.
    counts: Vec<(Proportion, Proportion)>,
}

/// Both sides at one sample.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    measured: f64,
    baseline: f64,
    counts: Option<(Proportion, Proportion)>,
}

/// What a comparison says at a sample.
#[derive(Clone, Debug)]
pub struct Said {
    /// `None` before the hold is over.
    pub outcome: Option<Outcome>,
    pub windows: u32,
    pub words: String,
}

/// Both sides, as they are now. Only numbers make a window.
pub fn pair<'p>(eval: &mut Evaluator<'p, '_>, comparison: &'p Comparison) -> Result<Pair, Trouble> {
    let measured = number(eval, &comparison.measured);
    let baseline = number(eval, &comparison.baseline);
    let counts = proportion(eval, &comparison.measured);
    let of_baseline = proportion(eval, &comparison.baseline);
    Ok(Pair {
        measured: measured?,
        baseline: baseline?,
        counts: counts?.zip(of_baseline?),
    })
}

/// Adds the sample to the windows where it begins after the last one ended. `at` is when it was taken.
pub fn collect(turn: &mut Turn, id: NodeId, index: usize, pair: Pair, at: Instant) {
    let plan = turn.plan;
    let window_ns =
        comparison_of(plan, id, index).map_or(0, |comparison| window_ns(plan, comparison));
    let windows = &mut turn.node_mut(id).windows;
    if windows.len() <= index {
        windows.resize(index + 1, Windows::default());
    }
    let Some(windows) = windows.get_mut(index) else {
        return;
    };
    let next = windows.last.map(|last| last.plus(window_ns));
    if windows.last.is_some_and(|last| at <= last) || next.is_some_and(|next| at < next) {
        return;
    }
    windows.last = Some(at);
    windows.measured.push(pair.measured);
    windows.baseline.push(pair.baseline);
    windows.counts.extend(pair.counts);
}

/// What each comparison of the body says, for those at `judged`: once the hold is over their families share the
/// confidence, step by step.
pub fn said(turn: &Turn, id: NodeId, judged: &[usize], at: Instant) -> Vec<Said> {
    let over = hold_is_over(turn, id, at);
    let known: Vec<Known> = judged
        .iter()
        .filter_map(|index| {
            let comparison = comparison_of(turn.plan, id, *index)?;
            let windows = turn.node(id).windows.get(*index).cloned();
            let windows = windows.unwrap_or_default();
            Some(Known {
                comparison,
                windows,
            })
        })
        .collect();
    let decided = decide(&known);
    known
        .iter()
        .zip(decided)
        .map(|(known, (outcome, level))| Said {
            outcome: over.then_some(outcome),
            windows: known.count(),
            words: known.words(outcome, level),
        })
        .collect()
}

/// How long one window of a comparison is.
pub fn window_ns(plan: &Plan, comparison: &Comparison) -> i64 {
    metric::lookback_of_ns(plan, walk::sides(comparison))
}

/// What is looked at, for people.
pub fn measured(
    eval: &mut Evaluator<'_, '_>,
    comparison: &Comparison,
    pair: Pair,
) -> Vec<Measured> {
    let dim = comparison.dim;
    let sides = walk::sides(comparison).into_iter();
    let values = [pair.measured, pair.baseline].into_iter();
    sides
        .zip(values)
        .map(|(side, value)| Measured {
            what: describe(eval, side),
            value: Value::measured(dim, value),
        })
        .collect()
}

struct Known<'p> {
    comparison: &'p Comparison,
    windows: Windows,
}

impl Known<'_> {
    fn count(&self) -> u32 {
        u32::try_from(self.windows.measured.len()).unwrap_or(u32::MAX)
    }

    fn evidence(&self) -> Evidence<'_> {
        let Windows {
            measured,
            baseline,
            counts,
            ..
        } = &self.windows;
        if counts.is_empty() || counts.len() < measured.len() {
            return Evidence::Windows { measured, baseline };
        }
        let none = (Proportion::default(), Proportion::default());
        let add = |sum: (Proportion, Proportion), one: &(Proportion, Proportion)| {
            (sum.0.and(one.0), sum.1.and(one.1))
        };
        let (measured, baseline) = counts.iter().fold(none, add);
        Evidence::Counts { measured, baseline }
    }

    fn margin(&self) -> Margin {
        Margin {
            worse: match self.comparison.better {
                Some(Direction::Lower) => Worse::Higher,
                Some(Direction::Higher) => Worse::Lower,
                None => Worse::Either,
            },
            relative: self.comparison.relative.as_f64(),
            absolute: self.comparison.absolute.as_f64(),
        }
    }

    /// Too few windows decide nothing.
    fn outcome(&self, level: f64) -> Outcome {
        match self.count() < self.comparison.windows {
            true => Outcome::Open,
            false => outcome(self.evidence(), self.margin(), level),
        }
    }
}

/// The outcome of each, and the level at which it was decided. A difference and its absence are families of their own: no
/// comparison can be both.
fn decide(known: &[Known<'_>]) -> Vec<(Outcome, f64)> {
    let mut decided: Vec<(Outcome, f64)> = known.iter().map(|_| (Outcome::Open, 0.0)).collect();
    let families: BTreeSet<u32> = known.iter().map(|one| one.comparison.family).collect();
    for family in families {
        let is_of = |one: &&Known<'_>| one.comparison.family == family;
        let members: Vec<&Known<'_>> = known.iter().filter(is_of).collect();
        let confidence = members
            .first()
            .map_or(Nano(NANO), |one| one.comparison.confidence);
        let alpha = Nano(NANO - confidence.0).as_f64();
        let by = |wanted: Outcome| {
            holm::stepwise(members.len(), alpha, |at, level| {
                members
                    .get(at)
                    .is_some_and(|one| one.outcome(level) == wanted)
            })
        };
        let shared = alpha / members.len() as f64;
        let levels = by(Outcome::Broken).into_iter().zip(by(Outcome::Holds));
        let places = known.iter().zip(&mut decided);
        let places = places.filter(|(one, _)| one.comparison.family == family);
        for ((_, place), (broken, holds)) in places.zip(levels) {
            *place = match (broken, holds) {
                (Some(level), _) => (Outcome::Broken, level),
                (None, Some(level)) => (Outcome::Holds, level),
                (None, None) => (Outcome::Open, shared),
            };
        }
    }
    decided
}

impl Known<'_> {
    /// `+20% (+18.1% to +22.4%, each bound at 97.5%) in 5 windows on each side, effect size 1; +10% is allowed`
    fn words(&self, outcome: Outcome, level: f64) -> String {
        let (count, needed) = (self.count(), self.comparison.windows);
        if count < needed {
            return format!("{count} of {needed} windows");
        }
        let evidence = self.evidence();
        let Some(difference) = difference_of(evidence, self.margin(), level) else {
            return format!("nothing was counted in {count} windows");
        };
        let seen = match evidence {
            Evidence::Windows { .. } => format!("{count} windows on each side"),
            Evidence::Counts { measured, baseline } => format!(
                "{} of {} against {} of {}",
                measured.hits, measured.of, baseline.hits, baseline.of
            ),
        };
        let effect = difference.effect.map_or_else(String::new, |effect| {
            format!(", effect size {}", short(effect))
        });
        let open = match outcome {
            Outcome::Open => "not enough to tell: ",
            Outcome::Holds | Outcome::Broken => "",
        };
        format!(
            "{open}{} in {seen}{effect}; {} is allowed",
            self.interval(&difference, level),
            self.allowed(),
        )
    }

    fn interval(&self, difference: &Difference, level: f64) -> String {
        let amount = |value: f64| match difference.kind {
            Kind::Relative => quantity(Quantity::measured(Dim::Change, value)),
            Kind::Absolute => self.amount(value),
        };
        let bound = |value: Option<f64>| value.map_or_else(|| "unbounded".to_owned(), amount);
        let interval = difference.interval;
        format!(
            "{} ({} to {}, each bound at {})",
            amount(interval.estimate),
            bound(interval.lower),
            bound(interval.upper),
            quantity(Quantity::measured(Dim::Ratio, 1.0 - level)),
        )
    }

    fn amount(&self, value: f64) -> String {
        let sign = if value >= 0.0 { "+" } else { "" };
        let dim = self.comparison.dim;
        match dim {
            Dim::Ratio => format!("{sign}{}pp", short(value * 100.0)),
            _ => format!("{sign}{}", quantity(Quantity::measured(dim, value))),
        }
    }

    fn allowed(&self) -> String {
        let Comparison {
            relative,
            absolute,
            dim,
            ..
        } = self.comparison;
        let share = quantity(Quantity::exact(Dim::Change, relative.0));
        let amount = match dim {
            Dim::Ratio => format!("{}pp", short(absolute.as_f64() * 100.0)),
            _ => quantity(Quantity::exact(*dim, absolute.0)),
        };
        let sign = match self.comparison.better {
            Some(Direction::Higher) => "that much less",
            Some(Direction::Lower) => "that much more",
            None => "that much more or less",
        };
        let share = share.trim_start_matches('+');
        let margin = match (relative.0, absolute.0) {
            (_, 0) => share.to_owned(),
            (0, _) => amount,
            _ => format!("{share} + {amount}"),
        };
        format!("{margin} ({sign})")
    }
}

fn short(value: f64) -> String {
    quantity(Quantity::measured(Dim::Count, value))
}

/// Whether the stage around the node has been seen for as long as it is held; or a check outside of stages for its time.
fn hold_is_over(turn: &Turn, id: NodeId, at: Instant) -> bool {
    if turn.node(id).through == Through::Over {
        return true;
    }
    let mut up = turn.plan.node(id);
    while let Some(node) = up {
        if let (NodeKind::Stage(stage), Work::Stage(StageWork::Holding(holding))) =
            (&node.kind, &turn.node(node.id).work)
        {
            let since = holding.seen_at.map_or(0, |before| at.since(before).max(0));
            return holding.seen_ns.saturating_add(since) >= stage.hold_ns;
        }
        up = node.parent.and_then(|id| turn.plan.node(id));
    }
    false
}

fn comparison_of(plan: &Plan, id: NodeId, index: usize) -> Option<&Comparison> {
    match &plan.node(id)?.kind {
        NodeKind::Check(check) => comparison(&check.body, index),
        _ => None,
    }
}

fn comparison(body: &[Stmt], index: usize) -> Option<&Comparison> {
    walk::comparisons(body).into_iter().nth(index)
}

fn number<'p>(eval: &mut Evaluator<'p, '_>, side: &'p Expr) -> Result<f64, Trouble> {
    match eval.value(side)? {
        Value::Quantity(quantity) if quantity.amount.is_finite() => Ok(quantity.amount.as_f64()),
        Value::Quantity(quantity) => Err(Trouble::NoNumber(format!(
            "{} is no number",
            quantity.amount.as_f64()
        ))),
        Value::Absent => Err(Trouble::NoData("no data".to_owned())),
        _ => Err(Trouble::Wrong("it is no quantity".to_owned())),
    }
}

/// Of a ratio of two rates, what was counted on both in one window.
fn proportion<'p>(
    eval: &mut Evaluator<'p, '_>,
    side: &'p Expr,
) -> Result<Option<Proportion>, Trouble> {
    let Expr::Metric { metric, scope } = side else {
        return Ok(None);
    };
    let counted = metric::counted(eval, *metric, scope)?;
    Ok(counted.map(|(hits, of)| Proportion {
        hits: hits.min(of),
        of,
    }))
}
