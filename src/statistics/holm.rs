//! Holm's method: several tests share one probability of being wrong.

/// The level at which each of `tests` is decided, `None` where it is not. `decides(test, level)` must hold for a higher
/// level wherever it holds for a lower one.
///
/// The tests that can be decided at `alpha` shared by all of them are; the others share it again, without those.
pub fn stepwise(
    tests: usize,
    alpha: f64,
    decides: impl Fn(usize, f64) -> bool,
) -> Vec<Option<f64>> {
    let mut levels = vec![None; tests];
    loop {
        let open = levels.iter().filter(|level| level.is_none()).count();
        if open == 0 {
            return levels;
        }
        let level = alpha / open as f64;
        let mut decided = false;
        for (test, known) in levels.iter_mut().enumerate() {
            if known.is_none() && decides(test, level) {
                *known = Some(level);
                decided = true;
            }
        }
        if !decided {
            return levels;
        }
    }
}
