//! What is compared, and how a difference is shown.

use deployc::source::SourceFile;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Plain,
    Keyword,
    String,
    Number,
    Comment,
}

/// One for each byte of a text.
pub type Classes = Vec<Class>;

/// By the parser, by tree-sitter, by TextMate.
pub type Three = [Class; 3];

#[derive(Debug)]
pub struct Difference {
    /// Counted from 1.
    pub line: usize,
    pub column: usize,
    pub shown: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}: {}", self.line, self.column, self.shown)
    }
}

/// Runs of bytes that are not blank and on which the three say different things.
pub fn difference(text: &str, classes: &[Classes; 3]) -> Vec<Difference> {
    let file = SourceFile::new("", text);
    let mut found = Vec::new();
    let mut run: Option<(usize, Three)> = None;
    let ends = text.char_indices().chain([(text.len(), ' ')]);
    for (at, c) in ends {
        let here = (!c.is_whitespace())
            .then(|| classes.each_ref().map(|classes| classes[at]))
            .filter(|three| three.iter().any(|class| *class != three[0]));
        if run.is_some_and(|(_, three)| Some(three) == here) {
            continue;
        }
        // A blank inside of a run of one kind does not end it.
        let goes_on = run.is_some_and(|(_, three)| {
            c.is_whitespace()
                && c != '\n'
                && classes.each_ref().map(|all| all.get(at).copied()) == three.map(Some)
        });
        if goes_on {
            continue;
        }
        if let Some((start, three)) = run.take() {
            found.push(shown(&file, start..at, three));
        }
        run = here.map(|three| (at, three));
    }
    found
}

fn shown(file: &SourceFile, range: std::ops::Range<usize>, three: Three) -> Difference {
    let at = file.position(u32::try_from(range.start).unwrap());
    let text = file.text[range].trim_end();
    let [parser, tree_sitter, textmate] = three.map(|class| format!("{class:?}").to_lowercase());
    Difference {
        line: at.line as usize,
        column: at.column as usize,
        shown: format!("`{text}`: parser {parser}, tree-sitter {tree_sitter}, TextMate {textmate}"),
    }
}
