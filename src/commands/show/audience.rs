//! Who watches a run: lines on a pipe, objects for programs, a tree on a terminal.

use crate::commands::cli::Output;
use crate::commands::show::{json, line};
use crate::effects::driver::Audience;
use crate::engine::protocol::Note;
use crate::engine::state::State;
use crate::plan::{Plan, SourceMap};
use crate::values::Instant;

/// Standard output, in the form that was chosen.
pub struct Screen {
    map: SourceMap,
    output: Output,
}

impl Screen {
    pub fn new(output: Output, map: SourceMap) -> Screen {
        Screen { map, output }
    }
}

impl Audience for Screen {
    fn note(&mut self, plan: &Plan, at: Instant, note: &Note) {
        match self.output {
            Output::Human => {
                if let Some(line) = line::line(plan, &self.map, at, note) {
                    anstream::println!("{line}");
                }
            }
            Output::Json => anstream::println!("{}", json::object(plan, &self.map, at, note)),
        }
    }

    fn state(&mut self, _plan: &Plan, _at: Instant, _state: &State) {}
}
