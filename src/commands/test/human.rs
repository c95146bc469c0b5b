//! Tests for a person: a line for each, and all about those that failed.

use crate::commands::test::report::{Report, Unmet};
use crate::diagnostics::render::human::{Style, render};
use crate::source::Sources;
use crate::units::show::duration_ns;
use std::fmt::Write as _;

pub fn text(reports: &[Report], sources: &Sources, style: Style) -> String {
    let mut out = String::new();
    let mut file = "";
    for report in reports {
        let name = sources.locate(report.span).map_or("", |(name, _)| name);
        if name != file {
            let _ = writeln!(out, "{name}");
            file = name;
        }
        let word = if report.passed() { "ok  " } else { "FAIL" };
        let took = duration_ns(report.took_ns);
        let _ = writeln!(out, "  {word}  {} ({took} of virtual time)", report.title);
        let mut told = None;
        for unmet in &report.failures {
            let _ = write!(out, "\n{}", render(&unmet.diagnostic, sources, style));
            if told != Some(&unmet.story) {
                out.push_str(&story(unmet));
            }
            told = Some(&unmet.story);
        }
    }
    out.push_str(&tally(reports));
    out
}

fn story(unmet: &Unmet) -> String {
    let mut out = String::new();
    if unmet.story.is_empty() {
        return out;
    }
    out.push_str("  how it came about:\n");
    if unmet.left_out > 0 {
        let _ = writeln!(out, "    … {} lines before", unmet.left_out);
    }
    for line in &unmet.story {
        let _ = writeln!(out, "    {line}");
    }
    out.push('\n');
    out
}

fn tally(reports: &[Report]) -> String {
    let failed = reports.iter().filter(|report| !report.passed()).count();
    let tests = match reports.len() {
        1 => "1 test".to_owned(),
        all => format!("{all} tests"),
    };
    let outcome = match failed {
        0 => "all passed".to_owned(),
        failed => format!("{} passed, {failed} failed", reports.len() - failed),
    };
    let virtual_ns = reports.iter().map(|report| report.took_ns).sum();
    let time = duration_ns(virtual_ns);
    format!("\n{tests}: {outcome} ({time} of virtual time in all)\n")
}
