//! How long each node takes by itself.

use crate::analyze::timing::evidence;
use crate::plan::expr::{Expr, Stmt};
use crate::plan::facts::Took;
use crate::plan::graph::{Graph, Point};
use crate::plan::node::{Check, CheckMode, Node, NodeId, NodeKind};
use crate::plan::walk::{comparisons, each_part, reads, sides};
use crate::plan::{Counting, MetricSource, Plan, Setting};
use crate::providers::catalog;
use crate::units::amount::Amount;
use crate::values::Value;
use std::collections::HashMap;

/// By [`NodeId`]. `sorted` is the order of the graph of the plan.
pub fn durations(plan: &Plan, graph: &Graph, sorted: &[Point]) -> Vec<Took> {
    let mut pass = Pass {
        plan,
        frames: frames(plan),
        starts: vec![Took::default(); plan.nodes.len()],
        ends: vec![Took::default(); plan.nodes.len()],
        inner: vec![Took::default(); plan.nodes.len()],
        took: vec![Took::default(); plan.nodes.len()],
    };
    for point in sorted {
        match point {
            Point::Start(id) => pass.start(graph, *id),
            Point::End(id) => pass.end(*id),
        }
    }
    pass.took
}

/// One way through the moments of a plan, in order. Each time counts from the start of the frame that it stands in: a phase,
/// or an `every`, whose body has a time of its own.
struct Pass<'a> {
    plan: &'a Plan,
    frames: Vec<Option<NodeId>>,
    starts: Vec<Took>,
    ends: Vec<Took>,
    /// The last end inside of a node, in the frame of its children.
    inner: Vec<Took>,
    took: Vec<Took>,
}

impl Pass<'_> {
    fn start(&mut self, graph: &Graph, id: NodeId) {
        let frame = at(&self.frames, id);
        let mut start = Took::default();
        for before in graph.before(Point::Start(id)) {
            let other = before.node();
            let time = match before {
                Point::Start(parent) if Some(parent) == frame => Took::default(),
                Point::Start(_) => at(&self.starts, other),
                Point::End(_) if at(&self.frames, other) == frame => at(&self.ends, other),
                // In another frame, whose clock is not this one.
                Point::End(_) => Took::default(),
            };
            start = later(start, time);
        }
        put(&mut self.starts, id, start);
        put(&mut self.inner, id, start);
        if self.opens_frame(id) {
            put(&mut self.inner, id, Took::default());
        }
    }

    fn end(&mut self, id: NodeId) {
        let Some(node) = self.plan.node(id) else {
            return;
        };
        let (start, inner) = (at(&self.starts, id), at(&self.inner, id));
        let took = match self.opens_frame(id) {
            true => own(self.plan, node, inner),
            false => own(self.plan, node, minus(inner, start)),
        };
        let end = plus(start, took);
        put(&mut self.took, id, took);
        put(&mut self.ends, id, end);
        if let Some(parent) = node.parent {
            let known = at(&self.inner, parent);
            put(&mut self.inner, parent, later(known, end));
        }
    }

    fn opens_frame(&self, id: NodeId) -> bool {
        self.plan.node(id).is_some_and(opens_frame)
    }
}

/// `inner` is how long what is inside of it takes.
fn own(plan: &Plan, node: &Node, inner: Took) -> Took {
    let took = by_kind(plan, node, inner);
    Took {
        longest_ns: took
            .longest_ns
            .saturating_add(evidence::again_ns(plan, node)),
        ..took
    }
}

