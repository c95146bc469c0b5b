//! The real driver: events in, `step`, effects out, on tokio.
//!
//! **Architecture Invariant:** an event is durable before any effect that `step` returned for it is carried out. There is
//! one place that appends ([`Driver::take`]), and it carries out nothing when the append failed. Answers that arrive
//! together are one transaction of the store.

use crate::effects::answer::{
    cancelled, committed, failure, limited, observed, prepared, read, refusal, told,
};
use crate::effects::clock::Clock;
use crate::effects::registry::Providers;
use crate::effects::signals::{Signal, Signals};
use crate::effects::target::fence::{Fence, Lost};
use crate::engine::protocol::{Actor, Effect, Event, EventKind, Note, ReadId, RunOutcome};
use crate::engine::state::State;
use crate::engine::step;
use crate::journal::store::{Head, LetterId, Store};
use crate::journal::writer::{Arrival, JournalError, Writer};
use crate::plan::Plan;
use crate::providers::request::{FailureKind, Key, Observation, Outcome, Request, Response};
use crate::values::Instant;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

/// Whoever watches the run.
pub trait Audience {
    fn note(&mut self, plan: &Plan, at: Instant, note: &Note);
    /// After each event, and each second; a live tree is drawn from the state.
    fn state(&mut self, plan: &Plan, at: Instant, state: &State);
}

/// How driving ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Finished(RunOutcome),
    /// A second SIGINT, or SIGTERM: the process goes, the obligation stays; `resume` goes on.
    Interrupted,
    /// Somebody else has the target now.
    Lost(Lost),
}

pub struct Driver<'a, S: ?Sized, A> {
    pub plan: &'a Plan,
    pub store: &'a mut S,
    pub writer: Writer,
    pub audience: A,
    pub providers: Providers,
    pub clock: Clock,
    pub actor: Actor,
    /// Of the locks on the target: no change begins while one is closed.
    pub fences: Vec<Fence>,
    /// Where the journal ends, for the locks.
    pub head: watch::Sender<Option<Head>>,
}

/// How often other processes' answers are looked for.
const INBOX_PERIOD: Duration = Duration::from_millis(200);

/// So many answers are made durable together at most.
const TOGETHER_MAX: usize = 256;

/// Time passes on a picture too.
const REDRAW_PERIOD: Duration = Duration::from_secs(1);

/// How long the messages of the end may take.
const HEAR_OUT_MAX: Duration = Duration::from_secs(15);

/// What can be in flight, one at a time each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Slot {
    Read(ReadId),
    Change(Key),
    Tell(Key),
}

struct Flights {
    running: HashMap<Slot, Flight>,
    started: u64,
    done: mpsc::UnboundedSender<Landing>,
}

struct Flight {
    number: u64,
    task: AbortHandle,
    /// What is said for it when it is cancelled; `None`: it cannot be.
    when_cancelled: Option<EventKind>,
}

/// What has come of a flight.
struct Landing {
    slot: Slot,
    number: u64,
    kind: EventKind,
}

