//! Items and files.

use super::NOWHERE;
use super::clause::{comments_around, head, notify, own_lines, unnamed_head};
use super::expr::{amount, expr, ident, idents, named, string, type_expr, unit};
use super::stmt::{block, call};
use crate::syntax::ast::scenario::Scenario;
use crate::syntax::ast::{
    Better, Define, Entry, File, Handler, Head, Input, Invariant, Item, ItemKind, LanguageVersion,
    Let, Metric, Order, Param, Phase, Place, PlanItem, Provider, Range, Role, Rollback, Threshold,
    Watch,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub fn range() -> BoxedStrategy<Range> {
    (ident(), ident())
        .prop_map(|(from, to)| Range {
            from,
            to,
            span: NOWHERE,
        })
        .boxed()
}

pub fn provider() -> BoxedStrategy<Provider> {
    let entry = (ident(), expr(), comments_around()).prop_map(|(key, value, comments)| Entry {
        key,
        value,
        comments,
    });
    (ident(), ident(), vec(entry, 0..4), own_lines())
        .prop_map(|(name, kind, mut settings, mut trailing)| {
            match (settings.first_mut(), trailing.first_mut()) {
                (Some(first), _) => first.comments.blank_before = false,
                (None, Some(first)) => first.blank_before = false,
                (None, None) => {}
            }
            Provider {
                name,
                kind,
                settings,
                trailing,
            }
        })
        .boxed()
}

fn item_kind() -> BoxedStrategy<ItemKind> {
    prop_oneof![item_with_block(), item_without_block()].boxed()
}

fn item_with_block() -> BoxedStrategy<ItemKind> {
    let param = (ident(), type_expr()).prop_map(|(name, ty)| Param { name, ty });
    prop_oneof![
        (ident(), option::of(string()), block())
            .prop_map(|(name, title, body)| ItemKind::Plan(PlanItem { name, title, body })),
        (
            ident(),
            unnamed_head(),
            vec(ident(), 0..3),
            any::<bool>(),
            block()
        )
            .prop_map(|(name, head, after, at_start, body)| {
                let head = Head {
                    name: Some(name),
                    ..head
                };
                let at_start = at_start.then_some(NOWHERE);
                ItemKind::Phase(Phase {
                    head,
                    place: Place { after, at_start },
                    body,
                })
            }),
        (head(), range(), block()).prop_map(|(head, during, body)| ItemKind::Watch(Watch {
            head,
            during,
            body
        })),
        (option::of(range()), option::of(amount()), block()).prop_map(|(during, within, body)| {
            ItemKind::Rollback(Rollback {
                during,
                within,
                body,
            })
        }),
        (ident(), vec(param, 0..3), block())
            .prop_map(|(name, params, body)| ItemKind::Define(Define { name, params, body })),
        (ident(), block()).prop_map(|(name, body)| ItemKind::Threshold(Threshold { name, body })),
        (option::of(string()), block())
            .prop_map(|(title, body)| ItemKind::Scenario(Scenario { title, body })),
        (string(), block()).prop_map(|(title, body)| {
            ItemKind::Test(Scenario {
                title: Some(title),
                body,
            })
        }),
        (option::of(string()), block()).prop_map(|(title, body)| {
            let head = Head {
                title,
                ..Head::default()
            };
            ItemKind::Invariant(Invariant { head, body })
        }),
    ]
    .boxed()
}

fn item_without_block() -> BoxedStrategy<ItemKind> {
    let place = any::<bool>().prop_map(|place| place.then_some(NOWHERE));
    let better = option::of(select(vec![
        (Better::Lower, NOWHERE),
        (Better::Higher, NOWHERE),
    ]));
    prop_oneof![
        (ident(), type_expr(), option::of(expr()), place).prop_map(|(name, ty, default, place)| {
            ItemKind::Input(Input {
                name,
                ty,
                default,
                place,
            })
        }),
        (head(), vec(idents(), 2..4))
            .prop_map(|(head, chain)| ItemKind::Order(Order { head, chain })),
        (
            select(vec![
                "start",
                "success",
                "rolled_back",
                "rollback_incomplete"
            ]),
            notify()
        )
            .prop_map(|(event, notify)| ItemKind::On(Handler {
                event: named(event),
                notify
            })),
        (
            ident(),
            type_expr(),
            call(),
            option::of(unit()),
            option::of(expr()),
            better
        )
            .prop_map(|(name, ty, value, unit, absent, better)| {
                ItemKind::Metric(Metric {
                    name,
                    ty,
                    value,
                    unit,
                    absent,
                    better,
                })
            }),
        (ident(), expr()).prop_map(|(name, value)| ItemKind::Let(Let { name, value })),
        (ident(), option::of(string()), option::of(expr())).prop_map(|(name, title, members)| {
            ItemKind::Role(Role {
                name,
                title,
                members,
            })
        }),
        provider().prop_map(ItemKind::Provider),
    ]
    .boxed()
}

pub fn file() -> BoxedStrategy<File> {
    let item = (item_kind(), comments_around()).prop_map(|(kind, comments)| Item {
        kind,
        span: NOWHERE,
        comments,
    });
    (comments_around(), vec(item, 0..4), own_lines())
        .prop_map(|(mut comments, items, trailing)| {
            comments.blank_before = false;
            File {
                version: Some(LanguageVersion {
                    number: "1".to_owned(),
                    span: NOWHERE,
                    comments,
                }),
                items,
                trailing,
            }
        })
        .boxed()
}
