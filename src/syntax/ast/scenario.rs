//! A scripted day for `simulate`, and with expectations for `test`.

use crate::source::Span;
use crate::syntax::ast::{Block, Expr, Ident, Reference, StringLit};

/// `scenario "title" { at rollout.stage(50%) + 2m { canary.error_rate = 12% } }`
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub title: Option<StringLit>,
    /// [`StmtKind::At`], [`StmtKind::Assign`], [`StmtKind::Trouble`], [`StmtKind::Answer`], [`StmtKind::Setting`]; of a test
    /// [`StmtKind::Expect`] and [`StmtKind::Promise`], too.
    pub body: Block,
}

/// `at rollout.stage(50%) + 2m [for T] { … }`; `always { … }` is an `At` without a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct At {
    pub moment: Option<Expr>,
    pub duration: Option<Expr>,
    pub body: Block,
}

/// `PLACE = VALUE [every T] [for T]`; the place is a metric, a scoped metric, or a call with fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Assign {
    pub place: Expr,
    pub value: Expr,
    /// The time between the samples of a series.
    pub every: Option<Expr>,
    pub duration: Option<Expr>,
}

/// `prom is down`, `engineer is silent`, `release fails before applying`, `undo release is unknown`, each perhaps `for T`.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// The word `undo` before it.
    pub undo: Option<Span>,
    pub what: Expr,
    pub how: How,
    pub span: Span,
    pub duration: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `is down`
    Down,
    /// `is silent`
    Silent,
    /// `fails before applying`
    Fails(Applying),
    /// `is unknown`, with or without when.
    Unknown(Option<Applying>),
    /// What only an open world knows: `is unmet`, `stays unreachable`.
    Open {
        verb: Verb,
        word: Word,
        when: Option<Applying>,
    },
}

/// Whether it is about the next time only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Is,
    Stays,
}

/// What may be wrong in an open world, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Silent,
    Unknown,
    Met,
    Unmet,
    Blind,
    Nonsense,
    Unreachable,
    Refused,
    Late,
    Foreign,
    Forged,
    Doubled,
    Skipped,
    Lost,
    Down,
}

impl Word {
    pub const ALL: [Word; 15] = [
        Word::Silent,
        Word::Unknown,
        Word::Met,
        Word::Unmet,
        Word::Blind,
        Word::Nonsense,
        Word::Unreachable,
        Word::Refused,
        Word::Late,
        Word::Foreign,
        Word::Forged,
        Word::Doubled,
        Word::Skipped,
        Word::Lost,
        Word::Down,
    ];

    pub fn text(self) -> &'static str {
        match self {
            Word::Silent => "silent",
            Word::Unknown => "unknown",
            Word::Met => "met",
            Word::Unmet => "unmet",
            Word::Blind => "blind",
            Word::Nonsense => "nonsense",
            Word::Unreachable => "unreachable",
            Word::Refused => "refused",
            Word::Late => "late",
            Word::Foreign => "foreign",
            Word::Forged => "forged",
            Word::Doubled => "doubled",
            Word::Skipped => "skipped",
            Word::Lost => "lost",
            Word::Down => "down",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applying {
    Before,
    After,
}

/// `kill [after applying] [for T]`: the process ends, and another one goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Kill {
    /// What becomes of the changes that were on their way.
    pub applying: Option<Applying>,
    pub span: Span,
    pub duration: Option<Expr>,
}

/// `expect [always] C [before D | within T of E | at start]`
#[derive(Clone, Debug, PartialEq)]
pub struct Promise {
    pub always: Option<Span>,
    pub condition: Expr,
    pub tail: Option<Tail>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Tail {
    Before(Expr),
    Within(Expr, Expr),
    AtStart(Span),
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
