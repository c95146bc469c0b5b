//! One file for each subcommand, and the exit codes.

pub mod exit;
