//! `deployc check PATH…`: refuses plans that cannot be carried out or undone, and scenarios that do not fit them.

use crate::analyze::compile::Compiled;
use crate::commands::cli::{Check, DiagnosticFormat};
use crate::commands::exit::Exit;
use crate::commands::scenarios;
use crate::commands::terminal::{self, Stream};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::render::{github, human, json, tally};
use std::path::Path;

pub fn check(args: &Check) -> Exit {
    let mut exit = Exit::Succeeded;
    let mut last = None;
    for path in &args.paths {
        let compiled = one(path, args.format);
        if compiled.as_ref().is_none_or(Compiled::has_errors) {
            exit = Exit::Invalid;
        }
        last = compiled;
    }
    // The process ends: nobody waits until a large plan is taken apart.
    std::mem::forget(last);
    exit
}

/// `None` where there is nothing to be compiled; it has been said.
fn one(path: &Path, format: DiagnosticFormat) -> Option<Compiled> {
    let compiled = match scenarios::load(path, None) {
        Ok(rehearsal) => rehearsal.checked(),
        Err(error) => {
            terminal::eprintln!("error: {error}");
            return None;
        }
    };
    print(&compiled, format);
    let found = &compiled.diagnostics;
    if format == DiagnosticFormat::Human {
        terminal::eprintln!("{}: {}", path.display(), tally(found));
    }
    Some(compiled)
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
