//! What is said about text that did not parse.
//!
//! The grammar swallows a statement that it cannot read and goes on. Here that statement alone is tried again, without
//! its blocks: the furthest place that was reached, and what could have followed there, make the message.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::syntax::{MISSPELT_WORD, NESTED_TOO_DEEP, SYNTAX};
use crate::source::Span;
use crate::syntax::grammar::{Grammar, Rule};
use crate::syntax::parse::DIAGNOSTICS_MAX;
use crate::syntax::parse::builder::{Builder, Node};
use crate::syntax::parse::words;
use crate::syntax::scan::{DEPTH_MAX, ITEM_WORDS, STATEMENT_WORDS, Scanner, Token, TokenKind};
use crate::syntax::similar::nearest;
use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};

/// A slip, and the word to read in its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Replacement {
    /// In the text of the chunk.
    pub start: usize,
    pub end: usize,
    pub word: &'static str,
}

/// A token with its place in the text of the chunk.
#[derive(Clone, Copy)]
struct Word<'t> {
    start: usize,
    end: usize,
    text: &'t str,
    kind: TokenKind,
}

/// Where a statement stopped making sense.
struct Failure<'t> {
    /// In the text of the chunk.
    start: usize,
    end: usize,
    /// `None` at the end of the statement.
    found: Option<&'t str>,
    before: Option<Word<'t>>,
    first: Option<Word<'t>>,
    second: Option<Word<'t>>,
    /// Whether a name, a title, a number or a block follows the first word, as behind a word that begins a statement.
    first_has_head: bool,
    expected: Vec<Rule>,
}

