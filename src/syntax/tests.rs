//! Tests of the whole way: text, tree, text.
#![allow(
    clippy::disallowed_methods,
    reason = "tests read examples, and know a hang from an answer"
)]

mod highlight;
mod hostile;
mod layout;
mod trees;

use crate::source::FileId;
use crate::syntax::ast::File;
use crate::syntax::parse::{Parsed, parse};
use crate::syntax::print;

const FILE: FileId = FileId(0);

fn parsed(text: &str) -> Parsed {
    parse(FILE, text)
}

/// The tree of text that has no mistake.
fn tree(text: &str) -> File {
    let parsed = parsed(text);
    assert!(
        parsed.diagnostics.is_empty(),
        "{:#?}\nin\n{text}",
        parsed.diagnostics
    );
    parsed.file
}

/// `line:column code message`, one a line.
fn said(text: &str) -> Vec<String> {
    let file = crate::source::SourceFile::new("a", text);
    let one = |d: &crate::diagnostics::Diagnostic| {
        let at = file.position(d.primary.span.start);
        format!("{}:{} {} {}", at.line, at.column, d.code.name, d.message)
    };
    parsed(text).diagnostics.iter().map(one).collect()
}

/// A tree without its places: what two texts have in common that say the same.
fn without_places(file: &File) -> String {
    // The spans are the only part of the tree whose debug form begins so.
    let debug = format!("{file:#?}");
    let mut lines = debug.lines();
    let mut out = String::new();
    while let Some(line) = lines.next() {
        let start = line.trim_start();
        if start.ends_with("Span {") {
            let indent = line.len() - start.len();
            let end = |line: &&str| line.len() - line.trim_start().len() == indent;
            out.push_str(start.trim_end_matches("Span {"));
            out.push('\n');
            let _ = lines.by_ref().find(end);
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// What is printed says the same as what was read, and is printed the same again.
fn assert_prints_back(text: &str) {
    let first = tree(text);
    let printed = print::file(&first);
    let second = tree(&printed);
    let again = print::file(&second);
    assert_eq!(printed, again, "printing twice changes the text");
    let count = |text: &str| text.matches("//").count();
    assert_eq!(
        comments(&first),
        comments(&second),
        "{text}\nbecame\n{printed}"
    );
    assert!(count(&printed) > 0 || comments(&first) == 0);
}

/// How many comments a tree holds.
fn comments(file: &File) -> usize {
    format!("{file:?}").matches("Comment { text:").count()
}

#[test]
fn all_plans_of_the_repository_print_back() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for folder in ["examples", "tests/ui"] {
        for path in deploy_files(&root.join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            if parsed(&text).diagnostics.is_empty() {
                assert_prints_back(&text);
                seen += 1;
            } else {
                assert!(
                    path.starts_with(root.join("tests/ui/syntax")),
                    "{}",
                    path.display()
                );
            }
        }
    }
    assert!(seen > 10, "only {seen} plans were found");
}

fn deploy_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(deploy_files(&path));
        } else if path.extension().is_some_and(|end| end == "deploy") {
            found.push(path);
        }
    }
    found
}

#[test]
fn comments_stay_where_they_were() {
    let text = "\
deploy 1 // the version

// Words
// of two lines

// apart

phase first at start { // behind the brace
  // before
  check \"a\" expect x == 1 // behind

  // apart

  when y == 2 { expect z } // behind a block
  // before the end
} // behind the end

provider a = http {
  // the base
  base: \"x\" // behind

  timeout: 5s
  // the last
}

// the end
";
    assert_eq!(print::file(&tree(text)), text);
}

#[test]
fn comments_in_the_middle_of_a_statement_move_before_it() {
    let text = "\
deploy 1
phase first at start {
  step a = f( // one
    b, // two
    c)
    // three
    timeout 5m // four
}
";
    let printed = print::file(&tree(text));
    assert_eq!(
        printed,
        "\
deploy 1
phase first at start {
  // one
  // two
  // three
  step a = f(b, c) timeout 5m // four
}
"
    );
}
