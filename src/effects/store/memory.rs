//! Journals in memory: for simulation and for tests. Keeps the same promises but for durability.

use crate::engine::protocol::{Actor, EventKind, RunOutcome};
use crate::journal::record::{Header, Record};
use crate::journal::store::{Entry, Head, LetterId, Store, StoreError, Summary, refused};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    runs: BTreeMap<String, Run>,
    letters: i64,
}

#[derive(Clone, Debug)]
struct Run {
    header: Header,
    records: Vec<Record>,
    head: Head,
    epoch: u64,
    outcome: Option<RunOutcome>,
    released: Option<String>,
    letters: Vec<(LetterId, EventKind)>,
}

impl MemoryStore {
    fn run(&self, run: &str) -> Result<&Run, StoreError> {
        self.runs
            .get(run)
            .ok_or_else(|| StoreError::UnknownRun(run.to_owned()))
    }

    fn run_mut(&mut self, run: &str) -> Result<&mut Run, StoreError> {
        self.runs
            .get_mut(run)
            .ok_or_else(|| StoreError::UnknownRun(run.to_owned()))
    }
}

impl Store for MemoryStore {
    fn create(&mut self, header: &Header) -> Result<(), StoreError> {
        if self.runs.contains_key(&header.run) {
            return Err(StoreError::RunExists(header.run.clone()));
        }
        let hash = header.hash().map_err(|error| StoreError::Unwritable {
            path: "memory".into(),
            why: error.to_string(),
        })?;
        let run = Run {
            header: header.clone(),
            records: Vec::new(),
            head: Head { seq: 0, hash },
            epoch: 0,
            outcome: None,
            released: None,
            letters: Vec::new(),
        };
        self.runs.insert(header.run.clone(), run);
        Ok(())
    }

    fn header(&self, run: &str) -> Result<Header, StoreError> {
        Ok(self.run(run)?.header.clone())
    }

    fn records(&self, run: &str) -> Result<Vec<Record>, StoreError> {
        Ok(self.run(run)?.records.clone())
    }

    fn take_over(&mut self, run: &str) -> Result<u64, StoreError> {
        let run = self.run_mut(run)?;
        run.epoch += 1;
        Ok(run.epoch)
    }

    fn append(&mut self, name: &str, entries: &[Entry]) -> Result<(), StoreError> {
        let run = self.run_mut(name)?;
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Ok(());
        };
        let own = first.record.epoch;
        if run.epoch != own || run.head != Head::before(&first.record) {
            return Err(refused(name, own, Some(run.epoch)));
        }
        run.head = Head::after(&last.record);
        for Entry { record, letter } in entries {
            run.records.push(record.clone());
            run.letters.retain(|(id, _)| Some(*id) != *letter);
        }
        Ok(())
    }

    fn head(&self, run: &str) -> Result<Head, StoreError> {
        Ok(self.run(run)?.head)
    }

    fn finish(&mut self, run: &str, outcome: RunOutcome) -> Result<(), StoreError> {
        self.run_mut(run)?.outcome = Some(outcome);
        Ok(())
    }

    fn release(&mut self, run: &str, by: &Actor, reason: &str) -> Result<(), StoreError> {
        self.run_mut(run)?.released = Some(format!("{} on {}: {reason}", by.user, by.host));
        Ok(())
    }

    fn runs(&self) -> Result<Vec<Summary>, StoreError> {
        let mut runs: Vec<Summary> = self
            .runs
            .iter()
            .map(|(name, run)| Summary {
                run: name.clone(),
                target: run.header.target.clone(),
                created: run.header.created,
                records: run.records.len() as u64,
                outcome: run.outcome,
                released: run.released.clone(),
            })
            .collect();
        runs.sort_by(|a, b| (b.created, &b.run).cmp(&(a.created, &a.run)));
        Ok(runs)
    }

    fn post(&mut self, run: &str, kind: &EventKind) -> Result<LetterId, StoreError> {
        self.letters += 1;
        let id = LetterId(self.letters);
        self.run_mut(run)?.letters.push((id, kind.clone()));
        Ok(id)
    }

    fn letters(&self, run: &str) -> Result<Vec<(LetterId, EventKind)>, StoreError> {
        Ok(self.run(run)?.letters.clone())
    }
}
