//! What people are asked: `confirm` and `approve`, each with its end.

use crate::analyze::context::Cx;
use crate::analyze::expr::constant;
use crate::analyze::lower::nodes::Draft;
use crate::analyze::lower::options::Word;
use crate::analyze::lower::{Around, Asked, People, Place, nodes, options};
use crate::analyze::messages::structure as say;
use crate::plan::node::{Approve, Confirm, NodeKind, Quorum};
use crate::resolve::names::What;
use crate::source::Span;
use crate::syntax::ast;
use crate::syntax::ast::clause::{By, Clause, ClauseKind};
use crate::syntax::ast::{Expr, ExprKind, Head, Ident, StmtKind, StringPart};

const CONFIRM: &[Word] = &[
    Word::By,
    Word::Within,
    Word::Owner,
    Word::Expires,
    Word::After,
    Word::Window,
    Word::On,
];

/// What is asked again and again is always new.
const CONFIRM_EVERY: &[Word] = &[
    Word::By,
    Word::Within,
    Word::Owner,
    Word::After,
    Word::Window,
    Word::On,
];

const APPROVE: &[Word] = &[
    Word::By,
    Word::Within,
    Word::Owner,
    Word::Expires,
    Word::After,
    Word::Window,
    Word::On,
];

pub fn confirm(cx: &mut Cx<'_, '_>, around: &Around, confirm: &ast::Confirm, span: Span) {
    let allowed = match around.place {
        Place::Phase => CONFIRM,
        Place::Every | Place::Stage => CONFIRM_EVERY,
    };
    options::check(cx, &confirm.options, "a confirmation", allowed);
    let around = &options::with_own(cx, around, &confirm.options);
    let people = people(cx, around, &confirm.options);
    let asked = who(cx, &people, "a confirmation", span);
    let within_ns = deadline(cx, &people, "a confirmation", span);
    if let Some(asked) = &asked
        && asked.quorum != Quorum::People(1)
    {
        cx.report(say::confirmation_by_several(asked.span));
    }
    let kind = NodeKind::Confirm(Confirm {
        roles: asked.map(|asked| asked.roles).unwrap_or_default(),
        within_ns: within_ns.unwrap_or(0),
    });
    let Some(lines) = &confirm.lines else {
        let node = hang(
            cx,
            around,
            &confirm.head,
            &confirm.options,
            "confirm",
            kind,
            span,
        );
        options::wait(cx, node, &confirm.options);
        return;
    };
    let group = NodeKind::ConfirmGroup;
    let node = hang(
        cx,
        around,
        &confirm.head,
        &confirm.options,
        "confirm",
        group,
        span,
    );
    options::wait(cx, node, &confirm.options);
    let inside = nodes::inside(cx, around, node);
    for stmt in &lines.stmts {
        match &stmt.kind {
            StmtKind::Line(head) => {
                hang(cx, &inside, head, &[], "line", kind.clone(), stmt.span);
            }
            StmtKind::Junk => {}
            _ => cx.report(say::misplaced(
                stmt,
                "in a `confirm`, whose lines are titles",
            )),
        }
    }
    if lines.stmts.is_empty() {
        cx.report(say::nothing_in(
            "a confirmation",
            span,
            "a line for each thing that is confirmed",
        ));
    }
}

pub fn approve(cx: &mut Cx<'_, '_>, around: &Around, approve: &ast::Approve, span: Span) {
    options::check(cx, &approve.options, "an approval", APPROVE);
    let around = &options::with_own(cx, around, &approve.options);
    let people = people(cx, around, &approve.options);
    let asked = who(cx, &people, "an approval", span);
    let within_ns = deadline(cx, &people, "an approval", span);
    let quorum = asked
        .as_ref()
        .map_or(Quorum::People(1), |asked| asked.quorum);
    let kind = NodeKind::Approve(Approve {
        roles: asked.map(|asked| asked.roles).unwrap_or_default(),
        quorum,
        within_ns: within_ns.unwrap_or(0),
        expires_ns: around.expires_ns,
    });
    let node = hang(
        cx,
        around,
        &approve.head,
        &approve.options,
        "approve",
        kind,
        span,
    );
    options::wait(cx, node, &approve.options);
}

