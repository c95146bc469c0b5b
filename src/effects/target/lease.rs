//! One lease, wherever it is kept, and how it is taken.
#![allow(clippy::disallowed_methods, reason = "waits for a lease to lapse")]

use crate::effects::target::claim::{Claim, Hold};
use crate::effects::target::fence::{Fence, LEASE};
use async_trait::async_trait;
use std::time::Duration;
use tokio::time::Instant;

/// A place that holds one claim, and changes it only for one who has seen what stands there.
#[async_trait]
pub trait Lease: Send + Sync {
    /// `lease/prod/deployc-shop at https://10.0.0.1:6443`
    fn place(&self) -> String;

    async fn look(&self) -> Result<Option<Standing>, LeaseError>;

    /// Writes if nothing has changed since `seen`; `None`: nothing stood there.
    async fn write(&self, seen: Option<&Standing>, claim: &Claim) -> Result<Written, LeaseError>;
}

/// What stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `None`: not written by this program.
    pub claim: Option<Claim>,
    /// Changes with each write.
    pub version: String,
    /// How often it was passed on, where that is counted.
    pub transitions: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Done,
    /// Somebody has written since.
    Beaten,
    /// There is no namespace yet: nobody can use what is not there.
    Nowhere,
}

/// It cannot be read or written now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot lock the target by {place}: {why}")]
pub struct LeaseError {
    pub place: String,
    pub why: String,
}

/// Who wants it, and what is known of the one who had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// A new run: refused while another one renews it.
    Refuse,
    /// The same run goes on: it waits until its last process has certainly ended.
    Await,
    /// The same run goes on, and a lock of this machine proves that its last process here has ended.
    Proved,
    /// A new run that waits for the other one's end, until this time.
    Queue(Instant),
}

/// A lease that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Who had it before, also where it was free.
    pub previous: Option<Claim>,
    /// From whom it was taken, because it was no longer renewed.
    pub lapsed: Option<String>,
    /// As it was written.
    pub claim: Claim,
    /// By the clock of the fence, when the request began that has it.
    pub asked: crate::values::Instant,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TakeError {
    #[error("the target is in use by {holder} ({place})")]
    Held { place: String, holder: String },
    #[error(
        "the target is kept by {holder}: its rollback is incomplete ({place}); `deployc abort {run} --reason …`, where that run is kept, gives it free"
    )]
    Kept {
        place: String,
        holder: String,
        run: String,
    },
    #[error(transparent)]
    Lease(#[from] LeaseError),
}

/// How often somebody who waits looks.
pub const LOOK_PERIOD: Duration = Duration::from_millis(500);
/// More than one renewal may be late before it counts as none.
const MARGIN: Duration = Duration::from_secs(1);

/// For whom somebody waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// `run …: ana on laptop, process 1, since …`
    pub holder: String,
    /// `None`: it has not said what it is.
    pub run: Option<String>,
}

/// `waiting` is told once for whom it waits, and again when somebody else has it.
pub async fn take(
    lease: &dyn Lease,
    claim: &Claim,
    patience: Patience,
    fence: &Fence,
    mut waiting: impl FnMut(&Awaited),
) -> Result<Taken, TakeError> {
    let mut seen: Vec<Sight> = Vec::new();
    let mut told: Option<Awaited> = None;
    loop {
        let standing = lease.look().await?;
        let lapsed = match &standing {
            None => None,
            Some(standing) => {
                note(&mut seen, standing);
                let wish = Wish {
                    lease,
                    own: claim,
                    patience,
                };
                match judge(&wish, standing, &seen)? {
                    Judgement::Free => None,
                    Judgement::Lapsed(whose) => Some(whose),
                    Judgement::Wait(whom) => {
                        if told.as_ref() != Some(&whom) {
                            waiting(&whom);
                            told = Some(whom);
                        }
                        tokio::time::sleep(LOOK_PERIOD).await;
                        continue;
                    }
                }
            }
        };
        let previous = standing
            .as_ref()
            .and_then(|standing| standing.claim.clone());
        let claim = after(previous.as_ref(), claim);
        let asked = fence.now();
        match lease.write(standing.as_ref(), &claim).await? {
            Written::Beaten => continue,
            Written::Done | Written::Nowhere => {
                return Ok(Taken {
                    previous,
                    lapsed,
                    claim,
                    asked,
                });
            }
        }
    }
}

