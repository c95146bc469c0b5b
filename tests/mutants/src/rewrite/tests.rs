//! Small sources in, text out; and what came out is compiled by the compiler of the tests and run.

use crate::find::{Found, find};
use crate::mutant_switch;
use crate::rewrite::{Rewritten, rewrite};

fn found(source: &str) -> Found {
    find("src/a.rs", source, &syn::parse_file(source).unwrap())
}

fn all(source: &str) -> Rewritten {
    let number_of = |mutant: usize| u32::try_from(mutant + 1).ok();
    let rewritten = rewrite(source, &found(source).places, &number_of);
    syn::parse_file(&rewritten.text).unwrap_or_else(|error| panic!("{error}: {}", rewritten.text));
    rewritten
}

/// The text with `?7` for the question whether the mutant 7 is alive.
fn short(source: &str) -> String {
    let text = all(source).text;
    let parts = text.split("crate::mutant_switch::is_alive(");
    let parts = parts.enumerate().map(|(index, part)| match index {
        0 => part.to_owned(),
        _ => format!("?{}", part.replacen(')', "", 1)),
    });
    parts.collect()
}

fn names(source: &str) -> Vec<String> {
    let mutants = found(source).mutants;
    mutants.iter().map(ToString::to_string).collect()
}

#[test]
fn an_operator_has_its_others() {
    let source = "fn f(a: u8) -> &'static str { g(a == 1) }";
    assert_eq!(
        short(source),
        "fn f(a: u8) -> &'static str { g((if ?1 { (a != 1) } else { a == 1 })) }"
    );
    assert_eq!(names(source), ["src/a.rs:1:35: replace == with != in f"]);
}

#[test]
fn the_others_have_their_operands_as_they_were() {
    assert_eq!(
        short("fn f() -> &str { g(a && b == c) }"),
        "fn f() -> &str { g((if ?1 { (a || b == c) } else { a && (if ?2 { (b != c) } else { b == c }) })) }"
    );
}

#[test]
fn a_prefix_goes() {
    let source = "fn f() -> &str { g(!a, -(b)) }";
    assert_eq!(
        short(source),
        "fn f() -> &str { g((if ?1 { (a) } else { !a }), (if ?2 { ((b)) } else { -(b) })) }"
    );
    assert_eq!(
        names(source),
        [
            "src/a.rs:1:20: delete ! in f",
            "src/a.rs:1:24: delete - in f"
        ]
    );
}

#[test]
fn a_guard_always_holds_or_never_and_an_arm_is_not_there() {
    let source = "fn f() -> &str { match a { Some(b) if !b => 1, A::B(_) => 2, _ => 3 } }";
    assert_eq!(
        short(source),
        "fn f() -> &str { match a { Some(b) if (?1 || !?2 && ((if ?4 { (b) } else { !b }))) => 1, \
         A::B(_) if !?3 => 2, _ => 3 } }"
    );
    assert_eq!(
        names(source),
        [
            "src/a.rs:1:39: replace match guard !b with true in f",
            "src/a.rs:1:39: replace match guard !b with false in f",
            "src/a.rs:1:48: delete match arm A::B(_) in f",
            "src/a.rs:1:39: delete ! in f",
        ]
    );
}

#[test]
fn without_an_arm_for_the_rest_no_arm_can_go() {
    assert!(names("fn f() -> &str { match a { A => 1, B => 2 } }").is_empty());
    assert!(names("fn f() -> &str { match a { A => 1, _ if let Some(b) = c => 2 } }").is_empty());
}

#[test]
fn a_body_is_passed_over() {
    let source = "impl S {\n    fn f(&self) -> bool {\n        g()\n    }\n}\nimpl T for S { fn h() { i() } }";
    assert_eq!(
        short(source),
        "impl S {\n    fn f(&self) -> bool { if ?1 { return true; } if ?2 { return false; }\n        g()\n    }\n}\n\
         impl T for S { fn h() { if ?3 { return (); } i() } }"
    );
    assert_eq!(
        names(source),
        [
            "src/a.rs:3:9: replace S::f -> bool with true",
            "src/a.rs:3:9: replace S::f -> bool with false",
            "src/a.rs:6:25: replace <impl T for S>::h with ()",
        ]
    );
}

#[test]
fn what_must_be_known_before_a_run_and_what_is_for_tests_stays() {
    for source in [
        "const A: u8 = 1 + 2;",
        "const fn f() -> u8 { 1 + 2 }",
        "static A: [u8; 1 + 2] = [0; 1 + 2];",
        "#[cfg(test)] mod tests { fn f() -> u8 { 1 + 2 } }",
        "#[test] fn f() { g(1 + 2) }",
        "#[mutants::skip] fn f() -> u8 { 1 + 2 }",
        "impl Default for S { fn default() -> S { g(1 + 2) } }",
        "fn f() -> &str { if let Some(a) = b && let Some(c) = d { 1 } else { 2 } }",
    ] {
        assert_eq!(all(source).text, source);
    }
}

#[test]
fn places_are_found_behind_letters_that_are_more_than_a_byte() {
    let source = "// ─► é\nfn f() -> &str { g(\"─►\", a < b) }";
    assert!(
        short(source).contains("g(\"─►\", (if ?1 { (a == b) } else if ?2 { (a > b) } else if ?3")
    );
    assert!(names(source)[0].starts_with("src/a.rs:2:28: replace < with == in f"));
}

#[test]
fn mutants_that_stay_out_leave_the_rest_in() {
    let source = "fn f() -> &str { g(!(a + b)) }";
    let only_times = |mutant: usize| (mutant == 2).then_some(9);
    let text = rewrite(source, &found(source).places, &only_times).text;
    assert_eq!(
        text,
        "fn f() -> &str { g(!((if crate::mutant_switch::is_alive(9) { (a * b) } else { a + b }))) }"
    );
    assert_eq!(
        rewrite(source, &found(source).places, &|_| None).text,
        source
    );
}

#[test]
fn an_error_is_of_the_smallest_piece_around_it_or_of_the_last_before() {
    let rewritten = all("fn f() -> u8 { let c = a + b; g(c) }");
    let guilty = |of: &str| {
        let at = rewritten.text.find(of).unwrap();
        rewritten.guilty(&(at..at + of.len())).to_owned()
    };
    assert_eq!(guilty("return 0"), [0]);
    assert_eq!(guilty("a - b"), [2]);
    assert_eq!(guilty("{ a + b }"), [2, 3]);
    assert_eq!(guilty("g(c)"), [3]);
    assert!(rewritten.guilty(&(0..2)).is_empty());
}

#[test]
fn with_no_mutant_alive_the_code_means_the_same_and_with_any_it_does_not() {
    let source = include_str!("sample.original");
    let rewritten = all(source).text;
    assert_eq!(
        rewritten,
        include_str!("sample.rewritten"),
        "`sample.rewritten` should say:\n{rewritten}"
    );
    let meant = outcomes(as_written::outcome);
    let numbers = u32::try_from(found(source).mutants.len()).unwrap();
    for alive in 0..=numbers {
        mutant_switch::ALIVE.set(alive);
        let same = outcomes(as_rewritten::outcome) == meant;
        assert_eq!(same, alive == 0, "{alive}");
    }
}

fn outcomes(of: fn(i64, i64) -> String) -> Vec<String> {
    let pairs = (-3..4).flat_map(|left| (-3..4).map(move |right| (left, right)));
    pairs.map(|(left, right)| of(left, right)).collect()
}

mod as_written {
    include!("sample.original");
}

#[allow(warnings, clippy::all)]
mod as_rewritten {
    include!("sample.rewritten");
}
