//! A plan from the disk: one file, or a folder with one plan in one or more `.deploy` files.
#![allow(
    clippy::disallowed_methods,
    reason = "the compiler is handed what it reads here"
)]

use crate::analyze::compile::{Content, SourceBytes};
use crate::analyze::files::{Entry, FileError, Files};
use crate::syntax::decode;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The files of one plan, read; nothing of them is understood yet.
#[derive(Debug)]
pub struct PlanFiles {
    /// By their names as the user would write them.
    pub found: Vec<SourceBytes>,
    /// What the plan names is looked for here.
    pub folder: PathBuf,
}

#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct LoadError {
    pub path: PathBuf,
    pub why: String,
}

/// Of what a plan names, a manifest or a text: more would fill the memory, and the plan, which holds it.
const NAMED_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Of an exported journal: a day of samples is a small part of it.
const JOURNAL_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// The text of a journal that `deployc export` wrote.
pub fn journal_text(path: &Path) -> Result<String, LoadError> {
    let wrong = |why: String| LoadError {
        path: path.to_owned(),
        why,
    };
    match bytes(path, JOURNAL_BYTES_MAX)? {
        Read::Whole(bytes) => String::from_utf8(bytes).map_err(|_| wrong("is no text".to_owned())),
        Read::TooLarge(bytes) => Err(wrong(format!("has {} MiB", bytes >> 20))),
    }
}

pub fn plan_files(path: &Path) -> Result<PlanFiles, LoadError> {
    let metadata = fs::metadata(path).map_err(|error| refused(path, &error))?;
    if metadata.is_dir() {
        return folder_files(path);
    }
    let file = plan_file(path)?;
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    Ok(PlanFiles {
        found: vec![file],
        folder: folder.unwrap_or(Path::new(".")).to_owned(),
    })
}

fn folder_files(folder: &Path) -> Result<PlanFiles, LoadError> {
    let entries = fs::read_dir(folder).map_err(|error| refused(folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| refused(folder, &error))?.path();
        // What only looks like a file, a broken link or a device, is not passed over in silence.
        if path.extension().is_some_and(|end| end == "deploy") && !path.is_dir() && !is_test(&path)
        {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        let why = "there is no `.deploy` file in this folder".to_owned();
        return Err(LoadError {
            path: folder.to_owned(),
            why,
        });
    }
    paths.sort();
    let found = paths.iter().map(|path| plan_file(path));
    Ok(PlanFiles {
        found: found.collect::<Result<_, LoadError>>()?,
        folder: folder.to_owned(),
    })
}

/// Files of tests: what is wrong with one never keeps a plan from being carried out.
fn is_test(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(TEST_ENDING)
}

const TEST_ENDING: &str = "_test.deploy";

/// The tests beside a plan: of a folder all of them, of one file its own.
pub fn test_files(path: &Path) -> Result<Vec<SourceBytes>, LoadError> {
    let mut found = Vec::new();
    if path.is_dir() {
        let entries = fs::read_dir(path).map_err(|error| refused(path, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| refused(path, &error))?.path();
            if is_test(&entry) && !entry.is_dir() {
                found.push(entry);
            }
        }
        found.sort();
    } else {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!("{stem}{TEST_ENDING}"));
        if beside.is_file() {
            found.push(beside);
        }
    }
    found.iter().map(|path| plan_file(path)).collect()
}

fn plan_file(path: &Path) -> Result<SourceBytes, LoadError> {
    let content = match bytes(path, decode::FILE_BYTES_MAX as u64)? {
        Read::Whole(bytes) => Content::Bytes(bytes),
        Read::TooLarge(bytes) => Content::TooLarge(bytes),
    };
    Ok(SourceBytes {
        name: name(path),
        content,
    })
}

enum Read {
    Whole(Vec<u8>),
    /// It has so many bytes, or more.
    TooLarge(u64),
}

/// Opens only what is a file: a pipe would wait for somebody who writes, and a device may never end.
fn bytes(path: &Path, most: u64) -> Result<Read, LoadError> {
    let metadata = fs::metadata(path).map_err(|error| refused(path, &error))?;
    if !metadata.is_file() {
        return Err(LoadError {
            path: path.to_owned(),
            why: "is neither a file nor a folder".to_owned(),
        });
    }
    if metadata.len() > most {
        return Ok(Read::TooLarge(metadata.len()));
    }
    let file = File::open(path).map_err(|error| refused(path, &error))?;
    let mut bytes = Vec::new();
    let read = file.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| refused(path, &error))?;
    match bytes.len() as u64 {
        length if length > most => Ok(Read::TooLarge(length)),
        _ => Ok(Read::Whole(bytes)),
    }
}

fn refused(path: &Path, error: &io::Error) -> LoadError {
    LoadError {
        path: path.to_owned(),
        why: why(path, error),
    }
}

fn why(path: &Path, error: &io::Error) -> String {
    let link = fs::symlink_metadata(path).is_ok_and(|known| known.is_symlink());
    match error.kind() {
        io::ErrorKind::NotFound if link => "is a link to something that is not there".to_owned(),
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be read".to_owned(),
        _ if link => "is a link that leads nowhere, as to itself".to_owned(),
        _ => error.to_string(),
    }
}

/// With `/` between folders on every system, without a leading `./`.
fn name(path: &Path) -> String {
    let name = path.to_string_lossy().replace('\\', "/");
    name.strip_prefix("./").unwrap_or(&name).to_owned()
}

/// What the plan names, below its folder and nowhere else.
#[derive(Debug)]
pub struct Disk {
    pub folder: PathBuf,
}

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Entry, FileError> {
        let full = self.folder.join(path);
        let unreadable = |error: &io::Error| match error.kind() {
            io::ErrorKind::NotFound if fs::symlink_metadata(&full).is_err() => FileError::Missing,
            _ => FileError::Unreadable(format!("it {}", why(&full, error))),
        };
        let metadata = fs::metadata(&full).map_err(|error| unreadable(&error))?;
        if metadata.is_dir() {
            return folder_entry(&full).map_err(|error| unreadable(&error));
        }
        let content = bytes(&full, NAMED_BYTES_MAX);
        match content.map_err(|error| FileError::Unreadable(format!("it {}", error.why)))? {
            Read::Whole(content) => Ok(Entry::File(content)),
            Read::TooLarge(bytes) => Err(FileError::Unreadable(format!(
                "it has {} MiB, and at most {} MiB are read",
                bytes >> 20,
                NAMED_BYTES_MAX >> 20
            ))),
        }
    }
}

fn folder_entry(folder: &Path) -> io::Result<Entry> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // What cannot be read is found out when it is read.
        if !entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(Entry::Folder(names))
}
