//! Fixtures of the compiler: text in, diagnostics out.
//!
//! Each `.deploy` file under `tests/ui` is a plan by itself; a folder whose name ends in `.plan` is one plan of several
//! files. The name of a fixture is a sentence. What is expected stands at its place: `//~ D0302 dimension-mismatch` on the
//! line of the diagnostic (the words are for readers), `//~ D0804 @bad.yaml:3` for a place in a file that the plan names.
//! A fixture without such a comment has to compile. The whole rendering is a snapshot beside the fixture.

use deployc::analyze::compile::{Compiled, SourceText, compile};
use deployc::analyze::files::{Entry, FileError, Files};
use deployc::diagnostics::codes;
use deployc::diagnostics::render::human::{Style, render};
use std::fs;
use std::path::{Path, PathBuf};

/// Files of the fixture's folder.
struct Folder(PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Entry, FileError> {
        let at = self.0.join(path);
        if at.is_dir() {
            let entries = fs::read_dir(at).map_err(|_| FileError::Missing)?;
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<String> = names.collect();
            names.sort();
            return Ok(Entry::Folder(names));
        }
        fs::read(at)
            .map(Entry::File)
            .map_err(|_| FileError::Missing)
    }
}

#[test]
fn every_fixture_gives_what_stands_in_it() {
    let mut wrong = Vec::new();
    let mut shown = Vec::new();
    for fixture in fixtures(&root()) {
        let texts = texts(&fixture);
        let folder = match fixture.is_dir() {
            true => fixture.clone(),
            false => fixture.parent().unwrap().to_owned(),
        };
        let expected = expected(&texts);
        let compiled = without_unused(compile(texts, &Folder(folder)), &expected);
        let found = found(&compiled);
        if found != expected {
            wrong.push(format!(
                "{}\n  expected {expected:?}\n  found    {found:?}\n{}",
                fixture.display(),
                rendering(&compiled)
            ));
        }
        let errors = compiled.has_errors();
        assert_eq!(compiled.plan.is_some(), !errors, "{}", fixture.display());
        if !expected.is_empty() {
            shown.push((fixture, rendering(&compiled)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (fixture, rendering) in shown {
        snapshot(&fixture, &rendering);
    }
}

#[test]
fn the_name_of_a_fixture_is_a_sentence() {
    for fixture in fixtures(&root()) {
        let name = fixture.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(name.matches('_').count() >= 2, "{name}");
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(name.chars().all(plain), "{name}");
    }
}

#[test]
fn fixes_that_are_offered_remove_what_they_are_for() {
    for fixture in fixtures(&root()) {
        if fixture.is_dir() {
            continue;
        }
        let folder = fixture.parent().unwrap().to_owned();
        let text = fs::read_to_string(&fixture).unwrap();
        let compiled = compile(texts(&fixture), &Folder(folder.clone()));
        for diagnostic in &compiled.diagnostics {
            let Some(fix) = &diagnostic.fix else { continue };
            let mut fixed = text.clone();
            let mut edits = fix.edits.clone();
            edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
            for edit in edits {
                fixed.replace_range(edit.span.range(), &edit.text);
            }
            let again = SourceText {
                name: "fixed.deploy".to_owned(),
                text: fixed,
            };
            let again = compile(vec![again], &Folder(folder.clone()));
            let same = |other: &&deployc::diagnostics::Diagnostic| {
                other.code == diagnostic.code && other.message == diagnostic.message
            };
            let before = compiled.diagnostics.iter().filter(same).count();
            let after = again.diagnostics.iter().filter(same).count();
            assert!(
                after < before,
                "{}: {}",
                fixture.display(),
                diagnostic.message
            );
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui")
}

fn fixtures(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let plan = path.extension().is_some_and(|end| end == "plan");
        if path.is_dir() && !plan {
            found.extend(fixtures(&path));
        } else if plan || path.extension().is_some_and(|end| end == "deploy") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn texts(fixture: &Path) -> Vec<SourceText> {
    let mut files = vec![fixture.to_owned()];
    if fixture.is_dir() {
        let entries = fs::read_dir(fixture)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        files = entries
            .filter(|path| path.extension().is_some_and(|end| end == "deploy"))
            .collect();
        files.sort();
    }
    let text = |path: &PathBuf| SourceText {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        text: fs::read_to_string(path).unwrap(),
    };
    files.iter().map(text).collect()
}

/// `(file:line, code)`, sorted.
fn expected(texts: &[SourceText]) -> Vec<(String, String)> {
    let mut expected = Vec::new();
    for SourceText { name, text } in texts {
        for (index, line) in text.lines().enumerate() {
            for comment in line.split("//~").skip(1) {
                let mut words = comment.split_whitespace().peekable();
                let code = words.next().expect("a code behind //~");
                let place = words.next_if(|word| word.starts_with('@'));
                let own = format!("{name}:{}", index + 1);
                let place = place.map_or(own, |place| place[1..].to_owned());
                let known =
                    codes::find(code).unwrap_or_else(|| panic!("{name}: {code} is no code"));
                if let Some(word) = words.next() {
                    assert_eq!(word, known.name, "{name}:{}", index + 1);
                }
                expected.push((place, code.to_owned()));
            }
        }
    }
    expected.sort();
    expected
}

/// Fixtures share their first lines, so that what is unused is said only where a fixture is about it.
fn without_unused(mut compiled: Compiled, expected: &[(String, String)]) -> Compiled {
    if !expected.iter().any(|(_, code)| code == "D0208") {
        compiled
            .diagnostics
            .retain(|found| found.code.id != "D0208");
    }
    compiled
}

fn found(compiled: &Compiled) -> Vec<(String, String)> {
    let place = |diagnostic: &deployc::diagnostics::Diagnostic| {
        let (file, at) = compiled.sources.locate(diagnostic.primary.span).unwrap();
        (format!("{file}:{}", at.line), diagnostic.code.id.to_owned())
    };
    let mut found: Vec<_> = compiled.diagnostics.iter().map(place).collect();
    found.sort();
    found
}

fn rendering(compiled: &Compiled) -> String {
    let one = |diagnostic| render(diagnostic, &compiled.sources, Style::PLAIN);
    compiled
        .diagnostics
        .iter()
        .map(one)
        .collect::<Vec<_>>()
        .join("\n")
}

fn snapshot(fixture: &Path, rendering: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(fixture.parent().unwrap());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = fixture.file_stem().unwrap().to_string_lossy().into_owned();
    settings.bind(|| insta::assert_snapshot!(name, rendering));
}
