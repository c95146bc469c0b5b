//! Expressions and judging statements of a compiled plan, with types checked and names resolved.
//!
//! They are evaluated by the engine on demand: evaluation either yields a value or names the reads that it needs.

use crate::plan::node::NodeId;
use crate::plan::{Direction, LocId};
use crate::syntax::ast::{Aggregate, BinaryOp, CompareOp};
use crate::units::Dim;
use crate::units::amount::Nano;
use crate::values::Value;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    Literal(Value),
    /// An input of the run.
    Input(String),
    /// One element of an input that is a list, from 0 on.
    Element {
        input: String,
        index: u32,
    },
    /// Whether the run was given a list with this element; see [`crate::plan::elements`].
    HasElement {
        input: String,
        index: u32,
    },
    /// An index into [`crate::plan::Plan::lets`].
    Let(u32),
    /// A `let` inside the body that is being judged, or a bound parameter; see [`Stmt::Let`].
    Local(u32),
    /// A read of a provider.
    Call(CallExpr),
    Field(Box<Expr>, String),
    /// An index into [`crate::plan::Plan::metrics`].
    Metric {
        metric: u32,
        scope: Scope,
    },
    /// `NAME.started`, `.ended`, `.took`, `.before`, `.result` of a node; a field of them is a [`Expr::Field`].
    Node {
        node: NodeId,
        datum: Datum,
    },
    /// `plan.title`, `cause`, `run`: words of the run.
    Word(RunWord),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Box<Expr>, BinaryOp, Box<Expr>),
    Compare(Box<Expr>, Vec<(CompareOp, Expr)>),
    Aggregate(Aggregate, Box<Expr>),
    List(Vec<Expr>),
    /// `{ api: "registry/x:${version}" }`: a [`Value::Record`].
    Map(Vec<(String, Expr)>),
    Template(Template),
    /// A JSON value narrowed by a path: `x.json("$.status") as string`.
    Narrow {
        json: Box<Expr>,
        path: Option<String>,
        to: JsonType,
        scale_numerator: i64,
        scale_denominator: i64,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonType {
    Bool,
    String,
    Version,
    Quantity(Dim),
    List(Box<JsonType>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// No scope was written: everything the query sees.
    None,
    Canary,
    Stable,
    /// Both revisions together.
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Datum {
    Started,
    Ended,
    Took,
    Before,
    Result,
    Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunWord {
    PlanName,
    PlanTitle,
    RunId,
    /// Why a rollback or a watch's action happens.
    Cause,
}

/// A provider's function with its arguments by name; defaults are filled in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallExpr {
    pub provider: String,
    pub function: String,
    pub args: Vec<(String, Expr)>,
    pub loc: LocId,
}

/// `"…${x}…"`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Template {
    pub parts: Vec<TemplatePart>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplatePart {
    Text(String),
    Expr(Expr),
}

/// What a check's body is after `define`s are written out and `for` is unrolled.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stmt {
    /// Evaluated once per judgement, at first use.
    Let {
        local: u32,
        value: Expr,
    },
    Expect(Clause),
    Against(Box<Comparison>),
    /// Judged only where the condition holds.
    When {
        condition: Expr,
        body: Vec<Stmt>,
    },
}

/// `p95 no worse than stable.p95 by 10%`: samples of two metrics, compared by a statistical test when the hold of their
/// stage is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// Metrics, both.
    pub measured: Expr,
    pub baseline: Expr,
    /// Of both.
    pub dim: Dim,
    /// Which way is better; `None`: they are to be near each other.
    pub better: Option<Direction>,
    /// What is allowed: a part of the baseline …
    pub relative: Nano,
    /// … and an amount beside it, in the unit of what is measured.
    pub absolute: Nano,
    /// Disjoint windows that a verdict needs, on each side.
    pub windows: u32,
    /// That no verdict of its family is wrong.
    pub confidence: Nano,
    /// Comparisons of one body with the same number share their confidence.
    pub family: u32,
    pub text: Arc<str>,
    pub loc: LocId,
}

/// One `expect`, or one bound of a threshold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Clause {
    pub condition: Expr,
    /// As written, for messages: `canary.error_rate < 1%`.
    pub text: Arc<str>,
    pub loc: LocId,
}
