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
use crate::values::Value;
use indexmap::IndexMap;
use std::net::SocketAddr;

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
    // The journal is read under the lock: whoever had that before writes no more.
    let lock = match lock(location, &run, &summary.target, &actor) {
        Ok(lock) => lock,
        Err(error) => return report(&error),
    };
    let loaded = match runs::load(store.as_ref(), &run) {
        Ok(loaded) => loaded,
        Err(error) => return report(&error),
    };
    let (inputs, world) = match begun(&loaded) {
        Ok(begun) => begun,
        Err(why) => {
            terminal::eprintln!("error: run `{run}` {why}");
            return Exit::Invalid;
        }
    };
    let Loaded { journal, plan, map } = loaded;
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let providers = match providers(&plan, &map, &inputs, &runtime, world) {
        Ok(providers) => providers,
        Err(exit) => return exit,
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
    drive(session, runtime, store.as_mut(), |epoch| {
        EventKind::Resumed { by, epoch }
    })
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
