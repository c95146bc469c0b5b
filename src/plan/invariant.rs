//! What a plan says of itself that has to hold on every day: data only.
//!
//! No part of the plan that is carried out, and of no weight for its digest: it is proved, by `check` or by `verify`.

use crate::plan::node::NodeId;
use crate::source::Span;

#[derive(Clone, Debug, PartialEq)]
pub struct Invariant {
    /// Empty where it has none.
    pub title: String,
    pub refs: Vec<String>,
    pub span: Span,
    pub claims: Vec<Claim>,
}

/// One line of an invariant.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    pub text: String,
    pub span: Span,
    pub says: Formula,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Formula {
    /// What follows from the plan alone.
    Known(bool),
    Atom(Atom),
    Not(Box<Formula>),
    And(Box<Formula>, Box<Formula>),
    Or(Box<Formula>, Box<Formula>),
}

/// What differs from run to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Atom {
    /// The run has ended, in this way.
    Ended(End),
    /// The item has passed, with everything in it.
    Passed(NodeId),
    /// Something that only the world can tell.
    World,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Succeeded,
    Stopped,
    RolledBack,
    RollbackIncomplete,
}

impl Formula {
    /// `None`: what is known does not decide it.
    pub fn holds(&self, known: &dyn Fn(Atom) -> Option<bool>) -> Option<bool> {
        match self {
            Formula::Known(holds) => Some(*holds),
            Formula::Atom(atom) => known(*atom),
            Formula::Not(inner) => inner.holds(known).map(|holds| !holds),
            Formula::And(left, right) => match (left.holds(known), right.holds(known)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Formula::Or(left, right) => match (left.holds(known), right.holds(known)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
        }
    }

    pub fn atoms(&self) -> Vec<Atom> {
        match self {
            Formula::Known(_) => Vec::new(),
            Formula::Atom(atom) => vec![*atom],
            Formula::Not(inner) => inner.atoms(),
            Formula::And(left, right) | Formula::Or(left, right) => {
                let mut atoms = left.atoms();
                atoms.extend(right.atoms());
                atoms
            }
        }
    }
}

impl Claim {
    /// Whether the plan alone decides it.
    pub fn proved(&self) -> Option<bool> {
        self.says.holds(&|_| None)
    }

    /// Whether it takes the world to decide it.
    pub fn is_of_the_world(&self) -> bool {
        self.says.atoms().contains(&Atom::World)
    }
}

impl Invariant {
    /// As people know it.
    pub fn name(&self) -> String {
        match (self.title.as_str(), self.refs.first()) {
            ("", Some(id)) => format!("invariant {id}"),
            ("", None) => "an invariant".to_owned(),
            (title, _) => format!("the invariant \"{title}\""),
        }
    }
}
