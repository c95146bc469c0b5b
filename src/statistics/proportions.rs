//! Two proportions whose counts are known: requests that failed, of requests.

use crate::statistics::normal;
use crate::statistics::shift::Interval;
use serde::Serialize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Proportion {
    pub hits: f64,
    pub of: f64,
}

impl Proportion {
    pub fn rate(self) -> f64 {
        self.hits / self.of
    }

    pub fn and(self, other: Proportion) -> Proportion {
        Proportion {
            hits: self.hits + other.hits,
            of: self.of + other.of,
        }
    }
}

/// `first − factor · second`, between Newcombe's bounds, each of which may be wrong with a probability of `tail`. `None`
/// where one side counted nothing.
pub fn difference(
    first: Proportion,
    second: Proportion,
    factor: f64,
    tail: f64,
) -> Option<Interval> {
    if first.of <= 0.0 || second.of <= 0.0 {
        return None;
    }
    let z = normal::exceeded(tail);
    let (p, (p_low, p_high)) = (first.rate(), wilson(first, z));
    let (q, (q_low, q_high)) = (second.rate(), wilson(second, z));
    let estimate = p - factor * q;
    let below = hypotenuse(p - p_low, factor * (q_high - q));
    let above = hypotenuse(p_high - p, factor * (q - q_low));
    Some(Interval {
        estimate,
        lower: Some(estimate - below),
        upper: Some(estimate + above),
    })
}

/// Cohen's h: how far apart two proportions are, on a scale on which the same step is equally hard to see everywhere.
pub fn effect(first: Proportion, second: Proportion) -> Option<f64> {
    if first.of <= 0.0 || second.of <= 0.0 {
        return None;
    }
    let angle = |proportion: Proportion| 2.0 * libm::asin(proportion.rate().clamp(0.0, 1.0).sqrt());
    Some(angle(first) - angle(second))
}

/// Wilson's score interval.
fn wilson(proportion: Proportion, z: f64) -> (f64, f64) {
    let (p, n) = (proportion.rate(), proportion.of);
    let z2 = z * z;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // At the ends the bound is the end itself, to the last bit.
    let low = if proportion.hits <= 0.0 {
        0.0
    } else {
        middle - half
    };
    let high = if proportion.hits >= n {
        1.0
    } else {
        middle + half
    };
    (low.max(0.0), high.min(1.0))
}

fn hypotenuse(one: f64, other: f64) -> f64 {
    (one * one + other * other).sqrt()
}
