//! A fault is injected: it changes what an open request will be answered, or is an event of its own.

use crate::engine::protocol::EventKind;
use crate::plan::node::NodeId;
use crate::values::Instant;
use crate::verify::answer;
use crate::verify::branch::{Branch, Due, SECOND_NS, Step, actor, doing_ns, within_ns};
use crate::verify::fault::{Away, Doing, Fault, Flight};
use crate::verify::quiet::Rhythm;
use crate::verify::request::Request;
use crate::verify::story::Line;
use crate::verify::subject::Subject;
use crate::verify::world::There;

/// How long the process is away when another takes over at once.
pub const SHORTLY_NS: i64 = 30 * SECOND_NS;

pub fn inject(branch: &mut Branch, subject: &Subject, step: &Step, fault: Fault) {
    branch.faults += 1;
    branch.rhythm = Rhythm::default();
    let at = branch.now;
    branch.say(|| Line::Fault { at, fault });
    if fault.lasts() {
        branch.active.push(fault);
    }
    match fault {
        Fault::Measure { site, says, .. } => {
            for request in branch.pending.values_mut() {
                if let Request::Site {
                    site: of,
                    says: said,
                    ..
                } = request
                    && subject.sites.get(*of) == Some(&site)
                {
                    *said = Some(says);
                }
            }
        }
        Fault::Rule {
            watch, rule, says, ..
        } => {
            for request in branch.pending.values_mut() {
                if let Request::Watch {
                    watch: of,
                    says: said,
                    ..
                } = request
                    && *of == watch
                {
                    said.push((rule, says));
                }
            }
        }
        Fault::Blind { watch, .. } => {
            for request in branch.pending.values_mut() {
                if let Request::Watch {
                    watch: of, blind, ..
                } = request
                    && *of == watch
                {
                    *blind = true;
                }
            }
        }
        Fault::Prepare { .. } | Fault::Commit { .. } | Fault::Observe { .. } => {
            change(branch, &fault);
        }
        Fault::Refused { .. }
        | Fault::Silent { .. }
        | Fault::Late { .. }
        | Fault::Stranger { .. }
        | Fault::Twice { .. } => person(branch, subject, fault),
        Fault::Untold => {
            for request in branch.pending.values_mut() {
                if let Request::Tell { works, .. } = request {
                    *works = false;
                }
            }
        }
        Fault::Aborted => {
            let kind = EventKind::Aborted {
                by: actor("ann"),
                reason: "it looks wrong".to_owned(),
            };
            branch.take(subject, step, at, kind);
        }
        Fault::Continued { node } => {
            branch.world.skipped.push(node);
            let kind = EventKind::Continued {
                node,
                by: actor("ann"),
                reason: "it is known".to_owned(),
            };
            branch.take(subject, step, at, kind);
        }
        Fault::Crash { flight, away } => crash(branch, subject, step, flight, away),
    }
    branch.forget();
}

/// The newest open request of the change.
fn change(branch: &mut Branch, fault: &Fault) {
    let world = &branch.world;
    let is_of = |index: usize, of| {
        let account = world.changes.get(index);
        account.is_some_and(|account| account.change == of)
    };
    let found = branch.pending.iter().rev().find_map(|(due, request)| {
        let fits = match (request, fault) {
            (Request::Prepare { change, .. }, Fault::Prepare { change: of, .. }) => {
                is_of(*change, *of)
            }
            (
                Request::Commit {
                    change, direction, ..
                },
                Fault::Commit {
                    change: of,
                    direction: towards,
                    ..
                },
            )
            | (
                Request::Observe {
                    change, direction, ..
                },
                Fault::Observe {
                    change: of,
                    direction: towards,
                    ..
                },
            ) => is_of(*change, *of) && direction == towards,
            _ => false,
        };
        fits.then_some(*due)
    });
    let Some(due) = found else { return };
    let Some(mut request) = branch.pending.remove(&due) else {
        return;
    };
    let mut at = due.at;
    match (&mut request, fault) {
        (Request::Prepare { how, .. }, Fault::Prepare { how: wanted, .. }) => *how = Some(*wanted),
        (Request::Observe { how, .. }, Fault::Observe { how: wanted, .. }) => *how = Some(*wanted),
        (
            Request::Commit {
                how, timeout_ns, ..
            },
            Fault::Commit { how: wanted, .. },
        ) => {
            *how = Some(*wanted);
            at = branch.now.plus(doing_ns(Some(*wanted), *timeout_ns));
        }
        _ => {}
    }
    let number = due.number;
    branch.pending.insert(Due { at, number }, request);
}