impl Builder<'_> {
    /// An item or a statement that did not parse; the blocks in it did.
    pub fn junk(&mut self, node: Node<'_>) {
        let probe = match node.as_rule() {
            Rule::junk_item => Rule::probe_item,
            _ => Rule::probe_stmt,
        };
        let (start, end) = (node.as_span().start(), node.as_span().end());
        self.explain(probe, start, end);
        self.blocks_of_junk(node);
    }

    /// What stands behind a statement that began at `start`, on its line.
    pub fn junk_tail(&mut self, probe: Rule, start: usize, node: Node<'_>) {
        self.explain(probe, start, node.as_span().end());
        self.blocks_of_junk(node);
    }

    pub fn junk_entry(&mut self, node: Node<'_>) {
        let (start, end) = (node.as_span().start(), node.as_span().end());
        if self.is_explained(start, end) {
            return;
        }
        let text = self.chunk.text.get(start..end).unwrap_or("");
        let found = text.split_whitespace().next().unwrap_or("");
        let span = self.origin(start, start + found.len());
        self.diagnostics.push(
            Diagnostic::new(
                &SYNTAX,
                span,
                format!("expected `key: value`, found {}", quoted(found)),
            )
            .label("no setting begins here")
            .help("settings stand on lines of their own, or with commas between them"),
        );
    }

    /// For a chunk that the grammar refused as a whole, which only its depth can bring about.
    pub fn report_unparsed(&mut self) {
        let range = &self.chunk.range;
        let text = self.source.get(range.clone()).unwrap_or("");
        let start = range.start + (text.len() - text.trim_start().len());
        let line = text.trim_start().lines().next().unwrap_or("");
        self.too_deep(Span::new(self.file, start, start + line.len()));
    }

    pub fn too_deep(&mut self, span: Span) {
        if self.diagnostics.iter().any(|d| d.code == &NESTED_TOO_DEEP) {
            return;
        }
        let text = format!("more than {DEPTH_MAX} levels or operators stand in each other");
        self.diagnostics.push(
            Diagnostic::new(&NESTED_TOO_DEEP, span, text)
                .label("too deep")
                .help("give a part of it a name with `let` or `define`"),
        );
    }

    pub fn watch_without_range(&mut self, span: Span) {
        if self.is_explained_span(span) {
            return;
        }
        self.diagnostics.push(
            Diagnostic::new(&SYNTAX, span, "expected `during` and what is watched")
                .label("this watch has no range")
                .help("write `during FIRST .. LAST` before the `{`: phases, steps or stages"),
        );
    }

    /// `stop then …`
    pub fn nothing_follows(&mut self, policy: Span, then: Span) {
        self.diagnostics.push(
            Diagnostic::new(&SYNTAX, then, "nothing follows a policy that has no time")
                .label("is never reached")
                .and(policy, "ends here")
                .help("`then` stands behind `pause up to T` and `extend up to T`"),
        );
    }

    fn blocks_of_junk(&mut self, node: Node<'_>) {
        for inner in node.into_inner() {
            if inner.as_rule() == Rule::block {
                self.block(inner);
            }
        }
    }

    fn explain(&mut self, probe: Rule, start: usize, end: usize) {
        if self.diagnostics.len() >= DIAGNOSTICS_MAX || self.is_explained(start, end) {
            return;
        }
        let text = hollow(self.chunk.text.get(start..end).unwrap_or(""));
        let failure = fail(probe, &text, start);
        let misplaced = self
            .of_head(probe, &failure, &text)
            .or_else(|| self.reserved(&failure))
            .or_else(|| self.misplaced(probe, &failure));
        let diagnostic = match (misplaced, self.misspelt(probe, &failure)) {
            (Some(diagnostic), _) => diagnostic,
            (None, Some((slip, meant))) => self.did_you_mean(slip, meant),
            // A slip that was put right wrongly is not said in other words.
            (None, None) if self.is_mended(start, end) => return,
            (None, None) => self.unexpected(&failure),
        };
        self.diagnostics.push(diagnostic);
    }

    fn unexpected(&self, failure: &Failure<'_>) -> Diagnostic {
        let span = self.origin(failure.start, failure.end);
        let expected = words::list(&failure.expected);
        let found = match failure.found {
            Some(found) => quoted(found),
            None => "the end of the statement".to_owned(),
        };
        let message = format!("expected {expected}, found {found}");
        let diagnostic = Diagnostic::new(&SYNTAX, span, message).label("not expected here");
        match self.help(failure) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    /// Says what may have been meant. The text is parsed again as if it had been written.
    fn did_you_mean(&mut self, slip: Word<'_>, meant: &'static str) -> Diagnostic {
        let span = self.origin(slip.start, slip.end);
        self.replacements.push(Replacement {
            start: slip.start,
            end: slip.end,
            word: meant,
        });
        Diagnostic::new(
            &MISSPELT_WORD,
            span,
            format!("`{}`: did you mean `{meant}`?", slip.text),
        )
        .label("unknown word")
        .fix(format!("write `{meant}`"), span, meant)
    }

    /// What belongs to the line of an item, in its block.
    fn of_head(&self, probe: Rule, failure: &Failure<'_>, text: &str) -> Option<Diagnostic> {
        let first = failure.first.filter(|_| failure.first_has_head)?;
        let word = first.text;
        // In a test, `undo NAME fails`.
        let is_said_of_one =
            word == "undo" && !text.contains(['(', '"']) && !text.contains("timeout");
        if probe != Rule::probe_stmt || !words::OF_HEADS.contains(&word) || is_said_of_one {
            return None;
        }
        let message = format!("`{word}` is said in the line of an item, not in its block");
        let help = "write it before the `{` of the item that it is about";
        let span = self.origin(first.start, first.end);
        Some(
            Diagnostic::new(&SYNTAX, span, message)
                .label("not here")
                .help(help),
        )
    }

    /// A word of the language at the place of a name.
    fn reserved(&self, failure: &Failure<'_>) -> Option<Diagnostic> {
        let names = [Rule::ident, Rule::name_word, Rule::variable];
        let wants_name = failure.expected.iter().any(|rule| names.contains(rule));
        let found = failure
            .found
            .filter(|found| words::NO_NAMES.contains(found));
        let (start, end, word) = match (found, failure.first.zip(failure.second)) {
            (Some(found), _) if wants_name => (failure.start, failure.end, found),
            (_, Some((first, second)))
                if words::NAMED.contains(&first.text)
                    && (words::NO_NAMES.contains(&second.text)
                        || words::SOFT.contains(&second.text)) =>
            {
                (second.start, second.end, second.text)
            }
            _ => return None,
        };
        let message = format!("`{word}` is a word of the language, and cannot be a name here");
        Some(
            Diagnostic::new(&SYNTAX, self.origin(start, end), message)
                .label("a name is wanted")
                .help(format!(
                    "choose another name, such as `{word}_1` or `the_{word}`"
                )),
        )
    }

    /// A word of the language that stands where it cannot, or not yet.
    fn misplaced(&self, probe: Rule, failure: &Failure<'_>) -> Option<Diagnostic> {
        if let Some(found) = failure
            .found
            .filter(|found| words::is_later(found, &failure.expected))
        {
            return Some(later(self.origin(failure.start, failure.end), found));
        }
        let first = failure.first?;
        let word = first.text;
        let span = self.origin(first.start, first.end);
        if words::LATER.contains(&word) && failure.first_has_head {
            return Some(later(span, word));
        }
        if failure
            .before
            .is_some_and(|before| before.start != first.start)
        {
            return None;
        }
        let is_statement = STATEMENT_WORDS.contains(&word) && word != "on" && word != "let";
        if probe == Rule::probe_item && is_statement {
            let message = format!("`{word}` cannot stand outside of a block");
            let help =
                "statements stand in the `{ … }` of a phase, a section, a define or another item";
            return Some(
                Diagnostic::new(&SYNTAX, span, message)
                    .label("not here")
                    .help(help),
            );
        }
        if probe == Rule::probe_stmt && ITEM_WORDS.contains(&word) {
            let message = format!("`{word}` cannot stand in a block");
            let help = "an item begins at the start of a line, outside of all blocks";
            return Some(
                Diagnostic::new(&SYNTAX, span, message)
                    .label("not here")
                    .help(help),
            );
        }
        None
    }

    /// A word that is nearly what was expected at the failure or right before it, or nearly begins a statement.
    fn misspelt<'t>(&self, probe: Rule, failure: &Failure<'t>) -> Option<(Word<'t>, &'static str)> {
        let found = failure.found.map(|text| Word {
            start: failure.start,
            end: failure.end,
            text,
            kind: TokenKind::Word,
        });
        if let Some(found) = found
            && let Some(meant) = nearest(found.text, words::spelt(&failure.expected))
        {
            return Some((found, meant));
        }
        let unknown = |word: &&Word<'t>| {
            word.kind == TokenKind::Word
                && !STATEMENT_WORDS.contains(&word.text)
                && !ITEM_WORDS.contains(&word.text)
                && !words::CLAUSES.contains(&word.text)
        };
        let first = failure
            .first
            .as_ref()
            .filter(unknown)
            .filter(|_| failure.first_has_head);
        let meant = first.and_then(|first| match probe {
            Rule::probe_item => nearest(first.text, ITEM_WORDS),
            _ => nearest(
                first.text,
                STATEMENT_WORDS.into_iter().chain(words::SETTINGS),
            ),
        });
        if let (Some(first), Some(meant)) = (first, meant) {
            return Some((*first, meant));
        }
        let before = failure.before.as_ref().filter(unknown)?;
        let meant = nearest(before.text, words::CLAUSES)?;
        (Some(before.start) != failure.first.map(|first| first.start)).then_some((*before, meant))
    }

    fn help(&self, failure: &Failure<'_>) -> Option<String> {
        let place = self.chunk.origin(failure.start);
        let found = failure.found?;
        let before = failure.before.map(|before| before.kind);
        let goes_on = |start: &&usize| {
            **start <= place
                && self
                    .source
                    .get(**start..place)
                    .is_some_and(|text| !text.contains('\n'))
        };
        if self
            .chunk
            .continuations
            .iter()
            .rev()
            .find(goes_on)
            .is_some()
        {
            let help = "this line goes on with the statement above, because it is indented deeper or an operator is open";
            return Some(help.to_owned());
        }
        if before == Some(TokenKind::Number) && words::UNITS.contains(&found) {
            return Some("a unit stands next to its number, without a blank".to_owned());
        }
        words::habit(found, &failure.expected).map(str::to_owned)
    }

    fn origin(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, self.chunk.origin(start), self.chunk.origin(end))
    }

    /// Whether a bracket or a quote of this text has been reported: the rest follows from it.
    fn is_explained(&self, start: usize, end: usize) -> bool {
        self.is_explained_span(self.origin(start, end))
    }

    fn is_explained_span(&self, span: Span) -> bool {
        let brackets = self
            .chunk
            .diagnostics
            .iter()
            .filter(|d| d.code != &MISSPELT_WORD);
        let labels = brackets.flat_map(|d| std::iter::once(&d.primary).chain(&d.secondary));
        labels
            .map(|label| label.span.start)
            .any(|at| (span.start..=span.end).contains(&at))
    }

    /// Whether a bracket or a quote that was put in began in this text, so that its value is not what was meant.
    pub fn is_repaired(&self, span: Span) -> bool {
        let brackets = self
            .chunk
            .diagnostics
            .iter()
            .filter(|d| d.code != &MISSPELT_WORD);
        let mut places = brackets.map(|d| d.primary.span.start);
        places.any(|at| (span.start..span.end).contains(&at))
    }

    fn is_mended(&self, start: usize, end: usize) -> bool {
        let span = self.origin(start, end);
        let mut slips = self
            .chunk
            .diagnostics
            .iter()
            .filter(|d| d.code == &MISSPELT_WORD);
        slips.any(|slip| span.range().contains(&(slip.primary.span.start as usize)))
    }
}

