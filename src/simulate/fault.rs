//! Faults of single changes, as a scenario has them: a change that fails, or of which nobody knows what became of it.

use crate::plan::Plan;
use crate::plan::node::NodeId;
use crate::providers::request::FailureKind::{Invalid, Unreachable, Unready};
use crate::providers::request::{Direction, Failure, FailureKind, Key, Outcome};
use crate::simulate::systems;

/// `release fails before applying`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub node: NodeId,
    /// Of the change itself, or of its undo.
    pub direction: Direction,
    pub fate: Fate,
    pub times: Times,
}

/// What becomes of a change, and what is heard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    pub reach: Reach,
    pub reply: Reply,
}

/// Whether it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Nothing,
    Applied,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is certain that it failed.
    Failed,
    /// No answer: nobody knows.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// The next attempt only.
    Once,
    /// Each one, while the block of the scenario holds.
    Each,
}

impl Fate {
    /// What is heard, when the change itself has come to `real`.
    pub fn reply(self, real: Outcome) -> Outcome {
        match (self.reply, real) {
            // What has failed by itself has failed.
            (_, failed @ (Outcome::NotApplied(_) | Outcome::Unachieved(_))) => failed,
            (Reply::Lost, _) => Outcome::Unknown(failure(Unreachable, "the answer was lost")),
            (Reply::Failed, _) => {
                Outcome::Unachieved(failure(Unready, "it did not become what was wanted"))
            }
        }
    }

    /// What is heard of a change that does not arrive.
    pub fn refusal(self) -> Outcome {
        match self.reply {
            Reply::Lost => Outcome::Unknown(failure(Unreachable, "no answer, and nothing arrived")),
            Reply::Failed => {
                Outcome::NotApplied(failure(Invalid, "refused before anything was changed"))
            }
        }
    }
}

fn failure(kind: FailureKind, what: &str) -> Failure {
    systems::failure(kind, format!("{what}: the scenario says so"))
}

/// The node whose change a key names, and whether it is about its undo. A key holds the path of its node.
pub fn node_of(plan: &Plan, key: &Key) -> Option<(NodeId, Direction)> {
    let is_in = |path: &str| {
        key.0.match_indices(path).any(|(at, _)| {
            let before = key.0.get(..at).unwrap_or_default();
            let behind = key.0.get(at + path.len()..).unwrap_or_default();
            (before.is_empty() || before.ends_with('/')) && behind.starts_with('/')
        })
    };
    let nodes = plan.nodes.iter().filter(|node| is_in(&node.path));
    let node = nodes.max_by_key(|node| node.path.len())?;
    let undo = key
        .0
        .rsplit('/')
        .next()
        .is_some_and(|what| what.starts_with("undo"));
    let direction = if undo {
        Direction::Back
    } else {
        Direction::Forward
    };
    Some((node.id, direction))
}
