//! An open scenario, played: each fault is injected as soon as its moment has come and it can be.

use crate::engine::protocol::NoteKind;
use crate::plan::node::NodeId;
use crate::simulate::scenario::Moment;
use crate::values::Instant;
use crate::verify::alternatives::alternatives;
use crate::verify::branch::{Branch, Progress, Step};
use crate::verify::explore::Choice;
use crate::verify::fault::Fault;
use crate::verify::inject::inject;
use crate::verify::scenario::{Planned, When};
use crate::verify::story::Line;
use crate::verify::subject::Subject;
use std::collections::BTreeMap;

pub struct Played {
    pub branch: Branch,
    /// What was injected, and after how many events.
    pub choices: Vec<Choice>,
    /// Faults that could never be.
    pub missed: Vec<Planned>,
}

pub fn play(subject: &Subject, step: &Step, faults: &[Planned]) -> Played {
    let mut branch = Branch::start(subject, step);
    branch.log = Some(Vec::new());
    let mut moments = Moments::default();
    let mut open: Vec<Planned> = faults.to_vec();
    let mut choices = Vec::new();
    loop {
        moments.look(&branch);
        let due = open
            .iter()
            .position(|planned| is_due(subject, &branch, &moments, planned));
        if let Some(due) = due {
            let fault = open.remove(due).fault;
            let event = branch.events;
            choices.push(Choice { event, fault });
            inject(&mut branch, subject, step, fault);
        } else if branch.advance(subject, step) == Progress::Ended {
            return Played {
                branch,
                choices,
                missed: open,
            };
        }
    }
}

/// When what began for the first time.
#[derive(Default)]
pub struct Moments {
    nodes: BTreeMap<NodeId, Instant>,
    /// The newest of them.
    pub newest: Option<NodeId>,
    pub rollback: Option<Instant>,
    seen: usize,
}

impl Moments {
    pub fn look(&mut self, branch: &Branch) {
        let log = branch.log.as_deref().unwrap_or_default();
        for line in log.get(self.seen..).unwrap_or_default() {
            self.line(line);
        }
        self.seen = log.len();
    }

    pub fn line(&mut self, line: &Line) {
        let Line::Note { at, note } = line else {
            return;
        };
        match (&note.kind, note.node) {
            (NoteKind::Started, Some(id)) => {
                self.newest = Some(id);
                self.nodes.entry(id).or_insert(*at);
            }
            (NoteKind::RollbackStarted { .. }, _) => {
                self.rollback.get_or_insert(*at);
            }
            _ => {}
        }
    }

    pub fn at(&self, start: Instant, moment: Moment) -> Option<Instant> {
        match moment {
            Moment::Start => Some(start),
            Moment::At(at) => Some(at),
            Moment::Node(id) => self.nodes.get(&id).copied(),
            Moment::Rollback => self.rollback,
        }
    }
}

fn is_due(subject: &Subject, branch: &Branch, moments: &Moments, planned: &Planned) -> bool {
    if branch.violation.is_some() {
        return false;
    }
    match planned.when {
        When::Event(events) => branch.events == events,
        When::After(moment, after_ns) => {
            let at = moments.at(subject.start, moment);
            let come = at.is_some_and(|at| at.plus(after_ns) <= branch.now);
            come && can_be(subject, branch, planned.fault)
        }
    }
}

fn can_be(subject: &Subject, branch: &Branch, fault: Fault) -> bool {
    let possible = alternatives(subject, branch);
    match fault {
        // For how long is not asked.
        Fault::Crash { flight, .. } => possible
            .iter()
            .any(|known| matches!(known, Fault::Crash { flight: of, .. } if *of == flight)),
        _ => possible.contains(&fault),
    }
}
