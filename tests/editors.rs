//! The grammars of the editors: they colour every plan that there is as the parser reads it.

mod classes;
mod corpus;
mod generated;
mod hostile;
mod textmate;
mod texts;
mod tree;

use classes::{Class, Classes, Difference, difference};
use deployc::source::{FileId, SourceFile};
use deployc::syntax::{highlight, parse};
use std::ops::RangeInclusive;
use textmate::TextMate;
use texts::{Text, texts};
use tree::TreeSitter;

#[test]
fn all_three_grammars_agree() {
    let editors = (TreeSitter::new(), TextMate::new());
    let mut wrong = Vec::new();
    let texts = texts();
    assert!(texts.len() > 200, "only {} texts were found", texts.len());
    for text in &texts {
        let found = differences(&editors, text);
        wrong.extend(found.iter().map(|found| format!("{}:{found}", text.name)));
    }
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_the_parser_accepts_is_a_whole_tree_for_tree_sitter() {
    let tree_sitter = TreeSitter::new();
    let mut accepted = 0;
    let mut wrong = Vec::new();
    for text in texts().iter().filter(|text| is_accepted(text)) {
        accepted += 1;
        let errors = tree_sitter.errors(&text.text);
        wrong.extend(
            errors
                .iter()
                .map(|error| format!("{}:{}", text.name, error.shown)),
        );
    }
    assert!(accepted > 200, "only {accepted} texts were accepted");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A mistake must not take the colours from the rest of the file.
#[test]
fn tree_sitter_finds_its_way_back_after_a_mistake() {
    let tree_sitter = TreeSitter::new();
    let mut refused = 0;
    let mut lost = Vec::new();
    for text in texts().iter().filter(|text| !is_accepted(text)) {
        refused += 1;
        let mistakes = mistakes(&text.text);
        for error in tree_sitter.errors(&text.text) {
            let is_mistake = |line| mistakes.iter().any(|lines| lines.contains(&line));
            let first = *error.lines.start();
            let within = text
                .text
                .lines()
                .zip(1..)
                .skip(first - 1)
                .take(error.lines.clone().count());
            let lost_lines =
                within.filter(|(line, number)| !line.trim().is_empty() && !is_mistake(*number));
            if lost_lines.count() > LINES_LOST_MAX {
                lost.push(format!("{}:{}", text.name, error.shown));
            }
        }
    }
    assert!(refused > 10, "only {refused} texts were refused");
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

/// So many lines without a mistake may be lost at one.
const LINES_LOST_MAX: usize = 2;

#[test]
fn a_difference_is_found_and_shown() {
    let editors = (TreeSitter::new(), TextMate::new());
    let text = Text {
        name: "a.deploy".to_owned(),
        text: "deploy 1\nphase p at start {\n  hold 5m \"5\" // five\n}\n".to_owned(),
    };
    let (tree_sitter, textmate) = &editors;
    let same = [
        ours(&text.text),
        tree_sitter.classes(&text.text),
        textmate.classes(&text.text),
    ];
    assert!(difference(&text.text, &same).is_empty());
    let seeds = [
        (
            "hold",
            Class::Plain,
            "3:3: `hold`: parser keyword, tree-sitter keyword, TextMate plain",
        ),
        (
            "5m",
            Class::Plain,
            "3:8: `5m`: parser number, tree-sitter number, TextMate plain",
        ),
        (
            "// five",
            Class::String,
            "3:15: `// five`: parser comment, tree-sitter comment, TextMate string",
        ),
    ];
    for (place, class, shown) in seeds {
        let at = text.text.find(place).unwrap();
        let mut seeded = same.clone();
        seeded[2][at..at + place.len()].fill(class);
        let found = difference(&text.text, &seeded);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, [shown]);
    }
}

/// Where one of the grammars was at a loss, there is nothing to agree on: what was meant is a guess, and each has its own.
fn differences((tree_sitter, textmate): &(TreeSitter, TextMate), text: &Text) -> Vec<Difference> {
    let all = [
        ours(&text.text),
        tree_sitter.classes(&text.text),
        textmate.classes(&text.text),
    ];
    let mut found = difference(&text.text, &all);
    let at_a_loss = (mistakes(&text.text), tree_sitter.errors(&text.text));
    found.retain(|difference| {
        let mut lines = at_a_loss
            .0
            .iter()
            .chain(at_a_loss.1.iter().map(|error| &error.lines));
        !lines.any(|lines| lines.contains(&difference.line))
    });
    found
}

/// Lines that the parser refuses.
fn mistakes(text: &str) -> Vec<RangeInclusive<usize>> {
    let file = SourceFile::new("", text);
    let line = |offset| file.position(offset).line as usize;
    parse::parse(FileId(0), text)
        .diagnostics
        .iter()
        .map(|d| line(d.primary.span.start)..=line(d.primary.span.end))
        .collect()
}

fn ours(text: &str) -> Classes {
    let mut classes = vec![Class::Plain; text.len()];
    for found in highlight::file(text) {
        let class = match found.class {
            highlight::Class::Keyword => Class::Keyword,
            highlight::Class::String | highlight::Class::Escape => Class::String,
            highlight::Class::Number => Class::Number,
            highlight::Class::Comment => Class::Comment,
            highlight::Class::Name
            | highlight::Class::Property
            | highlight::Class::Type
            | highlight::Class::Reference
            | highlight::Class::Interpolation
            | highlight::Class::Boolean => Class::Plain,
        };
        classes[found.range].fill(class);
    }
    classes
}

fn is_accepted(text: &Text) -> bool {
    mistakes(&text.text).is_empty()
}
