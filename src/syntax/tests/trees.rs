//! Trees that nobody wrote: what is printed is read as the same tree.

use super::{FILE, comments, tree, without_places};
use crate::source::Span;
use crate::syntax::ast::clause::{By, Clause, ClauseKind, Quorum, Undo};
use crate::syntax::ast::policy::{
    Action, Cause, CauseKind, NoData, Policy, PolicyAction, PolicyKind, Rule,
};
use crate::syntax::ast::scenario::{Answer, Assign, At, Scenario};
use crate::syntax::ast::*;
use crate::syntax::print;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

const NOWHERE: Span = Span {
    file: FILE,
    start: 0,
    end: 0,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_read_as_the_same_tree(written in file()) {
        let text = print::file(&written);
        let read = tree(&text);
        let (written_form, read_form) = (without_places(&written), without_places(&read));
        prop_assert_eq!(written_form, read_form, "\n{}", text);
        prop_assert_eq!(comments(&written), comments(&read));
        prop_assert_eq!(print::file(&read), text);
    }
}

// ---- names, strings, expressions -------------------------------------------------------------------------

fn ident() -> impl Strategy<Value = Ident> {
    select(vec![
        "api", "x", "canary_1", "all_of", "phases", "checks", "within_x", "image", "release",
    ])
    .prop_map(named)
}

fn named(name: &str) -> Ident {
    Ident {
        name: name.to_owned(),
        span: NOWHERE,
    }
}

fn idents() -> impl Strategy<Value = Vec<Ident>> {
    vec(ident(), 1..4)
}

fn string_of(inner: impl Strategy<Value = Expr> + 'static) -> impl Strategy<Value = StringLit> {
    let text = "[a-zü \"\\\\${}\n\t`/]{1,12}".prop_map(StringPart::Text);
    let part = prop_oneof![text, inner.prop_map(StringPart::Interpolation)];
    vec(part, 0..3).prop_map(|parts| {
        let mut joined: Vec<StringPart> = Vec::new();
        for part in parts {
            match (joined.last_mut(), part) {
                (Some(StringPart::Text(before)), StringPart::Text(text)) => before.push_str(&text),
                (_, part) => joined.push(part),
            }
        }
        StringLit {
            parts: joined,
            span: NOWHERE,
        }
    })
}

fn string() -> impl Strategy<Value = StringLit> {
    string_of(expr())
}

fn made(kind: ExprKind) -> Expr {
    Expr {
        kind,
        span: NOWHERE,
    }
}

fn number() -> impl Strategy<Value = Expr> {
    let digits = select(vec!["0", "7", "99.9", "200", "+20"]);
    let unit = select(vec!["ms", "%", "pp", "/s", "MiB/h", "cores", "%/h"]);
    (digits, option::of(unit)).prop_map(|(digits, unit)| {
        made(ExprKind::Number {
            digits: digits.to_owned(),
            unit: unit.map(named),
        })
    })
}

fn leaf() -> impl Strategy<Value = Expr> {
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
}

fn expr() -> impl Strategy<Value = Expr> + Clone {
    leaf().prop_recursive(4, 24, 3, |inner| {
        let e = || inner.clone();
        let entry = (ident(), e()).prop_map(|(key, value)| Entry {
            key,
            value,
            comments: Comments::default(),
        });
        let arg = (option::of(ident()), e()).prop_map(|(label, value)| Arg { label, value });
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
            string_of(inner.clone()).prop_map(|string| made(ExprKind::String(string))),
            string_of(leaf()).prop_map(|string| made(ExprKind::Secret(string))),
            vec(e(), 0..4).prop_map(|elements| made(ExprKind::List(elements))),
            vec(entry, 0..3).prop_map(|entries| made(ExprKind::Map(entries))),
            e().prop_map(|inner| made(ExprKind::Paren(Box::new(inner)))),
            (e(), ident()).prop_map(|(base, field)| made(ExprKind::Field(tight(base), field))),
            (e(), vec(arg, 0..3)).prop_map(|(base, args)| made(ExprKind::Call(tight(base), args))),
            (e(), type_expr(), option::of(unit())).prop_map(|(base, ty, unit)| made(ExprKind::As(
                tight(base),
                ty,
                unit
            ))),
            (e(), unit()).prop_map(|(base, unit)| match &base.kind {
                ExprKind::As(..) => made(ExprKind::In(parenthesized(base), unit)),
                _ => made(ExprKind::In(tight(base), unit)),
            }),
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
            (e(), e())
                .prop_map(|(from, to)| made(ExprKind::Range(at_least(from, 5), at_least(to, 6)))),
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
    })
}

fn strength(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Binary(_, op, _) => binary_strength(*op),
        ExprKind::Not(_) => 3,
        ExprKind::Compare(..) => 4,
        ExprKind::Range(..) => 5,
        ExprKind::Negate(_) | ExprKind::Aggregate(..) => 8,
        _ => 9,
    }
}

fn binary_strength(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Add | BinaryOp::Sub => 6,
        BinaryOp::Mul | BinaryOp::Div => 7,
    }
}

