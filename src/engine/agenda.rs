//! Who is looked at: an event stirs what it may change, and nothing else is visited. So what an event costs does not depend
//! on how much there is in the plan.
//!
//! The agenda follows from the plan and the events, so it is no part of what is known of a run. **Invariant:** after each
//! event, visiting everything once more would change nothing; a test does so after every event of random runs.

use crate::engine::index::Index;
use crate::plan::Plan;
use crate::plan::node::NodeId;
use crate::values::Instant;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::hash::Hash;
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
pub struct Agenda {
    pub index: Arc<Index>,
    /// To be visited in this pass, in its order; who stands there twice is visited once.
    ready: BinaryHeap<Reverse<(Order, Visitor)>>,
    /// To be visited in the next pass.
    later: Vec<Reverse<(Order, Visitor)>>,
    /// How far this pass has come.
    position: Order,
    /// When time alone changes something for somebody.
    alarms: BTreeSet<(Instant, Visitor)>,
    alarm_of_watch: Vec<Option<Instant>>,
    /// By [`NodeId`].
    alarm_of_node: Vec<Option<Instant>>,
    /// Those of who is visited in each pass, apart from the many.
    of_cancelled: Option<Instant>,
    of_plan: Option<Instant>,
    /// Rules of watches that may have something to say.
    called: Vec<(u32, u32)>,
    /// By [`NodeId`].
    ties: Vec<Ties>,
    /// They have judged, and wait until the watches of the instant have spoken.
    hushed: BTreeSet<Visitor>,
    /// They wait for evidence that is found again.
    stale: BTreeSet<Visitor>,
}

/// At one instant watches come first, then the tree from its top, then what was opened again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Visitor {
    Watch(u32),
    Node(NodeId),
    /// Changes that are no longer wanted, and have not ended.
    Cancelled,
    /// The plan as a whole: its window, its deadline, pauses, messages, and all of an ending.
    Plan,
}

/// Who waits for an answer: of a watch, the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiter {
    pub visitor: Visitor,
    pub rule: Option<u32>,
}

/// What a node waits for, counted.
#[derive(Clone, Debug, Default)]
struct Ties {
    /// Edges that do not let it begin yet.
    unmet: u32,
    /// Children that have not ended.
    unfinished: u32,
    through: bool,
    over: bool,
}

/// What the life of a node means for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearing {
    /// Whether what waits for it may begin.
    pub through: bool,
    /// Whether the group that it is in need not wait for it.
    pub over: bool,
}

/// Whom a new bearing concerns.
#[derive(Debug, Default)]
pub struct Concerned {
    /// All that they wait for is through now.
    pub freed: Vec<NodeId>,
    /// All in its group has ended now.
    pub group: Option<NodeId>,
}

const REOPENED: u32 = u32::MAX / 2;

impl Agenda {
    pub fn new(plan: &Plan, roots: &[NodeId]) -> Agenda {
        let ties = plan.nodes.iter().map(|node| Ties {
            unmet: u32::try_from(node.after.len()).unwrap_or(u32::MAX),
            unfinished: u32::try_from(node.children.len()).unwrap_or(u32::MAX),
            ..Ties::default()
        });
        Agenda {
            index: Arc::new(Index::of(plan, roots)),
            ties: ties.collect(),
            alarm_of_watch: vec![None; plan.watches.len()],
            alarm_of_node: vec![None; plan.nodes.len()],
            ..Agenda::default()
        }
    }

    pub fn of_watch(&self, watch: u32) -> Order {
        Order(watch + 1)
    }

    /// Before what is in the node, and after it; both behind all watches.
    pub fn of_node(&self, id: NodeId) -> Option<(Order, Order)> {
        let (before, after) = self.index.span(id)?;
        let watches = self.index.watch_count();
        Some((Order(watches + before), Order(watches + after)))
    }

    pub fn reopened(&self, id: NodeId) -> Order {
        Order(REOPENED.saturating_add(id.0))
    }

    /// To be visited: in this pass if its turn is still to come, else in the next.
    pub fn stir(&mut self, order: Order, visitor: Visitor) {
        match order > self.position {
            true => self.ready.push(Reverse((order, visitor))),
            false => self.later.push(Reverse((order, visitor))),
        }
    }

    pub fn stir_later(&mut self, order: Order, visitor: Visitor) {
        self.later.push(Reverse((order, visitor)));
    }

    /// The next one of this pass that is in the tree.
    pub fn next(&mut self) -> Option<Visitor> {
        let Reverse((order, _)) = self.ready.peek()?;
        match order.0 < REOPENED {
            true => self.next_of_all(),
            false => None,
        }
    }

    /// The next one of this pass.
    pub fn next_of_all(&mut self) -> Option<Visitor> {
        let next = self.ready.pop()?;
        while self.ready.peek() == Some(&next) {
            self.ready.pop();
        }
        let Reverse((order, visitor)) = next;
        self.position = order;
        Some(visitor)
    }

    /// Begins the next pass; whether there is anybody to visit in it.
    pub fn turn_over(&mut self) -> bool {
        self.position = Order::default();
        if !self.later.is_empty() {
            self.ready.extend(self.later.drain(..));
        }
        !self.ready.is_empty()
    }

    /// Nobody is visited any more, but for who waits for an answer: an ending looks at everything itself.
    pub fn close(&mut self) {
        *self = Agenda {
            index: Arc::clone(&self.index),
            ties: std::mem::take(&mut self.ties),
            ..Agenda::default()
        };
    }

