//! What is said during a run, and at its end.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::reasons::Reasons;
use crate::results::Outcome;

/// Where nobody watches, one line in this time is enough.
const SILENCE: Duration = Duration::from_secs(60);

pub struct Progress {
    total: usize,
    done: usize,
    caught: usize,
    survived: usize,
    begin: Instant,
    said: Instant,
    is_watched: bool,
}

pub fn begin(total: usize) -> Progress {
    Progress {
        total,
        done: 0,
        caught: 0,
        survived: 0,
        begin: Instant::now(),
        said: Instant::now(),
        is_watched: std::io::stderr().is_terminal(),
    }
}

impl Progress {
    pub fn add(&mut self, mutant: &str, outcome: Outcome) {
        self.done += 1;
        let note = match outcome {
            Outcome::Survived => "",
            Outcome::Unreached => " (no test reaches it)",
            _ => {
                self.caught += 1;
                return self.show();
            }
        };
        self.survived += 1;
        self.wipe();
        eprintln!("survives: {mutant}{note}");
        self.show();
    }

    fn show(&mut self) {
        let is_last = self.done == self.total;
        if !self.is_watched && !is_last && self.said.elapsed() < SILENCE {
            return;
        }
        self.said = Instant::now();
        self.wipe();
        let Progress {
            total,
            done,
            caught,
            survived,
            ..
        } = self;
        let gone_s = self.begin.elapsed().as_secs_f64();
        let left = time(gone_s / *done as f64 * (*total - *done) as f64);
        let text = format!("{done} of {total}: {caught} caught, {survived} survive; {left} left");
        match self.is_watched && !is_last {
            true => eprint!("{text}"),
            false => eprintln!("{text}"),
        }
        // A line that is not shown is missed by nobody.
        let _ = std::io::stderr().flush();
    }

    fn wipe(&self) {
        if self.is_watched {
            eprint!("\r\x1b[2K");
        }
    }
}

pub fn time(seconds: f64) -> String {
    match seconds.round() as u64 {
        seconds @ ..120 => format!("{seconds} s"),
        seconds => format!("{} min", (seconds + 30) / 60),
    }
}

/// The end of a run: the mutants that were chosen, each with what became of it, if that is known.
pub struct Summary<'a> {
    pub chosen: Vec<(&'a str, Option<Outcome>)>,
    pub reasons: &'a Reasons,
}

impl Summary<'_> {
    /// Without those that have a reason.
    pub fn survivors(&self) -> Vec<&str> {
        let chosen = self.chosen.iter();
        let survivors = chosen.filter(|(_, outcome)| survives(*outcome));
        survivors
            .map(|(mutant, _)| *mutant)
            .filter(|mutant| !self.reasons.has(mutant))
            .collect()
    }

    pub fn line(&self) -> String {
        let count = |of| {
            let chosen = self.chosen.iter();
            chosen.filter(|(_, outcome)| *outcome == Some(of)).count()
        };
        let unknown = self.chosen.iter().filter(|(_, outcome)| outcome.is_none());
        let excused = self.chosen.iter().filter(|(mutant, outcome)| {
            (outcome.is_none() || survives(*outcome)) && self.reasons.has(mutant)
        });
        let parts = [
            (count(Outcome::Caught), "caught"),
            (count(Outcome::Timeout), "caught by a run without end"),
            (self.survivors().len(), "survive"),
            (excused.count(), "have a reason"),
            (count(Outcome::Unbuildable), "do not compile"),
            (
                unknown.filter(|one| !self.reasons.has(one.0)).count(),
                "not run",
            ),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts
            .map(|(count, said)| format!("{count} {said}"))
            .collect();
        format!("{} mutants: {}", self.chosen.len(), parts.join(", "))
    }

    /// Reasons whose mutants were all run, of which none survives.
    pub fn needless_reasons(&self) -> Vec<&str> {
        let of = |pattern: &regex::Regex| {
            let mut meant = self.chosen.iter().filter(|one| pattern.is_match(one.0));
            let first = meant.next();
            first.into_iter().chain(meant).map(|one| one.1).collect()
        };
        let patterns = self.reasons.patterns.iter().filter(|pattern| {
            let outcomes: Vec<Option<Outcome>> = of(pattern);
            let is_run = |one: &Option<Outcome>| one.is_some() && !survives(*one);
            !outcomes.is_empty() && outcomes.iter().all(is_run)
        });
        patterns.map(regex::Regex::as_str).collect()
    }
}

/// Reasons that fit no mutant.
pub fn stale_reasons<'a>(reasons: &'a Reasons, mutants: &[String]) -> Vec<&'a str> {
    let patterns = reasons.patterns.iter();
    let patterns = patterns.filter(|pattern| !mutants.iter().any(|name| pattern.is_match(name)));
    patterns.map(regex::Regex::as_str).collect()
}

fn survives(outcome: Option<Outcome>) -> bool {
    matches!(outcome, Some(Outcome::Survived | Outcome::Unreached))
}

#[cfg(test)]
mod tests {
    use super::{Summary, stale_reasons, time};
    use crate::reasons::read;
    use crate::results::Outcome;

    #[test]
    fn survivors_are_those_without_a_reason() {
        let reasons = read("exclude_re = ['a\\.rs.* in f', 'b\\.rs', 'c\\.rs']").unwrap();
        let summary = Summary {
            chosen: vec![
                ("a.rs:1:1: delete ! in f", Some(Outcome::Survived)),
                ("a.rs:2:1: delete ! in g", Some(Outcome::Survived)),
                ("a.rs:3:1: delete ! in g", Some(Outcome::Caught)),
                ("a.rs:4:1: delete ! in g", Some(Outcome::Unreached)),
                ("b.rs:1:1: delete ! in h", Some(Outcome::Timeout)),
                ("b.rs:2:1: delete ! in h", Some(Outcome::Unbuildable)),
            ],
            reasons: &reasons,
        };
        assert_eq!(
            summary.survivors(),
            ["a.rs:2:1: delete ! in g", "a.rs:4:1: delete ! in g"]
        );
        assert_eq!(
            summary.line(),
            "6 mutants: 1 caught, 1 caught by a run without end, 2 survive, 1 have a reason, \
             1 do not compile"
        );
        assert_eq!(summary.needless_reasons(), ["b\\.rs"]);
        let names = summary.chosen.iter().map(|one| one.0.to_owned());
        let names: Vec<String> = names.collect();
        assert_eq!(stale_reasons(&reasons, &names), ["c\\.rs"]);
    }

    #[test]
    fn a_time_is_said_in_one_word() {
        assert_eq!(time(4.4), "4 s");
        assert_eq!(time(119.4), "119 s");
        assert_eq!(time(3570.0), "60 min");
    }
}
