//! Brackets and quotes in pairs: what is missing is reported and put in, what is too much is reported and left out.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::syntax::{
    NESTED_TOO_DEEP, SURPLUS_BRACKET, UNCLOSED_BRACKET, UNCLOSED_STRING,
};
use crate::syntax::layout::Trust;
use crate::syntax::layout::lines::Layout;
use crate::syntax::scan::{
    DEPTH_MAX, ITEM_WORDS, STATEMENT_WORDS, Token, TokenKind, closers, rest,
};

/// So many messages on brackets and quotes an item gets at most.
const MESSAGES_MAX: usize = 20;

/// A bracket that waits for its partner.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    pub bracket: char,
    at: usize,
    /// Of the statement in which it stands.
    statement: Option<usize>,
    /// The leftmost of the statement and of the line on which the bracket stands.
    indent: usize,
}

impl Layout<'_> {
    pub fn open(&mut self, bracket: char, token: Token) {
        self.open.push(Open {
            bracket,
            at: token.start,
            statement: self.statement,
            indent: self.indent.min(self.statement.unwrap_or(self.indent)),
        });
        if bracket == '{' {
            self.statement = None;
        }
        if self.open.len() > DEPTH_MAX && !self.too_deep {
            self.report_too_deep(token);
        }
    }

    /// Whether the bracket has a partner; without one it is left out.
    pub fn close(&mut self, bracket: char, token: Token) -> bool {
        let partner = partner(bracket);
        if !self
            .open
            .iter()
            .rev()
            .take(DEPTH_MAX)
            .any(|open| open.bracket == partner)
            || self.closes_too_much(token)
        {
            let text = format!("`{bracket}` closes nothing");
            self.report(
                Diagnostic::new(&SURPLUS_BRACKET, self.span(token.start, token.end), text)
                    .label("no open bracket before this"),
            );
            return false;
        }
        while let Some(open) = self.open.pop() {
            if open.bracket == '{' {
                self.statement = open.statement;
            }
            if open.bracket == partner {
                break;
            }
            self.put_in(open, Some(token));
        }
        true
    }

    /// Closes whatever is open because the item ends before `next`.
    pub fn close_all(&mut self, next: Option<Token>) {
        while let Some(open) = self.open.pop() {
            self.put_in(open, next);
        }
    }

    pub fn in_parentheses(&self) -> bool {
        self.open.last().is_some_and(|open| open.bracket != '{')
    }

    /// Closes what the first token of a line shows to have ended.
    pub fn close_by_indentation(&mut self, token: Token) {
        if self.in_parentheses() && self.begins_statement(token) {
            while self.in_parentheses()
                && let Some(open) = self.open.pop()
            {
                self.put_in(open, Some(token));
            }
        }
        if self.trust == Trust::Brackets {
            return;
        }
        while let Some(&open) = self.open.last() {
            let ended = match token.kind {
                TokenKind::Close(_) => self.column < open.indent && self.is_indent_of_another(),
                _ => self.column <= open.indent && open.bracket == '{',
            };
            if !ended {
                break;
            }
            self.open.pop();
            self.put_in(open, Some(token));
            self.statement = open.statement;
        }
    }

    /// Closes a string that its line cuts off, and silently what was opened on the same line before it.
    pub fn close_string(&mut self, token: Token) {
        let string = self.text.get(token.start..token.end).unwrap_or("");
        let quote = string.get(..1).unwrap_or("\"");
        let swallowed_brace = string.ends_with('}');
        let mut missing = closers(string);
        let line = self
            .text
            .get(..token.start)
            .and_then(|t| t.rfind('\n'))
            .map_or(0, |n| n + 1);
        while let Some(&open) = self.open.last()
            && open.at >= line
            && (open.bracket != '{' || swallowed_brace)
        {
            self.open.pop();
            missing.push(closing(open.bracket));
            if open.bracket == '{' {
                self.statement = open.statement;
            }
        }
        self.insert(&missing);
        let text = format!("this string has no closing {}", named(quote));
        let mut diagnostic =
            Diagnostic::new(&UNCLOSED_STRING, self.span(token.start, token.end), text)
                .label("begins here, and the line ends");
        if quote == "\"" {
            diagnostic = diagnostic.help("a string of several lines stands between backquotes");
        }
        self.report(diagnostic);
    }

    pub fn report_too_deep(&mut self, token: Token) {
        self.too_deep = true;
        let text = format!("more than {DEPTH_MAX} levels stand in each other");
        self.diagnostics.push(
            Diagnostic::new(
                &NESTED_TOO_DEEP,
                self.span(token.start, token.start + 1),
                text,
            )
            .label("one level too many")
            .help("give the inner part a name with `let` or `define`"),
        );
    }

    fn put_in(&mut self, open: Open, next: Option<Token>) {
        let missing = closing(open.bracket);
        self.insert(missing.encode_utf8(&mut [0; 4]));
        let text = format!("`{}` is not closed", open.bracket);
        let mut diagnostic =
            Diagnostic::new(&UNCLOSED_BRACKET, self.span(open.at, open.at + 1), text)
                .label(format!("has no `{missing}`"));
        if let Some(next) = next {
            let place = self.span(next.start, next.end);
            diagnostic = diagnostic.and(place, format!("`{missing}` is missing before this"));
        }
        self.report(diagnostic);
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MESSAGES_MAX {
            self.diagnostics.push(diagnostic);
        }
    }

    /// A `}` that would end the item although the next line is still inside it.
    fn closes_too_much(&self, token: Token) -> bool {
        if self.trust == Trust::Brackets || self.open.len() != 1 {
            return false;
        }
        let (Some(open), Some(next)) = (self.open.first(), self.peek()) else {
            return false;
        };
        let between = self.text.get(token.end..next.start).unwrap_or("");
        between.contains('\n') && self.indent_at(next.start) > open.indent
    }

    /// Whether a bracket that was opened earlier stands at the column of this one.
    fn is_indent_of_another(&self) -> bool {
        let mut earlier = self.open.iter().rev().skip(1).take(DEPTH_MAX);
        earlier.any(|open| open.bracket == '{' && open.indent == self.column)
    }

    /// Whether a line begins a statement, no further right than the one that is being read.
    pub fn begins_statement(&self, token: Token) -> bool {
        let word = self.text.get(token.start..token.end).unwrap_or("");
        let behind = rest(self.text, token.end).trim_start_matches([' ', '\t']);
        token.kind == TokenKind::Word
            && self
                .statement
                .is_some_and(|statement| self.column <= statement)
            && (STATEMENT_WORDS.contains(&word) || ITEM_WORDS.contains(&word))
            && behind
                .starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '"' | '_' | '{'))
    }
}

fn partner(closing: char) -> char {
    match closing {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}

fn closing(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

fn named(quote: &str) -> &'static str {
    match quote {
        "`" => "backquote",
        _ => "quotation mark",
    }
}
