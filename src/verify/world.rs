//! The world's own account of a run: what was really changed, what was really measured, who really signed.
//!
//! **Invariant:** nothing here is read from the state of the engine. It knows what was asked of it and what it answered.

use crate::plan::Plan;
use crate::plan::node::{CheckMode, NodeId, NodeKind};
use crate::providers::request::{Direction, Key, Observable};
use crate::units::amount::Nano;
use crate::values::Instant;
use crate::verify::fault::{Change, Says, What};
use crate::verify::people::{self, Signer};

#[derive(Clone, Debug, Default)]
pub struct World {
    /// In the order in which their intents were asked for.
    pub changes: Vec<Account>,
    /// By the number of the site.
    pub evidence: Vec<Evidence>,
    pub signed: Vec<Signed>,
    /// What a person went on past.
    pub skipped: Vec<NodeId>,
}

/// One change under its key.
#[derive(Clone, Debug)]
pub struct Account {
    pub key: Key,
    pub change: Change,
    pub observable: Observable,
    /// Of a stage: the share of the traffic.
    pub weight: Nano,
    pub forward: Side,
    pub back: Side,
    pub there: There,
    /// Whether it ever became what was wanted.
    pub became: Became,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Became {
    #[default]
    Nothing,
    Ready,
}

/// One direction of a change.
#[derive(Clone, Copy, Debug, Default)]
pub struct Side {
    /// How often it was asked for.
    pub sent: u32,
    /// How often the world was changed by it.
    pub done: u32,
    /// Whether somebody looked what became of the newest request.
    pub looked: Looked,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Looked {
    #[default]
    No,
    Yes,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum There {
    #[default]
    No,
    /// It is there, and did not become what was wanted.
    Unready,
    Ready,
}

/// What the answers of one site said since its item began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence {
    /// Positive answers since the newest negative one.
    pub passes: u32,
    /// All positive answers.
    pub positive: u32,
    /// Time between positive answers that nothing stood between.
    pub held_ns: i64,
    pub held_at: Option<Instant>,
    /// Time between answers of either kind that nothing stood between.
    pub seen_ns: i64,
    pub seen_at: Option<Instant>,
    pub last: Option<Says>,
}

/// Whether single negative answers count against a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fails {
    /// The first one does.
    Never,
    /// The plan says how many are too many.
    Counted,
}

#[derive(Clone, Debug)]
pub struct Signed {
    pub gate: NodeId,
    pub signer: Signer,
    pub yes: bool,
}

impl Account {
    pub fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Forward => &self.forward,
            Direction::Back => &self.back,
        }
    }

    pub fn side_mut(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Forward => &mut self.forward,
            Direction::Back => &mut self.back,
        }
    }

    pub fn is_there(&self) -> bool {
        self.there != There::No
    }
}

impl World {
    pub fn new(sites: usize) -> World {
        World {
            evidence: vec![Evidence::default(); sites],
            ..World::default()
        }
    }

    pub fn find(&self, key: &Key) -> Option<usize> {
        // The newest are asked for most.
        self.changes.iter().rposition(|account| account.key == *key)
    }

    /// The newest change of this kind.
    pub fn of(&self, change: Change) -> Option<&Account> {
        let mut changes = self.changes.iter().rev();
        changes.find(|account| account.change == change)
    }

    /// Whatever became of it later.
    pub fn was_ready(&self, node: NodeId, what: What) -> bool {
        let of = Change { node, what };
        let mut changes = self.changes.iter();
        changes.any(|account| account.change == of && account.became == Became::Ready)
    }

    pub fn is_there(&self, node: NodeId, what: What) -> bool {
        self.of(Change { node, what })
            .is_some_and(Account::is_there)
    }

    /// What a site measured, at an instant.
    pub fn measured(&mut self, site: usize, says: Says, at: Instant) {
        let Some(evidence) = self.evidence.get_mut(site) else {
            return;
        };
        let seen = matches!(says, Says::True | Says::False);
        if let Some(before) = evidence.seen_at.filter(|_| seen) {
            evidence.seen_ns += at.since(before).max(0);
        }
        evidence.seen_at = seen.then_some(at);
        match says {
            Says::True => {
                evidence.passes += 1;
                evidence.positive += 1;
                if let Some(before) = evidence.held_at {
                    evidence.held_ns += at.since(before).max(0);
                }
                evidence.held_at = Some(at);
            }
            Says::False => {
                evidence.passes = 0;
                evidence.held_ns = 0;
                evidence.held_at = None;
            }
            _ => evidence.held_at = None,
        }
        evidence.last = Some(says);
    }

    /// An item begins: what was measured before is no evidence for it.
    pub fn begun(&mut self, site: usize) {
        if let Some(evidence) = self.evidence.get_mut(site) {
            *evidence = Evidence::default();
        }
    }

    /// The share of the traffic that a released version has.
    pub fn weight(&self, canary: NodeId, stages: &[NodeId]) -> Nano {
        if self.is_there(canary, What::Promotion) {
            return Nano(crate::units::amount::NANO);
        }
        let weights = self.changes.iter().filter(|account| {
            account.change.what == What::Weight
                && stages.contains(&account.change.node)
                && account.is_there()
        });
        weights
            .map(|account| account.weight)
            .max()
            .unwrap_or(Nano(0))
    }

    /// Whether the people who answered open the gate.
    pub fn is_signed(&self, plan: &Plan, gate: NodeId) -> bool {
        let own = || self.signed.iter().filter(|signed| signed.gate == gate);
        let yes: Vec<Signer> = own().filter(|s| s.yes).map(|s| s.signer.clone()).collect();
        match plan.node(gate).map(|node| &node.kind) {
            Some(NodeKind::Confirm(confirm)) => yes.iter().any(|signer| {
                confirm.roles.contains(&signer.role) && people::has_role(plan, signer)
            }),
            Some(NodeKind::Approve(approve)) => {
                let refused = own().any(|signed| !signed.yes);
                !refused && people::suffice(plan, approve, &yes)
            }
            _ => false,
        }
    }
}

impl Evidence {
    /// Whether it is enough for a pass of the check.
    pub fn suffices(&self, samples: u32, mode: CheckMode, fails: Fails) -> bool {
        if fails == Fails::Counted {
            let held_ns = match mode {
                CheckMode::For { ns } | CheckMode::Stage { for_ns: ns } => ns,
                CheckMode::Once | CheckMode::Within { .. } => 0,
            };
            return self.positive >= samples.max(1) && self.seen_ns >= held_ns;
        }
        let enough = self.passes >= samples.max(1);
        let last = self.last == Some(Says::True);
        match mode {
            CheckMode::Once | CheckMode::Within { .. } => enough && last,
            CheckMode::For { ns } => enough && last && self.held_ns >= ns,
            CheckMode::Stage { for_ns: 0 } => enough && last,
            // One that has to hold at the end may fail before.
            CheckMode::Stage { for_ns } => {
                self.positive >= samples.max(1) && last && self.held_ns >= for_ns
            }
        }
    }
}
