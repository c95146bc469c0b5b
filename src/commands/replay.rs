//! `deployc replay RUN [--with PLAN]`: a journal, decided once more.

use crate::causes::{self, Subject, trace};
use crate::commands::cli::{Format, Replay};
use crate::commands::compile::ready;
use crate::commands::exit::Exit;
use crate::commands::run::complain;
use crate::commands::runs::{self, Loaded, report};
use crate::commands::show::chain::Ground;
use crate::commands::show::replayed::{self, Compared};
use crate::commands::terminal::{self, Stream};
use crate::effects::inputs;
use crate::engine::protocol::{Event, EventKind};
use crate::journal::record::Header;
use crate::plan::digest::digest;
use crate::plan::{MetricSource, Plan, elements};
use crate::rerun::drive::{Identity, replay as play};
use crate::rerun::parting::{changed, course, first};
use crate::rerun::recording::recording;
use crate::values::fields::Fields;

pub fn replay(args: &Replay) -> Exit {
    let loaded = match runs::find(&args.state.state, &args.run) {
        Ok(loaded) => loaded,
        Err(error) => return report(&error),
    };
    let begun = loaded.journal.events.first().map(|event| &event.kind);
    let Some(EventKind::Started { inputs, .. }) = begun else {
        terminal::eprintln!(
            "error: run `{}` was never started",
            loaded.journal.header.run
        );
        return Exit::Invalid;
    };
    match &args.with {
        None => same(&loaded, inputs.clone(), args.format),
        Some(_) => other(&loaded, inputs, args).unwrap_or_else(|exit| exit),
    }
}

/// The plan of the journal: the same events have to come out, to the byte.
fn same(loaded: &Loaded, inputs: Fields, format: Format) -> Exit {
    let events = &loaded.journal.events;
    let identity = Identity {
        digest: loaded.journal.header.digest.clone(),
        inputs,
    };
    let rerun = play(
        &loaded.plan,
        recording(&loaded.plan, events),
        &loaded.plan,
        &identity,
    );
    let difference = difference(events, &rerun.events);
    match format {
        Format::Human => terminal::print!("{}", replayed::same_text(loaded, difference)),
        Format::Json => terminal::println!("{}", replayed::same_object(loaded, difference)),
    }
    match difference {
        None => Exit::Succeeded,
        Some(_) => Exit::Invalid,
    }
}

/// The first event, counted from 1, that is not the same to the byte.
pub fn difference(recorded: &[Event], replayed: &[Event]) -> Option<usize> {
    let text = |event: Option<&Event>| event.and_then(|event| serde_json::to_string(event).ok());
    let longest = recorded.len().max(replayed.len());
    let differs = |index: &usize| text(recorded.get(*index)) != text(replayed.get(*index));
    (0..longest).find(differs).map(|index| index + 1)
}

fn other(loaded: &Loaded, given: &Fields, args: &Replay) -> Result<Exit, Exit> {
    let Some(path) = &args.with else {
        return Ok(Exit::Usage);
    };
    let ready = ready(path)?;
    let digest = digest(&ready.plan);
    let inputs = values(&ready.plan, given, &args.inputs.set)?;
    let plan = asked_whole(ready.plan, &loaded.plan);
    let plan = elements::with_titles(plan, &inputs);
    let recorded = recording(&loaded.plan, &loaded.journal.events);
    let (old_notes, last) = (recorded.notes.clone(), recorded.end);
    let identity = Identity { digest, inputs };
    let rerun = play(&loaded.plan, recorded, &plan, &identity);
    let until = replayed::known_until(&rerun.end).unwrap_or(last);
    let old = course(&loaded.plan, &old_notes, until);
    let new = course(&plan, &rerun.notes, until);
    let header = Header {
        digest: identity.digest,
        sources: ready.sources,
        ..loaded.journal.header.clone()
    };
    let trace = trace::trace(&plan, &rerun.events, rerun.state.now);
    let compared = Compared {
        with: path,
        loaded,
        rerun: &rerun,
        first: first(&old, &new),
        changed: changed(&old, &new),
        why: causes::why(&trace, Subject::Run),
        ground: Ground {
            trace: &trace,
            map: &ready.map,
            header: &header,
        },
    };
    match args.format {
        Format::Human => {
            let style = terminal::style(Stream::Stdout);
            terminal::print!("{}", replayed::text(&compared, style));
        }
        Format::Json => terminal::println!("{}", replayed::object(&compared)),
    }
    Ok(Exit::Succeeded)
}

/// What `--set` says; else what the run was given; else the plan's default.
fn values(plan: &Plan, given: &Fields, set: &[String]) -> Result<Fields, Exit> {
    let mut declared = plan.inputs.clone();
    for input in &mut declared {
        if let Some(value) = given.get(&input.name) {
            input.default = Some(value.clone());
        }
    }
    inputs::read(&declared, set).map_err(|problems| complain(&problems))
}

/// A rehearsal asks for a derived metric whole where its scenario gives it a value, so a replay of it does, too.
fn asked_whole(mut plan: Plan, recorded: &Plan) -> Plan {
    for metric in &mut plan.metrics {
        let known = recorded.metric(&metric.name).map(|known| &known.source);
        if let (MetricSource::Derived(_), Some(source @ MetricSource::Query { query, .. })) =
            (&metric.source, known)
            && *query == metric.name
        {
            metric.source = source.clone();
        }
    }
    plan
}
