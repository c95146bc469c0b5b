//! The tree, redrawn in place on standard error while a run goes on; lines of note scroll away above it.

use crate::commands::show::tree::tree;
use crate::commands::terminal::{self, Stream};
use crate::engine::view::View;
use crate::values::Instant;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

pub struct Live {
    screen: MultiProgress,
    lines: Vec<ProgressBar>,
}

/// More lines than most terminals are high; the bottom, where people are asked, has to stay visible.
const LINES_MAX: usize = 40;
const REDRAWS_PER_SECOND: u8 = 8;

impl Live {
    pub fn new() -> Live {
        Live {
            screen: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(
                REDRAWS_PER_SECOND,
            )),
            lines: Vec::new(),
        }
    }

    /// Scrolls away above the tree.
    pub fn say(&self, line: &str) {
        // A line that cannot be drawn is in the journal all the same.
        let _ = self.screen.println(line);
    }

    pub fn draw(&mut self, view: &View, now: Instant) {
        let style = terminal::style(Stream::Stderr);
        let all = tree(view, now, style.width, style.charset);
        let hidden = all.len().saturating_sub(LINES_MAX);
        let shown: Vec<&String> = all
            .iter()
            .take(1)
            .chain(all.iter().skip(hidden.max(1)))
            .collect();
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

    /// Leaves the last picture standing.
    pub fn close(&mut self) {
        for line in self.lines.drain(..) {
            let text = line.message();
            line.abandon_with_message(text);
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
