//! One call of `step` while it works: the state that it changes and the effects that it collects.

use crate::engine::agenda::{Bearing, Order, Visitor, Waiter};
use crate::engine::index;
use crate::engine::protocol::{Effect, Note, NoteKind, ReadId};
use crate::engine::question::Wanted;
use crate::engine::state::{Life, NodeState, Passage, State};
use crate::plan::Plan;
use crate::plan::node::{Node, NodeId, NodeKind};
use crate::providers::request::{Call, Key};
use crate::values::{Instant, Value, Verdict};
use std::sync::{Arc, LazyLock};

pub struct Turn<'p> {
    pub plan: &'p Plan,
    pub state: &'p mut State,
    pub effects: Vec<Effect>,
    /// Who is visited, and has what is asked for.
    visitor: Visitor,
    /// Of a watch that is visited, the rule that is judged.
    pub rule: Option<u32>,
    /// The next moment at which time alone changes something for the one who is visited.
    alarm: Option<Instant>,
    /// Whether anything changed: then there is another pass.
    pub moved: Moved,
    /// What is written to a node that is not in the plan goes here, so that nothing has to panic.
    nowhere: Option<Box<NodeState>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    No,
    Yes,
}

/// How a node looks that is not in the plan.
static NOWHERE: LazyLock<NodeState> = LazyLock::new(NodeState::default);

