//! The engine: one pure function that serves `run`, `simulate`, `resume` and `status`.

pub mod protocol;
