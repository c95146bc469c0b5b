//! What stands behind the head of an item: time limits, people, the way back.

use crate::source::Span;
use crate::syntax::ast::policy::Policy;
use crate::syntax::ast::{Expr, Head, Ident, StringLit};

/// A word and what belongs to it, behind the head of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    pub kind: ClauseKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ClauseKind {
    /// `within T`
    Within(Expr),
    /// `for T`
    For(Expr),
    /// `timeout T`
    Timeout(Expr),
    /// `expires T`
    Expires(Expr),
    /// `window A .. B`
    Window(Expr),
    /// `pods N` of a stage
    Pods(Expr),
    /// `by R`, `by 2 of (R, S)`, `by all of (R, S)`
    By(By),
    /// `after a, b`
    After(Vec<Ident>),
    /// `undo timeout T`, `undo CALL timeout T`, `undo "title" ref … [CALL] timeout T`
    Undo(Box<Undo>),
    /// `keep "why"`
    Keep(StringLit),
    /// `irreversible "why"`
    Irreversible(StringLit),
    /// `owner R`
    Owner(Ident),
    /// `file "path"` of a notify
    File(StringLit),
    /// `at_most_once` of a step whose effect cannot be observed.
    AtMostOnce,
    /// `on fail POLICY` behind an item.
    On(Policy),
}

#[derive(Clone, Debug, PartialEq)]
pub struct By {
    pub quorum: Quorum,
    pub roles: Vec<Ident>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Quorum {
    /// `by R`
    One,
    /// `by N of (…)`
    Of(u32),
    /// `by all of (…)`
    All,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    pub head: Head,
    /// `None`: derived from the object as it was before.
    pub call: Option<Expr>,
    pub timeout: Option<Expr>,
}
