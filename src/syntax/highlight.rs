//! What each piece of a text is, for whoever shows it in colours.
//!
//! The classes are those that the parser found, so a word of the language that is used as a name is a name.
//!
//! **Invariants:** total and linear, without recursion. Highlights come in order, do not overlap, and are not empty.

use crate::source::FileId;
use crate::syntax::grammar::{Grammar, Rule};
use crate::syntax::layout::{Chunk, chunks};
use crate::syntax::scan::{Scanner, TokenKind};
use pest::iterators::Pairs;
use pest::{Parser, Token};
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// A word of the language, where it is used as one.
    Keyword,
    /// What is declared in a plan, or used from it.
    Name,
    /// A field, the key of an entry, the label of an argument.
    Property,
    Type,
    /// An id behind `ref`.
    Reference,
    /// With its quotes, but without what is interpolated.
    String,
    Escape,
    /// The `${` and the `}` around what is interpolated.
    Interpolation,
    /// With its unit; moments, versions and units by themselves, too.
    Number,
    Boolean,
    Comment,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Highlight {
    /// In bytes of the file.
    pub range: Range<usize>,
    pub class: Class,
}

pub fn file(text: &str) -> Vec<Highlight> {
    // The number of the file is for diagnostics, and nobody asks for these here.
    let chunks = chunks(FileId(0), text);
    chunks.flat_map(|part| chunk(text, &part)).collect()
}

/// Of one item: the outcome depends on the chunk alone, so it can be kept while the chunk stays as it is.
pub fn chunk(text: &str, chunk: &Chunk) -> Vec<Highlight> {
    let mut found: Vec<Highlight> = chunk
        .comments
        .iter()
        .map(|range| highlight(range.clone(), Class::Comment))
        .collect();
    let pairs = match chunk.has_item && !chunk.too_deep {
        true => Grammar::parse(Rule::chunk, &chunk.text).ok(),
        false => None,
    };
    match pairs {
        Some(pairs) => found.extend(parsed(chunk, pairs)),
        None => found.extend(unparsed(text, chunk)),
    }
    found.sort_by_key(|highlight| highlight.range.start);
    found
}

/// What stands between two marks of the parser belongs to the innermost rule that is open there.
fn parsed(chunk: &Chunk, pairs: Pairs<'_, Rule>) -> Vec<Highlight> {
    let mut found: Vec<Highlight> = Vec::new();
    let mut open = Vec::new();
    let mut reached = 0;
    for token in pairs.tokens() {
        let (Token::Start { pos, .. } | Token::End { pos, .. }) = &token;
        let text = chunk.text.get(reached..pos.pos()).unwrap_or("");
        if let Some(rule) = open.last() {
            for (range, class) in pieces(*rule, text) {
                let start = chunk.origin(reached + range.start);
                let end = chunk.origin(reached + range.end);
                push(&mut found, highlight(start..end, class));
            }
        }
        reached = pos.pos();
        match token {
            Token::Start { rule, .. } => open.push(rule),
            Token::End { .. } => drop(open.pop()),
        }
    }
    found
}

/// A number and its unit are one. What was put in by the layout has no place in the file.
fn push(found: &mut Vec<Highlight>, next: Highlight) {
    match found.last_mut() {
        _ if next.range.is_empty() => {}
        Some(last) if last.class == next.class && last.range.end == next.range.start => {
            last.range.end = next.range.end;
        }
        _ => found.push(next),
    }
}

/// What the text that belongs to a rule itself consists of.
fn pieces(rule: Rule, text: &str) -> Vec<(Range<usize>, Class)> {
    match rule {
        Rule::chars | Rule::raw_text => vec![(0..text.len(), Class::String)],
        Rule::name_word => whole(text, Class::Name),
        Rule::ident => whole(text, Class::Property),
        Rule::type_name => whole(text, Class::Type),
        Rule::ref_word => whole(text, Class::Reference),
        Rule::string | Rule::raw => whole(text, Class::String),
        Rule::escape => whole(text, Class::Escape),
        Rule::interpolation => whole(text, Class::Interpolation),
        Rule::bool => whole(text, Class::Boolean),
        Rule::digits
        | Rule::unit
        | Rule::cores
        | Rule::unit_text
        | Rule::instant
        | Rule::date
        | Rule::clock
        | Rule::version_number
        | Rule::version_literal => whole(text, Class::Number),
        Rule::quorum if text.starts_with(|c: char| c.is_ascii_digit()) => {
            whole(text, Class::Number)
        }
        Rule::junk_item | Rule::junk_stmt | Rule::junk_tail | Rule::junk_entry => junk(text),
        // A token of its own rule is above; so a word that is left is one of the language.
        _ => words(text),
    }
}

/// Without the blanks behind it.
fn whole(text: &str, class: Class) -> Vec<(Range<usize>, Class)> {
    match text.trim_end().len() {
        0 => Vec::new(),
        length => vec![(0..length, class)],
    }
}

fn words(text: &str) -> Vec<(Range<usize>, Class)> {
    Scanner::new(text, 0)
        .filter(|token| token.kind == TokenKind::Word)
        .map(|token| (token.start..token.end, Class::Keyword))
        .collect()
}

/// What did not parse has no words, only numbers and the quotes of strings; what these hold has rules of its own.
fn junk(text: &str) -> Vec<(Range<usize>, Class)> {
    let mut found = Vec::new();
    let mut start = 0;
    for piece in text.split_inclusive(['"', '`']) {
        let plain = piece.trim_end_matches(['"', '`']);
        let numbers = Scanner::new(plain, 0).filter(|token| token.kind == TokenKind::Number);
        found.extend(numbers.map(|token| (start + token.start..start + token.end, Class::Number)));
        if plain.len() < piece.len() {
            found.push((start + plain.len()..start + piece.len(), Class::String));
        }
        start += piece.len();
    }
    found
}

/// For an item that the grammar was not asked about, or had no answer for.
fn unparsed(text: &str, chunk: &Chunk) -> Vec<Highlight> {
    Scanner::new(text, chunk.range.start)
        .take_while(|token| token.start < chunk.range.end)
        .filter_map(|token| {
            let class = match token.kind {
                TokenKind::String(_) | TokenKind::Raw(_) => Class::String,
                TokenKind::Number => Class::Number,
                _ => return None,
            };
            Some(highlight(token.start..token.end, class))
        })
        .collect()
}

fn highlight(range: Range<usize>, class: Class) -> Highlight {
    Highlight { range, class }
}
