//! Values that are put together from others: what they ask is asked at once, and they are bounded, whatever is answered.

use crate::engine::tests::bench::{Bench, record};
use crate::engine::tests::build::{Builder, LOC, M, compare, field, notice};
use crate::plan::Let;
use crate::plan::expr::{Expr, Template, TemplatePart};
use crate::plan::node::{CheckMode, NodeKind};
use crate::syntax::ast::CompareOp;
use crate::values::Value;

/// A page of so many bytes, and what is made of it twice.
fn made(b: &mut Builder, bytes: usize, twice: impl Fn(Expr) -> Expr) -> (Expr, Value) {
    let page = field("page", "text");
    for (name, value) in [("page", page), ("pages", twice(Expr::Let(0)))] {
        b.plan.lets.push(Let {
            name: name.to_owned(),
            value,
            loc: LOC,
        });
    }
    let answer = record(&[("text", Value::String("x".repeat(bytes)))]);
    (Expr::Let(1), answer)
}

/// Compares what is made of a page with itself.
fn compared(bytes: usize, twice: impl Fn(Expr) -> Expr) -> Bench {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let (pages, answer) = made(&mut b, bytes, twice);
    let same = compare(pages.clone(), CompareOp::Eq, pages);
    b.check(phase, "same", same, CheckMode::Once);
    let page = move |_| Some(Ok(answer.clone()));
    Bench::new(b.plan).answer("page", page).start().until(M)
}

/// Why the check could not be judged, if it could not.
fn trouble(bench: &Bench) -> Option<String> {
    let judged = bench.state.nodes.iter().flat_map(|node| &node.clauses);
    judged.filter_map(|clause| clause.reason.clone()).next()
}

#[track_caller]
fn is_too_large(bench: &Bench) {
    let why = "what is put together here is larger than 1024 KiB";
    assert_eq!(trouble(bench).as_deref(), Some(why));
}

const HALF: usize = 512 * 1024;

fn text(one: Expr) -> Expr {
    let parts = [one.clone(), one].map(TemplatePart::Expr).to_vec();
    Expr::Template(Template { parts })
}

#[test]
fn a_text_of_texts_ends_at_a_mebibyte() {
    assert_eq!(trouble(&compared(HALF, text)), None);
    is_too_large(&compared(HALF + 1, text));
}

#[test]
fn lists_and_maps_end_where_what_is_in_them_is_as_large() {
    let list = |one: Expr| Expr::List(vec![one.clone(), one]);
    let map = |one: Expr| {
        let fields = ["a", "b"].map(|name| (name.to_owned(), one.clone()));
        Expr::Map(fields.to_vec())
    };
    // With its quotes.
    let most = HALF - 8;
    assert_eq!(trouble(&compared(most, list)), None);
    is_too_large(&compared(most + 1, list));
    is_too_large(&compared(most + 1, map));
}

#[test]
fn a_message_that_is_too_long_is_cut() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let (pages, answer) = made(&mut b, HALF, text);
    let mut said = notice("");
    said.text.parts = [pages.clone(), pages].map(TemplatePart::Expr).to_vec();
    b.node(Some(phase), "told", NodeKind::Notify(said));
    let page = move |_| Some(Ok(answer.clone()));
    let bench = Bench::new(b.plan).answer("page", page).start().until(M);
    let told = bench.log.iter().map(String::len).max().unwrap_or(0);
    assert!((2 * HALF..2 * HALF + 200).contains(&told), "{told}");
}

#[test]
fn all_that_a_value_is_made_of_is_asked_together() {
    let reads = || ["one", "two", "three"].map(|name| field(name, "text"));
    let list = Expr::List(reads().to_vec());
    let names = ["a", "b", "c"].map(str::to_owned);
    let map = Expr::Map(names.into_iter().zip(reads()).collect());
    let parts = reads().map(TemplatePart::Expr).to_vec();
    let text = Expr::Template(Template { parts });
    for made in [list, map, text] {
        let mut b = Builder::new();
        let phase = b.phase("p");
        let same = compare(made.clone(), CompareOp::Eq, made);
        b.check(phase, "same", same, CheckMode::Once);
        // Nobody answers.
        let bench = Bench::new(b.plan).answer("text", |_| None);
        assert_eq!(bench.start().until(0).reads, 3);
    }
}