/// What was noted of the journal of the same run stands until more is.
fn after(previous: Option<&Claim>, claim: &Claim) -> Claim {
    let of_same = previous.filter(|previous| previous.run == claim.run);
    Claim {
        head: of_same.and_then(|previous| previous.head),
        ..claim.clone()
    }
}

/// A version of what stood there, and since when it did, by our own clock.
struct Sight {
    version: String,
    since: Instant,
}

/// Who wants what.
struct Wish<'a> {
    lease: &'a dyn Lease,
    own: &'a Claim,
    patience: Patience,
}

enum Judgement {
    Free,
    Lapsed(String),
    Wait(Awaited),
}

fn note(seen: &mut Vec<Sight>, standing: &Standing) {
    if seen.last().map(|sight| &sight.version) != Some(&standing.version) {
        seen.push(Sight {
            version: standing.version.clone(),
            since: Instant::now(),
        });
    }
}

fn judge(wish: &Wish<'_>, standing: &Standing, seen: &[Sight]) -> Result<Judgement, TakeError> {
    let Wish { own, patience, .. } = *wish;
    let place = wish.lease.place();
    let holder = standing
        .claim
        .as_ref()
        .map_or("another program".to_owned(), Claim::to_string);
    let other = standing.claim.as_ref();
    let is_same_run = other.is_some_and(|claim| claim.run == own.run);
    match other.map(|claim| claim.hold) {
        Some(Hold::Free) => return Ok(Judgement::Free),
        Some(Hold::Kept | Hold::Left) if is_same_run => return Ok(Judgement::Free),
        Some(Hold::Kept) => {
            let run = other.map(|claim| claim.run.clone()).unwrap_or_default();
            return Err(TakeError::Kept { place, holder, run });
        }
        _ => {}
    }
    let is_ours = is_same_run && other.is_some_and(|claim| claim.host == own.host);
    if is_ours && patience == Patience::Proved {
        return Ok(Judgement::Free);
    }
    let now = Instant::now();
    if seen.last().is_some_and(|sight| now >= sight.since + LEASE) {
        return Ok(Judgement::Lapsed(holder));
    }
    let held = TakeError::Held {
        place,
        holder: holder.clone(),
    };
    let was_renewed = seen.len() > 1;
    match patience {
        // The other clock may be wrong; then a run is refused that could have waited, and no harm is done.
        Patience::Refuse if was_renewed || is_fresh(other, own) => Err(held),
        Patience::Await | Patience::Proved if was_renewed => Err(held),
        Patience::Queue(until) if now >= until => Err(held),
        _ => Ok(Judgement::Wait(Awaited {
            holder,
            run: other.map(|claim| claim.run.clone()),
        })),
    }
}

fn is_fresh(other: Option<&Claim>, own: &Claim) -> bool {
    let limit_ns = i64::try_from((LEASE + MARGIN).as_nanos()).unwrap_or(i64::MAX);
    other.is_some_and(|claim| own.renewed.since(claim.renewed) < limit_ns)
}

#[cfg(test)]
mod tests {
    use crate::effects::clock::Clock;
    use crate::effects::target::claim::{Claim, Hold};
    use crate::effects::target::fence::{Fence, LEASE, WRITE_MAX};
    use crate::effects::target::lease::{
        Lease, LeaseError, Patience, Standing, TakeError, Taken, Written, take,
    };
    use crate::effects::target::renewal::{Held, Renewed, hold};
    use crate::journal::record::Hash;
    use crate::journal::store::Head;
    use crate::values::Instant;
    use async_trait::async_trait;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;
    use tokio::sync::watch;
    use tokio::time::sleep;

    /// A lease that stands in memory, and that cannot be reached when it is told so.
    #[derive(Default)]
    struct Page {
        standing: Mutex<Option<Standing>>,
        is_away: AtomicBool,
    }

