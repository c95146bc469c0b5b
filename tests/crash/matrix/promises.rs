//! What holds of a run, whatever happened to it; all of it read from the world, or from the journal as it lies there.

use super::fault::{Call, Fault};
use super::machine::{Machine, RUN, Subject, intended};
use crate::crash::shop::{Day, Left, told};
use deployc::engine::protocol::RunOutcome;
use deployc::journal::chain;
use deployc::journal::store::Store;
use deployc::providers::kubernetes::FIELD_MANAGER;
use deployc::simulate::history::What;
use std::collections::{BTreeMap, BTreeSet};

/// The run that nothing happened to.
pub struct Whole<'s> {
    pub subject: &'s Subject,
    pub day: Day,
    pub calls: Vec<Call>,
    pub outcome: RunOutcome,
    left: Left,
    written: BTreeMap<String, usize>,
    told: BTreeSet<String>,
}

impl Whole<'_> {
    pub fn of(subject: &Subject, day: Day) -> Whole<'_> {
        let mut machine = Machine::new(subject, day, Vec::new());
        machine.run();
        let outcome = machine.outcome.unwrap();
        assert_eq!(machine.processes, 1);
        Whole {
            subject,
            day,
            outcome,
            left: Left::of(&machine.world),
            written: written(&machine),
            told: told(&machine.world),
            calls: machine.calls,
        }
    }
}

pub fn assert_kept(whole: &Whole, machine: &Machine) {
    nothing_is_written_twice(whole, machine);
    the_end_is_that_of_the_whole_run_or_the_start(whole, machine);
    everything_created_is_in_the_journal(machine);
    every_prefix_is_a_journal(machine);
}

/// Each key changes the world at most once: no write stands in the world's history more often than in that of a run
/// without a fault.
fn nothing_is_written_twice(whole: &Whole, machine: &Machine) {
    for (write, times) in &written(machine) {
        let allowed = whole.written.get(write).copied().unwrap_or(1);
        assert!(
            *times <= allowed,
            "written {times} times: {write}\n{}",
            story(machine)
        );
    }
}

/// Each write of the run's own, with how often it stands in the world's history.
fn written(machine: &Machine) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for change in machine.world.history() {
        let ours = change.who == FIELD_MANAGER && !matches!(change.what, What::Told(_));
        let is_write = ours || matches!(change.what, What::Ran(_));
        if let (Some(key), true) = (change.key, is_write) {
            let write = format!("{} {:?} by {}", change.object, change.what, key.0);
            *found.entry(write).or_default() += 1;
        }
    }
    found
}

fn the_end_is_that_of_the_whole_run_or_the_start(whole: &Whole, machine: &Machine) {
    let outcome = machine.outcome.unwrap();
    let left = Left::of(&machine.world);
    let faults: Vec<Fault> = machine.met.keys().map(|(_, fault, _)| *fault).collect();
    let may = machine.command_in_doubt || faults.iter().any(|fault| fault.may_change_the_end());
    // Somebody else was faster on the way back: then it is not ours to undo, and it is said so.
    let refused_back = machine
        .met
        .keys()
        .any(|(_, fault, back)| *back && *fault == Fault::Conflict);
    // Nobody knows what became of a command on the way back, and what was there before it stays until somebody says so.
    let only_a_command = machine.command_in_doubt && !refused_back;
    if outcome == RunOutcome::RolledBack || outcome == RunOutcome::Stopped {
        let [left, before] =
            [&left, &machine.before].map(|left| left.clone().without(&whole.subject.kept));
        assert_eq!(left, before, "{}", story(machine));
    }
    if outcome == whole.outcome {
        // One that turned back earlier has kept less and said less.
        let as_far = outcome == RunOutcome::Succeeded || whole.subject.is_straight && !may;
        if as_far {
            assert_eq!(left, whole.left, "{}", story(machine));
        }
        if as_far && !machine.met.keys().any(|(call, ..)| *call == Call::Tell) {
            assert_eq!(told(&machine.world), whole.told, "{}", story(machine));
        }
        return;
    }
    // A fault takes time: a step may have begun meanwhile, which then goes back.
    let at_the_start = [RunOutcome::RolledBack, RunOutcome::Stopped];
    let alike = at_the_start.contains(&outcome) && at_the_start.contains(&whole.outcome);
    let may = may || alike;
    assert!(may, "it ended as {outcome:?}\n{}", story(machine));
    assert!(
        outcome != RunOutcome::RollbackIncomplete || refused_back || only_a_command,
        "something is left\n{}",
        story(machine)
    );
}

fn everything_created_is_in_the_journal(machine: &Machine) {
    let intended = intended(machine);
    for change in machine.world.history() {
        let (What::Created, true) = (&change.what, change.who == FIELD_MANAGER) else {
            continue;
        };
        let Some(key) = change.key else {
            continue;
        };
        let targets = intended.get(&key.0);
        assert!(
            targets.is_some_and(|targets| targets.contains(&change.object)),
            "{} was created and is in no intent of {}: {targets:?}\n{}",
            change.object,
            key.0,
            story(machine)
        );
    }
}

fn every_prefix_is_a_journal(machine: &Machine) {
    let start = machine.store.header(RUN).unwrap().hash().unwrap();
    let records = machine.store.records(RUN).unwrap();
    let events = chain::verify(start, &records).unwrap();
    assert_eq!(events.len(), records.len());
    for length in [0, records.len() / 3, records.len() / 2, records.len() - 1] {
        assert_eq!(
            chain::verify(start, &records[..length]).unwrap().len(),
            length
        );
    }
}

fn story(machine: &Machine) -> String {
    let mut story = format!(
        "{:?} after {} processes; met {:?}\n",
        machine.outcome, machine.processes, machine.met
    );
    for change in machine.world.history() {
        let key = change.key.map(|key| key.0).unwrap_or_default();
        story += &format!(
            "  {} {} {} {:?}\n",
            change.at.0, change.who, change.object, change.what
        );
        story += &format!("      {key}\n");
    }
    story
}