impl<'p> Turn<'p> {
    pub fn new(plan: &'p Plan, state: &'p mut State) -> Turn<'p> {
        Turn {
            plan,
            state,
            effects: Vec::new(),
            visitor: Visitor::Plan,
            rule: None,
            alarm: None,
            moved: Moved::No,
            nowhere: None,
        }
    }

    pub fn now(&self) -> Instant {
        self.state.now
    }

    /// Whether the moment has come; if not, who is visited is visited again when it does.
    pub fn due(&mut self, at: Instant) -> bool {
        if at <= self.state.now {
            return true;
        }
        self.alarm = Some(self.alarm.map_or(at, |alarm| alarm.min(at)));
        false
    }

    pub fn moved(&mut self) {
        self.moved = Moved::Yes;
    }

    /// Visits: what is due later, and what is asked, belongs to the visitor. One that changed anything is visited again.
    pub fn visit(&mut self, visitor: Visitor, visit: impl FnOnce(&mut Turn<'p>)) {
        let before = std::mem::replace(&mut self.moved, Moved::No);
        self.visitor = visitor;
        self.alarm = None;
        visit(self);
        self.visitor = Visitor::Plan;
        if self.moved == Moved::Yes
            && let Some(order) = self.order(visitor)
        {
            // Its alarm is set when it is visited again.
            return self.state.agenda.stir_later(order, visitor);
        }
        let alarm = self.alarm.take();
        self.state.agenda.set_alarm(visitor, alarm);
        if self.moved == Moved::No {
            self.moved = before;
        }
    }

    pub fn stir(&mut self, visitor: Visitor) {
        if let Some(order) = self.order(visitor) {
            self.state.agenda.stir(order, visitor);
        }
    }

    fn stir_later(&mut self, visitor: Visitor) {
        if let Some(order) = self.order(visitor) {
            self.state.agenda.stir_later(order, visitor);
        }
    }

    /// As [`Turn::stir`], for whoever carries the node.
    pub fn stir_node(&mut self, id: NodeId) {
        let visitor = self.carrier(id);
        self.stir(visitor);
    }

    pub fn stir_all_of(&mut self, visitors: impl IntoIterator<Item = Visitor>) {
        for visitor in visitors {
            self.stir(visitor);
        }
    }

    /// Everybody who may have something to do: what stands still, or no longer does, concerns all.
    pub fn stir_everybody(&mut self) {
        for index in 0u32.. {
            let id = NodeId(index);
            let Some(node) = self.state.nodes.get(index as usize) else {
                break;
            };
            let may_act = match node.life {
                Life::Waiting => self.is_inside_running(id),
                Life::Running => true,
                Life::Ended => false,
            };
            if may_act {
                self.stir_node(id);
            }
        }
        for (watch, of_plan) in (0u32..).zip(&self.plan.watches) {
            self.state.agenda.call_all(watch, of_plan.rules.len());
            self.stir(Visitor::Watch(watch));
        }
    }

    fn is_inside_running(&self, id: NodeId) -> bool {
        let parent = self.plan.node(id).and_then(|node| node.parent);
        parent.is_none_or(|parent| self.node(parent).life == Life::Running)
    }

    /// Has who is visited woken by an answer; of a watch, the rule.
    pub fn await_answer(&mut self, at: Instant, read: ReadId) {
        let waiter = Waiter {
            visitor: self.visitor,
            rule: self.rule,
        };
        if let Some(moment) = self.state.moments.get_mut(at) {
            moment.wait(read, waiter);
        }
    }

    /// Has who is visited woken when the watches have spoken.
    pub fn await_watches(&mut self) {
        self.state.agenda.hush(self.visitor);
    }

    /// Has who is visited woken when evidence is found again.
    pub fn await_evidence(&mut self) {
        self.state.agenda.await_evidence(self.visitor);
    }

    /// To be called whenever the life of a node, or its passage, has changed: others hang on it.
    pub fn turned(&mut self, id: NodeId) {
        let node = self.node(id);
        let life = node.life;
        // A tell is never waited for.
        let told = life == Life::Running && is_kind(self.plan, id, is_notice);
        let bearing = Bearing {
            through: told || node.ended_open(),
            over: told || life == Life::Ended,
        };
        let concerned = self.state.agenda.turned(self.plan, id, bearing);
        for follower in concerned.freed {
            self.stir_node(follower);
        }
        if let Some(group) = concerned.group {
            self.stir_node(group);
        }
        for watch in self.state.agenda.index.watches_at(id).to_vec() {
            self.stir(Visitor::Watch(watch));
        }
        if life == Life::Running {
            let visitor = self.carrier(id);
            return self.stir_later(visitor);
        }
        self.state.agenda.set_alarm(Visitor::Node(id), None);
        let renews =
            self.state.void.contains_key(&id) || self.plan.node(id).is_some_and(index::can_expire);
        if renews {
            let waiting = self.state.agenda.refreshed();
            self.stir_all_of(waiting);
        }
    }

    /// The children of a group that may begin now. They do in the next pass.
    pub fn stir_children(&mut self, id: NodeId) {
        let plan = self.plan;
        let Some(node) = plan.node(id) else {
            return;
        };
        for &child in &node.children {
            if self.state.agenda.is_free(child) {
                let visitor = self.carrier(child);
                self.stir_later(visitor);
            }
        }
    }

    /// What was opened again after its group had ended is nobody's but its own.
    pub fn is_reopened(&self, id: NodeId) -> bool {
        let parent = self.state.agenda.index.parent(id);
        let alone = parent.is_some_and(|parent| self.node(parent).life == Life::Ended);
        alone && self.node(id).life == Life::Running
    }

    fn carrier(&self, id: NodeId) -> Visitor {
        match self.is_reopened(id) {
            true => Visitor::Node(id),
            false => Visitor::Node(self.state.agenda.index.carrier(id)),
        }
    }

    /// When its turn comes in a pass. A group that runs comes after what is in it.
    fn order(&self, visitor: Visitor) -> Option<Order> {
        let agenda = &self.state.agenda;
        match visitor {
            Visitor::Watch(watch) => Some(agenda.of_watch(watch)),
            Visitor::Node(id) if self.is_reopened(id) => Some(agenda.reopened(id)),
            Visitor::Node(id) => {
                let runs = self.node(id).life == Life::Running;
                let (before, after) = agenda.of_node(id)?;
                Some(match runs {
                    true => after,
                    false => before,
                })
            }
            // Visited in each pass.
            Visitor::Cancelled | Visitor::Plan => None,
        }
    }

    pub fn node(&self, id: NodeId) -> &NodeState {
        let node = self.state.nodes.get(id.0 as usize);
        node.unwrap_or_else(|| &NOWHERE)
    }

    pub fn node_mut(&mut self, id: NodeId) -> &mut NodeState {
        match self.state.nodes.get_mut(id.0 as usize) {
            Some(node) => node,
            None => self.nowhere.get_or_insert_default(),
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
        self.turned(id);
        self.stir_children(id);
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
        self.turned(id);
        self.note(Some(id), NoteKind::Ended { verdict });
    }

    /// Asks a question at an instant, unless it was asked there already.
    pub fn ask(&mut self, at: Instant, wanted: &Wanted) -> ReadId {
        let moment = self.state.moments.get(at);
        if let Some(known) = moment.and_then(|moment| moment.find(wanted)) {
            return known.id;
        }
        self.state.reads_made += 1;
        let id = ReadId(self.state.reads_made);
        self.state.moments.ask(at, id, wanted);
        let index = &self.state.agenda.index;
        let timeout_ns = index.read_timeout_ns(&wanted.call.provider);
        self.effects.push(Effect::Read {
            id,
            call: Arc::clone(&wanted.call),
            at,
            timeout_ns,
        });
        id
    }

    /// How long a request of the provider can be under way: it tells the other side when to drop it.
    pub fn request_life_ns(&self, provider: &str) -> i64 {
        const MARGIN_NS: i64 = 1_000_000_000;
        let index = &self.state.agenda.index;
        index.read_timeout_ns(provider).saturating_add(MARGIN_NS)
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
    let mut args: Vec<(&str, &Value)> = call.args.iter().collect();
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
