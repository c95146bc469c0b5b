//! Values that are put together from others: they are bounded, whatever the world answers.

use crate::engine::protocol::RunOutcome;
use crate::engine::tests::bench::{Bench, record};
use crate::engine::tests::build::{Builder, LOC, compare, field, notice};
use crate::plan::Let;
use crate::plan::expr::{Expr, Template, TemplatePart};
use crate::plan::node::{CheckMode, NodeKind};
use crate::syntax::ast::CompareOp;
use crate::values::Value;

/// Each is put together from the one before it.
fn named(b: &mut Builder, levels: u32, made: impl Fn(Expr) -> Expr) -> Expr {
    for level in 0..levels {
        let value = match level {
            0 => field("page", "text"),
            _ => made(Expr::Let(level - 1)),
        };
        b.plan.lets.push(Let {
            name: format!("t{level}"),
            value,
            loc: LOC,
        });
    }
    Expr::Let(levels - 1)
}

/// Compares the last of so many levels with itself; the first is a page of one kibibyte.
fn compared(levels: u32, made: impl Fn(Expr) -> Expr) -> Bench {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let last = named(&mut b, levels, made);
    let same = compare(last.clone(), CompareOp::Eq, last);
    b.check(phase, "same", same, CheckMode::Once);
    let text = || Value::String("x".repeat(1024));
    let page = move |_| Some(Ok(record(&[("text", text())])));
    Bench::new(b.plan).answer("page", page).start().run()
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

fn twice(one: Expr) -> Expr {
    let parts = [one.clone(), one].map(TemplatePart::Expr).to_vec();
    Expr::Template(Template { parts })
}

#[test]
fn a_text_of_texts_ends_at_a_mebibyte() {
    let _ = compared(11, twice).outcome(RunOutcome::Succeeded);
    is_too_large(&compared(12, twice));
}

#[test]
fn lists_and_maps_end_where_what_is_in_them_is_as_large() {
    let list = |one: Expr| Expr::List(vec![one.clone(), one]);
    let map = |one: Expr| {
        let fields = ["a", "b"].map(|name| (name.to_owned(), one.clone()));
        Expr::Map(fields.to_vec())
    };
    assert_eq!(trouble(&compared(9, list)), None);
    is_too_large(&compared(13, list));
    is_too_large(&compared(13, map));
}

#[test]
fn a_message_that_is_too_long_is_cut() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let last = named(&mut b, 11, twice);
    let mut said = notice("");
    said.text.parts = [last.clone(), last].map(TemplatePart::Expr).to_vec();
    b.node(Some(phase), "told", NodeKind::Notify(said));
    let text = || Value::String("ä".repeat(512));
    let page = move |_| Some(Ok(record(&[("text", text())])));
    let bench = Bench::new(b.plan).answer("page", page).start().run();
    let bench = bench.outcome(RunOutcome::Succeeded);
    let told = bench.log.iter().map(|line| line.len()).max().unwrap_or(0);
    assert!((1 << 20..(1 << 20) + 200).contains(&told), "{told}");
}
