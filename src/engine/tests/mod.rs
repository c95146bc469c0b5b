//! Tests of the engine: a plan, a script of what the world answers, and the log that has to come of it.

mod bench;
mod build;
mod flow;
