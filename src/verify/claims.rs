//! What a plan claims of its runs, read from the world's account.

use crate::engine::protocol::RunOutcome;
use crate::plan::deps;
use crate::plan::invariant::{Atom, Claim, End, Invariant};
use crate::plan::node::{NodeId, NodeKind};
use crate::verify::branch::Branch;
use crate::verify::fault::What;
use crate::verify::promise;
use crate::verify::subject::Subject;

/// The first claim that does not hold at this moment.
pub fn broken<'s>(subject: &'s Subject, branch: &Branch) -> Option<(&'s Invariant, &'s Claim)> {
    let known = |atom| known(subject, branch, atom);
    let mut claims = claims(subject);
    claims.find(|(_, claim)| claim.says.holds(&known) == Some(false))
}

/// Claims that no state of any run decides.
pub fn undecided(subject: &Subject) -> Vec<(&Invariant, &Claim)> {
    let decidable = |atom: Atom| match atom {
        Atom::World => false,
        Atom::Passed(id) => !inside(subject, id).is_empty(),
        Atom::Ended(_) => true,
    };
    let open = |claim: &Claim| !claim.says.atoms().into_iter().all(decidable);
    claims(subject).filter(|(_, claim)| open(claim)).collect()
}

/// What tells moments apart by which a claim may be broken later.
pub fn passed(subject: &Subject, branch: &Branch) -> Vec<bool> {
    let atoms = claims(subject).flat_map(|(_, claim)| claim.says.atoms());
    atoms
        .filter_map(|atom| match atom {
            Atom::Passed(id) => has_passed(subject, branch, id),
            _ => None,
        })
        .collect()
}

fn claims(subject: &Subject) -> impl Iterator<Item = (&Invariant, &Claim)> {
    let invariants = subject.invariants.iter();
    invariants.flat_map(|one| one.claims.iter().map(move |claim| (one, claim)))
}

fn known(subject: &Subject, branch: &Branch, atom: Atom) -> Option<bool> {
    match atom {
        Atom::World => None,
        Atom::Ended(end) => Some(branch.outcome == Some(outcome(end))),
        Atom::Passed(id) => has_passed(subject, branch, id),
    }
}

fn outcome(end: End) -> RunOutcome {
    match end {
        End::Succeeded => RunOutcome::Succeeded,
        End::Stopped => RunOutcome::Stopped,
        End::RolledBack => RunOutcome::RolledBack,
        End::RollbackIncomplete => RunOutcome::RollbackIncomplete,
    }
}

/// `None` of what neither looks, nor asks, nor changes anything.
fn has_passed(subject: &Subject, branch: &Branch, id: NodeId) -> Option<bool> {
    let inside = inside(subject, id);
    if inside.is_empty() {
        return None;
    }
    let has =
        |id: &NodeId| promise::is_left_out(subject, branch, *id) || is_done(subject, branch, *id);
    Some(inside.iter().all(has))
}

/// The gates and the changes in an item, itself among them.
fn inside(subject: &Subject, id: NodeId) -> Vec<NodeId> {
    let ledger = &subject.ledger;
    let counts = |id: &NodeId| ledger.all.contains(id) || ledger.changes.contains(id);
    let mut inside = deps::subtree(&subject.plan, id);
    inside.retain(counts);
    inside
}

fn is_done(subject: &Subject, branch: &Branch, id: NodeId) -> bool {
    match subject.plan.node(id).map(|node| &node.kind) {
        Some(NodeKind::Step(_)) => branch.world.was_ready(id, What::Step),
        Some(NodeKind::Canary(_)) => branch.world.was_ready(id, What::Promotion),
        _ => promise::has_evidence(subject, branch, id),
    }
}
