//! The locks that a run holds on its target while this process drives it.
//!
//! On this machine, or in the database that runs are kept in, there is one for each target; and one in each namespace
//! that the plan changes, which everybody sees.

use crate::commands::exit::Exit;
use crate::commands::runs::report;
use crate::commands::terminal;
use crate::effects::clock::Clock;
use crate::effects::registry::Providers;
use crate::effects::store::location::Location;
use crate::effects::store::lock::{self, Holder, Lock, LockError};
use crate::effects::store::postgres::lock::PostgresLease;
use crate::effects::target::claim::{Claim, Hold};
use crate::effects::target::fence::Fence;
use crate::effects::target::lease::{
    Awaited, LOOK_PERIOD, Lease, LeaseError, Patience, TakeError, Taken, take,
};
use crate::effects::target::renewal::{Held, Renewed, hold};
use crate::engine::protocol::{Actor, EventKind};
use crate::journal::store::Head;
use crate::values::show;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// What is to be locked, and for whom.
pub struct Wanted<'a> {
    pub location: &'a Location,
    pub run: &'a str,
    pub target: &'a str,
    pub plan: &'a str,
    pub actor: &'a Actor,
    pub patience: Patience,
}

/// Held until [`Holding::end`], or the end of the process.
pub struct Holding {
    pub fences: Vec<Fence>,
    /// Where the journal of the same run has reached, as the locks have it.
    pub anchors: Vec<Head>,
    /// What the journal is told.
    pub taken: Vec<EventKind>,
    /// Where the journal ends, for the locks.
    pub head: watch::Sender<Option<Head>>,
    held: Vec<Held>,
    notes: Option<JoinHandle<()>>,
}

/// How often the lock of this machine is told where the journal ends.
const NOTE_PERIOD: Duration = Duration::from_secs(2);

/// Told for whom a process waits, and at which place.
pub type OnWait<'a> = &'a mut dyn FnMut(&str, &Awaited);

impl Holding {
    /// Nothing yet.
    pub fn none() -> Holding {
        Holding {
            fences: Vec::new(),
            anchors: Vec::new(),
            taken: Vec::new(),
            head: watch::Sender::new(None),
            held: Vec::new(),
            notes: None,
        }
    }

    /// The lock of this machine, or of the database: before anything is read of the run.
    pub async fn begin(&mut self, wanted: &Wanted<'_>, waiting: OnWait<'_>) -> Result<(), Exit> {
        match wanted.location {
            Location::Folder(folder) => {
                let (lock, before) = own(folder, wanted, waiting).await?;
                let before = before.filter(|before| before.run == wanted.run);
                self.anchors.extend(before.and_then(|before| before.head));
                self.notes = Some(tokio::spawn(note(lock, self.head.subscribe())));
                Ok(())
            }
            Location::Postgres(address) => {
                let lease = PostgresLease::new(address, wanted.target);
                let lease = Arc::new(lease.map_err(|error| report(&error))?);
                self.add(wanted, lease, Fence::default(), waiting).await
            }
        }
    }

    /// Those of the providers, besides.
    pub async fn extend(
        &mut self,
        wanted: &Wanted<'_>,
        providers: &Providers,
        waiting: OnWait<'_>,
    ) -> Result<(), Exit> {
        let mut locks: Vec<(Arc<dyn Lease>, Fence)> = providers
            .values()
            .filter_map(|provider| provider.lock(wanted.plan))
            .collect();
        // Everybody takes them in the same order, so that no two wait for each other.
        locks.sort_by_key(|(lease, _)| lease.place());
        for (lease, fence) in locks {
            self.add(wanted, lease, fence, waiting).await?;
        }
        Ok(())
    }

    async fn add(
        &mut self,
        wanted: &Wanted<'_>,
        lease: Arc<dyn Lease>,
        fence: Fence,
        waiting: OnWait<'_>,
    ) -> Result<(), Exit> {
        let clock = Clock::start();
        let claim = claim(wanted, &clock);
        let place = lease.place();
        let taken = take(lease.as_ref(), &claim, wanted.patience, &fence, |whom| {
            waiting(&place, whom);
        });
        let taken: Taken = taken.await.map_err(|error: TakeError| report(&error))?;
        let before = taken.previous.filter(|before| before.run == wanted.run);
        self.anchors.extend(before.and_then(|before| before.head));
        self.taken.extend(
            taken
                .lapsed
                .map(|from| EventKind::TargetTaken { place, from }),
        );
        let renewed = Renewed {
            lease,
            fence: fence.clone(),
            claim: taken.claim,
            clock,
            head: self.head.subscribe(),
        };
        self.held.push(hold(renewed, taken.asked));
        self.fences.push(fence);
        Ok(())
    }

