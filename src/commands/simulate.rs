//! `deployc simulate PATH`: the whole plan, carried out against a simulated world in virtual time.

use crate::commands::check;
use crate::commands::cli::{Output, Simulate};
use crate::commands::exit::Exit;
use crate::commands::export;
use crate::commands::open;
use crate::commands::runs::report;
use crate::commands::scenarios::{self, Rehearsal};
use crate::commands::show::audience::Screen;
use crate::commands::show::pace::Pace;
use crate::commands::show::rehearsal;
use crate::commands::terminal::{self, Stream};
use crate::diagnostics::Severity;
use crate::diagnostics::render::human;
use crate::effects::driver::Audience;
use crate::engine::protocol::{Actor, Event, Note, NoteKind};
use crate::journal::record::{Header, SIMULATED};
use crate::journal::writer::JournalError;
use crate::plan::Plan;
use crate::plan::digest::{digest, json};
use crate::plan::elements;
use crate::simulate::drive::{Drive, Identity, Progress};
use crate::simulate::scenario::Scenario;
use crate::simulate::{setup, summary};
use crate::syntax::ast::scenario as ast;
use crate::values::Verdict;
use crate::verify::scenario::is_open;
use std::path::Path;

/// The scenario that is played where none is named.
pub const DEFAULT: &str = "good-day";

pub fn simulate(args: &Simulate) -> Exit {
    let named = args.scenario.as_deref();
    let elsewhere = named.and_then(scenarios::elsewhere);
    let rehearsal = match scenarios::load(&args.path, elsewhere.as_deref()) {
        Ok(rehearsal) => rehearsal,
        Err(error) => return report(&error),
    };
    check::complain(&rehearsal.compiled, |found| {
        found.severity != Severity::Note
    });
    let Some(plan) = &rehearsal.compiled.plan else {
        return Exit::Invalid;
    };
    if let Some(tree) = tree(&rehearsal, named).filter(|tree| is_open(tree)) {
        return open::simulate(args, &rehearsal, plan, tree);
    }
    let scenario = match scenario(&rehearsal, plan, named) {
        Ok(scenario) => scenario,
        Err(exit) => return exit,
    };
    let inputs = match scenarios::inputs(plan, &scenario, &args.inputs.set) {
        Ok(inputs) => inputs,
        Err(exit) => return exit,
    };
    let digest = digest(plan);
    let titled = elements::with_titles(plan.clone(), &inputs);
    let scripted = setup::scripted(&titled, &scenario);
    let identity = Identity {
        run: format!("{}-simulated", plan.name),
        digest,
        inputs,
    };
    let screen = Screen::new(args.output.output, rehearsal.compiled.source_map().clone());
    let kept = args.journal.as_deref().map(|path| Kept {
        path,
        rehearsal: &rehearsal,
    });
    play(&scripted, &scenario, identity, screen, args, kept)
}

/// The one that was asked for; the good day, or the only one, where none was.
fn tree<'r>(rehearsal: &'r Rehearsal, named: Option<&str>) -> Option<&'r ast::Scenario> {
    let only = match rehearsal.scenarios.as_slice() {
        [(_, only)] => Some(only),
        _ => None,
    };
    match named {
        Some(name) => rehearsal.find(scenarios::stem(name)),
        None => rehearsal.find(DEFAULT).or(only),
    }
}

fn scenario(rehearsal: &Rehearsal, plan: &Plan, named: Option<&str>) -> Result<Scenario, Exit> {
    match tree(rehearsal, named) {
        Some(tree) => rehearsal.resolve(plan, tree).map_err(|found| {
            let style = terminal::style(Stream::Stderr);
            for diagnostic in &found {
                terminal::eprintln!(
                    "{}",
                    human::render(diagnostic, &rehearsal.compiled.sources, style)
                );
            }
            Exit::Invalid
        }),
        None if rehearsal.scenarios.is_empty() && named.is_none() => {
            terminal::eprintln!(
                "note: the plan has no folder `scenarios`: nobody answers, and no metric has data"
            );
            Ok(Scenario::default())
        }
        None => {
            let known: Vec<String> = rehearsal
                .scenarios
                .iter()
                .map(|(stem, _)| format!("`{stem}`"))
                .collect();
            let name = named.unwrap_or(DEFAULT);
            terminal::eprintln!(
                "error: there is no scenario `{name}`; there are {}",
                known.join(", ")
            );
            Err(Exit::Usage)
        }
    }
}

