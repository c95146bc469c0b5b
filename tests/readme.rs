//! The README keeps its word: its commands run, its links lead somewhere, its tables are complete.

use clap::CommandFactory;
use deployc::commands::cli::Cli;
use deployc::commands::exit::TABLE;
use deployc::source::FileId;
use deployc::syntax::parse;
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The texts between fences of one kind.
fn blocks(kind: &str) -> Vec<&'static str> {
    let fence = format!("```{kind}\n");
    let after = README.split(fence.as_str()).skip(1);
    let blocks = after.map(|rest| rest.split("\n```").next().unwrap());
    blocks.collect()
}

#[test]
fn its_commands_do_what_stands_beside_them() {
    let mut tried = 0;
    for line in blocks("sh").join("\n").lines() {
        let Some(arguments) = line.strip_prefix("cargo run --release -- ") else {
            assert_eq!(line, "tests/run", "a command that this test does not know");
            assert!(root().join(line).is_file());
            continue;
        };
        let rolled_back = line.contains("errors-at-half-traffic");
        let output = Command::new(env!("CARGO_BIN_EXE_deployc"))
            .args(arguments.split(' '))
            .current_dir(root())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let (code, word) = match rolled_back {
            true => (3, "\nrolled back after "),
            false if line.contains(" test ") => (0, " tests: all passed "),
            false => (0, "\nsucceeded after "),
        };
        assert_eq!(output.status.code(), Some(code), "{line}\n{text}");
        assert!(text.contains(word), "{line}\n{text}");
        tried += 1;
    }
    assert_eq!(tried, 3);
}

#[test]
fn its_plan_is_the_language() {
    let plans = blocks("deploy");
    assert_eq!(plans.len(), 1);
    for plan in plans {
        let text = format!("deploy 1\n\n{plan}\n");
        let parsed = parse::parse(FileId(0), &text);
        assert!(parsed.diagnostics.is_empty(), "{:#?}", parsed.diagnostics);
    }
}

#[test]
fn its_table_has_every_command_and_no_other() {
    let command = Cli::command();
    let known: Vec<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    let rows: Vec<&str> = README
        .lines()
        .filter(|line| line.starts_with("| `deployc "))
        .collect();
    for name in &known {
        let named = rows.iter().any(|row| words(row).any(|word| word == *name));
        assert!(named, "`deployc {name}` is not in the table");
    }
    for row in &rows {
        let first = words(row).nth(1).unwrap();
        assert!(known.contains(&first), "there is no `deployc {first}`");
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

#[test]
fn its_exit_codes_are_those_of_the_program() {
    let sentence = README
        .lines()
        .find(|line| line.starts_with("Exit codes:"))
        .unwrap();
    for line in TABLE.lines().skip(1) {
        let code = line.split_whitespace().next().unwrap();
        assert!(
            words(sentence).any(|word| word == code),
            "{code} is missing"
        );
    }
}

#[test]
fn its_links_and_pictures_are_there() {
    let mut found = 0;
    for rest in README.split("](").skip(1) {
        let target = rest.split(')').next().unwrap();
        if !target.starts_with("http") {
            assert!(root().join(target).exists(), "{target} is not there");
            found += 1;
        }
    }
    assert!(found >= 5, "only {found} links were found");
}
