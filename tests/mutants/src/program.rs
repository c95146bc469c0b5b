//! The program with its mutants: found in the sources, numbered, and built into one binary without those that do not compile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::build::{Binaries, Built, Error, Places, build};
use crate::find::{Found, find};
use crate::modules::shipped;
use crate::reasons::Reasons;
use crate::rewrite::{Rewritten, rewrite};
use crate::tree::{self, Tree};

const TOP: &str = "src/lib.rs";
const SWITCH: &str = "src/mutant_switch.rs";

/// What a mutant leads to may be an error that the compiler knows of, and much is superfluous with it.
const ALLOWED: &str =
    "#![allow(warnings, arithmetic_overflow, unconditional_panic, unconditional_recursion)]\n";

/// Each takes away at least one mutant, mostly very many; where there are so many, the code itself does not compile.
const ROUNDS_MAX: usize = 30;

pub struct Source {
    path: PathBuf,
    text: String,
    found: Found,
    /// Of its first mutant. The others follow.
    first: u32,
    is_chosen: bool,
}

/// All files that the reasons examine; `is_chosen` says whose mutants are to be run.
pub fn sources(
    tree: &Tree,
    reasons: &Reasons,
    is_chosen: &dyn Fn(&str) -> bool,
) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    // None is 0.
    let mut next: u32 = 1;
    for (path, text, code) in shipped(&tree.files, Path::new(TOP))? {
        if !reasons.is_examined(&path) {
            continue;
        }
        let name = path.to_string_lossy().into_owned();
        let found = find(&name, &text, &code);
        let mutants = u32::try_from(found.mutants.len())?;
        sources.push(Source {
            is_chosen: is_chosen(&name),
            path,
            text,
            found,
            first: next,
        });
        next += mutants;
    }
    if next as usize > crate::switch::MUTANTS_MAX {
        bail!("{next} mutants are too many for one binary");
    }
    Ok(sources)
}

/// The mutants with their files, by number.
pub fn chosen(sources: &[Source]) -> BTreeMap<u32, (String, String)> {
    let chosen = sources.iter().filter(|source| source.is_chosen);
    let mutants = chosen.flat_map(|source| {
        let mutants = source.found.mutants.iter();
        let named = mutants.map(|mutant| (mutant.to_string(), mutant.file.clone()));
        (source.first..).zip(named)
    });
    mutants.collect()
}

/// The names of all mutants, whether chosen or not.
pub fn names(sources: &[Source]) -> Vec<String> {
    let mutants = sources.iter().flat_map(|source| &source.found.mutants);
    mutants.map(ToString::to_string).collect()
}

/// One binary with all chosen mutants but the unbuildable, which grow by those that are found to be so.
pub fn build_all(
    tree: &Tree,
    sources: &[Source],
    places: &Places,
    unbuildable: &mut BTreeSet<u32>,
) -> Result<Binaries> {
    for _ in 0..ROUNDS_MAX {
        let (texts, rewritten) = rewrite_all(tree, sources, unbuildable)?;
        tree::write(tree, &texts, &places.copy)?;
        let errors = match build(places)? {
            Built::Tests(binaries) => return Ok(binaries),
            Built::Errors(errors) => errors,
        };
        let guilty = guilty(sources, &rewritten, &errors);
        if guilty.is_empty() {
            return Err(broken(&errors));
        }
        eprintln!("{} mutants do not compile: without them", guilty.len());
        unbuildable.extend(guilty);
    }
    bail!("the copy does not compile, whatever is left out: does the code?")
}

type Texts = BTreeMap<PathBuf, String>;

fn rewrite_all<'a>(
    tree: &Tree,
    sources: &'a [Source],
    unbuildable: &BTreeSet<u32>,
) -> Result<(Texts, BTreeMap<&'a Path, Rewritten>)> {
    let top = tree.files.get(Path::new(TOP)).context("no src/lib.rs")?;
    let top = String::from_utf8_lossy(top);
    let top = format!("{ALLOWED}{top}\npub mod mutant_switch;\n");
    let mut texts = Texts::from([
        (TOP.into(), top),
        (SWITCH.into(), include_str!("switch.rs").to_owned()),
    ]);
    let mut all = BTreeMap::new();
    for source in sources.iter().filter(|source| source.is_chosen) {
        let number_of = |mutant: usize| {
            let number = source.first + u32::try_from(mutant).ok()?;
            (!unbuildable.contains(&number)).then_some(number)
        };
        let rewritten = rewrite(&source.text, &source.found.places, &number_of);
        texts.insert(source.path.clone(), rewritten.text.clone());
        all.insert(source.path.as_path(), rewritten);
    }
    Ok((texts, all))
}

fn guilty(
    sources: &[Source],
    rewritten: &BTreeMap<&Path, Rewritten>,
    errors: &[Error],
) -> BTreeSet<u32> {
    let of = |error: &Error| {
        let source = sources.iter().find(|source| source.path == error.file)?;
        let mutants = rewritten.get(source.path.as_path())?.guilty(&error.bytes);
        let numbers = mutants
            .iter()
            .filter_map(|mutant| u32::try_from(*mutant).ok());
        Some(
            numbers
                .map(|mutant| source.first + mutant)
                .collect::<Vec<_>>(),
        )
    };
    errors.iter().filter_map(of).flatten().collect()
}

fn broken(errors: &[Error]) -> anyhow::Error {
    let shown: Vec<&str> = errors
        .iter()
        .take(3)
        .map(|error| error.shown.as_str())
        .collect();
    anyhow::anyhow!("the copy does not compile:\n{}", shown.join("\n"))
}
