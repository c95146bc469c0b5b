//! How much a plan comes to when all that its names stand for is written out. Who says twice at each level what stands one
//! level below doubles it each time, so a page of text could stand for more than any machine holds: it is bounded.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::messages::extent as say;
use crate::analyze::places::Places;
use crate::analyze::typed::Typed;
use crate::diagnostics::Diagnostic;
use crate::plan::Plan;
use crate::plan::expr::{Expr, TemplatePart};
use crate::plan::node::NESTING_MAX;
use crate::plan::walk::each_part;
use crate::source::Span;
use crate::syntax::ast::{Block, Ident, Let};
use crate::syntax::decode::FILE_BYTES_MAX;
use crate::syntax::scan::DEPTH_MAX;
use crate::values::extent::Extent;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Of all copies together: as much as may be written by hand.
const COPIES_BYTES_MAX: usize = FILE_BYTES_MAX;

/// Of what one name stands for: it is kept wherever the name is known.
const NAME_BYTES_MAX: usize = 512 * 1024;

/// What is no larger is written out in no time.
const SMALL_BYTES: usize = 64;

/// How much of the room for copies is taken. All items of a plan share it.
#[derive(Debug, Default)]
pub struct Room {
    taken: AtomicUsize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Fits,
    /// This was too much.
    JustFull,
    /// Something before it was.
    Full,
}

impl Room {
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    pub fn is_full(&self) -> bool {
        self.taken() > COPIES_BYTES_MAX
    }

    /// As when so much was taken.
    pub fn back_to(&self, taken: usize) {
        self.taken.store(taken, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) -> Taken {
        let add = |taken: usize| Some(taken.saturating_add(bytes));
        let order = Ordering::Relaxed;
        let before = self.taken.fetch_update(order, order, add).unwrap_or(0);
        match before.saturating_add(bytes) > COPIES_BYTES_MAX {
            false => Taken::Fits,
            true if before > COPIES_BYTES_MAX => Taken::Full,
            true => Taken::JustFull,
        }
    }
}

/// What a bound name stands for, where it is used. What finds no room is not known.
pub fn used(cx: &mut Cx<'_, '_>, typed: Typed) -> Typed {
    let bytes = of(&typed.expr).bytes;
    match bytes <= SMALL_BYTES || takes(cx, bytes, typed.span) {
        true => typed,
        false => Typed::unknown(typed.span),
    }
}

/// What a name is to stand for. What is too much for one is reported, and not known.
pub fn named(cx: &mut Cx<'_, '_>, name: &Ident, typed: Typed) -> Typed {
    let extent = of(&typed.expr);
    if extent.bytes > NAME_BYTES_MAX {
        cx.report(say::name_too_large(name, NAME_BYTES_MAX));
    } else if extent.depth + typed.reads.depth > DEPTH_MAX {
        cx.report(say::name_too_deep(name, DEPTH_MAX));
    } else {
        return typed;
    }
    Typed::unknown(typed.span)
}

/// The value of a `let`.
pub fn of_let(cx: &mut Cx<'_, '_>, env: &Env, it: &Let) -> Typed {
    let typed = crate::analyze::expr::infer(cx, env, &it.value);
    named(cx, &it.name, typed)
}

/// How deep a name leads that this is read by.
pub fn depth(typed: &Typed) -> usize {
    levels(&typed.expr) + typed.reads.depth
}

/// How many levels stand in each other.
pub fn levels(expr: &Expr) -> usize {
    of(expr).depth
}

/// Whether there is room for so many copies of a block.
pub fn has_room(cx: &mut Cx<'_, '_>, copies: usize, block: &Block, span: Span) -> bool {
    let first = block.stmts.first().map_or(0, |stmt| stmt.span.start);
    let last = block.stmts.last().map_or(0, |stmt| stmt.span.end);
    let bytes = last.saturating_sub(first) as usize;
    takes(cx, copies.saturating_mul(bytes), span)
}

fn takes(cx: &mut Cx<'_, '_>, bytes: usize, span: Span) -> bool {
    match cx.g.room.take(bytes) {
        Taken::Fits => true,
        Taken::JustFull => {
            cx.out.too_large = Some(say::plan_too_large(span, COPIES_BYTES_MAX));
            false
        }
        Taken::Full => false,
    }
}

/// Items that stand deeper in each other than a run can hold; one way down is reported once.
pub fn check(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let mut depths: Vec<usize> = Vec::with_capacity(plan.nodes.len());
    let mut found = Vec::new();
    for node in &plan.nodes {
        // A parent stands before its children.
        let parent = node.parent.and_then(|parent| depths.get(parent.0 as usize));
        let depth = parent.map_or(0, |depth| depth + 1);
        depths.push(depth);
        if depth == NESTING_MAX + 1 {
            found.push(say::nested_too_deep(places.span(node.loc), NESTING_MAX));
        }
    }
    found
}

/// About what it takes as text, written out.
fn of(expr: &Expr) -> Extent {
    let mut inside = Extent::default();
    each_part(expr, &mut |part| inside = inside.beside(of(part)));
    match expr {
        Expr::Literal(value) => Extent::of(value),
        Expr::Template(template) => {
            let texts = template.parts.iter().map(|part| match part {
                TemplatePart::Text(text) => text.len(),
                TemplatePart::Expr(_) => 0,
            });
            inside.within(texts.sum())
        }
        _ => inside.within(0),
    }
}

#[cfg(test)]
mod tests {
    use super::{COPIES_BYTES_MAX, NAME_BYTES_MAX, Room, Taken, of};
    use crate::analyze::compile::{SourceText, compile};
    use crate::analyze::files::InMemory;
    use crate::plan::expr::{Expr, Template, TemplatePart};
    use crate::syntax::scan::DEPTH_MAX;

