//! The files that a plan names. The compiler reads none by itself: whoever calls it hands over how.

use std::collections::BTreeMap;

/// What is there under a path, relative to the plan's folder, with `/` between folders.
pub trait Files: Sync {
    fn read(&self, path: &str) -> Result<Entry, FileError>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    File(Vec<u8>),
    /// The names of the files directly in it.
    Folder(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    Missing,
    /// The system's words.
    Unreadable(String),
}

/// Files that are in memory: for tests, and where nothing but the plan is there.
#[derive(Clone, Debug, Default)]
pub struct InMemory {
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Files for InMemory {
    fn read(&self, path: &str) -> Result<Entry, FileError> {
        if let Some(bytes) = self.files.get(path) {
            return Ok(Entry::File(bytes.clone()));
        }
        let folder = format!("{}/", path.trim_end_matches('/'));
        let inside: Vec<String> = self
            .files
            .keys()
            .filter_map(|name| name.strip_prefix(&folder))
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect();
        if inside.is_empty() {
            Err(FileError::Missing)
        } else {
            Ok(Entry::Folder(inside))
        }
    }
}
