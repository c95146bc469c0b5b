//! Heads, clauses, policies and actions.

use crate::syntax::ast::clause::{By, Clause, ClauseKind, Quorum, Undo};
use crate::syntax::ast::policy::{
    Action, Cause, CauseKind, Counting, CountingHow, Policy, PolicyAction, PolicyKind,
};
use crate::syntax::ast::{Expr, Head, Ident, Notify, Range, Reference};
use crate::syntax::print::doc::{Doc, text};
use crate::syntax::print::expr::{expr, quoted, quoted_text};

/// Name, title, references.
pub fn head(head: &Head) -> Vec<Doc> {
    let mut parts = Vec::new();
    parts.extend(head.name.as_ref().map(|name| text(name.name.clone())));
    parts.extend(title_and_refs(head));
    parts
}

pub fn title_and_refs(head: &Head) -> Vec<Doc> {
    let mut parts = Vec::new();
    parts.extend(head.title.as_ref().map(|title| text(quoted(title))));
    if !head.refs.is_empty() {
        let ids: Vec<String> = head.refs.iter().map(reference).collect();
        parts.push(text(format!("ref {}", ids.join(", "))));
    }
    parts
}

pub fn word(word: &str, value: &Expr) -> Doc {
    Doc::Concat(vec![text(format!("{word} ")), expr(value)])
}

pub fn names(names: &[Ident]) -> String {
    let names: Vec<&str> = names.iter().map(|name| name.name.as_str()).collect();
    names.join(", ")
}

pub fn during(range: &Range) -> String {
    match range.from.name == range.to.name {
        true => format!("during {}", range.from.name),
        false => format!("during {} .. {}", range.from.name, range.to.name),
    }
}

pub fn clauses(options: &[Clause]) -> Vec<Doc> {
    options.iter().map(clause).collect()
}

pub fn policy(policy: &Policy) -> Doc {
    let mut parts = vec![text("on ")];
    for (index, cause) in policy.causes.iter().enumerate() {
        if index > 0 {
            parts.push(text(", "));
        }
        parts.push(self::cause(cause));
    }
    parts.push(text(" "));
    parts.push(policy_action(&policy.action));
    Doc::Concat(parts)
}

/// `=> A, B`
pub fn actions(actions: &[Action]) -> Doc {
    let mut parts = vec![text("=>")];
    for (index, action) in actions.iter().enumerate() {
        parts.push(text(if index > 0 { ", " } else { " " }));
        parts.push(self::action(action));
    }
    Doc::Concat(parts)
}

pub fn notify(notify: &Notify) -> Vec<Doc> {
    let mut parts = vec![text(format!("notify {}", notify.target.name))];
    parts.extend(title_and_refs(&notify.head));
    parts.extend(clauses(&notify.options));
    parts.extend(notify.text.as_ref().map(|words| text(quoted(words))));
    parts
}

/// As it was written: bare where that can be read again.
pub fn reference(reference: &Reference) -> String {
    let id = &reference.id;
    let bare = id.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !matches!(id.as_str(), "rollback" | "pause" | "notify");
    match bare {
        true => id.clone(),
        false => quoted_text(id),
    }
}

fn clause(clause: &Clause) -> Doc {
    match &clause.kind {
        ClauseKind::Within(time) => word("within", time),
        ClauseKind::For(time) => word("for", time),
        ClauseKind::Timeout(time) => word("timeout", time),
        ClauseKind::Expires(time) => word("expires", time),
        ClauseKind::Window(window) => word("window", window),
        ClauseKind::Pods(pods) => word("pods", pods),
        ClauseKind::By(people) => text(by(people)),
        ClauseKind::After(items) => text(format!("after {}", names(items))),
        ClauseKind::Undo(way_back) => undo(way_back),
        ClauseKind::Keep(why) => text(format!("keep {}", quoted(why))),
        ClauseKind::Irreversible(why) => text(format!("irreversible {}", quoted(why))),
        ClauseKind::Owner(role) => text(format!("owner {}", role.name)),
        ClauseKind::File(path) => text(format!("file {}", quoted(path))),
        ClauseKind::AtMostOnce => text("at_most_once"),
        ClauseKind::On(action) => policy(action),
    }
}

fn by(by: &By) -> String {
    let roles = names(&by.roles);
    match by.quorum {
        Quorum::One => format!("by {roles}"),
        Quorum::Of(count) => format!("by {count} of ({roles})"),
        Quorum::All => format!("by all of ({roles})"),
    }
}

fn undo(undo: &Undo) -> Doc {
    let mut parts = vec![text("undo")];
    let mut say = |doc: Doc| parts.extend([text(" "), doc]);
    for part in title_and_refs(&undo.head) {
        say(part);
    }
    if let Some(call) = &undo.call {
        say(expr(call));
    }
    if let Some(timeout) = &undo.timeout {
        say(word("timeout", timeout));
    }
    Doc::Concat(parts)
}

fn cause(cause: &Cause) -> Doc {
    match &cause.kind {
        CauseKind::Fail(None) => text("fail"),
        CauseKind::Fail(Some(counting)) => counted(counting),
        CauseKind::Error => text("error"),
        CauseKind::Inconclusive => text("inconclusive"),
        CauseKind::NoData(None) => text("no data"),
        CauseKind::NoData(Some(time)) => word("no data for", time),
    }
}

fn counted(counting: &Counting) -> Doc {
    let mut parts = vec![word("fail", &counting.fails)];
    match &counting.how {
        CountingHow::InARow => parts.push(text(" in a row")),
        CountingHow::InTotal => parts.push(text(" in total")),
        CountingHow::OfLast(last) => parts.extend([text(" of "), word("last", last)]),
    }
    Doc::Concat(parts)
}

fn policy_action(action: &PolicyAction) -> Doc {
    match &action.kind {
        PolicyKind::Stop => text("stop"),
        PolicyKind::Rollback => text("rollback"),
        PolicyKind::Warn => text("warn"),
        PolicyKind::Pause { up_to, then } => timed("pause", up_to.as_ref(), then.as_deref()),
        PolicyKind::Extend { up_to, then } => timed("extend", up_to.as_ref(), then.as_deref()),
    }
}

fn timed(word: &'static str, up_to: Option<&Expr>, then: Option<&PolicyAction>) -> Doc {
    let mut parts = vec![text(word)];
    if let Some(time) = up_to {
        parts.extend([text(" up to "), expr(time)]);
    }
    if let Some(then) = then {
        parts.extend([text(" then "), policy_action(then)]);
    }
    Doc::Concat(parts)
}

fn action(action: &Action) -> Doc {
    match action {
        Action::Rollback(_) => text("rollback"),
        Action::Pause { up_to, then, .. } => timed("pause", up_to.as_ref(), then.as_deref()),
        Action::Notify(message) => {
            let mut parts = Vec::new();
            for part in notify(message) {
                if !parts.is_empty() {
                    parts.push(text(" "));
                }
                parts.push(part);
            }
            Doc::Concat(parts)
        }
    }
}
