//! The world, and runs in it.

mod compile;
mod drive;
mod plan;
mod world;
