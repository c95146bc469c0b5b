//! Statements and blocks.

use super::NOWHERE;
use super::clause::{
    actions, behind, comments_around, head, notify, options, own_lines, policy, reference,
    unnamed_head,
};
use super::expr::{amount, at_least, expr, ident, made, named, number};
use crate::syntax::ast::policy::{NoData, Rule};
use crate::syntax::ast::scenario::{
    Answer, Applying, Assign, At, How, Kill, Promise, Tail, Trouble, Verb, Word,
};
use crate::syntax::ast::settings::{Concurrent, ConcurrentHow, Freeze};
use crate::syntax::ast::{
    Approve, Arg, Block, Canary, Check, CheckBody, CompareOp, Confirm, Every, Expect, Expr,
    ExprKind, For, Hold, Let, Section, Setting, Stage, Step, Stmt, StmtKind, When,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub fn expect() -> BoxedStrategy<Expect> {
    (expr(), option::of(ident()), option::of(amount()))
        .prop_map(|(condition, scope, duration)| Expect {
            condition,
            scope,
            duration,
            span: NOWHERE,
        })
        .boxed()
}

/// What only `is` can say has variants of its own where the others say it, too.
fn open() -> BoxedStrategy<How> {
    let applying = option::of(select(vec![Applying::Before, Applying::After]));
    let word = select(Word::ALL.to_vec());
    let own = |word: Word| ![Word::Down, Word::Silent, Word::Unknown].contains(&word);
    (any::<bool>(), word, applying)
        .prop_map(move |(stays, word, when)| How::Open {
            verb: match stays || !own(word) {
                true => Verb::Stays,
                false => Verb::Is,
            },
            word,
            when,
        })
        .boxed()
}

fn trouble() -> BoxedStrategy<StmtKind> {
    let applying = || select(vec![Applying::Before, Applying::After]);
    let how = prop_oneof![
        Just(How::Down),
        Just(How::Silent),
        applying().prop_map(How::Fails),
        option::of(applying()).prop_map(How::Unknown),
        open(),
    ];
    let undo = any::<bool>().prop_map(|undo| undo.then_some(NOWHERE));
    (undo, call(), how, option::of(amount()))
        .prop_map(|(undo, what, how, duration)| {
            StmtKind::Trouble(Trouble {
                undo,
                what,
                how,
                duration,
                span: NOWHERE,
            })
        })
        .boxed()
}

fn kill() -> BoxedStrategy<StmtKind> {
    let applying = option::of(select(vec![Applying::Before, Applying::After]));
    (applying, option::of(amount()))
        .prop_map(|(applying, duration)| {
            StmtKind::Kill(Kill {
                applying,
                duration,
                span: NOWHERE,
            })
        })
        .boxed()
}

fn promise() -> BoxedStrategy<StmtKind> {
    let tail = || {
        prop_oneof![
            expr().prop_map(|later| Tail::Before(*at_least(later, 5))),
            (amount(), expr())
                .prop_map(|(time, of)| { Tail::Within(*at_least(time, 5), *at_least(of, 5)) }),
            Just(Tail::AtStart(NOWHERE)),
        ]
    };
    let throughout = (Just(Some(NOWHERE)), option::of(tail()));
    let once = (Just(None), tail().prop_map(Some));
    (call(), prop_oneof![throughout, once])
        .prop_map(|(condition, (always, tail))| {
            StmtKind::Promise(Promise {
                always,
                condition,
                tail,
                span: NOWHERE,
            })
        })
        .boxed()
}

/// A comparison that begins with a name.
pub fn bound() -> BoxedStrategy<Expr> {
    (ident(), expr())
        .prop_map(|(name, right)| {
            let name = made(ExprKind::Name(name.name));
            made(ExprKind::Compare(
                Box::new(name),
                vec![(CompareOp::Lt, *at_least(right, 5))],
            ))
        })
        .boxed()
}

pub fn call() -> BoxedStrategy<Expr> {
    (ident(), vec(expr(), 0..3))
        .prop_map(|(name, args)| {
            let args = args.into_iter().map(|value| Arg { label: None, value });
            made(ExprKind::Call(
                Box::new(made(ExprKind::Name(name.name))),
                args.collect(),
            ))
        })
        .boxed()
}

/// A statement without a block.
pub fn line() -> BoxedStrategy<StmtKind> {
    prop_oneof![plain_line(), rule_line(), item_line()].boxed()
}

fn plain_line() -> BoxedStrategy<StmtKind> {
    let setting = select(vec![
        "window", "deadline", "samples", "zone", "expires", "sample",
    ]);
    let value = number()
        .prop_filter(
            "no sign",
            |n| !matches!(&n.kind, ExprKind::Number { digits, .. } if digits.starts_with('+')),
        )
        .boxed();
    prop_oneof![
        unnamed_head()
            .prop_filter("empty", |head| head.title.is_some()
                || !head.refs.is_empty())
            .prop_map(StmtKind::Line),
        (amount(), head()).prop_map(|(duration, head)| StmtKind::Hold(Hold { duration, head })),
        notify().prop_map(StmtKind::Notify),
        concurrent(),
        (value.clone(), unnamed_head())
            .prop_map(|(window, head)| StmtKind::Freeze(Freeze { window, head })),
        (ident(), expr()).prop_map(|(name, value)| StmtKind::Let(Let { name, value })),
        expect().prop_map(StmtKind::Expect),
        call().prop_map(StmtKind::Call),
        bound().prop_map(StmtKind::Bound),
        policy().prop_map(StmtKind::Policy),
        (setting, value).prop_map(|(word, value)| StmtKind::Setting(Setting {
            word: named(word),
            value
        })),
    ]
    .boxed()
}

fn concurrent() -> BoxedStrategy<StmtKind> {
    let up_to = || option::of(amount());
    let how = prop_oneof![
        Just(ConcurrentHow::Reject),
        up_to().prop_map(|up_to| ConcurrentHow::Queue { up_to }),
        up_to().prop_map(|up_to| ConcurrentHow::Replace { up_to }),
    ];
    how.prop_map(|how| StmtKind::Concurrent(Concurrent { how }))
        .boxed()
}

fn rule_line() -> BoxedStrategy<StmtKind> {
    prop_oneof![
        (head(), amount(), option::of(amount()), actions()).prop_map(
            |(head, condition, duration, actions)| {
                StmtKind::Rule(Rule {
                    head,
                    condition,
                    duration,
                    actions,
                })
            }
        ),
        (amount(), actions())
            .prop_map(|(duration, actions)| StmtKind::NoData(NoData { duration, actions })),
        (call(), expr(), option::of(amount()), option::of(amount())).prop_map(
            |(place, value, every, duration)| {
                StmtKind::Assign(Assign {
                    place,
                    value: *at_least(value, 5),
                    every,
                    duration,
                })
            }
        ),
        trouble(),
        promise(),
        kill(),
        (
            ident(),
            option::of(select(vec!["go_live", "X0-084"])),
            option::of(expr())
        )
            .prop_map(|(who, item, after)| {
                StmtKind::Answer(Answer {
                    who,
                    verb: named("approves"),
                    item: item.map(reference),
                    after,
                })
            }),
    ]
    .boxed()
}

fn item_line() -> BoxedStrategy<StmtKind> {
    prop_oneof![
        (head(), options())
            .prop_map(|(head, options)| StmtKind::Approve(Approve { head, options })),
        (head(), options(), expect()).prop_map(|(head, options, expect)| {
            StmtKind::Check(Check {
                head,
                options,
                body: CheckBody::Expect(expect),
            })
        }),
        (head(), options(), expr()).prop_map(|(head, options, call)| {
            StmtKind::Verify(Check {
                head,
                options,
                body: CheckBody::Call(call),
            })
        }),
        (head(), options(), expr()).prop_map(|(head, options, call)| {
            StmtKind::Step(Box::new(Step {
                head,
                call,
                options,
                body: None,
            }))
        }),
        (head(), options()).prop_map(|(head, options)| StmtKind::Confirm(Confirm {
            head,
            options,
            lines: None
        })),
    ]
    .boxed()
}

pub fn stmt_kind() -> BoxedStrategy<StmtKind> {
    line()
        .prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                inner.clone(),
                item_with_block(inner.clone()),
                flow_with_block(inner)
            ]
        })
        .boxed()
}

