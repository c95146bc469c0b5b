//! By how much one sample is above another: the estimate of Hodges and Lehmann, with Moses' interval.

use crate::statistics::{normal, ranks};

/// An estimate between two bounds, each of which holds with the confidence that was asked for. `None`: unbounded, because
/// there are too few values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub estimate: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// The median of what `between` gives for all pairs, and the order statistics that bound it when each bound may be wrong
/// with a probability of `tail`. `None` without pairs, or where a pair has no finite value.
pub fn shift(
    first: &[f64],
    second: &[f64],
    between: impl Fn(f64, f64) -> f64,
    tail: f64,
) -> Option<Interval> {
    let mut pairs: Vec<f64> = first
        .iter()
        .flat_map(|one| second.iter().map(|other| between(*one, *other)))
        .collect();
    if pairs.iter().any(|pair| !pair.is_finite()) {
        return None;
    }
    pairs.sort_by(f64::total_cmp);
    let from_end = outside(first.len(), second.len(), tail);
    let lower = from_end.checked_sub(1).and_then(|at| pairs.get(at));
    let upper = pairs
        .len()
        .checked_sub(from_end)
        .filter(|_| from_end > 0)
        .and_then(|at| pairs.get(at));
    Some(Interval {
        estimate: median(&pairs)?,
        lower: lower.copied(),
        upper: upper.copied(),
    })
}

/// Of sorted values.
fn median(sorted: &[f64]) -> Option<f64> {
    let half = sorted.len() / 2;
    let above = *sorted.get(half)?;
    if sorted.len() % 2 == 1 {
        return Some(above);
    }
    let below = *sorted.get(half.checked_sub(1)?)?;
    Some(0.5 * (below + above))
}

/// The largest k for which the k-th pair from either end is a bound: U is below k with a probability of at most `tail`.
fn outside(n: usize, m: usize, tail: f64) -> usize {
    let all = n + m;
    if all > ranks::EXACT_MAX {
        let (n, m) = (n as f64, m as f64);
        let deviation = (n * m * (n + m + 1.0) / 12.0).sqrt();
        let k = n * m / 2.0 - normal::exceeded(tail) * deviation + 0.5;
        return k.max(0.0) as usize;
    }
    let untied: Vec<usize> = (1..=all).collect();
    let ways = ranks::ways(&untied, n);
    let total: u64 = ways.iter().sum();
    let least = n * (n + 1) / 2;
    let mut below = 0u64;
    let mut k = 0;
    for count in ways.iter().skip(least) {
        below += count;
        if below as f64 / total as f64 > tail {
            break;
        }
        k += 1;
    }
    k
}
