//! What `.cargo/mutants.toml` says: which files have mutants, and which mutants have a reason to survive.

use std::path::Path;

use anyhow::{Context, Result};
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use regex::Regex;
use serde::Deserialize;

/// The part of the configuration of cargo-mutants that this tool knows.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    examine_globs: Vec<String>,
    #[serde(default)]
    exclude_globs: Vec<String>,
    #[serde(default)]
    exclude_re: Vec<String>,
}

pub struct Reasons {
    examined: GlobSet,
    excluded: GlobSet,
    /// Each stands for its reason, which is a comment beside it.
    pub patterns: Vec<Regex>,
}

pub fn read(text: &str) -> Result<Reasons> {
    let said: Said = toml::from_str(text)?;
    let patterns = said.exclude_re.iter().map(|pattern| Regex::new(pattern));
    Ok(Reasons {
        examined: globs(&said.examine_globs)?,
        excluded: globs(&said.exclude_globs)?,
        patterns: patterns.collect::<Result<_, _>>().context("exclude_re")?,
    })
}

impl Reasons {
    pub fn is_examined(&self, file: &Path) -> bool {
        let is_named = self.examined.is_empty() || self.examined.is_match(file);
        is_named && !self.excluded.is_match(file)
    }

    pub fn has(&self, mutant: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_match(mutant))
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(glob(pattern)?);
    }
    Ok(set.build()?)
}

/// Without a slash a pattern is one of names, wherever they are.
fn glob(pattern: &str) -> Result<Glob> {
    let anywhere = match pattern.contains('/') {
        true => pattern.trim_start_matches('/').to_owned(),
        false => format!("**/{pattern}"),
    };
    let glob = GlobBuilder::new(&anywhere).literal_separator(true).build();
    Ok(glob?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::read;

    const TEXT: &str = r#"
        profile = "mutants"
        examine_globs = ["src/engine/**/*.rs"]
        exclude_globs = ["**/tests/**", "draft.rs"]
        exclude_re = [
          # Two are as good as one.
          'src/engine/a\.rs.*replace (==|\|\|) with .* in pair',
        ]
    "#;

    #[test]
    fn files_are_chosen_by_globs() {
        let reasons = read(TEXT).unwrap();
        let is_examined = |file: &str| reasons.is_examined(Path::new(file));
        assert!(is_examined("src/engine/a.rs") && is_examined("src/engine/b/c.rs"));
        assert!(!is_examined("src/journal/a.rs"));
        assert!(!is_examined("src/engine/tests/a.rs"));
        assert!(!is_examined("src/engine/b/draft.rs"));
        assert!(read("").unwrap().is_examined(Path::new("src/any.rs")));
    }

    #[test]
    fn a_reason_is_found_by_the_name_of_a_mutant() {
        let reasons = read(TEXT).unwrap();
        assert!(reasons.has("src/engine/a.rs:1:2: replace == with != in pair"));
        assert!(reasons.has("src/engine/a.rs:1:2: replace || with && in pair"));
        assert!(!reasons.has("src/engine/a.rs:1:2: replace < with > in pair"));
        assert!(!reasons.has("src/engine/b.rs:1:2: replace == with != in pair"));
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        assert!(read("exclude_re = ['(']").is_err());
        assert!(read("examine_globs = ['[']").is_err());
    }
}
