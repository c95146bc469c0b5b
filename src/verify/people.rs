//! Who can sign, so that a gate opens: different people, each in a role that is theirs.

use crate::plan::Plan;
use crate::plan::node::{Approve, NodeId, NodeKind, Quorum};

/// Somebody in a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    pub user: String,
    pub role: String,
}

/// Those who answer on a good day; empty where no people of the plan can open the gate.
pub fn signers(plan: &Plan, gate: NodeId) -> Vec<Signer> {
    match plan.node(gate).map(|node| &node.kind) {
        Some(NodeKind::Confirm(confirm)) => {
            let roles = confirm.roles.iter();
            roles
                .take(1)
                .flat_map(|role| people_of(plan, role))
                .take(1)
                .collect()
        }
        Some(NodeKind::Approve(approve)) => quorum(plan, approve),
        _ => Vec::new(),
    }
}

/// Whether the signatures open the gate: counted are different people, each in a role that is theirs.
pub fn suffice(plan: &Plan, approve: &Approve, signed: &[Signer]) -> bool {
    let valid: Vec<&Signer> = signed
        .iter()
        .filter(|signer| approve.roles.contains(&signer.role) && has_role(plan, signer))
        .collect();
    match approve.quorum {
        Quorum::People(wanted) => {
            let mut users: Vec<&str> = valid.iter().map(|signer| signer.user.as_str()).collect();
            users.sort_unstable();
            users.dedup();
            users.len() >= wanted as usize
        }
        Quorum::EachRole => {
            let of = |role: &String| {
                let own = valid.iter().filter(|signer| signer.role == *role);
                own.map(|signer| (*signer).clone()).collect()
            };
            each(&approve.roles, &of, &mut Vec::new())
        }
    }
}

pub fn has_role(plan: &Plan, signer: &Signer) -> bool {
    let role = plan.roles.iter().find(|role| role.name == signer.role);
    role.is_some_and(|role| role.members.is_empty() || role.members.contains(&signer.user))
}

fn quorum(plan: &Plan, approve: &Approve) -> Vec<Signer> {
    let mut chosen = Vec::new();
    match approve.quorum {
        Quorum::EachRole => {
            each(&approve.roles, &|role| people_of(plan, role), &mut chosen);
        }
        Quorum::People(wanted) => {
            for signer in approve.roles.iter().flat_map(|role| people_of(plan, role)) {
                let known = chosen
                    .iter()
                    .any(|known: &Signer| known.user == signer.user);
                if !known && chosen.len() < wanted as usize {
                    chosen.push(signer);
                }
            }
        }
    }
    chosen
}

/// Gives each role a person of its own.
fn each(roles: &[String], of: &dyn Fn(&String) -> Vec<Signer>, chosen: &mut Vec<Signer>) -> bool {
    let Some((role, rest)) = roles.split_first() else {
        return true;
    };
    for signer in of(role) {
        if chosen.iter().any(|known| known.user == signer.user) {
            continue;
        }
        chosen.push(signer);
        if each(rest, of, chosen) {
            return true;
        }
        chosen.pop();
    }
    false
}

/// Where a role names nobody, whoever says so has it.
fn people_of(plan: &Plan, role: &str) -> Vec<Signer> {
    const ENOUGH: u32 = 8;
    let signer = |user: String| Signer {
        user,
        role: role.to_owned(),
    };
    let members = plan.roles.iter().find(|known| known.name == role);
    match members.map(|role| role.members.as_slice()) {
        Some([]) | None => (1..=ENOUGH)
            .map(|at| signer(format!("{role}-{at}")))
            .collect(),
        Some(members) => members.iter().cloned().map(signer).collect(),
    }
}
