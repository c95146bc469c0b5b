//! deployc: a compiler and an async interpreter for `.deploy`, production deployments as code.
//!
//! The modules stand in reading order; one uses only those above it.

pub mod analyze;
pub mod causes;
pub mod commands;
pub mod diagnostics;
pub mod effects;
pub mod engine;
pub mod journal;
pub mod plan;
pub mod providers;
pub mod rerun;
pub mod resolve;
pub mod simulate;
pub mod source;
pub mod statistics;
pub mod syntax;
pub mod units;
pub mod values;
pub mod verify;
