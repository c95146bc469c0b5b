//! Nodes come into being here, each with a path of its own.

use crate::analyze::context::Cx;
use crate::analyze::expr::text;
use crate::analyze::lower::{Around, Place};
use crate::plan::node::{Node, NodeId, NodeKind};
use crate::plan::{Policies, Window};
use crate::resolve::names::DeclId;
use crate::source::Span;
use crate::syntax::ast::{Head, StringLit};

/// A node as far as its statement knows it.
pub struct Draft<'h> {
    pub head: &'h Head,
    /// For the path of what has neither name nor `ref`: `check`, `stage-50`.
    pub word: String,
    pub kind: NodeKind,
    pub policies: Policies,
    pub window: Option<Window>,
    pub span: Span,
}

/// Hangs a node under its parent; children are to be added after it.
pub fn add(cx: &mut Cx<'_, '_>, around: &Around, draft: Draft<'_>) -> NodeId {
    let id = NodeId(u32::try_from(cx.out.nodes.len()).unwrap_or(u32::MAX));
    let path = path(cx, &around.path, draft.head, &draft.word);
    let title = draft
        .head
        .title
        .as_ref()
        .and_then(|title| title_of(cx, around, title));
    let can_expire = matches!(draft.kind, NodeKind::Check(_) | NodeKind::Confirm(_));
    // What is done again and again is always new.
    let once = around.place == Place::Phase;
    let expires_ns = around.expires_ns.filter(|_| can_expire && once);
    let node = Node {
        id,
        path,
        name: draft.head.name.as_ref().map(|name| name.name.clone()),
        title,
        refs: refs(draft.head),
        kind: draft.kind,
        parent: around.parent,
        children: Vec::new(),
        after: Vec::new(),
        policies: draft.policies,
        window: draft.window,
        owner: around.owner.clone(),
        expires_ns,
        loc: cx.loc(draft.span),
    };
    cx.out.nodes.push(node);
    if let Some(parent) = around.parent
        && let Some(parent) = cx.out.nodes.get_mut(parent.0 as usize)
    {
        parent.children.push(id);
    }
    if let Some(decl) = declared(cx, draft.head) {
        cx.out.named.push((decl, id));
    }
    id
}

/// The same place, one level down.
pub fn inside(cx: &Cx<'_, '_>, around: &Around, node: NodeId) -> Around {
    let made = cx.out.nodes.get(node.0 as usize);
    Around {
        parent: Some(node),
        path: made.map(|node| node.path.clone()).unwrap_or_default(),
        policies: made.map_or_else(|| around.policies.clone(), |node| node.policies.clone()),
        ..around.clone()
    }
}

pub fn refs(head: &Head) -> Vec<String> {
    head.refs
        .iter()
        .map(|reference| reference.id.clone())
        .collect()
}

pub fn title_of(cx: &mut Cx<'_, '_>, around: &Around, title: &StringLit) -> Option<String> {
    text::title(cx, &around.env, title)
}

/// The declaration of a node's name, unless the name belongs to something else that stands before it.
fn declared(cx: &Cx<'_, '_>, head: &Head) -> Option<DeclId> {
    let name = head.name.as_ref()?;
    let decl = cx.g.names.find(&name.name)?;
    (decl.span == name.span).then_some(decl.id)
}

/// Name, else `ref`, else a number among its like: edits elsewhere change no path, and keys are made of paths.
fn path(cx: &mut Cx<'_, '_>, parent: &str, head: &Head, word: &str) -> String {
    let own = match (&head.name, head.refs.first()) {
        (Some(name), _) => name.name.clone(),
        (None, Some(reference)) => sanitized(&reference.id),
        (None, None) => String::new(),
    };
    let numbered = own.is_empty() && !word.starts_with("stage") && word != "canary";
    let base = match (parent, own.is_empty()) {
        ("", true) => word.to_owned(),
        ("", false) => own,
        (_, true) => format!("{parent}/{word}"),
        (_, false) => format!("{parent}/{own}"),
    };
    let count = cx.out.paths.entry(base.clone()).or_insert(0);
    *count += 1;
    match (*count, numbered) {
        (1, false) => base,
        (count, _) => format!("{base}-{count}"),
    }
}

fn sanitized(reference: &str) -> String {
    let letter = |c: char| {
        if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') {
            c
        } else {
            '_'
        }
    };
    reference.chars().map(letter).collect()
}
