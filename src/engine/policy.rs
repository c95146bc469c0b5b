//! What a verdict that does not open leads to: `stop`, `rollback`, `pause`, `extend`, `warn`.

use crate::engine::ending::By;
use crate::engine::pause::{Cause, Holds, Wanted};
use crate::engine::state::{Blind, Finding, Life, Passage, Sight};
use crate::engine::turn::{Turn, responsible};
use crate::engine::{ending, pause, rollback, walk, write};
use crate::plan::node::NodeId;
use crate::plan::{DEFAULT_PAUSE_NS, LocId, Policy};
use crate::values::{Instant, Verdict};

/// What does not open, and why.
pub struct Trouble {
    pub cause: Cause,
    pub verdict: Verdict,
    pub reason: String,
    /// How many pauses of its policy are over.
    pub depth: u32,
}

/// The defaults read as if they were written at the top of the plan: their pause is one total for all.
pub const DEFAULT_PLACE: LocId = LocId(u32::MAX);

/// The item was seen to fail, or cannot be judged at all: its policy holds at once.
pub fn trouble(turn: &mut Turn, id: NodeId, finding: &Finding) {
    let reason = finding.words().unwrap_or_default();
    if ending::is_rolling_back(turn.state) {
        return turn.end(id, finding.verdict, Some(reason));
    }
    let cause = Cause::Node(id);
    if let Some(known) = pause::of(turn.state, cause) {
        if known.verdict == Verdict::Fail || finding.verdict != Verdict::Fail {
            return;
        }
        pause::release(turn, cause);
    }
    let policy = policy_of(turn, id, finding);
    let trouble = Trouble {
        cause,
        verdict: finding.verdict,
        reason,
        depth: 0,
    };
    respond(turn, trouble, &policy);
}

/// A sample without sight. Silence is tolerated for as long as `no data for T` says; anything else is trouble now.
pub fn unseen(turn: &mut Turn, id: NodeId, at: Instant, finding: &Finding) {
    let node = turn.node_mut(id);
    let since = node.blind.as_ref().map_or(at, |blind| blind.since);
    node.blind = Some(Blind {
        since,
        finding: finding.clone(),
    });
    if ending::is_rolling_back(turn.state) && finding.sight != Sight::Denied {
        return;
    }
    if finding.sight != Sight::Silent || tolerated_ns(turn, id).is_none() {
        trouble(turn, id, finding);
    }
}

/// It is seen again: blindness is over, and with it the pause that it caused.
pub fn seen(turn: &mut Turn, id: NodeId) {
    turn.node_mut(id).blind = None;
}

/// It passes: what it caused is over.
pub fn relieved(turn: &mut Turn, id: NodeId) {
    seen(turn, id);
    pause::release(turn, Cause::Node(id));
}

/// Ends the tolerance of silence when its time is over.
pub fn lose_patience(turn: &mut Turn, id: NodeId) {
    let Some(Blind { since, finding }) = turn.node(id).blind.clone() else {
        return;
    };
    if let Some(until) = rollback::budget_end(turn.state) {
        if turn.due(until) {
            trouble(turn, id, &finding);
        }
        return;
    }
    if finding.sight != Sight::Silent {
        return;
    }
    let Some(tolerated_ns) = tolerated_ns(turn, id) else {
        return;
    };
    if turn.due(since.plus(tolerated_ns)) {
        trouble(turn, id, &finding);
    }
}

pub fn respond(turn: &mut Turn, trouble: Trouble, policy: &Policy) {
    let (holds, up_to_ns, then, place) = match policy {
        Policy::Stop => {
            close(turn, &trouble, Passage::Shut);
            let cause = words(turn, &trouble);
            return ending::stop(turn, cause, By::Trouble(trouble.cause));
        }
        Policy::Rollback => {
            close(turn, &trouble, Passage::Shut);
            let cause = words(turn, &trouble);
            return ending::roll_back_by_itself(turn, cause, By::Trouble(trouble.cause));
        }
        Policy::Warn => return close(turn, &trouble, Passage::Warned),
        Policy::Pause {
            up_to_ns,
            then,
            place,
        } => (Holds::Run, *up_to_ns, then, *place),
        Policy::Extend {
            up_to_ns,
            then,
            place,
        } => (Holds::Item, *up_to_ns, then, *place),
    };
    let wanted = Wanted {
        cause: trouble.cause,
        holds,
        verdict: trouble.verdict,
        reason: &trouble.reason,
        place,
        depth: trouble.depth,
        up_to_ns,
        then,
    };
    pause::begin(turn, wanted);
}

/// What holds for the verdict at the node, with the defaults filled in: a rollback before the first step is a stop.
fn policy_of(turn: &Turn, id: NodeId, finding: &Finding) -> Policy {
    let Some(node) = turn.plan.node(id) else {
        return Policy::Stop;
    };
    let policies = &node.policies;
    let written = match (finding.verdict, finding.sight, &policies.no_data) {
        (Verdict::Fail, ..) => return policies.fail.clone().unwrap_or(Policy::Rollback),
        (_, Sight::Silent, Some((_, policy))) => Some(policy),
        (Verdict::Error, ..) => policies.error.as_ref(),
        _ => policies.inconclusive.as_ref(),
    };
    written.cloned().unwrap_or_else(|| Policy::Pause {
        up_to_ns: DEFAULT_PAUSE_NS,
        then: Box::new(Policy::Rollback),
        place: DEFAULT_PLACE,
    })
}

fn tolerated_ns(turn: &Turn, id: NodeId) -> Option<i64> {
    let node = turn.plan.node(id)?;
    node.policies.no_data.as_ref().map(|(ns, _)| *ns)
}

/// The item ends with its verdict; a rule is no item.
fn close(turn: &mut Turn, trouble: &Trouble, passage: Passage) {
    if let Cause::Node(id) = trouble.cause
        && turn.node(id).life == Life::Running
    {
        let reason = Some(trouble.reason.clone());
        walk::cancel_inside(turn, id, "what it belongs to has ended");
        write::cancel_of(turn, id);
        turn.end_with(id, trouble.verdict, reason, passage);
    }
}

fn words(turn: &Turn, trouble: &Trouble) -> String {
    match trouble.cause {
        Cause::Node(id) => match turn.plan.node(id) {
            Some(node) => format!("{}: {}", responsible(node), trouble.reason),
            None => trouble.reason.clone(),
        },
        Cause::Rule { .. } | Cause::Blind { .. } => trouble.reason.clone(),
    }
}