impl<S: Store + ?Sized, A: Audience> Driver<'_, S, A> {
    /// Drives until the run has ended or the process is told to go. `state` is the journal folded so far; `first` begins
    /// with `Started` or `Resumed`.
    pub async fn drive(
        &mut self,
        mut state: State,
        first: Vec<EventKind>,
        mut signals: Signals,
    ) -> Result<Ended, JournalError> {
        let (done, mut landed) = mpsc::unbounded_channel();
        let mut flights = Flights::new(done);
        let mut wake = None;
        let mut inbox = tokio::time::interval(INBOX_PERIOD);
        let mut redraw = tokio::time::interval(REDRAW_PERIOD);
        let first = first.into_iter().map(|kind| (kind, None)).collect();
        if let Some(ended) = self.take(first, &mut state, &mut flights, &mut wake)? {
            self.hear_out(&mut state, &mut flights, &mut landed).await?;
            return Ok(ended);
        }
        let mut interrupts = 0_u32;
        let fences = self.fences.clone();
        let mut lost = pin!(lost(&fences));
        loop {
            let mut letter = None;
            let mut others = Vec::new();
            let kind = tokio::select! {
                    biased;
                    lost = &mut lost => return Ok(Ended::Lost(lost)),
                    signal = signals.next() => match (signal, interrupts) {
                        (Signal::Interrupt, 0) => {
                            interrupts += 1;
                            self.interrupted()
                        }
                        _ => return Ok(Ended::Interrupted),
                    },
                    _ = inbox.tick() => match self.next_letter()? {
                        Some((id, kind)) => {
                            letter = Some(id);
                            inbox.reset_immediately(); // there may be another
                            kind
                        }
                        None => continue,
                    },
                    Some(landing) = landed.recv() => match flights.land(landing) {
                        Some(kind) => {
                            others = flights.landed(&mut landed);
                            kind
                        }
                        None => continue, // answered for already
                    },
                    _ = redraw.tick() => {
                        self.audience.state(self.plan, self.clock.now(), &state);
                        continue;
                    }
                    () = self.clock.sleep_until(wake) => {
                        wake = None;
                        EventKind::Tick
                    }
            };
            let mut kinds = vec![(kind, letter)];
            kinds.extend(others.into_iter().map(|kind| (kind, None)));
            if let Some(ended) = self.take(kinds, &mut state, &mut flights, &mut wake)? {
                self.hear_out(&mut state, &mut flights, &mut landed).await?;
                return Ok(ended);
            }
        }
    }

    /// After the end: messages that are being told get a moment to arrive. Nothing else is in flight.
    async fn hear_out(
        &mut self,
        state: &mut State,
        flights: &mut Flights,
        landed: &mut mpsc::UnboundedReceiver<Landing>,
    ) -> Result<(), JournalError> {
        let deadline = tokio::time::Instant::now() + HEAR_OUT_MAX;
        while flights.tells() > 0 {
            let Ok(Some(landing)) = tokio::time::timeout_at(deadline, landed.recv()).await else {
                break;
            };
            if let Some(kind) = flights.land(landing) {
                self.take(vec![(kind, None)], state, flights, &mut None)?;
            }
        }
        Ok(())
    }

    /// Makes what happened at one moment durable, then steps and carries out, one event after the other. What arrived
    /// with the event that ends the run changes nothing any more.
    fn take(
        &mut self,
        kinds: Vec<(EventKind, Option<LetterId>)>,
        state: &mut State,
        flights: &mut Flights,
        wake: &mut Option<Instant>,
    ) -> Result<Option<Ended>, JournalError> {
        let at = self.clock.now();
        let arrivals: Vec<Arrival> = kinds
            .into_iter()
            .map(|(kind, letter)| {
                let event = Event { at, kind };
                Arrival { event, letter }
            })
            .collect();
        self.writer.append_together(self.store, &arrivals)?;
        self.head.send_replace(Some(self.writer.head));
        let mut ended = None;
        for Arrival { event, .. } in arrivals {
            let (stepped, effects) = step(self.plan, std::mem::take(state), event);
            *state = stepped;
            let end = self.carry_out(effects, at, flights, wake);
            ended = ended.or(end);
        }
        self.audience.state(self.plan, at, state);
        Ok(ended)
    }

    fn carry_out(
        &mut self,
        effects: Vec<Effect>,
        at: Instant,
        flights: &mut Flights,
        wake: &mut Option<Instant>,
    ) -> Option<Ended> {
        let mut ended = None;
        for effect in effects {
            match effect {
                Effect::Show(note) => self.audience.note(self.plan, at, &note),
                Effect::Wake { at } => *wake = Some(at),
                Effect::Finish(outcome) => ended = Some(Ended::Finished(outcome)),
                Effect::Ask { .. } => {} // shown from the state
                Effect::Cancel { key } => flights.cancel(key),
                other => self.fly(other, flights),
            }
        }
        ended
    }

    fn next_letter(&self) -> Result<Option<(LetterId, EventKind)>, JournalError> {
        let letters = self.store.letters(&self.writer.run)?;
        Ok(letters.into_iter().next())
    }

    fn interrupted(&self) -> EventKind {
        EventKind::Aborted {
            by: self.actor.clone(),
            reason: "interrupted".to_owned(),
        }
    }

    /// Starts what goes to a provider, in a task of its own.
    fn fly(&self, effect: Effect, flights: &mut Flights) {
        match effect {
            Effect::Read {
                id,
                call,
                at,
                timeout_ns,
            } => {
                let call = Arc::unwrap_or_clone(call);
                let answer = ask(
                    &self.providers,
                    &call.provider.clone(),
                    Request::Read { call, at },
                );
                flights.start(Slot::Read(id), None, async move {
                    EventKind::Read {
                        id,
                        result: read(
                            limited(timeout_ns.saturating_add(READ_GRACE_NS), answer).await,
                        ),
                    }
                });
            }
            Effect::Prepare {
                key,
                call,
                timeout_ns,
            } => {
                let request = Request::Prepare {
                    key: key.clone(),
                    call: call.clone(),
                };
                let answer = ask(&self.providers, &call.provider, request);
                let cancelled = EventKind::Prepared {
                    key: key.clone(),
                    result: Err(cancelled()),
                };
                flights.start(Slot::Change(key.clone()), Some(cancelled), async move {
                    EventKind::Prepared {
                        key,
                        result: prepared(limited(timeout_ns, answer).await),
                    }
                });
            }
            Effect::Commit {
                key,
                intent,
                direction,
                timeout_ns,
            } => {
                let provider = intent.call.provider.clone();
                let request = Request::Commit {
                    key: key.clone(),
                    intent: *intent,
                    direction,
                };
                let fences = self.fences.clone();
                let answer = behind(fences, ask(&self.providers, &provider, request));
                let outcome = Outcome::Unknown(cancelled());
                let cancelled = EventKind::Committed {
                    key: key.clone(),
                    direction,
                    outcome,
                };
                flights.start(Slot::Change(key.clone()), Some(cancelled), async move {
                    let outcome = committed(limited(timeout_ns, answer).await);
                    EventKind::Committed {
                        key,
                        direction,
                        outcome,
                    }
                });
            }
            Effect::Observe {
                key,
                intent,
                direction,
                timeout_ns,
            } => {
                let provider = intent.call.provider.clone();
                let request = Request::Observe {
                    key: key.clone(),
                    intent: *intent,
                    direction,
                };
                let answer = ask(&self.providers, &provider, request);
                let observation = Observation::Unknown(cancelled());
                let cancelled = EventKind::Observed {
                    key: key.clone(),
                    direction,
                    observation,
                };
                flights.start(Slot::Change(key.clone()), Some(cancelled), async move {
                    let observation = observed(limited(timeout_ns, answer).await);
                    EventKind::Observed {
                        key,
                        direction,
                        observation,
                    }
                });
            }
            Effect::Tell { key, call } => {
                let request = Request::Tell {
                    key: key.clone(),
                    call: call.clone(),
                };
                let answer = ask(&self.providers, &call.provider, request);
                flights.start(Slot::Tell(key.clone()), None, async move {
                    EventKind::Told {
                        key,
                        result: told(limited(TELL_NS_MAX, answer).await),
                    }
                });
            }
            // Handled by `take`, which has what they need.
            Effect::Cancel { .. } | Effect::Wake { .. } | Effect::Ask { .. } => {}
            Effect::Show(_) | Effect::Finish(_) => {}
        }
    }
}

