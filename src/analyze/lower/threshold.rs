//! `threshold slo { … }`: bounds with a name, written out wherever it is used.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr::constant;
use crate::analyze::extent;
use crate::analyze::lower::judge::Body;
use crate::analyze::lower::{comparison, judge, policy};
use crate::analyze::messages::comparison as say_of;
use crate::analyze::messages::structure as say;
use crate::syntax::ast::{Expect, StmtKind, Threshold};

/// Puts the bounds into a body, under the scope of the `expect` that names the threshold.
pub fn write_out(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    body: &mut Body,
    threshold: &Threshold,
    expect: &Expect,
) {
    let mut own = env.unbound();
    let behind = match &expect.scope {
        Some(scope) => format!(" on {}", scope.name),
        None => String::new(),
    };
    let reported = cx.out.found.len();
    body.family = Some(comparison::family(cx, &own, threshold));
    body.families += 1;
    for stmt in &threshold.body.stmts {
        match &stmt.kind {
            StmtKind::Bound(bound) => {
                let text = format!("{}{behind}", cx.text(bound.span));
                judge::clause(cx, &own, body, bound, text);
            }
            StmtKind::Let(it) => {
                let typed = extent::of_let(cx, &own, it);
                judge::bind(&mut own, body, &it.name.name, typed);
            }
            StmtKind::Setting(setting) if setting.word.name == "samples" => {
                let what = "the number of samples";
                let samples = constant::count(cx, &own, &setting.value, what);
                body.samples = body.samples.max(samples);
            }
            _ => {}
        }
    }
    body.family = None;
    let policies = policy::of_block(cx, &own, &threshold.body, &policy::none());
    body.policies = policy::over(&body.policies, &policies);
    point_to_use(cx, reported, expect);
}

const SETTINGS: [&str; 3] = ["samples", "confidence", "windows"];

/// The threshold by itself, whoever uses it.
pub fn check(cx: &mut Cx<'_, '_>, threshold: &Threshold) {
    let env = Env::open();
    // What did not parse may have been one.
    let mut bounded = false;
    let mut compared = false;
    let mut of_comparisons = Vec::new();
    for stmt in &threshold.body.stmts {
        match &stmt.kind {
            StmtKind::Bound(bound) => {
                bounded = true;
                compared |= comparison::is_comparison(bound);
            }
            StmtKind::Setting(setting) if SETTINGS.contains(&setting.word.name.as_str()) => {
                if setting.word.name != "samples" {
                    of_comparisons.push(&setting.word);
                }
            }
            StmtKind::Setting(setting) => {
                cx.report(say::unknown_setting(
                    &setting.word,
                    "a threshold",
                    &SETTINGS,
                ));
            }
            StmtKind::Junk => bounded = true,
            StmtKind::Let(_) | StmtKind::Policy(_) => {}
            _ => cx.report(say::misplaced(stmt, "in a threshold, which holds bounds")),
        }
    }
    for word in of_comparisons.into_iter().filter(|_| !compared) {
        cx.report(say_of::without_a_comparison(word.span, &word.name));
    }
    if !bounded {
        cx.report(say::nothing_in(
            "a threshold",
            threshold.name.span,
            "a bound: `p95 < 200ms`",
        ));
    }
    let expect = Expect {
        condition: crate::syntax::ast::Expr {
            kind: crate::syntax::ast::ExprKind::Junk,
            span: threshold.name.span,
        },
        scope: None,
        duration: None,
        span: threshold.name.span,
    };
    write_out(cx, &env, &mut Body::default(), threshold, &expect);
}

/// What is wrong only because of where the threshold is used is said there.
fn point_to_use(cx: &mut Cx<'_, '_>, reported: usize, expect: &Expect) {
    use crate::diagnostics::codes::typing::{FROZEN_VALUE, SCOPE_MISPLACED, SCOPE_MISSING};
    let used = [&SCOPE_MISSING, &SCOPE_MISPLACED, &FROZEN_VALUE];
    let mut moved = false;
    let found = cx.out.found.split_off(reported);
    for mut diagnostic in found {
        if used.contains(&diagnostic.code) {
            if moved {
                continue;
            }
            moved = true;
            let bound = std::mem::replace(&mut diagnostic.primary.span, expect.span);
            diagnostic = diagnostic.and(bound, "this bound of it");
        }
        cx.out.found.push(diagnostic);
    }
}
