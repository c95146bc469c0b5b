//! Waiting for something with a limit, so that a test fails instead of hanging.

use std::thread;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(100);

/// Tries until there is a value, and returns it with the time that it took; panics when `within` has
/// passed.
pub fn until<T>(
    what: &str,
    within: Duration,
    mut attempt: impl FnMut() -> Option<T>,
) -> (T, Duration) {
    let begun = Instant::now();
    loop {
        if let Some(value) = attempt() {
            return (value, begun.elapsed());
        }
        assert!(begun.elapsed() < within, "not within {within:?}: {what}");
        thread::sleep(PAUSE);
    }
}
