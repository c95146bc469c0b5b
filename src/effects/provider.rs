//! What carries out the requests of one provider, in the world or in a simulation.

use crate::effects::target::fence::Fence;
use crate::effects::target::lease::Lease;
use crate::providers::request::{Failure, Request, Response};
use async_trait::async_trait;
use std::sync::Arc;

/// Answers requests for one provider of a plan.
///
/// The variant of the response is that of the request: `Read` for `Read`, `Prepared` for `Prepare`, and so on.
/// There is no error beside the response: whatever goes wrong is a [`crate::providers::request::Failure`] inside it.
///
/// The caller sets the time limit and may drop the future at any await. What a dropped `Commit` has done is then
/// unknown, and is found out by `Observe`.
#[async_trait]
pub trait Provider: Send + Sync {
    async fn answer(&self, request: Request) -> Response;

    /// Whether a run that calls these functions may begin: asked once, before anything of it is written anywhere. What
    /// may pass until it is needed, such as an outage of what measures, is no reason to refuse.
    async fn admit(&self, _functions: &[&str]) -> Result<(), Failure> {
        Ok(())
    }

    /// The lock on what it changes for a plan of this name, and the fence that its changes wait at. `None`: nothing of it
    /// is shared between machines.
    fn lock(&self, _plan: &str) -> Option<(Arc<dyn Lease>, Fence)> {
        None
    }
}
