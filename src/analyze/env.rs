//! What surrounds an expression: the names that are bound here, and what this place allows.

use crate::analyze::typed::Typed;
use crate::plan::expr::Scope;
use crate::resolve::names::DeclId;
use crate::source::Span;
use std::sync::Arc;

/// Cheap to clone: what is bound is shared until something more is.
#[derive(Clone, Debug, Default)]
pub struct Env {
    bindings: Arc<Vec<(String, Typed)>>,
    pub place: Place,
    /// `on canary`: the scope of every metric that has none of its own.
    pub scope: Option<Scope>,
    /// Calls of `define`s that lead here, outermost first.
    pub calls: Vec<DeclId>,
    /// How many blocks stand around this place, those of its defines included.
    pub depth: usize,
    /// The `every` around this place: what stands in it is done anew in each round.
    pub every: Option<Span>,
}

/// What kind of place this is, for the rules that depend on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    pub canary: Canary,
    pub judged: Judged,
    pub cause: Cause,
    pub role: Role,
}

/// Whether a canary takes a part of the traffic while this is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Canary {
    #[default]
    None,
    /// In its stages, or in a watch or a rollback over its range: `canary.` is known.
    Known(DeclId),
    /// Beside it: only totals can be asked for.
    Beside,
    /// In a threshold or a define that is read by itself: whoever uses it decides.
    Open,
}

/// Whether a condition is judged once, or again and again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Judged {
    #[default]
    Once,
    /// In a watch.
    ByWatch,
    /// With `within`, `for`, in a stage or in an `every`.
    Again,
}

/// Whether there is a `cause` to speak of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    #[default]
    None,
    Known,
}

/// For messages, and for what may be called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    #[default]
    Condition,
    Metric,
    Constant,
    Text,
}

impl Env {
    /// Where the place is not known: a define or a threshold by itself.
    pub fn open() -> Env {
        let mut env = Env::default();
        env.place.canary = Canary::Open;
        env
    }

    /// The same place, but nothing is bound: inside of a define or a threshold.
    pub fn unbound(&self) -> Env {
        Env {
            bindings: Arc::default(),
            ..self.clone()
        }
    }

    pub fn bind(&mut self, name: &str, typed: Typed) {
        Arc::make_mut(&mut self.bindings).push((name.to_owned(), typed));
    }

    /// The innermost binding of a name, at the place where it is used.
    pub fn lookup(&self, name: &str, span: Span) -> Option<Typed> {
        let (_, typed) = self
            .bindings
            .iter()
            .rev()
            .find(|(bound, _)| bound == name)?;
        Some(Typed {
            span,
            ..typed.clone()
        })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.bindings.iter().map(|(name, _)| name.as_str())
    }
}
