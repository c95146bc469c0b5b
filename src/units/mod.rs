//! Dimensions and exact quantities.
//!
//! Dimensions are closed: a table, no inference. Amounts that were written are exact integers; a float comes
//! only from a measurement, and stays marked as one.

pub mod amount;
pub mod literal;
pub mod show;

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a quantity measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dim {
    /// A plain number: pods, restarts, passes. `int` in a plan is an exact count.
    Count,
    /// A part of a whole: `1%` is 0.01.
    Ratio,
    /// A relative change: `+20%`.
    Change,
    /// Base unit: the second.
    Duration,
    /// Base unit: the byte.
    Bytes,
    /// Base unit: one processor core.
    Cores,
    /// Something for each second.
    Rate(Per),
}

/// What a [`Dim::Rate`] counts for each second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    Count,
    Ratio,
    Duration,
    Bytes,
    Cores,
}

impl Per {
    pub fn dim(self) -> Dim {
        match self {
            Per::Count => Dim::Count,
            Per::Ratio => Dim::Ratio,
            Per::Duration => Dim::Duration,
            Per::Bytes => Dim::Bytes,
            Per::Cores => Dim::Cores,
        }
    }
}

impl Dim {
    /// This for each second, where the language has it.
    pub fn per_second(self) -> Option<Dim> {
        let per = match self {
            Dim::Count => Per::Count,
            Dim::Ratio => Per::Ratio,
            Dim::Duration => Per::Duration,
            Dim::Bytes => Per::Bytes,
            Dim::Cores => Per::Cores,
            Dim::Change | Dim::Rate(_) => return None,
        };
        Some(Dim::Rate(per))
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Count => f.write_str("count"),
            Dim::Ratio => f.write_str("ratio"),
            Dim::Change => f.write_str("change"),
            Dim::Duration => f.write_str("duration"),
            Dim::Bytes => f.write_str("bytes"),
            Dim::Cores => f.write_str("cores"),
            Dim::Rate(per) => write!(f, "rate<{}>", per.dim()),
        }
    }
}
