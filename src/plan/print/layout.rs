//! Lines of 80 columns.

use crate::units::show::duration_ns;
use std::fmt::Write;

pub const WIDTH: usize = 80;

/// A heading, with a word at its right end.
pub fn heading(out: &mut String, title: &str, right: &str) {
    out.push('\n');
    line(out, 0, title, right);
    let _ = writeln!(out, "{}", "-".repeat(WIDTH));
}

/// Text on the left, a short word on the right. What does not fit is continued below, indented.
pub fn line(out: &mut String, indent: usize, left: &str, right: &str) {
    let room = WIDTH.saturating_sub(indent + width(right) + usize::from(!right.is_empty()));
    // Rows below the first are indented further.
    let room = room.min(WIDTH.saturating_sub(indent + 2));
    let mut rows = wrap(left, room.max(20)).into_iter();
    let first = rows.next().unwrap_or_default();
    let gap = WIDTH.saturating_sub(indent + width(&first) + width(right));
    let row = format!("{}{first}{}{right}", " ".repeat(indent), " ".repeat(gap));
    let _ = writeln!(out, "{}", row.trim_end());
    for row in rows {
        let _ = writeln!(out, "{}{row}", " ".repeat(indent + 2));
    }
}

/// A name in a column of its own, then text that is continued under itself.
pub fn column(
    out: &mut String,
    indent: usize,
    name: &str,
    name_width: usize,
    text: &str,
    right: &str,
) {
    let start = indent + name_width.max(width(name)) + 2;
    let room = WIDTH.saturating_sub(start + width(right) + usize::from(!right.is_empty()));
    let mut rows = wrap(text, room.max(20)).into_iter();
    let first = rows.next().unwrap_or_default();
    let padded = format!("{}{name}", " ".repeat(indent));
    let pad = start.saturating_sub(width(&padded));
    let gap = WIDTH.saturating_sub(start + width(&first) + width(right));
    let row = format!(
        "{padded}{}{first}{}{right}",
        " ".repeat(pad),
        " ".repeat(gap)
    );
    let _ = writeln!(out, "{}", row.trim_end());
    for row in rows {
        let _ = writeln!(out, "{}{row}", " ".repeat(start));
    }
}

pub fn width(text: &str) -> usize {
    text.chars().count()
}

/// `up to 5m`, `10m`, `1h .. 2h`; nothing for no time at all.
pub fn span(shortest_ns: i64, longest_ns: i64) -> String {
    match (shortest_ns, longest_ns) {
        (_, 0) => String::new(),
        (short, long) if short == long => time(long),
        (0, long) => format!("up to {}", time(long)),
        (short, long) => format!("{} .. {}", time(short), time(long)),
    }
}

pub fn time(ns: i64) -> String {
    duration_ns(ns)
}

/// Breaks at spaces; a word that is longer than a row is cut.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    let mut row = String::new();
    for word in text.split_whitespace() {
        let mut word = word;
        if !row.is_empty() && width(&row) + 1 + width(word) > room {
            rows.push(std::mem::take(&mut row));
        }
        while width(word) > room {
            let cut = word
                .char_indices()
                .nth(room)
                .map_or(word.len(), |(at, _)| at);
            let (head, tail) = word.split_at(cut);
            rows.push(head.to_owned());
            word = tail;
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(word);
    }
    rows.push(row);
    rows
}

#[cfg(test)]
mod tests {
    use crate::plan::print::layout::{WIDTH, column, line, span, width};

    #[test]
    fn no_line_is_wider_than_the_page() {
        let long = "word ".repeat(60) + &"x".repeat(200);
        let mut out = String::new();
        line(&mut out, 4, &long, "up to 1h 30m");
        line(&mut out, 4, &long, "");
        column(&mut out, 2, "name", 10, &long, "up to 1h 30m");
        column(&mut out, 2, "name", 10, &long, "");
        for line in out.lines() {
            assert!(width(line) <= WIDTH, "{line}");
        }
        assert_eq!(out.matches('x').count(), 800);
    }

    #[test]
    fn times_say_what_is_certain() {
        assert_eq!(span(0, 0), "");
        assert_eq!(span(0, 60_000_000_000), "up to 1m");
        assert_eq!(span(60_000_000_000, 60_000_000_000), "1m");
        assert_eq!(span(1_000_000_000, 60_000_000_000), "1s .. 1m");
    }
}