fn item_with_block(inner: BoxedStrategy<StmtKind>) -> BoxedStrategy<StmtKind> {
    let block = || block_of(inner.clone());
    prop_oneof![
        (head(), options(), block()).prop_map(|(head, options, body)| {
            StmtKind::Section(Section {
                head,
                options,
                body,
            })
        }),
        (ident(), unnamed_head(), options(), block()).prop_map(|(target, head, options, body)| {
            StmtKind::Canary(Canary {
                target,
                head,
                options,
                body,
            })
        }),
        (head(), amount(), option::of(amount()), options(), block()).prop_map(
            |(head, weight, tolerance, options, body)| {
                StmtKind::Stage(Stage {
                    head,
                    weight,
                    tolerance,
                    options,
                    body,
                })
            }
        ),
        (head(), options(), block()).prop_map(|(head, options, body)| {
            StmtKind::Check(Check {
                head,
                options,
                body: CheckBody::Block(body),
            })
        }),
        (head(), options(), expr(), block()).prop_map(|(head, options, call, body)| {
            StmtKind::Step(Box::new(Step {
                head,
                call,
                options,
                body: Some(body),
            }))
        }),
        (head(), options(), block()).prop_map(|(head, options, lines)| {
            StmtKind::Confirm(Confirm {
                head,
                options,
                lines: Some(lines),
            })
        }),
    ]
    .boxed()
}

