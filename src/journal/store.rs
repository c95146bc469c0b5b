//! Where journals are kept, seen from those who need one.

use crate::engine::protocol::{Actor, EventKind, RunOutcome};
use crate::journal::record::{Hash, Header, Record};
use crate::values::Instant;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A place for runs. After an error of `append` nothing more may be carried out: the write is never retried.
pub trait Store {
    fn create(&mut self, header: &Header) -> Result<(), StoreError>;
    fn header(&self, run: &str) -> Result<Header, StoreError>;
    fn records(&self, run: &str) -> Result<Vec<Record>, StoreError>;
    /// A new writer: raises the epoch of the run and returns it. Writers of earlier epochs are fenced from then on.
    fn take_over(&mut self, run: &str) -> Result<u64, StoreError>;
    /// All of them or none, durable when it returns. In the same transaction the epoch is checked, and that the first of
    /// them follows the last one that was written; the head moves on, and letters are taken out, so that an answer counts
    /// once. They are of one epoch and follow each other.
    fn append(&mut self, run: &str, entries: &[Entry]) -> Result<(), StoreError>;
    /// What the last append left, kept apart from the records: it shows that a tail was cut off.
    fn head(&self, run: &str) -> Result<Head, StoreError>;
    /// Marks how the run ended; after its last record.
    fn finish(&mut self, run: &str, outcome: RunOutcome) -> Result<(), StoreError>;
    /// Gives the target of a run free whose rollback is incomplete: a person has looked and takes it over, and why.
    fn release(&mut self, run: &str, by: &Actor, reason: &str) -> Result<(), StoreError>;
    /// Newest first.
    fn runs(&self) -> Result<Vec<Summary>, StoreError>;
    /// Leaves a letter for whoever drives the run, now or later.
    fn post(&mut self, run: &str, kind: &EventKind) -> Result<LetterId, StoreError>;
    /// Letters that were not taken yet, oldest first.
    fn letters(&self, run: &str) -> Result<Vec<(LetterId, EventKind)>, StoreError>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LetterId(pub i64);

/// A record to append, and the letter that its event came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub record: Record,
    pub letter: Option<LetterId>,
}

/// The end of a journal: the last record's number and hash; 0 and the header's hash before the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub seq: u64,
    pub hash: Hash,
}

impl Head {
    /// What the journal has to end with for this record to follow.
    pub fn before(record: &Record) -> Head {
        Head {
            seq: record.seq.saturating_sub(1),
            hash: record.previous,
        }
    }

    pub fn after(record: &Record) -> Head {
        Head {
            seq: record.seq,
            hash: record.hash,
        }
    }
}

/// Why nothing was appended: what the store has instead of this writer's epoch, or of what it follows.
pub fn refused(run: &str, own: u64, found: Option<u64>) -> StoreError {
    let run = run.to_owned();
    match found {
        None => StoreError::UnknownRun(run),
        Some(current) if current != own => StoreError::Fenced { run, own, current },
        Some(_) => StoreError::Diverged { run },
    }
}

/// A line of `deployc list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub run: String,
    pub target: String,
    pub created: Instant,
    pub records: u64,
    /// `None`: it has not ended.
    pub outcome: Option<RunOutcome>,
    /// Who gave the target free after an incomplete rollback, and why.
    pub released: Option<String>,
}

impl Summary {
    /// Whether the run still keeps its target from others.
    pub fn holds_target(&self) -> bool {
        match self.outcome {
            // Killed before its first event, it has done nothing and has nothing to go on with.
            None => self.records > 0,
            Some(RunOutcome::RollbackIncomplete) => self.released.is_none(),
            Some(_) => false,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("no run `{0}`; `deployc list` shows all")]
    UnknownRun(String),
    #[error("nothing was run here yet")]
    NoRuns,
    #[error("`{prefix}` could be {candidates}; give more of its name")]
    AmbiguousRun { prefix: String, candidates: String },
    #[error("run `{0}` exists already")]
    RunExists(String),
    #[error(
        "run `{run}` was taken over by another process (epoch {current}, this one has {own}); nothing more is done here"
    )]
    Fenced { run: String, own: u64, current: u64 },
    #[error(
        "the journal of run `{run}` no longer ends where this process left it: it was written by somebody else, or put back to an earlier state; nothing more is done here"
    )]
    Diverged { run: String },
    #[error("cannot use the store {place}: {why}")]
    Unreachable { place: String, why: String },
    #[error(
        "the store {place} gives no answer: {why}; whether the last events are in it is not known. Nothing more is done, `deployc resume` reads it back and goes on"
    )]
    InDoubt { place: String, why: String },
    #[error("cannot use the state directory {path}: {why}")]
    Unusable { path: PathBuf, why: String },
    #[error(
        "{path} is damaged: {why}; nothing was changed. Keep a copy of the file before anything else"
    )]
    Damaged { path: PathBuf, why: String },
    #[error(
        "cannot write to {path}: {why}; nothing more is done, `deployc resume` goes on once that is mended"
    )]
    Unwritable { path: PathBuf, why: String },
}

#[cfg(test)]
mod tests {
    use crate::engine::protocol::RunOutcome;
    use crate::journal::store::{StoreError, Summary, refused};
    use crate::values::Instant;

    #[test]
    fn a_run_keeps_its_target_until_it_has_ended_or_somebody_has_released_it() {
        let summary = |records, outcome, released: Option<&str>| Summary {
            run: "r".to_owned(),
            target: "t".to_owned(),
            created: Instant(0),
            records,
            outcome,
            released: released.map(str::to_owned),
        };
        let holds = |records, outcome, released| summary(records, outcome, released).holds_target();
        assert!(!holds(0, None, None));
        assert!(holds(1, None, None));
        assert!(holds(9, Some(RunOutcome::RollbackIncomplete), None));
        assert!(!holds(9, Some(RunOutcome::RollbackIncomplete), Some("ann")));
        for ended in [
            RunOutcome::Succeeded,
            RunOutcome::Stopped,
            RunOutcome::RolledBack,
        ] {
            assert!(!holds(9, Some(ended), None));
        }
    }

    #[test]
    fn a_refused_append_says_who_writes_or_that_the_journal_has_gone_on() {
        assert!(matches!(refused("r", 1, None), StoreError::UnknownRun(run) if run == "r"));
        assert!(matches!(
            refused("r", 1, Some(2)),
            StoreError::Fenced {
                own: 1,
                current: 2,
                ..
            }
        ));
        assert!(matches!(
            refused("r", 2, Some(2)),
            StoreError::Diverged { .. }
        ));
    }
}
