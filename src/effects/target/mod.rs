//! The lock on a target: who changes it, from where, since when.
//!
//! A lease is renewed while the run goes on. Who finds one that was not renewed for its whole duration, by his own clock,
//! takes it over; so nothing has to be unlocked by hand. Who could not renew it for two thirds of that writes no more
//! ([`fence`]), and goes on once it is renewed, if nobody has taken it meanwhile.

pub mod claim;
pub mod fence;
pub mod lease;
pub mod renewal;
