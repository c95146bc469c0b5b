//! A run by the name that was typed, with its plan.

use crate::commands::exit::Exit;
use crate::commands::load::journal_text;
use crate::commands::terminal;
use crate::effects::store::location::{self, Location};
use crate::engine::protocol::EventKind;
use crate::journal::lines;
use crate::journal::store::{Store, StoreError, Summary};
use crate::journal::writer::{Journal, JournalError, read, verified};
use crate::plan::{Plan, SourceMap, elements};
use std::path::Path;

/// A run that was read and verified.
#[derive(Debug)]
pub struct Loaded {
    pub journal: Journal,
    pub plan: Plan,
    pub map: SourceMap,
}

pub fn load(store: &dyn Store, name: &str) -> Result<Loaded, JournalError> {
    let run = resolve(store, name)?;
    loaded(read(store, &run.run)?)
}

/// By its name in the state directory; or a file that `deployc export` wrote.
pub fn find(location: &Location, name: &str) -> Result<Loaded, JournalError> {
    let path = Path::new(name);
    // No run has such a name.
    let is_path = name.contains(['/', '\\']) || name.ends_with(".jsonl");
    if !is_path && !path.is_file() {
        return load(open(location)?.as_ref(), name);
    }
    let no_journal = |why: String| JournalError::NoJournal {
        path: name.to_owned(),
        why,
    };
    let text = journal_text(path).map_err(|error| no_journal(error.why))?;
    let (header, records) = lines::decode(&text).map_err(no_journal)?;
    loaded(verified(header, &records)?)
}

pub fn loaded(journal: Journal) -> Result<Loaded, JournalError> {
    let plan: Plan = serde_json::from_str(&journal.header.plan)?;
    let plan = match journal.events.first().map(|event| &event.kind) {
        Some(EventKind::Started { inputs, .. }) => elements::with_titles(plan, inputs),
        _ => plan,
    };
    let map = serde_json::from_str(&journal.header.source_map)?;
    Ok(Loaded { journal, plan, map })
}

/// By the whole name or enough of its beginning.
pub fn resolve(store: &dyn Store, name: &str) -> Result<Summary, StoreError> {
    let runs = store.runs()?;
    if let Some(exact) = runs.iter().find(|summary| summary.run == name) {
        return Ok(exact.clone());
    }
    let mut fitting = runs
        .into_iter()
        .filter(|summary| summary.run.starts_with(name));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(StoreError::UnknownRun(name.to_owned())),
        (Some(one), Some(two)) => Err(StoreError::AmbiguousRun {
            prefix: name.to_owned(),
            candidates: format!("`{}`, `{}`", one.run, two.run),
        }),
    }
}

/// For commands that read: the store as it is.
pub fn open(location: &Location) -> Result<Box<dyn Store>, StoreError> {
    location::open_existing(location)
}

/// Prints an error with its line break and gives the exit code.
pub fn report(error: &dyn std::error::Error) -> Exit {
    terminal::eprintln!("error: {error}");
    Exit::Invalid
}
