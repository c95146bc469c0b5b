//! `p95 no worse than stable.p95 by 10%`: what is compared, which way, and by how much.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::expr::{coerce, constant};
use crate::analyze::lower::judge::Body;
use crate::analyze::messages::comparison as say;
use crate::analyze::messages::{numbers, typing};
use crate::analyze::typed::Typed;
use crate::plan::Direction;
use crate::plan::expr::{Comparison, Expr};
use crate::resolve::names::What;
use crate::source::Span;
use crate::statistics::baseline::fewest_windows;
use crate::syntax::ast;
use crate::syntax::ast::{Against, AgainstHow, Better, BinaryOp, ExprKind, StmtKind, Threshold};
use crate::units::Dim;
use crate::units::amount::{Amount, NANO, Nano};
use crate::values::{Type, Value};

/// What the comparisons of one threshold share; one that stands by itself is a family of its own.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    pub confidence: Nano,
    pub windows: u32,
}

const CONFIDENCE: Nano = Nano(950_000_000);

impl Default for Family {
    fn default() -> Family {
        Family {
            confidence: CONFIDENCE,
            windows: fewest(CONFIDENCE, 1),
        }
    }
}

/// The settings of a threshold. Without `windows` as many are needed as can show anything.
pub fn family(cx: &mut Cx<'_, '_>, env: &Env, threshold: &Threshold) -> Family {
    let mut confidence = None;
    let mut windows = None;
    let mut comparisons = 0;
    for stmt in &threshold.body.stmts {
        match &stmt.kind {
            StmtKind::Setting(setting) => match setting.word.name.as_str() {
                "confidence" => confidence = self::confidence(cx, env, &setting.value),
                "windows" => {
                    let count = constant::count(cx, env, &setting.value, "the number of windows");
                    windows = count.map(|count| (count, setting.value.span));
                }
                _ => {}
            },
            StmtKind::Bound(bound) if is_comparison(bound) => comparisons += 1,
            _ => {}
        }
    }
    let confidence = confidence.unwrap_or(CONFIDENCE);
    let fewest = fewest(confidence, comparisons);
    if let Some((windows, span)) = windows
        && windows < fewest
        && comparisons > 0
    {
        cx.report(say::too_few_windows(
            span,
            windows,
            fewest,
            confidence,
            comparisons,
        ));
    }
    Family {
        confidence,
        windows: windows.map_or(fewest, |(windows, _)| windows),
    }
}

pub fn is_comparison(bound: &ast::Expr) -> bool {
    matches!(expr::bare(bound).kind, ExprKind::Against(_))
}

pub fn lower(
    cx: &mut Cx<'_, '_>,
    env: &Env,
    body: &mut Body,
    against: &Against,
    text: String,
) -> Option<Comparison> {
    let measured = side(cx, env, &against.measured);
    let baseline = side(cx, env, &against.baseline);
    let (measured, baseline) = (measured?, baseline?);
    let span = against.measured.span.to(against.margin.span);
    if measured.ty != baseline.ty {
        let texts = (
            cx.text(against.measured.span),
            cx.text(against.baseline.span),
        );
        cx.report(typing::no_comparison(
            (&measured, &texts.0),
            (&baseline, &texts.1),
        ));
        return None;
    }
    let Type::Quantity(dim) = measured.ty else {
        return None;
    };
    if same_metric(&measured.expr, &baseline.expr) {
        cx.report(say::with_itself(span, &cx.text(against.measured.span)));
        return None;
    }
    let better = match against.how {
        AgainstHow::Near => None,
        AgainstHow::NoWorse => Some(direction(cx, &measured)?),
    };
    let margin = margin(cx, env, &against.margin, dim)?;
    let may_vanish = better != Some(Direction::Lower);
    if may_vanish && margin.relative.is_some_and(|share| share.0 >= NANO) {
        let what = "a margin downwards";
        cx.report(numbers::out_of_range(
            against.margin.span,
            what,
            "below 100%",
        ));
        return None;
    }
    let family = match body.family {
        Some(family) => family,
        None => {
            body.families += 1;
            Family::default()
        }
    };
    body.measured = body.measured.or(measured.reads.measured);
    let loc = cx.loc(span);
    Some(Comparison {
        measured: measured.expr,
        baseline: baseline.expr,
        dim,
        better,
        relative: margin.relative.unwrap_or(Nano(0)),
        absolute: margin.absolute.unwrap_or(Nano(0)),
        windows: family.windows,
        confidence: family.confidence,
        family: body.families,
        text: text.into(),
        loc,
    })
}

fn fewest(confidence: Nano, comparisons: u32) -> u32 {
    fewest_windows(Nano(NANO - confidence.0).as_f64(), comparisons)
}

