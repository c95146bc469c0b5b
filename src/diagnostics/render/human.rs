//! For a person: source, underline, reason, next action. Drawn by `miette`.
//!
//! `miette` shows one source in a report, so a label in another file becomes a line `file:line:column: text` below it.

use crate::diagnostics::render::shown::{Shown, shown};
use crate::diagnostics::{Diagnostic, Label, Severity};
use crate::source::{Sources, Span};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, ThemeCharacters, ThemeStyles,
};
use std::fmt;

/// How a rendering may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    pub color: Color,
    pub charset: Charset,
    pub width: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Unicode,
    Ascii,
}

impl Style {
    /// For files, pipes and tests.
    pub const PLAIN: Style = Style {
        color: Color::Never,
        charset: Charset::Unicode,
        width: 100,
    };
}

/// One diagnostic, with a line break at its end.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, style: Style) -> String {
    let mut out = String::new();
    let report = Report::new(diagnostic, sources);
    let drawn = handler(style).render_report(&mut out, &report);
    if drawn.is_err() {
        // Drawing into a string fails only where the span is unusable; the words must not be lost.
        out = format!(
            "{}[{}]: {}\n",
            report.word(),
            diagnostic.code.id,
            diagnostic.message
        );
    }
    if let (None, Some(note)) = (&diagnostic.help, &diagnostic.note) {
        out.push_str(&lone_note(note, style.width));
    }
    for label in report.elsewhere() {
        if let Some((file, at)) = sources.locate(label.span) {
            out.push_str(&format!(
                "  {file}:{}:{}: {}\n",
                at.line, at.column, label.text
            ));
        }
    }
    out
}

fn handler(style: Style) -> GraphicalReportHandler {
    let characters = match style.charset {
        Charset::Unicode => ThemeCharacters::unicode(),
        Charset::Ascii => ThemeCharacters::ascii(),
    };
    let styles = match style.color {
        Color::Always => ThemeStyles::ansi(),
        Color::Never => ThemeStyles::none(),
    };
    GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_width(style.width)
        .with_links(false)
        .with_context_lines(1)
}

/// A diagnostic in the shape that `miette` asks for.
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    source: Option<NamedSource<String>>,
    /// Of the labels that stand in the source, in its text as it is shown; the primary one first.
    labels: Vec<LabeledSpan>,
    help: Option<String>,
}

impl<'a> Report<'a> {
    fn new(diagnostic: &'a Diagnostic, sources: &Sources) -> Report<'a> {
        let primary = &diagnostic.primary;
        let file = sources.get(primary.span.file);
        let others = diagnostic.secondary.iter();
        let others = others.filter(|label| label.span.file == primary.span.file);
        let here: Vec<&Label> = std::iter::once(primary).chain(others).collect();
        let spans: Vec<Span> = here.iter().map(|label| label.span).collect();
        let text = shown(file.map_or("", |file| &file.text), &spans);
        let labels = here.iter().enumerate().map(|(index, label)| {
            let primary = if index == 0 {
                Primary::Yes
            } else {
                Primary::No
            };
            labeled(label, primary, &text)
        });
        Report {
            diagnostic,
            labels: labels.collect(),
            source: file
                .map(|file| NamedSource::new(&file.name, text.text).with_language("deploy")),
            help: help_text(diagnostic),
        }
    }

    fn word(&self) -> &'static str {
        super::severity_word(self.diagnostic.severity)
    }

    fn here(&self, label: &Label) -> bool {
        label.span.file == self.diagnostic.primary.span.file
    }

    fn elsewhere(&self) -> impl Iterator<Item = &Label> {
        self.diagnostic
            .secondary
            .iter()
            .filter(|label| !self.here(label))
    }
}

/// `miette` knows no notes: one stands behind the help, and below the report where there is no help.
fn help_text(diagnostic: &Diagnostic) -> Option<String> {
    let help = diagnostic.help.as_ref()?;
    Some(match &diagnostic.note {
        Some(note) => format!("{help}\nnote: {note}"),
        None => help.clone(),
    })
}

fn lone_note(note: &str, width: usize) -> String {
    let options = textwrap::Options::new(width)
        .initial_indent("  note: ")
        .subsequent_indent("        ");
    format!("{}\n", textwrap::fill(note, options))
}

fn labeled(label: &Label, primary: Primary, shown: &Shown) -> LabeledSpan {
    let Span { start, end, .. } = label.span;
    let text = (!label.text.is_empty()).then(|| label.text.clone());
    let range = shown.place(start as usize)..shown.place(end as usize);
    match primary {
        Primary::Yes => LabeledSpan::new_primary_with_span(text, range),
        Primary::No => LabeledSpan::new_with_span(text, range),
    }
}

enum Primary {
    Yes,
    No,
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic.fmt(f)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        let code = self.diagnostic.code;
        Some(Box::new(format!(
            "{}[{}] {}",
            self.word(),
            code.id,
            code.name
        )))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        let help = self.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        let source = self.source.as_ref()?;
        Some(source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
