//! A simulated world in a process of its own, behind a socket: what carries a plan out against it can be killed and
//! resumed while the world goes on, and the world has its own account of what reached it.
//!
//! Each request has a connection of its own: one line of JSON goes in, one comes back. Whoever goes away before the
//! answer has given the request up; what it has done by then is done.

pub mod client;
pub mod server;
