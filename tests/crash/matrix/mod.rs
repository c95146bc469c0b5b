//! The crash matrix: one fault at the n-th call of a run, for every n and every kind of fault.
//!
//! A call is an append to the journal, or a request to a system. The run is carried out in virtual time, with its journal,
//! against the simulated world of the plan beside this; a process that is lost is followed by another, which resumes. What
//! is promised is read from the world's own history, and from the objects that are left.

mod answers;
mod fault;
mod generated;
mod machine;
mod people;
mod promises;
mod shaky;

use crate::crash::moments::Random;
use crate::crash::shop::Day;
use deployc::commands::replay::difference;
use deployc::engine::protocol::RunOutcome;
use deployc::journal::writer;
use deployc::plan::Plan;
use deployc::rerun::drive::{Identity, replay};
use deployc::rerun::recording::recording;
use deployc::values::fields::Fields;
use fault::{At, Call, Fault, Planned, What};
use machine::{Machine, Subject};
use promises::{Whole, assert_kept};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// `DEPLOYC_TEST_SEED` chooses other pairs.
const SEED: u64 = 0x2545_f491_4f6c_dd1d;
const PAIRS: u64 = 200;
const PLANS: u64 = 24;
const FAULTS_A_PLAN: u64 = 16;

/// What was met: the kind of call, the fault, and whether the run was going back.
type Met = BTreeMap<(Call, Fault, bool), usize>;

#[test]
fn any_one_fault_at_any_call_ends_as_if_nothing_had_been() {
    let subject = machine::subject();
    let mut met = Met::new();
    for day in [Day::Good, Day::Bad] {
        let whole = shop_on(&subject, day);
        let cells: Vec<Vec<Planned>> = (0..)
            .zip(&whole.calls)
            .flat_map(|(at, call)| {
                let faults = call.faults().iter();
                faults.map(move |fault| vec![one(At::Nth(at), *fault)])
            })
            .collect();
        carry_out(&whole, &cells, &mut met);
    }
    // Without a fault nothing has to be looked at; and this plan has neither commands nor gates.
    let others = [Call::Observe, Call::Command, Call::Letter];
    assert_every_fault_was_met(&met, |call| !others.contains(&call));
}

#[test]
fn a_fault_in_the_look_at_what_became_of_a_change_breaks_no_promise() {
    let subject = machine::subject();
    let mut met = Met::new();
    for day in [Day::Good, Day::Bad] {
        let whole = shop_on(&subject, day);
        let commits = (0..).zip(&whole.calls);
        let commits = commits.filter(|(_, call)| **call == Call::Commit);
        let doubts = [Fault::LostAfter, Fault::ErrorAfterDone, Fault::Dropped];
        let cells: Vec<Vec<Planned>> = commits
            .flat_map(|(at, _)| doubts.map(|doubt| (at, doubt)))
            .flat_map(|(at, doubt)| {
                let looks = Call::Observe.faults().iter();
                looks.map(move |fault| {
                    let look = At::Next(Call::Observe, at);
                    vec![one(At::Nth(at), doubt), one(look, *fault)]
                })
            })
            .collect();
        carry_out(&whole, &cells, &mut met);
    }
    assert_every_fault_was_met(&met, |call| call == Call::Observe);
}

