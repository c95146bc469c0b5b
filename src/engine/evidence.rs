//! Evidence that expires: before a change or a gate rests on it, what is too old is judged again, or asked again. Signatures
//! that are void are asked for again, too.

use crate::engine::index::can_expire;
use crate::engine::state::{Life, NodeState, Passage, Work};
use crate::engine::subject::Asked;
use crate::engine::turn::Turn;
use crate::engine::{check, people};
use crate::plan::deps;
use crate::plan::node::{Node, NodeId, NodeKind};
use crate::units::show::duration_ns;
use crate::values::Verdict;

/// Whether all that the node rests on is still worth something; what is not is opened again, and the node waits for it. What
/// expires while other evidence is found again is looked at when that is there.
pub fn is_fresh(turn: &mut Turn, id: NodeId) -> bool {
    if turn.state.agenda.index.expiring().is_empty() && turn.state.void.is_empty() {
        return true;
    }
    let sources = rests_on(turn, id);
    let is_awaited = |node: &&Node| turn.node(node.id).life == Life::Running;
    if !sources.iter().any(is_awaited) {
        let old: Vec<&Node> = sources
            .into_iter()
            .filter(|node| !still_holds(turn, node))
            .collect();
        if old.is_empty() {
            return true;
        }
        for node in old {
            reopen(turn, node);
        }
    }
    turn.await_evidence();
    false
}

/// The evidence before the node that does not stand for ever.
fn rests_on<'p>(turn: &Turn<'p>, id: NodeId) -> Vec<&'p Node> {
    let plan = turn.plan;
    let sources = deps::waits_for(plan, id);
    let sources = sources.into_iter().filter_map(|source| plan.node(source));
    sources
        .filter(|node| turn.state.void.contains_key(&node.id) || can_expire(node))
        .collect()
}

/// What was opened again after its phase had ended.
pub fn advance_reopened(turn: &mut Turn, id: NodeId) {
    match turn.plan.node(id).map(|node| &node.kind) {
        Some(NodeKind::Check(judged)) => check::advance(turn, id, judged),
        Some(NodeKind::Confirm(confirm)) => people::confirm(turn, id, confirm),
        Some(NodeKind::Approve(gate)) => people::approve(turn, id, gate),
        _ => {}
    }
}

fn still_holds(turn: &Turn, node: &Node) -> bool {
    let state = turn.node(node.id);
    if state.verdict != Some(Verdict::Pass) {
        // What was skipped or warned about was let through by a person or a policy.
        return true;
    }
    let void = turn.state.void.get(&node.id);
    if void.is_some_and(|void| void.asked == Asked::NotYet) {
        return false;
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
            let text = match turn.state.void.get_mut(&id) {
                Some(void) if void.asked == Asked::NotYet => {
                    void.asked = Asked::Again;
                    format!("its signatures are void: {}: it is asked again", void.why)
                }
                _ => "its signatures have expired: it is asked again".to_owned(),
            };
            turn.say(id, text);
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
    turn.turned(id);
}
