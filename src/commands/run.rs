//! `deployc run PATH`: carries a plan out.

use crate::commands::actor::actor;
use crate::commands::cli::Run;
use crate::commands::compile::{Ready, ready};
use crate::commands::exit::Exit;
use crate::commands::holding::{Holding, Wanted};
use crate::commands::list::outcome_word;
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
use crate::effects::target::lease::Patience;
use crate::effects::world::client;
use crate::engine::protocol::{Actor, EventKind};
use crate::journal::record::Header;
use crate::journal::store::Store;
use crate::journal::writer::{Journal, JournalError, read};
use crate::plan::digest::{digest, json};
use crate::plan::{Plan, SourceMap, elements};
use crate::values::{Instant, Value};
use indexmap::IndexMap;
use jiff::Timestamp;
use std::net::SocketAddr;
use tokio::runtime::Runtime;

pub fn run(args: &Run) -> Exit {
    let ready = match ready(&args.path) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let Ready { plan, map, .. } = &ready;
    let inputs = match inputs::read(&plan.inputs, &args.inputs.set) {
        Ok(inputs) => inputs,
        Err(problems) => return complain(&problems),
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let providers = match providers(plan, map, &inputs, &runtime, args.world) {
        Ok(providers) => providers,
        Err(exit) => return exit,
    };
    if let Err(problems) = runtime.block_on(admit(plan, &providers)) {
        return show(&problems, map);
    }
    let mut store = match location::open(&args.state.state) {
        Ok(store) => store,
        Err(error) => return report(&error),
    };
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
        patience: Patience::Refuse,
    };
    let held = runtime.block_on(held(&wanted, &providers, store.as_ref()));
    let holding = match held {
        Ok(holding) => holding,
        Err(exit) => return exit,
    };
    let header = header(&run, &ready, target.clone(), args.world, created, &actor);
    let journal = match header.and_then(|header| begun(store.as_mut(), &header)) {
        Ok(journal) => journal,
        Err(error) => {
            runtime.block_on(holding.end(Hold::Free));
            return report(&error);
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
    };
    drive(session, runtime, store.as_mut(), |_| started)
}

/// An empty journal.
fn begun(store: &mut dyn Store, header: &Header) -> Result<Journal, JournalError> {
    store.create(header)?;
    read(store, &header.run)
}

/// The locks on the target, unless another run still owes it something.
async fn held(
    wanted: &Wanted<'_>,
    providers: &Providers,
    store: &dyn Store,
) -> Result<Holding, Exit> {
    let holding = Holding::begin(wanted).await?;
    if let Some(exit) = obligation(store, wanted.target) {
        holding.end(Hold::Free).await;
        return Err(exit);
    }
    holding.extend(wanted, providers, Hold::Free).await
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
    inputs: &IndexMap<String, Value>,
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
