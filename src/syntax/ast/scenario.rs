//! A scripted day for `simulate`.

use crate::syntax::ast::{Block, Expr, Ident, Reference, StringLit};

/// `scenario "title" { at rollout.stage(50%) + 2m { canary.error_rate = 12% } }`
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub title: Option<StringLit>,
    /// [`StmtKind::At`], [`StmtKind::Assign`], [`StmtKind::Answer`], [`StmtKind::Setting`].
    pub body: Block,
}

/// `at rollout.stage(50%) + 2m [for T] { … }`; `always { … }` is an `At` without a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct At {
    pub moment: Option<Expr>,
    pub duration: Option<Expr>,
    pub body: Block,
}

/// `PLACE = VALUE`; the place is a metric, a scoped metric, or a call with fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Assign {
    pub place: Expr,
    pub value: Expr,
}

/// `engineer approves go_live after 2m`
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub who: Ident,
    /// `approves`, `rejects`, `confirms`, `declines`, `aborts`.
    pub verb: Ident,
    pub item: Option<Reference>,
    pub after: Option<Expr>,
}
