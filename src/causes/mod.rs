//! Why a run is as it is: the chain of causes, from its journal alone.
//!
//! The journal is gone through once more, with the same `step`; [`trace`] keeps on the way what the state forgets: each sample
//! with its values, each question with its answer, each pause, each try of a change. The links between them are in the
//! state: what ended the run, what paused it, what an item waits for.

pub mod chain;
mod change;
mod ending;
pub mod item;
pub mod rule;
mod run;
mod sampled;
pub mod trace;
mod waits;

use crate::causes::chain::Link;
use crate::causes::trace::Trace;
use crate::plan::node::NodeId;

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Run,
    Item(NodeId),
    /// A rule of a watch, by their places in the plan.
    Rule {
        watch: u32,
        rule: u32,
    },
    Watch(u32),
}

pub fn why(trace: &Trace, subject: Subject) -> Link {
    match subject {
        Subject::Run => run::why(trace),
        Subject::Item(id) => item::why(trace, id),
        Subject::Rule { watch, rule } => rule::why(trace, watch, rule),
        Subject::Watch(watch) => rule::why_watch(trace, watch),
    }
}
