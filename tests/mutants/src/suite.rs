//! The tests: which there are, how long each takes, and which mutants it reaches.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::build::Binaries;
use crate::side_by_side::each;
use crate::trial::{Trial, Verdict, attempt};

/// Modules of tests/main.rs that are not run, with the reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("tidy", "looks at the sources, which are others here"),
    (
        "crash",
        "minutes of processes that are killed, on a real clock",
    ),
    (
        "contract",
        "talks to real shells and servers, in folders that two runs would share",
    ),
    ("store", "most of the time goes to PostgreSQL"),
    ("editors", "looks at grammars, never at the program"),
];

/// Nothing in the suite should take as long, without mutants.
const TEST_S_MAX: u64 = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binary {
    Library,
    Main,
}

#[derive(Debug)]
pub struct Test {
    pub binary: Binary,
    pub name: String,
    pub seconds: f64,
    /// The mutants by their numbers.
    pub reached: BTreeSet<u32>,
}

/// How the tests are run.
pub struct Setting {
    pub binaries: Binaries,
    pub copy: PathBuf,
    /// Where tests put what they need for a moment.
    pub scratch: PathBuf,
    pub jobs: usize,
}

impl Setting {
    pub fn path(&self, binary: Binary) -> &Path {
        match binary {
            Binary::Library => &self.binaries.library,
            Binary::Main => &self.binaries.main,
        }
    }
}

/// Runs each test by itself without a mutant. One that fails then says nothing about mutants: that is an error.
pub fn measure(setting: &Setting, notes: &Path) -> Result<Vec<Test>> {
    let mut names = Vec::new();
    for binary in [Binary::Library, Binary::Main] {
        let listed = list(setting, binary)?;
        names.extend(listed.into_iter().map(|name| (binary, name)));
    }
    fs::create_dir_all(notes)?;
    let measured = Mutex::new(Vec::new());
    each(&names, setting.jobs, |worker, (binary, name)| {
        let test = measure_one(setting, *binary, name, &notes.join(worker.to_string()))?;
        let mut measured = measured.lock().unwrap_or_else(PoisonError::into_inner);
        measured.push(test);
        Ok(())
    })?;
    let mut tests = measured
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    tests.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    Ok(tests)
}

fn list(setting: &Setting, binary: Binary) -> Result<Vec<String>> {
    let path = setting.path(binary);
    let output = Command::new(path)
        .args(["--list", "--format=terse"])
        .current_dir(&setting.copy)
        .output()
        .with_context(|| format!("cannot run `{}`", path.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(names
        .filter(|name| binary == Binary::Library || !is_left_out(name))
        .map(str::to_owned)
        .collect())
}

fn is_left_out(test: &str) -> bool {
    LEFT_OUT
        .iter()
        .any(|(module, _)| test.split("::").next() == Some(module))
}

fn measure_one(setting: &Setting, binary: Binary, name: &str, note: &Path) -> Result<Test> {
    // There is none before the first.
    let _ = fs::remove_file(note);
    let begin = Instant::now();
    let verdict = attempt(&Trial {
        setting,
        binary,
        tests: &[name],
        environment: &[("MUTANTS_REACHED", note.as_os_str())],
        budget: Duration::from_secs(TEST_S_MAX),
    })?;
    if verdict != Verdict::Passed {
        bail!("without any mutant, the test `{name}` {}", verdict.said());
    }
    let reached = fs::read_to_string(note).unwrap_or_default();
    Ok(Test {
        binary,
        name: name.to_owned(),
        seconds: begin.elapsed().as_secs_f64(),
        reached: reached
            .lines()
            .filter_map(|line| line.parse().ok())
            .collect(),
    })
}
