//! Types and the values that have them, shared by the checker, the engine and the providers.

pub mod extent;
pub mod fields;
pub mod show;
pub mod version;

use crate::units::Dim;
use crate::units::amount::{Amount, Quantity};
use crate::values::fields::Fields;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Nanoseconds since 1970-01-01T00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Instant(pub i64);

impl Instant {
    pub fn plus(self, ns: i64) -> Instant {
        Instant(self.0.saturating_add(ns))
    }

    /// Nanoseconds from `earlier` to here; negative when `earlier` is later.
    pub fn since(self, earlier: Instant) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// What the checker knows of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    Bool,
    String,
    Version,
    Instant,
    Date,
    Url,
    Regex,
    Quantity(Dim),
    Verdict,
    List(Arc<Type>),
    Map(Arc<Type>),
    Secret,
    Json,
    /// `A .. B` between two instants.
    Interval,
    /// What a provider function returns; see [`Record`].
    Record(Arc<Record>),
    /// A name of a role in a list of roles.
    Role,
    /// The difference of two ratios: `2pp`. At run time a quantity of dimension `ratio`.
    Points,
    /// A file or a folder beside the plan; its text is read when the plan is compiled and lies inside it.
    Path,
    /// The type of a part that already has a diagnostic: fits everywhere, so that one mistake gives one message.
    Unknown,
}

/// A result with named fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub name: &'static str,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: &'static str,
    pub ty: Type,
    pub freshness: Freshness,
    pub doc: &'static str,
}

/// Whether reading a field again can give another answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Asked anew at each sample.
    Live,
    /// Known once; may not drive a watch.
    Fixed,
}

impl Type {
    pub fn list(of: Type) -> Type {
        Type::List(Arc::new(of))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::String => f.write_str("string"),
            Type::Version => f.write_str("version"),
            Type::Instant => f.write_str("instant"),
            Type::Date => f.write_str("date"),
            Type::Url => f.write_str("url"),
            Type::Regex => f.write_str("regex"),
            Type::Quantity(dim) => dim.fmt(f),
            Type::Verdict => f.write_str("verdict"),
            Type::List(of) => write!(f, "list<{of}>"),
            Type::Map(of) => write!(f, "map<{of}>"),
            Type::Secret => f.write_str("secret<string>"),
            Type::Json => f.write_str("json"),
            Type::Interval => f.write_str("interval"),
            Type::Record(record) => f.write_str(record.name),
            Type::Role => f.write_str("role"),
            Type::Points => f.write_str("percentage points"),
            Type::Path => f.write_str("path"),
            Type::Unknown => f.write_str("unknown"),
        }
    }
}

/// What an expression is at run time. A secret has no value here: it never leaves the provider that uses it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    Bool(bool),
    String(String),
    Version(Box<Version>),
    Instant(Instant),
    Quantity(Quantity),
    Verdict(Verdict),
    Interval(Instant, Instant),
    List(Vec<Value>),
    Record(Fields),
    Json(Box<serde_json::Value>),
    /// A query that answered nothing. Every judgement on it is inconclusive.
    Absent,
}

/// Plans, states and worlds consist of them.
const _: () = assert!(size_of::<Value>() <= 40);

impl Value {
    pub fn count(n: i64) -> Value {
        Value::Quantity(Quantity::count(n))
    }

    pub fn measured(dim: Dim, value: f64) -> Value {
        Value::Quantity(Quantity::measured(dim, value))
    }

    pub fn json(json: serde_json::Value) -> Value {
        Value::Json(Box::new(json))
    }

    pub fn version(version: Version) -> Value {
        Value::Version(Box::new(version))
    }

    pub fn amount(&self) -> Option<Amount> {
        match self {
            Value::Quantity(quantity) => Some(quantity.amount),
            _ => None,
        }
    }
}

/// `v1.20`, `v2.3.1-rc.1`: numbers compare as numbers, a missing part counts as 0, a pre-release comes before.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Version {
    pub numbers: Vec<u64>,
    pub pre: Option<String>,
    /// As it was written, for display.
    pub text: String,
}

/// What judging gives. Only `Pass` opens a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Fail,
    Inconclusive,
    Error,
    Skipped,
    Cancelled,
    /// A `when` that was false by a valid measurement or an input; an empty input list. Does not shut a gate.
    NotApplicable,
}

impl Verdict {
    /// Whether what waits for this item may go on.
    pub fn opens(self) -> bool {
        matches!(
            self,
            Verdict::Pass | Verdict::NotApplicable | Verdict::Skipped
        )
    }
}
