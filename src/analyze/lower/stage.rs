//! `stage W [± T] [pods N] [within T] "…" { … hold T }`

use crate::analyze::context::Cx;
use crate::analyze::expr::constant;
use crate::analyze::lower::nodes::Draft;
use crate::analyze::lower::options::Word;
use crate::analyze::lower::weight::Wanted;
use crate::analyze::lower::{Around, Place, nodes, options, policy, statement, weight};
use crate::analyze::messages::structure as say;
use crate::plan::node::{NodeKind, Stage};
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::clause::ClauseKind;
use crate::syntax::ast::{Block, Hold, Stmt, StmtKind};
use crate::units::amount::{NANO, Nano};

/// What a stage takes from its canary.
#[derive(Clone, Copy, Debug)]
pub struct Inherited {
    pub within_ns: Option<i64>,
    /// How many old pods there are, where that is known.
    pub replicas: Option<u32>,
}

/// Gives the weight, where it can be read.
pub fn stage(
    cx: &mut Cx<'_, '_>,
    canary: &Around,
    stage: &ast::Stage,
    inherited: Inherited,
    span: Span,
) -> Option<Nano> {
    let allowed = [Word::Pods, Word::Within, Word::Window, Word::On];
    options::check(cx, &stage.options, "a stage", &allowed);
    let env = &canary.env;
    let weight = constant::ratio(cx, env, &stage.weight, "a weight");
    let weight = weight.filter(|weight| {
        let some = weight.0 > 0;
        if !some {
            cx.report(say::weight_of_nothing(stage.weight.span));
        }
        some
    });
    let tolerance = stage.tolerance.as_ref();
    let tolerance = tolerance.and_then(|it| constant::points(cx, env, it, "a tolerance"));
    let written_pods = stage.options.iter().find_map(|clause| match &clause.kind {
        ClauseKind::Pods(pods) => Some(pods),
        _ => None,
    });
    let pods = written_pods.and_then(|pods| constant::count(cx, env, pods, "a number of pods"));
    if let Some(weight) = weight {
        let wanted = Wanted {
            weight,
            tolerance: tolerance.unwrap_or(Nano(0)),
            pods: pods.zip(written_pods.map(|pods| pods.span)),
            span: stage.weight.span,
        };
        weight::check(cx, wanted, inherited.replicas);
    }
    let within = options::within(&stage.options);
    let within =
        within.and_then(|time| constant::duration_ns(cx, env, time, "the time of a `within`"));
    let policies = policy::of_block(cx, env, &stage.body, &canary.policies);
    let policies = options::policies(cx, env, &stage.options, &policies);
    let hold = hold(cx, canary, &stage.body, span);
    let draft = Draft {
        head: &stage.head,
        word: format!("stage-{}", percent(weight)),
        policies,
        window: options::window(cx, env, &stage.options),
        kind: NodeKind::Stage(Stage {
            weight: weight.unwrap_or(Nano(0)),
            tolerance: tolerance.unwrap_or(Nano(0)),
            pods,
            within_ns: within.or(inherited.within_ns).unwrap_or(0),
            hold_ns: hold.ns,
            hold_title: hold.title,
            hold_refs: hold.refs,
        }),
        span,
    };
    let node = nodes::add(cx, canary, draft);
    let inside = Around {
        place: Place::Stage,
        ..nodes::inside(cx, canary, node)
    };
    statement::block(cx, &inside, &without_holds(&stage.body));
    weight
}

#[derive(Default)]
struct Held {
    ns: i64,
    title: Option<String>,
    refs: Vec<String>,
}

/// The one `hold` of a stage. What is judged needs time in which it can be seen.
fn hold(cx: &mut Cx<'_, '_>, around: &Around, body: &Block, stage: Span) -> Held {
    let mut holds = body.stmts.iter().filter_map(|stmt| match &stmt.kind {
        StmtKind::Hold(hold) => Some((hold, stmt.span)),
        _ => None,
    });
    let Some((hold, first)) = holds.next() else {
        let broken = body.stmts.iter().any(|stmt| stmt.kind == StmtKind::Junk);
        if !broken {
            cx.report(say::stage_without_hold(stage));
        }
        return Held::default();
    };
    for (_, again) in holds {
        cx.report(say::doubled("hold", again, first));
    }
    held(cx, around, hold)
}

fn held(cx: &mut Cx<'_, '_>, around: &Around, hold: &Hold) -> Held {
    let ns = constant::duration_ns(cx, &around.env, &hold.duration, "the time of a hold");
    let title = hold.head.title.as_ref();
    Held {
        ns: ns.unwrap_or(0),
        title: title.and_then(|title| nodes::title_of(cx, around, title)),
        refs: nodes::refs(&hold.head),
    }
}

fn without_holds(body: &Block) -> Block {
    let other = |stmt: &&Stmt| !matches!(stmt.kind, StmtKind::Hold(_));
    Block {
        stmts: body.stmts.iter().filter(other).cloned().collect(),
        ..Block::default()
    }
}

/// `50`, `12.5`, for paths.
fn percent(weight: Option<Nano>) -> String {
    let Some(Nano(nano)) = weight else {
        return "x".to_owned();
    };
    let thousandths = nano * 100_000 / NANO;
    let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
