//! The lock on a target: one live process each. The operating system lets it go when its owner dies, so `kill -9` needs no
//! manual unlock.
#![allow(clippy::disallowed_methods, reason = "a lock is a file")]

use crate::journal::store::Head;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    holder: Holder,
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
    /// Where the journal of the run ended when it was last noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holder {
            run,
            user,
            host,
            process,
            since,
            ..
        } = self;
        write!(
            f,
            "run `{run}`: {user} on {host}, process {process}, since {since}"
        )
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("{target} is in use by {holder}")]
    Held { target: String, holder: Box<Holder> },
    #[error("{target} is in use by another process, which has not said who it is")]
    HeldByUnknown { target: String },
    #[error("cannot lock {path}: {why}")]
    Unusable { path: PathBuf, why: String },
}

/// Gives who had it before, too.
pub fn acquire(
    folder: &Path,
    target: &str,
    holder: &Holder,
) -> Result<(Lock, Option<Holder>), LockError> {
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
            let before = signature(&mut file);
            let of_same = before.as_ref().filter(|before| before.run == holder.run);
            let holder = Holder {
                head: of_same.and_then(|before| before.head),
                ..holder.clone()
            };
            sign(&mut file, &holder).map_err(|error| unusable(&path, error.to_string()))?;
            Ok((Lock { file, holder }, before))
        }
        Err(TryLockError::WouldBlock) => Err(refused(&mut file, target)),
        Err(TryLockError::Error(error)) => Err(unusable(&path, error.to_string())),
    }
}

impl Lock {
    /// For whoever has it next. That it could not be written is no reason to stop: the lock is the operating system's.
    pub fn note(&mut self, head: Option<Head>) {
        self.holder.head = head.or(self.holder.head);
        let _ = sign(&mut self.file, &self.holder);
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
    let text = serde_json::to_vec(holder)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)
}

fn refused(file: &mut File, target: &str) -> LockError {
    let target = target.to_owned();
    match signature(file) {
        Some(holder) => LockError::Held {
            target,
            holder: Box::new(holder),
        },
        None => LockError::HeldByUnknown { target },
    }
}

fn signature(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}
