//! Goes through the tokens of one item: which line breaks end a statement, which are blanks.

use crate::diagnostics::Diagnostic;
use crate::source::{FileId, Span};
use crate::syntax::layout::brackets::Open;
use crate::syntax::layout::{Chunk, Move, Trust};
use crate::syntax::scan::{Closing, Scanner, Token, TokenKind, is_item_start, rest};
use std::ops::Range;

/// Columns between tab stops.
const TAB_COLUMNS: usize = 4;

pub struct Layout<'a> {
    pub file: FileId,
    pub text: &'a str,
    pub trust: Trust,
    start: usize,
    tokens: Scanner<'a>,
    /// The text for the grammar so far; the file is copied up to `copied`.
    out: String,
    copied: usize,
    moves: Vec<Move>,
    pub open: Vec<Open>,
    /// Where the statement that is being read began.
    pub statement: Option<usize>,
    /// The last token that is neither a comment nor a line break.
    pub previous: Option<Token>,
    /// Columns of the token being read, and of the first on its line.
    pub column: usize,
    pub indent: usize,
    counted: usize,
    comments: Vec<Range<usize>>,
    continuations: Vec<usize>,
    pub diagnostics: Vec<Diagnostic>,
    pub too_deep: bool,
    has_item: bool,
}

/// What comes of the line breaks before a token.
enum Break {
    /// None there, or the statement goes on.
    None,
    /// The statement ends.
    Statement,
    /// The item ends.
    Item,
}

impl<'a> Layout<'a> {
    pub fn new(file: FileId, text: &'a str, start: usize, trust: Trust) -> Layout<'a> {
        Layout {
            file,
            text,
            trust,
            start,
            tokens: Scanner::new(text, start),
            out: String::new(),
            copied: start,
            moves: vec![Move {
                at: 0,
                source: start,
            }],
            open: Vec::new(),
            statement: None,
            previous: None,
            column: 0,
            indent: 0,
            counted: start,
            comments: Vec::new(),
            continuations: Vec::new(),
            diagnostics: Vec::new(),
            too_deep: false,
            has_item: false,
        }
    }

    /// Up to the end of the item.
    pub fn run(mut self) -> Chunk {
        let mut line_break = None;
        while let Some(token) = self.tokens.next() {
            match token.kind {
                TokenKind::Newline => line_break = line_break.or(Some(token.start)),
                TokenKind::Comment => self.comments.push(token.start..token.end),
                _ => {
                    self.count_columns(token.start, line_break.is_some());
                    match self.line_break(token, line_break) {
                        Break::Item => return self.finish(line_break.unwrap_or(token.start)),
                        Break::Statement => self.fill(token.start, '\n'),
                        Break::None => self.fill(token.start, ' '),
                    }
                    line_break = None;
                    self.take(token);
                }
            }
        }
        let end = match self.previous {
            Some(_) => line_break.unwrap_or(self.text.len()),
            None => self.text.len(),
        };
        self.close_all(None);
        self.finish(end)
    }

    /// The next token that is neither a comment nor a line break, and whether it stands on a later line.
    pub fn peek(&self) -> Option<Token> {
        let mut tokens = self.tokens.clone();
        tokens.find(|t| !matches!(t.kind, TokenKind::Newline | TokenKind::Comment))
    }

    /// The column of a place on the line of which nothing but blanks precede it.
    pub fn indent_at(&self, at: usize) -> usize {
        let line = self
            .text
            .get(..at)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |n| n + 1);
        self.text
            .get(line..at)
            .unwrap_or("")
            .chars()
            .fold(0, next_column)
    }

    /// Puts in what is missing, behind the last token.
    pub fn insert(&mut self, missing: &str) {
        self.out.push_str(missing);
        self.moves.push(Move {
            at: self.out.len(),
            source: self.copied,
        });
    }