    /// Says how the target is left.
    pub async fn end(self, how: Hold) {
        for held in self.held {
            held.end(how).await;
        }
        drop(self.head);
        if let Some(notes) = self.notes {
            let _ = tokio::time::timeout(NOTE_PERIOD, notes).await;
        }
    }
}

/// Says for whom the next process of a run waits.
pub fn say_awaited(place: &str, whom: &Awaited) {
    let holder = &whom.holder;
    terminal::eprintln!("note: waiting for {place}, which was held by {holder}");
}

/// The lock of this machine: at once, or as soon as its holder has ended.
async fn own(
    folder: &Path,
    wanted: &Wanted<'_>,
    waiting: OnWait<'_>,
) -> Result<(Lock, Option<Holder>), Exit> {
    let mut told: Option<Awaited> = None;
    loop {
        let error = match lock::acquire(folder, wanted.target, &holder(wanted)) {
            Ok(taken) => return Ok(taken),
            Err(error) => error,
        };
        let whom = match &error {
            LockError::Held { holder, .. } => Awaited {
                holder: holder.to_string(),
                run: Some(holder.run.clone()),
            },
            LockError::HeldByUnknown { .. } => Awaited {
                holder: "another process, which has not said who it is".to_owned(),
                run: None,
            },
            LockError::Unusable { .. } => return Err(report(&error)),
        };
        match wanted.patience {
            Patience::Queue(until) if Instant::now() < until => {}
            _ => return Err(report(&error)),
        }
        if told.as_ref() != Some(&whom) {
            waiting(wanted.target, &whom);
            told = Some(whom);
        }
        tokio::time::sleep(LOOK_PERIOD).await;
    }
}

/// Gives free what a run keeps after an incomplete rollback. Says what could not be.
pub async fn free(wanted: &Wanted<'_>, providers: &Providers) {
    let own = match wanted.location {
        Location::Folder(_) => None,
        Location::Postgres(address) => PostgresLease::new(address, wanted.target).ok(),
    };
    let own = own.map(|lease| Arc::new(lease) as Arc<dyn Lease>);
    let others = providers
        .values()
        .filter_map(|provider| provider.lock(wanted.plan))
        .map(|(lease, _)| lease);
    for lease in own.into_iter().chain(others) {
        if let Err(error) = set_free(lease.as_ref(), wanted.run).await {
            terminal::eprintln!("warning: {error}; until that is mended it stays kept there");
        }
    }
}

async fn set_free(lease: &dyn Lease, run: &str) -> Result<(), LeaseError> {
    let Some(standing) = lease.look().await? else {
        return Ok(());
    };
    match &standing.claim {
        Some(claim) if claim.run == run => {
            let free = Claim {
                hold: Hold::Free,
                ..claim.clone()
            };
            lease.write(Some(&standing), &free).await?;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn claim(wanted: &Wanted<'_>, clock: &Clock) -> Claim {
    let now = clock.now();
    Claim {
        run: wanted.run.to_owned(),
        user: wanted.actor.user.clone(),
        host: wanted.actor.host.clone(),
        process: std::process::id(),
        since: now,
        renewed: now,
        head: None,
        hold: Hold::Held,
    }
}

fn holder(wanted: &Wanted<'_>) -> Holder {
    Holder {
        run: wanted.run.to_owned(),
        user: wanted.actor.user.clone(),
        host: wanted.actor.host.clone(),
        process: std::process::id(),
        since: show::instant(Clock::start().now()),
        head: None,
    }
}

/// Keeps the lock until nobody tells it anything any more.
async fn note(mut lock: Lock, mut heads: watch::Receiver<Option<Head>>) {
    while heads.changed().await.is_ok() {
        lock.note(*heads.borrow_and_update());
        let over = tokio::time::timeout(NOTE_PERIOD, closed(&mut heads)).await;
        if over.is_ok() {
            break;
        }
    }
    lock.note(*heads.borrow());
}

/// The sender is gone.
async fn closed(heads: &mut watch::Receiver<Option<Head>>) {
    while heads.changed().await.is_ok() {}
}
