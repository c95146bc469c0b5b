//! Text that is no plan, or means harm: always an answer, in time.

use super::{deploy_files, parsed, said};
use crate::source::SourceFile;
use crate::syntax::parse::DIAGNOSTICS_MAX;
use proptest::prelude::*;
use std::time::Instant;

/// Every span lies inside of the text, at boundaries of characters.
fn assert_in_place(text: &str) {
    let parsed = parsed(text);
    let file = SourceFile::new("a", text);
    for found in &parsed.diagnostics {
        for label in std::iter::once(&found.primary).chain(&found.secondary) {
            let range = label.span.range();
            assert!(
                text.get(range.clone()).is_some(),
                "{range:?} of {found:?} in {text:?}"
            );
            file.position(label.span.start);
        }
        if let Some(fix) = &found.fix {
            assert!(
                fix.edits
                    .iter()
                    .all(|edit| text.get(edit.span.range()).is_some())
            );
        }
    }
    assert!(parsed.diagnostics.len() <= DIAGNOSTICS_MAX);
    let debug = format!("{:?}", parsed.file);
    for place in debug.split("Span { file: FileId(0), start: ").skip(1) {
        let numbers = place
            .split(|c: char| !c.is_ascii_digit())
            .filter(|part| !part.is_empty());
        let numbers: Vec<usize> = numbers.take(2).map(|n| n.parse().unwrap()).collect();
        assert!(
            text.get(numbers[0]..numbers[1]).is_some(),
            "{numbers:?} in {text:?}"
        );
    }
}

/// Pieces of plans, whole and broken.
fn pieces() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        "[ \n\t\r]{1,4}",
        "[a-zA-Z0-9_]{1,8}",
        r#"["`(){}\[\]$,:=<>+*/.%-]{1,3}"#,
        prop::sample::select(vec![
            "phase ",
            "check ",
            "expect ",
            "within ",
            "\n  ",
            "\n",
            "{\n",
            "}\n",
            "\"",
            "\"${",
            "// ",
            "ref ",
            "metric ",
            "let ",
            "when ",
            "=> ",
            "not ",
            "- ",
            "5m ",
            "99.9% ",
            "2026-01-21T06:00Z ",
            "and ",
            ".. ",
            "stage 10% ",
            "± ",
            "ü",
            "undo ",
            "timeout ",
            "on fail ",
            "pause up to 1h then ",
            "prom.query(`",
            "`",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_an_answer(text in "\\PC{0,200}") {
        assert_in_place(&text);
        assert_in_place(&format!("deploy 1\n{text}"));
    }

    #[test]
    fn any_pieces_have_an_answer(text in pieces()) {
        assert_in_place(&format!("deploy 1\n{text}"));
    }

    #[test]
    fn a_plan_with_a_piece_put_in_or_cut_out_has_an_answer(
        at in any::<prop::sample::Index>(),
        length in 0usize..30,
        piece in pieces(),
    ) {
        let mut text = plan();
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let from = at.get(&places);
        let to = text.len().min(from + length);
        let to = (to..=text.len()).find(|to| text.is_char_boundary(*to)).unwrap();
        text.replace_range(*from..to, &piece);
        assert_in_place(&text);
    }
}

fn plan() -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let largest = deploy_files(&root.join("examples"))
        .into_iter()
        .max_by_key(|path| std::fs::metadata(path).unwrap().len());
    std::fs::read_to_string(largest.unwrap()).unwrap()
}

fn assert_quick(name: &str, text: &str) {
    let start = Instant::now();
    parsed(text);
    let took = start.elapsed();
    // A thousand times what it takes in a debug build: the point is that it is not the square of the length.
    assert!(took.as_secs() < 10, "{name}: {took:?}");
}

