//! `deployc resume RUN`: goes on with a run whose process has ended.

use crate::commands::actor::actor;
use crate::commands::cli::OfRun;
use crate::commands::exit::Exit;
use crate::commands::holding::{Holding, Wanted};
use crate::commands::run::providers;
use crate::commands::runs::{self, Loaded, report};
use crate::commands::session::{Session, drive, runtime};
use crate::commands::terminal;
use crate::effects::registry::Providers;
use crate::effects::store::location::Location;
use crate::effects::target::claim::Hold;
use crate::effects::target::lease::Patience;
use crate::engine::protocol::EventKind;
use crate::journal::store::Store;
use crate::plan::SEMANTICS;
use crate::values::Value;
use indexmap::IndexMap;
use std::net::SocketAddr;
use tokio::runtime::Runtime;

pub fn resume(args: &OfRun) -> Exit {
    let location = &args.state.state;
    let mut store = match runs::open(location) {
        Ok(store) => store,
        Err(error) => return report(&error),
    };
    let summary = match runs::resolve(store.as_ref(), &args.run) {
        Ok(summary) => summary,
        Err(error) => return report(&error),
    };
    let run = summary.run;
    if let Some(outcome) = summary.outcome {
        terminal::eprintln!("run `{run}` has ended already");
        return Exit::of_run(outcome);
    }
    let actor = actor();
    let wanted = Wanted {
        location,
        run: &run,
        target: &summary.target,
        plan: "",
        actor: &actor,
        patience: patience(location),
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    // The journal is read under the lock: whoever had that before writes no more.
    let holding = match runtime.block_on(Holding::begin(&wanted)) {
        Ok(holding) => holding,
        Err(exit) => return exit,
    };
    let (loaded, providers) = match prepared(store.as_ref(), &run, &runtime) {
        Ok(prepared) => prepared,
        Err(exit) => {
            runtime.block_on(holding.end(Hold::Left));
            return exit;
        }
    };
    let Loaded { journal, plan, map } = loaded;
    let wanted = Wanted {
        plan: &plan.name,
        ..wanted
    };
    let holding = match runtime.block_on(holding.extend(&wanted, &providers, Hold::Left)) {
        Ok(holding) => holding,
        Err(exit) => return exit,
    };
    // What a lock has noted of the journal was durable then.
    let reached = holding.anchors.iter();
    if let Err(error) = reached.copied().try_for_each(|head| journal.reaches(head)) {
        runtime.block_on(holding.end(Hold::Left));
        return report(&error);
    }
    let by = actor.clone();
    let session = Session {
        plan,
        map,
        journal,
        providers,
        actor,
        output: args.output.output,
        holding,
    };
    drive(session, runtime, store.as_mut(), |epoch| {
        EventKind::Resumed { by, epoch }
    })
}

/// The lock in a folder dies with its process; where there is none, that has to be waited for.
fn patience(location: &Location) -> Patience {
    match location {
        Location::Folder(_) => Patience::Proved,
        Location::Postgres(_) => Patience::Await,
    }
}

/// What the run goes on with, from its journal alone.
pub fn prepared(
    store: &dyn Store,
    run: &str,
    runtime: &Runtime,
) -> Result<(Loaded, Providers), Exit> {
    let loaded = runs::load(store, run).map_err(|error| report(&error))?;
    let (inputs, world) = begun(&loaded).map_err(|why| {
        terminal::eprintln!("error: run `{run}` {why}");
        Exit::Invalid
    })?;
    let providers = providers(&loaded.plan, &loaded.map, &inputs, runtime, world)?;
    Ok((loaded, providers))
}

/// With which inputs, and in which simulated world, if not the real one; or why this program does not go on with it.
fn begun(loaded: &Loaded) -> Result<(IndexMap<String, Value>, Option<SocketAddr>), String> {
    let semantics = loaded.plan.semantics;
    if semantics != SEMANTICS {
        return Err(format!(
            "was begun by a deployc that carries plans out differently (semantics {semantics}, this one has {SEMANTICS}); resume it with that one"
        ));
    }
    let first = loaded.journal.events.first();
    let Some(EventKind::Started { inputs, .. }) = first.map(|event| &event.kind) else {
        return Err("was never started; nothing was changed".to_owned());
    };
    let world = loaded.journal.header.world.as_deref();
    match world.map(str::parse).transpose() {
        Ok(world) => Ok((inputs.clone(), world)),
        Err(why) => Err(format!(
            "names a simulated world that has no address: {why}"
        )),
    }
}
