//! What came of one test, ready to be told.

use crate::analyze::compile::Compiled;
use crate::commands::show::line;
use crate::commands::test::stories;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::scenario::TEST_UNMET;
use crate::plan::Plan;
use crate::simulate::coverage::{self, Point};
use crate::simulate::scenario::Scenario;
use crate::simulate::trial::{Failure, Tried, Why};
use crate::source::{Sources, Span};
use crate::values::{Instant, show};
use std::collections::BTreeSet;

pub struct Report {
    pub title: String,
    pub span: Span,
    pub failures: Vec<Unmet>,
    pub took_ns: i64,
    pub events: usize,
    /// Of the plan.
    pub seen: BTreeSet<Point>,
}

/// An expectation that did not come true.
pub struct Unmet {
    pub diagnostic: Diagnostic,
    /// What the run said up to then; the newest last.
    pub story: Vec<String>,
    /// Lines before these.
    pub left_out: usize,
}

impl Report {
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// So many lines of a story explain a failure.
const STORY_LINES_MAX: usize = 12;

pub fn report(
    compiled: &Compiled,
    plan: &Plan,
    span: Span,
    scenario: &Scenario,
    tried: &Tried,
) -> Report {
    let unmet = |failure: &Failure| {
        let expectation = scenario.expects.get(failure.expectation);
        let span = expectation.map_or(span, |expectation| expectation.span);
        let (story, left_out) = story(compiled, plan, tried, failure.at);
        Unmet {
            diagnostic: diagnostic(&compiled.sources, span, failure),
            story,
            left_out,
        }
    };
    Report {
        title: scenario.title.clone(),
        span,
        failures: tried.failures.iter().map(unmet).collect(),
        took_ns: tried.took_ns,
        events: tried.drive.events,
        seen: coverage::seen(plan, tried),
    }
}

fn diagnostic(sources: &Sources, span: Span, failure: &Failure) -> Diagnostic {
    let text = sources.text(span).split_whitespace().collect::<Vec<_>>();
    let text = text.join(" ");
    let wanted = text.strip_prefix("expect ").unwrap_or(&text);
    let at = show::instant(failure.at);
    let actual = match &failure.why {
        Why::NeverCame => {
            let message = format!("expected `{wanted}`, but this moment never came");
            return Diagnostic::new(&TEST_UNMET, span, message)
                .label("nothing was looked at")
                .help("see in the story how far the run came");
        }
        Why::Untrue(actual) => actual,
    };
    let message = format!("expected `{wanted}`");
    let Some((first, others)) = actual.split_first() else {
        return Diagnostic::new(&TEST_UNMET, span, message).label(format!("not so at {at}"));
    };
    let first_label = format!("{} at {at}", first.what);
    let found = Diagnostic::new(&TEST_UNMET, first.span, message).label(first_label);
    let other = |found: Diagnostic, other: &crate::simulate::expect::judge::Actual| {
        found.and(other.span, other.what.clone())
    };
    others.iter().fold(found, other)
}

fn story(compiled: &Compiled, plan: &Plan, tried: &Tried, until: Instant) -> (Vec<String>, usize) {
    let notes = tried.trace.notes.iter();
    let notes = notes.filter(|(at, note)| *at <= until && stories::matters(plan, note));
    let map = compiled.source_map();
    let mut lines: Vec<String> = notes
        .filter_map(|(at, note)| line::line(plan, map, *at, note))
        .collect();
    let left_out = lines.len().saturating_sub(STORY_LINES_MAX);
    lines.drain(..left_out);
    (lines, left_out)
}
