//! Steps: a change, its time, its postconditions, its way back.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr::{call, constant};
use crate::analyze::lower::judge::Body;
use crate::analyze::lower::nodes::Draft;
use crate::analyze::lower::options::Word;
use crate::analyze::lower::{Around, judge, nodes, options, policy};
use crate::analyze::manifest;
use crate::analyze::messages::structure as say;
use crate::plan::node::{AtMostOnce, NodeKind, Step, UndoPlan};
use crate::providers;
use crate::providers::Function;
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::clause::{Clause, ClauseKind};

const OPTIONS: &[Word] = &[
    Word::Timeout,
    Word::Undo,
    Word::Keep,
    Word::Irreversible,
    Word::AtMostOnce,
    Word::Owner,
    Word::After,
    Word::Window,
    Word::On,
];

pub fn step(cx: &mut Cx<'_, '_>, around: &Around, step: &ast::Step, span: Span) {
    options::check(cx, &step.options, "a step", OPTIONS);
    let around = &options::with_own(cx, around, &step.options);
    let env = &around.env;
    let change = call::change(cx, env, &step.call);
    let timeout_ns = timeout_ns(cx, env, step);
    let function = change.as_ref().map(|change| change.function);
    let undo = undo(cx, around, step, function);
    if let Some(change) = &change {
        manifest::check(cx, change, step.call.span);
    }
    let mut body = Body::default();
    let mut policies = around.policies.clone();
    if let Some(block) = &step.body {
        judge::block(cx, env, &mut body, block);
        let near = policy::of_block(cx, env, block, &policy::none());
        policies = policy::over(&near, &policy::over(&body.policies, &policies));
    }
    if let Some((_, at)) = body.durations.first() {
        cx.report(say::postcondition_with_duration(*at));
    }
    let (Some(change), Some(timeout_ns), Some(undo)) = (change, timeout_ns, undo) else {
        // What is wrong has been said; the name must stand for something, so that nothing else is said about it.
        placeholder(cx, around, step, span);
        return;
    };
    let once = step
        .options
        .iter()
        .any(|clause| clause.kind == ClauseKind::AtMostOnce);
    let draft = Draft {
        head: &step.head,
        word: "step".to_owned(),
        policies: options::policies(cx, env, &step.options, &policies),
        window: options::window(cx, env, &step.options),
        kind: NodeKind::Step(Step {
            call: change.call,
            timeout_ns,
            post: body.stmts,
            undo,
            at_most_once: if once {
                AtMostOnce::Yes
            } else {
                AtMostOnce::No
            },
        }),
        span,
    };
    let node = nodes::add(cx, around, draft);
    options::wait(cx, node, &step.options);
}

/// The time limit of a step, which it has to name.
pub fn timeout_ns(cx: &mut Cx<'_, '_>, env: &Env, step: &ast::Step) -> Option<i64> {
    match options::timeout(&step.options) {
        Some(time) => constant::duration_ns(cx, env, time, "a timeout"),
        None => {
            cx.report(say::missing_time(
                step.call.span,
                "the step has no time limit",
                "write `timeout T` behind it",
            ));
            None
        }
    }
}

fn placeholder(cx: &mut Cx<'_, '_>, around: &Around, step: &ast::Step, span: Span) {
    let draft = Draft {
        head: &step.head,
        word: "step".to_owned(),
        policies: around.policies.clone(),
        window: None,
        kind: NodeKind::Section,
        span,
    };
    nodes::add(cx, around, draft);
}

/// The ways back that are written; one is needed, and only one.
fn undo(
    cx: &mut Cx<'_, '_>,
    around: &Around,
    step: &ast::Step,
    function: Option<&'static Function>,
) -> Option<UndoPlan> {
    let way_back = |clause: &&Clause| {
        matches!(
            clause.kind,
            ClauseKind::Undo(_) | ClauseKind::Keep(_) | ClauseKind::Irreversible(_)
        )
    };
    let ways: Vec<&Clause> = step.options.iter().filter(way_back).collect();
    if let [first, second, ..] = ways.as_slice()
        && std::mem::discriminant(&first.kind) != std::mem::discriminant(&second.kind)
    {
        cx.report(say::two_ways_back(second.span, first.span));
    }
    match ways.first().map(|clause| (&clause.kind, clause.span)) {
        Some((ClauseKind::Undo(undo), span)) => written(cx, around, undo, function, span),
        Some((ClauseKind::Keep(why), _)) => {
            let why = nodes::title_of(cx, around, why)?;
            Some(UndoPlan::Keep { why })
        }
        Some((ClauseKind::Irreversible(why), _)) => {
            let why = nodes::title_of(cx, around, why)?;
            Some(UndoPlan::Irreversible { why })
        }
        _ => match function?.undo {
            providers::Undo::None => Some(UndoPlan::Keep {
                why: "it leaves nothing that would have to be undone".to_owned(),
            }),
            derivable => {
                cx.report(say::step_without_undo(step, derivable));
                None
            }
        },
    }
}

fn written(
    cx: &mut Cx<'_, '_>,
    around: &Around,
    undo: &ast::clause::Undo,
    function: Option<&'static Function>,
    span: Span,
) -> Option<UndoPlan> {
    let env = &around.env;
    let timeout_ns = undo_timeout_ns(cx, env, undo, span);
    let title = undo.head.title.as_ref();
    let title = title.and_then(|title| nodes::title_of(cx, around, title));
    let refs = nodes::refs(&undo.head);
    match &undo.call {
        Some(call) => {
            let change = call::change(cx, env, call)?;
            Some(UndoPlan::Written {
                call: change.call,
                timeout_ns: timeout_ns?,
                title,
                refs,
            })
        }
        None => {
            if let Some(function) = function
                && function.undo == providers::Undo::Written
            {
                cx.report(say::nothing_to_derive(span, function.name));
                return None;
            }
            Some(UndoPlan::Derived {
                timeout_ns: timeout_ns?,
                title,
                refs,
            })
        }
    }
}

/// The time limit of an undo, which is never that of its step.
pub fn undo_timeout_ns(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    undo: &ast::clause::Undo,
    span: Span,
) -> Option<i64> {
    match &undo.timeout {
        Some(time) => constant::duration_ns(cx, env, time, "the timeout of an undo"),
        None => {
            cx.report(say::missing_time(
                span,
                "the undo has no time limit of its own",
                "write `undo timeout T`: it is never that of its step",
            ));
            None
        }
    }
}
