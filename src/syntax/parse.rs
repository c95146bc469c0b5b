//! From text to a tree. Total: whatever the text is, there is a tree, and a diagnostic for each mistake in it.

mod builder;
mod clause;
mod comments;
mod expr;
mod item;
mod poison;
mod policy;
mod recover;
mod scenario;
mod stmt;
mod string;
pub mod words;

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::syntax::{MISSING_VERSION, MISSPELT_WORD, UNKNOWN_VERSION};
use crate::source::{FileId, Span};
use crate::syntax::ast::{Comment, File, Item, LanguageVersion};
use crate::syntax::grammar::{Grammar, Rule};
use crate::syntax::layout::{Chunk, Chunks, chunks};
use crate::syntax::parse::builder::Builder;
use crate::syntax::parse::recover::Replacement;
use crate::syntax::scan::{Scanner, TokenKind, rest};
use pest::Parser;
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The one version of the language.
pub const LANGUAGE_VERSION: &str = "1";

/// So many diagnostics a file gets at most; what follows them is not looked at.
pub const DIAGNOSTICS_MAX: usize = 100;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    pub file: File,
    pub diagnostics: Vec<Diagnostic>,
}

/// What one chunk of a file came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Version(LanguageVersion),
    Item(Box<Item>),
    /// After the last item.
    Comments(Vec<Comment>),
}

/// Parses a whole file. Without a language version that is known nothing but the version is looked at.
pub fn parse(file: FileId, text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut chunks = chunks(file, text);
    let Some(first) = chunks.next() else {
        parsed.diagnostics.push(no_version(Span::new(file, 0, 0)));
        return parsed;
    };
    match parse_chunk(file, text, &first) {
        (Part::Version(version), diagnostics) if version.number == LANGUAGE_VERSION => {
            parsed.file.version = Some(version);
            parsed.diagnostics = diagnostics;
        }
        (Part::Version(version), _) => {
            parsed.diagnostics.push(unknown_version(&version));
            parsed.file.version = Some(version);
            return parsed;
        }
        _ => {
            parsed.diagnostics.push(missing_version(file, text, &first));
            return parsed;
        }
    }
    for (part, diagnostics) in side_by_side(file, text, chunks) {
        if parsed.diagnostics.len() >= DIAGNOSTICS_MAX {
            break;
        }
        match part {
            Part::Version(version) => parsed.diagnostics.push(second_version(&version)),
            Part::Item(item) => parsed.file.items.push(*item),
            Part::Comments(comments) => parsed.file.trailing.extend(comments),
        }
        parsed.diagnostics.extend(diagnostics);
    }
    parsed.diagnostics.truncate(DIAGNOSTICS_MAX);
    parsed.diagnostics.sort_by_key(|d| d.primary.span.start);
    parsed
}

/// Each chunk, in the order of the text; while some are parsed, the next are cut. When there are more mistakes than are shown,
/// the rest is left: by then all chunks before it are under way, so what is shown depends on the text alone.
fn side_by_side(file: FileId, text: &str, chunks: Chunks<'_>) -> Vec<(Part, Vec<Diagnostic>)> {
    let mistakes = AtomicUsize::new(0);
    let wanted = chunks.take_while(|_| mistakes.load(Ordering::Relaxed) < DIAGNOSTICS_MAX);
    let parts = wanted.enumerate().par_bridge().map(|(index, chunk)| {
        let parsed = parse_chunk(file, text, &chunk);
        mistakes.fetch_add(parsed.1.len(), Ordering::Relaxed);
        (index, parsed)
    });
    let mut parts: Vec<_> = parts.collect();
    parts.sort_unstable_by_key(|(index, _)| *index);
    parts.into_iter().map(|(_, parsed)| parsed).collect()
}

