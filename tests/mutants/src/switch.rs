//! Which mutant is alive: this file goes into the copy, and each changed place there asks it.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// More mutants than this have no room in [`SEEN`].
pub const MUTANTS_MAX: usize = 64 * WORDS;

const WORDS: usize = 1024;

static ALIVE: LazyLock<u32> =
    LazyLock::new(|| env::var("MUTANT").map_or(0, |number| number.parse().unwrap_or(0)));

/// Where the numbers of the mutants that are reached go: one line each, also from processes that a test starts.
static REACHED: LazyLock<Option<File>> = LazyLock::new(|| {
    let path = env::var_os("MUTANTS_REACHED")?;
    OpenOptions::new().append(true).create(true).open(path).ok()
});

static SEEN: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];

/// Whether the mutant of this number is the one that the environment names. None has the number 0.
pub fn is_alive(number: u32) -> bool {
    if let Some(file) = &*REACHED {
        note(file, number);
    }
    *ALIVE == number
}

fn note(mut file: &File, number: u32) {
    let bit = 1 << (number % 64);
    let is_new = SEEN
        .get(number as usize / 64)
        .is_some_and(|word| word.fetch_or(bit, Ordering::Relaxed) & bit == 0);
    if is_new {
        // Whoever measures finds a test without mutants, which is no worse than an end of the test.
        let _ = file.write_all(format!("{number}\n").as_bytes());
    }
}
