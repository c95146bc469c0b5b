//! `deployc why RUN [ITEM]`: the chain of causes, from the journal.

use crate::causes::{self, Subject, trace};
use crate::commands::cli::{Format, Why};
use crate::commands::exit::Exit;
use crate::commands::runs::{self, report};
use crate::commands::show::chain::{Ground, object, text};
use crate::commands::subject;
use crate::commands::terminal::{self, Stream};
use crate::effects::clock::Clock;
use crate::engine::protocol::EventKind;

/// The exit code says whether there is an answer, not how the run went.
pub fn why(args: &Why) -> Exit {
    let loaded = match runs::find(&args.state.state, &args.run) {
        Ok(loaded) => loaded,
        Err(error) => return report(&error),
    };
    let (plan, events) = (&loaded.plan, &loaded.journal.events);
    let inputs = match events.first().map(|event| &event.kind) {
        Some(EventKind::Started { inputs, .. }) => inputs.clone(),
        _ => Default::default(),
    };
    let subject = match &args.item {
        None => Subject::Run,
        Some(said) => match subject::find(plan, &inputs, said) {
            Ok(subject) => subject,
            Err(why) => {
                terminal::eprintln!("error: {why}");
                return Exit::Usage;
            }
        },
    };
    let newest = events.last().map(|event| event.at).unwrap_or_default();
    let mut trace = trace::trace(plan, events, newest);
    if trace.state.outcome.is_none() && loaded.journal.header.is_live() {
        trace.now = Clock::start_after(newest).now();
    }
    let chain = causes::why(&trace, subject);
    let ground = Ground {
        trace: &trace,
        map: &loaded.map,
        header: &loaded.journal.header,
    };
    match args.format {
        Format::Human => {
            terminal::print!("{}", text(&ground, &chain, terminal::style(Stream::Stdout)))
        }
        Format::Json => terminal::println!("{}", object(&ground, &chain)),
    }
    Exit::Succeeded
}
