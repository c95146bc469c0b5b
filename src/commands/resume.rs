//! `deployc resume RUN`: goes on with a run whose process has ended.

use crate::commands::actor::actor;
use crate::commands::cli::OfRun;
use crate::commands::exit::Exit;
use crate::commands::run::providers;
use crate::commands::runs::{self, Loaded, report};
use crate::commands::session::{Session, drive, lock, runtime};
use crate::commands::terminal;
use crate::engine::protocol::EventKind;
use crate::plan::SEMANTICS;

pub fn resume(args: &OfRun) -> Exit {
    let folder = &args.state.state;
    let mut store = match runs::open(folder) {
        Ok(store) => store,
        Err(error) => return report(&error),
    };
    let Loaded { journal, plan, map } = match runs::load(&store, &args.run) {
        Ok(loaded) => loaded,
        Err(error) => return report(&error),
    };
    let run = journal.header.run.clone();
    match runs::resolve(&store, &run) {
        Ok(summary) => {
            if let Some(outcome) = summary.outcome {
                terminal::eprintln!("run `{run}` has ended already");
                return Exit::of_run(outcome);
            }
        }
        Err(error) => return report(&error),
    }
    if plan.semantics != SEMANTICS {
        terminal::eprintln!(
            "error: run `{run}` was begun by a deployc that carries plans out differently (semantics {}, this one has {SEMANTICS}); resume it with that one",
            plan.semantics
        );
        return Exit::Invalid;
    }
    let Some(EventKind::Started { inputs, .. }) =
        journal.events.first().map(|event| event.kind.clone())
    else {
        terminal::eprintln!("error: run `{run}` was never started; nothing was changed");
        return Exit::Invalid;
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let providers = match providers(&plan, &map, &inputs, &runtime) {
        Ok(providers) => providers,
        Err(exit) => return exit,
    };
    let actor = actor();
    let lock = match lock(folder, &run, &journal.header.target, &actor) {
        Ok(lock) => lock,
        Err(error) => return report(&error),
    };
    let by = actor.clone();
    let session = Session {
        plan,
        map,
        journal,
        providers,
        actor,
        output: args.output.output,
        lock,
    };
    drive(session, runtime, &mut store, |epoch| EventKind::Resumed {
        by,
        epoch,
    })
}
