//! A metric over time, in the notation of Prometheus' own rule tests: `0.1+0.01x10 _ stale NaN`.
//!
//! The samples follow each other at one interval. What a query sees at a moment is what Prometheus would see: the newest
//! sample before it, unless that is older than five minutes or the series was marked stale.

use std::fmt;

/// How far back an instant query looks for a sample.
const LOOKBACK_NS: i64 = 5 * 60 * 1_000_000_000;
/// One notation may not fill the memory, whatever it says; runs take no room.
const SAMPLES_MAX: u64 = 1 << 40;

#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    step_ns: i64,
    runs: Vec<Run>,
}

/// Samples that follow one from the other.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Run {
    first: u64,
    count: u64,
    what: Samples,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Samples {
    /// `a+bxn`
    Values {
        from: f64,
        by: f64,
    },
    /// `_`
    Missing,
    Stale,
}

/// What is wrong with a notation, and with which word of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub word: String,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Empty,
    NoSample,
    NoCount,
    TooLong,
}

impl Series {
    /// One sample every `step_ns`; each value is multiplied by `scale`.
    ///
    /// # Errors
    /// The first word that is no sample.
    pub fn parse(notation: &str, step_ns: i64, scale: f64) -> Result<Series, Malformed> {
        let mut runs: Vec<Run> = Vec::new();
        let mut first = 0;
        for word in notation.split_whitespace() {
            let malformed = |why| Malformed {
                word: word.to_owned(),
                why,
            };
            let (what, count) = samples(word, scale).map_err(malformed)?;
            runs.push(Run { first, count, what });
            first += count;
            if first > SAMPLES_MAX {
                return Err(malformed(Why::TooLong));
            }
        }
        if runs.is_empty() {
            return Err(Malformed {
                word: notation.to_owned(),
                why: Why::Empty,
            });
        }
        let step_ns = step_ns.max(1);
        Ok(Series { step_ns, runs })
    }

    /// What a query sees so long after the first sample; `None` for nothing.
    pub fn at(&self, since_ns: i64) -> Option<f64> {
        let newest = u64::try_from(since_ns).ok()? / self.step_ns.unsigned_abs();
        let behind = self.runs.partition_point(|run| run.first <= newest);
        for run in self.runs.get(..behind)?.iter().rev() {
            let index = newest.min(run.first + run.count - 1);
            let age_ns = since_ns.saturating_sub(self.time_of(index));
            match run.what {
                _ if age_ns >= LOOKBACK_NS => return None,
                Samples::Stale => return None,
                Samples::Missing => {}
                Samples::Values { from, by } => {
                    return Some(from + (index - run.first) as f64 * by);
                }
            }
        }
        None
    }

    fn time_of(&self, index: u64) -> i64 {
        let index = i64::try_from(index).unwrap_or(i64::MAX);
        index.saturating_mul(self.step_ns)
    }
}

fn samples(word: &str, scale: f64) -> Result<(Samples, u64), Why> {
    if word == "stale" {
        return Ok((Samples::Stale, 1));
    }
    if let Some(rest) = word.strip_prefix('_') {
        return match rest.strip_prefix('x') {
            Some(times) => Ok((Samples::Missing, count(times)?)),
            None if rest.is_empty() => Ok((Samples::Missing, 1)),
            None => Err(Why::NoSample),
        };
    }
    let (values, more) = match word.split_once('x') {
        Some((values, times)) => (values, count(times)?),
        None => (word, 0),
    };
    let (from, by) = values_of(values).ok_or(Why::NoSample)?;
    let what = Samples::Values {
        from: from * scale,
        by: by * scale,
    };
    Ok((what, more + 1))
}

fn count(times: &str) -> Result<u64, Why> {
    match times.parse::<u64>() {
        Ok(times) if times < SAMPLES_MAX => Ok(times),
        Ok(_) => Err(Why::TooLong),
        Err(_) => Err(Why::NoCount),
    }
}

