//! The tree, redrawn in place on standard error while a run goes on; lines of note scroll away above it.

use crate::commands::show::tree::tree;
use crate::commands::terminal::{self, Stream};
use crate::engine::view::View;
use crate::values::Instant;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

pub struct Live {
    screen: MultiProgress,
    lines: Vec<ProgressBar>,
    /// The whole newest tree, also what the screen has no room for.
    newest: Vec<String>,
}

const REDRAWS_PER_SECOND: u8 = 8;
/// Below the tree: the line of the cursor, and one for a prompt.
const LINES_KEPT_FREE: usize = 2;

impl Live {
    pub fn new() -> Live {
        Live {
            screen: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(
                REDRAWS_PER_SECOND,
            )),
            lines: Vec::new(),
            newest: Vec::new(),
        }
    }

    /// Scrolls away above the tree.
    pub fn say(&self, line: &str) {
        // A line that cannot be drawn is in the journal all the same.
        let _ = self.screen.println(line);
    }

    /// The head, and as much of the bottom as there is room for: people are asked there.
    pub fn draw(&mut self, view: &View, now: Instant) {
        self.newest = tree(view, now, terminal::style(Stream::Stderr));
        let room = terminal::height().saturating_sub(LINES_KEPT_FREE).max(1);
        let hidden = self.newest.len().saturating_sub(room);
        let head = self.newest.iter().take(1);
        let shown: Vec<&String> = head.chain(self.newest.iter().skip(hidden + 1)).collect();
        while self.lines.len() < shown.len() {
            let line = self.screen.add(ProgressBar::new_spinner());
            line.set_style(line_style());
            self.lines.push(line);
        }
        for extra in self.lines.drain(shown.len()..) {
            extra.finish_and_clear();
            self.screen.remove(&extra);
        }
        for (line, text) in self.lines.iter().zip(shown) {
            line.set_message(text.clone());
        }
    }

    /// Leaves the whole last tree standing.
    pub fn close(&mut self) {
        for line in self.lines.drain(..) {
            line.finish_and_clear();
        }
        // What cannot be cleared stays on the screen twice.
        let _ = self.screen.clear();
        for line in self.newest.drain(..) {
            terminal::eprintln!("{line}");
        }
    }
}

impl Default for Live {
    fn default() -> Live {
        Live::new()
    }
}

fn line_style() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}