fn flow_with_block(inner: BoxedStrategy<StmtKind>) -> BoxedStrategy<StmtKind> {
    let block = || block_of(inner.clone());
    prop_oneof![
        (amount(), option::of(amount()), head(), block()).prop_map(
            |(period, total, head, body)| {
                StmtKind::Every(Every {
                    period,
                    total,
                    head,
                    body,
                })
            }
        ),
        (amount(), block()).prop_map(|(condition, body)| StmtKind::When(When { condition, body })),
        block().prop_map(StmtKind::Parallel),
        (ident(), expr(), option::of(amount()), block()).prop_map(|(name, list, up_to, body)| {
            StmtKind::For(For {
                name,
                list,
                up_to,
                body,
            })
        }),
        (option::of((amount(), option::of(amount()))), block()).prop_map(|(moment, body)| {
            let (moment, duration) =
                moment.map_or((None, None), |(moment, time)| (Some(moment), time));
            StmtKind::At(At {
                moment,
                duration,
                body,
            })
        }),
    ]
    .boxed()
}

pub fn block_of(kind: impl Strategy<Value = StmtKind> + 'static) -> BoxedStrategy<Block> {
    let stmt = (kind, comments_around()).prop_map(|(kind, comments)| Stmt {
        kind,
        span: NOWHERE,
        comments,
    });
    (vec(stmt, 0..4), own_lines(), behind())
        .prop_map(|(mut stmts, mut trailing, closing)| {
            match stmts.first_mut() {
                Some(first) => first.comments.blank_before = false,
                None => {
                    if let Some(first) = trailing.first_mut() {
                        first.blank_before = false;
                    }
                }
            }
            Block {
                stmts,
                trailing,
                closing,
            }
        })
        .boxed()
}

pub fn block() -> BoxedStrategy<Block> {
    block_of(stmt_kind()).boxed()
}
