//! The rollback: its budget, what is told beside it, what proves that the old state is back.

use crate::analyze::context::Cx;
use crate::analyze::env::{Canary, Cause, Env};
use crate::analyze::expr::constant;
use crate::analyze::extent;
use crate::analyze::lower::{Around, People, Place, check, notify, policy, watch};
use crate::analyze::messages::structure as say;
use crate::plan::Rollback;
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::StmtKind;

pub fn rollback(cx: &mut Cx<'_, '_>, rollback: &ast::Rollback, keyword: Span) -> Option<Rollback> {
    let during = rollback
        .during
        .as_ref()
        .map(|range| watch::range(cx, range));
    let mut around = Around {
        parent: None,
        path: "rollback".to_owned(),
        env: Env::default(),
        policies: policy::none(),
        people: People::default(),
        place: Place::Phase,
        owner: None,
        expires_ns: None,
        applies: Vec::new(),
    };
    around.env.place.cause = Cause::Known;
    around.env.place.canary = running(cx, rollback);
    let within = rollback.within.as_ref();
    let within_ns = match within {
        Some(time) => constant::duration_ns(cx, &around.env, time, "the budget of a rollback"),
        None => {
            cx.report(say::missing_time(
                keyword,
                "the rollback has no budget",
                "write `rollback within T`",
            ));
            None
        }
    };
    let mut notices = Vec::new();
    let mut verify = Vec::new();
    for stmt in &rollback.body.stmts {
        match &stmt.kind {
            StmtKind::Notify(written) => notices.extend(notify::alone(cx, &around.env, written)),
            StmtKind::Verify(written) => {
                verify.push(check::verify(cx, &around, written, stmt.span));
            }
            // Read anew wherever it is used: in a rollback nothing may be judged that was read before.
            StmtKind::Let(it) => {
                let typed = extent::of_let(cx, &around.env, it);
                around.env.bind(&it.name.name, typed);
            }
            StmtKind::Junk => {}
            _ => cx.report(say::misplaced(
                stmt,
                "in a rollback, which tells and verifies",
            )),
        }
    }
    Some(Rollback {
        during: match during {
            Some(range) => Some(range?),
            None => None,
        },
        within_ns: within_ns?,
        notices,
        verify,
        loc: cx.loc(keyword),
    })
}

/// The one canary whose traffic a rollback gives back.
fn running(cx: &Cx<'_, '_>, rollback: &ast::Rollback) -> Canary {
    if let Some(range) = &rollback.during {
        return watch::running(cx, range);
    }
    match cx.g.canaries.as_slice() {
        [] => Canary::None,
        [only] => Canary::Known(only.step),
        _ => Canary::Beside,
    }
}
