//! What is done about a verdict: policies, and the rules and actions of a watch.

use crate::source::Span;
use crate::syntax::ast::{Expr, Head, Notify};

/// `[LABEL] ["title" ref …] when COND [for T] => ACTION, …`
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// `critical`, `high`, `medium`, … in `head.name`.
    pub head: Head,
    pub condition: Expr,
    pub duration: Option<Expr>,
    pub actions: Vec<Action>,
}

/// `no data for T => ACTION, …` of a watch.
#[derive(Clone, Debug, PartialEq)]
pub struct NoData {
    pub duration: Expr,
    pub actions: Vec<Action>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Rollback(Span),
    Pause {
        up_to: Option<Expr>,
        then: Option<Box<PolicyAction>>,
        span: Span,
    },
    Notify(Notify),
}

/// `on fail, error POLICY`, `on no data for T POLICY`
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub causes: Vec<Cause>,
    pub action: PolicyAction,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    pub kind: CauseKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum CauseKind {
    /// `fail 2 in a row`: tolerated until it was seen so often.
    Fail(Option<Counting>),
    Error,
    Inconclusive,
    /// `no data [for T]`
    NoData(Option<Expr>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Counting {
    pub fails: Expr,
    pub how: CountingHow,
}

#[derive(Clone, Debug, PartialEq)]
pub enum CountingHow {
    InARow,
    InTotal,
    /// `3 of last 5`
    OfLast(Expr),
}

#[derive(Clone, Debug, PartialEq)]
pub struct PolicyAction {
    pub kind: PolicyKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PolicyKind {
    Stop,
    Rollback,
    Warn,
    /// Without an end it does not compile; the grammar lets it through for a better message.
    Pause {
        up_to: Option<Expr>,
        then: Option<Box<PolicyAction>>,
    },
    Extend {
        up_to: Option<Expr>,
        then: Option<Box<PolicyAction>>,
    },
}
