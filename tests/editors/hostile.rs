//! Text that nobody wrote: the scanner by hand must bear all of it, and edits must end where a fresh start ends.

use super::tree::TreeSitter;
use tree_sitter::{InputEdit, Point};

#[test]
fn any_text_is_read_to_its_end() {
    let tree_sitter = TreeSitter::new();
    let plan = include_str!("words-as-names.deploy");
    let texts = [
        String::new(),
        "\0\u{1}\u{feff}\r\r\n\u{202e}".repeat(1000),
        "{".repeat(20_000),
        "(".repeat(20_000),
        "\"${".repeat(5_000),
        format!(
            "deploy 1\nphase p at start {{\n{}",
            "when a {\n".repeat(20_000)
        ),
        format!(
            "deploy 1\nphase p at start {{\n{}",
            "section {\n".repeat(2_000) + &"}\n".repeat(2_000)
        ),
        format!("deploy 1\nlet a = {}1", "{ a: ".repeat(5_000)),
        format!(
            "deploy 1\nphase p at start {{ hold 5m\n{}    \"far\" }}",
            "// c\n".repeat(20_000)
        ),
        format!(
            "deploy 1\nphase p at start {{\n{}hold 5m }}",
            " ".repeat(200_000)
        ),
        "deploy 1\n".to_owned() + &"`\"".repeat(20_000),
        plan.chars().rev().collect(),
        plan.replace("\n", "\r\n"),
        plan.replace(['}', ')'], ""),
    ];
    for text in texts {
        let tree = tree_sitter.parse(&text);
        assert_eq!(tree.root_node().end_byte(), text.len());
        tree_sitter.classes(&text);
    }
}

#[test]
fn deep_blocks_keep_their_columns_within_the_limit_of_the_state() {
    let tree_sitter = TreeSitter::new();
    // The language allows a hundred levels.
    let deep: String = (0..100)
        .map(|depth| format!("{}when a {{\n", " ".repeat(depth + 2)))
        .collect();
    let text = format!(
        "deploy 1\nphase p at start {{\n{deep}{}}}\n",
        "}\n".repeat(100)
    );
    assert!(tree_sitter.errors(&text).is_empty());
}

#[test]
fn a_text_that_was_edited_is_read_as_if_it_were_new() {
    let tree_sitter = TreeSitter::new();
    let text = include_str!("words-as-names.deploy");
    let mut parser = tree_sitter.parser();
    let old = parser.parse(text, None).unwrap();
    let lines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    for (inserted, removed) in [
        ("  ", 0),
        ("x", 0),
        ("", 1),
        ("\n", 0),
        ("  hold 5m\n", 0),
        ("{", 0),
    ] {
        for &start in lines.iter().filter(|&&start| start + removed < text.len()) {
            let mut edited = text.to_owned();
            edited.replace_range(start..start + removed, inserted);
            let mut tree = old.clone();
            tree.edit(&InputEdit {
                start_byte: start,
                old_end_byte: start + removed,
                new_end_byte: start + inserted.len(),
                start_position: point(text, start),
                old_end_position: point(text, start + removed),
                new_end_position: point(&edited, start + inserted.len()),
            });
            let again = parser.parse(&edited, Some(&tree)).unwrap();
            // How a mistake is mended may depend on what was there before.
            let fresh = parser.parse(&edited, None).unwrap();
            if !fresh.root_node().has_error() {
                let (again, fresh) = (again.root_node().to_sexp(), fresh.root_node().to_sexp());
                assert_eq!(
                    again,
                    fresh,
                    "{inserted:?} for {removed} bytes at {:?}",
                    point(text, start)
                );
            }
        }
    }
}

/// What somebody is just writing must not take the colours from the rest of the file.
#[test]
fn a_line_that_is_not_finished_costs_few_others() {
    let tree_sitter = TreeSitter::new();
    let text = include_str!("../../examples/x0tta6bl4/x0tta6bl4.deploy");
    let lines: Vec<&str> = text.lines().collect();
    for unfinished in [
        "let x =",
        "check \"a\" expect",
        "section \"x\" {",
        "chekc \"a\"",
    ] {
        let places: Vec<usize> = (1..lines.len())
            .filter(|&at| !lines[at].is_empty())
            .step_by(7)
            .collect();
        let mut lost = 0;
        for &at in &places {
            let indent = lines[at].len() - lines[at].trim_start().len();
            let line = format!("{}{unfinished}", " ".repeat(indent));
            let mut edited = lines.clone();
            edited.insert(at, &line);
            let errors = tree_sitter.errors(&edited.join("\n"));
            lost += errors
                .iter()
                .map(|error| error.lines.clone().count())
                .sum::<usize>();
        }
        // One for each is the line itself.
        assert!(
            lost <= 3 * places.len(),
            "{unfinished}: {lost} lines at {} places",
            places.len()
        );
    }
}

fn point(text: &str, at: usize) -> Point {
    let before = &text[..at];
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    Point {
        row: before.matches('\n').count(),
        column: at - line,
    }
}
