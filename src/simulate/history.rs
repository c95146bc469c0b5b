//! What really happened in a simulated world, by the world's own account.
//!
//! Promises about a run are proved from this and from the objects themselves, never from the run's own log.

use crate::providers::request::Key;
use crate::values::Instant;

/// One change, or one thing that somebody was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub at: Instant,
    /// The field manager, the controller, `kubelet`, or whoever else it was.
    pub who: String,
    /// The change of a plan that it belongs to; `None` for controllers and other people.
    pub key: Option<Key>,
    /// `deployment/x0tta6bl4/x0tta6bl4-api`
    pub object: String,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Created,
    /// Fields with their new values, as the API server prints them.
    Changed(Vec<String>),
    Deleted,
    /// A pod began to take traffic.
    Ready,
    /// A pod no longer takes traffic.
    Unready,
    /// A command was run, with its arguments.
    Ran(Vec<String>),
    /// A message was delivered.
    Told(String),
}

impl What {
    /// Whether an object was written; pods that come and go by themselves are no writes.
    pub fn writes(&self) -> bool {
        matches!(self, What::Created | What::Changed(_) | What::Deleted)
    }
}
