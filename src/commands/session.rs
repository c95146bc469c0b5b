//! A run that this process drives: from a verified journal to its end.

use crate::commands::cli::Output;
use crate::commands::exit::Exit;
use crate::commands::holding::Holding;
use crate::commands::runs::report;
use crate::commands::show::audience::Screen;
use crate::commands::terminal;
use crate::effects::clock::Clock;
use crate::effects::driver::{Driver, Ended};
use crate::effects::registry::Providers;
use crate::effects::signals::Signals;
use crate::effects::target::claim::Hold;
use crate::engine::protocol::{Actor, EventKind, RunOutcome};
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
    pub holding: Holding,
    pub signals: Signals,
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

/// What providers are built in and driven by: a client of a cluster keeps a task of its own.
pub fn runtime() -> Result<Runtime, Exit> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| report(&error))
}

/// From now on what the operating system asks of the process is heard, and does not end it.
pub fn signals(runtime: &Runtime) -> Result<Signals, Exit> {
    let _inside = runtime.enter();
    Signals::listen().map_err(|error| {
        terminal::eprintln!("error: cannot listen to signals: {error}");
        Exit::Invalid
    })
}

/// Drives to the end and gives the exit code. `runtime` is the one that the providers were built in.
pub fn drive(
    session: Session,
    runtime: Runtime,
    store: &mut dyn Store,
    first: impl FnOnce(u64) -> EventKind,
) -> Exit {
    let run = session.journal.header.run.clone();
    let was_begun = !session.journal.events.is_empty();
    let (ended, holding) = runtime.block_on(driven(session, store, first));
    let begun = match was_begun || holding.head.borrow().is_some() {
        true => Begun::Yes,
        false => Begun::No,
    };
    let (exit, how) = left(&run, ended, begun, store);
    runtime.block_on(holding.end(how));
    // Messages that are still being told are not waited for.
    runtime.shutdown_background();
    exit
}

/// Whether the journal has an event, so that there is something to go on with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    No,
    Yes,
}

/// What is said of the end, and how the target is left.
fn left(
    run: &str,
    ended: Result<Ended, JournalError>,
    begun: Begun,
    store: &mut dyn Store,
) -> (Exit, Hold) {
    let exit = match ended {
        Ok(Ended::Finished(outcome)) => {
            let how = match outcome {
                RunOutcome::RollbackIncomplete => Hold::Kept,
                _ => Hold::Free,
            };
            return match store.finish(run, outcome) {
                Ok(()) => (Exit::of_run(outcome), how),
                Err(error) => (report(&error), how),
            };
        }
        Ok(Ended::Interrupted) => {
            terminal::eprintln!("run `{run}` is not ended: `deployc resume {run}` goes on");
            Exit::Interrupted
        }
        Err(error) if begun == Begun::No => return (report(&error), Hold::Free),
        Ok(Ended::Lost(lost)) => unended(run, &lost),
        Err(error) => unended(run, &error),
    };
    (exit, Hold::Left)
}

fn unended(run: &str, error: &dyn std::error::Error) -> Exit {
    terminal::eprintln!("error: {error}");
    terminal::eprintln!("run `{run}` is not ended: `deployc resume {run}` goes on");
    Exit::Interrupted
}

/// The locks are held until it is known how the run is left.
async fn driven(
    session: Session,
    store: &mut dyn Store,
    first: impl FnOnce(u64) -> EventKind,
) -> (Result<Ended, JournalError>, Holding) {
    let Session {
        plan,
        map,
        journal,
        providers,
        actor,
        output,
        mut holding,
        signals,
    } = session;
    let state = replay(&plan, &journal.events);
    let last = journal
        .events
        .last()
        .map_or(crate::values::Instant(0), |event| event.at);
    let writer = match take_over(store, &journal) {
        Ok(writer) => writer,
        Err(error) => return (Err(error), holding),
    };
    let taken = std::mem::take(&mut holding.taken);
    let first = std::iter::once(first(writer.epoch)).chain(taken).collect();
    let mut driver = Driver {
        plan: &plan,
        store,
        writer,
        audience: Screen::new(output, map),
        providers,
        clock: Clock::start_after(last),
        actor,
        fences: holding.fences.clone(),
        head: holding.head.clone(),
    };
    let ended = driver.drive(state, first, signals).await;
    driver.audience.close();
    (ended, holding)
}
