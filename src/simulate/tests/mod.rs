//! The world, and runs in it.

mod drive;
mod plan;
mod world;
