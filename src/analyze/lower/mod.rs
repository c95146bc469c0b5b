//! From statements to nodes of the plan: names bound, defines and thresholds written out, copies made.

pub mod canary;
pub mod check;
pub mod comparison;
pub mod define;
pub mod judge;
pub mod nodes;
pub mod notify;
pub mod options;
pub mod people;
pub mod phase;
pub mod policy;
pub mod rollback;
pub mod stage;
pub mod statement;
pub mod step;
pub mod threshold;
pub mod time;
pub mod unroll;
pub mod watch;
pub mod weight;

use crate::analyze::env::Env;
use crate::plan::Policies;
use crate::plan::expr::Expr;
use crate::plan::node::{NodeId, Quorum};
use crate::source::Span;

/// What surrounds a statement: where it hangs, what is bound, what it inherits.
#[derive(Clone, Debug)]
pub struct Around {
    /// `None` for a phase, and for what a rollback verifies.
    pub parent: Option<NodeId>,
    pub path: String,
    pub env: Env,
    pub policies: Policies,
    pub people: People,
    pub place: Place,
    /// The role that is responsible for what stands here.
    pub owner: Option<String>,
    /// How long evidence is worth something here.
    pub expires_ns: Option<i64>,
    /// Elements of lists that a run has to have, for what stands here to apply; only in a stage.
    pub applies: Vec<Expr>,
}

/// Which statements may stand here, and how `let`s are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A phase, and what groups its items.
    Phase,
    Every,
    Stage,
}

/// Who is asked and how long is waited, where a section says so for its items.
#[derive(Clone, Debug, Default)]
pub struct People {
    pub asked: Option<Asked>,
    pub within_ns: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct Asked {
    pub roles: Vec<String>,
    pub quorum: Quorum,
    pub span: Span,
}
