//! `deployc status [RUN]`: where a run stands, from its journal.

use crate::commands::cli::{Output, Status};
use crate::commands::exit::Exit;
use crate::commands::runs::{self, report};
use crate::commands::show::tree::tree;
use crate::commands::terminal::{self, Stream};
use crate::effects::clock::Clock;
use crate::engine::view::view;
use crate::journal::replay::replay;
use crate::journal::store::{Store, StoreError};
use crate::journal::writer::JournalError;

/// The exit code is that of the run: 5 while it has not ended.
pub fn status(args: &Status) -> Exit {
    let loaded = runs::open(&args.state.state)
        .map_err(JournalError::from)
        .and_then(|store| runs::load(store.as_ref(), &name(store.as_ref(), args.run.as_deref())?));
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => return report(&error),
    };
    let state = replay(&loaded.plan, &loaded.journal.events);
    let now = match state.outcome {
        Some(_) => state.now,
        None => Clock::start_after(state.now).now(),
    };
    let view = view(&loaded.plan, &state, now);
    match args.output.output {
        Output::Json => match serde_json::to_string(&view) {
            Ok(text) => terminal::println!("{text}"),
            Err(error) => return report(&error),
        },
        Output::Human => {
            let style = terminal::style(Stream::Stdout);
            terminal::println!("run {}", loaded.journal.header.run);
            for line in tree(&view, now, style) {
                terminal::println!("{line}");
            }
        }
    }
    state.outcome.map_or(Exit::Waiting, Exit::of_run)
}

/// The newest run where none is named.
fn name(store: &dyn Store, given: Option<&str>) -> Result<String, StoreError> {
    match given {
        Some(run) => Ok(run.to_owned()),
        None => match store.runs()?.first() {
            Some(newest) => Ok(newest.run.clone()),
            None => Err(StoreError::NoRuns),
        },
    }
}
