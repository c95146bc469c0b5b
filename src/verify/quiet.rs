//! Stretches of a run in which the same happens again and again: they are passed in one stride.
//!
//! A run has a *beat* before each tick. Where the beats of a round were those of the round before, nothing is different after
//! a round but clocks and counts that no longer matter. The engine makes up no sample that was missed, so a tick that comes
//! many rounds late leads to where the run would have come round by round, unless something ends meanwhile. What ends at a
//! known moment is not passed; what is not known to end, as the time in which a request may be tried again, shows itself: the
//! run then comes to another class, and a shorter stride is tried. The round of the late tick, in which those who are not due
//! at the same moment are late behind it, is no moment of the run. **Invariant:** with strides and without, the same classes
//! are explored, with the same faults and the same ends; a test compares them.

use crate::engine::check;
use crate::engine::state::{Life, NodeState, StageWork, Work};
use crate::plan::node::{Node, NodeKind};
use crate::values::Instant;
use crate::verify::branch::{Branch, Next, Step};
use crate::verify::class::class;
use crate::verify::subject::Subject;
use std::hash::{DefaultHasher, Hash, Hasher};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Every sample is taken, as in a real run.
    Step,
    /// Quiet stretches are passed in one stride.
    Stride,
}

/// The newest beats of a run.
#[derive(Clone, Debug, Default)]
pub struct Rhythm {
    beats: Vec<Beat>,
}

/// The moment before a tick.
#[derive(Clone, Copy, Debug)]
struct Beat {
    at: Instant,
    what: u64,
    /// How many events had been taken in.
    events: u64,
}

/// What happens again and again.
#[derive(Clone, Copy, Debug)]
struct Round {
    ns: i64,
    events: u64,
}

/// Longer rounds are not looked for.
const BEATS_MAX: usize = 64;

/// Fewer rounds are taken as they come.
const ROUNDS_MIN: i64 = 4;

impl Rhythm {
    fn note(&mut self, beat: Beat) {
        if self.beats.len() > 2 * BEATS_MAX {
            self.beats.remove(0);
        }
        self.beats.push(beat);
    }

    /// The shortest round that has just come twice.
    fn round(&self) -> Option<Round> {
        let newest = self.beats.last()?;
        let older = self.beats.iter().rev().skip(1).take(BEATS_MAX);
        let mut same = (1..)
            .zip(older)
            .filter(|(_, beat)| beat.what == newest.what);
        same.find_map(|(length, beat)| {
            let round = Round {
                ns: newest.at.since(beat.at),
                events: newest.events - beat.events,
            };
            self.repeats(length, round).then_some(round)
        })
    }

    fn repeats(&self, length: usize, round: Round) -> bool {
        let newer = self.beats.iter().rev().take(length + 1);
        let older = self.beats.iter().rev().skip(length);
        let mut pairs = newer.zip(older);
        let is_same =
            |(new, old): (&Beat, &Beat)| new.what == old.what && new.at.since(old.at) == round.ns;
        self.beats.len() > 2 * length && round.ns > 0 && pairs.all(is_same)
    }
}

/// Where the run comes to in one stride from the tick that is due; `None` where that is to be taken as it comes.
pub fn landed(branch: &mut Branch, subject: &Subject, step: &Step, due: Instant) -> Option<Branch> {
    if subject.pace == Pace::Step || branch.state.ending.is_some() {
        return None;
    }
    let beat = Beat {
        at: due,
        what: what(subject, branch, due),
        events: branch.events,
    };
    branch.rhythm.note(beat);
    let round = branch.rhythm.round()?;
    let next = next_end(subject, branch, due.plus(round.ns))?;
    let most = next.since(due) / round.ns;
    if most < ROUNDS_MIN {
        return None;
    }
    branch.rhythm = Rhythm::default();
    let mut vain = 0;
    let landed = longest(most, |rounds| {
        let (ahead, lands) = stride(branch, subject, step, beat, round, rounds);
        match lands {
            Lands::Yes => return Some(ahead),
            Lands::No => vain += ahead.events - branch.events,
        }
        None
    });
    match landed {
        Some(mut landed) => {
            landed.events += vain;
            Some(landed)
        }
        None => {
            branch.events += vain;
            None
        }
    }
}