    #[async_trait]
    impl Lease for Page {
        fn place(&self) -> String {
            "a page".to_owned()
        }

        async fn look(&self) -> Result<Option<Standing>, LeaseError> {
            match self.is_away.load(Ordering::SeqCst) {
                true => Err(LeaseError {
                    place: self.place(),
                    why: "away".to_owned(),
                }),
                false => Ok(self.standing.lock().unwrap().clone()),
            }
        }

        async fn write(
            &self,
            seen: Option<&Standing>,
            claim: &Claim,
        ) -> Result<Written, LeaseError> {
            let mut standing = self.standing.lock().unwrap();
            if standing.as_ref() != seen {
                return Ok(Written::Beaten);
            }
            let version = seen.map_or(0, |seen| seen.version.parse().unwrap()) + 1_u64;
            *standing = Some(Standing {
                claim: Some(claim.clone()),
                version: version.to_string(),
                transitions: 0,
            });
            Ok(Written::Done)
        }
    }

    fn fence() -> Fence {
        Fence::by(Clock::by(|| Instant(0)))
    }

    fn now() -> tokio::time::Instant {
        tokio::time::Instant::now()
    }

    fn claim(run: &str, process: u32) -> Claim {
        Claim {
            run: run.to_owned(),
            user: "ana".to_owned(),
            host: "laptop".to_owned(),
            process,
            since: Instant(0),
            // A wall clock that stands nowhere near that of the others.
            renewed: Instant(i64::from(process) * 3_600_000_000_000),
            head: None,
            hold: Hold::Held,
        }
    }

    struct Writer {
        fence: Fence,
        head: watch::Sender<Option<Head>>,
        held: Held,
    }

    async fn taken(
        page: &Arc<Page>,
        claim: &Claim,
        patience: Patience,
    ) -> Result<(Taken, Writer), TakeError> {
        let fence = fence();
        let taken = take(page.as_ref(), claim, patience, &fence, |_| {}).await?;
        let (head, heads) = watch::channel(None);
        let renewed = Renewed {
            lease: Arc::clone(page) as Arc<dyn Lease>,
            fence: fence.clone(),
            claim: taken.claim.clone(),
            clock: Clock::by(|| Instant(0)),
            head: heads,
        };
        let held = hold(renewed, taken.asked);
        Ok((taken, Writer { fence, head, held }))
    }

