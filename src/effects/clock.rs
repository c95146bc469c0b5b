//! The time of a run: anchored to the wall clock once, then monotonic, so that a jump of the wall clock neither
//! fires nor delays a deadline.
#![allow(clippy::disallowed_methods, reason = "this is where the clock is read")]

use crate::values::Instant;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall_at_start: Instant,
    started: tokio::time::Instant,
}

impl Clock {
    pub fn start() -> Clock {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let ns = since_epoch.map_or(0, |since| {
            i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
        });
        Clock {
            wall_at_start: Instant(ns),
            started: tokio::time::Instant::now(),
        }
    }

    /// Starts no earlier than `last`: a resumed run never goes back in time.
    pub fn start_after(last: Instant) -> Clock {
        let mut clock = Clock::start();
        clock.wall_at_start = clock.wall_at_start.max(last);
        clock
    }

    pub fn now(&self) -> Instant {
        let ns = i64::try_from(self.started.elapsed().as_nanos()).unwrap_or(i64::MAX);
        self.wall_at_start.plus(ns)
    }

    /// Returns at `at` or at once when it is past; never for `None`.
    pub async fn sleep_until(&self, at: Option<Instant>) {
        match at {
            None => std::future::pending().await,
            Some(at) => {
                let ns = u64::try_from(at.since(self.now())).unwrap_or(0);
                tokio::time::sleep(Duration::from_nanos(ns)).await;
            }
        }
    }
}
