//! A link of the chain: what happened, what proves it, and what it came from.

use crate::engine::protocol::Measured;
use crate::plan::LocId;
use crate::providers::request::{Call, Failure};
use crate::values::{Instant, Value, Verdict};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Link {
    /// A sentence without its time: `the rule "Errors" fired`.
    pub what: String,
    pub tie: Tie,
    pub at: Option<Instant>,
    /// The line of the plan that says so.
    pub loc: Option<LocId>,
    pub evidence: Vec<Evidence>,
    pub because: Vec<Link>,
}

/// How it hangs on the link above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    Because,
    /// One of several things that the one above is made of.
    Part,
}

#[derive(Clone, Debug)]
pub enum Evidence {
    /// One judgement of one clause at one instant.
    Sample(Sampled),
    /// So many samples between the ones beside it, all with the same verdict.
    Alike { count: usize },
    /// What was asked of a provider, as it was sent.
    Question(Question),
    /// Something that was done or said at a moment.
    Moment { at: Instant, words: String },
    /// More to know, without a moment.
    Words(String),
    /// What a person can do about it: a command.
    Command(String),
}

#[derive(Clone, Debug)]
pub struct Sampled {
    pub at: Instant,
    pub by: Judging,
    /// The clause or condition as it stands in the plan, with its bound.
    pub text: Arc<str>,
    pub measured: Vec<Measured>,
    pub verdict: Verdict,
    pub reason: Option<String>,
}

/// What a verdict of a sample says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judging {
    Clause,
    /// A rule: `fail` means that its condition is true.
    Rule,
}

#[derive(Clone, Debug)]
pub struct Question {
    /// The instant of the sample that it belongs to.
    pub at: Instant,
    pub call: Call,
    /// `None`: no answer came.
    pub answer: Option<(Instant, Result<Value, Failure>)>,
}

impl Link {
    pub fn new(what: impl Into<String>) -> Link {
        Link {
            what: what.into(),
            tie: Tie::Because,
            at: None,
            loc: None,
            evidence: Vec::new(),
            because: Vec::new(),
        }
    }

    pub fn at(self, at: Option<Instant>) -> Link {
        Link { at, ..self }
    }

    pub fn tied(self, tie: Tie) -> Link {
        Link { tie, ..self }
    }

    pub fn loc(self, loc: Option<LocId>) -> Link {
        Link { loc, ..self }
    }

    pub fn with(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Link {
        self.evidence.extend(evidence);
        self
    }

    pub fn from(mut self, because: impl IntoIterator<Item = Link>) -> Link {
        self.because.extend(because);
        self
    }
}

pub fn words(text: impl Into<String>) -> Evidence {
    Evidence::Words(text.into())
}
