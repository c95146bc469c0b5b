//! The promises that hold for every plan, whatever goes wrong, and how each is read from the world's account.

use crate::engine::protocol::RunOutcome;
use crate::plan::elements;
use crate::plan::node::{NodeId, NodeKind};
use crate::providers::request::{Direction, Observable};
use crate::source::Span;
use crate::units::show::duration_ns;
use crate::values::Instant;
use crate::verify::branch::Branch;
use crate::verify::fault::{Says, What};
use crate::verify::ledger;
use crate::verify::subject::{Site, Subject};
use crate::verify::world::{Account, Fails, Looked, There};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    GoodDay,
    Restored,
    Once,
    Evidence,
    Approval,
    Traffic,
    Time,
    End,
    /// What the plan says of itself.
    Invariant,
}

impl Promise {
    pub const ALL: [Promise; 9] = [
        Promise::GoodDay,
        Promise::Restored,
        Promise::Once,
        Promise::Evidence,
        Promise::Approval,
        Promise::Traffic,
        Promise::Time,
        Promise::End,
        Promise::Invariant,
    ];

    /// What stands in outputs and scripts; never changed.
    pub fn code(self) -> &'static str {
        match self {
            Promise::GoodDay => "good-day",
            Promise::Restored => "restored",
            Promise::Once => "once",
            Promise::Evidence => "evidence",
            Promise::Approval => "approval",
            Promise::Traffic => "traffic",
            Promise::Time => "time",
            Promise::End => "end",
            Promise::Invariant => "invariant",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Promise::GoodDay => "when nothing goes wrong, the run succeeds",
            Promise::Restored => "after a rollback everything is as it was before the run",
            Promise::Once => "no change is made twice, and none is sent again without a look",
            Promise::Evidence => "no gate opens without evidence",
            Promise::Approval => "nothing passes a gate that people did not open",
            Promise::Traffic => "traffic never goes to a version that is not ready",
            Promise::Time => "the run and its rollback end within the longest times of the plan",
            Promise::End => "every run ends",
            Promise::Invariant => "the plan's own invariants hold",
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Violation {
    pub promise: Promise,
    pub at: Instant,
    pub node: Option<NodeId>,
    /// Where the plan claims it.
    pub claim: Option<Span>,
    /// Lower-case, without full stop.
    pub words: String,
}

/// Before a request that changes something leaves.
pub fn sending(
    subject: &Subject,
    branch: &Branch,
    account: &Account,
    direction: Direction,
) -> Option<(Promise, String)> {
    let side = account.side(direction);
    if side.sent > 0 && side.looked == Looked::No {
        let text = "it was sent again, and nobody had looked what became of the first request";
        return Some((Promise::Once, text.to_owned()));
    }
    let once = account.observable == Observable::AtMostOnce;
    if side.sent > 0 && once && direction == Direction::Forward {
        let text = "it may be carried out at most once, and was sent again";
        return Some((Promise::Once, text.to_owned()));
    }
    if direction == Direction::Back || account.change.what == What::Undo {
        return None;
    }
    let gates = subject.ledger.gates_before(account.change.node);
    let shut = gates
        .iter()
        .find(|gate| !is_open(subject, branch, **gate))?;
    let name = subject.name(*shut);
    let text = format!("it began, and {name} before it was not open");
    match is_of_people(subject, *shut) {
        true => Some((Promise::Approval, text)),
        false => Some((Promise::Evidence, text)),
    }
}

/// When a change was made.
pub fn made(
    subject: &Subject,
    branch: &Branch,
    account: &Account,
    direction: Direction,
) -> Option<(Promise, String)> {
    let twice = account.side(direction).done > 1 && account.observable != Observable::Idempotent;
    if twice {
        return Some((
            Promise::Once,
            "the world was changed twice by it".to_owned(),
        ));
    }
    let text = traffic(subject, branch, account, direction)?;
    Some((Promise::Traffic, text))
}

/// When an item was said to have passed.
pub fn passed(subject: &Subject, branch: &Branch, id: NodeId) -> Option<(Promise, String)> {
    let kind = subject.plan.node(id).map(|node| &node.kind)?;
    let shut = match kind {
        NodeKind::Check(_) | NodeKind::Confirm(_) | NodeKind::Approve(_) => {
            !has_evidence(subject, branch, id)
        }
        NodeKind::Step(step) => {
            !step.post.is_empty() && !says_true(subject, branch, Site::Post(id))
        }
        _ => false,
    };
    if !shut {
        return None;
    }
    match is_of_people(subject, id) {
        true => {
            let text = "it opened, and those who may open it had not";
            Some((Promise::Approval, text.to_owned()))
        }
        false => {
            let text = "it passed, and what was measured since it began does not say so";
            Some((Promise::Evidence, text.to_owned()))
        }
    }
}

/// When the run has ended.
pub fn ended(
    subject: &Subject,
    branch: &Branch,
    outcome: RunOutcome,
) -> Option<(Promise, Option<NodeId>, String)> {
    if branch.faults == 0 && outcome != RunOutcome::Succeeded {
        let text = format!("nothing went wrong, and the run {}", outcome_words(outcome));
        return Some((Promise::GoodDay, None, text));
    }
    let found = match outcome {
        RunOutcome::Succeeded => complete(subject, branch),
        RunOutcome::RolledBack => restored(subject, branch),
        RunOutcome::Stopped | RunOutcome::RollbackIncomplete => None,
    };
    found.or_else(|| too_long(subject, branch, outcome).map(|text| (Promise::Time, None, text)))
}

pub fn outcome_words(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Succeeded => "succeeded",
        RunOutcome::Stopped => "stopped",
        RunOutcome::RolledBack => "was rolled back",
        RunOutcome::RollbackIncomplete => "was not rolled back completely",
    }
}

fn is_of_people(subject: &Subject, id: NodeId) -> bool {
    let kind = subject.plan.node(id).map(|node| &node.kind);
    matches!(kind, Some(NodeKind::Confirm(_) | NodeKind::Approve(_)))
}

fn is_open(subject: &Subject, branch: &Branch, gate: NodeId) -> bool {
    is_excused(subject, branch, gate) || has_evidence(subject, branch, gate)
}

/// It does not apply to this run, a person went on past it, or a policy lets it through when something is wrong.
fn is_excused(subject: &Subject, branch: &Branch, id: NodeId) -> bool {
    let ledger = &subject.ledger;
    let around = ledger.around(id);
    let warned = branch.faults > 0 && around.iter().any(|id| ledger.may_warn(*id));
    warned || is_left_out(subject, branch, id)
}

/// It does not apply to this run, or a person went on past it.
pub fn is_left_out(subject: &Subject, branch: &Branch, id: NodeId) -> bool {
    let ledger = &subject.ledger;
    let mut around = ledger.around(id).iter();
    let mut whens = ledger.whens_of(id).iter();
    around.any(|id| branch.world.skipped.contains(id))
        || whens.any(|when| is_false(subject, branch, *when))
}

fn is_false(subject: &Subject, branch: &Branch, when: NodeId) -> bool {
    match subject.plan.node(when) {
        Some(node) if ledger::is_copy(node) => {
            elements::is_beyond(&subject.plan, &subject.inputs, node)
        }
        _ => last(subject, branch, Site::When(when)) == Some(Says::False),
    }
}

pub fn has_evidence(subject: &Subject, branch: &Branch, id: NodeId) -> bool {
    match subject.plan.node(id).map(|node| &node.kind) {
        Some(NodeKind::Check(check)) => {
            let counted = subject.plan.node(id).and_then(|node| node.policies.fails);
            let fails = counted.map_or(Fails::Never, |_| Fails::Counted);
            let site = subject.site(Site::Check(id));
            let evidence = site.and_then(|site| branch.world.evidence.get(site));
            evidence.is_some_and(|evidence| evidence.suffices(check.samples, check.mode, fails))
        }
        _ => branch.world.is_signed(&subject.plan, id),
    }
}

fn says_true(subject: &Subject, branch: &Branch, site: Site) -> bool {
    last(subject, branch, site) == Some(Says::True)
}

fn last(subject: &Subject, branch: &Branch, site: Site) -> Option<Says> {
    let site = subject.site(site)?;
    branch.world.evidence.get(site)?.last
}

fn traffic(
    subject: &Subject,
    branch: &Branch,
    account: &Account,
    direction: Direction,
) -> Option<String> {
    let plan = &subject.plan;
    let node = account.change.node;
    match (account.change.what, direction) {
        (What::Weight | What::Promotion, Direction::Forward) => {
            let canary = match account.change.what {
                What::Weight => plan.node(node)?.parent?,
                _ => node,
            };
            let NodeKind::Canary(of) = &plan.node(canary)?.kind else {
                return None;
            };
            let release = branch.world.of(crate::verify::fault::Change {
                node: of.step,
                what: What::Step,
            });
            match release.map(|release| release.there) {
                Some(There::Ready) => None,
                _ => Some("it gives traffic to a version that is not ready".to_owned()),
            }
        }
        (What::Step, Direction::Back) | (What::Undo, Direction::Forward) => {
            let (canary, _) = ledger::canary_of(plan, node)?;
            let stages = ledger::stages(plan, canary);
            let weight = branch.world.weight(canary.id, &stages);
            (weight.0 > 0).then(|| {
                let share = weight.as_f64() * 100.0;
                format!("it takes a version away that has {share:.0}% of the traffic")
            })
        }
        _ => None,
    }
}

/// All gates open, all changes there.
fn complete(subject: &Subject, branch: &Branch) -> Option<(Promise, Option<NodeId>, String)> {
    let ledger = &subject.ledger;
    let shut = ledger
        .all
        .iter()
        .find(|gate| !is_open(subject, branch, **gate));
    if let Some(shut) = shut {
        let text = format!(
            "the run succeeded, and {} was not open",
            subject.name(*shut)
        );
        let promise = match is_of_people(subject, *shut) {
            true => Promise::Approval,
            false => Promise::Evidence,
        };
        return Some((promise, Some(*shut), text));
    }
    let is_missing = |id: &&NodeId| {
        let what = match subject.plan.node(**id).map(|node| &node.kind) {
            Some(NodeKind::Canary(_)) => What::Promotion,
            _ => What::Step,
        };
        !branch.world.is_there(**id, what) && !is_excused(subject, branch, **id)
    };
    let missing = ledger.changes.iter().find(is_missing)?;
    let text = format!(
        "the run succeeded, and {} was not done",
        subject.name(*missing)
    );
    Some((Promise::Evidence, Some(*missing), text))
}

fn restored(subject: &Subject, branch: &Branch) -> Option<(Promise, Option<NodeId>, String)> {
    let is_left = |account: &&Account| {
        account.is_there()
            && account.change.what != What::Undo
            && !ledger::stays(&subject.plan, account.change.node)
    };
    if let Some(left) = branch.world.changes.iter().find(is_left) {
        let node = left.change.node;
        let name = subject.name(node);
        let text = format!("it says that it was rolled back, and {name} is still there");
        return Some((Promise::Restored, Some(node), text));
    }
    // What was never begun is not looked at afterwards.
    let began = |id: &NodeId| {
        let mut changes = branch.world.changes.iter();
        changes.any(|account| account.change.node == *id && account.forward.sent > 0)
    };
    let applies = |id: NodeId| subject.ledger.reads(id).iter().all(began);
    let unproved = |id: &&NodeId| applies(**id) && !has_evidence(subject, branch, **id);
    let unproved = subject.ledger.verify.iter().find(unproved)?;
    let text = "it says that it was rolled back, and nothing measured says so".to_owned();
    Some((Promise::Evidence, Some(*unproved), text))
}

fn too_long(subject: &Subject, branch: &Branch, outcome: RunOutcome) -> Option<String> {
    let facts = &subject.facts;
    let rollback_ns = subject.rollback_ns();
    let whole_ns = facts.times.longest_ns;
    let took_ns = branch.took_ns(subject);
    let bound_ns = match outcome {
        RunOutcome::Succeeded | RunOutcome::Stopped => whole_ns,
        _ => whole_ns.saturating_add(rollback_ns),
    };
    if let Some(back_ns) = branch.back_ns()
        && back_ns > rollback_ns
    {
        return Some(format!(
            "the rollback took {}, and the longest is {}",
            duration_ns(back_ns),
            duration_ns(rollback_ns)
        ));
    }
    (took_ns > bound_ns).then(|| {
        format!(
            "it took {}, and the longest is {}",
            duration_ns(took_ns),
            duration_ns(bound_ns)
        )
    })
}
