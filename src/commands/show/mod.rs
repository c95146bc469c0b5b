//! How a run is shown while it happens: a live tree, one line an event, or one JSON object an event.

pub mod audience;
pub mod chain;
pub mod json;
pub mod line;
pub mod live;
pub mod pace;
pub mod paint;
pub mod rehearsal;
pub mod replayed;
pub mod tree;
pub mod verified;
