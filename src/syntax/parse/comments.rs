//! Puts comments at the items, statements and entries that they belong to.

use crate::source::{FileId, Span};
use crate::syntax::ast::{Comment, Comments};
use crate::syntax::layout::Chunk;

/// The comments of an item that have no place in its tree yet, in their order.
pub struct CommentQueue {
    waiting: std::iter::Peekable<std::vec::IntoIter<Comment>>,
    /// For the statement that is being built: from inside of it, and from behind the `{` of its block.
    pub inside: Vec<Comment>,
    pub behind_brace: Vec<Comment>,
}

impl CommentQueue {
    pub fn new(file: FileId, source: &str, chunk: &Chunk) -> CommentQueue {
        let comment = |range: &std::ops::Range<usize>| Comment {
            text: source
                .get(range.clone())
                .unwrap_or("")
                .trim_end()
                .to_owned(),
            span: Span::new(file, range.start, range.end),
            blank_before: blank_line_before(source, range.start),
        };
        let comments: Vec<Comment> = chunk.comments.iter().map(comment).collect();
        CommentQueue {
            waiting: comments.into_iter().peekable(),
            inside: Vec::new(),
            behind_brace: Vec::new(),
        }
    }

    /// Those that begin before a place in the file.
    pub fn before(&mut self, place: usize) -> Vec<Comment> {
        let mut found = Vec::new();
        while let Some(comment) = self.waiting.next_if(|c| (c.span.start as usize) < place) {
            found.push(comment);
        }
        found
    }

    /// The one that stands behind a place on the same line, with nothing but blanks and a comma between.
    pub fn behind(&mut self, source: &str, place: usize) -> Option<Comment> {
        self.waiting.next_if(|comment| {
            let between = source.get(place..comment.span.start as usize);
            between.is_some_and(|text| text.chars().all(|c| matches!(c, ' ' | '\t' | ',')))
        })
    }

    /// Those before an item or a statement, and whether empty lines set it apart.
    pub fn leading(&mut self, source: &str, start: usize) -> Comments {
        let mut leading = self.before(start);
        let blank = blank_line_before(source, start);
        match leading.first_mut() {
            Some(first) => Comments {
                blank_before: std::mem::take(&mut first.blank_before),
                blank_between: blank,
                leading,
                trailing: Vec::new(),
            },
            None => Comments {
                blank_before: blank,
                ..Comments::default()
            },
        }
    }
}

/// Whether an empty line stands before a place. At the start of the text there is none.
fn blank_line_before(source: &str, place: usize) -> bool {
    let before = source.get(..place).unwrap_or("");
    let gap = before.trim_end_matches([' ', '\t', '\r', '\n']);
    let line_breaks = before.get(gap.len()..).unwrap_or("").matches('\n').count();
    !gap.is_empty() && line_breaks >= 2
}
