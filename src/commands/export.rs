//! `deployc export RUN`: a run's journal as JSON lines.
#![allow(
    clippy::disallowed_methods,
    reason = "a journal is written where the command line says"
)]

use crate::commands::cli::Export;
use crate::commands::exit::Exit;
use crate::commands::runs::{self, report};
use crate::commands::terminal;
use crate::effects::store::location::Location;
use crate::engine::protocol::Event;
use crate::journal::lines;
use crate::journal::record::{Header, Record};
use crate::journal::store::StoreError;
use crate::journal::writer::{JournalError, read};
use std::path::Path;

/// One that is damaged is not passed on.
pub fn export(args: &Export) -> Exit {
    match text(&args.state.state, &args.run) {
        Ok(text) => {
            terminal::print!("{text}");
            Exit::Succeeded
        }
        Err(error) => report(&error),
    }
}

/// The journal of a rehearsal, which is kept nowhere else.
pub fn write(path: &Path, header: &Header, events: &[Event]) -> Result<(), JournalError> {
    let mut previous = header.hash()?;
    let mut records = Vec::with_capacity(events.len());
    for (event, seq) in events.iter().zip(1..) {
        let record = Record::new(seq, 1, event, previous)?;
        previous = record.hash;
        records.push(record);
    }
    let text = lines::encode(header, &records)?;
    let unwritable = |error: std::io::Error| StoreError::Unwritable {
        path: path.to_owned(),
        why: error.to_string(),
    };
    Ok(std::fs::write(path, text).map_err(unwritable)?)
}

fn text(location: &Location, run: &str) -> Result<String, JournalError> {
    let store = runs::open(location)?;
    let run = runs::resolve(store.as_ref(), run)?.run;
    let (journal, mut records) = (read(store.as_ref(), &run)?, store.records(&run)?);
    // A live run has written more since.
    records.truncate(journal.events.len());
    Ok(lines::encode(&journal.header, &records)?)
}