fn play(
    plan: &Plan,
    scenario: &Scenario,
    identity: Identity,
    mut screen: Screen,
    wish: &Simulate,
    kept: Option<Kept>,
) -> Exit {
    let output = wish.output.output;
    if output == Output::Human && !scenario.title.is_empty() {
        terminal::println!("{}\n", scenario.title);
    }
    let start = setup::start(plan, scenario);
    let rehearse = || {
        let mut world = setup::world(plan, start);
        if let Some(seed) = wish.seed {
            world.seed(seed);
        }
        let mut drive = Drive::new(plan, scenario, world);
        if kept.is_none() {
            drive.keep_deeds();
        }
        drive
    };
    let mut pace = match wish.speed {
        Some(speed) => Pace::at(speed),
        None if terminal::is_live() && output == Output::Human => {
            Pace::over(length(rehearse(), identity.clone()))
        }
        None => Pace::none(),
    };
    let mut drive = rehearse();
    let (run, digest) = (identity.run.clone(), identity.digest.clone());
    let first = drive.start(identity);
    show(plan, &drive, &first, &mut screen);
    let outcome = loop {
        match drive.advance() {
            Progress::Event(notes) => {
                pace.reach(drive.world.now.since(start));
                show(plan, &drive, &notes, &mut screen);
                pace.wait(weight(&notes));
            }
            Progress::Ended(outcome) => break Some(outcome),
            Progress::Stuck => break None,
        }
    };
    screen.close();
    let summary = summary::summary(plan, &drive, outcome);
    match output {
        Output::Human => terminal::print!("{}", rehearsal::text(&summary)),
        Output::Json => terminal::println!("{}", rehearsal::object(&summary)),
    }
    if let Some(kept) = kept
        && let Err(error) = kept.write(plan, run, digest, &drive.journal)
    {
        return report(&error);
    }
    outcome.map_or(Exit::Waiting, Exit::of_run)
}

/// Where the journal of the rehearsal goes.
struct Kept<'a> {
    path: &'a Path,
    rehearsal: &'a Rehearsal,
}

impl Kept<'_> {
    fn write(
        &self,
        plan: &Plan,
        run: String,
        digest: String,
        events: &[Event],
    ) -> Result<(), JournalError> {
        let compiled = &self.rehearsal.compiled;
        let sources = compiled.sources.iter();
        let header = Header {
            run,
            digest,
            target: SIMULATED.to_owned(),
            world: None,
            created: events.first().map(|event| event.at).unwrap_or_default(),
            by: Actor::default(),
            plan: json(plan),
            source_map: serde_json::to_string(compiled.source_map())?,
            sources: sources
                .map(|(_, file)| (file.name.clone(), file.text.clone()))
                .collect(),
        };
        export::write(self.path, &header, events)
    }
}

fn show(plan: &Plan, drive: &Drive, notes: &[Note], screen: &mut Screen) {
    let at = drive.world.now;
    for note in notes {
        screen.note(plan, at, note);
    }
    screen.state(plan, at, &drive.state);
}

/// How much of the time on the screen an event gets: what happens is watched, samples that change nothing only pass by.
fn weight(notes: &[Note]) -> u64 {
    let seen = notes.iter().filter(
        |note| !matches!(&note.kind, NoteKind::Judged(judged) if judged.verdict == Verdict::Pass),
    );
    1 + 20 * u64::from(seen.count() > 0)
}

/// All weights of a run. The same run is played twice: once to be measured, once to be watched.
fn length(mut drive: Drive<'_>, identity: Identity) -> u64 {
    drive.start(identity);
    let mut sum = 0;
    while let Progress::Event(notes) = drive.advance() {
        sum += weight(&notes);
    }
    sum
}