fn later(span: Span, word: &str) -> Diagnostic {
    let message = format!("`{word}` is not in this version of the language");
    Diagnostic::new(&SYNTAX, span, message).label("not known to `deploy 1`")
}

/// The text with blanks for what its blocks hold, so that a failure is not looked for there.
fn hollow(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let mut open = 0usize;
    let mut inside: Option<usize> = None;
    for token in Scanner::new(text, 0) {
        match token.kind {
            TokenKind::Open('{') => {
                open += 1;
                let behind = text
                    .get(token.end..)
                    .unwrap_or("")
                    .trim_start_matches([' ', '\t']);
                if inside.is_none() && behind.starts_with('\n') {
                    inside = Some(open);
                    continue;
                }
            }
            TokenKind::Close('}') => {
                if inside == Some(open) {
                    inside = None;
                }
                open = open.saturating_sub(1);
            }
            _ => {}
        }
        if inside.is_some() {
            out.get_mut(token.start..token.end)
                .unwrap_or(&mut [])
                .fill(b' ');
        }
    }
    String::from_utf8(out).unwrap_or_default()
}

/// Parses a statement that is known to fail. Offsets come back with `base` added.
fn fail(probe: Rule, text: &str, base: usize) -> Failure<'_> {
    let (at, expected) = match Grammar::parse(probe, text).map(|_| ()) {
        Ok(()) => (0, Vec::new()),
        Err(error) => {
            let at = match error.location {
                InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
            };
            match error.variant {
                ErrorVariant::ParsingError { positives, .. } => (at, positives),
                ErrorVariant::CustomError { .. } => (at, Vec::new()),
            }
        }
    };
    let word = |token: Token| Word {
        start: base + token.start,
        end: base + token.end,
        text: text.get(token.start..token.end).unwrap_or(""),
        kind: token.kind,
    };
    let tokens = || {
        Scanner::new(text, 0)
            .filter(|token| token.kind != TokenKind::Newline)
            .map(word)
    };
    let before = tokens().take_while(|token| token.end <= base + at).last();
    let mut behind = Scanner::new(text, at).filter(|token| token.kind != TokenKind::Newline);
    let found = behind.next().map(word);
    let end = before.map_or(base + at, |token| token.end);
    Failure {
        start: found.map_or(end, |token| token.start),
        end: found.map_or(end, |token| token.end),
        found: found.map(|token| token.text),
        before,
        first: tokens().next(),
        second: tokens().nth(1),
        first_has_head: tokens()
            .nth(1)
            .is_some_and(|second| begins_head(second.kind)),
        expected,
    }
}

fn begins_head(kind: TokenKind) -> bool {
    use TokenKind::{Number, Open, String, Word};
    matches!(kind, Number | Open('{') | String(_) | Word)
}

/// Text of the user, in backquotes, not too long.
fn quoted(text: &str) -> String {
    const SHOWN_MAX: usize = 40;
    let line = text.lines().next().unwrap_or("");
    match line.chars().count() > SHOWN_MAX {
        true => format!("`{}…`", line.chars().take(SHOWN_MAX).collect::<String>()),
        false => format!("`{line}`"),
    }
}
