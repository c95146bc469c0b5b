//! What is known of a run after its end, and of each of its processes that was killed.

use super::moments::Moment;
use super::shop::{Day, Left};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a run has left, by the world's account.
pub struct End {
    pub day: Day,
    pub code: Option<i32>,
    pub kills: Vec<Kill>,
    pub breaches: Vec<String>,
    pub before: Left,
    pub left: Left,
    /// What the run wrote, object by object, in its order.
    pub writes: BTreeMap<String, Vec<String>>,
    pub told: BTreeSet<String>,
    /// By its processes, to people.
    pub said: String,
}

/// Where a run stood when its process was killed.
#[derive(Clone)]
pub struct Kill {
    pub day: Day,
    pub moment: Moment,
    /// In the journal.
    pub records: usize,
    /// What the last of them is.
    pub last: String,
    /// Changes that had reached the world and were not answered.
    pub in_flight: usize,
    pub is_going_back: bool,
}

/// What came of a disk that was full at first.
pub struct Stopped {
    pub code: Option<i32>,
    pub said: String,
    /// In the journal by then.
    pub records: usize,
    pub end: End,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} {:?}", self.day, self.code)?;
        for kill in &self.kills {
            writeln!(f, "  {kill}")?;
        }
        for (object, writes) in &self.writes {
            writeln!(f, "  {object}")?;
            for write in writes {
                writeln!(f, "    {write}")?;
            }
        }
        writeln!(f, "{}", self.said)
    }
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} day, {:?}: {} records, the last `{}`, {} under way",
            self.day, self.moment, self.records, self.last, self.in_flight
        )?;
        match self.is_going_back {
            true => write!(f, ", going back"),
            false => Ok(()),
        }
    }
}
