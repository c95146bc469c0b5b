//! All faults in all classes, the fewest faults first.
//!
//! Level 0 is the day on which nothing goes wrong; each level adds one fault to the runs of the level before. A run ends
//! early where it comes to a class that another run has explored as far: only classes of runs that have ended count, so no
//! two runs can wait for each other. Work is cut into units whose size does not depend on the number of threads, each unit
//! sees what all units of earlier rounds found, and results are joined in order: the same answer on every machine.

use crate::engine::protocol::RunOutcome;
use crate::verify::alternatives::alternatives;
use crate::verify::branch::{Branch, Progress, Step};
use crate::verify::class::class;
use crate::verify::fault::{Fault, Kind};
use crate::verify::inject::inject;
use crate::verify::promise::Violation;
use crate::verify::subject::Subject;
use crate::verify::visited::{Seen, Visited};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A fault, after so many events of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub event: u64,
    pub fault: Fault,
}

/// How far to go.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub faults: u32,
    /// No new round of work is begun after so many states.
    pub states_max: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Found {
    pub broken: Option<Broken>,
    /// Events taken in, by all runs.
    pub states: u64,
    pub classes: u64,
    pub runs: u64,
    /// By [`Kind::index`]: how many faults were injected.
    pub faults: [u64; Kind::ALL.len()],
    /// Runs that were played to their end, by how they ended.
    pub ends: BTreeMap<RunOutcome, u64>,
    /// So many faults at once were explored in full.
    pub complete: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct Broken {
    pub choices: Vec<Choice>,
    pub violation: Violation,
}

/// For a progress bar; nothing is decided by it.
#[derive(Debug, Default)]
pub struct Progressing {
    pub level: AtomicU64,
    pub done: AtomicU64,
    pub of: AtomicU64,
    pub states: AtomicU64,
}

pub fn explore(subject: &Subject, step: &Step, bounds: Bounds, shown: &Progressing) -> Found {
    let mut search = Search {
        subject,
        step,
        bounds,
        shown,
        visited: Visited::default(),
        found: Found::default(),
    };
    let mut units = search.good_day();
    for level in 0..=bounds.faults {
        if search.found.broken.is_some() {
            break;
        }
        if level > 0 {
            shown.level.store(u64::from(level), Ordering::Relaxed);
            let Some(next) = search.level(units, bounds.faults - level) else {
                break;
            };
            units = next;
        }
        if search.found.broken.is_none() {
            search.found.complete = Some(level);
        }
    }
    search.found.classes = search.visited.classes.len() as u64;
    search.found
}

struct Search<'a> {
    subject: &'a Subject,
    step: &'a Step,
    bounds: Bounds,
    shown: &'a Progressing,
    visited: Visited,
    found: Found,
}

/// Runs that begin as one: a moment of the good day, what went wrong since, and when more may go wrong.
#[derive(Clone)]
struct Unit {
    from: Arc<Branch>,
    choices: Vec<Choice>,
    forks: Vec<u64>,
}

/// What one unit found.
#[derive(Default)]
struct Result {
    broken: Option<Broken>,
    units: Vec<Unit>,
    seen: Vec<(u64, Seen)>,
    states: u64,
    runs: u64,
    faults: [u64; Kind::ALL.len()],
    ends: BTreeMap<RunOutcome, u64>,
}

impl Result {
    /// A run that began after so many events.
    fn count(&mut self, branch: &Branch, before: u64) {
        self.runs += 1;
        self.states += branch.events - before;
        if let Some(outcome) = branch.outcome {
            *self.ends.entry(outcome).or_default() += 1;
        }
    }
}

/// Units that do not see what the others of their round find: few, where long runs are many and alike.
fn round_of(units: usize) -> usize {
    (units / 64).clamp(4, 256)
}

