//! How long a plan and its rollback take, at least and at most, and whether that fits.
//!
//! A time is the longest path through the graph of the plan. What a person or a system may need is counted in full; a pause
//! stops the whole run, so pauses add up, each place of a pause once. Time without sight, which a hold makes up for, is
//! not counted: silence leads to a pause.

pub mod budget;
pub mod durations;
pub mod evidence;
pub mod freezes;
pub mod line;
#[cfg(test)]
pub mod morning;
pub mod pauses;
pub mod rollback;
pub mod samples;
pub mod signatures;
pub mod windows;

#[cfg(test)]
mod tests;
