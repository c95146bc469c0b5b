//! The first event of a run.

use crate::engine::agenda::Agenda;
use crate::engine::protocol::{Actor, NoteKind, RunOutcome};
use crate::engine::state::{NodeState, Run};
use crate::engine::tell;
use crate::engine::turn::Turn;
use crate::engine::watch::WatchState;
use crate::plan::expr::Expr;
use crate::plan::node::{NESTING_MAX, NodeId, NodeKind};
use crate::plan::{HandlerEvent, MetricSource, Plan};
use crate::providers::request::{Failure, FailureKind};
use crate::values::fields::Fields;

/// What the first event says.
pub struct First {
    pub run: String,
    pub digest: String,
    pub inputs: Fields,
    pub by: Actor,
}

pub fn begin(turn: &mut Turn, first: First) {
    if turn.state.run.is_some() {
        return;
    }
    let plan = turn.plan;
    turn.state.run = Some(Run {
        id: first.run,
        digest: first.digest,
        inputs: with_defaults(plan, first.inputs),
        by: first.by,
        started: turn.state.now,
    });
    if let Err(message) = coherent(plan) {
        let failure = Failure {
            kind: FailureKind::Invalid,
            message,
        };
        turn.note(None, NoteKind::Failed { failure });
        turn.state.outcome = Some(RunOutcome::Stopped);
        return;
    }
    turn.state.nodes = plan.nodes.iter().map(|_| NodeState::default()).collect();
    turn.state.phases = phases(plan);
    turn.state.agenda = Agenda::new(plan, &turn.state.phases);
    turn.stir_everybody();
    let canaries = plan.nodes.iter();
    turn.state.canaries = canaries
        .filter(|node| matches!(node.kind, NodeKind::Canary(_)))
        .map(|node| node.id)
        .collect();
    turn.state.watches = plan.watches.iter().map(WatchState::waiting).collect();
    turn.note(None, NoteKind::Started);
    tell::handlers(turn, HandlerEvent::Start, "");
}

/// In the order of the text. The checks of a rollback stand beside them.
fn phases(plan: &Plan) -> Vec<NodeId> {
    let verify = plan
        .rollback
        .as_ref()
        .map_or(&[][..], |rollback| &rollback.verify);
    let nodes = plan.nodes.iter();
    nodes
        .filter(|node| node.parent.is_none() && !verify.contains(&node.id))
        .map(|node| node.id)
        .collect()
}

fn with_defaults(plan: &Plan, given: Fields) -> Fields {
    let mut inputs = given;
    let defaults = plan.inputs.iter();
    inputs.fill_in(defaults.filter_map(|input| Some((&*input.name, input.default.as_ref()?))));
    inputs
}

/// A plan from the compiler is; one from a damaged or foreign file may not be.
fn coherent(plan: &Plan) -> Result<(), String> {
    let count = plan.nodes.len();
    let known = |id: &NodeId| (id.0 as usize) < count;
    let mut depths: Vec<usize> = Vec::new();
    for (index, node) in plan.nodes.iter().enumerate() {
        let wrong = |what: &str| Err(format!("the plan is damaged at `{}`: {what}", node.path));
        if node.id.0 as usize != index {
            return wrong("its number is not its place");
        }
        let depth = match node.parent {
            None => 0,
            Some(parent) => match depths.get(parent.0 as usize) {
                Some(depth) => depth + 1,
                None => return wrong("its parent does not stand before it"),
            },
        };
        if depth > NESTING_MAX {
            return wrong("it is nested too deeply");
        }
        depths.push(depth);
        let is_child = |id: &&NodeId| {
            let child = plan.node(**id);
            child.is_some_and(|child| child.parent == Some(node.id))
        };
        if node.children.iter().filter(is_child).count() != node.children.len() {
            return wrong("its children are not its own");
        }
        if !node.after.iter().all(|edge| known(&edge.from)) {
            return wrong("it waits for what is not there");
        }
    }
    let watches = plan.watches.iter();
    if !watches
        .flat_map(|watch| [watch.from, watch.to])
        .all(|id| known(&id))
    {
        return Err("the plan is damaged: a watch is over what is not there".to_owned());
    }
    let verify = plan.rollback.iter().flat_map(|rollback| &rollback.verify);
    if !verify.into_iter().all(known) {
        return Err("the plan is damaged: its rollback verifies what is not there".to_owned());
    }
    metrics_end(plan)
}

/// No metric is derived from itself. Those whose parts have all ended are taken away until none is left.
fn metrics_end(plan: &Plan) -> Result<(), String> {
    let mut waits = vec![0_usize; plan.metrics.len()];
    let mut parts_of: Vec<Vec<usize>> = vec![Vec::new(); plan.metrics.len()];
    for (index, metric) in plan.metrics.iter().enumerate() {
        if let MetricSource::Derived(expr) = &metric.source {
            operands(expr, &mut |part| {
                if let (Some(whole), Some(waits)) = (parts_of.get_mut(part), waits.get_mut(index)) {
                    whole.push(index);
                    *waits += 1;
                }
            });
        }
    }
    let ended = |(_, waits): &(usize, &usize)| **waits == 0;
    let mut open: Vec<usize> = waits
        .iter()
        .enumerate()
        .filter(ended)
        .map(|(at, _)| at)
        .collect();
    while let Some(at) = open.pop() {
        for whole in parts_of.get(at).into_iter().flatten() {
            if let Some(waits) = waits.get_mut(*whole) {
                *waits -= 1;
                if *waits == 0 {
                    open.push(*whole);
                }
            }
        }
    }
    let endless = plan
        .metrics
        .iter()
        .zip(&waits)
        .find(|(_, waits)| **waits > 0);
    match endless {
        Some((metric, _)) => Err(format!(
            "the metric `{}` is derived from itself",
            metric.name
        )),
        None => Ok(()),
    }
}

fn operands(expr: &Expr, found: &mut dyn FnMut(usize)) {
    match expr {
        Expr::Metric { metric, .. } => found(*metric as usize),
        Expr::Negate(inner) | Expr::Aggregate(_, inner) | Expr::Field(inner, _) => {
            operands(inner, found);
        }
        Expr::Binary(left, _, right) => {
            operands(left, found);
            operands(right, found);
        }
        _ => {}
    }
}