    pub fn set_alarm(&mut self, visitor: Visitor, at: Option<Instant>) {
        let known = match visitor {
            Visitor::Cancelled => return self.of_cancelled = at,
            Visitor::Plan => return self.of_plan = at,
            Visitor::Watch(_) | Visitor::Node(_) => self.alarm_of(visitor),
        };
        // At the end nobody is visited any more.
        let Some(known) = known else {
            return;
        };
        let before = std::mem::replace(known, at);
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.alarms.remove(&(before, visitor));
        }
        if let Some(at) = at {
            self.alarms.insert((at, visitor));
        }
    }

    pub fn has_alarm(&self) -> bool {
        !self.alarms.is_empty() || self.of_cancelled.is_some() || self.of_plan.is_some()
    }

    pub fn first_alarm(&self) -> Option<Instant> {
        let first = self.alarms.first().map(|(at, _)| *at);
        let alarms = [first, self.of_cancelled, self.of_plan];
        alarms.into_iter().flatten().min()
    }

    /// Those who have an alarm at this moment.
    pub fn alarmed(&self, at: Instant) -> impl Iterator<Item = impl Hash> {
        let first = (at, Visitor::Watch(0));
        let of_then = self
            .alarms
            .range(first..)
            .take_while(move |(then, _)| *then == at);
        of_then.map(|(_, visitor)| *visitor)
    }

    /// The first alarm that is no sooner, and that of the plan as a whole, which is never one of several.
    pub fn first_alarm_since(&self, at: Instant) -> Option<Instant> {
        let first = (at, Visitor::Watch(0));
        let first = self.alarms.range(first..).next().map(|(at, _)| *at);
        let of_cancelled = self.of_cancelled.filter(|alarm| *alarm >= at);
        let alarms = [first, of_cancelled, self.of_plan];
        alarms.into_iter().flatten().min()
    }

    /// Those whose moment has come.
    pub fn ringing(&mut self, now: Instant) -> Vec<Visitor> {
        let mut ringing = Vec::new();
        while let Some((at, visitor)) = self.alarms.first().copied()
            && at <= now
        {
            self.alarms.pop_first();
            if let Some(known) = self.alarm_of(visitor) {
                *known = None;
            }
            ringing.push(visitor);
        }
        ringing
    }

    fn alarm_of(&mut self, visitor: Visitor) -> Option<&mut Option<Instant>> {
        match visitor {
            Visitor::Watch(watch) => self.alarm_of_watch.get_mut(watch as usize),
            Visitor::Node(id) => self.alarm_of_node.get_mut(id.0 as usize),
            Visitor::Cancelled | Visitor::Plan => None,
        }
    }

    /// A rule of a watch may have something to say.
    pub fn call(&mut self, watch: u32, rule: u32) {
        self.called.push((watch, rule));
    }

    /// All rules of a watch may have something to say.
    pub fn call_all(&mut self, watch: u32, rules: usize) {
        let rules = (0u32..).take(rules);
        self.called.extend(rules.map(|rule| (watch, rule)));
    }

    /// The rules of the watch that were called, in their order.
    pub fn take_called(&mut self, watch: u32) -> Vec<u32> {
        let mut called = Vec::new();
        self.called.retain(|(of, rule)| {
            if *of == watch {
                called.push(*rule);
            }
            *of != watch
        });
        called.sort_unstable();
        called.dedup();
        called
    }

    pub fn hush(&mut self, visitor: Visitor) {
        self.hushed.insert(visitor);
    }

    pub fn unhush(&mut self) -> BTreeSet<Visitor> {
        std::mem::take(&mut self.hushed)
    }

    pub fn await_evidence(&mut self, visitor: Visitor) {
        self.stale.insert(visitor);
    }

    pub fn refreshed(&mut self) -> BTreeSet<Visitor> {
        std::mem::take(&mut self.stale)
    }

    /// Whether all that the node waits for is through.
    pub fn is_free(&self, id: NodeId) -> bool {
        self.ties(id).is_none_or(|ties| ties.unmet == 0)
    }

    /// Whether all that is in the node has ended.
    pub fn is_finished(&self, id: NodeId) -> bool {
        self.ties(id).is_none_or(|ties| ties.unfinished == 0)
    }

    /// Takes in what the life of a node means now.
    pub fn turned(&mut self, plan: &Plan, id: NodeId, bearing: Bearing) -> Concerned {
        let mut concerned = Concerned::default();
        let Some(ties) = self.ties.get_mut(id.0 as usize) else {
            return concerned;
        };
        let through = std::mem::replace(&mut ties.through, bearing.through) != bearing.through;
        let over = std::mem::replace(&mut ties.over, bearing.over) != bearing.over;
        if through {
            let index = Arc::clone(&self.index);
            for &follower in index.followers(id) {
                if let Some(ties) = self.ties.get_mut(follower.0 as usize) {
                    count(&mut ties.unmet, bearing.through);
                    if ties.unmet == 0 {
                        concerned.freed.push(follower);
                    }
                }
            }
        }
        let parent = plan.node(id).and_then(|node| node.parent);
        if over
            && let Some(parent) = parent
            && let Some(ties) = self.ties.get_mut(parent.0 as usize)
        {
            count(&mut ties.unfinished, bearing.over);
            concerned.group = (ties.unfinished == 0).then_some(parent);
        }
        concerned
    }

    fn ties(&self, id: NodeId) -> Option<&Ties> {
        self.ties.get(id.0 as usize)
    }
}

/// One less that is waited for, or one more again.
fn count(waiting: &mut u32, done: bool) {
    *waiting = match done {
        true => waiting.saturating_sub(1),
        false => waiting.saturating_add(1),
    };
}
