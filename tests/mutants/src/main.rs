//! Runs the tests against thousands of small changes of the program, the mutants, and names those that no test notices.
//!
//! `cargo mutants` builds once for each; here all are built into one binary and switched by an environment variable, so the
//! whole takes an hour and not days. The idea is R. H. Untch's "mutant schemata" (1992), now also called mutant switching.
//!
//! A run copies the working tree ([`tree`]), finds what can be changed ([`find`]) in the files of the program ([`modules`]), writes
//! all changes in beside what is there ([`rewrite`]), and builds that without those that do not compile ([`program`], [`build`]).
//! Then it measures which tests reach which mutants ([`suite`]), and brings one after the other to life before these ([`hunt`]).
//! Names and reasons ([`reasons`]) are those of `cargo mutants`, whose configuration serves both.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::report::Summary;
use crate::session::Session;

mod build;
mod changes;
mod find;
mod hunt;
mod modules;
mod process;
mod program;
mod reasons;
mod report;
mod results;
mod rewrite;
mod session;
mod side_by_side;
mod suite;
// Compiled into the copy; here only its bound is of use.
#[allow(dead_code)]
mod switch;
mod tree;
mod trial;

const REASONS: &str = ".cargo/mutants.toml";

/// Names the mutants (small changes of the program) that no test notices and no reason in `.cargo/mutants.toml` excuses.
///
/// Results are kept: a run that was stopped goes on, as long as the code is the same. Exit code 1: some mutant survives.
#[derive(Parser)]
#[command(name = "tests/mutants/run", bin_name = "tests/mutants/run")]
struct Options {
    /// Only the mutants of this module, as `engine`; may be given more than once.
    #[arg(long, value_name = "NAME")]
    layer: Vec<String>,

    /// Only the mutants of files whose path contains this; may be given more than once.
    #[arg(long, value_name = "TEXT")]
    file: Vec<String>,

    /// Where results are kept [default: results in the folder of what is built].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// How many mutants run side by side [default: one for each core].
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    /// Run those with a reason, too, and name the reasons that nothing needs.
    #[arg(long)]
    try_reasons: bool,

    /// Only name the mutants.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let scratch = std::env::temp_dir().join(format!("deployc-mutants-{}", std::process::id()));
    let ended = end_children_when_interrupted(scratch.clone())
        .and_then(|()| run(&Options::parse(), &scratch));
    // It is there only if tests were run.
    let _ = std::fs::remove_dir_all(&scratch);
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn end_children_when_interrupted(scratch: PathBuf) -> Result<()> {
    #[allow(clippy::exit)]
    let end = move || {
        process::end_all();
        let _ = std::fs::remove_dir_all(&scratch);
        std::process::exit(130)
    };
    ctrlc::set_handler(end).context("cannot wait for Ctrl-C")
}

/// Whether no mutant survives without a reason.
fn run(options: &Options, scratch: &Path) -> Result<bool> {
    let begin = Instant::now();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().context("where is the project?")?;
    let tree = tree::read(&root)?;
    let reasons = tree.files.get(Path::new(REASONS)).context(REASONS)?;
    let reasons = reasons::read(&String::from_utf8_lossy(reasons)).context(REASONS)?;
    let sources = program::sources(&tree, &reasons, &|file| is_chosen(options, file))?;
    let chosen = program::chosen(&sources);
    if chosen.is_empty() {
        bail!("no mutant is in a file of that name, or in a layer that `{REASONS}` examines");
    }
    if options.list {
        print(chosen.values().map(|(name, _)| name.as_str()));
        return Ok(true);
    }
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let folder = std::path::absolute(folder)?.join("mutants");
    let out = options.out.clone().unwrap_or(folder.join("results"));
    let mut results = results::open(&out, &tree::digest(&tree))?;
    let is_open = |name: &str| {
        let is_tried = options.try_reasons || !reasons.has(name);
        is_tried && !results.outcomes.contains_key(name)
    };
    let open: Vec<u32> = chosen
        .iter()
        .filter(|(_, (name, _))| is_open(name))
        .map(|(number, _)| *number)
        .collect();
    eprintln!("{} mutants, {} to be run", chosen.len(), open.len());
    if !open.is_empty() {
        let cores = std::thread::available_parallelism();
        let session = Session {
            tree: &tree,
            sources: &sources,
            folder: &folder,
            scratch,
            jobs: options.jobs.or(cores.ok()).map_or(1, NonZeroUsize::get),
        };
        results = session::judge(&session, &open, results)?;
    }
    let summary = Summary {
        chosen: chosen
            .values()
            .map(|(name, _)| (name.as_str(), results.outcomes.get(name).copied()))
            .collect(),
        reasons: &reasons,
    };
    let is_well = conclude(&summary, &program::names(&sources));
    eprintln!(
        "{}; {}",
        summary.line(),
        report::time(begin.elapsed().as_secs_f64())
    );
    Ok(is_well)
}

fn is_chosen(options: &Options, file: &str) -> bool {
    let layer = file.split('/').nth(1).unwrap_or_default();
    let layer = layer.trim_end_matches(".rs");
    let is_in_layer = options.layer.is_empty() || options.layer.iter().any(|name| name == layer);
    let is_named = options.file.is_empty() || options.file.iter().any(|part| file.contains(part));
    is_in_layer && is_named
}

/// Names what is left to do. Survivors go where a program can read them.
fn conclude(summary: &Summary, names: &[String]) -> bool {
    let survivors = summary.survivors();
    print(survivors.iter().copied());
    for pattern in report::stale_reasons(summary.reasons, names) {
        eprintln!("this reason fits no mutant: {pattern}");
    }
    for pattern in summary.needless_reasons() {
        eprintln!("this reason is not needed, tests notice all its mutants: {pattern}");
    }
    survivors.is_empty()
}

fn print<'a>(names: impl Iterator<Item = &'a str>) {
    let text: String = names.map(|name| format!("{name}\n")).collect();
    // Whoever reads only the first lines wants no more.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

// The rewritten text asks this name at the top of its crate.
#[cfg(test)]
#[path = "rewrite/alive.rs"]
mod mutant_switch;
