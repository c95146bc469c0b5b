//! What may go wrong, as data: a counterexample is a list of these, each with its moment.

use crate::plan::node::NodeId;
use crate::providers::request::Direction;
use crate::verify::subject::Site;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A condition says something else than on a good day.
    Measure {
        site: Site,
        says: Says,
        span: Span,
    },
    /// The condition of a rule of a watch.
    Rule {
        watch: u32,
        rule: u32,
        says: Says,
        span: Span,
    },
    /// All rules of a watch have no data.
    Blind {
        watch: u32,
        span: Span,
    },
    Prepare {
        change: Change,
        how: Looking,
        span: Span,
    },
    Commit {
        change: Change,
        direction: Direction,
        how: Doing,
        span: Span,
    },
    Observe {
        change: Change,
        direction: Direction,
        how: Seeing,
        span: Span,
    },
    /// A person says no.
    Refused {
        gate: NodeId,
    },
    Silent {
        gate: NodeId,
    },
    /// Answered at the last moment.
    Late {
        gate: NodeId,
    },
    /// Somebody signs who does not have the role.
    Stranger {
        gate: NodeId,
    },
    /// One person signs for all.
    Twice {
        gate: NodeId,
    },
    /// A message cannot be delivered.
    Untold,
    Aborted,
    /// A person goes on past a pause.
    Continued {
        node: NodeId,
    },
    /// The process ends, and another goes on.
    Crash {
        flight: Flight,
        away: Away,
    },
}

/// Names one change of a plan, in whichever round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Change {
    pub node: NodeId,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A step's own change.
    Step,
    /// The call that a step's undo names.
    Undo,
    /// The weight of a stage.
    Weight,
    Promotion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// The next answer only.
    Once,
    /// As long as the item, or the watch, goes on.
    Lasting,
}

/// What a measurement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    True,
    False,
    /// Nothing was measured.
    NoData,
    /// There is an answer, and it makes no sense.
    Error,
    /// No answer came.
    Unreachable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Looking {
    Unreachable,
    Refused,
}

/// What becomes of a request that is to change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// It did not arrive; nothing changed.
    Unreachable,
    Refused,
    /// Done, and the answer is lost.
    DoneUnknown,
    /// Done at the end of its time, and the answer is lost.
    DoneLate,
    /// Not done, and nobody knows.
    NotDoneUnknown,
    /// It is there, and does not become what was wanted.
    Unachieved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seeing {
    Unknown,
    /// Somebody else changed it since.
    Foreign,
}

/// What became of the requests that were on their way when the process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flight {
    Happened,
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Away {
    /// Half a minute.
    Shortly,
    /// Until the next window, or the deadline, has ended.
    PastNextEnd,
    /// In nanoseconds; only a scenario says so.
    For { ns: i64 },
}

/// The kinds of faults, for people and for counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Measurement,
    Watch,
    Intent,
    Change,
    Undo,
    Observation,
    Person,
    Message,
    Crash,
}

impl Kind {
    pub const ALL: [Kind; 9] = [
        Kind::Measurement,
        Kind::Watch,
        Kind::Intent,
        Kind::Change,
        Kind::Undo,
        Kind::Observation,
        Kind::Person,
        Kind::Message,
        Kind::Crash,
    ];

    pub fn index(self) -> usize {
        self as usize
    }

    pub fn words(self) -> &'static str {
        match self {
            Kind::Measurement => "measurements",
            Kind::Watch => "watches",
            Kind::Intent => "intents",
            Kind::Change => "changes",
            Kind::Undo => "undos",
            Kind::Observation => "looks",
            Kind::Person => "people",
            Kind::Message => "messages",
            Kind::Crash => "crashes",
        }
    }
}

impl Fault {
    /// The item that it is about, where it is about one.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Fault::Measure { site, .. } => Some(site.node()),
            Fault::Prepare { change, .. }
            | Fault::Commit { change, .. }
            | Fault::Observe { change, .. } => Some(change.node),
            Fault::Refused { gate }
            | Fault::Silent { gate }
            | Fault::Late { gate }
            | Fault::Stranger { gate }
            | Fault::Twice { gate } => Some(*gate),
            Fault::Continued { node } => Some(*node),
            Fault::Rule { .. }
            | Fault::Blind { .. }
            | Fault::Untold
            | Fault::Aborted
            | Fault::Crash { .. } => None,
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Fault::Measure { .. } => Kind::Measurement,
            Fault::Rule { .. } | Fault::Blind { .. } => Kind::Watch,
            Fault::Prepare { .. } => Kind::Intent,
            Fault::Commit { change, .. } if change.what == What::Undo => Kind::Undo,
            Fault::Commit { direction, .. } => match direction {
                Direction::Forward => Kind::Change,
                Direction::Back => Kind::Undo,
            },
            Fault::Observe { .. } => Kind::Observation,
            Fault::Refused { .. }
            | Fault::Silent { .. }
            | Fault::Late { .. }
            | Fault::Stranger { .. }
            | Fault::Twice { .. }
            | Fault::Aborted
            | Fault::Continued { .. } => Kind::Person,
            Fault::Untold => Kind::Message,
            Fault::Crash { .. } => Kind::Crash,
        }
    }

    /// Whether it goes on after the next answer.
    pub fn lasts(&self) -> bool {
        let span = match self {
            Fault::Measure { span, .. }
            | Fault::Rule { span, .. }
            | Fault::Blind { span, .. }
            | Fault::Prepare { span, .. }
            | Fault::Commit { span, .. }
            | Fault::Observe { span, .. } => *span,
            Fault::Silent { .. } => Span::Lasting,
            _ => Span::Once,
        };
        span == Span::Lasting
    }
}
