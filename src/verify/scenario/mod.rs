//! A counterexample as a scenario: `deployc verify` writes it, `deployc simulate` plays it.
//!
//! Its world is *open*: measurements pass, people agree and changes work, but for what it says. Faults are said in the
//! language of scenarios and begin at moments of the run; where no moment says it exactly, after so many events.

pub mod play;
pub mod read;
pub mod write;

use crate::simulate::scenario::Moment;
use crate::source::Span;
use crate::syntax::ast::scenario::Scenario;
use crate::syntax::ast::{ExprKind, StmtKind};
use crate::values::fields::Fields;
use crate::verify::fault::Fault;

#[derive(Clone, Debug, Default)]
pub struct Open {
    /// Values of the plan's inputs.
    pub inputs: Fields,
    /// In the order of the text.
    pub faults: Vec<Planned>,
}

/// A fault that is to be, from a moment on.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    pub when: When,
    pub fault: Fault,
    /// Of its line; nowhere of one that was not read from a text.
    pub span: Option<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So many nanoseconds after something happened for the first time.
    After(Moment, i64),
    /// After so many events of the run.
    Event(u64),
}

/// `world = open`
pub fn is_open(tree: &Scenario) -> bool {
    let named = |kind: &ExprKind, word: &str| matches!(kind, ExprKind::Name(name) if name == word);
    tree.body.stmts.iter().any(|stmt| match &stmt.kind {
        StmtKind::Assign(said) => {
            named(&said.place.kind, "world") && named(&said.value.kind, "open")
        }
        _ => false,
    })
}
