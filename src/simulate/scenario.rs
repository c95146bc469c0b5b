//! A scripted day, resolved against a plan: what systems say when, and what people answer.

use crate::plan::node::NodeId;
use crate::simulate::expect::Expectation;
use crate::simulate::script::Line;
use crate::values::Instant;
use crate::values::fields::Fields;

#[derive(Clone, Debug, Default)]
pub struct Scenario {
    pub title: String,
    /// Values of the plan's inputs; the command line may set others.
    pub inputs: Fields,
    /// When the run begins; the start of the plan's window where it is not written.
    pub start: Option<Instant>,
    pub blocks: Vec<Block>,
    /// What people do when they are asked; the last one that fits counts.
    pub replies: Vec<Reply>,
    /// Of a test.
    pub expects: Vec<Expectation>,
}

/// `at rollout.stage(50%) + 2m for 5m { … }`
#[derive(Clone, Debug)]
pub struct Block {
    pub moment: Moment,
    pub after_ns: i64,
    /// How long it holds; to the end where it is not written.
    pub for_ns: Option<i64>,
    pub lines: Vec<Line>,
    pub deeds: Vec<Deed>,
    /// The process ends at this moment; another one goes on after so many nanoseconds.
    pub kills_ns: Vec<i64>,
    /// Whoever drives the run is to look at the world at this moment, for these reasons.
    pub looks: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// From the beginning.
    Start,
    At(Instant),
    /// When this starts for the first time.
    Node(NodeId),
    /// When the rollback starts.
    Rollback,
}

/// What somebody does without being asked.
#[derive(Clone, Debug)]
pub struct Deed {
    pub who: String,
    pub after_ns: i64,
    pub what: DeedKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeedKind {
    Abort,
    Rollback,
}

/// `manager approves go_live after 5m`
#[derive(Clone, Debug)]
pub struct Reply {
    pub role: String,
    pub to: Asked,
    /// Every question of the kind where it is not written.
    pub node: Option<NodeId>,
    pub says: Says,
    pub after_ns: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Confirm,
    Approve,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Yes,
    No,
}

impl Scenario {
    /// What a role answers to a question, if anything.
    pub fn reply(&self, role: &str, to: Asked, node: NodeId) -> Option<&Reply> {
        let fits = |reply: &&Reply| reply.role == role && reply.to == to;
        let mut named = self.replies.iter().rev().filter(fits);
        named
            .clone()
            .find(|reply| reply.node == Some(node))
            .or_else(|| named.find(|reply| reply.node.is_none()))
    }
}
