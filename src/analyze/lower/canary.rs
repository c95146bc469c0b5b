//! `canary STEP { stage … }`: weight moved in stages, from what was released dark.

use crate::analyze::context::Cx;
use crate::analyze::env::{Canary as Running, Env};
use crate::analyze::expr::{constant, node};
use crate::analyze::lower::nodes::Draft;
use crate::analyze::lower::options::Word;
use crate::analyze::lower::stage::Inherited;
use crate::analyze::lower::{Around, nodes, options, policy, stage, step, weight};
use crate::analyze::messages::structure as say;
use crate::plan::node::{Canary, NodeKind};
use crate::providers::OF_A_CANARY;
use crate::resolve::messages;
use crate::resolve::names::{Decl, What};
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::clause::{Clause, ClauseKind};
use crate::syntax::ast::{Arg, ExprKind, StmtKind};
use crate::units::amount::{Amount, NANO, Nano};
use crate::values::Value;

const OPTIONS: &[Word] = &[
    Word::Timeout,
    Word::Within,
    Word::Undo,
    Word::After,
    Word::Window,
    Word::On,
];

pub fn canary(cx: &mut Cx<'_, '_>, around: &Around, canary: &ast::Canary, span: Span) {
    options::check(cx, &canary.options, "a canary", OPTIONS);
    let env = &around.env;
    let target = target(cx, env, canary);
    let undo_timeout_ns = undo_timeout_ns(cx, env, canary);
    let step_timeout_ns = target.as_ref().and_then(|target| target.timeout_ns);
    let promote = options::timeout(&canary.options);
    let promote = promote.and_then(|time| constant::duration_ns(cx, env, time, "a timeout"));
    let policies = policy::of_block(cx, env, &canary.body, &around.policies);
    let policies = options::policies(cx, env, &canary.options, &policies);
    let kind = match (&target, undo_timeout_ns, promote.or(step_timeout_ns)) {
        (Some(target), Some(undo_timeout_ns), Some(promote_timeout_ns)) => {
            NodeKind::Canary(Canary {
                step: crate::analyze::context::unlinked_node(target.decl.id),
                undo_timeout_ns,
                promote_timeout_ns,
                provider: target.provider.clone(),
            })
        }
        _ => NodeKind::Section,
    };
    let draft = Draft {
        head: &canary.head,
        word: "canary".to_owned(),
        policies,
        window: options::window(cx, env, &canary.options),
        kind,
        span,
    };
    let node = nodes::add(cx, around, draft);
    options::wait(cx, node, &canary.options);
    let mut inside = nodes::inside(cx, around, node);
    if let Some(target) = &target {
        inside.env.place.canary = Running::Known(target.decl.id);
    }
    let within = options::within(&canary.options);
    let within =
        within.and_then(|time| constant::duration_ns(cx, env, time, "the time of a `within`"));
    let inherited = Inherited {
        within_ns: within.or(step_timeout_ns),
        replicas: target.as_ref().and_then(|target| target.replicas),
    };
    stages(cx, &inside, canary, inherited);
}

fn stages(cx: &mut Cx<'_, '_>, inside: &Around, canary: &ast::Canary, inherited: Inherited) {
    let mut last: Option<(Nano, Span)> = None;
    for stmt in &canary.body.stmts {
        match &stmt.kind {
            StmtKind::Stage(written) => {
                let weight = stage::stage(cx, inside, written, inherited, stmt.span);
                let Some(weight) = weight else { continue };
                let span = written.weight.span;
                if let Some((before, first)) = last
                    && weight.0 <= before.0
                {
                    cx.report(say::weight_does_not_rise(span, first));
                }
                last = Some((weight, span));
            }
            StmtKind::Policy(_) | StmtKind::Junk => {}
            _ => cx.report(say::misplaced(stmt, "in a canary, which holds stages")),
        }
    }
    let written = canary.body.stmts.iter();
    let broken = written.clone().any(|stmt| stmt.kind == StmtKind::Junk);
    let stages = written
        .filter(|stmt| matches!(stmt.kind, StmtKind::Stage(_)))
        .count();
    match last {
        _ if broken => {}
        None if stages == 0 => {
            let hint = "stages, from a small weight up to 100%";
            cx.report(say::nothing_in("a canary", canary.target.span, hint));
        }
        Some((weight, span)) if weight.0 != NANO => cx.report(say::last_weight(span)),
        _ => {}
    }
}

