//! The pace of a rehearsal on a terminal: days of virtual time within a few seconds that somebody can watch.
#![allow(
    clippy::disallowed_methods,
    reason = "somebody watches, so the clock on the wall counts"
)]

use std::time::{Duration, Instant};

/// How long a rehearsal may take on a terminal.
const WHOLE: Duration = Duration::from_secs(4);
/// Shorter waits are added up: a terminal shows no more.
const GRAIN: Duration = Duration::from_millis(20);

pub struct Pace {
    started: Instant,
    /// The weights of all that will happen; 0 for no pace at all.
    whole: u64,
    passed: u64,
    /// Virtual seconds a second.
    speed: Option<u32>,
}

impl Pace {
    pub fn none() -> Pace {
        Pace::over(0)
    }

    /// Over the sum of all weights that [`Pace::wait`] will be given.
    pub fn over(whole: u64) -> Pace {
        Pace {
            started: Instant::now(),
            whole,
            passed: 0,
            speed: None,
        }
    }

    /// So many virtual seconds a second.
    pub fn at(speed: u32) -> Pace {
        Pace {
            speed: Some(speed),
            ..Pace::none()
        }
    }

    /// Until so much virtual time may have passed.
    pub fn reach(&mut self, virtual_ns: i64) {
        let Some(speed) = self.speed else {
            return;
        };
        let due = Duration::from_nanos(virtual_ns.unsigned_abs()) / speed.max(1);
        let early = due.saturating_sub(self.started.elapsed());
        if early >= GRAIN {
            std::thread::sleep(early);
        }
    }

    /// Until as much of the time has passed as of the weights.
    pub fn wait(&mut self, weight: u64) {
        self.passed += weight;
        if self.whole == 0 {
            return;
        }
        let part = self.passed.min(self.whole) as f64 / self.whole as f64;
        let due = WHOLE.mul_f64(part);
        let early = due.saturating_sub(self.started.elapsed());
        if early >= GRAIN {
            std::thread::sleep(early);
        }
    }
}
