//! What a runner asks of a provider, and what comes back: data, so that it can be journalled and simulated.
//!
//! A change takes three requests. `Prepare` looks at the live objects and returns an [`Intent`]; it changes nothing.
//! The intent is made durable; only then `Commit` lets a request leave, and waits until the change is achieved (*our*
//! generation, *our* template). After a crash, or when a commit's outcome is unknown, `Observe` reads back whether it
//! happened. `Back` undoes by the inverse inside the intent, and only what is still ours.

use crate::values::fields::Fields;
use crate::values::{Instant, Value};
use serde::{Deserialize, Serialize};

/// A function of a provider with its arguments, all of them values.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// The provider's name in the plan: `cluster`.
    pub provider: String,
    pub function: String,
    pub args: Fields,
}

/// Names one logical change for ever: derived from run, plan digest, step path and attempt, never drawn.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key(pub String);

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// All reads of one sample carry the same `at`.
    Read {
        call: Call,
        at: Instant,
    },
    Prepare {
        key: Key,
        call: Call,
    },
    Commit {
        key: Key,
        intent: Intent,
        direction: Direction,
    },
    Observe {
        key: Key,
        intent: Intent,
        direction: Direction,
    },
    Tell {
        key: Key,
        call: Call,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Forward,
    /// Undo: by the inverse of the intent.
    Back,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(
    clippy::large_enum_variant,
    reason = "one is passed on and taken apart, never kept"
)]
pub enum Response {
    Read(Result<Value, Failure>),
    Prepared(Result<Intent, Failure>),
    Committed(Outcome),
    Observed(Observation),
    Told(Result<(), Failure>),
}

/// Durable before any request of the change leaves: everything that is needed to do it, to recognise it, to undo it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Intent {
    pub call: Call,
    pub targets: Vec<Target>,
    /// `NAME.before` of the step: the readable state before the change.
    pub before: Value,
    /// What the provider needs to carry it out; complete without repository or registry.
    pub forward: serde_json::Value,
    /// What the provider needs to undo it; `null` where there is nothing to undo.
    pub inverse: serde_json::Value,
    /// Whether `Observe` can tell what happened. A script cannot be observed.
    pub observable: Observable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observable {
    Yes,
    /// May be issued again under the same key.
    Idempotent,
    /// Has to stop for a person.
    AtMostOnce,
}

/// One object that a change touches, as it was when the intent was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `deployment/x0tta6bl4/x0tta6bl4-api`
    pub object: String,
    /// Absent: it did not exist.
    pub uid: Option<String>,
    pub resource_version: Option<String>,
    /// SHA-256 of the desired state.
    pub desired: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done and read back. `result` is what `NAME.field` reads; `written` proves what is ours (uid, resourceVersion).
    Applied {
        result: Value,
        written: Vec<Written>,
    },
    /// Certain that nothing was changed.
    NotApplied(Failure),
    /// A timeout, a reset, a 5xx, a crash: nobody knows. Never treated as failed.
    Unknown(Failure),
    /// It was sent and is there, but did not become what was wanted (a version that never becomes ready).
    Unachieved(Failure),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub object: String,
    pub uid: String,
    pub resource_version: String,
    /// `created`, `changed`, `unchanged`.
    pub how: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observation {
    /// As after an [`Outcome::Applied`]: all of it is there and has become what was wanted.
    Applied {
        result: Value,
        written: Vec<Written>,
    },
    /// Something of it is there, but not all, or it has not (yet) become what was wanted; the failure says what is missing.
    /// Issuing it again is harmless, and finishes it or waits for it. When there is no time for that it is unachieved.
    Underway(Failure),
    NotApplied,
    /// Somebody else changed it since: field, whose, from, to.
    Foreign(Failure),
    Unknown(Failure),
}

/// Why something could not be done, in words for a person. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// Lower-case, no full stop; says which address, verb, object, field.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No answer: connection refused, DNS, reset, TLS.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The rights do not suffice.
    Denied,
    /// The object is not there.
    NotFound,
    /// Somebody else changed it, or owns the field.
    Conflict,
    /// The other side says that the request is wrong.
    Invalid,
    /// An answer that makes no sense: HTML instead of JSON, several series where one is compared.
    Malformed,
    /// What was wanted did not become ready in time.
    Unready,
    /// Refused here, before anything was sent.
    Refused,
    /// Cancelled by the runner.
    Cancelled,
}

impl Failure {
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure {
            kind,
            message: message.into(),
        }
    }
}

/// The answer to a request that this provider never carries out.
pub fn refusal(request: &Request, why: &str) -> Response {
    let failure = Failure::new(FailureKind::Refused, why);
    match request {
        Request::Read { .. } => Response::Read(Err(failure)),
        Request::Prepare { .. } => Response::Prepared(Err(failure)),
        Request::Commit { .. } => Response::Committed(Outcome::NotApplied(failure)),
        Request::Observe { .. } => Response::Observed(Observation::Unknown(failure)),
        Request::Tell { .. } => Response::Told(Err(failure)),
    }
}
