//! A run that this process drives: from a verified journal to its end.

use crate::commands::cli::Output;
use crate::commands::exit::Exit;
use crate::commands::runs::report;
use crate::commands::show::audience::Screen;
use crate::commands::terminal;
use crate::effects::clock::Clock;
use crate::effects::driver::{Driver, Ended};
use crate::effects::registry::Providers;
use crate::effects::signals::Signals;
use crate::effects::store::location::Location;
use crate::effects::store::lock::{Holder, Lock, LockError, acquire};
use crate::engine::protocol::{Actor, EventKind};
use crate::journal::replay::replay;
use crate::journal::store::Store;
use crate::journal::writer::{Journal, JournalError, take_over};
use crate::plan::{Plan, SourceMap};
use crate::values::show;
use std::net::SocketAddr;
use tokio::runtime::Runtime;

/// What is needed to drive.
pub struct Session {
    pub plan: Plan,
    pub map: SourceMap,
    pub journal: Journal,
    pub providers: Providers,
    pub actor: Actor,
    pub output: Output,
    /// Held while this lives.
    pub lock: Option<Lock>,
}

/// What two live runs may never share: the plan's name and where its clusters are; or the simulated world.
pub fn target(plan: &Plan, world: Option<SocketAddr>) -> String {
    if let Some(address) = world {
        return format!("plan {}, simulated world {address}", plan.name);
    }
    let places = plan
        .providers
        .iter()
        .filter(|provider| provider.kind == "kubernetes")
        .map(|provider| {
            let settings: Vec<String> = ["context", "namespace"]
                .into_iter()
                .filter_map(|name| {
                    Some(format!("{name} {}", setting(provider.settings.get(name)?)))
                })
                .collect();
            format!("kubernetes {}", settings.join(" "))
        });
    let all: Vec<String> = std::iter::once(format!("plan {}", plan.name))
        .chain(places)
        .collect();
    all.join(", ")
}

fn setting(setting: &crate::plan::Setting) -> String {
    match setting {
        crate::plan::Setting::Value(value) => show::interpolated(value),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

pub fn lock(
    location: &Location,
    run: &str,
    target: &str,
    actor: &Actor,
) -> Result<Option<Lock>, LockError> {
    let holder = Holder {
        run: run.to_owned(),
        user: actor.user.clone(),
        host: actor.host.clone(),
        process: std::process::id(),
        since: show::instant(Clock::start().now()),
    };
    match location {
        Location::Folder(folder) => acquire(folder, target, &holder).map(Some),
        Location::Postgres(_) => Ok(None),
    }
}

/// What providers are built in and driven by: a client of a cluster keeps a task of its own.
pub fn runtime() -> Result<Runtime, Exit> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| report(&error))
}

/// Drives to the end and gives the exit code. `runtime` is the one that the providers were built in.
pub fn drive(
    session: Session,
    runtime: Runtime,
    store: &mut dyn Store,
    first: impl FnOnce(u64) -> EventKind,
) -> Exit {
    let run = session.journal.header.run.clone();
    let ended = runtime.block_on(driven(session, store, first));
    // Messages that are still being told are not waited for.
    runtime.shutdown_background();
    match ended {
        Ok(Ended::Finished(outcome)) => match store.finish(&run, outcome) {
            Ok(()) => Exit::of_run(outcome),
            Err(error) => report(&error),
        },
        Ok(Ended::Interrupted) => {
            terminal::eprintln!("run `{run}` is not ended: `deployc resume {run}` goes on");
            Exit::Interrupted
        }
        Err(error) => {
            terminal::eprintln!("error: {error}");
            terminal::eprintln!("run `{run}` is not ended: `deployc resume {run}` goes on");
            Exit::Interrupted
        }
    }
}

async fn driven(
    session: Session,
    store: &mut dyn Store,
    first: impl FnOnce(u64) -> EventKind,
) -> Result<Ended, JournalError> {
    let Session {
        plan,
        map,
        journal,
        providers,
        actor,
        output,
        lock,
    } = session;
    let state = replay(&plan, &journal.events);
    let last = journal
        .events
        .last()
        .map_or(crate::values::Instant(0), |event| event.at);
    let writer = take_over(store, &journal)?;
    let first = first(writer.epoch);
    let audience = Screen::new(output, map);
    let signals = Signals::listen().map_err(|error| JournalError::from(unlistening(&error)))?;
    let clock = Clock::start_after(last);
    let mut driver = Driver {
        plan: &plan,
        store,
        writer,
        audience,
        providers,
        clock,
        actor,
    };
    let ended = driver.drive(state, first, signals).await;
    driver.audience.close();
    drop(lock);
    ended
}

fn unlistening(error: &std::io::Error) -> crate::journal::store::StoreError {
    crate::journal::store::StoreError::Unusable {
        path: "signals".into(),
        why: error.to_string(),
    }
}