#[test]
fn two_faults_anywhere_break_no_promise() {
    let subject = machine::subject();
    let seed = std::env::var("DEPLOYC_TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    println!("seed {seed}");
    let mut random = Random(seed);
    for day in [Day::Good, Day::Bad] {
        let whole = shop_on(&subject, day);
        let cells: Vec<Vec<Planned>> = (0..PAIRS / 2)
            .map(|_| {
                let first = random.below(whole.calls.len() as u64);
                let second = first + 1 + random.below(30);
                let mut any = |at| Planned {
                    at: At::Nth(at as usize),
                    what: What::Any(random.below(1_000) as usize),
                };
                vec![any(first), any(second)]
            })
            .collect();
        carry_out(&whole, &cells, &mut Met::new());
    }
}

/// Two dozen plans, each on both days: faults at some of its calls, one at a time and in pairs.
#[test]
fn plans_that_nobody_thought_of_keep_the_promises() {
    let seed = std::env::var("DEPLOYC_TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    println!("seed {seed}");
    let mut met = Met::new();
    let mut outcomes = BTreeMap::new();
    for number in 0..PLANS {
        let (text, subject) = generated::subject(seed.wrapping_add(number));
        println!("plan {number}\n{text}");
        let mut random = Random(seed ^ (number + 1));
        for day in [Day::Good, Day::Bad] {
            let whole = Whole::of(&subject, day);
            *outcomes.entry(format!("{:?}", whole.outcome)).or_insert(0) += 1;
            let cells: Vec<Vec<Planned>> = (0..FAULTS_A_PLAN)
                .map(|cell| {
                    let first = random.below(whole.calls.len() as u64);
                    let mut any = |at| Planned {
                        at: At::Nth(at as usize),
                        what: What::Any(random.below(1_000) as usize),
                    };
                    match cell % 3 {
                        0 => vec![any(first), any(first + 1 + cell % 20)],
                        _ => vec![any(first)],
                    }
                })
                .collect();
            carry_out(&whole, &cells, &mut met);
        }
    }
    println!("{outcomes:?}");
    // Looks are rare here; they have a test of their own.
    assert_every_fault_was_met(&met, |call| call != Call::Observe);
}

/// On a machine that is busy something else is often heard before the clock; and after the end it strikes no more, while
/// the last message is still being told.
#[test]
fn a_journal_is_decided_once_more_as_it_was() {
    let subject = machine::subject();
    let mut missed = 0;
    for day in [Day::Good, Day::Bad] {
        for lateness_ms in [0, 30, 700] {
            let mut machine = Machine::new(&subject, day, Vec::new());
            machine.lateness_ns = lateness_ms * 1_000_000;
            missed += missed_and_decided_alike(&subject.plan, machine);
        }
        let calls = shop_on(&subject, day).calls;
        let last = calls.iter().rposition(|call| *call == Call::Tell).unwrap();
        let slow = vec![one(At::Nth(last), Fault::Dropped)];
        missed_and_decided_alike(&subject.plan, Machine::new(&subject, day, slow));
    }
    assert!(missed > 0, "the clock was never late");
}

fn missed_and_decided_alike(plan: &Plan, mut machine: Machine) -> usize {
    machine.run();
    let journal = writer::read(&machine.store, machine::RUN).unwrap();
    let recorded = recording(plan, &journal.events);
    let missed = recorded.missed.len();
    let identity = Identity {
        digest: journal.header.digest,
        inputs: Fields::new(),
    };
    let again = replay(plan, recorded, plan, &identity);
    assert_eq!(difference(&journal.events, &again.events), None);
    missed
}

/// The run of the plan beside this that nothing happens to.
fn shop_on(subject: &Subject, day: Day) -> Whole<'_> {
    let whole = Whole::of(subject, day);
    let expected = match day {
        Day::Good => RunOutcome::Succeeded,
        Day::Bad => RunOutcome::RolledBack,
    };
    assert_eq!(whole.outcome, expected);
    whole
}

fn one(at: At, fault: Fault) -> Planned {
    let what = What::Fault(fault);
    Planned { at, what }
}

/// Each cell is a run; all of them keep what is promised.
fn carry_out(whole: &Whole, cells: &[Vec<Planned>], met: &mut Met) {
    let found: Vec<Met> = cells
        .par_iter()
        .map(|cell| {
            let mut machine = Machine::new(whole.subject, whole.day, cell.clone());
            machine.run();
            assert_kept(whole, &machine);
            machine.met
        })
        .collect();
    println!("{:?}: {} runs", whole.day, cells.len());
    for (cell, count) in found.into_iter().flatten() {
        *met.entry(cell).or_default() += count;
    }
}

/// On the way there and on the way back, each kind of call had each fault that it can have.
fn assert_every_fault_was_met(met: &Met, concerns: impl Fn(Call) -> bool) {
    for call in Call::ALL.into_iter().filter(|call| concerns(*call)) {
        for fault in call.faults() {
            for back in [false, true] {
                // The intents of a rollback are those of the way there; nobody is asked on the way back.
                let never = matches!(call, Call::Prepare | Call::Letter) && back;
                assert!(
                    never || met.contains_key(&(call, *fault, back)),
                    "{call:?} never met {fault:?}, going back: {back}"
                );
            }
        }
    }
    for ((call, fault, back), count) in met {
        println!("{call:?} {fault:?} going back {back}: {count}");
    }
}
