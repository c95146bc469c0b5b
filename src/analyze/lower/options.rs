//! Clauses behind an item: which ones it takes, each once.

use crate::analyze::context::{Cx, unlinked_node};
use crate::analyze::env::Env;
use crate::analyze::expr::{constant, name};
use crate::analyze::lower::{Around, policy};
use crate::analyze::messages::structure as say;
use crate::plan::node::{Edge, EdgeWhy};
use crate::plan::{Policies, Window};
use crate::resolve::messages;
use crate::resolve::names::What;
use crate::source::Span;
use crate::syntax::ast::clause::{Clause, ClauseKind};
use crate::syntax::ast::{Expr, Ident};

/// Clauses by their word; `on …` may stand several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Within,
    For,
    Timeout,
    Expires,
    Window,
    Pods,
    By,
    After,
    Undo,
    Keep,
    Irreversible,
    Owner,
    File,
    AtMostOnce,
    On,
}

/// Reports clauses that `noun` does not take, and those that stand twice.
pub fn check(cx: &mut Cx<'_, '_>, options: &[Clause], noun: &str, allowed: &[Word]) {
    let mut seen: Vec<(Word, Span)> = Vec::new();
    for clause in options {
        let (word, text) = word(&clause.kind);
        if !allowed.contains(&word) {
            cx.report(say::clause_misplaced(text, clause.span, noun));
            continue;
        }
        match seen.iter().find(|(known, _)| *known == word) {
            Some((_, first)) if word != Word::On => {
                cx.report(say::doubled(text, clause.span, *first));
            }
            _ => seen.push((word, clause.span)),
        }
    }
}

pub fn within(options: &[Clause]) -> Option<&Expr> {
    options.iter().find_map(|clause| match &clause.kind {
        ClauseKind::Within(time) => Some(time),
        _ => None,
    })
}

pub fn timeout(options: &[Clause]) -> Option<&Expr> {
    options.iter().find_map(|clause| match &clause.kind {
        ClauseKind::Timeout(time) => Some(time),
        _ => None,
    })
}

pub fn window(cx: &mut Cx<'_, '_>, env: &Env, options: &[Clause]) -> Option<Window> {
    let written = options.iter().find_map(|clause| match &clause.kind {
        ClauseKind::Window(window) => Some(window),
        _ => None,
    })?;
    let (from, to) = constant::interval(cx, env, written, "a window")?;
    Some(Window { from, to })
}

/// What surrounds an item with its own `owner` and `expires`.
pub fn with_own(cx: &mut Cx<'_, '_>, around: &Around, options: &[Clause]) -> Around {
    let mut own = around.clone();
    for clause in options {
        match &clause.kind {
            ClauseKind::Owner(written) => own.owner = role(cx, written).or(own.owner),
            ClauseKind::Expires(time) => {
                let what = "the life of evidence";
                own.expires_ns = constant::duration_ns(cx, &around.env, time, what);
            }
            _ => {}
        }
    }
    own
}

/// The policies behind an item, over those around it.
pub fn policies(cx: &mut Cx<'_, '_>, env: &Env, options: &[Clause], around: &Policies) -> Policies {
    let written = options.iter().filter_map(|clause| match &clause.kind {
        ClauseKind::On(policy) => Some(policy),
        _ => None,
    });
    policy::apply(cx, env, written, around)
}

/// `after a, b`
pub fn after(cx: &mut Cx<'_, '_>, options: &[Clause]) -> Vec<Edge> {
    let names = options.iter().filter_map(|clause| match &clause.kind {
        ClauseKind::After(names) => Some(names),
        _ => None,
    });
    names.flatten().filter_map(|name| edge(cx, name)).collect()
}

fn edge(cx: &mut Cx<'_, '_>, name: &Ident) -> Option<Edge> {
    let is_node = |what: &What<'_>| matches!(what, What::Phase(_) | What::Step(_) | What::Node(_));
    let Some(decl) = cx.g.names.find(&name.name).cloned() else {
        let near =
            cx.g.names
                .nearest(&name.name, is_node)
                .map(|decl| decl.name);
        cx.report(messages::unknown_name(name, "item", near));
        return None;
    };
    cx.out.used.insert(decl.id);
    if !is_node(&decl.what) {
        cx.report(messages::wrong_kind(
            name,
            &decl,
            "a phase, a step or another item with a name",
        ));
        return None;
    }
    Some(Edge {
        from: unlinked_node(decl.id),
        why: EdgeWhy::After,
        loc: cx.loc(name.span),
    })
}

/// A name that has to stand for a phase, a step, a stage or another item.
pub fn node_name(cx: &mut Cx<'_, '_>, written: &Ident) -> Option<crate::plan::node::NodeId> {
    edge(cx, written).map(|edge| edge.from)
}

/// Adds the edges of `after` to a node.
pub fn wait(cx: &mut Cx<'_, '_>, node: crate::plan::node::NodeId, options: &[Clause]) {
    let edges = after(cx, options);
    if let Some(node) = cx.out.nodes.get_mut(node.0 as usize) {
        node.after.extend(edges);
    }
}

fn word(kind: &ClauseKind) -> (Word, &'static str) {
    match kind {
        ClauseKind::Within(_) => (Word::Within, "within"),
        ClauseKind::For(_) => (Word::For, "for"),
        ClauseKind::Timeout(_) => (Word::Timeout, "timeout"),
        ClauseKind::Expires(_) => (Word::Expires, "expires"),
        ClauseKind::Window(_) => (Word::Window, "window"),
        ClauseKind::Pods(_) => (Word::Pods, "pods"),
        ClauseKind::By(_) => (Word::By, "by"),
        ClauseKind::After(_) => (Word::After, "after"),
        ClauseKind::Undo(_) => (Word::Undo, "undo"),
        ClauseKind::Keep(_) => (Word::Keep, "keep"),
        ClauseKind::Irreversible(_) => (Word::Irreversible, "irreversible"),
        ClauseKind::Owner(_) => (Word::Owner, "owner"),
        ClauseKind::File(_) => (Word::File, "file"),
        ClauseKind::AtMostOnce => (Word::AtMostOnce, "at_most_once"),
        ClauseKind::On(_) => (Word::On, "on"),
    }
}

/// Whether a name is that of a role; kept here because clauses name roles.
pub fn role(cx: &mut Cx<'_, '_>, written: &Ident) -> Option<String> {
    name::role(cx, written).map(|decl| decl.name.to_owned())
}