fn by_kind(plan: &Plan, node: &Node, inner: Took) -> Took {
    match &node.kind {
        NodeKind::Phase | NodeKind::Section | NodeKind::Parallel | NodeKind::ConfirmGroup => inner,
        NodeKind::Canary(canary) => Took {
            longest_ns: inner.longest_ns.saturating_add(canary.promote_timeout_ns),
            ..inner
        },
        // It may turn out not to apply.
        NodeKind::When(condition) => Took {
            shortest_ns: 0,
            longest_ns: inner
                .longest_ns
                .saturating_add(Reading::new(plan).expr(condition)),
        },
        NodeKind::Check(check) => of_check(plan, node, check),
        NodeKind::Step(step) => {
            let post = stmts_ns(plan, &step.post);
            up_to(step.timeout_ns.saturating_add(post))
        }
        NodeKind::Stage(stage) => Took {
            shortest_ns: stage.hold_ns,
            longest_ns: stage.within_ns.saturating_add(stage.hold_ns),
        },
        NodeKind::Confirm(confirm) => up_to(confirm.within_ns),
        NodeKind::Approve(approve) => up_to(approve.within_ns),
        NodeKind::Hold { ns } => Took {
            shortest_ns: *ns,
            longest_ns: *ns,
        },
        NodeKind::Every { period_ns, ticks } => Took {
            shortest_ns: repeated_ns(*period_ns, *ticks, inner.shortest_ns),
            longest_ns: repeated_ns(*period_ns, *ticks, inner.longest_ns),
        },
        NodeKind::Notify(_) => Took::default(),
    }
}

/// The items of a tick are carried out at the end of its period; a body that is longer than the period holds the next up.
fn repeated_ns(period_ns: i64, ticks: u32, body_ns: i64) -> i64 {
    if ticks == 0 {
        return 0;
    }
    let between = period_ns.max(body_ns).saturating_mul(i64::from(ticks) - 1);
    period_ns.saturating_add(between).saturating_add(body_ns)
}

/// A fail that is tolerated takes the time of a sample, and no item passes with it: another sample has to.
pub fn of_check(plan: &Plan, node: &Node, check: &Check) -> Took {
    let samples_ns = |count: u32| plan.sample_ns.saturating_mul(i64::from(count));
    let samples = check.samples.max(1);
    let fails = node.policies.fails;
    let fails = fails.filter(|_| comparisons(&check.body).is_empty());
    let more = samples - 1;
    let most = more.saturating_add(fails.map_or(0, |fails| fails.tolerated_before(samples)));
    match check.mode {
        CheckMode::Once => {
            let read_ns = stmts_ns(plan, &check.body);
            let last_ns = match most {
                0 => read_ns,
                _ => read_ns.max(plan.sample_ns),
            };
            Took {
                shortest_ns: samples_ns(more),
                longest_ns: samples_ns(most).saturating_add(last_ns),
            }
        }
        CheckMode::Within { ns } => Took {
            shortest_ns: samples_ns(more).min(ns),
            longest_ns: ns,
        },
        CheckMode::For { ns } => {
            let at_the_end = fails.map_or(0, Counting::tolerated_in_a_row);
            Took {
                shortest_ns: ns,
                longest_ns: samples_ns(most).max(ns.saturating_add(samples_ns(at_the_end))),
            }
        }
        // Its stage has the time.
        CheckMode::Stage { .. } => Took::default(),
    }
}

/// How long the reads of a body may take: those that need the answers of others one after the other, the rest together.
fn stmts_ns(plan: &Plan, stmts: &[Stmt]) -> i64 {
    Reading::new(plan).stmts(stmts)
}

/// How long expressions take to read that share their names.
struct Reading<'a> {
    plan: &'a Plan,
    locals: HashMap<u32, i64>,
    /// Each is gone through once, however often others are made of it.
    lets: HashMap<u32, i64>,
}

impl Reading<'_> {
    fn new(plan: &Plan) -> Reading<'_> {
        Reading {
            plan,
            locals: HashMap::new(),
            lets: HashMap::new(),
        }
    }

    fn stmts(&mut self, stmts: &[Stmt]) -> i64 {
        let mut longest = 0;
        for stmt in stmts {
            let ns = match stmt {
                Stmt::Let { local, value } => {
                    let ns = self.expr(value);
                    self.locals.insert(*local, ns);
                    ns
                }
                Stmt::Expect(clause) => self.expr(&clause.condition),
                Stmt::Against(comparison) => {
                    let sides = sides(comparison).map(|side| self.expr(side));
                    sides.into_iter().max().unwrap_or(0)
                }
                Stmt::When { condition, body } => {
                    self.expr(condition).saturating_add(self.stmts(body))
                }
            };
            longest = longest.max(ns);
        }
        longest
    }

    fn expr(&mut self, expr: &Expr) -> i64 {
        let mut inner = 0;
        each_part(expr, &mut |part| inner = inner.max(self.expr(part)));
        let own = match expr {
            Expr::Call(call) => timeout_ns(self.plan, &call.provider),
            Expr::Metric { metric, .. } => metric_ns(self.plan, *metric),
            Expr::Local(local) => self.locals.get(local).copied().unwrap_or(0),
            Expr::Let(index) => self.top_let(*index),
            _ => 0,
        };
        own.saturating_add(inner)
    }

    fn top_let(&mut self, index: u32) -> i64 {
        if let Some(known) = self.lets.get(&index) {
            return *known;
        }
        let top = self.plan.lets.get(index as usize);
        let ns = top.map_or(0, |top| self.expr(&top.value));
        self.lets.insert(index, ns);
        ns
    }
}

