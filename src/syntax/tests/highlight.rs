//! What each piece of a text is: text in, classes out.

use crate::syntax::highlight::{Class, file};

/// `word:class` for all that stands behind the first line.
fn classes(text: &str) -> Vec<String> {
    let text = format!("deploy 1\n{text}");
    let found = file(&text);
    let ordered = found
        .windows(2)
        .all(|pair| pair[0].range.end <= pair[1].range.start);
    assert!(ordered, "{found:#?}");
    let shown = |range, class: Class| format!("{}:{class:?}", &text[range]);
    found
        .into_iter()
        .skip(2)
        .map(|found| shown(found.range, found.class))
        .collect()
}

#[test]
fn a_word_is_a_keyword_only_where_it_is_used_as_one() {
    assert_eq!(
        classes("phase check at start {\n  check = canary.hold(window: all.start)\n}\n"),
        [
            "phase:Keyword",
            "check:Name",
            "at:Keyword",
            "start:Keyword",
            "check:Keyword",
            "canary:Name",
            "hold:Property",
            "window:Property",
            "all:Name",
            "start:Property",
        ]
    );
}

#[test]
fn a_number_is_one_with_its_unit() {
    assert_eq!(
        classes("let a = [200ms, +20%, 0.5 cores, 3/s, v1.20, 2026-01-21 06:30]\n"),
        [
            "let:Keyword",
            "a:Name",
            "200ms:Number",
            "+20%:Number",
            "0.5:Number",
            "cores:Number",
            "3/s:Number",
            "v1.20:Number",
            "2026-01-21 06:30:Number",
        ]
    );
}

#[test]
fn a_string_is_cut_by_what_is_interpolated() {
    assert_eq!(
        classes("let a = \"x\\n ${ b and \"${c}\" } y\" // \"z\"\nlet d = `${e}\n f`\n"),
        [
            "let:Keyword",
            "a:Name",
            "\"x:String",
            "\\n:Escape",
            " :String",
            "${:Interpolation",
            "b:Name",
            "and:Keyword",
            "\":String",
            "${:Interpolation",
            "c:Name",
            "}:Interpolation",
            "\":String",
            "}:Interpolation",
            " y\":String",
            "// \"z\":Comment",
            "let:Keyword",
            "d:Name",
            "`${e}\n f`:String",
        ]
    );
}

#[test]
fn a_mistake_keeps_its_strings_and_numbers_and_the_rest_its_classes() {
    assert_eq!(
        classes("phase p at start {\n  hold 5m 6m \"a\" then\n  hold 7m\n}\n"),
        [
            "phase:Keyword",
            "p:Name",
            "at:Keyword",
            "start:Keyword",
            "hold:Keyword",
            "5m:Number",
            "6m:Number",
            "\"a\":String",
            "hold:Keyword",
            "7m:Number",
        ]
    );
}

#[test]
fn what_is_put_in_for_what_is_missing_has_no_place() {
    assert_eq!(
        classes("let a = (b + \"c\nlet d = [1\n"),
        [
            "let:Keyword",
            "a:Name",
            "b:Name",
            "\"c:String",
            "let:Keyword",
            "d:Name",
            "1:Number",
        ]
    );
}

#[test]
fn types_ids_keys_and_truth_have_classes_of_their_own() {
    assert_eq!(
        classes("order o ref A-1, \"B\" = a -> b\ninput c: list<count> = { d: true }\n"),
        [
            "order:Keyword",
            "o:Name",
            "ref:Keyword",
            "A-1:Reference",
            "\"B\":String",
            "a:Name",
            "b:Name",
            "input:Keyword",
            "c:Name",
            "list:Type",
            "count:Type",
            "d:Property",
            "true:Boolean",
        ]
    );
}

#[test]
fn what_stands_too_deep_is_not_parsed() {
    let deep = format!("let a = {}1{} // one\n", "(".repeat(200), ")".repeat(200));
    assert_eq!(classes(&deep), ["1:Number", "// one:Comment"]);
}
