//! A text as a terminal may show it: what would steer the terminal or hide something is replaced, and lines that nobody
//! reads to their end are cut.

use crate::source::Span;
use std::ops::Range;

/// The text to show. Places of the original are asked for by [`Shown::place`].
pub struct Shown {
    pub text: String,
    /// What was cut out of the original, in order.
    cuts: Vec<Range<usize>>,
}

/// A line is shown so far, and so much behind the last place in it.
const LINE_BYTES: usize = 200;
const BEHIND_BYTES: usize = 40;
const MARK: &str = "…";

/// `places` are those that are pointed at.
pub fn shown(text: &str, places: &[Span]) -> Shown {
    let mut shown = Shown {
        text: String::with_capacity(text.len()),
        cuts: Vec::new(),
    };
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\r', '\n']);
        let keep = kept(body, at, places);
        plain(&mut shown.text, body.get(..keep).unwrap_or(body));
        if keep < body.len() {
            shown.text.push_str(MARK);
            shown.cuts.push(at + keep..at + body.len());
        }
        let end = line.get(body.len()..).unwrap_or_default();
        // Of its end only what ends it.
        let extra = end
            .len()
            .saturating_sub(if end.ends_with("\r\n") { 2 } else { 1 });
        plain(&mut shown.text, end.get(..extra).unwrap_or_default());
        shown.text.push_str(end.get(extra..).unwrap_or_default());
        at += line.len();
    }
    shown
}

impl Shown {
    /// Where a place of the original is.
    pub fn place(&self, at: usize) -> usize {
        let mut moved = at;
        for cut in &self.cuts {
            if at <= cut.start {
                break;
            }
            let gone = at.min(cut.end) - cut.start;
            moved -= gone;
            if at >= cut.end {
                moved += MARK.len();
            }
        }
        moved
    }
}

/// How much of a line that begins at `at` is shown.
fn kept(line: &str, at: usize, places: &[Span]) -> usize {
    if line.len() <= LINE_BYTES {
        return line.len();
    }
    let inside = |place: &usize| (at..=at + line.len()).contains(place);
    let starts = places.iter().map(|place| place.start as usize);
    let last = starts.filter(inside).max().map_or(0, |place| place - at);
    let wanted = LINE_BYTES.max(last.saturating_add(BEHIND_BYTES));
    let mut keep = wanted.min(line.len());
    while !line.is_char_boundary(keep) {
        keep -= 1;
    }
    keep
}

/// As many bytes as before, so that places stay what they are.
fn plain(out: &mut String, text: &str) {
    for c in text.chars() {
        match (c, c.len_utf8()) {
            ('\t', _) => out.push(c),
            (c, _) if !is_hidden(c) => out.push(c),
            (_, 3) => out.push(char::REPLACEMENT_CHARACTER),
            (_, bytes) => out.extend(std::iter::repeat_n('?', bytes)),
        }
    }
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}'
                | '\u{61C}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{2069}'
                | '\u{FEFF}'
        )
}

#[cfg(test)]
mod tests {
    use crate::diagnostics::render::shown::shown;
    use crate::source::{FileId, Span};

    fn at(place: usize) -> [Span; 1] {
        [Span::new(FileId(0), place, place + 1)]
    }

    #[test]
    fn nothing_steers_the_terminal() {
        let text = "a\u{1B}[2Jb\tc\u{202E}d\re\r\nf\u{85}\n";
        let shown = shown(text, &at(0));
        assert_eq!(shown.text, "a?[2Jb\tc\u{FFFD}d?e\r\nf??\n");
        assert_eq!(shown.text.len(), text.len());
    }

    #[test]
    fn a_long_line_is_cut_behind_what_is_pointed_at() {
        let text = format!("{}X{}\nnext\n", "a".repeat(500), "b".repeat(500));
        let shown = shown(&text, &at(500));
        assert_eq!(
            shown.text,
            format!("{}X{}…\nnext\n", "a".repeat(500), "b".repeat(39))
        );
        assert_eq!(shown.place(500), 500);
        // What stood in the cut is where it was cut.
        assert_eq!(shown.place(700), 540);
        let next = text.find("next").unwrap();
        assert_eq!(shown.text.get(shown.place(next)..), Some("next\n"));
    }
}
