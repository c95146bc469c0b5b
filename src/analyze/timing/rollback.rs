//! The longest time that a rollback can take, whenever it starts.
//!
//! What is running is cancelled and awaited (but what is kept); then every started change is undone, in reverse order of
//! dependency and side by side where nothing orders them; then the result is verified. The time to notice is not in it.

use crate::analyze::order::data::is_verify;
use crate::analyze::timing::durations::of_check;
use crate::plan::Plan;
use crate::plan::facts::{Part, PartOf, RollbackTime};
use crate::plan::graph::{Graph, Point, Reach};
use crate::plan::node::{Node, NodeId, NodeKind, UndoPlan};

/// `None` where no change can be undone.
pub fn longest(plan: &Plan, graph: &Graph) -> Option<RollbackTime> {
    let undos = Undos::new(plan, graph)?;
    let range = Range::new(plan, graph);
    let verify = verify(plan);
    let mut longest: Option<RollbackTime> = None;
    for node in plan.nodes.iter().filter(|node| range.covers(node.id)) {
        let Some(running_ns) = running_ns(node) else {
            continue;
        };
        let after = graph.reach(Point::End(node.id));
        let mut path: Vec<Part> = part(PartOf::Running(node.id), running_ns)
            .into_iter()
            .collect();
        path.extend(undos.longest(&after));
        path.extend(verify.clone());
        let ns = path
            .iter()
            .fold(0_i64, |sum, part| sum.saturating_add(part.ns));
        if longest.as_ref().is_none_or(|known| ns > known.longest_ns) {
            longest = Some(RollbackTime {
                longest_ns: ns,
                path,
            });
        }
    }
    longest
}

/// How long undoing a change may take; `None` for what is not undone.
pub fn undo_ns(node: &Node) -> Option<i64> {
    match &node.kind {
        NodeKind::Step(step) => match &step.undo {
            UndoPlan::Derived { timeout_ns, .. } | UndoPlan::Written { timeout_ns, .. } => {
                Some(*timeout_ns)
            }
            UndoPlan::Keep { .. } | UndoPlan::Irreversible { .. } => None,
        },
        NodeKind::Canary(canary) => Some(canary.undo_timeout_ns),
        _ => None,
    }
}

/// How long a change may still run when it is cancelled; `None` for what is no change.
fn running_ns(node: &Node) -> Option<i64> {
    match &node.kind {
        NodeKind::Step(step) => match step.undo {
            // Nobody waits for what stays anyway.
            UndoPlan::Keep { .. } => Some(0),
            _ => Some(step.timeout_ns),
        },
        NodeKind::Stage(stage) => Some(stage.within_ns),
        NodeKind::Canary(canary) => Some(canary.promote_timeout_ns),
        _ => None,
    }
}

/// The longest chain of undos that ends in each change.
struct Undos {
    /// By [`Point::index`]: of a change that has started at this moment, or of changes before it.
    ns: Vec<i64>,
    came: Vec<Option<Point>>,
    starts: Vec<(NodeId, i64)>,
}

impl Undos {
    fn new(plan: &Plan, graph: &Graph) -> Option<Undos> {
        let count = plan.nodes.len() * 2;
        let mut undos = Undos {
            ns: vec![0; count],
            came: vec![None; count],
            starts: plan
                .nodes
                .iter()
                .filter_map(|node| Some((node.id, undo_ns(node)?)))
                .collect(),
        };
        for &point in graph.sorted()? {
            let before = graph.before(point);
            let best = before.max_by_key(|before| {
                let ns = undos.ns.get(before.index()).copied();
                (ns, std::cmp::Reverse(*before))
            });
            let known = best.and_then(|best| undos.ns.get(best.index()).copied());
            let own = match point {
                Point::Start(id) => plan.node(id).and_then(undo_ns).unwrap_or(0),
                Point::End(_) => 0,
            };
            if let Some(ns) = undos.ns.get_mut(point.index()) {
                *ns = known.unwrap_or(0).saturating_add(own);
            }
            if let Some(came) = undos.came.get_mut(point.index()) {
                *came = best;
            }
        }
        (!undos.starts.is_empty()).then_some(undos)
    }

    /// The longest chain among what may have started: all that does not come after what was running.
    fn longest(&self, after: &Reach) -> Vec<Part> {
        let started = self.starts.iter().map(|(id, _)| Point::Start(*id));
        let last = started
            .filter(|start| !after.has(*start))
            .max_by_key(|start| self.ns.get(start.index()).copied());
        let mut parts = Vec::new();
        let mut at = last;
        while let Some(point) = at {
            if let Point::Start(id) = point
                && let Some((_, ns)) = self.starts.iter().find(|(known, _)| *known == id)
            {
                parts.extend(part(PartOf::Undo(id), *ns));
            }
            at = self.came.get(point.index()).copied().flatten();
        }
        parts
    }
}

/// Where a rollback starts by itself.
struct Range {
    before: Option<Reach>,
    after: Option<Reach>,
    verify: Vec<NodeId>,
}

impl Range {
    fn new(plan: &Plan, graph: &Graph) -> Range {
        let during = plan.rollback.as_ref().and_then(|rollback| rollback.during);
        Range {
            before: during.map(|(from, _)| graph.origins(Point::Start(from))),
            after: during.map(|(_, to)| graph.reach(Point::End(to))),
            verify: plan
                .nodes
                .iter()
                .map(|node| node.id)
                .filter(|id| is_verify(plan, *id))
                .collect(),
        }
    }

    fn covers(&self, id: NodeId) -> bool {
        let over = |reach: &Option<Reach>, point| reach.as_ref().is_some_and(|r| r.has(point));
        !over(&self.before, Point::End(id))
            && !over(&self.after, Point::Start(id))
            && !self.verify.contains(&id)
    }
}

/// The longest of the checks that follow; they run together.
fn verify(plan: &Plan) -> Option<Part> {
    let checks = plan.rollback.iter().flat_map(|rollback| &rollback.verify);
    let nodes = checks.filter_map(|id| plan.node(*id));
    let times = nodes.filter_map(|node| match &node.kind {
        NodeKind::Check(check) => Some((of_check(plan, node, check).longest_ns, node.id)),
        _ => None,
    });
    let (ns, id) = times.max_by_key(|(ns, id)| (*ns, std::cmp::Reverse(*id)))?;
    part(PartOf::Verify(id), ns)
}

fn part(what: PartOf, ns: i64) -> Option<Part> {
    (ns > 0).then_some(Part { what, ns })
}