/// A provider keeps the time limit of a read itself, and knows what it means that it is over: `up` is false then. This is
/// the net below it.
const READ_GRACE_NS: i64 = 500_000_000;

/// A message may be retried for so long; nothing waits for it.
const TELL_NS_MAX: i64 = 300_000_000_000;

impl Flights {
    fn new(done: mpsc::UnboundedSender<Landing>) -> Flights {
        Flights {
            running: HashMap::new(),
            started: 0,
            done,
        }
    }

    fn start(
        &mut self,
        slot: Slot,
        when_cancelled: Option<EventKind>,
        work: impl Future<Output = EventKind> + Send + 'static,
    ) {
        let done = self.done.clone();
        let landing = slot.clone();
        self.started += 1;
        let number = self.started;
        let task = tokio::spawn(async move {
            let kind = work.await;
            let slot = landing;
            // The receiver is gone only when the driver is: then nobody waits for it.
            let _ = done.send(Landing { slot, number, kind });
        });
        let flight = Flight {
            number,
            task: task.abort_handle(),
            when_cancelled,
        };
        if let Some(old) = self.running.insert(slot, flight) {
            old.task.abort();
        }
    }

    fn tells(&self) -> usize {
        self.running
            .keys()
            .filter(|slot| matches!(slot, Slot::Tell(_)))
            .count()
    }

