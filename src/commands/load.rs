//! A plan from the disk: one file, or a folder with one plan in one or more `.deploy` files.
#![allow(
    clippy::disallowed_methods,
    reason = "the compiler is handed what it reads here"
)]

use crate::analyze::files::{Entry, FileError, Files};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The files of one plan, read; nothing of them is understood yet.
#[derive(Debug)]
pub struct PlanFiles {
    /// Name as the user would write it, and content.
    pub texts: Vec<(String, Vec<u8>)>,
    /// What the plan names is looked for here.
    pub folder: PathBuf,
}

#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct LoadError {
    pub path: PathBuf,
    pub why: String,
}

/// More is not a plan. The parser's own limit is lower; this one keeps a device from filling the memory.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

pub fn plan_files(path: &Path) -> Result<PlanFiles, LoadError> {
    let metadata = fs::metadata(path).map_err(|error| refused(path, &error))?;
    if metadata.is_dir() {
        return folder_files(path);
    }
    if !metadata.is_file() {
        return Err(LoadError {
            path: path.to_owned(),
            why: "is neither a file nor a folder".to_owned(),
        });
    }
    let text = bytes(path)?;
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    Ok(PlanFiles {
        texts: vec![(name(path), text)],
        folder: folder.unwrap_or(Path::new(".")).to_owned(),
    })
}

fn folder_files(folder: &Path) -> Result<PlanFiles, LoadError> {
    let entries = fs::read_dir(folder).map_err(|error| refused(folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| refused(folder, &error))?.path();
        if path.extension().is_some_and(|end| end == "deploy") && path.is_file() {
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
    let texts = paths.iter().map(|path| Ok((name(path), bytes(path)?)));
    Ok(PlanFiles {
        texts: texts.collect::<Result<_, LoadError>>()?,
        folder: folder.to_owned(),
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>, LoadError> {
    let file = File::open(path).map_err(|error| refused(path, &error))?;
    let mut bytes = Vec::new();
    let read = file.take(BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| refused(path, &error))?;
    if bytes.len() as u64 > BYTES_MAX {
        let why = format!("is larger than {} MiB: that is no plan", BYTES_MAX >> 20);
        return Err(LoadError {
            path: path.to_owned(),
            why,
        });
    }
    Ok(bytes)
}

fn refused(path: &Path, error: &io::Error) -> LoadError {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "may not be read".to_owned(),
        _ => error.to_string(),
    };
    LoadError {
        path: path.to_owned(),
        why,
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
            io::ErrorKind::NotFound => FileError::Missing,
            _ => FileError::Unreadable(error.to_string()),
        };
        let metadata = fs::metadata(&full).map_err(|error| unreadable(&error))?;
        if metadata.is_dir() {
            return folder_entry(&full).map_err(|error| unreadable(&error));
        }
        let content = bytes(&full).map_err(|error| FileError::Unreadable(error.why))?;
        Ok(Entry::File(content))
    }
}

fn folder_entry(folder: &Path) -> io::Result<Entry> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(Entry::Folder(names))
}
