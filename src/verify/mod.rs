//! Every single fault, tried: the same `step` that carries a plan out, against a world that may answer anything.
//!
//! The plan is taken as it is, but what it measures is left to the explorer ([`subject`]): each condition is true, false,
//! without data or in error as a choice. The world ([`world`]) keeps its own account of what was really changed, answered
//! and signed; the promises ([`promise`]) are read from that account, never from the state of the engine. A branch
//! ([`branch`]) is one run; what may go wrong at a moment is a [`fault`]; moments that cannot be told apart by what follows
//! are one [`class`], and each fault is tried once in each class ([`explore`]).

pub mod alternatives;
pub mod answer;
pub mod branch;
pub mod claims;
pub mod class;
pub mod explore;
pub mod fault;
pub mod inject;
pub mod ledger;
pub mod people;
pub mod promise;
pub mod quiet;
pub mod request;
pub mod scenario;
pub mod story;
pub mod subject;
pub mod visited;
pub mod words;
pub mod world;