impl Search<'_> {
    /// The run on which nothing goes wrong, with a copy at each new class.
    fn good_day(&mut self) -> Vec<Unit> {
        let mut units = Vec::new();
        let mut marks: Vec<(u64, i64)> = Vec::new();
        let mut known = FxHashSet::default();
        let mut branch = Branch::start(self.subject, self.step);
        loop {
            let class = class(self.subject, &branch);
            if known.insert(class) {
                marks.push((class, branch.took_ns(self.subject)));
                if self.bounds.faults > 0 {
                    units.push(Unit {
                        forks: vec![branch.events],
                        from: Arc::new(branch.clone()),
                        choices: Vec::new(),
                    });
                }
            }
            if branch.advance(self.subject, self.step) == Progress::Ended {
                break;
            }
        }
        self.found.states += branch.events;
        self.found.runs += 1;
        let took_ns = branch.took_ns(self.subject);
        for (class, at_ns) in marks {
            let seen = Seen {
                left: self.bounds.faults,
                longest_ns: took_ns - at_ns,
            };
            self.visited.add(class, seen);
        }
        if let Some(violation) = branch.violation {
            self.found.broken = Some(Broken {
                choices: Vec::new(),
                violation,
            });
        }
        units
    }

    /// One more fault in each unit; `left` more may follow. `None` where the bound of states was reached.
    fn level(&mut self, units: Vec<Unit>, left: u32) -> Option<Vec<Unit>> {
        let mut next = Vec::new();
        let mut rest = units.as_slice();
        let round = round_of(units.len());
        self.shown.of.store(units.len() as u64, Ordering::Relaxed);
        self.shown.done.store(0, Ordering::Relaxed);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(round.min(rest.len()));
            rest = later;
            let results: Vec<Result> = now.par_iter().map(|unit| self.unit(unit, left)).collect();
            for result in results {
                self.join(result, &mut next);
            }
            let done = (units.len() - rest.len()) as u64;
            self.shown.done.store(done, Ordering::Relaxed);
            self.shown
                .states
                .store(self.found.states, Ordering::Relaxed);
            if self.found.broken.is_some() {
                return Some(next);
            }
            if self.found.states >= self.bounds.states_max && !rest.is_empty() {
                return None;
            }
        }
        Some(next)
    }

    fn join(&mut self, result: Result, next: &mut Vec<Unit>) {
        for (class, seen) in result.seen {
            self.visited.add(class, seen);
        }
        next.extend(result.units);
        self.found.states += result.states;
        self.found.runs += result.runs;
        for (outcome, count) in result.ends {
            *self.found.ends.entry(outcome).or_default() += count;
        }
        for (sum, count) in self.found.faults.iter_mut().zip(result.faults) {
            *sum += count;
        }
        let events = |broken: &Broken| broken.choices.last().map_or(0, |choice| choice.event);
        let better = match (&self.found.broken, &result.broken) {
            (None, Some(_)) => true,
            (Some(known), Some(new)) => events(new) < events(known),
            _ => false,
        };
        if better {
            self.found.broken = result.broken;
        }
    }

    /// Plays the unit's own run again, and at each fork every run with one more fault.
    fn unit(&self, unit: &Unit, left: u32) -> Result {
        let mut result = Result::default();
        let mut own = Visited::default();
        let mut branch = (*unit.from).clone();
        let mut choices = unit.choices.iter().peekable();
        let before = branch.events;
        for &fork in &unit.forks {
            while branch.events < fork || choices.peek().is_some() {
                match choices.next_if(|choice| choice.event == branch.events) {
                    Some(choice) => inject(&mut branch, self.subject, self.step, choice.fault),
                    None => {
                        if branch.advance(self.subject, self.step) == Progress::Ended {
                            break;
                        }
                    }
                }
            }
            branch.travel_light();
            for fault in alternatives(self.subject, &branch) {
                let mut child = branch.clone();
                let mut made = unit.choices.clone();
                made.push(Choice {
                    event: branch.events,
                    fault,
                });
                inject(&mut child, self.subject, self.step, fault);
                if let Some(count) = result.faults.get_mut(fault.kind().index()) {
                    *count += 1;
                }
                let from = &unit.from;
                self.run(child, made, from, left, &mut own, &mut result);
            }
        }
        result.states += branch.events - before;
        result
    }

    /// One run to its end, or to where another has been.
    fn run(
        &self,
        mut branch: Branch,
        choices: Vec<Choice>,
        from: &Arc<Branch>,
        left: u32,
        own: &mut Visited,
        result: &mut Result,
    ) {
        let before = branch.events;
        let mut marks: Vec<(u64, i64)> = Vec::new();
        let mut forks = Vec::new();
        let mut known = FxHashSet::default();
        let mut doubtful = false;
        let mut went_on_ns = None;
        loop {
            let class = class(self.subject, &branch);
            if !known.contains(&class) && branch.violation.is_none() {
                let seen = self
                    .visited
                    .covers(class, left)
                    .or_else(|| own.covers(class, left));
                match seen {
                    Some(seen) if !doubtful => {
                        if !exceeds(self.subject, &branch, seen.longest_ns) {
                            went_on_ns = Some(seen.longest_ns);
                            break;
                        }
                        // It is late: only its own end tells whether it is too late.
                        doubtful = true;
                    }
                    Some(_) => {}
                    None => {
                        marks.push((class, branch.took_ns(self.subject)));
                        if left > 0 && branch.outcome.is_none() {
                            forks.push(branch.events);
                        }
                    }
                }
                known.insert(class);
            }
            if branch.advance(self.subject, self.step) == Progress::Ended {
                break;
            }
        }
        result.count(&branch, before);
        let end_ns = branch.took_ns(self.subject) + went_on_ns.unwrap_or(0);
        for (class, at_ns) in marks {
            let seen = Seen {
                left,
                longest_ns: end_ns - at_ns,
            };
            own.add(class, seen);
            result.seen.push((class, seen));
        }
        if let Some(violation) = branch.violation {
            let broken = Broken { choices, violation };
            result.broken.get_or_insert(broken);
        } else if !forks.is_empty() {
            result.units.push(Unit {
                from: Arc::clone(from),
                choices,
                forks,
            });
        }
    }
}

/// Whether a run that goes on for so long would be longer than the plan says.
fn exceeds(subject: &Subject, branch: &Branch, more_ns: i64) -> bool {
    let rollback_ns = subject.rollback_ns();
    let whole_ns = subject.facts.times.longest_ns.saturating_add(rollback_ns);
    let back = branch.back_ns().map(|ns| ns + more_ns > rollback_ns);
    back.unwrap_or(branch.took_ns(subject) + more_ns > whole_ns)
}
