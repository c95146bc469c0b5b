//! A comparison with a baseline: no worse than it by more than a margin, or near it.
//!
//! It *holds* where the data show, with the confidence, that the margin is kept (a test of non-inferiority, or for `near`
//! of equivalence). It is *broken* where they show that there is a difference, and the estimate of it is beyond the margin,
//! for the typical window or for the mean of all: significant and relevant. Else the question is open: nothing passes
//! because little was seen.

use crate::statistics::proportions::{Proportion, difference, effect};
use crate::statistics::ranks;
use crate::statistics::shift::{Interval, shift};

/// What was seen on both sides.
#[derive(Clone, Copy, Debug)]
pub enum Evidence<'a> {
    /// One value for each window.
    Windows {
        measured: &'a [f64],
        baseline: &'a [f64],
    },
    Counts {
        measured: Proportion,
        baseline: Proportion,
    },
}

/// Which side is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worse {
    Higher,
    Lower,
    /// Both: the two are to be near each other.
    Either,
}

/// What is allowed: a part of the baseline, and an amount beside it. No division, so a baseline of 0 is as good as any.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Margin {
    pub worse: Worse,
    pub relative: f64,
    pub absolute: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Holds,
    Broken,
    Open,
}

/// One direction of a margin, with "worse" always upwards.
struct Side {
    /// −1 where lower is worse.
    sign: f64,
    /// `measured · sign` may be up to `baseline · sign · factor + slack`.
    factor: f64,
    slack: f64,
}

pub fn outcome(evidence: Evidence<'_>, margin: Margin, level: f64) -> Outcome {
    let sides = sides(margin);
    // Two directions share the level for a difference; to be near, both have to be shown, each at the whole of it.
    let of_difference = level / sides.len() as f64;
    if sides
        .iter()
        .any(|side| is_broken(evidence, side, of_difference))
    {
        Outcome::Broken
    } else if sides.iter().all(|side| is_kept(evidence, side, level)) {
        Outcome::Holds
    } else {
        Outcome::Open
    }
}

/// By how much the measured side is above its baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    pub kind: Kind,
    pub interval: Interval,
    /// For windows how often one is above a window of the baseline (0.5: as often as not), for counts Cohen's h.
    pub effect: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A part of the baseline: 0.1 is 10% more.
    Relative,
    /// In the unit of what is measured.
    Absolute,
}

/// For people. Relative where the margin is, unless the baseline has a zero.
pub fn difference_of(evidence: Evidence<'_>, margin: Margin, level: f64) -> Option<Difference> {
    match evidence {
        Evidence::Windows { measured, baseline } => {
            let positive = baseline.iter().all(|value| *value > 0.0);
            let kind = match margin.relative > 0.0 && positive {
                true => Kind::Relative,
                false => Kind::Absolute,
            };
            let between = |one: f64, other: f64| match kind {
                Kind::Relative => one / other - 1.0,
                Kind::Absolute => one - other,
            };
            Some(Difference {
                kind,
                interval: shift(measured, baseline, between, level)?,
                effect: ranks::superiority(measured, baseline),
            })
        }
        Evidence::Counts { measured, baseline } => Some(Difference {
            kind: Kind::Absolute,
            interval: difference(measured, baseline, 1.0, level)?,
            effect: effect(measured, baseline),
        }),
    }
}

/// The fewest windows on each side that can show anything, when so many comparisons share a probability of being wrong.
pub fn fewest_windows(alpha: f64, comparisons: u32) -> u32 {
    let level = alpha / f64::from(comparisons.max(1));
    let mut each = 1;
    // Of a tail that is not above 0 no number is enough.
    while ranks::least(each) > level && each < u32::MAX / 2 && level > 0.0 {
        each += 1;
    }
    each
}

fn sides(margin: Margin) -> Vec<Side> {
    let up = || Side {
        sign: 1.0,
        factor: 1.0 + margin.relative,
        slack: margin.absolute,
    };
    let down = || Side {
        sign: -1.0,
        factor: 1.0 - margin.relative,
        slack: margin.absolute,
    };
    match margin.worse {
        Worse::Higher => vec![up()],
        Worse::Lower => vec![down()],
        Worse::Either => vec![up(), down()],
    }
}

fn is_kept(evidence: Evidence<'_>, side: &Side, level: f64) -> bool {
    match evidence {
        Evidence::Windows { measured, baseline } => {
            let measured = turned(measured, side.sign);
            ranks::greater(&allowed(baseline, side), &measured) <= level
        }
        Evidence::Counts { measured, baseline } => {
            beyond_counts(measured, baseline, side, side.factor, level)
                .is_some_and(|(_, upper)| upper <= side.slack)
        }
    }
}

fn is_broken(evidence: Evidence<'_>, side: &Side, level: f64) -> bool {
    match evidence {
        Evidence::Windows { measured, baseline } => {
            let one = turned(measured, side.sign);
            let other = turned(baseline, side.sign);
            ranks::greater(&one, &other) <= level
                && is_beyond(&one, &allowed(baseline, side), level)
        }
        Evidence::Counts { measured, baseline } => {
            let apart = beyond_counts(measured, baseline, side, 1.0, level);
            let estimate = side.sign * (measured.rate() - side.factor * baseline.rate());
            apart.is_some_and(|(lower, _)| lower > 0.0) && estimate > side.slack
        }
    }
}

/// What fails seldom leaves the typical window as it was, and shows in the mean.
fn is_beyond(measured: &[f64], allowed: &[f64], level: f64) -> bool {
    let typical = shift(measured, allowed, |one, other| one - other, level);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    typical.is_some_and(|typical| typical.estimate > 0.0) || mean(measured) > mean(allowed)
}

/// The bounds of `measured − factor · baseline`, upwards where it is worse.
fn beyond_counts(
    measured: Proportion,
    baseline: Proportion,
    side: &Side,
    factor: f64,
    level: f64,
) -> Option<(f64, f64)> {
    let interval = difference(measured, baseline, factor, level)?;
    let (lower, upper) = interval.lower.zip(interval.upper)?;
    Some(match side.sign < 0.0 {
        true => (-upper, -lower),
        false => (lower, upper),
    })
}

fn turned(values: &[f64], sign: f64) -> Vec<f64> {
    values.iter().map(|value| value * sign).collect()
}

fn allowed(baseline: &[f64], side: &Side) -> Vec<f64> {
    let most = |value: &f64| value * side.sign * side.factor + side.slack;
    baseline.iter().map(most).collect()
}
