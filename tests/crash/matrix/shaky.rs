//! A journal whose next write fails.

use deployc::effects::store::memory::MemoryStore;
use deployc::engine::protocol::{Actor, EventKind, RunOutcome};
use deployc::journal::record::{Header, Record};
use deployc::journal::store::{Entry, Head, LetterId, Store, StoreError, Summary};

#[derive(Default)]
pub struct Shaky {
    pub inner: MemoryStore,
    pub next: Write,
}

/// What becomes of the next write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Write {
    #[default]
    Made,
    NotMade,
    InDoubt,
}

impl Store for Shaky {
    fn create(&mut self, header: &Header) -> Result<(), StoreError> {
        self.inner.create(header)
    }

    fn header(&self, run: &str) -> Result<Header, StoreError> {
        self.inner.header(run)
    }

    fn records(&self, run: &str) -> Result<Vec<Record>, StoreError> {
        self.inner.records(run)
    }

    fn take_over(&mut self, run: &str) -> Result<u64, StoreError> {
        self.inner.take_over(run)
    }

    fn append(&mut self, run: &str, entries: &[Entry]) -> Result<(), StoreError> {
        let unwritable = || StoreError::Unwritable {
            path: "journal".into(),
            why: "fsync: Input/output error".to_owned(),
        };
        match std::mem::take(&mut self.next) {
            Write::Made => self.inner.append(run, entries),
            Write::NotMade => Err(unwritable()),
            Write::InDoubt => {
                self.inner.append(run, entries)?;
                Err(unwritable())
            }
        }
    }

    fn head(&self, run: &str) -> Result<Head, StoreError> {
        self.inner.head(run)
    }

    fn finish(&mut self, run: &str, outcome: RunOutcome) -> Result<(), StoreError> {
        self.inner.finish(run, outcome)
    }

    fn release(&mut self, run: &str, by: &Actor, reason: &str) -> Result<(), StoreError> {
        self.inner.release(run, by, reason)
    }

    fn runs(&self) -> Result<Vec<Summary>, StoreError> {
        self.inner.runs()
    }

    fn post(&mut self, run: &str, kind: &EventKind) -> Result<LetterId, StoreError> {
        self.inner.post(run, kind)
    }

    fn letters(&self, run: &str) -> Result<Vec<(LetterId, EventKind)>, StoreError> {
        self.inner.letters(run)
    }
}
