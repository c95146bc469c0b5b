//! Items that make no nodes: inputs, providers, roles, metrics, `let`s, named orders, what is told at events.

pub mod handler;
pub mod input;
pub mod lets;
pub mod metric;
pub mod order;
pub mod provider;
pub mod role;