/// `a`, `a+b`, `a-b`; the sign of an exponent is none of these.
fn values_of(text: &str) -> Option<(f64, f64)> {
    if let Some(from) = number(text) {
        return Some((from, 0.0));
    }
    let signs = text.char_indices().skip(1);
    signs
        .filter(|(_, sign)| matches!(sign, '+' | '-'))
        .find_map(|(at, _)| {
            let (from, by) = text.split_at_checked(at)?;
            Some((number(from)?, number(by)?))
        })
}

fn number(text: &str) -> Option<f64> {
    let plain = text.trim_start_matches(['+', '-']);
    let known = matches!(plain, "NaN" | "Inf")
        || plain.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    text.parse().ok().filter(|_| known)
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Empty => "a series has at least one sample",
            Why::NoSample => "this is no sample",
            Why::NoCount => "behind `x` stands how often it is repeated",
            Why::TooLong => "this is too long",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Series, Why};

    const STEP_NS: i64 = 60_000_000_000;

    /// What a query sees at each minute.
    fn seen(notation: &str, minutes: i64) -> Vec<Option<f64>> {
        let series = Series::parse(notation, STEP_NS, 1.0).unwrap();
        (0..minutes).map(|at| series.at(at * STEP_NS)).collect()
    }

    #[test]
    fn values_are_written_out_as_prometheus_does() {
        assert_eq!(
            seen("1+2x2 7x1 -1-1x1", 7),
            [1.0, 3.0, 5.0, 7.0, 7.0, -1.0, -2.0].map(Some)
        );
        assert_eq!(seen("1e-2 .5 +3", 3), [0.01, 0.5, 3.0].map(Some));
        assert_eq!(seen("1e-2+1e-1x1", 2), [0.01, 0.11].map(Some));
    }

    #[test]
    fn a_missing_sample_leaves_the_last_one_for_five_minutes_and_stale_ends_it_at_once() {
        assert_eq!(seen("_ 3", 2), [None, Some(3.0)]);
        let gap = seen("3 _x9 4", 11);
        assert_eq!(gap[..5], [Some(3.0); 5]);
        assert_eq!(gap[5..10], [None; 5]);
        assert_eq!(gap[10], Some(4.0));
        assert_eq!(seen("3 stale 4", 3), [Some(3.0), None, Some(4.0)]);
        assert_eq!(seen("3 stale _ 4", 4), [Some(3.0), None, None, Some(4.0)]);
    }

    #[test]
    fn behind_its_end_a_series_is_as_one_that_is_no_longer_scraped() {
        let end = seen("1x2", 9);
        assert_eq!(end[..7], [Some(1.0); 7]);
        assert_eq!(end[7..], [None; 2]);
    }

    #[test]
    fn nan_and_inf_travel_as_what_they_are() {
        let seen = seen("NaN Inf -Inf", 3);
        assert!(seen[0].is_some_and(f64::is_nan));
        assert_eq!(seen[1..], [Some(f64::INFINITY), Some(f64::NEG_INFINITY)]);
    }

    #[test]
    fn between_samples_the_newest_counts_and_before_the_first_there_is_none() {
        let series = Series::parse("1 2", STEP_NS, 0.01).unwrap();
        assert_eq!(series.at(STEP_NS - 1), Some(0.01));
        assert_eq!(series.at(STEP_NS), Some(0.02));
        assert_eq!(series.at(-1), None);
    }

    #[test]
    fn a_long_run_takes_no_room_and_no_time() {
        let series = Series::parse("0+1x1000000000", 1, 1.0).unwrap();
        assert_eq!(series.at(1_000_000), Some(1_000_000.0));
        assert_eq!(series.runs.len(), 1);
    }

    #[test]
    fn what_is_no_sample_is_named() {
        let why = |notation: &str| Series::parse(notation, STEP_NS, 1.0).unwrap_err();
        assert_eq!(why("1 two").word, "two");
        assert_eq!(why("1x").why, Why::NoCount);
        assert_eq!(why("1x-3").why, Why::NoCount);
        assert_eq!(why(" ").why, Why::Empty);
        assert_eq!(why("{{count:3}}").why, Why::NoSample);
        assert_eq!(why("infinity").why, Why::NoSample);
        assert_eq!(why("_y").why, Why::NoSample);
        assert_eq!(why("1x99999999999999").why, Why::TooLong);
    }
}
