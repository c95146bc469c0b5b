//! Where journals are kept, seen from those who need one.

use crate::engine::protocol::{Actor, EventKind, RunOutcome};
use crate::journal::record::{Header, Record};
use crate::values::Instant;
use std::path::PathBuf;

/// A place for runs. After an error of `append` nothing more may be carried out: the write is never retried.
pub trait Store {
    fn create(&mut self, header: &Header) -> Result<(), StoreError>;
    fn header(&self, run: &str) -> Result<Header, StoreError>;
    fn records(&self, run: &str) -> Result<Vec<Record>, StoreError>;
    /// A new writer: raises the epoch of the run and returns it. Writers of earlier epochs are fenced from then on.
    fn take_over(&mut self, run: &str) -> Result<u64, StoreError>;
    /// Durable when it returns. The epoch is checked in the same transaction, and the letter (if the event came from the
    /// inbox) is taken out in it, so that an answer counts once.
    fn append(
        &mut self,
        run: &str,
        record: &Record,
        letter: Option<LetterId>,
    ) -> Result<(), StoreError>;
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
