//! Names: what a plan declares, what each name stands for, and where phases stand in the order.
//!
//! All that a plan declares shares one name space, over all of its files; kinds of providers, types and units have their
//! own. Nothing here looks into expressions.

pub mod messages;
pub mod names;
pub mod near;
pub mod order;
pub mod references;
pub mod walk;
