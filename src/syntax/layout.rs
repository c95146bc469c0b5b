//! Where a statement ends. Text is cut into items, and made ready for the grammar, which cannot see indentation.
//!
//! The rule: a statement ends at the end of its line, unless a bracket or an operator is open there, or the next line
//! begins further right than the statement did.
//!
//! What the grammar reads has a line break only where a statement ends, blanks for comments, and all brackets and
//! quotes in pairs. Bytes keep their places, but for what had to be put in; [`Chunk::origin`] knows these.
//!
//! **Invariant:** linear in the length of the text, whatever it is.

mod brackets;
mod lines;

use crate::diagnostics::Diagnostic;
use crate::source::FileId;
use crate::syntax::layout::lines::Layout;
use std::ops::Range;

/// The text of one item, ready for the grammar.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// In the file: with the comments that stand before the item, up to the end of its last line.
    pub range: Range<usize>,
    pub text: String,
    moves: Vec<Move>,
    /// Places of the comments, in the file.
    pub comments: Vec<Range<usize>>,
    /// Places of lines that go on with the statement above because they are indented deeper.
    pub continuations: Vec<usize>,
    pub diagnostics: Vec<Diagnostic>,
    /// Whether there is anything but comments.
    pub has_item: bool,
    /// Nested so deep that it is not parsed.
    pub too_deep: bool,
}

/// From `at` on, offsets in the chunk's text mean offsets in the file from `source` on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Move {
    at: usize,
    source: usize,
}

/// What is believed when brackets do not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    Brackets,
    /// A block ends where a line begins no further right than the statement that opened it.
    Indentation,
}

/// The items of a file, each cut out when it is asked for.
pub struct Chunks<'a> {
    file: FileId,
    text: &'a str,
    at: usize,
    trust: Trust,
    /// Bytes that were read by their brackets, and then again.
    in_vain: usize,
}

/// Cuts a file into its items. What stands between them belongs to the later one; comments behind the last item make
/// a chunk without an item.
pub fn chunks(file: FileId, text: &str) -> Chunks<'_> {
    Chunks {
        file,
        text,
        at: 0,
        trust: Trust::Brackets,
        in_vain: 0,
    }
}

impl Iterator for Chunks<'_> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        if self.at >= self.text.len() {
            return None;
        }
        let read = |trust| Layout::new(self.file, self.text, self.at, trust).run();
        let mut chunk = read(self.trust);
        if self.trust == Trust::Brackets && !chunk.diagnostics.is_empty() && !chunk.too_deep {
            let again = read(Trust::Indentation);
            self.in_vain += chunk.range.len();
            // Reading far ahead for each of many broken items would take time by the square of their number.
            if self.in_vain > self.text.len().saturating_mul(4) {
                self.trust = Trust::Indentation;
            }
            chunk = again;
        }
        self.at = chunk.range.end.max(self.at + 1);
        Some(chunk)
    }
}

impl Chunk {
    /// The chunk with other words in the place of some of its text, in rising order of places.
    pub fn replaced(&self, words: &[(Range<usize>, &str)]) -> Chunk {
        let mut chunk = Chunk {
            text: String::with_capacity(self.text.len()),
            moves: Vec::new(),
            ..self.clone()
        };
        let mut copied = 0;
        for (range, word) in words {
            chunk.append(self, copied..range.start);
            chunk.text.push_str(word);
            copied = range.end;
        }
        chunk.append(self, copied..self.text.len());
        chunk
    }

    /// Appends a part of another chunk of the same item; its places in the file stay.
    fn append(&mut self, other: &Chunk, part: Range<usize>) {
        let at = self.text.len();
        self.moves.push(Move {
            at,
            source: other.origin(part.start),
        });
        let inside = other
            .moves
            .iter()
            .filter(|m| m.at > part.start && m.at <= part.end);
        self.moves.extend(inside.map(|m| Move {
            at: m.at - part.start + at,
            source: m.source,
        }));
        self.text.push_str(other.text.get(part).unwrap_or(""));
    }

    /// The place in the file of an offset in the chunk's text.
    pub fn origin(&self, offset: usize) -> usize {
        if let [only] = self.moves.as_slice()
            && only.at <= offset
        {
            return (only.source + (offset - only.at)).min(self.range.end);
        }
        let behind = self.moves.partition_point(|m| m.at <= offset);
        let Some(last) = behind.checked_sub(1).and_then(|i| self.moves.get(i)) else {
            return self.range.start;
        };
        let end = self
            .moves
            .get(behind)
            .map_or(self.range.end, |next| next.source);
        (last.source + (offset - last.at)).min(end)
    }
}