fn person(branch: &mut Branch, subject: &Subject, fault: Fault) {
    let gate = match fault {
        Fault::Refused { gate }
        | Fault::Silent { gate }
        | Fault::Late { gate }
        | Fault::Stranger { gate }
        | Fault::Twice { gate } => gate,
        _ => return,
    };
    let open = taken(branch, gate);
    let late = branch.now.plus(within_ns(subject, gate) - SECOND_NS);
    let first = open.first().map(|(_, request)| request.clone());
    for (at, (due, mut request)) in open.into_iter().enumerate() {
        let mut due = due;
        if let Request::Person { signer, yes, .. } = &mut request {
            match fault {
                Fault::Silent { .. } => continue,
                Fault::Refused { .. } if at > 0 => continue,
                Fault::Refused { .. } => *yes = false,
                Fault::Late { .. } => due.at = late.max(due.at),
                Fault::Stranger { .. } if at == 0 => signer.user = "a stranger".to_owned(),
                Fault::Twice { .. } => {
                    if let Some(Request::Person { signer: first, .. }) = &first {
                        signer.user.clone_from(&first.user);
                    }
                }
                _ => {}
            }
        }
        branch.pending.insert(due, request);
    }
}

fn taken(branch: &mut Branch, gate: NodeId) -> Vec<(Due, Request)> {
    let is_own =
        |request: &Request| matches!(request, Request::Person { gate: of, .. } if *of == gate);
    let own = branch.pending.iter().filter(|(_, request)| is_own(request));
    let dues: Vec<Due> = own.map(|(due, _)| *due).collect();
    dues.into_iter()
        .filter_map(|due| Some((due, branch.pending.remove(&due)?)))
        .collect()
}

/// What was on its way happened or not; nobody heard of it.
fn crash(branch: &mut Branch, subject: &Subject, step: &Step, flight: Flight, away: Away) {
    let lost = std::mem::take(&mut branch.pending);
    branch.fresh.clear();
    branch.wake = None;
    for request in lost.into_values() {
        if let Request::Commit {
            change,
            direction,
            how,
            ..
        } = request
            && flight == Flight::Happened
        {
            match how.or_else(|| branch.lasting_doing(change, direction)) {
                None | Some(Doing::DoneLate | Doing::DoneUnknown) => {
                    answer::make(branch, subject, change, direction, There::Ready);
                }
                _ => {}
            }
        }
    }
    let gap_ns = away_ns(subject, branch.now, away);
    // The sample that was lost with the process has to be taken again, and what it would have closed counts for nothing.
    branch.away_ns += gap_ns + subject.plan.sample_ns;
    branch.epoch += 1;
    let kind = EventKind::Resumed {
        by: actor("ann"),
        epoch: branch.epoch,
    };
    branch.take(subject, step, branch.now.plus(gap_ns), kind);
}

/// For how long nobody carries a run out that is killed now.
pub fn away_ns(subject: &Subject, now: Instant, away: Away) -> i64 {
    let next = subject.ends.iter().find(|end| **end > now);
    match (away, next) {
        (Away::For { ns }, _) => ns,
        (Away::PastNextEnd, Some(end)) => end.since(now) + SECOND_NS,
        _ => SHORTLY_NS,
    }
}
