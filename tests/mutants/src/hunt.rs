//! Brings mutants to life one by one, each before the tests that reach it: those that are quick, and likely to notice, first.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::results::Outcome;
use crate::side_by_side::each;
use crate::suite::{Binary, Setting, Test};
use crate::trial::{Trial, Verdict, attempt};

/// A run may take this long, whatever its tests took without a mutant.
const BUDGET_S: f64 = 15.0;
/// And this many times as long as they took: the machine has other work, too.
const BUDGET_FACTOR: f64 = 5.0;

/// The tests that last noticed a mutant of the same file are asked before all others.
const RECENT_MAX: usize = 3;
const RECENT_S_MAX: f64 = 2.0;

/// Then the unit tests of the same module.
const NEAR_MAX: usize = 60;
const NEAR_S_MAX: f64 = 1.0;

/// Then the rest, by how long one takes.
const STEPS_S: &[f64] = &[0.5, 2.0, 8.0, f64::INFINITY];

/// A mutant that is to be judged.
pub struct Prey {
    pub number: u32,
    pub name: String,
    pub file: String,
}

pub struct Judged<'a> {
    pub mutant: &'a str,
    pub outcome: Outcome,
    /// The test that noticed it.
    pub by: String,
    pub seconds: f64,
}

/// `tests` stand by how long they take. `take` is called as soon as one is judged.
pub fn hunt(
    setting: &Setting,
    tests: &[Test],
    prey: &[Prey],
    take: &(dyn Fn(Judged) -> Result<()> + Sync),
) -> Result<()> {
    let ground = Ground {
        setting,
        tests,
        recent: Mutex::default(),
    };
    each(prey, setting.jobs, |_, prey| {
        let begin = Instant::now();
        let (outcome, by) = judge(&ground, prey)?;
        take(Judged {
            mutant: &prey.name,
            outcome,
            by,
            seconds: begin.elapsed().as_secs_f64(),
        })
    })
}

struct Ground<'a> {
    setting: &'a Setting,
    tests: &'a [Test],
    /// By file, the last first.
    recent: Mutex<BTreeMap<String, Vec<usize>>>,
}

fn judge(ground: &Ground, prey: &Prey) -> Result<(Outcome, String)> {
    let reaching = indexes(ground, |test| test.reached.contains(&prey.number));
    let recent = ground
        .recent
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&prey.file)
        .cloned()
        .unwrap_or_default();
    for batch in batches(ground.tests, &reaching, &recent, &prey.file) {
        if let Some(noticed) = try_batch(ground, prey, &batch)? {
            return Ok(noticed);
        }
    }
    // Tests with chance in them reach on one day what they do not reach on another.
    let others = indexes(ground, |test| {
        test.binary == Binary::Library && !test.reached.is_empty()
    });
    if let Some(noticed) = try_batch(ground, prey, &others)? {
        return Ok(noticed);
    }
    let outcome = match reaching.is_empty() {
        true => Outcome::Unreached,
        false => Outcome::Survived,
    };
    Ok((outcome, String::new()))
}

fn indexes(ground: &Ground, is_meant: impl Fn(&Test) -> bool) -> Vec<usize> {
    let tests = ground.tests.iter().enumerate();
    let tests = tests.filter(|(_, test)| is_meant(test));
    tests.map(|(index, _)| index).collect()
}

/// What is tried one after the other, each in one process.
fn batches(tests: &[Test], reaching: &[usize], recent: &[usize], file: &str) -> Vec<Vec<usize>> {
    let module = file.split('/').nth(1).unwrap_or_default();
    let mut rest: Vec<(usize, &Test)> = reaching
        .iter()
        .filter_map(|index| Some((*index, tests.get(*index)?)))
        .collect();
    let mut batches = Vec::new();
    let mut cut = |is_in: &dyn Fn(usize, &Test) -> bool, most: usize| {
        let mut batch = Vec::new();
        rest.retain(|(index, test)| {
            let goes = batch.len() < most && is_in(*index, test);
            if goes {
                batch.push(*index);
            }
            !goes
        });
        if !batch.is_empty() {
            batches.push(batch);
        }
    };
    for one in recent {
        cut(
            &|index, test| index == *one && test.seconds < RECENT_S_MAX,
            1,
        );
    }
    cut(
        &|_, test| {
            let is_own = test.name.split("::").next() == Some(module);
            test.binary == Binary::Library && is_own && test.seconds < NEAR_S_MAX
        },
        NEAR_MAX,
    );
    for step in STEPS_S {
        for binary in [Binary::Library, Binary::Main] {
            let is_in = |_: usize, test: &Test| test.binary == binary && test.seconds < *step;
            cut(&is_in, usize::MAX);
        }
    }
    batches
}

fn try_batch(ground: &Ground, prey: &Prey, batch: &[usize]) -> Result<Option<(Outcome, String)>> {
    let tests: Vec<&Test> = batch
        .iter()
        .filter_map(|index| ground.tests.get(*index))
        .collect();
    let Some(binary) = tests.first().map(|test| test.binary) else {
        return Ok(None);
    };
    let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
    let seconds: f64 = tests.iter().map(|test| test.seconds).sum();
    let number: OsString = prey.number.to_string().into();
    let verdict = attempt(&Trial {
        setting: ground.setting,
        binary,
        tests: &names,
        environment: &[("MUTANT", &number)],
        budget: Duration::from_secs_f64(BUDGET_S + BUDGET_FACTOR * seconds),
    })?;
    Ok(match verdict {
        Verdict::Passed => None,
        Verdict::TimedOut => Some((Outcome::Timeout, String::new())),
        Verdict::Failed(by) => {
            let index = batch.iter().zip(&names);
            let index = index.filter(|(_, name)| Some(**name) == by.as_deref());
            for (index, _) in index {
                remember(ground, &prey.file, *index);
            }
            Some((Outcome::Caught, by.unwrap_or_default()))
        }
    })
}

fn remember(ground: &Ground, file: &str, test: usize) {
    let mut recent = ground.recent.lock().unwrap_or_else(PoisonError::into_inner);
    let recent = recent.entry(file.to_owned()).or_default();
    recent.retain(|other| *other != test);
    recent.insert(0, test);
    recent.truncate(RECENT_MAX);
}

#[cfg(test)]
mod tests {
    use super::batches;
    use crate::suite::{Binary, Test};

    #[test]
    fn the_quick_and_the_near_come_first() {
        let test = |binary, name: &str, seconds| Test {
            binary,
            name: name.to_owned(),
            seconds,
            reached: [1].into(),
        };
        let tests = [
            test(Binary::Main, "ui::a", 0.1),
            test(Binary::Library, "engine::a", 0.2),
            test(Binary::Library, "journal::a", 0.3),
            test(Binary::Library, "engine::b", 3.0),
            test(Binary::Main, "verify::a", 9.0),
            test(Binary::Main, "verify::b", 9.5),
        ];
        let order = batches(&tests, &[0, 1, 2, 3, 4, 5], &[5, 0], "src/engine/a.rs");
        assert_eq!(order, [vec![0], vec![1], vec![2], vec![3], vec![4, 5]]);
        let order = batches(&tests, &[0, 2, 4], &[1], "src/engine/a.rs");
        assert_eq!(order, [vec![2], vec![0], vec![4]]);
    }
}
