//! Comments, heads, clauses, policies.

use super::NOWHERE;
use super::expr::{amount, expr, ident, idents, made, string, tight};
use crate::syntax::ast::clause::{By, Clause, ClauseKind, Quorum, Undo};
use crate::syntax::ast::policy::{
    Action, Cause, CauseKind, Counting, CountingHow, Policy, PolicyAction, PolicyKind,
};
use crate::syntax::ast::{Comment, Comments, Expr, ExprKind, Head, Notify, Reference};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub fn comment() -> BoxedStrategy<Comment> {
    ("// [a-z\"{(`]{1,8}", any::<bool>())
        .prop_map(|(text, blank_before)| Comment {
            text,
            span: NOWHERE,
            blank_before,
        })
        .boxed()
}

pub fn own_lines() -> BoxedStrategy<Vec<Comment>> {
    prop_oneof![3 => Just(Vec::new()), 1 => vec(comment(), 1..3)].boxed()
}

pub fn behind() -> BoxedStrategy<Vec<Comment>> {
    let behind = comment().prop_map(|comment| {
        vec![Comment {
            blank_before: false,
            ..comment
        }]
    });
    prop_oneof![4 => Just(Vec::new()), 1 => behind].boxed()
}

pub fn comments_around() -> BoxedStrategy<Comments> {
    (own_lines(), behind(), any::<(bool, bool)>())
        .prop_map(|(mut leading, trailing, blanks)| {
            if let Some(first) = leading.first_mut() {
                first.blank_before = false;
            }
            Comments {
                blank_between: blanks.1 && !leading.is_empty(),
                leading,
                trailing,
                blank_before: blanks.0,
            }
        })
        .boxed()
}

pub fn refs() -> BoxedStrategy<Vec<Reference>> {
    let id = select(vec!["X0-024", "A.1", "NIST 800-53", "rollback", "7"]);
    vec(id, 1..3)
        .prop_map(|ids| ids.into_iter().map(reference).collect())
        .boxed()
}

pub fn reference(id: &str) -> Reference {
    Reference {
        id: id.to_owned(),
        span: NOWHERE,
    }
}

pub fn head() -> BoxedStrategy<Head> {
    let refs = prop_oneof![2 => Just(Vec::new()), 1 => refs()];
    (option::of(ident()), option::of(string()), refs)
        .prop_map(|(name, title, refs)| Head { name, title, refs })
        .boxed()
}

pub fn unnamed_head() -> BoxedStrategy<Head> {
    head().prop_map(|head| Head { name: None, ..head }).boxed()
}

pub fn policy_action() -> BoxedStrategy<PolicyAction> {
    let action = |kind| PolicyAction {
        kind,
        span: NOWHERE,
    };
    let leaf = select(vec![
        PolicyKind::Stop,
        PolicyKind::Rollback,
        PolicyKind::Warn,
    ])
    .prop_map(action);
    leaf.prop_recursive(2, 4, 1, move |inner| {
        (any::<bool>(), option::of(amount()), option::of(inner)).prop_map(
            move |(pause, up_to, then)| {
                let then = then.map(Box::new);
                action(match pause {
                    true => PolicyKind::Pause { up_to, then },
                    false => PolicyKind::Extend { up_to, then },
                })
            },
        )
    })
    .boxed()
}

fn counting() -> BoxedStrategy<Counting> {
    let number = || {
        (1..9u32).prop_map(|digits| Expr {
            kind: ExprKind::Number {
                digits: digits.to_string(),
                unit: None,
            },
            span: NOWHERE,
        })
    };
    let how = prop_oneof![
        Just(CountingHow::InARow),
        Just(CountingHow::InTotal),
        number().prop_map(CountingHow::OfLast),
    ];
    (number(), how)
        .prop_map(|(fails, how)| Counting { fails, how })
        .boxed()
}

pub fn policy() -> BoxedStrategy<Policy> {
    let cause = prop_oneof![
        option::of(counting()).prop_map(CauseKind::Fail),
        Just(CauseKind::Error),
        Just(CauseKind::Inconclusive),
        option::of(amount()).prop_map(CauseKind::NoData),
    ];
    let cause = cause.prop_map(|kind| Cause {
        kind,
        span: NOWHERE,
    });
    (vec(cause, 1..3), policy_action())
        .prop_map(|(causes, action)| Policy { causes, action })
        .boxed()
}

pub fn by() -> BoxedStrategy<By> {
    prop_oneof![
        ident().prop_map(|role| By {
            quorum: Quorum::One,
            roles: vec![role],
        }),
        (1..9u32, idents()).prop_map(|(count, roles)| By {
            quorum: Quorum::Of(count),
            roles,
        }),
        idents().prop_map(|roles| By {
            quorum: Quorum::All,
            roles,
        }),
    ]
    .boxed()
}

pub fn undo() -> BoxedStrategy<Undo> {
    let call = expr().prop_map(|expr| made(ExprKind::Call(tight(expr), Vec::new())));
    // A call that begins with a parenthesis is fine; one that begins with a brace would be a block.
    (unnamed_head(), option::of(call), amount())
        .prop_map(|(head, call, timeout)| Undo {
            head,
            call,
            timeout: Some(timeout),
        })
        .boxed()
}

pub fn options() -> BoxedStrategy<Vec<Clause>> {
    let kind = prop_oneof![
        amount().prop_map(ClauseKind::Within),
        amount().prop_map(ClauseKind::For),
        amount().prop_map(ClauseKind::Timeout),
        amount().prop_map(ClauseKind::Expires),
        amount().prop_map(ClauseKind::Window),
        amount().prop_map(ClauseKind::Pods),
        by().prop_map(ClauseKind::By),
        idents().prop_map(ClauseKind::After),
        undo().prop_map(|undo| ClauseKind::Undo(Box::new(undo))),
        string().prop_map(ClauseKind::Keep),
        string().prop_map(ClauseKind::Irreversible),
        ident().prop_map(ClauseKind::Owner),
        string().prop_map(ClauseKind::File),
        Just(ClauseKind::AtMostOnce),
        policy().prop_map(ClauseKind::On),
    ];
    let clause = kind.prop_map(|kind| Clause {
        kind,
        span: NOWHERE,
    });
    vec(clause, 0..3).boxed()
}

pub fn notify() -> BoxedStrategy<Notify> {
    (ident(), unnamed_head(), option::of(string()), options())
        .prop_map(|(target, mut head, mut text, options)| {
            match (head.title.is_some(), head.refs.is_empty()) {
                // One string and no reference is the text; one with a reference is the title.
                (true, true) if text.is_none() => text = head.title.take(),
                (false, false) => text = None,
                _ => {}
            }
            Notify {
                target,
                head,
                text,
                options,
                span: NOWHERE,
            }
        })
        .boxed()
}

pub fn actions() -> BoxedStrategy<Vec<Action>> {
    let action = prop_oneof![
        Just(Action::Rollback(NOWHERE)),
        (option::of(amount()), option::of(policy_action())).prop_map(|(up_to, then)| {
            Action::Pause {
                up_to,
                then: then.map(Box::new),
                span: NOWHERE,
            }
        }),
        notify().prop_map(|mut notify| {
            // The names of an `after` go on behind a comma, as actions do; a rule takes none anyway.
            notify
                .options
                .retain(|clause| !matches!(clause.kind, ClauseKind::After(_)));
            Action::Notify(notify)
        }),
    ];
    vec(action, 1..3).boxed()
}
