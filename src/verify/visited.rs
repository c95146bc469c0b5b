//! Classes that were explored: with how many more faults, and how long a run can go on from them.

use rustc_hash::FxHashMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// So many more faults were tried from there.
    pub left: u32,
    /// The longest that a run went on from there without another fault, in nanoseconds.
    pub longest_ns: i64,
}

#[derive(Clone, Debug, Default)]
pub struct Visited {
    pub classes: FxHashMap<u64, Seen>,
}

impl Visited {
    /// What is known of a class that was explored at least as far.
    pub fn covers(&self, class: u64, left: u32) -> Option<Seen> {
        self.classes
            .get(&class)
            .filter(|seen| seen.left >= left)
            .copied()
    }

    /// Takes in what a branch found, which has ended.
    pub fn add(&mut self, class: u64, found: Seen) {
        let seen = self.classes.entry(class).or_insert(found);
        seen.left = seen.left.max(found.left);
        seen.longest_ns = seen.longest_ns.max(found.longest_ns);
    }
}