/// The longest stride of at most so many rounds, if any, found by halving.
fn longest(most: i64, mut stride: impl FnMut(i64) -> Option<Branch>) -> Option<Branch> {
    let mut found = None;
    let (mut shorter, mut longer) = (ROUNDS_MIN - 1, most + 1);
    let mut rounds = most;
    while shorter + 1 < longer {
        match stride(rounds) {
            Some(branch) => {
                found = Some(branch);
                shorter = rounds;
            }
            None => longer = rounds,
        }
        rounds = shorter + (longer - shorter) / 2;
    }
    found
}

/// Whether a stride leads to where the run comes round by round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lands {
    No,
    Yes,
}

/// So many rounds later: the last one is taken as it comes, behind a tick that is late.
fn stride(
    branch: &Branch,
    subject: &Subject,
    step: &Step,
    beat: Beat,
    round: Round,
    rounds: i64,
) -> (Branch, Lands) {
    let end = beat.at.plus(rounds * round.ns);
    let mut ahead = branch.clone();
    ahead.tick(subject, step, end.plus(-round.ns));
    // Who is late behind the tick is due twice.
    let events_max = ahead.events + 2 * round.events;
    while ahead.events <= events_max {
        let over = ahead.outcome.is_some() || ahead.state.ending.is_some();
        match ahead.next() {
            _ if over || ahead.violation.is_some() => break,
            Next::Tick(at) if at == end && what(subject, &ahead, at) == beat.what => {
                return (ahead, Lands::Yes);
            }
            Next::Tick(at) if at >= end => break,
            _ => ahead.go_on(subject, step),
        }
    }
    (ahead, Lands::No)
}

/// What tells a beat from another one: the class, who is due, and counts that still matter.
fn what(subject: &Subject, branch: &Branch, due: Instant) -> u64 {
    let mut hasher = DefaultHasher::new();
    class(subject, branch).hash(&mut hasher);
    for visitor in branch.state.agenda.alarmed(due) {
        visitor.hash(&mut hasher);
    }
    for (node, state) in running(subject, branch) {
        if let (Work::Check(work), NodeKind::Check(check)) = (&state.work, &node.kind) {
            work.passes.min(check.samples).hash(&mut hasher);
            for site in subject.sites_of(node.id) {
                let evidence = branch.world.evidence.get(*site);
                let counts = evidence.map(|seen| [seen.passes, seen.positive]);
                let counts = counts.map(|counts| counts.map(|count| count.min(check.samples)));
                counts.hash(&mut hasher);
            }
        }
    }
    hasher.finish()
}

/// The next moment that is known to end something, or to bring it; what comes in each round is no end.
fn next_end(subject: &Subject, branch: &Branch, round_over: Instant) -> Option<Instant> {
    let state = &branch.state;
    let alarm = state.agenda.first_alarm_since(round_over);
    let answer = branch.pending.keys().next().map(|due| due.at.plus(-1));
    let end = subject.ends.iter().find(|end| **end > branch.now).copied();
    let whole_ns = subject.patience_ns().saturating_add(branch.away_ns);
    let patience = subject.start.plus(whole_ns);
    let known = [alarm, answer, end, Some(patience)].into_iter().flatten();
    let tried = state
        .writes
        .values()
        .filter(|write| !write.forward.is_settled());
    let tried = tried
        .map(|write| write.until)
        .filter(|until| *until > branch.now);
    let samples = running(subject, branch).filter_map(|(node, state)| last_sample(node, state));
    known.chain(tried).chain(samples).min()
}

/// When the item has its last sample, if the next ones say the same.
fn last_sample(node: &Node, state: &NodeState) -> Option<Instant> {
    match (&state.work, &node.kind) {
        (Work::Check(work), NodeKind::Check(check)) => check::last_moment(check, work),
        (Work::Stage(StageWork::Holding(holding)), NodeKind::Stage(stage)) => {
            let left_ns = stage.hold_ns - holding.seen_ns;
            holding.seen_at.map(|at| at.plus(left_ns))
        }
        _ => None,
    }
}

fn running<'a>(
    subject: &'a Subject,
    branch: &'a Branch,
) -> impl Iterator<Item = (&'a Node, &'a NodeState)> {
    let nodes = subject.plan.nodes.iter().zip(&branch.state.nodes);
    nodes.filter(|(_, state)| state.life == Life::Running)
}
