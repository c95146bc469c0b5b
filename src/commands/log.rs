//! `deployc log RUN`: what a run did, by folding its journal through `step` once more.

use crate::commands::cli::{Log, Output};
use crate::commands::exit::Exit;
use crate::commands::runs::{self, report};
use crate::commands::show::{json, line};
use crate::commands::terminal;
use crate::engine::protocol::Effect;
use crate::engine::state::State;
use crate::engine::step;

pub fn log(args: &Log) -> Exit {
    let loaded = match runs::find(&args.state.state, &args.run) {
        Ok(loaded) => loaded,
        Err(error) => return report(&error),
    };
    let mut state = State::default();
    for event in loaded.journal.events {
        let at = event.at;
        let (next, effects) = step(&loaded.plan, state, event);
        state = next;
        for effect in effects {
            let Effect::Show(note) = effect else { continue };
            match args.output.output {
                Output::Human => {
                    if let Some(line) = line::line(&loaded.plan, &loaded.map, at, &note) {
                        terminal::println!("{line}");
                    }
                }
                Output::Json => {
                    terminal::println!("{}", json::object(&loaded.plan, &loaded.map, at, &note))
                }
            }
        }
    }
    Exit::Succeeded
}
