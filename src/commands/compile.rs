//! From a path to a compiled plan.

use crate::analyze::compile::{Compiled, compile_bytes};
use crate::commands::check::complain;
use crate::commands::exit::Exit;
use crate::commands::load::{self, Disk, LoadError};
use crate::commands::runs::report;
use crate::diagnostics::Severity;
use crate::plan::{Plan, SourceMap};
use std::collections::BTreeMap;
use std::path::Path;

/// A plan without errors, ready to be carried out.
pub struct Ready {
    pub plan: Plan,
    pub map: SourceMap,
    /// The text of its files by name.
    pub sources: BTreeMap<String, String>,
}

pub fn compiled(path: &Path) -> Result<Compiled, LoadError> {
    let files = load::plan_files(path)?;
    let disk = Disk {
        folder: files.folder,
    };
    Ok(compile_bytes(files.found, &disk))
}

/// For commands that need a plan to go on: prints errors and warnings, and gives the exit code when there is no way on.
pub fn ready(path: &Path) -> Result<Ready, Exit> {
    let compiled = compiled(path).map_err(|error| report(&error))?;
    complain(&compiled, |diagnostic| {
        diagnostic.severity != Severity::Note
    });
    let sources = compiled.sources.iter();
    let sources = sources.map(|(_, file)| (file.name.clone(), file.text.clone()));
    let sources = sources.collect();
    let map = compiled.source_map().clone();
    let plan = compiled.plan.ok_or(Exit::Invalid)?;
    Ok(Ready { plan, map, sources })
}
