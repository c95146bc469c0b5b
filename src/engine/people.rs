//! What people attest and sign. People are counted, not roles; rejecting is final for the gate.

use crate::engine::protocol::{Actor, Answer, Effect};
use crate::engine::state::{Finding, Life, Reason, Sight, Work};
use crate::engine::turn::{Turn, named};
use crate::engine::{ending, evidence, pause, policy, subject};
use crate::plan::Plan;
use crate::plan::node::{Approve, Confirm, NodeId, NodeKind, Quorum};
use crate::values::{Instant, Verdict};
use serde::Serialize;

/// What was said at a gate.
#[derive(Clone, Debug, Serialize)]
pub struct Gate {
    pub asked: Instant,
    pub answers: Vec<Said>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Said {
    pub at: Instant,
    pub by: Actor,
    pub role: String,
    pub answer: Answer,
}

/// Puts the question.
pub fn ask(turn: &mut Turn, id: NodeId) -> Gate {
    turn.effects.push(Effect::Ask { node: id });
    Gate {
        asked: turn.now(),
        answers: Vec::new(),
    }
}

/// Takes an answer for the gate; one from somebody who is not asked, or about something else, changes nothing.
pub fn hear(turn: &mut Turn, id: NodeId, said: Said, about: Option<&str>) {
    let Some(node) = turn.plan.node(id) else {
        return;
    };
    let roles = match &node.kind {
        NodeKind::Confirm(confirm) => &confirm.roles,
        NodeKind::Approve(approve) => &approve.roles,
        _ => return,
    };
    if turn.node(id).life != Life::Running {
        return turn.say(id, format!("{} is not asked now", named(node)));
    }
    if !roles.contains(&said.role) || !has_role(turn.plan, &said.by, &said.role) {
        let text = format!("{} is not asked as `{}`", said.by.user, said.role);
        return turn.say(id, text);
    }
    let own = subject::subject(turn.plan, turn.state, id);
    if let (Some(about), Some(own)) = (about, &own)
        && about != own
    {
        let text = format!(
            "what {} said is void: it is about {}, and this is {}: it is asked again",
            said.by.user,
            subject::short(about),
            subject::short(own)
        );
        turn.effects.push(Effect::Ask { node: id });
        return turn.say(id, text);
    }
    if let Work::Gate(gate) = &mut turn.node_mut(id).work {
        gate.answers.push(said);
        turn.moved();
        turn.stir_node(id);
    }
}

pub fn confirm(turn: &mut Turn, id: NodeId, confirm: &Confirm) {
    let Work::Gate(gate) = turn.node(id).work.clone() else {
        return;
    };
    let deadline = gate.asked.plus(confirm.within_ns);
    // An answer at the very deadline is late, but one that came before it stands.
    let in_time = |said: &&Said| said.at < deadline || is_waited_for(turn, id);
    let first = gate.answers.iter().find(in_time).cloned();
    match first {
        Some(Said {
            answer: Answer::Yes { note },
            ..
        }) => {
            policy::relieved(turn, id);
            turn.end(id, Verdict::Pass, note);
        }
        Some(Said {
            answer: Answer::No { reason },
            by,
            ..
        }) => refused(turn, id, &by, &reason),
        None => unanswered(turn, id, deadline),
    }
}

pub fn approve(turn: &mut Turn, id: NodeId, approve: &Approve) {
    let Work::Gate(gate) = turn.node(id).work.clone() else {
        return;
    };
    let deadline = gate.asked.plus(approve.within_ns);
    let waited_for = is_waited_for(turn, id);
    let counted: Vec<&Said> = gate
        .answers
        .iter()
        .filter(|said| said.at < deadline || waited_for)
        .collect();
    for said in &counted {
        if let Answer::No { reason } = &said.answer {
            return refused(turn, id, &said.by, reason);
        }
    }
    let fresh = fresh(&counted, approve, turn.now());
    if has_quorum(approve, &fresh) {
        if evidence::is_fresh(turn, id) {
            policy::relieved(turn, id);
            turn.end(id, Verdict::Pass, None);
        }
    } else {
        unanswered(turn, id, deadline);
    }
}

/// How many more people have to sign, as far as can be said.
pub fn missing(approve: &Approve, gate: &Gate, now: Instant) -> usize {
    let said: Vec<&Said> = gate.answers.iter().collect();
    let fresh = fresh(&said, approve, now);
    let mut people: Vec<&str> = fresh.iter().map(|said| said.by.user.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    let wanted = match approve.quorum {
        Quorum::People(people) => people as usize,
        Quorum::EachRole => approve.roles.len(),
    };
    wanted.saturating_sub(people.len())
}

fn has_role(plan: &Plan, by: &Actor, role: &str) -> bool {
    let known = plan.roles.iter().find(|known| known.name == role);
    known.is_some_and(|role| role.members.is_empty() || role.members.contains(&by.user))
}

/// In a pause an answer is still taken.
fn is_waited_for(turn: &Turn, id: NodeId) -> bool {
    pause::of(turn.state, pause::Cause::Node(id)).is_some()
}

fn refused(turn: &mut Turn, id: NodeId, by: &Actor, reason: &str) {
    let text = format!("refused by {}: {reason}", by.user);
    policy::trouble(turn, id, &Finding::of(Verdict::Fail, text));
}

fn unanswered(turn: &mut Turn, id: NodeId, deadline: Instant) {
    if turn.due(deadline) && !ending::is_rolling_back(turn.state) {
        let finding = Finding {
            verdict: Verdict::Inconclusive,
            sight: Sight::Unclear,
            reason: Some(Reason::Said("nobody answered in time".into())),
        };
        policy::trouble(turn, id, &finding);
    }
}

fn fresh<'s>(said: &[&'s Said], approve: &Approve, now: Instant) -> Vec<&'s Said> {
    let is_fresh = |said: &&&Said| {
        let expires = approve.expires_ns.map(|ns| said.at.plus(ns));
        expires.is_none_or(|expires| now < expires)
    };
    said.iter().filter(is_fresh).copied().collect()
}

fn has_quorum(approve: &Approve, said: &[&Said]) -> bool {
    match approve.quorum {
        Quorum::People(wanted) => {
            let mut people: Vec<&str> = said.iter().map(|said| said.by.user.as_str()).collect();
            people.sort_unstable();
            people.dedup();
            people.len() >= wanted as usize
        }
        Quorum::EachRole => {
            let mut taken = Vec::new();
            each_role(&approve.roles, said, &mut taken)
        }
    }
}

/// Whether each role can be given a person of its own: the first role takes each who signed in it, in turn.
fn each_role<'s>(roles: &[String], said: &[&'s Said], taken: &mut Vec<&'s str>) -> bool {
    let Some((role, rest)) = roles.split_first() else {
        return true;
    };
    for said_in_role in said.iter().filter(|said| said.role == *role) {
        let user = said_in_role.by.user.as_str();
        if taken.contains(&user) {
            continue;
        }
        taken.push(user);
        if each_role(rest, said, taken) {
            return true;
        }
        taken.pop();
    }
    false
}

/// Whether enough of the signatures that opened the gate are still worth something.
pub fn still_holds(turn: &Turn, id: NodeId, approve: &Approve) -> bool {
    let node = turn.node(id);
    let Work::Gate(gate) = &node.work else {
        return true;
    };
    let said: Vec<&Said> = gate.answers.iter().collect();
    has_quorum(approve, &fresh(&said, approve, turn.now()))
}
