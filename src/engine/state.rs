//! What is known of a run. It is never stored: it is the journal, folded through `step`.

use crate::engine::agenda::Agenda;
use crate::engine::baseline::Windows;
use crate::engine::ending::Ending;
use crate::engine::grid::{Sample, Sampler, Stopwatch};
use crate::engine::moments::Moments;
use crate::engine::pause::{Pause, Pool};
use crate::engine::people::Gate;
use crate::engine::protocol::{Actor, Judged, RunOutcome};
use crate::engine::subject::Void;
use crate::engine::tell::{Message, Telling};
use crate::engine::watch::WatchState;
use crate::engine::write::Write;
use crate::plan::Counting;
use crate::plan::node::NodeId;
use crate::providers::request::Key;
use crate::values::fields::Fields;
use crate::values::{Instant, Value, Verdict};
use indexmap::IndexMap;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug, Default, Serialize)]
pub struct State {
    /// From the first event; without it nothing happens.
    pub run: Option<Run>,
    /// The time of the newest event; it never goes back.
    pub now: Instant,
    /// Raised whenever a process takes the run over.
    pub epoch: u64,
    /// By [`NodeId`].
    pub nodes: Vec<NodeState>,
    /// The nodes without a parent, but for the checks of the rollback.
    pub phases: Vec<NodeId>,
    pub canaries: Vec<NodeId>,
    /// In the order of the plan.
    pub watches: Vec<WatchState>,
    /// Top-level `let`s that were read: frozen from then on.
    pub lets: BTreeMap<u32, Value>,
    /// The questions of each instant at which something is sampled, with their answers.
    pub moments: Moments,
    pub reads_made: u64,
    /// In the order in which they began, so that undo goes backwards.
    pub writes: IndexMap<Key, Write>,
    /// Messages whose words are not known yet.
    pub messages: Vec<Message>,
    /// Messages that were sent and not yet acknowledged.
    pub tells: IndexMap<Key, Telling>,
    pub pauses: Vec<Pause>,
    /// How much of each pause's total is used up.
    pub pools: Vec<Pool>,
    /// Checks that a failing neighbour does not keep from being judged and reported: they were asked at the same time.
    pub asked: BTreeSet<NodeId>,
    /// Which freeze has held up which node: each is said once.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub frozen: BTreeSet<(NodeId, u32)>,
    /// Gates whose signatures became worth nothing after they had opened.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub void: BTreeMap<NodeId, Void>,
    /// Set once the run no longer goes forward.
    pub ending: Option<Ending>,
    pub outcome: Option<RunOutcome>,
    /// The outcome that `Finish` has told.
    pub said: Option<RunOutcome>,
    /// The moment of the newest `Wake`.
    pub wake: Option<Instant>,
    /// When a change was last achieved: no gate looks back before it.
    pub changed: Option<Instant>,
    /// Who is looked at next: it follows from the rest.
    #[serde(skip)]
    pub agenda: Agenda,
}

#[derive(Clone, Debug, Serialize)]
pub struct Run {
    pub id: String,
    pub digest: String,
    pub inputs: Fields,
    pub by: Actor,
    pub started: Instant,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct NodeState {
    pub life: Life,
    pub verdict: Option<Verdict>,
    pub reason: Option<String>,
    /// Whether what waits for it may go on, once it has ended.
    pub passage: Passage,
    pub started: Option<Instant>,
    pub ended: Option<Instant>,
    /// Which time it is carried out; more than 0 inside an `every`.
    pub round: u32,
    /// Since when every sample was without sight.
    pub blind: Option<Blind>,
    /// The clauses of the newest sample.
    pub clauses: Vec<Arc<Judged>>,
    /// Of the comparisons of a check, in the order of its body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Windows>,
    /// Of a check through a time: whether that is over with the sample that is judged.
    #[serde(skip)]
    pub through: Through,
    pub work: Work,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Through {
    #[default]
    NotYet,
    Over,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    #[default]
    Waiting,
    Running,
    Ended,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
    #[default]
    Shut,
    Open,
    /// By the policy `warn`: the verdict stays, and whoever signs the next gate is shown it.
    Warned,
}

/// Time without sight.
#[derive(Clone, Debug, Serialize)]
pub struct Blind {
    pub since: Instant,
    /// Of the newest sample.
    pub finding: Finding,
}

/// Whether a sample could be judged, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    Clear,
    /// The source is silent: no data, no answer.
    Silent,
    /// There is an answer, but it has no verdict: NaN, several series, a wrong request.
    Unclear,
    /// The rights do not suffice; asking again does not help.
    Denied,
}

/// What a running node is about, by its kind.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    #[default]
    None,
    Check(CheckWork),
    Step(StepWork),
    Canary(CanaryWork),
    Stage(StageWork),
    Gate(Gate),
    Hold(Stopwatch),
    Every(EveryWork),
    When(Sampler),
}

