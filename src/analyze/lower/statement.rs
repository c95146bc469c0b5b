//! One statement among the items of a phase, a stage or an `every`.

use crate::analyze::context::{Cx, unlinked_let};
use crate::analyze::extent;
use crate::analyze::lower::unroll::Round;
use crate::analyze::lower::{
    Around, Place, canary, check, define, notify, people, phase, step, time, unroll,
};
use crate::analyze::messages::structure as say;
use crate::analyze::typed::{FrozenWhy, Reads, Typed};
use crate::plan::Let;
use crate::plan::expr::Expr;
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::{Block, For, Stmt, StmtKind};

/// All statements of a block; what binds a name binds it for those behind it.
pub fn block(cx: &mut Cx<'_, '_>, around: &Around, block: &Block) {
    let mut around = around.clone();
    around.env.depth += 1;
    for stmt in &block.stmts {
        statement(cx, &mut around, stmt);
    }
}

/// A call of a define that only judges: one check without a title.
pub fn judged_call(cx: &mut Cx<'_, '_>, around: &Around, call: &ast::Expr) {
    check::untitled(cx, around, call.span, &mut |cx, env, body| {
        define::in_body(cx, env, body, call);
    });
}

fn statement(cx: &mut Cx<'_, '_>, around: &mut Around, stmt: &Stmt) {
    if let Some(place) = refused(around.place, &stmt.kind) {
        cx.report(say::misplaced(stmt, place));
        return;
    }
    match &stmt.kind {
        StmtKind::Section(section) => phase::section(cx, around, section, stmt.span),
        StmtKind::Check(check) => check::item(cx, around, check, stmt.span),
        StmtKind::Step(step) => step::step(cx, around, step, stmt.span),
        StmtKind::Canary(canary) => canary::canary(cx, around, canary, stmt.span),
        StmtKind::Confirm(confirm) => people::confirm(cx, around, confirm, stmt.span),
        StmtKind::Approve(approve) => people::approve(cx, around, approve, stmt.span),
        StmtKind::Hold(hold) => time::hold(cx, around, hold, stmt.span),
        StmtKind::Every(every) => time::every(cx, around, every, stmt.span),
        StmtKind::Notify(_) if !around.applies.is_empty() => {
            cx.report(say::misplaced(stmt, "in a `for` over an input in a stage"));
        }
        StmtKind::Notify(notify) => notify::item(cx, around, notify),
        StmtKind::When(when) => time::when(cx, around, when, stmt.span),
        StmtKind::Parallel(block) => time::parallel(cx, around, block, stmt.span),
        StmtKind::For(each) => {
            for round in unroll::rounds(cx, &around.env, each) {
                self::round(cx, around, each, round, stmt.span);
            }
        }
        StmtKind::Let(it) => bind(cx, around, it),
        StmtKind::Expect(expect) => {
            check::untitled(cx, around, stmt.span, &mut |cx, env, body| {
                crate::analyze::lower::judge::expect(cx, env, body, expect);
            });
        }
        StmtKind::Call(call) => define::among_items(cx, around, call),
        // Read by whoever the block belongs to.
        StmtKind::Policy(_) | StmtKind::Setting(_) | StmtKind::Junk => {}
        _ => cx.report(say::misplaced(stmt, "among the items of a phase")),
    }
}

/// A copy for an element that only a run knows is a `when`; in a stage, whose items are judged together, each of its
/// checks asks by itself.
fn round(cx: &mut Cx<'_, '_>, around: &Around, each: &For, round: Round, span: Span) {
    let mut copy = match &round.applies {
        Some(applies) if around.place == Place::Stage => Around {
            applies: around.applies.iter().chain([applies]).cloned().collect(),
            ..around.clone()
        },
        Some(applies) => time::copy(cx, around, applies, span),
        None => around.clone(),
    };
    copy.env.bind(&each.name.name, round.element);
    block(cx, &copy, &each.body);
}

/// Why a statement may not stand in this place.
fn refused(place: Place, kind: &StmtKind) -> Option<&'static str> {
    use StmtKind as S;
    match (place, kind) {
        (_, S::Stage(_)) => Some("outside of a `canary`"),
        (Place::Phase, S::Expect(_)) => {
            Some("by itself in a phase: put it into a `check`, which has a title")
        }
        (
            Place::Every,
            S::Section(_)
            | S::Step(_)
            | S::Canary(_)
            | S::Approve(_)
            | S::Hold(_)
            | S::Every(_)
            | S::Parallel(_),
        ) => Some("in an `every`, whose items are done again and again"),
        (
            Place::Stage,
            S::Section(_)
            | S::Step(_)
            | S::Canary(_)
            | S::Confirm(_)
            | S::Approve(_)
            | S::Every(_)
            | S::Parallel(_)
            | S::When(_),
        ) => Some("in a stage, which moves a weight and judges it"),
        _ => None,
    }
}

/// In a phase a `let` is read once, when it is first used; where things are judged again it is read anew.
fn bind(cx: &mut Cx<'_, '_>, around: &mut Around, it: &ast::Let) {
    let typed = extent::of_let(cx, &around.env, it);
    let name = &it.name.name;
    let known = typed.value().is_some() || matches!(typed.expr, Expr::Element { .. });
    let frozen = around.place == Place::Phase && !known && !typed.is_unknown();
    if !frozen {
        around.env.bind(name, typed);
        return;
    }
    let depth = extent::depth(&typed);
    let index = unlinked_let(cx.out.lets.len());
    let loc = cx.loc(it.name.span);
    cx.out.lets.push(Let {
        name: format!("{}/{name}", around.path),
        value: typed.expr,
        loc,
    });
    let reads = Reads {
        depth,
        ..Reads::frozen(it.name.span, FrozenWhy::Let(name.clone()))
    };
    around.env.bind(
        name,
        Typed::new(Expr::Let(index), typed.ty, reads, it.name.span),
    );
}