    /// The first landing of a flight counts. Its slot may have been taken by another flight since, which it says nothing of.
    fn land(&mut self, landing: Landing) -> Option<EventKind> {
        let flight = self.running.get(&landing.slot);
        flight.filter(|flight| flight.number == landing.number)?;
        self.running.remove(&landing.slot);
        Some(landing.kind)
    }

    /// What else has arrived by now.
    fn landed(&mut self, arrived: &mut mpsc::UnboundedReceiver<Landing>) -> Vec<EventKind> {
        let mut kinds = Vec::new();
        while kinds.len() < TOGETHER_MAX
            && let Ok(landing) = arrived.try_recv()
        {
            kinds.extend(self.land(landing));
        }
        kinds
    }

    /// Ends what is in flight under `key` and answers for it. An answer that has landed already comes first, and then
    /// this one is dropped.
    fn cancel(&mut self, key: Key) {
        let slot = Slot::Change(key);
        if let Some(flight) = self.running.get_mut(&slot)
            && let Some(kind) = flight.when_cancelled.take()
        {
            flight.task.abort();
            let number = flight.number;
            let _ = self.done.send(Landing { slot, number, kind });
        }
    }
}

/// Returns when one of them is lost for good.
async fn lost(fences: &[Fence]) -> Lost {
    let mut lost: FuturesUnordered<_> = fences.iter().map(Fence::lost).collect();
    match lost.next().await {
        Some(lost) => lost,
        None => std::future::pending().await,
    }
}

/// A change begins when all fences are open. One that is lost for good ends the process, so nothing is answered.
async fn behind(fences: Vec<Fence>, answer: impl Future<Output = Response>) -> Response {
    while !fences.iter().all(Fence::is_open) {
        for fence in &fences {
            if fence.enter().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
    answer.await
}

/// The answer of a provider, or a refusal when the plan has none of that name.
fn ask(
    providers: &Providers,
    name: &str,
    request: Request,
) -> impl Future<Output = Response> + use<> {
    let known = providers.get(name).cloned();
    let name = name.to_owned();
    async move {
        match known {
            Some(provider) => provider.answer(request).await,
            None => refusal(
                &request,
                failure(FailureKind::Refused, format!("no provider `{name}`")),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Flights, Slot};
    use crate::engine::protocol::EventKind;
    use crate::providers::request::{Direction, Key, Observation, Outcome};
    use tokio::sync::mpsc;

    fn observed() -> EventKind {
        EventKind::Observed {
            key: Key("a".to_owned()),
            direction: Direction::Forward,
            observation: Observation::NotApplied,
        }
    }

    fn committed() -> EventKind {
        EventKind::Committed {
            key: Key("a".to_owned()),
            direction: Direction::Back,
            outcome: Outcome::Unknown(crate::effects::answer::cancelled()),
        }
    }

    /// The answer is there when it is cancelled, and with it the way back begins under the same key.
    #[tokio::test]
    async fn a_cancelled_flight_does_not_land_in_place_of_the_next_one() {
        let (done, mut landed) = mpsc::unbounded_channel();
        let mut flights = Flights::new(done);
        let slot = Slot::Change(Key("a".to_owned()));
        flights.start(slot.clone(), Some(observed()), async { observed() });
        let answer = landed.recv().await.unwrap();
        flights.cancel(Key("a".to_owned()));
        assert!(matches!(
            flights.land(answer),
            Some(EventKind::Observed { .. })
        ));
        flights.start(slot, Some(committed()), async { committed() });
        let cancelled = landed.recv().await.unwrap();
        assert!(flights.land(cancelled).is_none());
        let next = landed.recv().await.unwrap();
        assert!(matches!(
            flights.land(next),
            Some(EventKind::Committed { .. })
        ));
        assert!(flights.running.is_empty());
    }
}
