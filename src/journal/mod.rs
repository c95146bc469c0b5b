//! The journal of a run: what happened, in order, chained by hashes. Pure; where it is kept is `effects::store`.
//!
//! A record holds one event. Its hash covers the hash before it, so an edit, a deletion inside, a swap or an insertion
//! is found and its place is named. A tail that was cut off is found by anchors: the head that stands in the store apart
//! from the records, and the one in the lock on the target.

pub mod chain;
pub mod lines;
pub mod record;
pub mod replay;
pub mod store;
pub mod writer;
