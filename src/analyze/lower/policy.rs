//! `on fail | error | inconclusive | no data POLICY`: the nearest one holds, and every pause ends.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr::constant;
use crate::analyze::messages::{numbers, structure as say};
use crate::plan::{Counting, Policies, Policy};
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::policy::{CauseKind, CountingHow, PolicyAction, PolicyKind};
use crate::syntax::ast::{Block, Expr, StmtKind};

/// Nothing is written: the defaults hold.
pub fn none() -> Policies {
    Policies {
        fail: None,
        fails: None,
        error: None,
        inconclusive: None,
        no_data: None,
    }
}

/// Those of a block over those around it.
pub fn of_block(cx: &mut Cx<'_, '_>, env: &Env, block: &Block, around: &Policies) -> Policies {
    let written = block.stmts.iter().filter_map(|stmt| match &stmt.kind {
        StmtKind::Policy(policy) => Some(policy),
        _ => None,
    });
    apply(cx, env, written, around)
}

/// Several `on …` of one place over those around it; one cause twice is reported.
pub fn apply<'p>(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    written: impl Iterator<Item = &'p ast::policy::Policy>,
    around: &Policies,
) -> Policies {
    let mut policies = around.clone();
    let mut seen: Vec<(&'static str, Span)> = Vec::new();
    for policy in written {
        let action = action(cx, env, &policy.action);
        for cause in &policy.causes {
            let word = word(&cause.kind);
            match seen.iter().find(|(known, _)| *known == word) {
                Some((_, first)) => cx.report(say::doubled(word, cause.span, *first)),
                None => seen.push((word, cause.span)),
            }
            let Some(action) = action.clone() else {
                continue;
            };
            match &cause.kind {
                CauseKind::Fail(counting) => {
                    policies.fail = Some(action);
                    policies.fails = counting
                        .as_ref()
                        .and_then(|counting| counted(cx, env, counting));
                }
                CauseKind::Error => policies.error = Some(action),
                CauseKind::Inconclusive => policies.inconclusive = Some(action),
                CauseKind::NoData(time) => {
                    if let Some(ns) = silence(cx, env, time.as_ref(), cause.span) {
                        policies.no_data = Some((ns, action));
                    }
                }
            }
        }
    }
    policies
}

/// What is written nearer replaces what is written farther away.
pub fn over(near: &Policies, far: &Policies) -> Policies {
    Policies {
        fail: near.fail.clone().or_else(|| far.fail.clone()),
        // It belongs to the policy that it is written with.
        fails: match &near.fail {
            Some(_) => near.fails,
            None => far.fails,
        },
        error: near.error.clone().or_else(|| far.error.clone()),
        inconclusive: near
            .inconclusive
            .clone()
            .or_else(|| far.inconclusive.clone()),
        no_data: near.no_data.clone().or_else(|| far.no_data.clone()),
    }
}

/// `None` has been reported.
pub fn action(cx: &mut Cx<'_, '_>, env: &Env, action: &PolicyAction) -> Option<Policy> {
    Some(match &action.kind {
        PolicyKind::Stop => Policy::Stop,
        PolicyKind::Rollback => Policy::Rollback,
        PolicyKind::Warn => Policy::Warn,
        PolicyKind::Pause { up_to, then } => {
            let (up_to_ns, then) = end(
                cx,
                env,
                "pause",
                up_to.as_ref(),
                then.as_deref(),
                action.span,
            )?;
            Policy::Pause {
                up_to_ns,
                then,
                place: cx.loc(action.span),
            }
        }
        PolicyKind::Extend { up_to, then } => {
            let (up_to_ns, then) = end(
                cx,
                env,
                "extend",
                up_to.as_ref(),
                then.as_deref(),
                action.span,
            )?;
            Policy::Extend {
                up_to_ns,
                then,
                place: cx.loc(action.span),
            }
        }
    })
}

/// `up to T then POLICY`: both are needed.
pub fn end(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    word: &str,
    up_to: Option<&Expr>,
    then: Option<&PolicyAction>,
    span: Span,
) -> Option<(i64, Box<Policy>)> {
    let (Some(up_to), Some(then)) = (up_to, then) else {
        cx.report(say::pause_without_end(word, span));
        return None;
    };
    let ns = constant::duration_ns(cx, env, up_to, "the length of a pause");
    let then = action(cx, env, then);
    Some((ns?, Box::new(then?)))
}

/// So many samples are remembered.
const LAST_MAX: u32 = 64;

fn counted(cx: &mut Cx<'_, '_>, env: &Env, written: &ast::policy::Counting) -> Option<Counting> {
    let fails = constant::count(cx, env, &written.fails, "the number of fails")?;
    Some(match &written.how {
        CountingHow::InARow => Counting::InARow(fails),
        CountingHow::InTotal => Counting::InTotal(fails),
        CountingHow::OfLast(last) => {
            let at = written.fails.span.to(last.span);
            let last = constant::count(cx, env, last, "the number of samples")?;
            if fails > last || last > LAST_MAX {
                let range = "of as many samples or more, and of 64 at most";
                cx.report(numbers::out_of_range(at, "a number of fails", range));
                return None;
            }
            Counting::OfLast { fails, last }
        }
    })
}

fn silence(cx: &mut Cx<'_, '_>, env: &Env, time: Option<&Expr>, span: Span) -> Option<i64> {
    match time {
        Some(time) => constant::duration_ns(cx, env, time, "the time without data"),
        None => {
            cx.report(say::missing_time(
                span,
                "`no data` says after how long",
                "write `no data for 1m`",
            ));
            None
        }
    }
}

fn word(cause: &CauseKind) -> &'static str {
    match cause {
        CauseKind::Fail(_) => "on fail",
        CauseKind::Error => "on error",
        CauseKind::Inconclusive => "on inconclusive",
        CauseKind::NoData(_) => "on no data",
    }
}
