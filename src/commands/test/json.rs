//! Tests as JSON: one object for each, then one for all.

use crate::commands::test::report::Report;
use crate::diagnostics::render::json;
use crate::source::Sources;
use serde_json::{Value, json};

pub fn lines(reports: &[Report], sources: &Sources) -> String {
    let mut out = String::new();
    for report in reports {
        out.push_str(&object(report, sources).to_string());
        out.push('\n');
    }
    let passed = reports.iter().filter(|report| report.passed()).count();
    let summary = json!({"summary": {
        "tests": reports.len(),
        "passed": passed,
        "failed": reports.len() - passed,
    }});
    out.push_str(&format!("{summary}\n"));
    out
}

fn object(report: &Report, sources: &Sources) -> Value {
    let place = sources.locate(report.span);
    let failures = report.failures.iter().map(|unmet| {
        // The renderer writes an object; it cannot fail to be one.
        let diagnostic: Value =
            serde_json::from_str(&json::render(&unmet.diagnostic, sources)).unwrap_or_default();
        json!({"diagnostic": diagnostic, "story": unmet.story})
    });
    json!({"test": {
        "title": report.title,
        "file": place.map(|(file, _)| file),
        "line": place.map(|(_, at)| at.line),
        "passed": report.passed(),
        "virtual_seconds": report.took_ns as f64 / 1e9,
        "events": report.events,
        "failures": failures.collect::<Vec<_>>(),
    }})
}
