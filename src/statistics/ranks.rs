//! The Mann–Whitney U test, one-sided.

use crate::statistics::normal;

/// With so many values on both sides together, all ways to deal them are counted; above, the distribution is taken for
/// normal.
pub const EXACT_MAX: usize = 40;

/// How likely values like these are dealt so that the first sample has ranks at least as high as it has, if nothing but
/// chance decides which sample a value belongs to. 1 where there is nothing to compare.
pub fn greater(first: &[f64], second: &[f64]) -> f64 {
    let (n, m) = (first.len(), second.len());
    if n == 0 || m == 0 {
        return 1.0;
    }
    let doubled = doubled_ranks(first, first, second);
    let sum: usize = doubled.iter().sum();
    if n + m > EXACT_MAX {
        return approximate(first, second, sum);
    }
    let all = [doubled, doubled_ranks(second, first, second)].concat();
    let ways = ways(&all, n);
    let total: u64 = ways.iter().sum();
    let at_least: u64 = ways.iter().skip(sum).sum();
    at_least as f64 / total as f64
}

/// How often a value of the first sample is above one of the second; a tie is half. The common language effect size.
pub fn superiority(first: &[f64], second: &[f64]) -> Option<f64> {
    let (n, m) = (first.len(), second.len());
    let doubled: usize = doubled_ranks(first, first, second).iter().sum();
    let twice_u = doubled.checked_sub(n * (n + 1))?;
    (n > 0 && m > 0).then(|| twice_u as f64 / (2 * n * m) as f64)
}

/// The smallest number that [`greater`] can give for two samples of this size: one way out of all to deal them.
pub fn least(each: u32) -> f64 {
    // Whole numbers all the way, so that 1 of 20 is 0.05 to the last bit.
    let ways = (1..=each).fold(1.0, |ways, i| ways * f64::from(each + i) / f64::from(i));
    1.0 / ways
}

/// In how many ways `n` of the ranks have each sum, by the sum.
pub fn ways(ranks: &[usize], n: usize) -> Vec<u64> {
    let most: usize = ranks.iter().sum();
    let mut of_size = vec![vec![0u64; most + 1]; n + 1];
    if let Some(none) = of_size.first_mut().and_then(|sums| sums.first_mut()) {
        *none = 1;
    }
    for &rank in ranks {
        for size in (1..=n).rev() {
            let (smaller, others) = of_size.split_at_mut(size);
            let (Some(from), Some(to)) = (smaller.last(), others.first_mut()) else {
                continue;
            };
            for (to, from) in to.iter_mut().skip(rank).zip(from) {
                *to += from;
            }
        }
    }
    of_size.pop().unwrap_or_default()
}

/// Twice the midrank of each of `values` among both samples: tied values share the mean of their ranks.
fn doubled_ranks(values: &[f64], first: &[f64], second: &[f64]) -> Vec<usize> {
    let all = || first.iter().chain(second);
    let rank = |value: &f64| {
        let below = all().filter(|other| *other < value).count();
        let equal = all().filter(|other| *other == value).count();
        2 * below + equal + 1
    };
    values.iter().map(rank).collect()
}

fn approximate(first: &[f64], second: &[f64], doubled_sum: usize) -> f64 {
    let (n, m) = (first.len() as f64, second.len() as f64);
    let u = doubled_sum as f64 / 2.0 - n * (n + 1.0) / 2.0;
    let variance = variance(first, second);
    if variance <= 0.0 {
        return 1.0;
    }
    let half_a_step = 0.5;
    normal::above((u - n * m / 2.0 - half_a_step) / variance.sqrt())
}

/// Of U, with the correction for ties.
pub fn variance(first: &[f64], second: &[f64]) -> f64 {
    let (n, m) = (first.len() as f64, second.len() as f64);
    let mut sorted: Vec<f64> = first.iter().chain(second).copied().collect();
    sorted.sort_by(f64::total_cmp);
    let ties = sorted.chunk_by(|one, other| one == other);
    let ties: f64 = ties
        .map(|tied| tied.len() as f64)
        .map(|t| t * t * t - t)
        .sum();
    let all = n + m;
    n * m / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)))
}
