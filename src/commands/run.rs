//! `deployc run PATH`: carries a plan out.

use crate::commands::actor::actor;
use crate::commands::cli::Run;
use crate::commands::compile::{Ready, ready};
use crate::commands::exit::Exit;
use crate::commands::holding::Wanted;
use crate::commands::queue;
use crate::commands::runs::report;
use crate::commands::session::{Session, drive, runtime, target};
use crate::commands::terminal;
use crate::effects::admission::admit;
use crate::effects::clock::Clock;
use crate::effects::inputs;
use crate::effects::registry::{self, Problem, Providers};
use crate::effects::secret::Environment;
use crate::effects::store::location;
use crate::effects::target::claim::Hold;
use crate::effects::world::client;
use crate::engine::protocol::{Actor, EventKind};
use crate::journal::record::Header;
use crate::journal::store::Store;
use crate::journal::writer::{Journal, JournalError, read};
use crate::plan::digest::{digest, json};
use crate::plan::{Plan, SourceMap, elements};
use crate::values::Instant;
use crate::values::fields::Fields;
use jiff::Timestamp;
use std::net::SocketAddr;
use tokio::runtime::Runtime;

pub fn run(args: &Run) -> Exit {
    match carried_out(args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn carried_out(args: &Run) -> Result<Exit, Exit> {
    let ready = ready(&args.path)?;
    let Ready { plan, map, .. } = &ready;
    let inputs = inputs::read(&plan.inputs, &args.inputs.set);
    let inputs = inputs.map_err(|problems| complain(&problems))?;
    let runtime = runtime()?;
    let providers = providers(plan, map, &inputs, &runtime, args.world)?;
    let admitted = runtime.block_on(admit(plan, &providers));
    admitted.map_err(|problems| show(&problems, map))?;
    let mut store = location::open(&args.state.state).map_err(|error| report(&error))?;
    let actor = actor();
    let target = target(plan, args.world);
    let created = Clock::start().now();
    let run = name(plan, created);
    let wanted = Wanted {
        location: &args.state.state,
        run: &run,
        target: &target,
        plan: &ready.plan.name,
        actor: &actor,
        patience: queue::patience(plan.concurrent),
    };
    let (holding, signals) = queue::hold(
        &runtime,
        &wanted,
        &providers,
        store.as_mut(),
        plan.concurrent,
    )?;
    let header = header(&run, &ready, target.clone(), args.world, created, &actor);
    let journal = match header.and_then(|header| begun(store.as_mut(), &header)) {
        Ok(journal) => journal,
        Err(error) => {
            runtime.block_on(holding.end(Hold::Free));
            return Err(report(&error));
        }
    };
    let titled = elements::with_titles(ready.plan, &inputs);
    let started = EventKind::Started {
        run,
        digest: journal.header.digest.clone(),
        inputs,
        by: actor.clone(),
    };
    let session = Session {
        plan: titled,
        map: ready.map,
        journal,
        providers,
        actor,
        output: args.output.output,
        holding,
        signals,
    };
    Ok(drive(session, runtime, store.as_mut(), |_| started))
}

/// An empty journal.
fn begun(store: &mut dyn Store, header: &Header) -> Result<Journal, JournalError> {
    store.create(header)?;
    read(store, &header.run)
}

/// Of inputs that are missing or wrong.
pub fn complain(problems: &[inputs::Wrong]) -> Exit {
    for problem in problems {
        let help = problem.help.as_ref().map(|help| format!("; {help}"));
        terminal::eprintln!("error: {}{}", problem.message, help.unwrap_or_default());
    }
    Exit::Usage
}

/// Builds the providers, or prints what is in the way. With a simulated world they are all in it, and that is said.
pub fn providers(
    plan: &Plan,
    map: &SourceMap,
    inputs: &Fields,
    runtime: &Runtime,
    world: Option<SocketAddr>,
) -> Result<Providers, Exit> {
    if let Some(address) = world {
        terminal::eprintln!(
            "note: the world at {address} is simulated: nothing real is asked or changed"
        );
        return Ok(client::providers(plan, address));
    }
    let _inside = runtime.enter();
    registry::build(plan, inputs, &Environment::of_process())
        .map_err(|problems| show(&problems, map))
}

fn show(problems: &[Problem], map: &SourceMap) -> Exit {
    for problem in problems {
        let place = map.places.get(problem.loc.0 as usize);
        let place = place.map(|place| format!("{}:{}: ", place.file, place.line));
        terminal::eprintln!(
            "error: {}provider `{}`: {}",
            place.unwrap_or_default(),
            problem.provider,
            problem.message
        );
    }
    Exit::Invalid
}

/// `x0tta6bl4-20260121-063000`: sorts by time, can be typed.
fn name(plan: &Plan, created: Instant) -> String {
    let time = Timestamp::from_nanosecond(i128::from(created.0)).unwrap_or(Timestamp::UNIX_EPOCH);
    let millis = (created.0 / 1_000_000) % 1_000;
    format!(
        "{}-{}-{millis:03}",
        plan.name,
        time.strftime("%Y%m%d-%H%M%S")
    )
}

fn header(
    run: &str,
    ready: &Ready,
    target: String,
    world: Option<SocketAddr>,
    created: Instant,
    by: &Actor,
) -> Result<Header, JournalError> {
    Ok(Header {
        run: run.to_owned(),
        digest: digest(&ready.plan),
        target,
        world: world.map(|address| address.to_string()),
        created,
        by: by.clone(),
        plan: json(&ready.plan),
        source_map: serde_json::to_string(&ready.map)?,
        sources: ready.sources.clone(),
    })
}
