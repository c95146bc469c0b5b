//! The text of `deployc plan`: what will happen in what order, what undoes it, how long it takes, who is asked.
//!
//! It is read at three in the morning: 80 columns, plain characters, the figures that decide at the top.

pub mod expr;
pub mod happens;
pub mod layout;
pub mod summary;
pub mod undone;
pub mod watched;

use crate::plan::facts::Facts;
use crate::plan::{Plan, SourceMap};

/// The whole text, with a line break at its end.
pub fn print(plan: &Plan, facts: &Facts, map: &SourceMap) -> String {
    let mut out = String::new();
    summary::head(&mut out, plan, facts);
    happens::happens(&mut out, plan, facts);
    undone::undone(&mut out, plan, facts);
    watched::watched(&mut out, plan);
    summary::people(&mut out, plan);
    summary::samples(&mut out, plan, facts);
    summary::times(&mut out, plan, facts, map);
    out
}

#[cfg(test)]
mod tests;
