//! Names, strings, expressions.

use super::NOWHERE;
use crate::syntax::ast::{
    Against, AgainstHow, Aggregate, Arg, BinaryOp, Comments, CompareOp, Entry, Expr, ExprKind,
    Ident, StmtKind, StringLit, StringPart, TypeExpr,
};
use crate::syntax::print;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub fn ident() -> BoxedStrategy<Ident> {
    select(vec![
        "api", "x", "canary_1", "all_of", "phases", "checks", "within_x", "image", "release",
    ])
    .prop_map(named)
    .boxed()
}

pub fn named(name: &str) -> Ident {
    Ident {
        name: name.to_owned(),
        span: NOWHERE,
    }
}

pub fn idents() -> BoxedStrategy<Vec<Ident>> {
    vec(ident(), 1..4).boxed()
}

pub fn string_of(inner: impl Strategy<Value = Expr> + 'static) -> BoxedStrategy<StringLit> {
    let text = "[a-zü \"\\\\${}\n\t`/]{1,12}".prop_map(StringPart::Text);
    let part = prop_oneof![text, inner.prop_map(StringPart::Interpolation)];
    vec(part, 0..3)
        .prop_map(|parts| {
            let mut joined: Vec<StringPart> = Vec::new();
            for part in parts {
                match (joined.last_mut(), part) {
                    (Some(StringPart::Text(before)), StringPart::Text(text)) => {
                        before.push_str(&text)
                    }
                    (_, part) => joined.push(part),
                }
            }
            StringLit {
                parts: joined,
                span: NOWHERE,
            }
        })
        .boxed()
}

pub fn string() -> BoxedStrategy<StringLit> {
    string_of(expr()).boxed()
}

pub fn made(kind: ExprKind) -> Expr {
    Expr {
        kind,
        span: NOWHERE,
    }
}

pub fn number() -> BoxedStrategy<Expr> {
    let digits = select(vec!["0", "7", "99.9", "200", "+20"]);
    let unit = select(vec!["ms", "%", "pp", "/s", "MiB/h", "cores", "%/h"]);
    (digits, option::of(unit))
        .prop_map(|(digits, unit)| {
            made(ExprKind::Number {
                digits: digits.to_owned(),
                unit: unit.map(named).map(Box::new),
            })
        })
        .boxed()
}

pub fn leaf() -> BoxedStrategy<Expr> {
    prop_oneof![
        ident().prop_map(|name| made(ExprKind::Name(name.name))),
        number(),
        any::<bool>().prop_map(|value| made(ExprKind::Bool(value))),
        select(vec!["v1", "v1.20", "v1.2-rc.1"])
            .prop_map(|v| made(ExprKind::Version(v.to_owned()))),
        select(vec![
            "2026-01-21T06:00Z",
            "2026-01-21 06:30",
            "06:30",
            "2026-01-21T06:00:01.5+02:00"
        ])
        .prop_map(|v| made(ExprKind::Instant(v.to_owned()))),
        select(vec!["2026-03-15Z", "2026-03-15"]).prop_map(|v| made(ExprKind::Date(v.to_owned()))),
        "[a-z(){}\"\\\\$/ ]{0,90}".prop_map(|text| made(ExprKind::Raw(text))),
    ]
    .boxed()
}

pub fn expr() -> BoxedStrategy<Expr> {
    leaf()
        .prop_recursive(4, 24, 3, |inner| {
            prop_oneof![bracketed(inner.clone()), operated(inner)]
        })
        .boxed()
}

/// Strings, lists, calls: what has brackets or stands behind something.
fn bracketed(inner: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let e = || inner.clone();
    let entry = (ident(), e()).prop_map(|(key, value)| Entry {
        key,
        value,
        comments: Comments::default(),
    });
    let arg = (option::of(ident()), e()).prop_map(|(label, value)| Arg { label, value });
    prop_oneof![
        string_of(inner.clone()).prop_map(|string| made(ExprKind::String(string))),
        string_of(leaf()).prop_map(|string| made(ExprKind::Secret(string))),
        vec(e(), 0..4).prop_map(|elements| made(ExprKind::List(elements))),
        vec(entry, 0..3).prop_map(|entries| made(ExprKind::Map(entries))),
        e().prop_map(|inner| made(ExprKind::Paren(Box::new(inner)))),
        (e(), ident()).prop_map(|(base, field)| made(ExprKind::Field(tight(base), field))),
        (e(), vec(arg, 0..3)).prop_map(|(base, args)| made(ExprKind::Call(tight(base), args))),
        (e(), type_expr(), option::of(unit()))
            .prop_map(|(base, ty, unit)| made(ExprKind::As(tight(base), Box::new((ty, unit))))),
        (e(), unit()).prop_map(|(base, unit)| match &base.kind {
            ExprKind::As(..) => made(ExprKind::In(parenthesized(base), unit)),
            _ => made(ExprKind::In(tight(base), unit)),
        }),
    ]
    .boxed()
}

