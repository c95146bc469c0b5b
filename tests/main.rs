//! Everything that needs neither root nor a cluster, on any system: `cargo test`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

mod bad_input;
mod contract;
mod crash;
mod docs;
mod editors;
mod explain;
mod lists;
mod program;
mod readme;
mod replay;
mod runs;
mod shown;
mod simulate;
mod state;
mod statistics;
mod store;
mod tidy;
mod trials;
mod ui;
mod verify;
mod why;
