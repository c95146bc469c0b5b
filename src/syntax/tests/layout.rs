//! Where statements end, and what is said when brackets do not match.

use super::{print, said, tree};
use crate::syntax::layout::chunks;

fn first_phase(body: &str) -> String {
    let text = format!("deploy 1\nphase p at start {{\n{body}}}\n");
    let printed = print::file(&tree(&text));
    let start = "deploy 1\nphase p at start {\n";
    let body = printed
        .strip_prefix(start)
        .and_then(|rest| rest.strip_suffix("}\n"));
    body.unwrap_or(&printed).to_owned()
}

#[test]
fn a_deeper_line_goes_on() {
    assert_eq!(
        first_phase("  approve go\n    \"Go\"\n      by manager\n    within 1h\n  hold 5m\n"),
        "  approve go \"Go\" by manager within 1h\n  hold 5m\n"
    );
}

#[test]
fn an_open_bracket_or_operator_goes_on_at_any_indentation() {
    assert_eq!(
        first_phase("  expect f(\na,\n  b\n) and\n  c ==\n  d\n  hold 5m\n"),
        "  expect f(a, b) and c == d\n  hold 5m\n"
    );
}

#[test]
fn the_end_of_a_type_is_no_open_operator() {
    tree("deploy 1\ninput a: list<string>\ninput b: map<list<string>>\nrole c\n");
}

#[test]
fn comments_and_empty_lines_do_not_end_a_statement() {
    assert_eq!(
        first_phase("  approve go \"Go\"\n\n    // why\n\n    by manager\n"),
        "  // why\n  approve go \"Go\" by manager\n"
    );
}

#[test]
fn a_statement_in_the_middle_of_a_line_begins_there() {
    assert_eq!(
        first_phase("  when a { expect b\n    expect c\n  }\n"),
        "  when a {\n    expect b\n    expect c\n  }\n"
    );
}

#[test]
fn tabs_count_up_to_the_next_stop() {
    assert_eq!(
        first_phase("\thold 5m\n\t\t\"Wait\"\n\thold 6m\n"),
        "  hold 5m \"Wait\"\n  hold 6m\n"
    );
}

#[test]
fn windows_line_ends_are_line_ends() {
    let text = "deploy 1\r\n\r\nphase p at start {\r\n  hold 5m\r\n    \"Wait\" // so\r\n}\r\n";
    let printed = print::file(&tree(text));
    assert_eq!(
        printed,
        "deploy 1\n\nphase p at start {\n  hold 5m \"Wait\" // so\n}\n"
    );
}

#[test]
fn maps_take_lines_or_commas() {
    assert_eq!(
        first_phase("  step a = f({\n    b: 1\n    c: 2,\n    d:\n      3\n  }) timeout 5m\n"),
        "  step a = f({ b: 1, c: 2, d: 3 }) timeout 5m\n"
    );
}

#[test]
fn an_item_ends_where_the_next_begins() {
    let text = "deploy 1\n// a\nrole a // b\n\n// c\nrole b\n// d\n";
    let ranges = chunks(super::FILE, text).map(|chunk| chunk.range);
    let cut: Vec<&str> = ranges.map(|range| &text[range]).collect();
    assert_eq!(
        cut,
        [
            "deploy 1",
            "\n// a\nrole a // b",
            "\n\n// c\nrole b",
            "\n// d\n"
        ]
    );
}

#[test]
fn what_is_missing_is_said_at_the_bracket_that_has_no_partner() {
    assert_eq!(
        said("deploy 1\nphase p at start {\n  hold 5m\n\nphase q after p {\n  hold 5m\n}\n"),
        ["2:18 unclosed-bracket `{` is not closed"]
    );
    assert_eq!(
        said("deploy 1\nlet a = (1 + 2\nlet b = [1, 2\nlet c = f(3\n"),
        [
            "2:9 unclosed-bracket `(` is not closed",
            "3:9 unclosed-bracket `[` is not closed",
            "4:10 unclosed-bracket `(` is not closed",
        ]
    );
}

#[test]
fn indentation_tells_which_block_was_not_closed() {
    let text = "\
deploy 1
phase p at start {
  section \"a\" {
    when x {
      hold 1m
    hold 2m
  }
  section \"b\" {
    hold 3m
  }
}
";
    assert_eq!(said(text), ["4:12 unclosed-bracket `{` is not closed"]);
}

#[test]
fn indentation_tells_which_bracket_is_too_many() {
    let text = "\
deploy 1
phase p at start {
  section \"a\" {
    hold 1m
  }}
  hold 2m
}
role r
";
    assert_eq!(said(text), ["5:4 surplus-bracket `}` closes nothing"]);
}

#[test]
fn a_string_without_an_end_spoils_its_line_only() {
    let text = "\
deploy 1
phase p at start {
  section \"a {
    check \"b expect f(\"x\") == 1
    check \"c\" expect f(\"x) == 1
    check \"d\" expect f(\"${g(\"x\") == 1
  }
}
metric m: count = prom.query(`sum(x) in 1
metric n: count = prom.query(`sum(x)`) in 1
";
    let lines: Vec<String> = said(text)
        .iter()
        .map(|line| line[..line.find(' ').unwrap()].to_owned())
        .collect();
    assert_eq!(lines, ["3:11", "4:25", "5:24", "6:24", "9:30"]);
    assert!(
        said(text)
            .iter()
            .all(|line| line.contains("unclosed-string"))
    );
}

#[test]
fn a_query_may_have_lines_of_its_own() {
    let text = "\
deploy 1
metric m: count = prom.query(`
order by x
sum(x) // no comment
`) in 1
";
    assert_eq!(print::file(&tree(text)), text);
}

#[test]
fn a_line_that_was_indented_by_mistake_is_explained() {
    let text = "deploy 1\nphase p at start {\n  hold 1m\n    hold 2m\n}\n";
    let found = super::parsed(text).diagnostics;
    assert_eq!(found.len(), 1);
    let help = found[0].help.clone().unwrap();
    assert!(help.contains("indented deeper"), "{help}");
}

#[test]
fn words_of_clauses_may_be_names_where_no_clause_can_stand() {
    assert_eq!(
        first_phase(
            "  check at_most_x at_most_once expect f(owner)\n  let pods = f(owner)\n  stage 10% pods 1 {\n    expect pods.ready == 1\n  }\n"
        ),
        "  check at_most_x at_most_once expect f(owner)\n  let pods = f(owner)\n  stage 10% pods 1 {\n    expect pods.ready == 1\n  }\n"
    );
}

#[test]
fn what_is_planned_is_said_to_come() {
    let text = "\
deploy 1
checklist \"a.md\"
on stage notify room \"x\"
phase p at start {
  trial \"a\" timeout 5m { expect b }
  expect a contains b
}
";
    let found = said(text);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(
        found
            .iter()
            .all(|line| line.ends_with("is not in this version of the language")),
        "{found:?}"
    );
}
