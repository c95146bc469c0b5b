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

/// The closed table of what comes of two dimensions; a change is only compared.
impl Dim {
    /// Of a product: `2 * 5%` is a ratio, `20% * 3GiB` bytes, `10/s * 1m` a count.
    pub fn times(self, other: Dim) -> Option<Dim> {
        match (self, other) {
            (Dim::Change, _) | (_, Dim::Change) => None,
            (Dim::Count, other) | (other, Dim::Count) => Some(other),
            (Dim::Ratio, other) | (other, Dim::Ratio) => Some(other),
            (Dim::Rate(per), Dim::Duration) | (Dim::Duration, Dim::Rate(per)) => Some(per.dim()),
            _ => None,
        }
    }

    /// Of a quotient: `1m / 2m` is a ratio, `1m / 2` a duration, `100 / 10/s` as well.
    pub fn over(self, other: Dim) -> Option<Dim> {
        match (self, other) {
            (Dim::Change, _) | (_, Dim::Change) => None,
            (one, other) if one == other => Some(Dim::Ratio),
            (one, Dim::Count | Dim::Ratio) => Some(one),
            (one, Dim::Duration) => one.per_second(),
            (one, Dim::Rate(per)) if per.dim() == one => Some(Dim::Duration),
            _ => None,
        }
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
