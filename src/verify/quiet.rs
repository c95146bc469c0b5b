//! Stretches of a run in which watches look again and again and nothing else happens: they are passed in one stride.
//!
//! The engine makes up no tick that was missed: a sample later, nothing of it is different but counts and the newest sample.
//! So a run goes from one sample of a quiet stretch to the last one before anything else is due, and is then in the state in
//! which it would have come there step by step. **Invariant:** with strides and without, the same classes are explored, with
//! the same faults and the same ends; a test compares them. Where watches look at different moments, one of them is late behind
//! a stride, as after a clock that was late: then there are more classes.

use crate::engine::state::Life;
use crate::engine::watch::{Fired, RuleState, WatchState};
use crate::plan::Watch;
use crate::values::Instant;
use crate::verify::branch::Branch;
use crate::verify::subject::Subject;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Every sample is taken, as in a real run.
    Step,
    /// Quiet stretches are passed in one stride.
    Stride,
}

/// What is quiet for so many rounds of samples stays so: in the first one the newest change may still be taken in.
const ROUNDS: i64 = 3;

/// In nanoseconds: a round in which each watch takes its samples, the same ones in each round. `None` where it would be long.
pub fn round_ns(watches: &[Watch]) -> Option<i64> {
    const LONGEST_NS: i64 = 3_600_000_000_000;
    let periods = watches.iter().map(|watch| watch.sample_ns.max(1));
    let round = periods.fold(1, |round: i64, period| {
        (round / common(round, period)).saturating_mul(period)
    });
    (!watches.is_empty() && round <= LONGEST_NS).then_some(round)
}

/// When the tick that is due at `wake` is to come: then, or as much later as nothing but the same samples lies between.
pub fn tick_at(subject: &Subject, branch: &Branch, wake: Instant) -> Instant {
    let (Pace::Stride, Some(round_ns)) = (subject.pace, subject.round_ns) else {
        return wake;
    };
    let state = &branch.state;
    let rounds_ns = round_ns.saturating_mul(ROUNDS);
    let is_quiet = wake.since(branch.loud) > rounds_ns
        && state.ending.is_none()
        && state.agenda.first_alarm() == Some(wake)
        && state.watches.iter().all(is_settled);
    if !is_quiet {
        return wake;
    }
    let alarm = state.agenda.first_alarm_beside_watches();
    let answer = branch.pending.keys().next().map(|due| due.at);
    let end = subject.ends.iter().find(|end| **end >= wake).copied();
    let Some(next) = [alarm, answer, end].into_iter().flatten().min() else {
        return wake;
    };
    let rounds = (next.since(wake) - 1).max(0) / round_ns;
    wake.plus(rounds.saturating_mul(round_ns))
}

/// Whether more of the same samples change nothing: no rule is on its way to fire, and no silence to be told.
fn is_settled(watch: &WatchState) -> bool {
    let fires = |rule: &RuleState| rule.held_at.is_some() && rule.fired == Fired::No;
    let blind = |rule: &RuleState| rule.blind_since.is_some() && watch.blind == Fired::No;
    watch.life != Life::Running || !watch.rules.iter().any(|rule| fires(rule) || blind(rule))
}

fn common(a: i64, b: i64) -> i64 {
    match b {
        0 => a,
        _ => common(b, a % b),
    }
}
