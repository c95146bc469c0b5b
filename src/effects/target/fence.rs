//! Whether this process may still write to a target.
//!
//! **Architecture Invariant:** the time in which a process writes ends before the time in which nobody else may take the
//! lease over: the first counts from before the request that renewed it, and is shorter. It is told by a clock that goes on
//! while the machine sleeps, and whoever waits for a lease to lapse counts with one that does not: both err to the safe side.

use crate::effects::clock::Clock;
use crate::values::Instant;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long a lease holds after it was renewed.
pub const LEASE: Duration = Duration::from_secs(15);
/// How long its holder writes after it was renewed.
pub const WRITE_MAX: Duration = Duration::from_nanos(WRITE_NS_MAX as u64);
const WRITE_NS_MAX: i64 = 10_000_000_000;
/// How often it is renewed.
pub const RENEW_PERIOD: Duration = Duration::from_secs(2);

/// Clones are the same one. Open to all until it is bound to a lease.
#[derive(Clone, Debug)]
pub struct Fence {
    standing: Arc<watch::Sender<Standing>>,
    clock: Clock,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Unbound,
    /// Until this time.
    Open(Instant),
    /// Somebody else has the lease, or it is not known whose it is.
    Lost(String),
}

/// Why nothing is written any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; nothing more is written")]
pub struct Lost(pub String);

impl Default for Fence {
    fn default() -> Fence {
        Fence::by(Clock::start())
    }
}

impl Fence {
    /// By another clock.
    pub fn by(clock: Clock) -> Fence {
        Fence {
            standing: Arc::new(watch::Sender::new(Standing::Unbound)),
            clock,
        }
    }

    /// `asked` is when the request that renewed the lease began.
    pub fn renewed(&self, asked: Instant) {
        self.standing.send_modify(|standing| {
            if !matches!(standing, Standing::Lost(_)) {
                *standing = Standing::Open(asked.plus(WRITE_NS_MAX));
            }
        });
    }

    pub fn lose(&self, why: String) {
        self.standing.send_replace(Standing::Lost(why));
    }

    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    pub fn is_open(&self) -> bool {
        match &*self.standing.borrow() {
            Standing::Unbound => true,
            Standing::Open(until) => self.now() < *until,
            Standing::Lost(_) => false,
        }
    }

    /// Returns when this process may write, at once or after the lease was renewed again; or never may again.
    pub async fn enter(&self) -> Result<(), Lost> {
        let mut standing = self.standing.subscribe();
        loop {
            if let Standing::Lost(why) = &*standing.borrow_and_update() {
                return Err(Lost(why.clone()));
            }
            if self.is_open() {
                return Ok(());
            }
            // Its sender is this fence.
            let _ = standing.changed().await;
        }
    }

    /// Returns when the lease is lost for good.
    pub async fn lost(&self) -> Lost {
        let mut standing = self.standing.subscribe();
        loop {
            if let Standing::Lost(why) = &*standing.borrow_and_update() {
                return Lost(why.clone());
            }
            let _ = standing.changed().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::effects::clock::Clock;
    use crate::effects::target::fence::{Fence, LEASE, Lost, WRITE_MAX};
    use crate::values::Instant;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn it_closes_before_the_lease_lapses_and_opens_when_it_is_renewed() {
        let fence = Fence::by(Clock::by(|| Instant(0)));
        assert!(fence.is_open());
        fence.renewed(fence.now());
        sleep(WRITE_MAX - Duration::from_millis(1)).await;
        assert!(fence.is_open());
        sleep(Duration::from_millis(1)).await;
        assert!(!fence.is_open());
        assert!(WRITE_MAX < LEASE);

        let waiting = tokio::spawn({
            let fence = fence.clone();
            async move { fence.enter().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        fence.renewed(fence.now());
        assert_eq!(waiting.await.unwrap(), Ok(()));

        let why = "somebody has it".to_owned();
        fence.lose(why.clone());
        fence.renewed(fence.now());
        assert_eq!(fence.enter().await, Err(Lost(why.clone())));
        assert_eq!(fence.lost().await, Lost(why));
        assert!(!fence.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn the_sleep_of_the_machine_counts_and_a_clock_that_is_set_back_does_not() {
        let wall = Arc::new(AtomicI64::new(1_000_000_000_000));
        let read = Arc::clone(&wall);
        let fence = Fence::by(Clock::by(move || Instant(read.load(Ordering::SeqCst))));
        fence.renewed(fence.now());
        wall.fetch_sub(900_000_000_000, Ordering::SeqCst);
        sleep(WRITE_MAX - Duration::from_secs(1)).await;
        assert!(fence.is_open());
        sleep(Duration::from_secs(1)).await;
        assert!(!fence.is_open(), "set back, it is no longer open for that");
        fence.renewed(fence.now());
        assert!(fence.is_open());
        wall.fetch_add(1_800_000_000_000, Ordering::SeqCst);
        assert!(!fence.is_open(), "the machine slept");
    }
}
