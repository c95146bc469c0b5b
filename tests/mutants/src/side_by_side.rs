//! Work on many things, some at a time; the first error ends it.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow};

/// `work` gets the number of the worker, too: below `workers`.
pub fn each<T: Sync>(
    things: &[T],
    workers: usize,
    work: impl Fn(usize, &T) -> Result<()> + Sync,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let all = |worker: usize| -> Result<()> {
        while let Some(thing) = things.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = work(worker, thing) {
                // The others find nothing more to do.
                next.store(things.len(), Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(())
    };
    let all = &all;
    std::thread::scope(|scope| {
        let started = (0..workers).map(|worker| scope.spawn(move || all(worker)));
        let started: Vec<_> = started.collect();
        let mut ended = started.into_iter().map(|thread| thread.join());
        ended.try_for_each(|result| result.map_err(|_| anyhow!("a worker broke down"))?)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use anyhow::bail;

    use super::each;

    #[test]
    fn all_things_are_worked_on_once_and_an_error_is_told() {
        let sum = AtomicU32::new(0);
        let add = |_: usize, thing: &u32| {
            sum.fetch_add(*thing, Ordering::Relaxed);
            if *thing == 7 {
                bail!("seven");
            }
            Ok(())
        };
        each(&[1, 2, 3, 4], 3, add).unwrap();
        assert_eq!(sum.load(Ordering::Relaxed), 10);
        assert_eq!(each(&[7, 1], 1, add).unwrap_err().to_string(), "seven");
        assert_eq!(sum.load(Ordering::Relaxed), 17);
    }
}