/// Operands with operators.
fn operated(inner: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let e = || inner.clone();
    let binary = select(vec![
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::And,
        BinaryOp::Or,
    ]);
    let compare = select(vec![
        CompareOp::Eq,
        CompareOp::Ne,
        CompareOp::Lt,
        CompareOp::Le,
        CompareOp::Gt,
        CompareOp::Ge,
    ]);
    let aggregate = select(vec![
        Aggregate::Any,
        Aggregate::All,
        Aggregate::Max,
        Aggregate::Count,
    ]);
    prop_oneof![
        (e(), binary, e()).prop_map(|(left, op, right)| {
            let strength = binary_strength(op);
            made(ExprKind::Binary(
                at_least(left, strength),
                op,
                at_least(right, strength + 1),
            ))
        }),
        (e(), vec((compare, e()), 1..3)).prop_map(|(first, rest)| {
            let rest = rest
                .into_iter()
                .map(|(op, right)| (op, *at_least(right, 5)));
            made(ExprKind::Compare(at_least(first, 5), rest.collect()))
        }),
        (
            e(),
            select(vec![AgainstHow::NoWorse, AgainstHow::Near]),
            e(),
            e()
        )
            .prop_map(|(measured, how, baseline, margin)| {
                made(ExprKind::Against(Box::new(Against {
                    measured: *at_least(measured, 5),
                    how,
                    baseline: *at_least(baseline, 9),
                    margin: *at_least(margin, 9),
                })))
            }),
        (e(), e()).prop_map(|(from, to)| made(ExprKind::Range(at_least(from, 5), at_least(to, 6)))),
        e().prop_map(|inner| made(ExprKind::Not(at_least(inner, 3)))),
        e().prop_map(|inner| made(ExprKind::Negate(at_least(inner, 8)))),
        (aggregate, e()).prop_map(|(aggregate, inner)| {
            let starts_well = matches!(
                inner.kind,
                ExprKind::Name(_)
                    | ExprKind::List(_)
                    | ExprKind::Paren(_)
                    | ExprKind::Aggregate(..)
            );
            let inner = if starts_well {
                Box::new(inner)
            } else {
                parenthesized(inner)
            };
            made(ExprKind::Aggregate(aggregate, inner))
        }),
    ]
    .boxed()
}

pub fn strength(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Binary(_, op, _) => binary_strength(*op),
        ExprKind::Not(_) => 3,
        ExprKind::Compare(..) | ExprKind::Against(..) => 4,
        ExprKind::Range(..) => 5,
        ExprKind::Negate(_) | ExprKind::Aggregate(..) => 8,
        _ => 9,
    }
}

pub fn binary_strength(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Add | BinaryOp::Sub => 6,
        BinaryOp::Mul | BinaryOp::Div => 7,
    }
}

pub fn parenthesized(expr: Expr) -> Box<Expr> {
    Box::new(made(ExprKind::Paren(Box::new(expr))))
}

pub fn at_least(expr: Expr, least: u8) -> Box<Expr> {
    match strength(&expr) >= least {
        true => Box::new(expr),
        false => parenthesized(expr),
    }
}

/// What a field or a call may stand behind.
pub fn tight(expr: Expr) -> Box<Expr> {
    match &expr.kind {
        ExprKind::Name(_)
        | ExprKind::Field(..)
        | ExprKind::Call(..)
        | ExprKind::Paren(_)
        | ExprKind::List(_) => Box::new(expr),
        _ => parenthesized(expr),
    }
}

pub fn unit() -> BoxedStrategy<Ident> {
    select(vec!["s", "1", "%", "1/s", "B/s", "cores"])
        .prop_map(named)
        .boxed()
}

pub fn type_expr() -> BoxedStrategy<TypeExpr> {
    let ty = |name: &str, args| TypeExpr {
        name: name.to_owned(),
        args,
        span: NOWHERE,
    };
    let leaf =
        select(vec!["string", "duration", "count"]).prop_map(move |name| ty(name, Vec::new()));
    leaf.prop_recursive(2, 4, 2, move |inner| {
        (select(vec!["list", "rate"]), vec(inner, 1..3))
            .prop_map(move |(name, args)| ty(name, args))
    })
    .boxed()
}

/// What may stand before a block: not a map.
pub fn amount() -> BoxedStrategy<Expr> {
    expr()
        .prop_map(
            |expr| match print::statement(&StmtKind::Bound(expr.clone())).starts_with('{') {
                true => *parenthesized(expr),
                false => expr,
            },
        )
        .boxed()
}
