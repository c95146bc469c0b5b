//! Builds the copy, and says what of it does not compile.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;

/// Where things stand.
pub struct Places {
    pub copy: PathBuf,
    pub target: PathBuf,
    pub profile: PathBuf,
}

pub enum Built {
    Tests(Binaries),
    Errors(Vec<Error>),
}

/// The tests that are run, by the binaries in which they are.
pub struct Binaries {
    pub library: PathBuf,
    pub main: PathBuf,
}

pub struct Error {
    pub file: PathBuf,
    pub bytes: Range<usize>,
    /// As the compiler shows it.
    pub shown: String,
}

/// The unit tests first: what does not compile, does not compile there, and that is soon known.
pub fn build(places: &Places) -> Result<Built> {
    let alone = cargo(places, &["--lib"])?;
    if !alone.errors.is_empty() {
        return Ok(Built::Errors(alone.errors));
    }
    let whole = cargo(places, &["--lib", "--test", "main"])?;
    if !whole.errors.is_empty() {
        return Ok(Built::Errors(whole.errors));
    }
    let (mut library, mut main) = (None, None);
    for (kind, path) in whole.binaries {
        match kind.as_str() {
            "lib" => library = Some(path),
            "test" => main = Some(path),
            _ => {}
        }
    }
    Ok(Built::Tests(Binaries {
        library: library.context("cargo names no binary of the unit tests")?,
        main: main.context("cargo names no binary of tests/main.rs")?,
    }))
}

#[derive(Default)]
struct Heard {
    errors: Vec<Error>,
    binaries: Vec<(String, PathBuf)>,
}

fn cargo(places: &Places, targets: &[&str]) -> Result<Heard> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    let arguments: [&OsStr; 6] = [
        "--config".as_ref(),
        places.profile.as_ref(),
        "--target-dir".as_ref(),
        places.target.as_ref(),
        "--profile".as_ref(),
        "switched".as_ref(),
    ];
    command
        .arg("test")
        .args(arguments)
        .args(["--locked", "--no-run", "--message-format=json"])
        .args(targets)
        .current_dir(&places.copy)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut running = process::start(&mut command, None)?;
    let said = running.child.stderr.take().context("no pipe")?;
    let said = std::thread::spawn(move || {
        let lines = BufReader::new(said).lines().map_while(Result::ok);
        lines.collect::<Vec<_>>().join("\n")
    });
    let mut heard = Heard::default();
    let answers = running.child.stdout.take().context("no pipe")?;
    for line in BufReader::new(answers).lines() {
        if let Ok(message) = serde_json::from_str(&line?) {
            hear(&message, &mut heard);
        }
    }
    let status = running.wait()?;
    let said = said.join().unwrap_or_default();
    if !status.success() && heard.errors.is_empty() {
        bail!("cargo:\n{said}");
    }
    Ok(heard)
}

fn hear(message: &Value, heard: &mut Heard) {
    let text = |path: &str| message.pointer(path).and_then(Value::as_str);
    if text("/message/level") == Some("error") {
        let spans = message.pointer("/message/spans").and_then(Value::as_array);
        let place = spans.and_then(|spans| {
            let mut primary = spans
                .iter()
                .filter(|span| span.get("is_primary") == Some(&Value::Bool(true)));
            primary.find_map(place_of)
        });
        if let Some((file, bytes)) = place {
            heard.errors.push(Error {
                file,
                bytes,
                shown: text("/message/rendered").unwrap_or_default().to_owned(),
            });
        }
    }
    let is_test = message.pointer("/profile/test") == Some(&Value::Bool(true));
    if let Some(path) = text("/executable").filter(|_| is_test) {
        let kind = text("/target/kind/0").unwrap_or_default().to_owned();
        heard.binaries.push((kind, path.into()));
    }
}

/// Of an error in what a macro made: where the macro is called.
fn place_of(span: &Value) -> Option<(PathBuf, Range<usize>)> {
    if let Some(place) = span.pointer("/expansion/span").and_then(place_of) {
        return Some(place);
    }
    let at = |name| usize::try_from(span.get(name)?.as_u64()?).ok();
    let file = Path::new(span.get("file_name")?.as_str()?);
    file.is_relative()
        .then_some((file.to_owned(), at("byte_start")?..at("byte_end")?))
}
