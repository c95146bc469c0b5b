//! Evidence that expires: before a change or a gate rests on it, what is too old is judged again, or asked again.

use crate::engine::state::{Life, NodeState, Passage, Work};
use crate::engine::turn::Turn;
use crate::engine::{check, people};
use crate::plan::deps;
use crate::plan::node::{Node, NodeId, NodeKind};
use crate::units::show::duration_ns;
use crate::values::Verdict;

/// Whether all that the node rests on is still worth something; what is not is opened again, and the node waits for it.
pub fn is_fresh(turn: &mut Turn, id: NodeId) -> bool {
    let plan = turn.plan;
    if !plan.nodes.iter().any(can_expire) {
        return true;
    }
    let mut fresh = true;
    for source in deps::waits_for(plan, id) {
        let Some(node) = plan.node(source).filter(|node| can_expire(node)) else {
            continue;
        };
        match turn.node(source).life {
            Life::Ended if still_holds(turn, node) => {}
            Life::Ended => {
                reopen(turn, node);
                fresh = false;
            }
            Life::Running => fresh = false,
            Life::Waiting => {}
        }
    }
    fresh
}

/// What was opened again after its phase had ended.
pub fn advance_reopened(turn: &mut Turn) {
    let plan = turn.plan;
    for node in plan.nodes.iter().filter(|node| can_expire(node)) {
        let parent_ended = node
            .parent
            .is_some_and(|id| turn.node(id).life == Life::Ended);
        if !parent_ended || turn.node(node.id).life != Life::Running {
            continue;
        }
        match &node.kind {
            NodeKind::Check(judged) => check::advance(turn, node.id, judged),
            NodeKind::Confirm(confirm) => people::confirm(turn, node.id, confirm),
            NodeKind::Approve(gate) => people::approve(turn, node.id, gate),
            _ => {}
        }
        if turn.state.ending.is_some() {
            return;
        }
    }
}

fn can_expire(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Approve(gate) => gate.expires_ns.is_some(),
        NodeKind::Check(_) | NodeKind::Confirm(_) => node.expires_ns.is_some(),
        _ => false,
    }
}

fn still_holds(turn: &Turn, node: &Node) -> bool {
    let state = turn.node(node.id);
    if state.verdict != Some(Verdict::Pass) {
        // What was skipped or warned about was let through by a person or a policy.
        return true;
    }
    if let NodeKind::Approve(gate) = &node.kind {
        return people::still_holds(turn, node.id, gate);
    }
    match (state.ended, node.expires_ns) {
        (Some(ended), Some(expires_ns)) => turn.now() < ended.plus(expires_ns),
        _ => true,
    }
}

fn reopen(turn: &mut Turn, node: &Node) {
    let id = node.id;
    let old = node.expires_ns.map(duration_ns).unwrap_or_default();
    let work = match &node.kind {
        NodeKind::Check(judged) => {
            turn.say(
                id,
                format!("its evidence has expired after {old}: it is judged again"),
            );
            Work::Check(check::work(turn, judged))
        }
        NodeKind::Confirm(_) => {
            turn.say(
                id,
                format!("what was confirmed has expired after {old}: it is asked again"),
            );
            Work::Gate(people::ask(turn, id))
        }
        _ => {
            turn.say(id, "its signatures have expired: it is asked again");
            Work::Gate(people::ask(turn, id))
        }
    };
    let state = turn.node_mut(id);
    *state = NodeState {
        life: Life::Running,
        passage: Passage::Shut,
        started: state.started,
        round: state.round,
        work,
        ..NodeState::default()
    };
    turn.moved();
}