/// All that a metric is made of is asked together.
fn metric_ns(plan: &Plan, metric: u32) -> i64 {
    let Some(metric) = plan.metrics.get(metric as usize) else {
        return 0;
    };
    match &metric.source {
        MetricSource::Query { provider, .. } => timeout_ns(plan, provider),
        MetricSource::Derived(expr) => {
            let parts = reads(plan, [expr]);
            let called = parts.calls.into_iter().map(|call| call.provider.as_str());
            let metrics = parts.metrics.into_iter();
            let queried = metrics.filter_map(|(part, _)| queried(plan, part));
            let asked = called.chain(queried);
            asked.map(|name| timeout_ns(plan, name)).max().unwrap_or(0)
        }
    }
}

/// Whom a metric asks that is a query.
fn queried(plan: &Plan, metric: u32) -> Option<&str> {
    match &plan.metrics.get(metric as usize)?.source {
        MetricSource::Query { provider, .. } => Some(provider),
        MetricSource::Derived(_) => None,
    }
}

/// The time limit of one read.
pub fn timeout_ns(plan: &Plan, provider: &str) -> i64 {
    let Some(provider) = plan.provider(provider) else {
        return 0;
    };
    match provider.settings.get("timeout") {
        Some(Setting::Value(Value::Quantity(quantity))) => match quantity.amount {
            Amount::Exact(nano) => i64::try_from(nano.0).unwrap_or(i64::MAX),
            Amount::Measured(_) => 0,
        },
        _ => catalog::find(&provider.kind).map_or(0, |kind| kind.timeout_ns),
    }
}

/// The nearest group around each node that has a clock of its own.
fn frames(plan: &Plan) -> Vec<Option<NodeId>> {
    let mut frames: Vec<Option<NodeId>> = Vec::with_capacity(plan.nodes.len());
    for node in &plan.nodes {
        // A parent stands before its children.
        let frame = node.parent.and_then(|parent| {
            let opens = plan.node(parent).is_some_and(opens_frame);
            if opens {
                Some(parent)
            } else {
                at(&frames, parent)
            }
        });
        frames.push(frame);
    }
    frames
}

fn opens_frame(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Phase | NodeKind::Every { .. })
}

fn up_to(ns: i64) -> Took {
    Took {
        shortest_ns: 0,
        longest_ns: ns,
    }
}

fn later(a: Took, b: Took) -> Took {
    Took {
        shortest_ns: a.shortest_ns.max(b.shortest_ns),
        longest_ns: a.longest_ns.max(b.longest_ns),
    }
}

fn plus(a: Took, b: Took) -> Took {
    Took {
        shortest_ns: a.shortest_ns.saturating_add(b.shortest_ns),
        longest_ns: a.longest_ns.saturating_add(b.longest_ns),
    }
}

fn minus(a: Took, b: Took) -> Took {
    Took {
        shortest_ns: a.shortest_ns.saturating_sub(b.shortest_ns),
        longest_ns: a.longest_ns.saturating_sub(b.longest_ns),
    }
}

fn at<T: Copy + Default>(values: &[T], id: NodeId) -> T {
    values.get(id.0 as usize).copied().unwrap_or_default()
}

fn put<T>(values: &mut [T], id: NodeId, value: T) {
    if let Some(known) = values.get_mut(id.0 as usize) {
        *known = value;
    }
}
