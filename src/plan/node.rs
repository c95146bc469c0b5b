//! What a plan is made of: nodes in a tree, with edges between them.

use crate::plan::expr::{CallExpr, Expr, Stmt, Template};
use crate::plan::{LocId, Policies, Window};
use crate::units::amount::Nano;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeId(pub u32);

/// So many levels of items stand in each other at most: shallow enough for every stack.
pub const NESTING_MAX: usize = 64;

/// A node starts when its parent has started and everything in `after` has ended with a verdict that opens.
/// A group ends when its children have ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Node {
    pub id: NodeId,
    /// `rollout/canary/stage-50/check-2`: unique, stable under edits elsewhere; keys are derived from it.
    pub path: String,
    /// The name by which other nodes refer to it.
    pub name: Option<String>,
    pub title: Option<String>,
    pub refs: Vec<String>,
    pub kind: NodeKind,
    pub parent: Option<NodeId>,
    pub children: Vec<NodeId>,
    /// What it waits for, and why: siblings, or (by data or `after`) any node that is not inside an `every`.
    pub after: Vec<Edge>,
    pub policies: Policies,
    /// When it may start and must have ended.
    pub window: Option<Window>,
    /// The role that is responsible for it: named wherever it is in trouble.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Of a check or a confirmation: how long its evidence is worth something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ns: Option<i64>,
    pub loc: LocId,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    pub from: NodeId,
    pub why: EdgeWhy,
    /// The line that made the edge.
    pub loc: LocId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeWhy {
    /// `order a -> b`
    Order,
    /// `after a`
    After,
    /// Reads a result, `.started`, `.before` of it.
    Data,
    /// A write waits for what is above it, and what is below waits for it.
    Effect,
    /// `hold`
    Barrier,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    Phase,
    Section,
    Parallel,
    /// Children are not applicable when the condition is false by a valid measurement or an input.
    When(Expr),
    Check(Check),
    Step(Step),
    /// Children are stages; moves what `step` has released dark.
    Canary(Canary),
    /// Children are checks, judged at each sample through the whole hold, and notices.
    Stage(Stage),
    /// Children are `Confirm`s.
    ConfirmGroup,
    Confirm(Confirm),
    Approve(Approve),
    Hold {
        ns: i64,
    },
    /// Its children are carried out at the end of each period, `ticks` times.
    Every {
        period_ns: i64,
        ticks: u32,
    },
    Notify(Notice),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Check {
    pub body: Vec<Stmt>,
    pub mode: CheckMode,
    /// Valid samples that a pass needs.
    pub samples: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckMode {
    /// Until it has its samples.
    Once,
    /// Judged again until it passes or the time is over.
    Within { ns: i64 },
    /// Must hold during the whole time, ahead.
    For { ns: i64 },
    /// Judged at each sample of its stage's hold; `for_ns`: must have held for so long at its end.
    Stage { for_ns: i64 },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    pub call: CallExpr,
    pub timeout_ns: i64,
    /// Postconditions, judged once after the change.
    pub post: Vec<Stmt>,
    pub undo: UndoPlan,
    pub at_most_once: AtMostOnce,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtMostOnce {
    No,
    Yes,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoPlan {
    /// From the object as it was before.
    Derived {
        timeout_ns: i64,
        title: Option<String>,
        refs: Vec<String>,
    },
    Written {
        call: CallExpr,
        timeout_ns: i64,
        title: Option<String>,
        refs: Vec<String>,
    },
    /// Right for the old version with and without it.
    Keep {
        why: String,
    },
    Irreversible {
        why: String,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Canary {
    /// The step that released dark.
    pub step: NodeId,
    /// To shut it and give the traffic back.
    pub undo_timeout_ns: i64,
    /// For making the new version the only one after the last stage.
    pub promote_timeout_ns: i64,
    /// Carries it out: the step's provider.
    pub provider: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stage {
    /// Of the traffic: parts per billion of one.
    pub weight: Nano,
    pub tolerance: Nano,
    pub pods: Option<u32>,
    /// For the weight to be achieved.
    pub within_ns: i64,
    /// Seen time that the expectations are judged through.
    pub hold_ns: i64,
    pub hold_title: Option<String>,
    pub hold_refs: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Confirm {
    pub roles: Vec<String>,
    pub within_ns: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Approve {
    pub roles: Vec<String>,
    pub quorum: Quorum,
    pub within_ns: i64,
    pub expires_ns: Option<i64>,
}

/// People are counted, not roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quorum {
    /// So many different people out of all the roles together.
    People(u32),
    /// At least one person of each role, all different.
    EachRole,
}

/// A message: told, never waited for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Notice {
    pub provider: String,
    /// The provider's function that tells; `text` is its parameter for the words.
    pub function: String,
    /// Further arguments of the provider's tell function.
    pub args: Vec<(String, Expr)>,
    pub title: Option<String>,
    pub refs: Vec<String>,
    pub text: Template,
}