#[derive(Clone, Debug, Serialize)]
pub struct CheckWork {
    /// The first moment whose lookback reaches no further back than the change that is judged.
    pub from: Instant,
    /// Not used by the checks of a stage, which are judged at its samples.
    pub sampler: Sampler,
    /// Valid samples that passed and count.
    pub passes: u32,
    pub fails: Fails,
    /// Time between samples with sight, at which it held.
    pub held_ns: i64,
    /// The newest sample at which it held.
    pub held_at: Option<Instant>,
    /// The newest sample, judged; it counts once the watches of that instant were judged too.
    pub found: Option<Found>,
    /// What the newest sample that counted said.
    pub last: Option<Finding>,
}

/// Samples that failed; those without sight are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Fails {
    in_a_row: u32,
    in_total: u32,
    /// One bit for each sample, the newest lowest.
    recent: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Found {
    pub at: Instant,
    pub finding: Finding,
}

/// What one sample says.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub verdict: Verdict,
    pub sight: Sight,
    pub reason: Option<Reason>,
}

/// Nearly all are never told: one is put into words when it is.
#[derive(Clone, Debug)]
pub enum Reason {
    Said(Arc<str>),
    /// What this clause measured, or why it could not be judged.
    Clause(Arc<Judged>),
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepWork {
    /// Its arguments are being evaluated.
    Arguments(Sampler),
    Change(Key),
    /// Its postconditions are being judged.
    Post(Sampler),
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct CanaryWork {
    /// The write that makes the new version the only one.
    pub promotion: Option<Key>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageWork {
    Weight(Key),
    Holding(Holding),
}

#[derive(Clone, Debug, Serialize)]
pub struct Holding {
    /// When the weight was achieved.
    pub since: Instant,
    pub sampler: Sampler,
    /// Time between samples at which everything could be judged.
    pub seen_ns: i64,
    /// The newest such sample; `None` after a blind one or in a pause.
    pub seen_at: Option<Instant>,
}

#[derive(Clone, Debug, Serialize)]
pub struct EveryWork {
    /// Stands still in a pause, and while no process carries the run out.
    pub clock: Stopwatch,
    /// Ticks whose children have ended.
    pub done: u32,
    pub ticking: Ticking,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ticking {
    No,
    Yes,
}

impl Fails {
    pub fn failed(&mut self) {
        self.in_a_row += 1;
        self.in_total += 1;
        self.recent = self.recent << 1 | 1;
    }

    pub fn passed(&mut self) {
        self.in_a_row = 0;
        self.recent <<= 1;
    }

    /// Whether there are as many as are not tolerated.
    pub fn are(&self, enough: Counting) -> bool {
        match enough {
            Counting::InARow(fails) => self.in_a_row >= fails,
            Counting::InTotal(fails) => self.in_total >= fails,
            Counting::OfLast { fails, last } => {
                let older = u64::MAX.checked_shl(last).unwrap_or(0);
                (self.recent & !older).count_ones() >= fails
            }
        }
    }
}

impl StageWork {
    /// Whether its weight was achieved.
    pub fn holds(&self) -> bool {
        matches!(self, StageWork::Holding(_))
    }
}

impl NodeState {
    pub fn ended_open(&self) -> bool {
        self.life == Life::Ended && self.passage != Passage::Shut
    }

    /// The sample that it evaluates, if any.
    pub fn sample(&self) -> Option<&Sample> {
        match &self.work {
            Work::Check(check) => check.sampler.open.as_ref(),
            Work::Step(StepWork::Arguments(sampler) | StepWork::Post(sampler)) => {
                sampler.open.as_ref()
            }
            Work::Stage(StageWork::Holding(holding)) => holding.sampler.open.as_ref(),
            Work::When(sampler) => sampler.open.as_ref(),
            _ => None,
        }
    }
}
