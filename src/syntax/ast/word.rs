//! Operators as they are written.

use crate::syntax::ast::{AgainstHow, Aggregate, BinaryOp, CompareOp};

impl BinaryOp {
    pub fn word(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::And => "and",
            BinaryOp::Or => "or",
        }
    }
}

impl CompareOp {
    pub fn word(self) -> &'static str {
        match self {
            CompareOp::Eq => "==",
            CompareOp::Ne => "!=",
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
        }
    }
}

impl AgainstHow {
    pub fn word(self) -> &'static str {
        match self {
            AgainstHow::NoWorse => "no worse than",
            AgainstHow::Near => "near",
        }
    }
}

impl Aggregate {
    pub fn word(self) -> &'static str {
        match self {
            Aggregate::Any => "any",
            Aggregate::All => "all",
            Aggregate::Max => "max",
            Aggregate::Min => "min",
            Aggregate::Sum => "sum",
            Aggregate::Avg => "avg",
            Aggregate::Count => "count",
        }
    }
}
