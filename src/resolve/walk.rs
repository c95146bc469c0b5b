//! What all statements have in common: a head, options, blocks inside them.

use crate::source::Span;
use crate::syntax::ast::clause::{Clause, ClauseKind};
use crate::syntax::ast::policy::Action;
use crate::syntax::ast::{
    Block, CheckBody, Expr, ExprKind, Head, Item, ItemKind, Stmt, StmtKind, StringPart,
};

/// The head of a statement; a rule's name is its label, and names nothing.
pub fn head(stmt: &Stmt) -> Option<&Head> {
    match &stmt.kind {
        StmtKind::Section(section) => Some(&section.head),
        StmtKind::Check(check) | StmtKind::Verify(check) => Some(&check.head),
        StmtKind::Step(step) => Some(&step.head),
        StmtKind::Canary(canary) => Some(&canary.head),
        StmtKind::Stage(stage) => Some(&stage.head),
        StmtKind::Confirm(confirm) => Some(&confirm.head),
        StmtKind::Line(head) => Some(head),
        StmtKind::Approve(approve) => Some(&approve.head),
        StmtKind::Hold(hold) => Some(&hold.head),
        StmtKind::Every(every) => Some(&every.head),
        StmtKind::Notify(notify) => Some(&notify.head),
        StmtKind::Rule(rule) => Some(&rule.head),
        _ => None,
    }
}

pub fn options(stmt: &Stmt) -> &[Clause] {
    match &stmt.kind {
        StmtKind::Section(section) => &section.options,
        StmtKind::Check(check) | StmtKind::Verify(check) => &check.options,
        StmtKind::Step(step) => &step.options,
        StmtKind::Canary(canary) => &canary.options,
        StmtKind::Stage(stage) => &stage.options,
        StmtKind::Confirm(confirm) => &confirm.options,
        StmtKind::Approve(approve) => &approve.options,
        StmtKind::Notify(notify) => &notify.options,
        _ => &[],
    }
}

/// The block inside a statement.
pub fn block(stmt: &Stmt) -> Option<&Block> {
    match &stmt.kind {
        StmtKind::Section(section) => Some(&section.body),
        StmtKind::Check(check) | StmtKind::Verify(check) => match &check.body {
            CheckBody::Block(block) => Some(block),
            CheckBody::Expect(_) | CheckBody::Call(_) => None,
        },
        StmtKind::Step(step) => step.body.as_ref(),
        StmtKind::Canary(canary) => Some(&canary.body),
        StmtKind::Stage(stage) => Some(&stage.body),
        StmtKind::Confirm(confirm) => confirm.lines.as_ref(),
        StmtKind::Every(every) => Some(&every.body),
        StmtKind::When(when) => Some(&when.body),
        StmtKind::Parallel(block) => Some(block),
        StmtKind::For(each) => Some(&each.body),
        StmtKind::At(at) => Some(&at.body),
        _ => None,
    }
}

/// The block of an item.
pub fn body(item: &Item) -> Option<&Block> {
    match &item.kind {
        ItemKind::Plan(plan) => Some(&plan.body),
        ItemKind::Phase(phase) => Some(&phase.body),
        ItemKind::Watch(watch) => Some(&watch.body),
        ItemKind::Rollback(rollback) => Some(&rollback.body),
        ItemKind::Define(define) => Some(&define.body),
        ItemKind::Threshold(threshold) => Some(&threshold.body),
        _ => None,
    }
}

/// Every statement of a block and of the blocks inside it, in the order of the text.
pub fn each_stmt<'a>(block: &'a Block, visit: &mut dyn FnMut(&'a Stmt)) {
    for stmt in &block.stmts {
        visit(stmt);
        if let Some(inner) = self::block(stmt) {
            each_stmt(inner, visit);
        }
    }
}

/// Every head of an item: its own, those of its statements, of their undos and of what they tell.
pub fn each_head<'a>(item: &'a Item, visit: &mut dyn FnMut(&'a Head)) {
    match &item.kind {
        ItemKind::Order(order) => visit(&order.head),
        ItemKind::Phase(phase) => visit(&phase.head),
        ItemKind::Watch(watch) => visit(&watch.head),
        ItemKind::On(handler) => visit(&handler.notify.head),
        ItemKind::Invariant(it) => visit(&it.head),
        _ => {}
    }
    let Some(body) = body(item) else { return };
    each_stmt(body, &mut |stmt| {
        if let Some(head) = head(stmt) {
            visit(head);
        }
        for clause in options(stmt) {
            if let ClauseKind::Undo(undo) = &clause.kind {
                visit(&undo.head);
            }
        }
        for action in actions(stmt) {
            if let Action::Notify(notify) = action {
                visit(&notify.head);
            }
        }
    });
}

fn actions(stmt: &Stmt) -> &[Action] {
    match &stmt.kind {
        StmtKind::Rule(rule) => &rule.actions,
        StmtKind::NoData(no_data) => &no_data.actions,
        _ => &[],
    }
}

/// Every name in an expression, with its place; names of fields, functions and labels are none.
pub fn each_name(expr: &Expr, visit: &mut dyn FnMut(&str, Span)) {
    match &expr.kind {
        ExprKind::Name(name) => visit(name, expr.span),
        ExprKind::Field(inner, _)
        | ExprKind::Not(inner)
        | ExprKind::Negate(inner)
        | ExprKind::Aggregate(_, inner)
        | ExprKind::As(inner, ..)
        | ExprKind::In(inner, _)
        | ExprKind::Paren(inner) => each_name(inner, visit),
        ExprKind::Call(callee, args) => {
            each_name(callee, visit);
            for arg in args {
                each_name(&arg.value, visit);
            }
        }
        ExprKind::List(items) => {
            for item in items {
                each_name(item, visit);
            }
        }
        ExprKind::Map(entries) => {
            for entry in entries {
                each_name(&entry.value, visit);
            }
        }
        ExprKind::Binary(left, _, right) | ExprKind::Range(left, right) => {
            each_name(left, visit);
            each_name(right, visit);
        }
        ExprKind::Compare(first, rest) => {
            each_name(first, visit);
            for (_, side) in rest {
                each_name(side, visit);
            }
        }
        ExprKind::Against(against) => {
            each_name(&against.measured, visit);
            each_name(&against.baseline, visit);
            each_name(&against.margin, visit);
        }
        ExprKind::String(string) => {
            for part in &string.parts {
                if let StringPart::Interpolation(hole) = part {
                    each_name(hole, visit);
                }
            }
        }
        ExprKind::Bool(_)
        | ExprKind::Number { .. }
        | ExprKind::Version(_)
        | ExprKind::Instant(_)
        | ExprKind::Date(_)
        | ExprKind::Raw(_)
        | ExprKind::Secret(_)
        | ExprKind::Junk => {}
    }
}