    #[test]
    fn room_is_full_when_more_is_asked_for_than_there_is() {
        let room = Room::default();
        assert_eq!(room.take(COPIES_BYTES_MAX - 1), Taken::Fits);
        assert_eq!(room.take(1), Taken::Fits);
        assert!(!room.is_full());
        assert_eq!(room.take(1), Taken::JustFull);
        assert!(room.is_full());
        assert_eq!(room.take(0), Taken::Full);
        room.back_to(COPIES_BYTES_MAX);
        assert_eq!(room.take(usize::MAX), Taken::JustFull);
    }

    #[test]
    fn a_template_is_as_large_as_its_texts_and_what_is_between_them() {
        let parts = vec![
            TemplatePart::Text("x".repeat(100)),
            TemplatePart::Expr(Expr::Local(0)),
            TemplatePart::Text("x".repeat(20)),
        ];
        let template = of(&Expr::Template(Template { parts }));
        assert_eq!((template.bytes, template.depth), (120 + 8 + 8, 2));
    }

    /// The codes of what is wrong with a plan.
    fn wrong(others: &str, items: &str) -> Vec<&'static str> {
        let text = format!(
            "deploy 1\n\nplan demo \"Demo\" {{\n  deadline 7d\n  on fail, error, inconclusive stop\n}}\n\n\
             provider api = http {{ base: \"https://api.example.com\" }}\n\n{others}\n\
             phase look at start {{\n{items}}}\n"
        );
        let name = "demo.deploy".to_owned();
        let compiled = compile(vec![SourceText { name, text }], &InMemory::default());
        let found = compiled.diagnostics.iter();
        found.map(|found| found.code.name).collect()
    }

    /// A text that is said so often.
    fn said(bytes: usize, times: usize) -> Vec<&'static str> {
        let page = "x".repeat(bytes);
        let checks = "check \"Up\" expect api.up(page)\n".repeat(times);
        wrong(&format!("let page = \"{page}\"\n"), &checks)
    }

    #[test]
    fn a_name_may_stand_for_so_much_and_be_said_so_often() {
        // The quotes.
        let most = NAME_BYTES_MAX - 8;
        let times = COPIES_BYTES_MAX / NAME_BYTES_MAX;
        assert_eq!(said(most, 1), [""; 0]);
        assert_eq!(said(most + 1, 1), ["too-large"]);
        assert_eq!(said(most, times), [""; 0]);
        assert_eq!(said(most, times + 1), ["too-large"]);
    }

    #[test]
    fn defines_may_be_called_through_so_many_others() {
        let called = |count: usize| {
            let through = |n| format!("define f{n}() {{ f{}() }}\n", n + 1);
            let all: String = (1..count).map(through).collect();
            let last = format!("define f{count}() {{ check \"Up\" expect api.up(\"/\") }}\n");
            wrong(&(all + &last), "f1()\n")
        };
        assert_eq!(called(DEPTH_MAX), [""; 0]);
        let too_many = called(DEPTH_MAX + 1);
        assert!(too_many.contains(&"too-large"), "{too_many:?}");
    }
}
