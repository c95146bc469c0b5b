//! Checks: what they judge, when, and what follows.

use crate::analyze::context::Cx;
use crate::analyze::env::{Env, Judged};
use crate::analyze::expr::constant;
use crate::analyze::lower::judge::Body;
use crate::analyze::lower::nodes::Draft;
use crate::analyze::lower::options::Word;
use crate::analyze::lower::{Around, Place, define, judge, nodes, options, policy};
use crate::analyze::messages::structure as say;
use crate::plan::Policies;
use crate::plan::expr::Stmt;
use crate::plan::node::{Check, CheckMode, NodeId, NodeKind};
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::clause::{Clause, ClauseKind};
use crate::syntax::ast::{CheckBody, Head, StmtKind};

const PHASE: &[Word] = &[
    Word::Within,
    Word::For,
    Word::Owner,
    Word::Expires,
    Word::Window,
    Word::After,
    Word::On,
];

/// What is done again and again is always new.
const EVERY: &[Word] = &[
    Word::Within,
    Word::For,
    Word::Owner,
    Word::Window,
    Word::After,
    Word::On,
];

/// A `check` of the plan.
pub fn item(cx: &mut Cx<'_, '_>, around: &Around, check: &ast::Check, span: Span) {
    let noun = match around.place {
        Place::Stage => "a check in a stage, which is judged through its whole hold",
        _ => "a check",
    };
    let allowed: &[Word] = match around.place {
        Place::Stage => &[Word::For, Word::Owner, Word::On],
        Place::Every => EVERY,
        Place::Phase => PHASE,
    };
    options::check(cx, &check.options, noun, allowed);
    let around = &options::with_own(cx, around, &check.options);
    written(cx, around, check, "check", span);
}

/// A `verify` of a rollback.
pub fn verify(cx: &mut Cx<'_, '_>, around: &Around, check: &ast::Check, span: Span) -> NodeId {
    let allowed = [Word::Within, Word::For, Word::On];
    options::check(cx, &check.options, "a verify", &allowed);
    written(cx, around, check, "verify", span)
}

/// What is judged without being a check by its own words: `expect slo` in a stage, a call of a define.
pub fn untitled(
    cx: &mut Cx<'_, '_>,
    around: &Around,
    span: Span,
    fill: &mut dyn FnMut(&mut Cx<'_, '_>, &Env, &mut Body),
) {
    let judged = Judging {
        head: &Head::default(),
        options: &[],
        repeated: Repeated::No,
        own: policy::none(),
        word: "check",
        span,
    };
    lower(cx, around, &judged, fill);
}

/// Whether a check asks to be judged again, by its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeated {
    Yes,
    No,
}

struct Judging<'c> {
    head: &'c Head,
    options: &'c [Clause],
    repeated: Repeated,
    /// Policies in its own block.
    own: Policies,
    word: &'static str,
    span: Span,
}

fn written(
    cx: &mut Cx<'_, '_>,
    around: &Around,
    check: &ast::Check,
    word: &'static str,
    span: Span,
) -> NodeId {
    let own = match &check.body {
        CheckBody::Block(block) => policy::of_block(cx, &around.env, block, &policy::none()),
        CheckBody::Expect(_) | CheckBody::Call(_) => policy::none(),
    };
    let judged = Judging {
        head: &check.head,
        options: &check.options,
        repeated: repeated(check),
        own,
        word,
        span,
    };
    lower(
        cx,
        around,
        &judged,
        &mut |cx, env, body| match &check.body {
            CheckBody::Expect(expect) => judge::expect(cx, env, body, expect),
            CheckBody::Block(block) => judge::block(cx, env, body, block),
            CheckBody::Call(call) => define::in_body(cx, env, body, call),
        },
    )
}

fn lower(
    cx: &mut Cx<'_, '_>,
    around: &Around,
    judging: &Judging<'_>,
    fill: &mut dyn FnMut(&mut Cx<'_, '_>, &Env, &mut Body),
) -> NodeId {
    let mut env = around.env.clone();
    if judging.repeated == Repeated::Yes || around.place != Place::Phase {
        env.place.judged = Judged::Again;
    }
    let mut body = Body::default();
    let reported = cx.out.found.len();
    fill(cx, &env, &mut body);
    body.stmts.shrink_to_fit();
    if cx.out.found.len() == reported && body.conditions == 0 {
        let noun = format!("a {}", judging.word);
        cx.report(say::nothing_in(&noun, judging.span, "an `expect`"));
    }
    for condition in around.applies.iter().rev() {
        body.stmts = vec![Stmt::When {
            condition: condition.clone(),
            body: std::mem::take(&mut body.stmts),
        }];
    }
    let mode = mode(cx, around, judging.options, &body);
    let far = policy::over(&body.policies, &around.policies);
    let near = policy::over(&judging.own, &far);
    let draft = Draft {
        head: judging.head,
        word: judging.word.to_owned(),
        policies: options::policies(cx, &env, judging.options, &near),
        window: options::window(cx, &env, judging.options),
        kind: NodeKind::Check(Check {
            samples: body.samples(cx.g.plan.samples),
            mode,
            body: body.stmts,
        }),
        span: judging.span,
    };
    let node = nodes::add(cx, around, draft);
    options::wait(cx, node, judging.options);
    node
}

fn mode(cx: &mut Cx<'_, '_>, around: &Around, options: &[Clause], body: &Body) -> CheckMode {
    let behind = options.iter().find_map(|clause| match &clause.kind {
        ClauseKind::For(time) => Some((time, clause.span)),
        _ => None,
    });
    let own = behind
        .and_then(|(time, _)| constant::duration_ns(cx, &around.env, time, "the time of a `for`"));
    let of_expectations = body.duration_ns(cx);
    if let (Some(own), Some(other), Some((_, at))) = (own, of_expectations, behind)
        && own != other
    {
        cx.report(say::different_durations(
            at,
            body.durations.first().map_or(at, |first| first.1),
        ));
    }
    let for_ns = own.or(of_expectations);
    if around.place == Place::Stage {
        return CheckMode::Stage {
            for_ns: for_ns.unwrap_or(0),
        };
    }
    let within = options::within(options);
    let within_ns = within
        .and_then(|time| constant::duration_ns(cx, &around.env, time, "the time of a `within`"));
    match (within_ns, for_ns) {
        (Some(_), Some(_)) => {
            let at = within.map_or_else(
                || Span::new(crate::source::FileId(0), 0, 0),
                |time| time.span,
            );
            cx.report(say::within_and_for(at));
            CheckMode::Once
        }
        (Some(ns), None) => CheckMode::Within { ns },
        (None, Some(ns)) => CheckMode::For { ns },
        (None, None) => CheckMode::Once,
    }
}

fn repeated(check: &ast::Check) -> Repeated {
    let by_option = check
        .options
        .iter()
        .any(|clause| matches!(clause.kind, ClauseKind::Within(_) | ClauseKind::For(_)));
    let by_body = match &check.body {
        CheckBody::Expect(expect) => expect.duration.is_some(),
        CheckBody::Block(block) => block.stmts.iter().any(|stmt| match &stmt.kind {
            StmtKind::Expect(expect) => expect.duration.is_some(),
            _ => false,
        }),
        CheckBody::Call(_) => false,
    };
    if by_option || by_body {
        Repeated::Yes
    } else {
        Repeated::No
    }
}
