//! Tests as JUnit XML, which CI systems read.

use crate::commands::test::report::{Report, Unmet};
use crate::diagnostics::render::human::{Style, render};
use crate::source::Sources;
use quick_junit::{
    NonSuccessKind, Report as Document, SerializeError, TestCase, TestCaseStatus, TestSuite,
};
use std::time::Duration;

/// A suite for each file. The time of a test is its virtual time.
pub fn xml(reports: &[Report], sources: &Sources) -> Result<String, SerializeError> {
    let mut document = Document::new("deployc");
    let mut suites: Vec<TestSuite> = Vec::new();
    for report in reports {
        let (file, at) = match sources.locate(report.span) {
            Some((file, at)) => (file, Some(at)),
            None => ("", None),
        };
        if suites
            .last()
            .is_none_or(|suite| suite.name.as_str() != file)
        {
            suites.push(TestSuite::new(file));
        }
        let mut case = TestCase::new(report.title.as_str(), status(report, sources));
        case.set_classname(file);
        case.set_time(Duration::from_nanos(report.took_ns.unsigned_abs()));
        if let Some(at) = at {
            case.extra.insert("file".into(), file.into());
            case.extra.insert("line".into(), at.line.to_string().into());
        }
        if let Some(suite) = suites.last_mut() {
            suite.add_test_case(case);
        }
    }
    document.add_test_suites(suites);
    document.to_string()
}

fn status(report: &Report, sources: &Sources) -> TestCaseStatus {
    let Some(first) = report.failures.first() else {
        return TestCaseStatus::success();
    };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    let told = report.failures.iter().map(|unmet| told(unmet, sources));
    status
        .set_message(first.diagnostic.message.as_str())
        .set_type(first.diagnostic.code.name)
        .set_description(told.collect::<Vec<String>>().join("\n"));
    status
}

fn told(unmet: &Unmet, sources: &Sources) -> String {
    let mut text = render(&unmet.diagnostic, sources, Style::PLAIN);
    for line in &unmet.story {
        text.push_str(&format!("  {line}\n"));
    }
    text
}
