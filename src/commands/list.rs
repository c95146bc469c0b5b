//! `deployc list`: all runs, newest first.

use crate::commands::cli::{List, Output};
use crate::commands::exit::Exit;
use crate::commands::runs::{self, report};
use crate::commands::terminal;
use crate::engine::protocol::RunOutcome;
use crate::journal::store::Summary;
use crate::values::show;
use serde_json::json;

pub fn list(args: &List) -> Exit {
    let summaries = match runs::open(&args.state.state).and_then(|store| store.runs()) {
        Ok(summaries) => summaries,
        Err(error) => return report(&error),
    };
    let width = summaries
        .iter()
        .map(|summary| summary.run.len())
        .max()
        .unwrap_or(0);
    for summary in &summaries {
        match args.output.output {
            Output::Human => terminal::println!("{}", line(summary, width)),
            Output::Json => terminal::println!("{}", object(summary)),
        }
    }
    Exit::Succeeded
}

pub fn outcome_word(outcome: Option<RunOutcome>) -> &'static str {
    match outcome {
        None => "not ended",
        Some(RunOutcome::Succeeded) => "succeeded",
        Some(RunOutcome::Stopped) => "stopped",
        Some(RunOutcome::RolledBack) => "rolled back",
        Some(RunOutcome::RollbackIncomplete) => "rollback incomplete",
    }
}

fn line(summary: &Summary, width: usize) -> String {
    format!(
        "{:width$}  {}  {:<19}  {}",
        summary.run,
        show::instant(summary.created),
        stand(summary),
        summary.target,
    )
}

/// A run whose process was killed before its first event has done nothing, and nothing goes on with it.
fn stand(summary: &Summary) -> &'static str {
    match summary.records {
        0 => "not started",
        _ => outcome_word(summary.outcome),
    }
}

fn object(summary: &Summary) -> serde_json::Value {
    json!({
        "run": summary.run,
        "created": show::instant(summary.created),
        "outcome": summary.outcome,
        "target": summary.target,
        "records": summary.records,
    })
}
