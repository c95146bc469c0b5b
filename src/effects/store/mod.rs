//! Where runs are kept: a folder with one SQLite file, and locks that die with their owner.

pub mod lock;
pub mod memory;
pub mod sqlite;
