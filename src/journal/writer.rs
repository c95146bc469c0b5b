//! Appends events of one run, each chained to the one before.

use crate::engine::protocol::Event;
use crate::journal::chain::{Damage, verify};
use crate::journal::record::{Hash, Header, Record};
use crate::journal::store::{LetterId, Store, StoreError};

/// The one writer of a run, in one epoch.
#[derive(Debug)]
pub struct Writer {
    pub run: String,
    pub epoch: u64,
    next_seq: u64,
    last: Hash,
}

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the journal of run `{run}` is damaged: {damage}; nothing was changed")]
    Damaged { run: String, damage: Damage },
    #[error("an event cannot be written as JSON: {0}")]
    Encoding(#[from] serde_json::Error),
    #[error("{path}: {why}")]
    NoJournal { path: String, why: String },
}

/// A verified journal.
#[derive(Debug)]
pub struct Journal {
    pub header: Header,
    pub events: Vec<Event>,
    end: (u64, Hash),
}

/// Reads and verifies; changes nothing.
pub fn read(store: &impl Store, run: &str) -> Result<Journal, JournalError> {
    verified(store.header(run)?, &store.records(run)?)
}

/// A journal whose every link holds.
pub fn verified(header: Header, records: &[Record]) -> Result<Journal, JournalError> {
    let start = header.hash()?;
    let events = verify(start, records).map_err(|damage| JournalError::Damaged {
        run: header.run.clone(),
        damage,
    })?;
    let end = records
        .last()
        .map_or((0, start), |record| (record.seq, record.hash));
    Ok(Journal {
        header,
        events,
        end,
    })
}

/// Becomes the writer of a run that was read.
pub fn take_over(store: &mut impl Store, journal: &Journal) -> Result<Writer, JournalError> {
    let run = journal.header.run.clone();
    let epoch = store.take_over(&run)?;
    let (seq, last) = journal.end;
    Ok(Writer {
        run,
        epoch,
        next_seq: seq + 1,
        last,
    })
}

impl Writer {
    /// Durable when it returns.
    pub fn append(
        &mut self,
        store: &mut impl Store,
        event: &Event,
        letter: Option<LetterId>,
    ) -> Result<(), JournalError> {
        let record = Record::new(self.next_seq, self.epoch, event, self.last)?;
        store.append(&self.run, &record, letter)?;
        self.next_seq += 1;
        self.last = record.hash;
        Ok(())
    }
}
