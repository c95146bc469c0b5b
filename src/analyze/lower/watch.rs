//! Watches: what is looked at all the time over a range of the plan, and what follows.

use crate::analyze::context::Cx;
use crate::analyze::env::{Canary, Cause, Env, Judged};
use crate::analyze::expr;
use crate::analyze::expr::constant;
use crate::analyze::expr::text;
use crate::analyze::extent;
use crate::analyze::lower::{judge, nodes, notify, options, policy, unroll};
use crate::analyze::messages::structure as say;
use crate::plan::expr::Expr;
use crate::plan::node::NodeId;
use crate::plan::{Action, NoData, Rule, Watch, WatchSection};
use crate::resolve::names::{DeclId, What};
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::{BinaryOp, Block, Ident, Range, Stmt, StmtKind};

pub fn watch(cx: &mut Cx<'_, '_>, watch: &ast::Watch, span: Span) -> Option<Watch> {
    let range = range(cx, &watch.during);
    let mut env = Env::default();
    env.place.judged = Judged::ByWatch;
    env.place.cause = Cause::Known;
    env.place.canary = running(cx, &watch.during);
    let mut found = Found::default();
    block(cx, &env, &mut found, None, &watch.body);
    if found.no_data.is_none() {
        cx.report(say::silence_unsaid(head_span(watch, span)));
    }
    let broken = watch
        .body
        .stmts
        .iter()
        .any(|stmt| stmt.kind == StmtKind::Junk);
    if found.rules.is_empty() && found.refused == 0 && !broken {
        cx.report(say::nothing_in(
            "a watch",
            head_span(watch, span),
            "a rule: `when C => ACTION`",
        ));
    }
    let title = watch.head.title.as_ref();
    let title = title.and_then(|title| text::title(cx, &env, title));
    let (from, to) = range?;
    Some(Watch {
        title: title.unwrap_or_default(),
        refs: nodes::refs(&watch.head),
        from,
        to,
        sample_ns: cx.g.plan.sample_ns,
        no_data: found.no_data.map(|(no_data, _)| no_data),
        sections: found.sections,
        rules: found.rules,
        loc: cx.loc(head_span(watch, span)),
    })
}

/// The two ends of `during A .. B`.
pub fn range(cx: &mut Cx<'_, '_>, range: &Range) -> Option<(NodeId, NodeId)> {
    let from = options::node_name(cx, &range.from);
    let to = match range.to == range.from {
        true => from,
        false => options::node_name(cx, &range.to),
    };
    Some((from?, to?))
}

/// The canary that runs somewhere in a range.
pub fn running(cx: &Cx<'_, '_>, range: &Range) -> Canary {
    let (Some(from), Some(to)) = (phase_of(cx, &range.from), phase_of(cx, &range.to)) else {
        return Canary::Open;
    };
    let between = cx.g.order.between(from, to);
    let inside =
        cx.g.canaries
            .iter()
            .filter(|canary| between.contains(&canary.phase));
    match inside.collect::<Vec<_>>().as_slice() {
        [] => Canary::None,
        [only] => Canary::Known(only.step),
        _ => Canary::Beside,
    }
}

#[derive(Default)]
struct Found {
    sections: Vec<WatchSection>,
    rules: Vec<Rule>,
    /// Rules that have been reported.
    refused: usize,
    no_data: Option<(NoData, Span)>,
}

/// `section`: the innermost one around the block.
fn block(cx: &mut Cx<'_, '_>, env: &Env, found: &mut Found, section: Option<u32>, body: &Block) {
    let mut env = env.clone();
    for stmt in &body.stmts {
        statement(cx, &mut env, found, section, stmt);
    }
}

