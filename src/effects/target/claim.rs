//! What stands in a lock on a target.

use crate::journal::store::Head;
use crate::values::{Instant, show};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who holds a target, for those who are refused and for those who come after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub run: String,
    pub user: String,
    pub host: String,
    pub process: u32,
    pub since: Instant,
    /// By the clock of the holder: for people, and to refuse at once. Whether it has lapsed is not decided by it.
    pub renewed: Instant,
    /// Where the journal ended then: one that ends before it has lost its tail.
    pub head: Option<Head>,
    pub hold: Hold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// By a process that renews it.
    Held,
    /// The process has ended, the run has not: the same run may go on at once.
    Left,
    /// The rollback is incomplete: nobody else may have it until a person gives it free.
    Kept,
    Free,
}

impl Claim {
    /// The same process of the same run.
    pub fn is_by(&self, other: &Claim) -> bool {
        self.run == other.run
            && self.host == other.host
            && self.process == other.process
            && self.since == other.since
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Claim {
            run,
            user,
            host,
            process,
            ..
        } = self;
        let since = show::instant(self.since);
        write!(
            f,
            "run `{run}`: {user} on {host}, process {process}, since {since}"
        )
    }
}
