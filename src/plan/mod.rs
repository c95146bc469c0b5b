//! The compiled plan: what the engine carries out, what is printed, signed and digested.
//!
//! Names are resolved, `define`s and thresholds are written out at their places, `for` is unrolled, queries are parsed and
//! narrowed, manifests are inside. It needs neither the repository nor the compiler to be carried out.
//!
//! **Invariant:** a plan has one canonical JSON form, and its digest is the same on every machine. Places in the source
//! are [`LocId`]s into a [`SourceMap`] beside the plan, so moving text without changing it changes no digest.

pub mod canonical;
pub mod deps;
pub mod digest;
#[cfg(test)]
pub mod draft;
pub mod elements;
pub mod expr;
pub mod facts;
pub mod graph;
pub mod invariant;
pub mod node;
pub mod print;
pub mod walk;

use crate::plan::expr::{Expr, Template};
use crate::plan::node::{Node, NodeId, Notice};
use crate::units::Dim;
use crate::values::{Instant, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// From the first release on raised whenever the same plan would be carried out differently; a journal is pinned to it.
pub const SEMANTICS: u32 = 1;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub semantics: u32,
    /// The language version that the file asked for.
    pub language: u32,
    pub name: String,
    pub title: String,
    pub window: Option<Window>,
    /// When nothing goes forward, in the order of the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freezes: Vec<Freeze>,
    pub deadline_ns: Option<i64>,
    #[serde(default, skip_serializing_if = "Concurrent::is_default")]
    pub concurrent: Concurrent,
    pub sample_ns: i64,
    pub inputs: Vec<Input>,
    pub providers: Vec<Provider>,
    pub roles: Vec<Role>,
    pub metrics: Vec<Metric>,
    /// Top-level `let`s: read once, at first use, and journalled.
    pub lets: Vec<Let>,
    /// In the order of the text; a child stands after its parent. Phases are the nodes without parent.
    pub nodes: Vec<Node>,
    /// `order`s that have a name, a title or a `ref`: they have a place in the report.
    pub orders: Vec<Order>,
    pub watches: Vec<Watch>,
    pub rollback: Option<Rollback>,
    pub handlers: Vec<Handler>,
    /// Manifests and other files of the plan's folder that calls name, by path relative to the plan.
    pub files: BTreeMap<String, String>,
}

/// A named part of the order: passed when each of its phases is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    pub name: Option<String>,
    pub title: Option<String>,
    pub refs: Vec<String>,
    pub phases: Vec<NodeId>,
    pub loc: LocId,
}

/// Where in the source; an index into [`SourceMap::places`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LocId(pub u32);

/// Beside the plan, no part of its digest.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SourceMap {
    pub places: Vec<Loc>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loc {
    pub file: String,
    pub line: u32,
    pub column: u32,
    /// Of the file, in bytes, for `miette` and editors.
    pub start: u32,
    pub end: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub from: Instant,
    pub to: Instant,
}

/// No change begins in it. What goes back does, and what is under way is carried to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<String>,
    pub window: Window,
}

/// What a new run does when another one has its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concurrent {
    /// It is refused.
    #[default]
    Reject,
    /// It waits for the other one's end.
    Queue { up_to_ns: i64 },
    /// It tells the other one to end, and waits until it has.
    Replace { up_to_ns: i64 },
}

