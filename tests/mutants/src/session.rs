//! One run from the build to the last mutant.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

use crate::build::Places;
use crate::hunt::{Prey, hunt};
use crate::program::{self, Source};
use crate::report;
use crate::results::{Outcome, Results};
use crate::suite::{self, Setting};
use crate::tree::Tree;

pub struct Session<'a> {
    pub tree: &'a Tree,
    pub sources: &'a [Source],
    /// Of the copy and of what is built.
    pub folder: &'a Path,
    /// It goes with the program.
    pub scratch: &'a Path,
    pub jobs: usize,
}

/// The mutants by their numbers: names and files.
type Chosen = BTreeMap<u32, (String, String)>;

/// Adds to the results what becomes of the mutants of these numbers.
pub fn judge(session: &Session, open: &[u32], mut results: Results) -> Result<Results> {
    fs::create_dir_all(session.folder)?;
    let lock = File::create(session.folder.join("lock"))?;
    lock.try_lock().context("another run is under way")?;

    let chosen = program::chosen(session.sources);
    let unbuildable = known_unbuildable(&chosen, &results);
    let (setting, unbuildable) = build(session, unbuildable)?;
    for (name, _) in unbuildable.iter().filter_map(|number| chosen.get(number)) {
        if !results.outcomes.contains_key(name) {
            results.add(name, Outcome::Unbuildable, "", 0.0)?;
        }
    }
    let prey = prey(&chosen, open, &unbuildable);

    eprintln!("running each test without a mutant");
    let tests = suite::measure(&setting, &session.folder.join("reached"))?;
    let seconds = tests.iter().map(|test| test.seconds).sum();
    let took = report::time(seconds);
    eprintln!("{} tests, {took}; {} mutants", tests.len(), prey.len());

    let kept = Mutex::new((results, report::begin(prey.len())));
    hunt(&setting, &tests, &prey, &|judged| {
        let (results, progress) = &mut *kept.lock().unwrap_or_else(PoisonError::into_inner);
        results.add(judged.mutant, judged.outcome, &judged.by, judged.seconds)?;
        progress.add(judged.mutant, judged.outcome);
        Ok(())
    })?;
    Ok(kept.into_inner().unwrap_or_else(PoisonError::into_inner).0)
}

fn known_unbuildable(chosen: &Chosen, results: &Results) -> BTreeSet<u32> {
    let is_known = |name: &str| results.outcomes.get(name) == Some(&Outcome::Unbuildable);
    let known = chosen.iter().filter(|(_, (name, _))| is_known(name));
    known.map(|(number, _)| *number).collect()
}

fn build(session: &Session, mut unbuildable: BTreeSet<u32>) -> Result<(Setting, BTreeSet<u32>)> {
    let places = Places {
        copy: session.folder.join("tree"),
        target: session.folder.join("build"),
        profile: Path::new(env!("CARGO_MANIFEST_DIR")).join("profile.toml"),
    };
    eprintln!("building; the first time takes minutes");
    let binaries = program::build_all(session.tree, session.sources, &places, &mut unbuildable)?;
    let setting = Setting {
        binaries,
        copy: places.copy,
        scratch: session.scratch.to_owned(),
        jobs: session.jobs,
    };
    Ok((setting, unbuildable))
}

fn prey(chosen: &Chosen, open: &[u32], unbuildable: &BTreeSet<u32>) -> Vec<Prey> {
    let open = open.iter().filter(|number| !unbuildable.contains(number));
    let prey = open.filter_map(|number| {
        let (name, file) = chosen.get(number)?.clone();
        Some(Prey {
            number: *number,
            name,
            file,
        })
    });
    prey.collect()
}