    pub fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn line_break(&mut self, token: Token, line_break: Option<usize>) -> Break {
        if line_break.is_none() || self.previous.is_none() {
            return Break::None;
        }
        if self.column == 0 && !self.open.is_empty() && is_item_start(rest(self.text, token.start))
        {
            self.close_all(Some(token));
            return Break::Item;
        }
        self.close_by_indentation(token);
        if self.in_parentheses() {
            return Break::None;
        }
        let Some(statement) = self.statement else {
            return Break::Statement;
        };
        let closes = matches!(token.kind, TokenKind::Close(_));
        if closes && self.open.is_empty() {
            return Break::None;
        }
        let goes_on = self.operator_is_open() && !self.begins_statement(token);
        if !closes && (goes_on || self.column > statement) {
            self.continuations.push(token.start);
            return Break::None;
        }
        self.statement = None;
        match self.open.is_empty() {
            true => Break::Item,
            false => Break::Statement,
        }
    }

    fn take(&mut self, token: Token) {
        if self.statement.is_none() && token.kind != TokenKind::Close('}') {
            self.statement = Some(self.column);
        }
        match token.kind {
            TokenKind::Open(bracket) => {
                self.copy(token);
                self.open(bracket, token);
            }
            TokenKind::Close(bracket) => {
                if self.close(bracket, token) {
                    self.copy(token);
                } else {
                    self.fill(token.end, ' ');
                }
            }
            TokenKind::String(Closing::TooDeep) => {
                self.copy(token);
                self.report_too_deep(token);
            }
            TokenKind::String(Closing::Open) | TokenKind::Raw(Closing::Open) => {
                self.copy(token);
                self.close_string(token);
            }
            _ => self.copy(token),
        }
        self.previous = Some(token);
    }

    fn copy(&mut self, token: Token) {
        self.has_item = true;
        self.out
            .push_str(self.text.get(token.start..token.end).unwrap_or(""));
        self.copied = token.end;
    }

    /// Blanks for what stands between tokens, one for each byte.
    fn fill(&mut self, to: usize, line_break: char) {
        let gap = self.text.get(self.copied..to).unwrap_or("");
        for byte in gap.bytes() {
            self.out.push(match byte {
                b'\n' => line_break,
                _ => ' ',
            });
        }
        self.copied = to;
    }

    fn count_columns(&mut self, to: usize, new_line: bool) {
        if new_line {
            let gap = self.text.get(self.counted..to).unwrap_or("");
            self.counted += gap.rfind('\n').map_or(0, |at| at + 1);
            self.column = 0;
        }
        let gap = self.text.get(self.counted..to).unwrap_or("");
        self.column = gap.chars().fold(self.column, next_column);
        self.counted = to;
        if new_line || self.previous.is_none() {
            self.indent = self.column;
        }
    }

    fn operator_is_open(&self) -> bool {
        let Some(previous) = self.previous else {
            return false;
        };
        let text = self.text.get(previous.start..previous.end).unwrap_or("");
        match previous.kind {
            TokenKind::Word => matches!(text, "and" | "or" | "not"),
            // `list<string>` ends with a bracket, `a >` with an operator.
            TokenKind::Operator if text == ">" => self
                .text
                .get(..previous.start)
                .unwrap_or("")
                .ends_with([' ', '\t']),
            TokenKind::Operator => true,
            _ => false,
        }
    }

    fn finish(mut self, end: usize) -> Chunk {
        self.comments.retain(|comment| comment.start < end);
        if self.too_deep {
            self.diagnostics
                .retain(|d| d.code.id == crate::diagnostics::codes::syntax::NESTED_TOO_DEEP.id);
        }
        Chunk {
            range: self.start..end,
            text: self.out,
            moves: self.moves,
            comments: self.comments,
            continuations: self.continuations,
            diagnostics: self.diagnostics,
            has_item: self.has_item,
            too_deep: self.too_deep,
        }
    }
}

fn next_column(column: usize, c: char) -> usize {
    match c {
        '\t' => (column / TAB_COLUMNS + 1) * TAB_COLUMNS,
        _ => column + 1,
    }
}