fn statement(
    cx: &mut Cx<'_, '_>,
    env: &mut Env,
    found: &mut Found,
    section: Option<u32>,
    stmt: &Stmt,
) {
    match &stmt.kind {
        StmtKind::Rule(rule) => match self::rule(cx, env, rule, stmt.span) {
            Some(rule) => found.rules.push(Rule { section, ..rule }),
            None => found.refused += 1,
        },
        StmtKind::NoData(written) => {
            if let Some((_, first)) = &found.no_data {
                cx.report(say::doubled("no data", stmt.span, *first));
            }
            let what = "the time without data";
            let after_ns = constant::duration_ns(cx, env, &written.duration, what);
            let no_data = NoData {
                after_ns: after_ns.unwrap_or(0),
                actions: actions(cx, env, &written.actions),
                loc: cx.loc(stmt.span),
            };
            found.no_data = Some((no_data, stmt.span));
        }
        StmtKind::Section(written) => {
            options::check(cx, &written.options, "a section of a watch", &[]);
            let title = written.head.title.as_ref();
            let own = u32::try_from(found.sections.len()).ok();
            found.sections.push(WatchSection {
                title: title.and_then(|title| text::title(cx, env, title)),
                refs: nodes::refs(&written.head),
                inside: section,
            });
            block(cx, env, found, own, &written.body);
        }
        StmtKind::Let(it) => {
            let typed = extent::of_let(cx, env, it);
            env.bind(&it.name.name, typed);
        }
        StmtKind::For(each) => {
            for round in unroll::rounds(cx, env, each) {
                let mut copy = env.clone();
                copy.bind(&each.name.name, round.element);
                let first = found.rules.len();
                block(cx, &copy, found, section, &each.body);
                if let Some(applies) = &round.applies {
                    only_where(found.rules.iter_mut().skip(first), applies);
                }
            }
        }
        StmtKind::Junk => {}
        _ => cx.report(say::misplaced(stmt, "in a watch, which holds rules")),
    }
}

/// A rule for an element that the list of a run does not have never fires.
fn only_where<'r>(rules: impl Iterator<Item = &'r mut Rule>, applies: &Expr) {
    for rule in rules {
        let condition = std::mem::replace(&mut rule.condition, applies.clone());
        let both = (Box::new(applies.clone()), Box::new(condition));
        rule.condition = Expr::Binary(both.0, BinaryOp::And, both.1);
    }
}

fn rule(cx: &mut Cx<'_, '_>, env: &Env, rule: &ast::policy::Rule, span: Span) -> Option<Rule> {
    let condition = expr::condition(cx, env, &rule.condition);
    let for_ns = match &rule.duration {
        Some(time) => constant::duration_ns(cx, env, time, "the time of a `for`"),
        None => Some(0),
    };
    let title = rule.head.title.as_ref();
    let title = title.and_then(|title| text::title(cx, env, title));
    let actions = actions(cx, env, &rule.actions);
    if actions.is_empty() && rule.actions.is_empty() {
        cx.report(say::nothing_in(
            "a rule",
            span,
            "an action: `=> rollback`, `=> notify room \"…\"`",
        ));
    }
    if condition.is_unknown() {
        return None;
    }
    judge::sound(cx, env, &condition, rule.condition.span);
    Some(Rule {
        label: rule.head.name.as_ref().map(|label| label.name.clone()),
        title,
        refs: nodes::refs(&rule.head),
        section: None,
        condition: condition.expr,
        text: cx.text(rule.condition.span).into(),
        for_ns: for_ns?,
        actions,
        loc: cx.loc(rule.condition.span),
    })
}

fn actions(cx: &mut Cx<'_, '_>, env: &Env, written: &[ast::policy::Action]) -> Vec<Action> {
    let mut actions = Vec::new();
    for action in written {
        let lowered = match action {
            ast::policy::Action::Rollback(_) => Some(Action::Rollback),
            ast::policy::Action::Pause { up_to, then, span } => {
                let end = policy::end(cx, env, "pause", up_to.as_ref(), then.as_deref(), *span);
                end.map(|(up_to_ns, then)| Action::Pause { up_to_ns, then })
            }
            ast::policy::Action::Notify(written) => {
                notify::alone(cx, env, written).map(Action::Notify)
            }
        };
        actions.extend(lowered);
    }
    actions
}

/// The phase that a name is, or stands in.
fn phase_of(cx: &Cx<'_, '_>, name: &Ident) -> Option<DeclId> {
    let decl = cx.g.names.find(&name.name)?;
    match decl.what {
        What::Phase(_) => Some(decl.id),
        _ => decl.phase,
    }
}

fn head_span(watch: &ast::Watch, span: Span) -> Span {
    match &watch.head.title {
        Some(title) => title.span,
        None => Span {
            end: watch.during.span.end,
            ..span
        },
    }
}
