//! `deployc resume RUN`: goes on with a run whose process has ended.

use crate::commands::actor::actor;
use crate::commands::cli::OfRun;
use crate::commands::exit::Exit;
use crate::commands::holding::{Holding, Wanted, say_awaited};
use crate::commands::run::providers;
use crate::commands::runs::{self, Loaded, report};
use crate::commands::session::{Session, drive, runtime, signals};
use crate::commands::terminal;
use crate::effects::registry::Providers;
use crate::effects::store::location::Location;
use crate::effects::target::claim::Hold;
use crate::effects::target::lease::Patience;
use crate::engine::protocol::EventKind;
use crate::journal::store::Store;
use crate::plan::SEMANTICS;
use crate::values::fields::Fields;
use std::net::SocketAddr;
use tokio::runtime::Runtime;

pub fn resume(args: &OfRun) -> Exit {
    match gone_on(args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn gone_on(args: &OfRun) -> Result<Exit, Exit> {
    let location = &args.state.state;
    let mut store = runs::open(location).map_err(|error| report(&error))?;
    let summary = runs::resolve(store.as_ref(), &args.run);
    let summary = summary.map_err(|error| report(&error))?;
    let run = summary.run;
    if let Some(outcome) = summary.outcome {
        terminal::eprintln!("run `{run}` has ended already");
        return Ok(Exit::of_run(outcome));
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
    let runtime = runtime()?;
    // The journal is read under the lock: whoever had that before writes no more.
    let mut holding = Holding::none();
    runtime.block_on(holding.begin(&wanted, &mut say_awaited))?;
    let (loaded, providers) = match prepared(store.as_ref(), &run, &runtime) {
        Ok(prepared) => prepared,
        Err(exit) => {
            runtime.block_on(holding.end(Hold::Left));
            return Err(exit);
        }
    };
    let Loaded { journal, plan, map } = loaded;
    let wanted = Wanted {
        plan: &plan.name,
        ..wanted
    };
    if let Err(exit) = runtime.block_on(holding.extend(&wanted, &providers, &mut say_awaited)) {
        runtime.block_on(holding.end(Hold::Left));
        return Err(exit);
    }
    let signals = match signals(&runtime) {
        Ok(signals) => signals,
        Err(exit) => {
            runtime.block_on(holding.end(Hold::Left));
            return Err(exit);
        }
    };
    // What a lock has noted of the journal was durable then.
    let reached = holding.anchors.iter();
    if let Err(error) = reached.copied().try_for_each(|head| journal.reaches(head)) {
        runtime.block_on(holding.end(Hold::Left));
        return Err(report(&error));
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
        signals,
    };
    let first = |epoch| EventKind::Resumed { by, epoch };
    Ok(drive(session, runtime, store.as_mut(), first))
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
fn begun(loaded: &Loaded) -> Result<(Fields, Option<SocketAddr>), String> {
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