fn parenthesized(expr: Expr) -> Box<Expr> {
    Box::new(made(ExprKind::Paren(Box::new(expr))))
}

fn at_least(expr: Expr, least: u8) -> Box<Expr> {
    match strength(&expr) >= least {
        true => Box::new(expr),
        false => parenthesized(expr),
    }
}

/// What a field or a call may stand behind.
fn tight(expr: Expr) -> Box<Expr> {
    match &expr.kind {
        ExprKind::Name(_)
        | ExprKind::Field(..)
        | ExprKind::Call(..)
        | ExprKind::Paren(_)
        | ExprKind::List(_) => Box::new(expr),
        _ => parenthesized(expr),
    }
}

fn unit() -> impl Strategy<Value = Ident> {
    select(vec!["s", "1", "%", "1/s", "B/s", "cores"]).prop_map(named)
}

fn type_expr() -> impl Strategy<Value = TypeExpr> {
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
}

/// What may stand before a block: not a map.
fn amount() -> impl Strategy<Value = Expr> {
    expr().prop_map(|expr| {
        match print::statement(&StmtKind::Bound(expr.clone())).starts_with('{') {
            true => *parenthesized(expr),
            false => expr,
        }
    })
}

// ---- comments, heads, clauses ----------------------------------------------------------------------------

fn comment() -> impl Strategy<Value = Comment> {
    ("// [a-z\"{(`]{1,8}", any::<bool>()).prop_map(|(text, blank_before)| Comment {
        text,
        span: NOWHERE,
        blank_before,
    })
}

fn own_lines() -> impl Strategy<Value = Vec<Comment>> {
    prop_oneof![3 => Just(Vec::new()), 1 => vec(comment(), 1..3)]
}

fn behind() -> impl Strategy<Value = Vec<Comment>> {
    let behind = comment().prop_map(|comment| {
        vec![Comment {
            blank_before: false,
            ..comment
        }]
    });
    prop_oneof![4 => Just(Vec::new()), 1 => behind]
}