/// `by` and `within` of an item or a section over those around it.
pub fn people(cx: &mut Cx<'_, '_>, around: &Around, options: &[Clause]) -> People {
    let by = options.iter().find_map(|clause| match &clause.kind {
        ClauseKind::By(by) => Some((by, clause.span)),
        _ => None,
    });
    let asked = by.and_then(|(by, span)| asked(cx, by, span));
    let within = options::within(options);
    let within_ns = within
        .and_then(|time| constant::duration_ns(cx, &around.env, time, "the time of a `within`"));
    People {
        asked: match by {
            Some(_) => Some(asked.unwrap_or(Asked {
                roles: Vec::new(),
                quorum: Quorum::People(1),
                span: by.map_or(Span::new(crate::source::FileId(0), 0, 0), |(_, span)| span),
            })),
            None => around.people.asked.clone(),
        },
        within_ns: match within {
            Some(_) => Some(within_ns.unwrap_or(0)),
            None => around.people.within_ns,
        },
    }
}

fn hang(
    cx: &mut Cx<'_, '_>,
    around: &Around,
    head: &Head,
    options: &[Clause],
    word: &str,
    kind: NodeKind,
    span: Span,
) -> crate::plan::node::NodeId {
    let draft = Draft {
        head,
        word: word.to_owned(),
        policies: options::policies(cx, &around.env, options, &around.policies),
        window: options::window(cx, &around.env, options),
        kind,
        span,
    };
    nodes::add(cx, around, draft)
}

fn who(cx: &mut Cx<'_, '_>, people: &People, noun: &str, span: Span) -> Option<Asked> {
    if people.asked.is_none() {
        cx.report(say::nobody_asked(noun, span));
    }
    people.asked.clone()
}

fn deadline(cx: &mut Cx<'_, '_>, people: &People, noun: &str, span: Span) -> Option<i64> {
    if people.within_ns.is_none() {
        cx.report(say::people_without_deadline(noun, span));
    }
    people.within_ns
}

/// People are counted, not roles: where everybody who has the roles is written down, there have to be enough of them.
fn asked(cx: &mut Cx<'_, '_>, by: &By, span: Span) -> Option<Asked> {
    let known: Vec<Option<String>> = by
        .roles
        .iter()
        .map(|role| options::role(cx, role))
        .collect();
    let roles: Vec<String> = known.into_iter().collect::<Option<_>>()?;
    let members = members(cx, &by.roles);
    let quorum = match (&by.quorum, roles.as_slice(), &members) {
        (ast::clause::Quorum::One, ..) => Quorum::People(1),
        (ast::clause::Quorum::Of(0), ..) => {
            cx.report(say::quorum_of_nobody(span));
            return None;
        }
        (ast::clause::Quorum::Of(count), ..) => Quorum::People(*count),
        (ast::clause::Quorum::All, [_], Some(members)) => {
            Quorum::People(u32::try_from(members.len()).unwrap_or(u32::MAX))
        }
        (ast::clause::Quorum::All, [_], None) => {
            cx.report(say::all_of_unknown(span));
            return None;
        }
        (ast::clause::Quorum::All, ..) => Quorum::EachRole,
    };
    let needed = match quorum {
        Quorum::People(count) => count as usize,
        Quorum::EachRole => roles.len(),
    };
    if let Some(members) = members
        && members.len() < needed
    {
        cx.report(say::too_few_people(span, needed, members.len()));
    }
    Some(Asked {
        roles,
        quorum,
        span,
    })
}

/// Everybody who has one of the roles, each once; `None` where a role does not say who has it.
fn members(cx: &Cx<'_, '_>, roles: &[Ident]) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for role in roles {
        let What::Role(role) = cx.g.names.find(&role.name)?.what else {
            return None;
        };
        for member in names_in(role.members.as_ref()?)? {
            if !all.contains(&member) {
                all.push(member);
            }
        }
    }
    Some(all)
}

/// The texts of a list that is written out.
fn names_in(list: &Expr) -> Option<Vec<String>> {
    let ExprKind::List(items) = &list.kind else {
        return None;
    };
    let one = |item: &Expr| match &item.kind {
        ExprKind::String(string) => match string.parts.as_slice() {
            [StringPart::Text(text)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    };
    items.iter().map(one).collect()
}