#[test]
fn nesting_of_twenty_thousand_is_one_message() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("f(", ")"),
        ("{ a: ", "}"),
        ("not ", ""),
        ("- ", ""),
        ("all ", ""),
    ] {
        let text = format!(
            "deploy 1\nlet a = {}b{}\nrole c\n",
            open.repeat(20_000),
            close.repeat(20_000)
        );
        let found = said(&text);
        assert_eq!(found.len(), 1, "{open}: {found:?}");
        assert!(found[0].contains("nested-too-deep"), "{open}: {found:?}");
    }
    let chains = [
        format!("let a = b{}", " + b".repeat(20_000)),
        format!("let a = b{}", ".b".repeat(20_000)),
        format!("let a = {}b{}", "\"${".repeat(20_000), "}\"".repeat(20_000)),
        format!("input a: {}b{}", "list<".repeat(20_000), ">".repeat(20_000)),
        format!(
            "phase p at start {{\non fail {}stop\n}}",
            "pause up to 1h then ".repeat(20_000)
        ),
        format!(
            "phase p at start {}{}",
            "{\nwhen a ".repeat(20_000),
            "}".repeat(20_000)
        ),
    ];
    for text in chains {
        let found = said(&format!("deploy 1\n{text}\nrole c\n"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("nested-too-deep"), "{found:?}");
    }
}

#[test]
fn the_deepest_that_is_read_fits_on_the_stack_of_a_thread() {
    let deep = [
        format!("let a = {}b{}", "(".repeat(95), ")".repeat(95)),
        format!("let a = {}b{}", "[".repeat(95), "]".repeat(95)),
        format!("let a = {}b{}", "{ c: ".repeat(95), " }".repeat(95)),
        format!("let a = {}b{}", "f(".repeat(48), ")".repeat(48)),
        format!("let a = {}b{}", "\"${".repeat(49), "}\"".repeat(49)),
        format!("let a = {}b", "not ".repeat(98)),
        format!("let a = b{}", " == b".repeat(98)),
        format!("input a: {}b{}", "list<".repeat(95), ">".repeat(95)),
        format!(
            "phase p at start {{\n{}hold 1m\n{}}}",
            "when a {\n".repeat(98),
            "}\n".repeat(98)
        ),
        format!(
            "phase p at start {{\non fail {}stop\n}}",
            "pause up to 1h then ".repeat(98)
        ),
    ];
    for text in deep {
        let file = super::tree(&format!("deploy 1\n{text}\n"));
        let printed = crate::syntax::print::file(&file);
        super::tree(&printed);
    }
}

#[test]
fn nesting_that_people_write_is_fine() {
    let text = format!("deploy 1\nlet a = {}b{}\n", "f(".repeat(40), ")".repeat(40));
    assert_eq!(said(&text), Vec::<String>::new());
    let text = format!("deploy 1\nlet a = b{}\n", " or b".repeat(90));
    assert_eq!(said(&text), Vec::<String>::new());
}

#[test]
fn time_is_linear_in_hostile_text() {
    let repeated = [
        "(",
        "[",
        "{",
        ")",
        "}",
        "\"",
        "`",
        "\"${",
        "{\n",
        "x {\n",
        "phase a {\n",
        "section \"x\" {\n",
        "a ",
        "a\n",
        " a\n",
        "\n",
        "// \n",
        "phase a at start { } x\n",
        "let a = (\n",
        "let a = \"\n",
        "role \"\n",
        "check `\n",
        "${",
        "when a { } x\n",
        "metric a: b = c.d(`\n",
        "1..",
        "a.b(c, ",
        "\"a\" when ",
        "on fail pause up to 1h then ",
    ];
    for piece in repeated {
        let text = format!("deploy 1\n{}", piece.repeat(40_000 / piece.len()));
        assert_quick(piece, &text);
        let inside = format!(
            "deploy 1\nphase p at start {{\n{}",
            piece.repeat(40_000 / piece.len())
        );
        assert_quick(piece, &inside);
    }
}

#[test]
fn blocks_with_something_behind_them_are_read_once_each() {
    let depth = 90;
    let text = format!(
        "deploy 1\nphase p at start {{\n{}hold 1m\n{}}}\n",
        "when a {\n".repeat(depth),
        "} x\n".repeat(depth)
    );
    let start = Instant::now();
    let found = said(&text);
    assert_eq!(found.len(), depth, "{found:?}");
    assert!(start.elapsed().as_secs() < 20);
}

#[test]
fn more_mistakes_than_anybody_reads_are_cut_off() {
    let text = format!("deploy 1\n{}", "phase p at start { hold }\n".repeat(500));
    let found = said(&text);
    let lines: Vec<&str> = found
        .iter()
        .map(|one| &one[..one.find(':').unwrap()])
        .collect();
    // The first of the text, whichever were found first.
    let first: Vec<String> = (2..)
        .take(DIAGNOSTICS_MAX)
        .map(|line| line.to_string())
        .collect();
    assert_eq!(lines, first);
}
