//! What is left of an item or a statement behind which something stood that did not parse.
//!
//! Its names and its blocks stay, so that one mistake does not make all that uses them wrong; its last value goes,
//! because it was not meant as it was read.

use crate::syntax::ast::{CheckBody, Expr, ExprKind, Item, ItemKind, Stmt, StmtKind};

pub fn item(item: &mut Item) {
    match &mut item.kind {
        ItemKind::Metric(metric) => unreadable(&mut metric.value),
        ItemKind::Let(bound) => unreadable(&mut bound.value),
        ItemKind::Input(input) => {
            if let Some(default) = &mut input.default {
                unreadable(default);
            }
        }
        ItemKind::On(_) => item.kind = ItemKind::Junk,
        _ => {}
    }
}

pub fn stmt(stmt: &mut Stmt) {
    match &mut stmt.kind {
        StmtKind::Check(check) | StmtKind::Verify(check) => match &mut check.body {
            CheckBody::Expect(expect) => unreadable(&mut expect.condition),
            CheckBody::Call(call) => unreadable(call),
            CheckBody::Block(_) => {}
        },
        StmtKind::Let(bound) => unreadable(&mut bound.value),
        StmtKind::Confirm(confirm) if confirm.lines.is_some() => {}
        StmtKind::Section(_)
        | StmtKind::Step(_)
        | StmtKind::Canary(_)
        | StmtKind::Stage(_)
        | StmtKind::Every(_)
        | StmtKind::When(_)
        | StmtKind::Parallel(_)
        | StmtKind::For(_)
        | StmtKind::At(_) => {}
        _ => stmt.kind = StmtKind::Junk,
    }
}

fn unreadable(value: &mut Expr) {
    value.kind = ExprKind::Junk;
}
