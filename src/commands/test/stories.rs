//! Stories of runs that are kept beside a plan, to be compared with those of later runs: `snapshots/NAME.story`.
#![allow(clippy::disallowed_methods, reason = "a story that is kept is a file")]

use crate::commands::show::line;
use crate::engine::protocol::{Note, NoteKind};
use crate::plan::{Plan, SourceMap};
use crate::simulate::expect::facts::Trace;
use crate::simulate::expect::judge::Difference;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const FOLDER: &str = "snapshots";

pub struct Stories {
    folder: PathBuf,
    /// What the tests of this run told, by the names under which it is kept.
    told: Mutex<BTreeMap<String, String>>,
    purpose: Purpose,
}

/// What is to become of a story that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Compare,
    /// It is kept from now on.
    Bless,
}

#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct NotKept {
    path: PathBuf,
    why: std::io::Error,
}

impl Stories {
    pub fn beside(plan: &Path, purpose: Purpose) -> Stories {
        Stories {
            folder: plan.join(FOLDER),
            told: Mutex::new(BTreeMap::new()),
            purpose,
        }
    }

    /// `None`: it is the one that is kept.
    pub fn compare(&self, name: &str, told: &str) -> Option<Difference> {
        let mut all = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), told.to_owned());
        drop(all);
        if self.purpose == Purpose::Bless {
            return None;
        }
        match fs::read_to_string(self.path(name)) {
            Ok(kept) => difference(&kept, told),
            Err(_) => Some(Difference(
                "no story is kept under this name: look at it, then run with --bless".to_owned(),
            )),
        }
    }

    /// Keeps what was told.
    pub fn keep(&self) -> Result<(), NotKept> {
        if self.purpose == Purpose::Compare {
            return Ok(());
        }
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, text) in told.iter() {
            let path = self.path(name);
            let not_kept = |why| NotKept {
                path: path.clone(),
                why,
            };
            fs::create_dir_all(&self.folder).map_err(not_kept)?;
            fs::write(&path, text).map_err(not_kept)?;
        }
        Ok(())
    }

    /// A name is no path: it stays in its folder.
    fn path(&self, name: &str) -> PathBuf {
        let plain = |c: char| {
            if c.is_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        };
        let name: String = name.chars().map(plain).collect();
        self.folder.join(format!("{name}.story"))
    }
}

/// The whole story of a run, a line for each thing that matters.
pub fn text(plan: &Plan, map: &SourceMap, trace: &Trace) -> String {
    let notes = trace.notes.iter().filter(|(_, note)| matters(plan, note));
    let lines = notes.filter_map(|(at, note)| line::line(plan, map, *at, note));
    lines.map(|line| line + "\n").collect()
}

/// Samples are what a run is judged by, not what happens in it; where one that was wrong matters, what follows says so.
pub fn matters(plan: &Plan, note: &Note) -> bool {
    match &note.kind {
        NoteKind::Judged(_) => false,
        NoteKind::Started => {
            let node = note.node.and_then(|id| plan.node(id));
            node.is_some_and(|node| !node.children.is_empty())
        }
        _ => true,
    }
}

fn difference(kept: &str, told: &str) -> Option<Difference> {
    if kept == told {
        return None;
    }
    let mut lines = kept.lines().zip(told.lines());
    let same = lines.position(|(kept, told)| kept != told);
    let at = same.unwrap_or_else(|| kept.lines().count().min(told.lines().count()));
    let line = |text: &str| match text.lines().nth(at) {
        Some(line) => format!("`{}`", line.trim()),
        None => "its end".to_owned(),
    };
    Some(Difference(format!(
        "line {} was {} and is {}; --bless keeps the new story",
        at + 1,
        line(kept),
        line(told)
    )))
}
