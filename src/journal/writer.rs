//! Appends events of one run, each chained to the one before.

use crate::engine::protocol::Event;
use crate::journal::chain::{Damage, reaches, verify};
use crate::journal::record::{Hash, Header, Record};
use crate::journal::store::{Entry, Head, LetterId, Store, StoreError};

/// The one writer of a run, in one epoch.
#[derive(Debug)]
pub struct Writer {
    pub run: String,
    pub epoch: u64,
    /// The last record that is durable.
    pub head: Head,
}

/// An event on its way into the journal, and the letter that it came in.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub event: Event,
    pub letter: Option<LetterId>,
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
    pub head: Head,
    /// That of the header, then that of each record.
    hashes: Vec<Hash>,
}

/// Reads and verifies; changes nothing.
pub fn read(store: &(impl Store + ?Sized), run: &str) -> Result<Journal, JournalError> {
    let header = store.header(run)?;
    // Before the records: a writer that is at work meanwhile makes them more, never fewer.
    let kept = store.head(run)?;
    let journal = verified(header, &store.records(run)?)?;
    journal.reaches(kept)?;
    Ok(journal)
}

/// A journal whose every link holds.
pub fn verified(header: Header, records: &[Record]) -> Result<Journal, JournalError> {
    let start = header.hash()?;
    let events = verify(start, records).map_err(|damage| JournalError::Damaged {
        run: header.run.clone(),
        damage,
    })?;
    let hashes = records.iter().map(|record| record.hash);
    let hashes: Vec<Hash> = std::iter::once(start).chain(hashes).collect();
    let head = Head {
        seq: records.len() as u64,
        hash: hashes.last().copied().unwrap_or(start),
    };
    Ok(Journal {
        header,
        events,
        head,
        hashes,
    })
}

impl Journal {
    /// Whether it has everything up to `anchor`, which was noted in another place when that record was written.
    pub fn reaches(&self, anchor: Head) -> Result<(), JournalError> {
        reaches(&self.hashes, anchor).map_err(|damage| JournalError::Damaged {
            run: self.header.run.clone(),
            damage,
        })
    }
}

/// Becomes the writer of a run that was read.
pub fn take_over(
    store: &mut (impl Store + ?Sized),
    journal: &Journal,
) -> Result<Writer, JournalError> {
    let run = journal.header.run.clone();
    let epoch = store.take_over(&run)?;
    Ok(Writer {
        run,
        epoch,
        head: journal.head,
    })
}

impl Writer {
    /// Durable when it returns.
    pub fn append(
        &mut self,
        store: &mut (impl Store + ?Sized),
        event: &Event,
        letter: Option<LetterId>,
    ) -> Result<(), JournalError> {
        let event = event.clone();
        self.append_together(store, &[Arrival { event, letter }])
    }

    /// In one transaction: all are durable when it returns, or none.
    pub fn append_together(
        &mut self,
        store: &mut (impl Store + ?Sized),
        arrivals: &[Arrival],
    ) -> Result<(), JournalError> {
        let mut head = self.head;
        let mut entries = Vec::with_capacity(arrivals.len());
        for Arrival { event, letter } in arrivals {
            let record = Record::new(head.seq + 1, self.epoch, event, head.hash)?;
            head = Head::after(&record);
            let letter = *letter;
            entries.push(Entry { record, letter });
        }
        store.append(&self.run, &entries)?;
        self.head = head;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::verified;
    use crate::engine::protocol::Actor;
    use crate::journal::record::{Header, SIMULATED};
    use crate::journal::store::Head;
    use crate::values::Instant;
    use std::collections::BTreeMap;

    fn header(target: &str) -> Header {
        Header {
            run: "r1".to_owned(),
            digest: "d".repeat(64),
            target: target.to_owned(),
            world: None,
            created: Instant(0),
            by: Actor {
                user: "ann".to_owned(),
                host: "h".to_owned(),
            },
            plan: "{}".to_owned(),
            source_map: "{}".to_owned(),
            sources: BTreeMap::new(),
        }
    }

    #[test]
    fn a_journal_that_lost_what_was_noted_elsewhere_is_damaged() {
        let journal = verified(header("cluster/shop"), &[]).unwrap();
        assert!(journal.reaches(journal.head).is_ok());
        let noted = Head {
            seq: 1,
            ..journal.head
        };
        let damaged = journal.reaches(noted).unwrap_err().to_string();
        assert!(
            damaged.starts_with("the journal of run `r1` is damaged"),
            "{damaged}"
        );
    }

    #[test]
    fn only_a_rehearsal_stands_still() {
        assert!(header("cluster/shop").is_live());
        assert!(!header(SIMULATED).is_live());
    }
}
