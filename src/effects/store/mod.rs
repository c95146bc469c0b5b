//! Where journals are kept, and the locks on targets.

pub mod location;
pub mod lock;
pub mod memory;
pub mod postgres;
pub mod sqlite;
