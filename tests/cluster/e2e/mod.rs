//! Whole runs of the program as its users run it: the built binary, a plan, a service account with just
//! the rights that the plan needs.
//!
//! Whether a run did well is read from the cluster and from the load generator's record. What the
//! program prints is looked at only where a message is what is tested.

mod away;
mod bad_input;
mod blue_green;
mod configuration;
mod crash;
mod good;
mod hindered;
mod interrupted;
mod lock;
mod no_evidence;
mod old_is_ill;
mod others;
mod program;
mod regress;
mod rights;
mod site;
mod unready;
mod world;
