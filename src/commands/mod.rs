//! One file for each subcommand, and the exit codes.

pub mod cli;
pub mod exit;
pub mod explain;
pub mod show;
pub mod terminal;
