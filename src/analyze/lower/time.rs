//! What takes time or depends on something: `hold`, `every`, `when`, `parallel`.

use crate::analyze::context::Cx;
use crate::analyze::env::Canary;
use crate::analyze::expr;
use crate::analyze::expr::constant;
use crate::analyze::lower::nodes::Draft;
use crate::analyze::lower::{Around, Place, judge, nodes, phase, policy, statement};
use crate::analyze::messages::structure as say;
use crate::plan::elements;
use crate::plan::expr::Expr;
use crate::plan::node::NodeKind;
use crate::resolve::walk;
use crate::source::Span;
use crate::syntax::ast::{Block, Every, Head, Hold, StmtKind, When};
use crate::values::{Type, Value};

/// A barrier in a phase; that of a stage is read by the stage.
pub fn hold(cx: &mut Cx<'_, '_>, around: &Around, hold: &Hold, span: Span) {
    let ns = constant::duration_ns(cx, &around.env, &hold.duration, "the time of a hold");
    let draft = Draft {
        head: &hold.head,
        word: "hold".to_owned(),
        policies: around.policies.clone(),
        window: None,
        kind: NodeKind::Hold {
            ns: ns.unwrap_or(0),
        },
        span,
    };
    nodes::add(cx, around, draft);
}

pub fn every(cx: &mut Cx<'_, '_>, around: &Around, every: &Every, span: Span) {
    let env = &around.env;
    let period = constant::duration_ns(cx, env, &every.period, "the period of an `every`");
    let total = match &every.total {
        Some(total) => constant::duration_ns(cx, env, total, "the length of an `every`"),
        None => {
            cx.report(say::missing_time(
                every.period.span,
                "the `every` has no end",
                "write `every T for D`",
            ));
            None
        }
    };
    let mut ticks = 0;
    if let (Some(period), Some(total)) = (period, total) {
        ticks = u32::try_from(total / period).unwrap_or(u32::MAX);
        if ticks == 0 {
            cx.report(say::every_never(
                every.period.span,
                every.total.as_ref().map(|it| it.span),
            ));
        }
    }
    let draft = Draft {
        head: &every.head,
        word: "every".to_owned(),
        policies: policy::of_block(cx, env, &every.body, &around.policies),
        window: None,
        kind: NodeKind::Every {
            period_ns: period.unwrap_or(0),
            ticks,
        },
        span,
    };
    let node = nodes::add(cx, around, draft);
    let mut inside = Around {
        place: Place::Every,
        ..nodes::inside(cx, around, node)
    };
    inside.env.every = Some(span);
    phase::settings(cx, &every.body, "an `every`", &[]);
    if every.body.stmts.is_empty() {
        cx.report(say::nothing_in("an `every`", span, "something to be done"));
    }
    statement::block(cx, &inside, &every.body);
}

/// Its items are not applicable where the condition is false by a valid measurement or an input.
pub fn when(cx: &mut Cx<'_, '_>, around: &Around, when: &When, span: Span) {
    let condition = expr::check(cx, &around.env, &when.condition, &Type::Bool);
    if !condition.is_unknown() {
        judge::sound(cx, &around.env, &condition, when.condition.span);
    }
    let kind = match condition.is_unknown() {
        true => NodeKind::When(Expr::Literal(Value::Bool(true))),
        false => NodeKind::When(condition.expr),
    };
    let node = group(cx, around, "when", kind, &when.body, span);
    let inside = nodes::inside(cx, around, node);
    statement::block(cx, &inside, &when.body);
}

/// What surrounds the copy of a `for` for one element of a list that only a run knows.
pub fn copy(cx: &mut Cx<'_, '_>, around: &Around, applies: &Expr, span: Span) -> Around {
    let (word, title) = match applies {
        Expr::HasElement { input, index } => (&**input, elements::placeholder(input, *index)),
        _ => ("when", String::new()),
    };
    let draft = Draft {
        head: &Head::default(),
        word: word.to_owned(),
        policies: around.policies.clone(),
        window: None,
        kind: NodeKind::When(applies.clone()),
        span,
    };
    let node = nodes::add(cx, around, draft);
    if let Some(node) = cx.out.nodes.get_mut(node.0 as usize) {
        node.title = Some(title);
    }
    nodes::inside(cx, around, node)
}

/// Its items wait for nothing but what they say themselves.
pub fn parallel(cx: &mut Cx<'_, '_>, around: &Around, block: &Block, span: Span) {
    let node = group(cx, around, "parallel", NodeKind::Parallel, block, span);
    let mut inside = nodes::inside(cx, around, node);
    if holds_canary(block) && inside.env.place.canary == Canary::None {
        inside.env.place.canary = Canary::Beside;
    }
    statement::block(cx, &inside, block);
}

fn group(
    cx: &mut Cx<'_, '_>,
    around: &Around,
    word: &str,
    kind: NodeKind,
    block: &Block,
    span: Span,
) -> crate::plan::node::NodeId {
    phase::settings(cx, block, &format!("a `{word}`"), &[]);
    if block.stmts.is_empty() {
        cx.report(say::nothing_in(
            &format!("a `{word}`"),
            span,
            "something to be done",
        ));
    }
    let draft = Draft {
        head: &Head::default(),
        word: word.to_owned(),
        policies: policy::of_block(cx, &around.env, block, &around.policies),
        window: None,
        kind,
        span,
    };
    nodes::add(cx, around, draft)
}

fn holds_canary(block: &Block) -> bool {
    let mut found = false;
    walk::each_stmt(block, &mut |stmt| {
        found |= matches!(stmt.kind, StmtKind::Canary(_));
    });
    found
}
