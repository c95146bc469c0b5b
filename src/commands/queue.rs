//! How a new run comes to its target: at once, behind another run, or in the place of one.
#![allow(clippy::disallowed_methods, reason = "waits for a time")]

use crate::commands::exit::Exit;
use crate::commands::holding::{Holding, Wanted};
use crate::commands::list::outcome_word;
use crate::commands::runs::report;
use crate::commands::session::signals;
use crate::commands::terminal;
use crate::effects::registry::Providers;
use crate::effects::signals::Signals;
use crate::effects::target::claim::Hold;
use crate::effects::target::lease::{Awaited, Patience};
use crate::engine::protocol::EventKind;
use crate::journal::store::Store;
use crate::plan::Concurrent;
use crate::units::show::duration_ns;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::Instant;

/// Until when a run waits, from now on.
pub fn patience(concurrent: Concurrent) -> Patience {
    match concurrent {
        Concurrent::Reject => Patience::Refuse,
        Concurrent::Queue { up_to_ns } | Concurrent::Replace { up_to_ns } => {
            let up_to = Duration::from_nanos(u64::try_from(up_to_ns).unwrap_or(0));
            Patience::Queue(Instant::now() + up_to)
        }
    }
}

/// The locks on the target. What was asked of the process meanwhile is in the signals; an interrupt while it waits ends it.
pub fn hold(
    runtime: &Runtime,
    wanted: &Wanted<'_>,
    providers: &Providers,
    store: &mut dyn Store,
    concurrent: Concurrent,
) -> Result<(Holding, Signals), Exit> {
    let mut signals = signals(runtime)?;
    let mut holding = Holding::none();
    let begun = runtime.block_on(async {
        tokio::select! {
            begun = begin(&mut holding, wanted, providers, store, concurrent) => begun,
            _ = signals.next() => {
                terminal::eprintln!("interrupted before the run was begun: there is nothing to resume");
                Err(Exit::Interrupted)
            }
        }
    });
    match begun {
        Ok(()) => Ok((holding, signals)),
        Err(exit) => {
            runtime.block_on(holding.end(Hold::Free));
            Err(exit)
        }
    }
}

async fn begin(
    holding: &mut Holding,
    wanted: &Wanted<'_>,
    providers: &Providers,
    store: &mut dyn Store,
    concurrent: Concurrent,
) -> Result<(), Exit> {
    let mut waiting = |place: &str, whom: &Awaited| meet(store, wanted, concurrent, place, whom);
    holding.begin(wanted, &mut waiting).await?;
    if let Some(exit) = obligation(store, wanted.target) {
        return Err(exit);
    }
    let mut waiting = |place: &str, whom: &Awaited| meet(store, wanted, concurrent, place, whom);
    holding.extend(wanted, providers, &mut waiting).await
}

/// Somebody else has the target: says for whom this run waits, and asks that one to end where the plan says so.
fn meet(
    store: &mut dyn Store,
    wanted: &Wanted<'_>,
    concurrent: Concurrent,
    place: &str,
    whom: &Awaited,
) {
    let up_to_ns = match concurrent {
        Concurrent::Reject => return say(place, whom, None),
        Concurrent::Queue { up_to_ns } | Concurrent::Replace { up_to_ns } => up_to_ns,
    };
    say(place, whom, Some(up_to_ns));
    let (Concurrent::Replace { .. }, Some(other)) = (concurrent, &whom.run) else {
        return;
    };
    let asked = EventKind::Aborted {
        by: wanted.actor.clone(),
        reason: format!("run `{}` replaces it", wanted.run),
    };
    match store.post(other, &asked) {
        Ok(_) => terminal::eprintln!("note: run `{other}` was told to end"),
        Err(error) => {
            terminal::eprintln!("note: run `{other}` could not be told to end: {error}");
        }
    }
}

fn say(place: &str, whom: &Awaited, up_to_ns: Option<i64>) {
    let holder = &whom.holder;
    let up_to = up_to_ns.map(|ns| format!(" up to {}", duration_ns(ns)));
    let up_to = up_to.unwrap_or_default();
    terminal::eprintln!("note: waiting{up_to} for {place}, which is held by {holder}");
}

/// A run that has not ended, or whose rollback is incomplete, keeps its target.
fn obligation(store: &dyn Store, target: &str) -> Option<Exit> {
    let runs = match store.runs() {
        Ok(runs) => runs,
        Err(error) => return Some(report(&error)),
    };
    let owed = runs
        .iter()
        .find(|run| run.target == target && run.holds_target())?;
    let way = match owed.outcome {
        None => format!(
            "`deployc resume {0}` or `deployc rollback {0}` first",
            owed.run
        ),
        Some(_) => format!(
            "`deployc status {0}` says what is left; `deployc abort {0} --reason …` gives the target free",
            owed.run
        ),
    };
    terminal::eprintln!(
        "error: run `{}` of {target} is {}: {way}",
        owed.run,
        outcome_word(owed.outcome)
    );
    Some(Exit::Invalid)
}
