//! One run of some tests, to the first that fails or to the end of its time.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::suite::{Binary, Setting};

pub struct Trial<'a> {
    pub setting: &'a Setting,
    pub binary: Binary,
    pub tests: &'a [&'a str],
    pub environment: &'a [(&'static str, &'a OsStr)],
    pub budget: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    /// The test that failed, if it was told before the process ended.
    Failed(Option<String>),
    TimedOut,
}

impl Verdict {
    pub fn said(&self) -> &'static str {
        match self {
            Verdict::Passed => "passes",
            Verdict::Failed(_) => "fails",
            Verdict::TimedOut => "does not end",
        }
    }
}

pub fn attempt(trial: &Trial) -> Result<Verdict> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
    let scratch = trial.setting.scratch.join(number);
    fs::create_dir_all(&scratch).context("no room for what tests leave behind")?;
    let verdict = run(trial, &scratch);
    // A test that was ended takes nothing away; what is left now goes with the folder around it.
    let _ = fs::remove_dir_all(&scratch);
    let verdict = verdict?;
    // A process that was ended from here has noticed nothing.
    match process::is_ending() {
        true => bail!("interrupted"),
        false => Ok(verdict),
    }
}

fn run(trial: &Trial, scratch: &Path) -> Result<Verdict> {
    let copy = &trial.setting.copy;
    let mut command = Command::new(trial.setting.path(trial.binary));
    command
        .args(["--test-threads=1", "--exact"])
        .args(trial.tests)
        .current_dir(copy)
        .env("CARGO_MANIFEST_DIR", copy)
        .env("INSTA_WORKSPACE_ROOT", copy)
        .env("INSTA_UPDATE", "no")
        .env("RUST_BACKTRACE", "0")
        .env("TMPDIR", scratch)
        // What one mutant fails with says nothing about the next, and nobody looks for the smallest case.
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
        .env("PROPTEST_MAX_SHRINK_ITERS", "0")
        .env_remove("MUTANT")
        .envs(trial.environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let deadline = Instant::now() + trial.budget;
    let processor_s_max = trial.budget.as_secs() * 4 + 60;
    let mut running = process::start(&mut command, Some(processor_s_max))?;
    let output = running.child.stdout.take().context("no pipe")?;
    let (sender, lines) = mpsc::channel();
    // It ends with the last process that holds the other end, which may be one that left the group.
    std::thread::spawn(move || each_line(output, |line| sender.send(line).is_ok()));
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) => match told(&line) {
                Some(verdict) => return Ok(verdict),
                None => continue,
            },
            Err(RecvTimeoutError::Timeout) => return Ok(Verdict::TimedOut),
            Err(RecvTimeoutError::Disconnected) => {
                let is_well = running.wait()?.success();
                return Ok(match is_well {
                    true => Verdict::Passed,
                    false => Verdict::Failed(None),
                });
            }
        }
    }
}

/// What a line of the test binary decides.
fn told(line: &str) -> Option<Verdict> {
    if let Some(test) = line.strip_prefix("test ")
        && line.ends_with("FAILED")
    {
        let name = test.split_whitespace().next().map(str::to_owned);
        return Some(Verdict::Failed(name));
    }
    line.starts_with("test result: ok")
        .then_some(Verdict::Passed)
}

fn each_line(output: impl Read, mut take: impl FnMut(String) -> bool) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while output
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        let text = String::from_utf8_lossy(&line);
        if !take(text.trim_end().to_owned()) {
            return;
        }
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, told};

    #[test]
    fn what_the_lines_of_a_test_binary_decide() {
        assert_eq!(told("running 2 tests"), None);
        assert_eq!(told("test a::b ... ok"), None);
        let failed = Some(Verdict::Failed(Some("a::b".to_owned())));
        assert_eq!(told("test a::b ... FAILED"), failed);
        assert_eq!(told("test a::b - should panic ... FAILED"), failed);
        assert_eq!(
            told("test result: ok. 2 passed; 0 failed"),
            Some(Verdict::Passed)
        );
        assert_eq!(told("failures:"), None);
    }
}
