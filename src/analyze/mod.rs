//! From names to a plan that can be trusted: types, lowering, and what can be proved of the finished plan.

pub mod check_plan;
pub mod coverage;
pub mod facts;
pub mod order;
pub mod places;
pub mod promql;
pub mod timing;
