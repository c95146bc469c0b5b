//! A counterexample as what happened, in virtual time.

use crate::engine::protocol::{Note, RunOutcome};
use crate::values::Instant;
use crate::verify::branch::{Branch, Progress, Step};
use crate::verify::explore::Choice;
use crate::verify::fault::Fault;
use crate::verify::inject::inject;
use crate::verify::subject::Subject;

#[derive(Clone, Debug)]
pub enum Line {
    Fault { at: Instant, fault: Fault },
    Note { at: Instant, note: Note },
    Ended { at: Instant, outcome: RunOutcome },
}

/// Plays the choices again and tells what happened. The run stops where a promise is broken.
pub fn play(subject: &Subject, step: &Step, choices: &[Choice]) -> Branch {
    let mut branch = Branch::start(subject, step);
    branch.log = Some(Vec::new());
    let mut choices = choices.iter().peekable();
    loop {
        while let Some(choice) = choices.next_if(|choice| choice.event == branch.events) {
            inject(&mut branch, subject, step, choice.fault);
        }
        if branch.advance(subject, step) == Progress::Ended {
            return branch;
        }
    }
}
