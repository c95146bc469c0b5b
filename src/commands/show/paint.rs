//! A line of text in tints: cut to a width by what is seen, then coloured.

use crate::diagnostics::render::human::Color;
use anstyle::{AnsiColor, Style};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tint {
    Plain,
    Title,
    Good,
    Bad,
    Unknown,
    Active,
    Quiet,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    parts: Vec<(Tint, String)>,
}

impl Line {
    pub fn new(depth: usize) -> Line {
        Line {
            parts: vec![(Tint::Plain, "  ".repeat(depth))],
        }
    }

    pub fn and(mut self, tint: Tint, text: impl Into<String>) -> Line {
        self.parts.push((tint, text.into()));
        self
    }

    /// In columns, where each character takes one.
    pub fn width(&self) -> usize {
        let widths = self.parts.iter().map(|(_, text)| text.chars().count());
        widths.sum()
    }

    /// At most `width` columns; `more` stands for what was cut off.
    pub fn render(&self, width: usize, more: char, color: Color) -> String {
        let cut = self.width() > width;
        let mut room = if cut { width.saturating_sub(1) } else { width };
        let mut out = String::new();
        for (tint, text) in &self.parts {
            let shown: String = text.chars().take(room).collect();
            room -= shown.chars().count();
            out.push_str(&painted(*tint, &shown, color));
        }
        if cut {
            out.push(more);
        }
        out
    }
}

fn painted(tint: Tint, text: &str, color: Color) -> String {
    let style = style(tint);
    if color == Color::Never || text.is_empty() || style == Style::new() {
        return text.to_owned();
    }
    format!("{style}{text}{style:#}")
}

fn style(tint: Tint) -> Style {
    match tint {
        Tint::Plain => Style::new(),
        Tint::Title => Style::new().bold(),
        Tint::Good => AnsiColor::Green.on_default(),
        Tint::Bad => AnsiColor::Red.on_default().bold(),
        Tint::Unknown => AnsiColor::Yellow.on_default(),
        Tint::Active => AnsiColor::Cyan.on_default().bold(),
        Tint::Quiet => Style::new().dimmed(),
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::show::paint::{Line, Tint};
    use crate::diagnostics::render::human::Color;

    #[test]
    fn a_line_is_cut_by_what_is_seen_and_not_by_its_colours() {
        let line = Line::new(1)
            .and(Tint::Bad, "✘ naïve")
            .and(Tint::Quiet, "  4:05");
        assert_eq!(line.render(15, '…', Color::Never), "  ✘ naïve  4:05");
        assert_eq!(line.render(14, '…', Color::Never), "  ✘ naïve  4:…");
        let coloured = line.render(6, '…', Color::Always);
        assert_eq!(coloured, "  \u{1b}[1m\u{1b}[31m✘ n\u{1b}[0m…");
    }
}