    fn standing(page: &Page) -> Claim {
        let standing = page.standing.lock().unwrap();
        standing.as_ref().unwrap().claim.clone().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_renewed_is_refused_to_others_and_free_at_the_end() {
        let page = Arc::new(Page::default());
        let (_, first) = taken(&page, &claim("a", 1), Patience::Refuse)
            .await
            .unwrap();
        sleep(LEASE * 3).await;
        for patience in [Patience::Refuse, Patience::Await] {
            let refused = taken(&page, &claim("b", 2), patience).await.err().unwrap();
            let words = "the target is in use by run `a`: ana on laptop, process 1, since 1970-01-01 00:00:00Z (a page)";
            assert_eq!(refused.to_string(), words);
        }
        let until = now() + Duration::from_secs(60);
        let queued = tokio::spawn({
            let page = Arc::clone(&page);
            async move { taken(&page, &claim("c", 3), Patience::Queue(until)).await }
        });
        sleep(Duration::from_secs(40)).await;
        assert!(!queued.is_finished());
        first.held.end(Hold::Free).await;
        let (next, writer) = queued.await.unwrap().unwrap();
        assert_eq!(next.lapsed, None);
        assert!(writer.fence.is_open());
        let until = now() + Duration::from_secs(60);
        let late = taken(&page, &claim("d", 4), Patience::Queue(until)).await;
        assert!(matches!(late, Err(TakeError::Held { .. })));
        assert!(now() >= until);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_not_renewed_is_closed_before_somebody_else_has_it() {
        let page = Arc::new(Page::default());
        let (_, first) = taken(&page, &claim("a", 1), Patience::Refuse)
            .await
            .unwrap();
        sleep(Duration::from_secs(60)).await;
        assert!(first.fence.is_open());
        page.is_away.store(true, Ordering::SeqCst);
        let begun = now();
        while first.fence.is_open() {
            sleep(Duration::from_millis(100)).await;
        }
        assert!(now() - begun <= WRITE_MAX, "{:?}", now() - begun);
        // The other one reaches it, and has to see it unchanged for the whole time.
        let begun = now();
        let other = Arc::new(Page::default());
        *other.standing.lock().unwrap() = page.standing.lock().unwrap().clone();
        let second = taken(&other, &claim("b", 2), Patience::Await).await;
        let (second, writer) = second.unwrap();
        assert!(now() - begun >= LEASE);
        *page.standing.lock().unwrap() = other.standing.lock().unwrap().clone();
        page.is_away.store(false, Ordering::SeqCst);
        assert!(second.lapsed.unwrap().starts_with("run `a`: ana on laptop"));
        let lost = first.fence.lost().await.to_string();
        assert!(lost.contains("taken over by run `b`"), "{lost}");
        assert!(lost.ends_with("nothing more is written"), "{lost}");
        assert!(first.fence.enter().await.is_err());
        assert!(writer.fence.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_nobody_took_meanwhile_opens_again() {
        let page = Arc::new(Page::default());
        let (_, first) = taken(&page, &claim("a", 1), Patience::Refuse)
            .await
            .unwrap();
        page.is_away.store(true, Ordering::SeqCst);
        sleep(LEASE * 2).await;
        assert!(!first.fence.is_open());
        page.is_away.store(false, Ordering::SeqCst);
        first.fence.enter().await.unwrap();
        // Deleted by hand, it is made again.
        *page.standing.lock().unwrap() = None;
        sleep(LEASE).await;
        assert!(first.fence.is_open());
        assert!(standing(&page).is_by(&claim("a", 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_run_goes_on_at_once_where_its_last_process_has_ended() {
        let page = Arc::new(Page::default());
        let (_, first) = taken(&page, &claim("a", 1), Patience::Refuse)
            .await
            .unwrap();
        let head = Head {
            seq: 41,
            hash: Hash([7; 32]),
        };
        first.head.send_replace(Some(head));
        first.held.end(Hold::Left).await;
        let begun = now();
        let (second, writer) = taken(&page, &claim("a", 2), Patience::Await).await.unwrap();
        assert_eq!(now(), begun);
        // What was noted of the journal is passed on, and stands until more is.
        assert_eq!(second.previous.unwrap().head, Some(head));
        assert_eq!(standing(&page).head, Some(head));
        drop(writer);

        // Killed: a lock of the machine proves it, or its time has to pass.
        let (third, _) = taken(&page, &claim("a", 3), Patience::Proved)
            .await
            .unwrap();
        assert_eq!((now(), third.lapsed), (begun, None));
        let mut elsewhere = claim("a", 4);
        elsewhere.host = "runner".to_owned();
        *page.standing.lock().unwrap() = Some(Standing {
            claim: Some(claim("a", 3)),
            version: "99".to_owned(),
            transitions: 0,
        });
        let fence = fence();
        let begun = now();
        let other = Page::default();
        *other.standing.lock().unwrap() = page.standing.lock().unwrap().clone();
        let fourth = take(&other, &elsewhere, Patience::Proved, &fence, |_| {}).await;
        assert!(fourth.unwrap().lapsed.is_some());
        assert!(now() - begun >= LEASE);
    }

    #[tokio::test(start_paused = true)]
    async fn an_incomplete_rollback_keeps_it_from_others_however_long_it_takes() {
        let page = Arc::new(Page::default());
        let (_, first) = taken(&page, &claim("a", 1), Patience::Refuse)
            .await
            .unwrap();
        first.held.end(Hold::Kept).await;
        sleep(LEASE * 100).await;
        let refused = taken(&page, &claim("b", 2), Patience::Await).await.err();
        let words = refused.unwrap().to_string();
        assert!(words.contains("its rollback is incomplete"), "{words}");
        assert!(words.contains("`deployc abort a --reason …`"), "{words}");
        taken(&page, &claim("a", 3), Patience::Await).await.unwrap();
    }
}
