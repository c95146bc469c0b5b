//! A world to rehearse in: virtual time, a cluster with controllers, systems and people who answer as a scenario says.
//!
//! Everything here is synchronous and deterministic: the same plan and scenario give the same events, byte for byte.
//! The world has an account of its own of what happened to it ([`history`]), which no run can write into.

pub mod agenda;
pub mod chance;
pub mod compile;
pub mod coverage;
pub mod drive;
mod due;
pub mod expect;
pub mod fault;
pub mod history;
pub mod kubernetes;
pub mod scenario;
pub mod script;
pub mod series;
pub mod setup;
pub mod summary;
pub mod systems;
pub mod trial;
pub mod world;

#[cfg(test)]
mod tests;
