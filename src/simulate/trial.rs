//! A test, carried out: a simulated day, and what was expected of it.

use crate::engine::protocol::RunOutcome;
use crate::plan::Plan;
use crate::simulate::drive::{Drive, Identity, Step, Stride};
use crate::simulate::expect::facts::{Facts, Trace};
use crate::simulate::expect::judge::{self, Actual, Difference, Seen};
use crate::simulate::expect::unchanged::{self, Before};
use crate::simulate::expect::{Expectation, When};
use crate::simulate::scenario::Scenario;
use crate::simulate::world::World;
use crate::values::Instant;
use std::cell::LazyCell;
use std::collections::BTreeSet;

/// What came of a test.
pub struct Tried<'p> {
    /// In the order of the text; none: it passed.
    pub failures: Vec<Failure>,
    pub trace: Trace,
    /// The run as it stood at its end, for whoever asks more of it.
    pub drive: Drive<'p>,
    /// `None`: it waits for somebody who does not come.
    pub outcome: Option<RunOutcome>,
    pub took_ns: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// By its place among the expectations of the scenario.
    pub expectation: usize,
    pub at: Instant,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// What is so instead.
    Untrue(Vec<Actual>),
    /// Its moment never came.
    NeverCame,
}

/// How the story of a run differs from the one that is kept under a name, if it does.
pub type Stories<'s> = &'s (dyn Fn(&str, &Trace) -> Option<Difference> + Sync);

/// Pods that drain get the time to go, before the world is compared with what it was.
const SETTLE_NS: i64 = 60_000_000_000;

pub fn tried<'p>(
    plan: &'p Plan,
    scenario: &'p Scenario,
    world: World,
    identity: Identity,
    stories: Stories,
) -> Tried<'p> {
    let before = unchanged::before(&world);
    let mut trial = Trial {
        plan,
        scenario,
        before,
        drive: Drive::new(plan, scenario, world),
        trace: Trace::default(),
        judged: BTreeSet::new(),
        failures: Vec::new(),
        stories,
    };
    trial.drive.keep_deeds();
    let outcome = trial.play(identity);
    trial.rest();
    let (first, last) = trial.drive.span();
    let took_ns = last.since(first);
    trial.failures.sort_by_key(|failure| failure.expectation);
    Tried {
        failures: trial.failures,
        trace: trial.trace,
        drive: trial.drive,
        outcome,
        took_ns,
    }
}

struct Trial<'p, 's> {
    plan: &'p Plan,
    scenario: &'p Scenario,
    before: Before,
    drive: Drive<'p>,
    trace: Trace,
    /// Those of a moment that has come, and those of always that were broken.
    judged: BTreeSet<usize>,
    failures: Vec<Failure>,
    stories: Stories<'s>,
}

impl Trial<'_, '_> {
    fn play(&mut self, identity: Identity) -> Option<RunOutcome> {
        let stride = match self.of(When::Always).next() {
            Some(_) => Stride::Change,
            None => Stride::Event,
        };
        let notes = self.drive.start(identity);
        self.trace.add(self.drive.world.now, notes);
        loop {
            self.always();
            if self.has_seen_all() {
                return None;
            }
            match self.drive.next(stride) {
                Step::Event(notes) => self.trace.add(self.drive.world.now, notes),
                Step::World => {}
                Step::Look(why) => self.look(&why),
                Step::Ended(outcome) => return Some(outcome),
                Step::Stuck => return None,
            }
        }
    }

    /// What is left to look at once the run is over, and what is expected of its end.
    fn rest(&mut self) {
        let settled = self.drive.world.now.plus(SETTLE_NS);
        self.pass(settled);
        let end: Vec<usize> = self.of(When::End).collect();
        self.look(&end);
        while let Some((at, why)) = self.drive.next_look() {
            self.pass(at);
            self.look(&why);
        }
        let now = self.drive.world.now;
        let never: Vec<usize> = self.of(When::Moment).collect();
        for expectation in never {
            if !self.judged.contains(&expectation) {
                self.failures.push(Failure {
                    expectation,
                    at: now,
                    why: Why::NeverCame,
                });
            }
        }
    }

    /// Where nothing is expected of the end, the rest of the run changes nothing any more.
    fn has_seen_all(&self) -> bool {
        let all = self.scenario.expects.iter().enumerate();
        let mut moments =
            all.map(|(index, it)| it.when == When::Moment && self.judged.contains(&index));
        !self.scenario.expects.is_empty() && moments.all(|seen| seen)
    }

    fn pass(&mut self, to: Instant) {
        while self.drive.world.now < to {
            self.drive.world.advance(to);
        }
    }

    fn of(&self, when: When) -> impl Iterator<Item = usize> + use<'_> {
        let all = self.scenario.expects.iter().enumerate();
        all.filter(move |(_, expectation)| expectation.when == when)
            .map(|(index, _)| index)
    }

    fn always(&mut self) {
        let open = self.of(When::Always);
        let open: Vec<usize> = open.filter(|index| !self.judged.contains(index)).collect();
        if open.is_empty() {
            return;
        }
        for failure in self.judge(&open) {
            self.judged.insert(failure.expectation);
            self.failures.push(failure);
        }
    }

    fn look(&mut self, why: &[usize]) {
        let failures = self.judge(why);
        self.judged.extend(why);
        self.failures.extend(failures);
    }

    fn judge(&mut self, which: &[usize]) -> Vec<Failure> {
        let at = self.drive.world.now;
        let story = |name: &str| (self.stories)(name, &self.trace);
        let span = self.drive.span();
        let Drive { world, state, .. } = &mut self.drive;
        let (plan, trace, state) = (self.plan, &self.trace, &*state);
        let facts = move || Facts::new(plan, trace, state, span, at);
        let mut seen = Seen {
            facts: LazyCell::new(&facts),
            plan,
            world,
            before: &self.before,
            story: &story,
        };
        let expects = &self.scenario.expects;
        let wanted = which
            .iter()
            .filter_map(|index| Some((*index, expects.get(*index)?)));
        let mut failures = Vec::new();
        for (expectation, Expectation { term, .. }) in wanted {
            if let Err(actual) = judge::judge(&mut seen, term) {
                failures.push(Failure {
                    expectation,
                    at,
                    why: Why::Untrue(actual),
                });
            }
        }
        failures
    }
}
