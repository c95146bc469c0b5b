//! One file for each subcommand, and the exit codes.

pub mod actor;
pub mod cli;
pub mod exit;
pub mod explain;
pub mod item;
pub mod list;
pub mod log;
pub mod people;
pub mod runs;
pub mod session;
pub mod show;
pub mod terminal;
