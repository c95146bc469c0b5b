//! One call of `step` while it works: the state that it changes and the effects that it collects.

use crate::engine::protocol::{Effect, Note, NoteKind, ReadId};
use crate::engine::state::{Life, NodeState, Passage, Question, State};
use crate::plan::node::{Node, NodeId, NodeKind};
use crate::plan::{Plan, Setting};
use crate::providers::catalog;
use crate::providers::request::{Call, Key};
use crate::units::amount::Amount;
use crate::values::{Instant, Value, Verdict};

pub struct Turn<'p> {
    pub plan: &'p Plan,
    pub state: State,
    pub effects: Vec<Effect>,
    /// The next moment at which time alone changes something, as far as this pass has seen.
    pub wake: Option<Instant>,
    /// Whether this pass changed anything: then there is another.
    pub moved: Moved,
    /// Stands in for a node that is not in the plan, so that nothing has to panic.
    nowhere: NodeState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    No,
    Yes,
}

/// Where nothing is written and the kind of the provider is not known.
const READ_TIMEOUT_NS: i64 = 10_000_000_000;

impl<'p> Turn<'p> {
    pub fn new(plan: &'p Plan, state: State) -> Turn<'p> {
        Turn {
            plan,
            state,
            effects: Vec::new(),
            wake: None,
            moved: Moved::No,
            nowhere: NodeState::default(),
        }
    }

    pub fn now(&self) -> Instant {
        self.state.now
    }

    /// Whether the moment has come; if not, it is remembered for `Wake`.
    pub fn due(&mut self, at: Instant) -> bool {
        if at <= self.state.now {
            return true;
        }
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
        false
    }

    pub fn moved(&mut self) {
        self.moved = Moved::Yes;
    }

    pub fn node(&self, id: NodeId) -> &NodeState {
        self.state.nodes.get(id.0 as usize).unwrap_or(&self.nowhere)
    }

    pub fn node_mut(&mut self, id: NodeId) -> &mut NodeState {
        match self.state.nodes.get_mut(id.0 as usize) {
            Some(node) => node,
            None => &mut self.nowhere,
        }
    }

    pub fn note(&mut self, node: Option<NodeId>, kind: NoteKind) {
        self.effects.push(Effect::Show(Note { node, kind }));
    }

    pub fn say(&mut self, node: NodeId, text: impl Into<String>) {
        let text = text.into();
        self.note(Some(node), NoteKind::Said { text });
    }

    /// Begins a node; its work is set by its kind.
    pub fn begin(&mut self, id: NodeId) {
        let now = self.now();
        let node = self.node_mut(id);
        node.life = Life::Running;
        node.started = Some(now);
        self.moved();
        self.note(Some(id), NoteKind::Started);
    }

    /// Ends a node; what waits for it goes on if the verdict opens.
    pub fn end(&mut self, id: NodeId, verdict: Verdict, reason: Option<String>) {
        let passage = match verdict.opens() {
            true => Passage::Open,
            false => Passage::Shut,
        };
        self.end_with(id, verdict, reason, passage);
    }

    pub fn end_with(
        &mut self,
        id: NodeId,
        verdict: Verdict,
        reason: Option<String>,
        passage: Passage,
    ) {
        let now = self.now();
        let node = self.node_mut(id);
        node.life = Life::Ended;
        node.verdict = Some(verdict);
        node.reason = reason;
        node.passage = passage;
        node.ended = Some(now);
        node.blind = None;
        self.moved();
        self.note(Some(id), NoteKind::Ended { verdict });
    }

    /// Asks a question at an instant, unless it was asked there already.
    pub fn ask(&mut self, at: Instant, call: Call) -> ReadId {
        let words = canonical(&call);
        let moment = self.state.moments.entry(at).or_default();
        if let Some(question) = moment.questions.get(&words) {
            return question.id;
        }
        self.state.reads_made += 1;
        let id = ReadId(self.state.reads_made);
        let question = Question {
            id,
            call: call.clone(),
            answer: None,
        };
        moment.questions.insert(words, question);
        self.state.reads.insert(id, at);
        let timeout_ns = read_timeout_ns(self.plan, &call.provider);
        self.effects.push(Effect::Read {
            id,
            call,
            at,
            timeout_ns,
        });
        id
    }

    /// A key that names this use of the node for ever: run, plan, path, round, and what it is for.
    pub fn key(&self, id: NodeId, what: &str) -> Key {
        let path = self.plan.node(id).map_or("?", |node| node.path.as_str());
        let round = self.node(id).round;
        self.key_of(&format!("{path}/{what}#{round}"))
    }

    pub fn key_of(&self, what: &str) -> Key {
        match &self.state.run {
            Some(run) => {
                let digest = run.digest.trim_start_matches("sha256:");
                let digest = digest.get(..12).unwrap_or(digest);
                Key(format!("{}/{digest}/{what}", run.id))
            }
            None => Key(what.to_owned()),
        }
    }
}

/// Equal for calls that ask the same, whatever the order of their arguments.
pub fn canonical(call: &Call) -> String {
    let mut args: Vec<(&String, &Value)> = call.args.iter().collect();
    args.sort_by_key(|(name, _)| *name);
    let words = serde_json::to_string(&(&call.provider, &call.function, args));
    words.unwrap_or_else(|error| error.to_string())
}

pub fn is_kind(plan: &Plan, id: NodeId, is: fn(&NodeKind) -> bool) -> bool {
    plan.node(id).is_some_and(|node| is(&node.kind))
}

pub fn is_notice(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::Notify(_))
}

/// `rollout/stage-50 "50% Traffic"`, for messages.
pub fn named(node: &Node) -> String {
    match &node.title {
        Some(title) => format!("\"{title}\""),
        None => format!("`{}`", node.path),
    }
}

/// As [`named`], with who is responsible: for messages that say what is wrong.
pub fn responsible(node: &Node) -> String {
    match &node.owner {
        Some(owner) => format!("{} (owner: {owner})", named(node)),
        None => named(node),
    }
}

fn read_timeout_ns(plan: &Plan, provider: &str) -> i64 {
    let Some(provider) = plan.provider(provider) else {
        return READ_TIMEOUT_NS;
    };
    let written = match provider.settings.get("timeout") {
        Some(Setting::Value(Value::Quantity(quantity))) => match quantity.amount {
            Amount::Exact(nano) => i64::try_from(nano.0).ok(),
            Amount::Measured(_) => None,
        },
        _ => None,
    };
    let usual = || catalog::find(&provider.kind).map(|kind| kind.timeout_ns);
    written.or_else(usual).unwrap_or(READ_TIMEOUT_NS)
}
