//! The lock on a target: one live process each. The operating system lets it go when its owner dies, so `kill -9` needs no
//! manual unlock.
#![allow(clippy::disallowed_methods, reason = "a lock is a file")]

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Who holds it, for whoever is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub run: String,
    pub user: String,
    pub host: String,
    pub process: u32,
    /// As text, for people.
    pub since: String,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("{target} is in use by run `{run}`: {user} on {host}, process {process}, since {since}", run = holder.run, user = holder.user, host = holder.host, process = holder.process, since = holder.since)]
    Held { target: String, holder: Box<Holder> },
    #[error("{target} is in use by another process, which has not said who it is")]
    HeldByUnknown { target: String },
    #[error("cannot lock {path}: {why}")]
    Unusable { path: PathBuf, why: String },
}

pub fn acquire(folder: &Path, target: &str, holder: &Holder) -> Result<Lock, LockError> {
    let folder = folder.join("locks");
    let unusable = |path: &Path, why: String| LockError::Unusable {
        path: path.to_owned(),
        why,
    };
    std::fs::create_dir_all(&folder).map_err(|error| unusable(&folder, error.to_string()))?;
    let path = folder.join(file_name(target));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| unusable(&path, error.to_string()))?;
    match file.try_lock() {
        Ok(()) => {
            sign(&mut file, holder).map_err(|error| unusable(&path, error.to_string()))?;
            Ok(Lock { _file: file })
        }
        Err(TryLockError::WouldBlock) => Err(refused(&mut file, target)),
        Err(TryLockError::Error(error)) => Err(unusable(&path, error.to_string())),
    }
}

fn file_name(target: &str) -> String {
    let hash = Sha256::digest(target.as_bytes());
    let short: String = hash
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{short}.lock")
}

fn sign(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    serde_json::to_writer(&mut *file, holder)?;
    file.flush()
}

fn refused(file: &mut File, target: &str) -> LockError {
    let target = target.to_owned();
    let mut text = String::new();
    let read = file.read_to_string(&mut text);
    match read.ok().and_then(|_| serde_json::from_str(&text).ok()) {
        Some(holder) => LockError::Held {
            target,
            holder: Box::new(holder),
        },
        None => LockError::HeldByUnknown { target },
    }
}