impl Concurrent {
    fn is_default(&self) -> bool {
        *self == Concurrent::default()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    pub name: String,
    /// `version`, `bool`, `list<string>`: how a `--set` is read.
    pub ty: String,
    pub default: Option<Value>,
    /// Of a list that `for … up to N` goes through: the most elements that a run may give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// Marked `place`: its value is no part of the digest.
    pub place: Placement,
    pub loc: LocId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    Fixed,
    Varies,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Provider {
    pub name: String,
    pub kind: String,
    pub settings: BTreeMap<String, Setting>,
    pub loc: LocId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    Value(Value),
    /// The value of an input of this name; only for settings that differ between environments.
    Input(String),
    /// `secret(env "NAME")`: the name, never the value.
    SecretEnv(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Role {
    pub name: String,
    pub title: String,
    /// Who has it; empty: whoever says so.
    pub members: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Metric {
    pub name: String,
    pub dim: Dim,
    pub better: Option<Direction>,
    pub source: MetricSource,
    pub loc: LocId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Lower,
    Higher,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricSource {
    Query {
        /// The provider's name.
        provider: String,
        /// As written (normalized white space).
        query: String,
        /// Narrowed to a scope: each selector has a matcher with [`SCOPE_PLACEHOLDER`] as its regex. `None` when the
        /// query cannot be narrowed (the label is bound already, or aggregated away before it is needed).
        scoped: Option<String>,
        /// One raw unit is `scale_numerator / scale_denominator` base units (`in ms`: 1/1000).
        scale_numerator: i64,
        scale_denominator: i64,
        /// `absent as 0`: what an empty answer means.
        absent: Option<Value>,
        /// The longest range of the query, in nanoseconds.
        lookback_ns: i64,
    },
    /// Arithmetic over metrics, sampled at one instant; `x/0` has no value.
    Derived(Expr),
}

/// Stands in a scoped query where the engine puts the regex of the revision's pods.
pub const SCOPE_PLACEHOLDER: &str = "__deployc_scope__";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Let {
    pub name: String,
    pub value: Expr,
    pub loc: LocId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Watch {
    pub title: String,
    pub refs: Vec<String>,
    /// Begins when this node starts …
    pub from: NodeId,
    /// … and ends when this node has ended (a phase does not end before its watches have their evidence).
    pub to: NodeId,
    pub sample_ns: i64,
    pub no_data: Option<NoData>,
    /// Headings among the rules, in the order of the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<WatchSection>,
    pub rules: Vec<Rule>,
    pub loc: LocId,
}

/// A `section` in a watch: it has a title and a place in the report, and orders nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchSection {
    pub title: Option<String>,
    pub refs: Vec<String>,
    /// The section around it, by its place in [`Watch::sections`].
    pub inside: Option<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoData {
    pub after_ns: i64,
    pub actions: Vec<Action>,
    pub loc: LocId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// `critical`, `high`, …
    pub label: Option<String>,
    pub title: Option<String>,
    pub refs: Vec<String>,
    /// The innermost section in which it stands, by its place in [`Watch::sections`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<u32>,
    pub condition: Expr,
    /// The condition as written, for messages.
    pub text: Arc<str>,
    /// Must have been true during the whole of it; 0: at once.
    pub for_ns: i64,
    pub actions: Vec<Action>,
    pub loc: LocId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Rollback,
    Pause { up_to_ns: i64, then: Box<Policy> },
    Notify(Notice),
}

/// What happens when a verdict does not open the gate. Every pause ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    Stop,
    Rollback,
    Warn,
    /// The run stands still until what caused it passes, a person says so, or the time is over.
    Pause {
        up_to_ns: i64,
        then: Box<Policy>,
        /// Of the `on …` that wrote it: the time is a total for this place, shared by all items that inherit it.
        place: LocId,
    },
    /// As a pause, but only the item itself goes on being judged; the rest of the run does not stand still.
    Extend {
        up_to_ns: i64,
        then: Box<Policy>,
        place: LocId,
    },
}

/// The policies that hold at a node; the nearest written one, with the defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// `None`: the default, which is `rollback` once a step has started, else `stop`.
    pub fail: Option<Policy>,
    /// How often a sample of a check has to fail before `fail` holds; `None`: once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<Counting>,
    /// `None`: `pause up to 15m then` the default of `fail`.
    pub error: Option<Policy>,
    pub inconclusive: Option<Policy>,
    /// Silence of the source for so long; `inconclusive` covers it where it is not written.
    pub no_data: Option<(i64, Policy)>,
}

/// The pause that holds where no policy for errors or missing evidence is written.
pub const DEFAULT_PAUSE_NS: i64 = 15 * 60 * 1_000_000_000;

impl Policies {
    /// Those that stand in the plan.
    pub fn written(&self) -> impl Iterator<Item = &Policy> {
        let silent = self.no_data.as_ref().map(|(_, policy)| policy);
        let all = [
            self.fail.as_ref(),
            self.error.as_ref(),
            self.inconclusive.as_ref(),
            silent,
        ];
        all.into_iter().flatten()
    }
}

/// In words: `2 in a row`, `3 in total`, `3 of last 5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    InARow(u32),
    InTotal(u32),
    OfLast { fails: u32, last: u32 },
}

impl Counting {
    /// So many fails in a row are tolerated at most.
    pub fn tolerated_in_a_row(self) -> u32 {
        match self {
            Self::InARow(fails) | Self::InTotal(fails) | Self::OfLast { fails, .. } => {
                fails.saturating_sub(1)
            }
        }
    }

    /// So many fails are tolerated at most by the time that there are so many passes.
    pub fn tolerated_before(self, passes: u32) -> u32 {
        let in_a_row = self.tolerated_in_a_row();
        match self {
            Self::InARow(_) => in_a_row.saturating_mul(passes),
            Self::InTotal(_) => in_a_row,
            // As many as are tolerated come first among each `last` samples, then passes alone.
            Self::OfLast { last, .. } => {
                let passes_each = last.saturating_sub(in_a_row).max(1);
                in_a_row.saturating_mul(passes.div_ceil(passes_each))
            }
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rollback {
    /// Nodes over which it is armed; the lock is held over it. `None`: the whole plan.
    pub during: Option<(NodeId, NodeId)>,
    pub within_ns: i64,
    /// Sent when it starts; never waited for. `cause` is a word they may use.
    pub notices: Vec<Notice>,
    /// Checks in [`Plan::nodes`] of kind [`node::NodeKind::Check`] whose parent is `None` and that are listed here only.
    pub verify: Vec<NodeId>,
    pub loc: LocId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Handler {
    pub event: HandlerEvent,
    pub notice: Notice,
    pub loc: LocId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandlerEvent {
    Start,
    Success,
    RolledBack,
    RollbackIncomplete,
}

/// A text with holes, for `notify`.
pub type Text = Template;

impl Plan {
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name == name)
    }
}