fn comments_around() -> impl Strategy<Value = Comments> {
    (own_lines(), behind(), any::<(bool, bool)>()).prop_map(|(mut leading, trailing, blanks)| {
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
}

fn refs() -> impl Strategy<Value = Vec<Reference>> {
    let id = select(vec!["X0-024", "A.1", "NIST 800-53", "rollback", "7"]);
    vec(id, 1..3).prop_map(|ids| ids.into_iter().map(reference).collect())
}

fn reference(id: &str) -> Reference {
    Reference {
        id: id.to_owned(),
        span: NOWHERE,
    }
}

fn head() -> impl Strategy<Value = Head> {
    let refs = prop_oneof![2 => Just(Vec::new()), 1 => refs()];
    (option::of(ident()), option::of(string()), refs).prop_map(|(name, title, refs)| Head {
        name,
        title,
        refs,
    })
}

fn unnamed_head() -> impl Strategy<Value = Head> {
    head().prop_map(|head| Head { name: None, ..head })
}

fn policy_action() -> impl Strategy<Value = PolicyAction> {
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
}

fn policy() -> impl Strategy<Value = Policy> {
    let cause = prop_oneof![
        Just(CauseKind::Fail),
        Just(CauseKind::Error),
        Just(CauseKind::Inconclusive),
        option::of(amount()).prop_map(CauseKind::NoData),
    ];
    let cause = cause.prop_map(|kind| Cause {
        kind,
        span: NOWHERE,
    });
    (vec(cause, 1..3), policy_action()).prop_map(|(causes, action)| Policy { causes, action })
}

fn by() -> impl Strategy<Value = By> {
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
}

fn undo() -> impl Strategy<Value = Undo> {
    let call = expr().prop_map(|expr| made(ExprKind::Call(tight(expr), Vec::new())));
    // A call that begins with a parenthesis is fine; one that begins with a brace would be a block.
    (unnamed_head(), option::of(call), amount()).prop_map(|(head, call, timeout)| Undo {
        head,
        call,
        timeout: Some(timeout),
    })
}

fn options() -> impl Strategy<Value = Vec<Clause>> {
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
    vec(clause, 0..3)
}

fn notify() -> impl Strategy<Value = Notify> {
    (ident(), unnamed_head(), option::of(string()), options()).prop_map(
        |(target, mut head, mut text, options)| {
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
        },
    )
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        Just(Action::Rollback(NOWHERE)),
        (option::of(amount()), option::of(policy_action())).prop_map(|(up_to, then)| {
            Action::Pause {
                up_to,
                then: then.map(Box::new),
                span: NOWHERE,
            }
        }),
        notify().prop_map(Action::Notify),
    ];
    vec(action, 1..3)
}

// ---- statements and items --------------------------------------------------------------------------------

fn expect() -> impl Strategy<Value = Expect> {
    (expr(), option::of(ident()), option::of(amount())).prop_map(|(condition, scope, duration)| {
        Expect {
            condition,
            scope,
            duration,
            span: NOWHERE,
        }
    })
}

/// A comparison that begins with a name.
fn bound() -> impl Strategy<Value = Expr> {
    (ident(), expr()).prop_map(|(name, right)| {
        let name = made(ExprKind::Name(name.name));
        made(ExprKind::Compare(
            Box::new(name),
            vec![(CompareOp::Lt, *at_least(right, 5))],
        ))
    })
}

fn call() -> impl Strategy<Value = Expr> {
    (ident(), vec(expr(), 0..3)).prop_map(|(name, args)| {
        let args = args.into_iter().map(|value| Arg { label: None, value });
        made(ExprKind::Call(
            Box::new(made(ExprKind::Name(name.name))),
            args.collect(),
        ))
    })
}

fn line() -> impl Strategy<Value = StmtKind> {
    let setting = select(vec![
        "window", "deadline", "samples", "zone", "expires", "sample",
    ]);
    let value = number().prop_filter(
        "no sign",
        |n| !matches!(&n.kind, ExprKind::Number { digits, .. } if digits.starts_with('+')),
    );
    prop_oneof![
        (head(), options())
            .prop_map(|(head, options)| StmtKind::Approve(Approve { head, options })),
        unnamed_head()
            .prop_filter("empty", |head| head.title.is_some()
                || !head.refs.is_empty())
            .prop_map(StmtKind::Line),
        (amount(), head()).prop_map(|(duration, head)| StmtKind::Hold(Hold { duration, head })),
        notify().prop_map(StmtKind::Notify),
        (ident(), expr()).prop_map(|(name, value)| StmtKind::Let(Let { name, value })),
        expect().prop_map(StmtKind::Expect),
        call().prop_map(StmtKind::Call),
        bound().prop_map(StmtKind::Bound),
        policy().prop_map(StmtKind::Policy),
        (setting, value).prop_map(|(word, value)| StmtKind::Setting(Setting {
            word: named(word),
            value
        })),
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
        (call(), expr()).prop_map(|(place, value)| StmtKind::Assign(Assign { place, value })),
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
}

fn stmt_kind() -> impl Strategy<Value = StmtKind> {
    line().prop_recursive(3, 16, 3, |inner| {
        let block = || block_of(inner.clone());
        prop_oneof![
            inner.clone(),
            (head(), options(), block()).prop_map(|(head, options, body)| {
                StmtKind::Section(Section {
                    head,
                    options,
                    body,
                })
            }),
            (ident(), unnamed_head(), options(), block()).prop_map(
                |(target, head, options, body)| {
                    StmtKind::Canary(Canary {
                        target,
                        head,
                        options,
                        body,
                    })
                }
            ),
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
            (amount(), block())
                .prop_map(|(condition, body)| StmtKind::When(When { condition, body })),
            block().prop_map(StmtKind::Parallel),
            (ident(), expr(), option::of(amount()), block()).prop_map(
                |(name, list, up_to, body)| {
                    StmtKind::For(For {
                        name,
                        list,
                        up_to,
                        body,
                    })
                }
            ),
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
    })
}

fn block_of(kind: impl Strategy<Value = StmtKind> + 'static) -> impl Strategy<Value = Block> {
    let stmt = (kind, comments_around()).prop_map(|(kind, comments)| Stmt {
        kind,
        span: NOWHERE,
        comments,
    });
    (vec(stmt, 0..4), own_lines(), behind()).prop_map(|(mut stmts, mut trailing, closing)| {
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
}

fn block() -> impl Strategy<Value = Block> {
    block_of(stmt_kind())
}

fn range() -> impl Strategy<Value = Range> {
    (ident(), ident()).prop_map(|(from, to)| Range {
        from,
        to,
        span: NOWHERE,
    })
}

fn provider() -> impl Strategy<Value = Provider> {
    let entry = (ident(), expr(), comments_around()).prop_map(|(key, value, comments)| Entry {
        key,
        value,
        comments,
    });
    (ident(), ident(), vec(entry, 0..4), own_lines()).prop_map(
        |(name, kind, mut settings, mut trailing)| {
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
        },
    )
}

fn item_kind() -> impl Strategy<Value = ItemKind> {
    let place = any::<bool>().prop_map(|place| place.then_some(NOWHERE));
    let param = (ident(), type_expr()).prop_map(|(name, ty)| Param { name, ty });
    let better = option::of(select(vec![
        (Better::Lower, NOWHERE),
        (Better::Higher, NOWHERE),
    ]));
    prop_oneof![
        (ident(), option::of(string()), block())
            .prop_map(|(name, title, body)| ItemKind::Plan(PlanItem { name, title, body })),
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
        (ident(), vec(param, 0..3), block())
            .prop_map(|(name, params, body)| ItemKind::Define(Define { name, params, body })),
        (ident(), block()).prop_map(|(name, body)| ItemKind::Threshold(Threshold { name, body })),
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
        (option::of(string()), block())
            .prop_map(|(title, body)| ItemKind::Scenario(Scenario { title, body })),
    ]
}

fn file() -> impl Strategy<Value = File> {
    let item = (item_kind(), comments_around()).prop_map(|(kind, comments)| Item {
        kind,
        span: NOWHERE,
        comments,
    });
    (comments_around(), vec(item, 0..4), own_lines()).prop_map(|(mut comments, items, trailing)| {
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
}
