//! Who watches a run: a tree on a terminal, lines on a pipe, objects for programs.

use crate::commands::cli::Output;
use crate::commands::show::live::Live;
use crate::commands::show::{json, line};
use crate::commands::terminal;
use crate::effects::driver::Audience;
use crate::engine::protocol::{Note, NoteKind};
use crate::engine::state::State;
use crate::engine::view::view;
use crate::plan::{Plan, SourceMap};
use crate::values::Instant;

pub struct Screen {
    map: SourceMap,
    form: Form,
}

enum Form {
    Tree(Live),
    Lines,
    Objects,
}

impl Screen {
    /// The form is chosen once: a picture is drawn only where it can be redrawn.
    pub fn new(output: Output, map: SourceMap) -> Screen {
        let form = match output {
            Output::Json => Form::Objects,
            Output::Human if terminal::is_live() => Form::Tree(Live::new()),
            Output::Human => Form::Lines,
        };
        Screen { map, form }
    }

    pub fn close(&mut self) {
        if let Form::Tree(live) = &mut self.form {
            live.close();
        }
    }
}

impl Audience for Screen {
    fn note(&mut self, plan: &Plan, at: Instant, note: &Note) {
        match &self.form {
            Form::Objects => {
                terminal::println!("{}", json::object(plan, &self.map, at, note));
            }
            Form::Lines => {
                if let Some(line) = line::line(plan, &self.map, at, note) {
                    terminal::println!("{line}");
                }
            }
            Form::Tree(live) if is_news(&note.kind) => {
                if let Some(line) = line::line(plan, &self.map, at, note) {
                    live.say(&line);
                }
            }
            Form::Tree(_) => {}
        }
    }

    fn state(&mut self, plan: &Plan, at: Instant, state: &State) {
        if let Form::Tree(live) = &mut self.form {
            live.draw(&view(plan, state, at), at);
        }
    }
}

/// What stays on the screen above the tree: the tree itself shows starts, ends and values.
fn is_news(kind: &NoteKind) -> bool {
    !matches!(
        kind,
        NoteKind::Started | NoteKind::Ended { .. } | NoteKind::Judged(_) | NoteKind::Unpaused
    )
}
