//! `deployc check PATH…`: refuses plans that cannot be carried out or undone, and scenarios that do not fit them.

use crate::analyze::compile::Compiled;
use crate::commands::cli::{Check, DiagnosticFormat};
use crate::commands::exit::Exit;
use crate::commands::scenarios;
use crate::commands::terminal::{self, Stream};
use crate::diagnostics::render::{github, human, json, tally};
use crate::diagnostics::{Diagnostic, Severity};
use std::path::Path;

pub fn check(args: &Check) -> Exit {
    let invalid = args
        .paths
        .iter()
        .filter(|path| one(path, args.format) == Verdict::Invalid)
        .count();
    match invalid {
        0 => Exit::Succeeded,
        _ => Exit::Invalid,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Valid,
    Invalid,
}

fn one(path: &Path, format: DiagnosticFormat) -> Verdict {
    let compiled = match scenarios::load(path, None) {
        Ok(rehearsal) => rehearsal.checked(),
        Err(error) => {
            terminal::eprintln!("error: {error}");
            return Verdict::Invalid;
        }
    };
    print(&compiled, format);
    let found = &compiled.diagnostics;
    if format == DiagnosticFormat::Human {
        terminal::eprintln!("{}: {}", path.display(), tally(found));
    }
    if found
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
    {
        Verdict::Invalid
    } else {
        Verdict::Valid
    }
}

/// On standard output: `check` is what its output is for.
fn print(compiled: &Compiled, format: DiagnosticFormat) {
    let style = terminal::style(Stream::Stdout);
    for diagnostic in &compiled.diagnostics {
        let sources = &compiled.sources;
        match format {
            DiagnosticFormat::Human => {
                terminal::println!("{}", human::render(diagnostic, sources, style))
            }
            DiagnosticFormat::Json => terminal::println!("{}", json::render(diagnostic, sources)),
            DiagnosticFormat::Github => terminal::print!("{}", github::render(diagnostic, sources)),
        }
    }
}

/// On standard error: for commands whose output is something else.
pub fn complain(compiled: &Compiled, wanted: impl Fn(&Diagnostic) -> bool) {
    let style = terminal::style(Stream::Stderr);
    for diagnostic in compiled
        .diagnostics
        .iter()
        .filter(|diagnostic| wanted(diagnostic))
    {
        terminal::eprintln!("{}", human::render(diagnostic, &compiled.sources, style));
    }
}
