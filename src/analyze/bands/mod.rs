//! Bands of measured values: what a gate accepts, what a trigger fires on, and how they lie to each other.

pub mod condition;
pub mod gates;
pub mod holds;
pub mod interval;
pub mod rules;

#[cfg(test)]
mod tests;
