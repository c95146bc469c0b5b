//! What a test expects of a run: terms over its times, verdicts and messages, and over the world itself.

pub mod compare;
pub mod facts;
pub mod judge;
pub mod unchanged;

use crate::plan::node::NodeId;
use crate::providers::request::Call;
use crate::source::Span;
use crate::syntax::ast::CompareOp;
use crate::values::Value;

#[derive(Clone, Debug)]
pub struct Expectation {
    pub term: Term,
    pub when: When,
    /// Of the whole statement.
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    End,
    /// After whatever happens, in the run or in the world.
    Always,
    /// At the moment of the block in which it stands.
    Moment,
}

#[derive(Clone, Debug)]
pub struct Term {
    pub kind: TermKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum TermKind {
    Value(Value),
    /// The word of the language for how it ended; `running` before.
    Outcome,
    Cause,
    Paused,
    /// Names of steps that stay as they are in a rollback.
    Kept,
    /// Names of what was undone, in the order in which it was.
    RollbackOrder,
    Time(Time, Subject),
    Verdict(NodeId),
    RuleVerdict(RuleId),
    Fired(RuleId),
    /// How many messages were delivered, of those that hold a text.
    Told {
        provider: String,
        part: Option<String>,
    },
    /// What the world answers, taken apart by fields.
    Read(Call, Vec<String>),
    /// `world == world at start`
    Unchanged,
    /// `story == snapshot("name")`
    Snapshot(String),
    Not(Box<Term>),
    And(Box<Term>, Box<Term>),
    Or(Box<Term>, Box<Term>),
    Plus(Box<Term>, Box<Term>),
    Minus(Box<Term>, Box<Term>),
    Compare(Box<Term>, Vec<(CompareOp, Term)>),
    /// One moment, and not after it another.
    Before(Box<Term>, Box<Term>),
    /// Two moments that are no further apart.
    Within(Box<Term>, i64, Box<Term>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    Started,
    Ended,
    Took,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Run,
    Rollback,
    Node(NodeId),
}

/// A rule of a watch, by their places in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId {
    pub watch: usize,
    pub rule: usize,
}

impl Term {
    pub fn is_written(&self) -> bool {
        matches!(self.kind, TermKind::Value(_))
    }
}
