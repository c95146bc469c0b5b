//! When things are sampled, and clocks that stand still in a pause.
//!
//! Sampling is at a fixed rate, on a grid from the start of what samples. A tick that is missed is not made up: the next
//! sample is at the newest moment of the grid. What has to end at a moment gets one more sample there.

use crate::engine::protocol::ReadId;
use crate::values::Instant;
use serde::Serialize;
use smallvec::SmallVec;

/// One evaluation that may need reads: its instant, and what it still waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sample {
    pub at: Instant,
    pub waiting: Waiting,
}

impl Sample {
    pub fn begun(at: Instant) -> Sample {
        Sample {
            at,
            waiting: Waiting::new(),
        }
    }
}

/// Nearly always one or two.
pub type Waiting = SmallVec<[ReadId; 2]>;

/// Samples on a grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sampler {
    pub origin: Instant,
    pub period_ns: i64,
    /// The instant of the newest sample that was begun.
    pub last: Option<Instant>,
    /// The sample that is being evaluated.
    pub open: Option<Sample>,
}

impl Sampler {
    pub fn new(origin: Instant, period_ns: i64) -> Sampler {
        Sampler {
            origin,
            period_ns: period_ns.max(1),
            last: None,
            open: None,
        }
    }

    /// The instant at which a sample is wanted; the one in `extra` is wanted beside the grid.
    pub fn next(&self, extra: Option<Instant>) -> Instant {
        let grid = match self.last {
            None => self.origin,
            Some(last) => self.floor(last).plus(self.period_ns),
        };
        let extra = extra.filter(|extra| self.last.is_none_or(|last| *extra > last));
        extra.map_or(grid, |extra| extra.min(grid))
    }

    /// Opens the sample that is due: at `extra` if that has come, else at the newest moment of the grid.
    pub fn open(&mut self, now: Instant, extra: Option<Instant>) {
        let due = self.next(extra);
        let newest = self.floor(now).max(due);
        let at = match extra {
            Some(extra) if extra <= now && extra >= due => extra,
            _ => newest,
        };
        self.last = Some(at);
        self.open = Some(Sample::begun(at));
    }

    pub fn open_at(&self) -> Option<Instant> {
        self.open.as_ref().map(|sample| sample.at)
    }

    /// After a process took over: what was asked is lost, so the open sample begins again.
    pub fn reopen(&mut self, now: Instant) {
        if self.open.is_some() {
            self.last = Some(now);
            self.open = Some(Sample::begun(now));
        }
    }

    /// The newest moment of the grid that is not after `at`.
    fn floor(&self, at: Instant) -> Instant {
        let steps = at.since(self.origin).max(0) / self.period_ns;
        self.origin.plus(steps.saturating_mul(self.period_ns))
    }
}

/// Counts time while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stopwatch {
    counted_ns: i64,
    since: Option<Instant>,
}

impl Stopwatch {
    pub fn started(now: Instant) -> Stopwatch {
        Stopwatch {
            counted_ns: 0,
            since: Some(now),
        }
    }

    pub fn stop(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.counted_ns = self.counted_ns.saturating_add(now.since(since).max(0));
        }
    }

    pub fn go_on(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    pub fn elapsed_ns(&self, now: Instant) -> i64 {
        let running = self.since.map_or(0, |since| now.since(since).max(0));
        self.counted_ns.saturating_add(running)
    }

    /// When it will have counted so much, if nothing stops it.
    pub fn reaches(&self, ns: i64) -> Option<Instant> {
        let since = self.since?;
        Some(since.plus(ns.saturating_sub(self.counted_ns)))
    }

    /// Time in which no process carried the run out does not count.
    pub fn skip(&mut self, gap_ns: i64) {
        self.since = self.since.map(|since| since.plus(gap_ns));
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::grid::{Sampler, Stopwatch};
    use crate::values::Instant;

    #[test]
    fn a_missed_tick_is_not_made_up() {
        let mut sampler = Sampler::new(Instant(100), 10);
        sampler.open(Instant(100), None);
        assert_eq!(sampler.next(None), Instant(110));
        sampler.open(Instant(137), None);
        assert_eq!(sampler.open_at(), Some(Instant(130)));
        assert_eq!(sampler.next(None), Instant(140));
    }

    #[test]
    fn one_more_sample_stands_at_the_end() {
        let mut sampler = Sampler::new(Instant(0), 10);
        sampler.open(Instant(0), None);
        assert_eq!(sampler.next(Some(Instant(4))), Instant(4));
        sampler.open(Instant(4), Some(Instant(4)));
        assert_eq!(sampler.open_at(), Some(Instant(4)));
        assert_eq!(sampler.next(Some(Instant(4))), Instant(10));
    }

    #[test]
    fn what_was_asked_when_the_process_was_lost_is_sampled_anew() {
        let mut sampler = Sampler::new(Instant(0), 10);
        sampler.reopen(Instant(5));
        assert_eq!((sampler.open_at(), sampler.last), (None, None));
        sampler.open(Instant(10), None);
        sampler.reopen(Instant(37));
        assert_eq!(sampler.open_at(), Some(Instant(37)));
        assert_eq!(sampler.next(None), Instant(40));
    }

    #[test]
    fn a_stopwatch_stands_still_in_a_pause() {
        let mut watch = Stopwatch::started(Instant(0));
        watch.stop(Instant(5));
        watch.go_on(Instant(105));
        assert_eq!(watch.elapsed_ns(Instant(110)), 10);
        assert_eq!(watch.reaches(20), Some(Instant(120)));
    }
}
