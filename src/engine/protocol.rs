//! What goes into `step` and what comes out: events and effects.
//!
//! The driver writes each [`Event`] to the journal, durably, *before* it carries out any [`Effect`] that `step` returns for
//! it. So everything that can be done was intended in the journal first, and a run is its journal folded through `step`.
//! `step` sees no clock: the time is that of the event.

use crate::plan::Policy;
use crate::plan::node::NodeId;
use crate::providers::request::{Call, Direction, Failure, Intent, Key, Observation, Outcome};
use crate::values::fields::Fields;
use crate::values::{Instant, Value};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One thing that happened, and when the driver learned of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    pub at: Instant,
    pub kind: EventKind,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The first event of a run.
    Started {
        run: String,
        digest: String,
        inputs: Fields,
        by: Actor,
    },
    /// The moment of an [`Effect::Wake`] has come. One that is too early or doubled changes nothing.
    Tick,
    /// The answer to an [`Effect::Read`].
    Read {
        id: ReadId,
        result: Result<Value, Failure>,
    },
    /// The answer to an [`Effect::Prepare`]: the durable intent.
    Prepared {
        key: Key,
        result: Result<Box<Intent>, Failure>,
    },
    /// The answer to an [`Effect::Commit`].
    Committed {
        key: Key,
        direction: Direction,
        outcome: Outcome,
    },
    /// The answer to an [`Effect::Observe`].
    Observed {
        key: Key,
        direction: Direction,
        observation: Observation,
    },
    Told {
        key: Key,
        result: Result<(), Failure>,
    },
    /// A person answered a `confirm`.
    Answered {
        node: NodeId,
        by: Actor,
        role: String,
        answer: Answer,
        /// What it is about, as far as whoever says it knows: for anything else it is void.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
    },
    /// A person signed or refused an `approve`.
    Signed {
        node: NodeId,
        by: Actor,
        role: String,
        answer: Answer,
        /// What it is about, as far as whoever says it knows: for anything else it is void.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
    },
    /// `deployc continue`: go on past what is paused or failed; gives `skipped`, never `pass`.
    Continued {
        node: NodeId,
        by: Actor,
        reason: String,
    },
    /// SIGINT or `deployc abort`; leads to rollback once a step has started, else to stop.
    Aborted { by: Actor, reason: String },
    /// `deployc rollback`
    RollbackAsked { by: Actor, reason: String },
    /// A process took the run over after the last one had ended. Reads in flight are lost; writes in flight are unknown.
    Resumed { by: Actor, epoch: u64 },
    /// A lock on the target was taken from somebody who no longer renewed it.
    TargetTaken { place: String, from: String },
}

/// Who, from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub user: String,
    pub host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Yes { note: Option<String> },
    No { reason: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReadId(pub u64);

/// What the driver is to do. Carrying one out twice has to be harmless, but for `Commit`, which is never returned twice for
/// one key and direction without an `Observed` between, or a `Committed` that leaves no doubt.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    Read {
        id: ReadId,
        #[serde(with = "shared")]
        call: Arc<Call>,
        at: Instant,
        timeout_ns: i64,
    },
    Prepare {
        key: Key,
        call: Call,
        timeout_ns: i64,
    },
    Commit {
        key: Key,
        intent: Box<Intent>,
        direction: Direction,
        timeout_ns: i64,
    },
    Observe {
        key: Key,
        intent: Box<Intent>,
        direction: Direction,
        timeout_ns: i64,
    },
    Tell {
        key: Key,
        call: Call,
    },
    /// Stop what is in flight under this key and answer with its outcome as usual: `Unknown` where it is not certain.
    Cancel {
        key: Key,
    },
    /// A `Tick` is wanted at this moment; a new one replaces the old one.
    Wake {
        at: Instant,
    },
    /// A person is asked; for display and reminders. Answered by `Answered`, `Signed`.
    Ask {
        node: NodeId,
    },
    /// For whoever watches: not part of the state, carries no obligation.
    Show(Note),
    /// The run has ended; nothing follows.
    Finish(RunOutcome),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    Succeeded,
    /// Ended by `stop` before anything had to be undone, or a gate was refused.
    Stopped,
    RolledBack,
    /// Something is left; the lock is kept.
    RollbackIncomplete,
}

/// A line for the log, the tree, `--output json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Note {
    pub node: Option<NodeId>,
    pub kind: NoteKind,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    Started,
    Ended {
        verdict: crate::values::Verdict,
    },
    Judged(Arc<Judged>),
    /// A stage's weight was achieved.
    Weight {
        wanted: crate::units::amount::Nano,
        achieved: f64,
    },
    Paused {
        cause: String,
        until: Instant,
        then: Policy,
    },
    Unpaused,
    RuleFired {
        watch: u32,
        rule: u32,
        cause: String,
    },
    Blind {
        watch: u32,
        since: Instant,
    },
    RollbackStarted {
        cause: String,
    },
    Undone {
        outcome: String,
    },
    Failed {
        failure: Failure,
    },
    /// Somebody else changed an object of ours.
    Drift {
        message: String,
    },
    Said {
        text: String,
    },
}

/// A call that several know, written as any other.
pub mod shared {
    use crate::providers::request::Call;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::sync::Arc;

    pub fn serialize<S: Serializer>(call: &Arc<Call>, serializer: S) -> Result<S::Ok, S::Error> {
        (**call).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Call>, D::Error> {
        Call::deserialize(deserializer).map(Arc::new)
    }
}

/// One clause at one sample: measured values against its bound.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Judged {
    pub text: Arc<str>,
    pub measured: Vec<Measured>,
    pub verdict: crate::values::Verdict,
    /// Of one that could not be judged by what was measured, or not by that alone.
    pub reason: Option<String>,
    pub loc: crate::plan::LocId,
}

/// What was compared: the words of the operand and its value, in the unit of the bound.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    pub what: Arc<str>,
    pub value: Value,
}
