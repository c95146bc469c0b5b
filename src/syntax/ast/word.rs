//! Operators as they are written.

use crate::syntax::ast::{Aggregate, BinaryOp, CompareOp};

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
