//! One file for each subcommand, and the exit codes.

pub mod actor;
pub mod check;
pub mod cli;
pub mod compile;
pub mod exit;
pub mod explain;
pub mod export;
pub mod graph;
pub mod item;
pub mod list;
pub mod load;
pub mod log;
pub mod people;
pub mod plan;
pub mod resume;
pub mod run;
pub mod runs;
pub mod scenarios;
pub mod session;
pub mod show;
pub mod simulate;
pub mod status;
pub mod subject;
pub mod terminal;
pub mod verify;
pub mod why;
