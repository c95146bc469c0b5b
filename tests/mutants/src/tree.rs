//! The working tree as it is, and the copy of it in which mutants are put. The tree itself is never written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// Reasons may be written while results stand.
const UNSAID: &[&str] = &[".cargo/mutants.toml"];

/// What git knows, and what it would add.
pub struct Tree {
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    permissions: BTreeMap<PathBuf, Permissions>,
}

pub fn read(root: &Path) -> Result<Tree> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .context("cannot run git")?;
    if !listed.status.success() {
        bail!("git: {}", String::from_utf8_lossy(&listed.stderr).trim());
    }
    let mut tree = Tree {
        files: BTreeMap::new(),
        permissions: BTreeMap::new(),
    };
    let names = String::from_utf8(listed.stdout).context("a file whose name is no text")?;
    for name in names.split_terminator('\0') {
        let path = root.join(name);
        // What was removed and is not committed yet is listed all the same.
        if !path.is_file() {
            continue;
        }
        let said = || format!("cannot read `{}`", path.display());
        tree.files
            .insert(name.into(), fs::read(&path).with_context(said)?);
        let about = fs::metadata(&path).with_context(said)?;
        tree.permissions.insert(name.into(), about.permissions());
    }
    Ok(tree)
}

/// Two trees of one digest have the same mutants and the same tests.
pub fn digest(tree: &Tree) -> String {
    let mut hash = Sha256::new();
    for (path, bytes) in &tree.files {
        if UNSAID.iter().any(|name| path == Path::new(name)) {
            continue;
        }
        let name = path.to_string_lossy();
        hash.update(format!("{} {} {name}\n", bytes.len(), name.len()));
        hash.update(bytes);
    }
    let bytes = hash.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes `copy` the tree with these texts in the place of its own. What is there already is not touched, so what was built stays fresh.
pub fn write(tree: &Tree, texts: &BTreeMap<PathBuf, String>, copy: &Path) -> Result<()> {
    let mut stale = files_under(copy)?;
    for (path, bytes) in &tree.files {
        let bytes = texts.get(path).map_or(bytes.as_slice(), String::as_bytes);
        put(&copy.join(path), bytes, tree.permissions.get(path))?;
        stale.remove(&copy.join(path));
    }
    for (path, text) in texts {
        put(&copy.join(path), text.as_bytes(), None)?;
        stale.remove(&copy.join(path));
    }
    for path in stale {
        fs::remove_file(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
    }
    Ok(())
}

fn put(path: &Path, bytes: &[u8], permissions: Option<&Permissions>) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let said = || format!("cannot write `{}`", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(said)?;
    }
    fs::write(path, bytes).with_context(said)?;
    if let Some(permissions) = permissions {
        fs::set_permissions(path, permissions.clone()).with_context(said)?;
    }
    Ok(())
}

fn files_under(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(files);
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(files_under(&entry.path())?);
        } else {
            files.insert(entry.path());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::PathBuf;

    use super::{Tree, digest, write};

    fn tree(files: &[(&str, &str)]) -> Tree {
        let files = files.iter();
        Tree {
            files: files
                .map(|(path, text)| (path.into(), text.as_bytes().to_vec()))
                .collect(),
            permissions: BTreeMap::new(),
        }
    }

    #[test]
    fn a_reason_is_no_change_of_the_code() {
        let one = digest(&tree(&[("a", "1"), (".cargo/mutants.toml", "")]));
        assert_eq!(
            one,
            digest(&tree(&[("a", "1"), (".cargo/mutants.toml", "x")]))
        );
        assert_ne!(one, digest(&tree(&[("a", "2")])));
        assert_ne!(one, digest(&tree(&[("b", "1")])));
        assert_ne!(
            digest(&tree(&[("a", "1"), ("b", "2")])),
            digest(&tree(&[("a", "12"), ("b", "")]))
        );
    }

    #[test]
    fn a_copy_becomes_the_tree_and_what_is_the_same_is_not_written_again() {
        let copy = std::env::temp_dir().join(format!("mutants-tree-{}", std::process::id()));
        let tree = tree(&[("a", "1"), ("b/c", "2"), ("b/d", "3")]);
        write(&tree, &BTreeMap::new(), &copy).unwrap();
        fs::write(copy.join("stale"), "").unwrap();
        let written = |path: &str| {
            let about = fs::metadata(copy.join(path)).unwrap();
            about.modified().unwrap()
        };
        let before = (written("a"), written("b/c"));
        std::thread::sleep(std::time::Duration::from_millis(20));

        let texts = [("b/c", "other"), ("new", "4")];
        let texts: BTreeMap<PathBuf, String> =
            texts.map(|(path, text)| (path.into(), text.into())).into();
        write(&tree, &texts, &copy).unwrap();
        let said = |path: &str| fs::read_to_string(copy.join(path)).unwrap();
        assert_eq!(
            [said("a"), said("b/c"), said("b/d"), said("new")],
            ["1", "other", "3", "4"]
        );
        assert!(!copy.join("stale").exists());
        assert_eq!(written("a"), before.0);
        assert_ne!(written("b/c"), before.1);
        fs::remove_dir_all(&copy).unwrap();
    }
}
