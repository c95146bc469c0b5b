//! What became of each mutant, kept in a file line by line: a run that was stopped goes on where it was.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

const TITLE: &str = "# mutants of ";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A test fails.
    Caught,
    /// A test does not end, which is noticed as well.
    Timeout,
    Survived,
    /// Survived, because no test reaches it.
    Unreached,
    /// It does not compile.
    Unbuildable,
}

const WORDS: &[(Outcome, &str)] = &[
    (Outcome::Caught, "caught"),
    (Outcome::Timeout, "timeout"),
    (Outcome::Survived, "survived"),
    (Outcome::Unreached, "unreached"),
    (Outcome::Unbuildable, "unbuildable"),
];

pub struct Results {
    /// By the names of the mutants.
    pub outcomes: BTreeMap<String, Outcome>,
    file: File,
}

/// Results of other code (another digest) are forgotten; a file that holds something else stays as it is.
pub fn open(path: &Path, digest: &str) -> Result<Results> {
    let said = || format!("cannot open `{}`", path.display());
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        text => text.with_context(said)?,
    };
    if !text.is_empty() && !text.starts_with(TITLE) {
        bail!(
            "`{}` is there and holds no results of mutants",
            path.display()
        );
    }
    let title = format!("{TITLE}{digest}\n");
    let Some(lines) = text.strip_prefix(&title) else {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(said)?;
        }
        let mut file = File::create(path).with_context(said)?;
        file.write_all(title.as_bytes()).with_context(said)?;
        return Ok(Results {
            outcomes: BTreeMap::new(),
            file,
        });
    };
    // The last line may have been cut by the end of the process.
    let whole = lines.rfind('\n').map_or(0, |end| end + 1);
    let outcomes = lines.get(..whole).unwrap_or_default().lines();
    let outcomes = outcomes.filter_map(read_line).collect();
    let file = OpenOptions::new().append(true).open(path);
    let file = file.with_context(said)?;
    file.set_len((title.len() + whole) as u64)?;
    Ok(Results { outcomes, file })
}

impl Results {
    /// `by` is the test that noticed it.
    pub fn add(&mut self, mutant: &str, outcome: Outcome, by: &str, seconds: f64) -> Result<()> {
        let word = WORDS.iter().find(|(of, _)| *of == outcome);
        let word = word.map_or("", |(_, word)| word);
        let line = format!("{word}\t{mutant}\t{by}\t{seconds:.1}\n");
        self.file.write_all(line.as_bytes())?;
        self.outcomes.insert(mutant.to_owned(), outcome);
        Ok(())
    }
}

fn read_line(line: &str) -> Option<(String, Outcome)> {
    let mut parts = line.split('\t');
    let word = parts.next()?;
    let (outcome, _) = WORDS.iter().find(|(_, of)| *of == word)?;
    Some((parts.next()?.to_owned(), *outcome))
}

#[cfg(test)]
mod tests {
    use super::{Outcome, open};

    #[test]
    fn what_was_found_is_found_again_for_the_same_code_only() {
        let path = std::env::temp_dir().join(format!("mutants-{}", std::process::id()));
        let mut results = open(&path, "one").unwrap();
        results
            .add("a.rs:1:2: b", Outcome::Caught, "c", 0.5)
            .unwrap();
        results
            .add("a.rs:3:4: d", Outcome::Survived, "", 0.5)
            .unwrap();
        std::io::Write::write_all(&mut results.file, b"caught\ta.rs:5").unwrap();

        let mut results = open(&path, "one").unwrap();
        results
            .add("a.rs:5:6: e", Outcome::Timeout, "", 9.0)
            .unwrap();
        let results = open(&path, "one").unwrap();
        assert_eq!(results.outcomes.len(), 3);
        assert_eq!(results.outcomes["a.rs:1:2: b"], Outcome::Caught);
        assert_eq!(results.outcomes["a.rs:5:6: e"], Outcome::Timeout);

        assert!(open(&path, "other").unwrap().outcomes.is_empty());
        std::fs::write(&path, "my letters").unwrap();
        assert!(open(&path, "other").is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "my letters");
        std::fs::remove_file(&path).unwrap();
    }
}