/// Parses one item. The outcome depends on the chunk alone, so it can be kept while the chunk stays as it is.
pub fn parse_chunk(file: FileId, text: &str, chunk: &Chunk) -> (Part, Vec<Diagnostic>) {
    let mut chunk = Cow::Borrowed(chunk);
    for _ in 0..REPAIRS_MAX {
        let (part, builder) = build(file, text, &chunk);
        if builder.replacements.is_empty() {
            return (part, all_diagnostics(builder));
        }
        let slips = builder
            .diagnostics
            .iter()
            .filter(|d| d.code == &MISSPELT_WORD);
        let mut repaired = chunk.replaced(&replacements(&builder.replacements));
        repaired.diagnostics.extend(slips.cloned());
        chunk = Cow::Owned(repaired);
    }
    let (part, builder) = build(file, text, &chunk);
    (part, all_diagnostics(builder))
}

/// How often an item is parsed anew with slips put right: one may hide another.
const REPAIRS_MAX: usize = 3;

fn build<'c>(file: FileId, text: &'c str, chunk: &'c Chunk) -> (Part, Builder<'c>) {
    let mut builder = Builder::new(file, text, chunk);
    let part = if !chunk.has_item {
        Part::Comments(builder.remaining_comments())
    } else if chunk.too_deep {
        Part::Item(Box::new(builder.junk_chunk()))
    } else {
        match Grammar::parse(Rule::chunk, &chunk.text) {
            Ok(pairs) => builder.chunk(pairs),
            Err(_) => {
                builder.report_unparsed();
                Part::Item(Box::new(builder.junk_chunk()))
            }
        }
    };
    (part, builder)
}

fn all_diagnostics(builder: Builder<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = builder.chunk.diagnostics.clone();
    diagnostics.extend(builder.diagnostics);
    diagnostics
}

fn replacements(found: &[Replacement]) -> Vec<(Range<usize>, &'static str)> {
    let mut sorted: Vec<_> = found.iter().map(|r| (r.start..r.end, r.word)).collect();
    sorted.sort_by_key(|(range, _)| range.start);
    sorted.dedup_by(|b, a| b.0.start < a.0.end);
    sorted
}

fn unknown_version(version: &LanguageVersion) -> Diagnostic {
    let message = format!(
        "this program does not know version {} of the language",
        version.number
    );
    let newer = version
        .number
        .parse::<u64>()
        .map_or(true, |number| number > 1);
    let help = match newer {
        true => format!(
            "update deployc, or migrate the plan back to `deploy {LANGUAGE_VERSION}`; nothing else in the file was read"
        ),
        false => format!(
            "the first version is `deploy {LANGUAGE_VERSION}`; nothing else in the file was read"
        ),
    };
    Diagnostic::new(&UNKNOWN_VERSION, version.span, message)
        .label(format!("known is: {LANGUAGE_VERSION}"))
        .help(help)
}

fn second_version(version: &LanguageVersion) -> Diagnostic {
    let message = "the language version stands twice";
    Diagnostic::new(&UNKNOWN_VERSION, version.span, message)
        .label("not the first line of the file")
        .help("remove this line")
}

fn missing_version(file: FileId, text: &str, chunk: &Chunk) -> Diagnostic {
    let first = Scanner::new(text, chunk.range.start)
        .find(|token| !matches!(token.kind, TokenKind::Newline | TokenKind::Comment));
    let start = first.map_or(chunk.range.start, |token| token.start);
    let line = rest(text, start).lines().next().unwrap_or("");
    no_version(Span::new(file, start, start + line.len()))
}

fn no_version(place: Span) -> Diagnostic {
    let start = Span {
        end: place.start,
        ..place
    };
    Diagnostic::new(
        &MISSING_VERSION,
        place,
        "the file does not say its language version",
    )
    .label(format!("expected `deploy {LANGUAGE_VERSION}` before this"))
    .help(format!(
        "write `deploy {LANGUAGE_VERSION}` as the first line; nothing else in the file was read"
    ))
    .note("a plan says its version so that a later program never guesses what it means")
    .fix(
        format!("insert `deploy {LANGUAGE_VERSION}`"),
        start,
        format!("deploy {LANGUAGE_VERSION}\n\n"),
    )
}
