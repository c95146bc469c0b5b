//! An amount of something: exact where it was written, a float where it was measured.

use crate::units::Dim;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;

/// Billionths of the base unit of a dimension: nanoseconds, parts per billion, …
///
/// Serialized as decimal text, so that JSON readers with 53 bits lose nothing.
///
/// Packed, because the alignment of 16 would make every value larger by half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(Rust, packed(8))]
pub struct Nano(pub i128);

/// Billionths in one base unit.
pub const NANO: i128 = 1_000_000_000;

impl Nano {
    pub fn whole(units: i64) -> Nano {
        Nano(i128::from(units) * NANO)
    }

    pub fn as_f64(self) -> f64 {
        self.0 as f64 / NANO as f64
    }
}

impl Serialize for Nano {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&{ self.0 })
    }
}

impl<'de> Deserialize<'de> for Nano {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Nano, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Nano).map_err(serde::de::Error::custom)
    }
}

/// How much, in the base unit of its dimension.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    Exact(Nano),
    /// From a measurement; may be NaN or infinite, and then has no verdict.
    Measured(#[serde(with = "float_text")] f64),
}

impl Amount {
    pub fn as_f64(self) -> f64 {
        match self {
            Amount::Exact(nano) => nano.as_f64(),
            Amount::Measured(value) => value,
        }
    }

    pub fn is_finite(self) -> bool {
        self.as_f64().is_finite()
    }

    /// Orders two amounts of one dimension; `None` when either is NaN.
    ///
    /// Two exact amounts compare exactly, so `0.1% + 0.2% == 0.3%`.
    pub fn compare(self, other: Amount) -> Option<Ordering> {
        match (self, other) {
            (Amount::Exact(a), Amount::Exact(b)) => Some(a.cmp(&b)),
            _ => self.as_f64().partial_cmp(&other.as_f64()),
        }
    }
}

/// An amount together with what it measures.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Quantity {
    pub dim: Dim,
    pub amount: Amount,
}

impl Quantity {
    pub fn exact(dim: Dim, nano: i128) -> Quantity {
        Quantity {
            dim,
            amount: Amount::Exact(Nano(nano)),
        }
    }

    pub fn count(n: i64) -> Quantity {
        Quantity {
            dim: Dim::Count,
            amount: Amount::Exact(Nano::whole(n)),
        }
    }

    pub fn measured(dim: Dim, value: f64) -> Quantity {
        Quantity {
            dim,
            amount: Amount::Measured(value),
        }
    }
}

/// JSON has no NaN and no infinity, and a journal must keep them: floats travel as text.
mod float_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