/// Between a guess and a certainty that no number of windows gives.
fn confidence(cx: &mut Cx<'_, '_>, env: &Env, written: &ast::Expr) -> Option<Nano> {
    const MOST: i128 = 999_999_000;
    let confidence = constant::ratio(cx, env, written, "a confidence")?;
    if (NANO / 2 < confidence.0) && confidence.0 <= MOST {
        return Some(confidence);
    }
    cx.report(numbers::out_of_range(
        written.span,
        "a confidence",
        "above 50% and at most 99.9999%",
    ));
    None
}

/// Windows are taken of a metric, and of nothing else.
fn side(cx: &mut Cx<'_, '_>, env: &Env, written: &ast::Expr) -> Option<Typed> {
    let typed = expr::infer(cx, env, written);
    if typed.is_unknown() {
        return None;
    }
    if !matches!(typed.expr, Expr::Metric { .. }) {
        let text = cx.text(written.span);
        cx.report(say::no_metric(written.span, &text));
        return None;
    }
    Some(typed)
}

fn same_metric(one: &Expr, other: &Expr) -> bool {
    match (one, other) {
        (
            Expr::Metric { metric, scope },
            Expr::Metric {
                metric: other,
                scope: of_other,
            },
        ) => metric == other && scope == of_other,
        _ => false,
    }
}

/// What the metric says of itself.
fn direction(cx: &mut Cx<'_, '_>, measured: &Typed) -> Option<Direction> {
    let Expr::Metric { metric, .. } = &measured.expr else {
        return None;
    };
    let found = cx.g.metrics.iter().find(|(_, info)| info.index == *metric);
    let decl = found.and_then(|(id, _)| cx.g.names.get(*id))?;
    let What::Metric(written) = decl.what else {
        return None;
    };
    match written.better {
        Some((Better::Lower, _)) => Some(Direction::Lower),
        Some((Better::Higher, _)) => Some(Direction::Higher),
        None => {
            let (name, at) = (written.name.name.clone(), written.name.span);
            cx.report(say::direction_unsaid(measured.span, &name, at));
            None
        }
    }
}

#[derive(Default)]
struct Margin {
    relative: Option<Nano>,
    absolute: Option<Nano>,
}

/// `10%`, `5ms`, `0.5pp`, or a part and an amount: `10% + 5ms`.
fn margin(cx: &mut Cx<'_, '_>, env: &Env, written: &ast::Expr, dim: Dim) -> Option<Margin> {
    let mut margin = Margin::default();
    let parts = match &expr::bare(written).kind {
        ExprKind::Binary(left, BinaryOp::Add, right) => vec![&**left, &**right],
        _ => vec![written],
    };
    for part in parts {
        let typed = expr::infer(cx, env, part);
        if typed.is_unknown() {
            return None;
        }
        let place = match kind_of(cx, &typed, part, dim)? {
            Kind::Relative => &mut margin.relative,
            Kind::Absolute => &mut margin.absolute,
        };
        let amount = amount(cx, &typed, part.span)?;
        if place.replace(amount).is_some() {
            cx.report(say::margin_twice(part.span));
            return None;
        }
    }
    Some(margin)
}

enum Kind {
    Relative,
    Absolute,
}

/// A share of a ratio may be meant as either, so it has to be said.
fn kind_of(cx: &mut Cx<'_, '_>, typed: &Typed, part: &ast::Expr, dim: Dim) -> Option<Kind> {
    let text = cx.text(part.span);
    let found = match &typed.ty {
        Type::Points if dim == Dim::Ratio => return Some(Kind::Absolute),
        Type::Quantity(Dim::Ratio) if dim == Dim::Ratio => say::share_of_a_ratio(part.span, &text),
        Type::Quantity(own) if *own == dim => return Some(Kind::Absolute),
        Type::Quantity(Dim::Ratio | Dim::Change) => return Some(Kind::Relative),
        _ => match coerce::missing_unit(typed, part, &Type::Quantity(dim)) {
            Some(found) => found,
            None => say::margin_of_another_dimension(typed, &text, dim),
        },
    };
    cx.report(found);
    None
}

fn amount(cx: &mut Cx<'_, '_>, typed: &Typed, span: Span) -> Option<Nano> {
    let exact = match typed.value() {
        Some(Value::Quantity(quantity)) => match quantity.amount {
            Amount::Exact(nano) => Some(nano),
            Amount::Measured(_) => None,
        },
        _ => None,
    };
    match exact {
        Some(nano) if nano.0 >= 0 => Some(nano),
        Some(_) => {
            cx.report(numbers::out_of_range(span, "a margin", "0 or more"));
            None
        }
        None => {
            cx.report(typing::constant_needed(span, "a margin"));
            None
        }
    }
}
