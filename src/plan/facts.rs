//! What is known of a plan before it is carried out: how long it takes, what undoes it, who is asked, how often it looks.
//!
//! Computed by `analyze`, printed by [`crate::plan::print`]; data only.

use crate::plan::LocId;
use crate::plan::node::NodeId;
use crate::values::Instant;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    pub times: Times,
    /// `None` where there is nothing to undo.
    pub rollback: Option<RollbackTime>,
    pub coverage: Vec<Covered>,
    pub no_return: Vec<NoReturn>,
    pub samples: Vec<SampleCount>,
}

/// How long things take, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Times {
    /// The earliest instant that the plan may start at, where a window says so.
    pub origin: Option<Instant>,
    /// From the start of the run to its end; waits for windows and pauses are in it.
    pub shortest_ns: i64,
    pub longest_ns: i64,
    /// By [`NodeId`]: alone, without pauses and without waiting for others.
    pub nodes: Vec<Took>,
    /// What makes the longest time, in order; the parts add up to it.
    pub path: Vec<Part>,
    pub pauses: Vec<Pause>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Took {
    pub shortest_ns: i64,
    pub longest_ns: i64,
}

/// One part of a longest time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub what: PartOf,
    pub ns: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartOf {
    /// Before the window of a node opens.
    Wait(NodeId),
    Node(NodeId),
    Pause(PausePlace),
    /// While nothing goes forward.
    Frozen,
    /// A change that was on its way when the rollback started.
    Running(NodeId),
    Undo(NodeId),
    Verify(NodeId),
}

/// What shares one total of paused time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PausePlace {
    /// The pause that holds where nothing is written.
    Default,
    /// An `on … pause` of the text.
    Written(LocId),
    /// A rule of a watch; `None` for its `no data`.
    Watch { watch: u32, rule: Option<u32> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    pub place: PausePlace,
    /// At most, in all.
    pub ns: i64,
    /// The items that may cause it.
    pub nodes: Vec<NodeId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollbackTime {
    pub longest_ns: i64,
    pub path: Vec<Part>,
}

/// How one change is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    pub node: NodeId,
    pub by: Coverage,
    /// At most, for its undo.
    pub undo_ns: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coverage {
    /// From the object as it was before.
    Derived,
    /// By a call that the plan names.
    Written,
    /// Right for the old version with and without it.
    Kept,
    Irreversible,
    /// Nothing undoes it.
    Missing,
}

/// From where on something cannot be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoReturn {
    pub node: NodeId,
    pub why: NoReturnWhy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoReturnWhy {
    /// Loud: a step that nothing undoes.
    Irreversible,
    /// Quiet: when it has ended, nothing rolls back by itself any more.
    RangeEnds,
    /// Quiet: what was said cannot be unsaid.
    Told,
}

/// How often a check can look while it must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleCount {
    pub node: NodeId,
    pub needed: u32,
    pub possible: u32,
    /// How much of it is lost because an answer looks back before the stage, in nanoseconds.
    pub lookback_ns: i64,
}
