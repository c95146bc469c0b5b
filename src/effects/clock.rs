//! The time of a run: anchored to the wall clock, carried on by the monotonic one, and never going back.
//!
//! Where the wall clock is ahead, time has passed that the monotonic clock did not count — the machine slept, or was
//! paused by its host — and the run leaps after it: a window that has closed meanwhile is closed, and samples are asked
//! for at the time that Prometheus has too. Where the wall clock was set back, the run goes on as before, so no deadline
//! is met twice or put off.
#![allow(clippy::disallowed_methods, reason = "this is where the clock is read")]

use crate::values::Instant;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Below it, two clocks that are disciplined by the network drift apart and together again.
const LEAP_MIN_NS: i64 = 2_000_000_000;

/// How late a leap may be seen by whoever sleeps.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// Clones tell the same time.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> Instant + Send + Sync>,
    wall_at_start: Instant,
    started: tokio::time::Instant,
    /// Time that the monotonic clock did not count, in nanoseconds.
    leapt_ns: Arc<AtomicI64>,
}

impl Clock {
    pub fn start() -> Clock {
        Clock::by(wall)
    }

    /// Starts no earlier than `last`: a resumed run never goes back in time.
    pub fn start_after(last: Instant) -> Clock {
        let mut clock = Clock::start();
        clock.wall_at_start = clock.wall_at_start.max(last);
        clock
    }

    /// By another wall clock.
    pub fn by(wall: impl Fn() -> Instant + Send + Sync + 'static) -> Clock {
        Clock {
            wall_at_start: wall(),
            wall: Arc::new(wall),
            started: tokio::time::Instant::now(),
            leapt_ns: Arc::default(),
        }
    }

    pub fn now(&self) -> Instant {
        let elapsed_ns = i64::try_from(self.started.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let counted = self.wall_at_start.plus(elapsed_ns);
        let ahead_ns = (self.wall)().since(counted);
        let leapt_ns = self.leapt_ns.load(Ordering::SeqCst);
        if ahead_ns.saturating_sub(leapt_ns) < LEAP_MIN_NS {
            return counted.plus(leapt_ns);
        }
        // Another reader may have leapt meanwhile, and further.
        let before_ns = self.leapt_ns.fetch_max(ahead_ns, Ordering::SeqCst);
        counted.plus(ahead_ns.max(before_ns))
    }

    /// Nanoseconds that have passed without being counted, such as in the sleep of the machine.
    pub fn leapt_ns(&self) -> i64 {
        self.leapt_ns.load(Ordering::SeqCst)
    }

    /// Returns at `at` or at once when it is past; never for `None`.
    pub async fn sleep_until(&self, at: Option<Instant>) {
        let Some(at) = at else {
            return std::future::pending().await;
        };
        loop {
            let left = Duration::from_nanos(u64::try_from(at.since(self.now())).unwrap_or(0));
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(SLEEP_MAX)).await;
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now().0)
    }
}

/// Before 1970 or after 2262 stands still: no run has such a time.
fn wall() -> Instant {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let ns = since_epoch.map_or(0, |since| {
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    });
    Instant(ns)
}

#[cfg(test)]
mod tests {
    use crate::effects::clock::Clock;
    use crate::values::Instant;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    const SECOND_NS: i64 = 1_000_000_000;

    /// A clock under virtual time, and its wall clock, which stands still unless it is set.
    fn clock() -> (Clock, Arc<AtomicI64>) {
        let wall = Arc::new(AtomicI64::new(1_000 * SECOND_NS));
        let read = Arc::clone(&wall);
        (
            Clock::by(move || Instant(read.load(Ordering::SeqCst))),
            wall,
        )
    }

    fn seconds(clock: &Clock) -> i64 {
        clock.now().0 / SECOND_NS
    }

    #[tokio::test(start_paused = true)]
    async fn time_goes_on_while_the_wall_clock_stands_or_is_set_back() {
        let (clock, wall) = clock();
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(seconds(&clock), 1_005);
        wall.store(0, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(seconds(&clock), 1_010);
        assert_eq!(clock.leapt_ns(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_sleep_of_the_machine_is_time_that_has_passed() {
        let (clock, wall) = clock();
        wall.store(4_600 * SECOND_NS, Ordering::SeqCst);
        assert_eq!(seconds(&clock), 4_600);
        assert_eq!(clock.leapt_ns(), 3_600 * SECOND_NS);
        wall.store(1_000 * SECOND_NS, Ordering::SeqCst);
        assert_eq!(seconds(&clock), 4_600, "never back");
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(seconds(&clock.clone()), 4_605);
    }

    #[tokio::test(start_paused = true)]
    async fn a_small_difference_is_no_leap() {
        let (clock, wall) = clock();
        wall.store(1_000 * SECOND_NS + 1_900_000_000, Ordering::SeqCst);
        assert_eq!(seconds(&clock), 1_000);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sleeps_over_a_leap_wakes_soon_after_it() {
        let (clock, wall) = clock();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(Some(Instant(2_000 * SECOND_NS))).await }
        });
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert!(!sleeper.is_finished());
        wall.store(3_000 * SECOND_NS, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(sleeper.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_ends_on_time_and_one_in_the_past_at_once() {
        let (clock, _) = clock();
        let started = tokio::time::Instant::now();
        clock
            .sleep_until(Some(Instant(1_003 * SECOND_NS + 500_000_000)))
            .await;
        assert_eq!(started.elapsed(), Duration::from_millis(3_500));
        clock.sleep_until(Some(Instant(0))).await;
        assert_eq!(started.elapsed(), Duration::from_millis(3_500));
    }

    #[test]
    fn a_resumed_run_does_not_go_back() {
        let later = Instant(Clock::start().now().0 + 3_600 * SECOND_NS);
        assert!(Clock::start_after(later).now() >= later);
    }
}