struct Target<'a> {
    decl: Decl<'a>,
    provider: String,
    timeout_ns: Option<i64>,
    /// Of the old pods.
    replicas: Option<u32>,
}

/// The step that a canary moves: it has released without traffic, by a provider that can carry a canary.
fn target<'a>(cx: &mut Cx<'_, 'a>, env: &Env, canary: &ast::Canary) -> Option<Target<'a>> {
    let name = &canary.target;
    let Some(decl) = cx.g.names.find(&name.name).cloned() else {
        let near =
            cx.g.names
                .nearest(&name.name, |what| matches!(what, What::Step(_)));
        let near = near.map(|decl| decl.name);
        cx.report(messages::unknown_name(name, "step", near));
        return None;
    };
    cx.out.used.insert(decl.id);
    let What::Step(step) = decl.what else {
        cx.report(messages::wrong_kind(name, &decl, "a step"));
        return None;
    };
    let (provider, _) = node::step_function(cx.g, &decl)?;
    let kind = node::kind_of(&provider)?;
    if !OF_A_CANARY.iter().all(|name| kind.function(name).is_some()) {
        cx.report(say::carries_no_canary(name, kind.name));
        return None;
    }
    if !released_dark(step) {
        cx.report(say::not_dark(name, &decl, step.call.span));
        return None;
    }
    let timeout_ns = options::timeout(&step.options).and_then(|_| {
        // What is wrong with it is said where the step stands.
        let reported = cx.out.found.len();
        let ns = step::timeout_ns(cx, env, step);
        cx.out.found.truncate(reported);
        ns
    });
    Some(Target {
        decl,
        provider: provider.name.to_owned(),
        timeout_ns,
        replicas: weight::replicas(cx, step),
    })
}

/// `traffic: 0%`
fn released_dark(step: &ast::Step) -> bool {
    let ExprKind::Call(_, args) = &step.call.kind else {
        return false;
    };
    let dark = |arg: &Arg| {
        let named = arg
            .label
            .as_ref()
            .is_some_and(|label| label.name == "traffic");
        named && is_zero(&arg.value)
    };
    args.iter().any(dark)
}

fn is_zero(value: &ast::Expr) -> bool {
    let ExprKind::Number { digits, unit } = &crate::analyze::expr::bare(value).kind else {
        return false;
    };
    let unit = unit.as_ref().map(|unit| unit.name.as_str());
    let parsed = crate::units::literal::parse(digits, unit).ok();
    let value = parsed.map(|parsed| Value::Quantity(parsed.quantity));
    matches!(
        value.as_ref().and_then(Value::amount),
        Some(Amount::Exact(Nano(0)))
    )
}

fn undo_timeout_ns(cx: &mut Cx<'_, '_>, env: &Env, canary: &ast::Canary) -> Option<i64> {
    let undo = canary
        .options
        .iter()
        .find_map(|clause: &Clause| match &clause.kind {
            ClauseKind::Undo(undo) => Some((undo, clause.span)),
            _ => None,
        });
    match undo {
        Some((undo, _)) if undo.call.is_some() => {
            cx.report(say::canary_undoes_itself(
                undo.call
                    .as_ref()
                    .map_or(canary.target.span, |call| call.span),
            ));
            None
        }
        Some((undo, span)) => step::undo_timeout_ns(cx, env, undo, span),
        None => {
            cx.report(say::missing_time(
                canary.target.span,
                "the canary does not say how long its way back may take",
                "write `undo timeout T` behind it: shutting the new pods and giving the traffic back",
            ));
            None
        }
    }
}
