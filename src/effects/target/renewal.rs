//! A lease that is held: renewed in a task of its own until the run has ended.
#![allow(clippy::disallowed_methods, reason = "waits between two renewals")]

use crate::effects::clock::Clock;
use crate::effects::target::claim::{Claim, Hold};
use crate::effects::target::fence::{Fence, RENEW_PERIOD, WRITE_MAX};
use crate::effects::target::lease::{Lease, LeaseError, Standing, Written};
use crate::journal::store::Head;
use crate::values::Instant;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Until [`Held::end`], or the end of the process.
pub struct Held {
    end: oneshot::Sender<Hold>,
    task: JoinHandle<()>,
}

/// What is renewed, and whose writing depends on it.
pub struct Renewed {
    pub lease: Arc<dyn Lease>,
    pub fence: Fence,
    pub claim: Claim,
    pub clock: Clock,
    /// Of the journal, once it was read: noted with each renewal.
    pub head: watch::Receiver<Option<Head>>,
}

/// How long the last write may take. Without it the lease lapses by itself.
const END_MAX: Duration = Duration::from_secs(5);

/// The lease was taken by a request that began at `asked`.
pub fn hold(renewed: Renewed, asked: Instant) -> Held {
    let (end, ended) = oneshot::channel();
    renewed.fence.renewed(asked);
    let task = tokio::spawn(keep(renewed, ended));
    Held { end, task }
}

impl Held {
    /// Says how it is left, and waits until that is written.
    pub async fn end(self, hold: Hold) {
        // It may have been lost: then there is nobody to tell.
        if self.end.send(hold).is_ok() {
            let _ = tokio::time::timeout(END_MAX, self.task).await;
        }
    }
}

async fn keep(mut renewed: Renewed, mut ended: oneshot::Receiver<Hold>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(RENEW_PERIOD) => {}
            hold = &mut ended => {
                if let Ok(hold) = hold {
                    leave(&mut renewed, hold).await;
                }
                return;
            }
        }
        let asked = renewed.fence.now();
        let limit = tokio::time::timeout(WRITE_MAX / 2, renew(&mut renewed));
        match limit.await {
            Ok(Ok(None)) => renewed.fence.renewed(asked),
            Ok(Ok(Some(whose))) => {
                let place = renewed.lease.place();
                let why = format!("the lock on the target was taken over by {whose} ({place})");
                return renewed.fence.lose(why);
            }
            // The fence closes by itself, and opens again with the next one that goes well.
            Ok(Err(LeaseError { .. })) | Err(_) => {}
        }
    }
}

async fn leave(renewed: &mut Renewed, hold: Hold) {
    renewed.claim.hold = hold;
    while renew(renewed).await.is_err() {
        tokio::time::sleep(RENEW_PERIOD / 4).await;
    }
}

/// `Some`: somebody else has it.
async fn renew(renewed: &mut Renewed) -> Result<Option<String>, LeaseError> {
    renewed.claim.renewed = renewed.clock.now();
    renewed.claim.head = renewed.head.borrow().or(renewed.claim.head);
    loop {
        let standing = renewed.lease.look().await?;
        if let Some(whose) = standing
            .as_ref()
            .and_then(|standing| other(standing, renewed))
        {
            return Ok(Some(whose));
        }
        let written = renewed.lease.write(standing.as_ref(), &renewed.claim);
        match written.await? {
            Written::Done | Written::Nowhere => return Ok(None),
            Written::Beaten => {}
        }
    }
}

/// Where it was deleted by hand, nobody else has it, and it is made again.
fn other(standing: &Standing, renewed: &Renewed) -> Option<String> {
    match &standing.claim {
        Some(claim) if claim.is_by(&renewed.claim) => None,
        Some(claim) => Some(claim.to_string()),
        None => Some("another program".to_owned()),
    }
}
