//! From names to a plan that can be trusted: types, lowering, and what can be proved of the finished plan.

pub mod analysis;
pub mod bands;
pub mod bounded;
pub mod canary;
pub mod check_plan;
pub mod compile;
pub mod context;
pub mod coverage;
pub mod env;
pub mod expr;
pub mod extent;
pub mod facts;
pub mod files;
pub mod invariant;
pub mod items;
pub mod link;
pub mod lints;
pub mod lower;
pub mod manifest;
pub mod messages;
pub mod order;
pub mod places;
pub mod plan_item;
pub mod promql;
pub mod timing;
pub mod typed;
pub mod types;
pub mod watches;

#[cfg(test)]
mod tests;
