//! People in the crash matrix: they answer what they are asked, by letters in the journal's store.

use super::shaky::Shaky;
use deployc::engine::protocol::{Actor, Answer, EventKind};
use deployc::engine::state::State;
use deployc::engine::subject::subject;
use deployc::journal::store::{LetterId, Store};
use deployc::plan::Plan;
use deployc::plan::node::{NodeId, NodeKind};
use deployc::values::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// How long somebody thinks before the answer.
const THINKS_NS: i64 = 7_000_000_000;

/// Everybody says yes, once; asked again after a crash, they know that they have answered.
#[derive(Default)]
pub struct People {
    asked: BTreeSet<NodeId>,
    /// On their way to the store.
    letters: BTreeMap<(Instant, usize), EventKind>,
    written: usize,
}

impl People {
    pub fn ask(&mut self, plan: &Plan, state: &State, node: NodeId, now: Instant) {
        if !self.asked.insert(node) {
            return;
        }
        let (roles, attests) = match &plan.nodes[node.0 as usize].kind {
            NodeKind::Confirm(confirm) => (&confirm.roles[..1], true),
            NodeKind::Approve(approve) => (&approve.roles[..], false),
            kind => panic!("nobody can answer {kind:?}"),
        };
        for role in roles {
            let by = Actor {
                user: format!("the {role}"),
                host: "a phone".to_owned(),
            };
            let (role, answer) = (role.clone(), Answer::Yes { note: None });
            let subject = subject(plan, state, node);
            let letter = match attests {
                true => EventKind::Answered {
                    node,
                    by,
                    role,
                    answer,
                    subject,
                },
                false => EventKind::Signed {
                    node,
                    by,
                    role,
                    answer,
                    subject,
                },
            };
            self.written += 1;
            let at = now.plus(THINKS_NS);
            self.letters.insert((at, self.written), letter);
        }
    }

    /// When the next letter is there.
    pub fn next_at(&self) -> Option<Instant> {
        self.letters.keys().map(|(at, _)| *at).next()
    }

    /// The next letter that has come by now.
    pub fn come(&mut self, now: Instant) -> Option<EventKind> {
        let first = self.letters.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

/// The first letter that no process has taken.
pub fn in_the_store(store: &Shaky, run: &str) -> Option<(LetterId, EventKind)> {
    store.letters(run).unwrap().into_iter().next()
}
