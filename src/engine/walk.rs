//! The tree: what may begin, what goes on, what has ended.

use crate::engine::eval::sampled;
use crate::engine::grid::{Sampler, Stopwatch};
use crate::engine::state::{
    CanaryWork, EveryWork, Finding, Life, NodeState, Passage, StageWork, StepWork, Ticking, Work,
};
use crate::engine::truth::truth;
use crate::engine::turn::{Turn, is_kind, is_notice};
use crate::engine::{
    canary, change, check, evidence, freeze, pause, people, policy, tell, watch, write,
};
use crate::plan::elements;
use crate::plan::expr::Expr;
use crate::plan::node::{Node, NodeId, NodeKind};
use crate::values::Verdict;

pub fn advance(turn: &mut Turn, id: NodeId) {
    if turn.state.ending.is_some() {
        return;
    }
    let Some(node) = turn.plan.node(id) else {
        return;
    };
    match turn.node(id).life {
        Life::Ended => {}
        Life::Waiting => {
            let is_gate = matches!(node.kind, NodeKind::Approve(_));
            if may_begin(turn, node) && (!is_gate || evidence::is_fresh(turn, id)) {
                begin(turn, node);
            }
        }
        Life::Running => {
            work(turn, node);
            if turn.node(id).life == Life::Running {
                keep_window(turn, node);
            }
        }
    }
}

/// Goes on with the children of a kind, of what is carried as one.
pub fn children(turn: &mut Turn, id: NodeId, of: fn(&NodeKind) -> bool) {
    let Some(node) = turn.plan.node(id) else {
        return;
    };
    for &child in &node.children {
        if is_kind(turn.plan, child, of) {
            advance(turn, child);
        }
    }
}

/// Whether the node's own window has begun.
pub fn window_is_open(turn: &mut Turn, id: NodeId) -> bool {
    match turn.plan.node(id).and_then(|node| node.window) {
        Some(window) => turn.due(window.from),
        None => true,
    }
}

/// A window that ends takes what runs in it along.
pub fn keep_window(turn: &mut Turn, node: &Node) {
    if let Some(window) = node.window
        && turn.due(window.to)
    {
        let end = crate::values::show::instant(window.to);
        let finding = Finding::of(Verdict::Fail, format!("its window ended at {end}"));
        policy::trouble(turn, node.id, &finding);
    }
}

/// Ends a group whose children have ended, once the watches that end with it have their evidence.
pub fn end_group(turn: &mut Turn, id: NodeId) {
    let Some(node) = turn.plan.node(id) else {
        return;
    };
    if !turn.state.agenda.is_finished(id) {
        return;
    }
    if !watch::has_evidence(turn, id) {
        return;
    }
    policy::relieved(turn, id);
    let (verdict, passage) = together(turn, node);
    turn.end_with(id, verdict, None, passage);
}

/// Everything inside that has not ended is cancelled.
pub fn cancel_inside(turn: &mut Turn, id: NodeId, why: &str) {
    let Some(node) = turn.plan.node(id) else {
        return;
    };
    for &child in &node.children {
        cancel(turn, child, why);
    }
}

/// A group that is cancelled has the worst of what was found in it.
pub fn cancel(turn: &mut Turn, id: NodeId, why: &str) {
    cancel_inside(turn, id, why);
    if turn.node(id).life != Life::Running || turn.state.asked.contains(&id) {
        return;
    }
    write::cancel_of(turn, id);
    let children = turn.plan.node(id).map_or(&[][..], |node| &node.children);
    let found = children
        .iter()
        .filter_map(|child| turn.node(*child).verdict);
    let verdict = worst(found.chain([Verdict::Cancelled]));
    turn.end_with(id, verdict, Some(why.to_owned()), Passage::Shut);
}

fn may_begin(turn: &mut Turn, node: &Node) -> bool {
    if pause::is_paused(turn.state) && !is_notice(&node.kind) {
        return false;
    }
    let parent_lets = match node.parent {
        None => true,
        Some(parent) => match (turn.node(parent).life, &turn.node(parent).work) {
            (Life::Running, Work::When(_) | Work::Canary(_)) => false,
            (Life::Running, Work::Stage(StageWork::Weight(_))) => false,
            (Life::Running, Work::Every(every)) => every.ticking == Ticking::Yes,
            (life, _) => life == Life::Running,
        },
    };
    parent_lets
        && turn.state.agenda.is_free(node.id)
        && window_is_open(turn, node.id)
        && !(matches!(node.kind, NodeKind::Step(_)) && freeze::holds_up(turn, node.id))
}

fn begin(turn: &mut Turn, node: &Node) {
    let id = node.id;
    if is_beyond_list(turn, node) {
        let why = match elements::of_copy(node) {
            Some((input, 0)) => Some(format!("`{input}` is empty")),
            _ => None,
        };
        return leave_out_unseen(turn, id, why);
    }
    turn.begin(id);
    let now = turn.now();
    let every_ns = turn.plan.sample_ns;
    let work = match &node.kind {
        NodeKind::When(_) => Work::When(Sampler::new(now, every_ns)),
        NodeKind::Check(check) => Work::Check(check::work(turn, check)),
        NodeKind::Step(_) => Work::Step(StepWork::Arguments(Sampler::new(now, every_ns))),
        NodeKind::Canary(_) => Work::Canary(CanaryWork::default()),
        NodeKind::Confirm(_) | NodeKind::Approve(_) => Work::Gate(people::ask(turn, id)),
        NodeKind::Hold { .. } => Work::Hold(Stopwatch::started(now)),
        NodeKind::Every { .. } => Work::Every(EveryWork {
            clock: Stopwatch::started(now),
            done: 0,
            ticking: Ticking::No,
        }),
        NodeKind::Notify(_) => {
            tell::node(turn, id);
            Work::None
        }
        NodeKind::Phase
        | NodeKind::Section
        | NodeKind::Parallel
        | NodeKind::ConfirmGroup
        | NodeKind::Stage(_) => Work::None,
    };
    turn.node_mut(id).work = work;
}

fn work(turn: &mut Turn, node: &Node) {
    let id = node.id;
    let Some(node) = turn.plan.node(id) else {
        return;
    };
    match &node.kind {
        NodeKind::Phase | NodeKind::Section | NodeKind::Parallel | NodeKind::ConfirmGroup => {
            group(turn, id);
        }
        NodeKind::When(condition) => when(turn, id, condition),
        NodeKind::Check(check) => check::advance(turn, id, check),
        NodeKind::Step(step) => change::advance(turn, id, step),
        NodeKind::Canary(canary) => canary::advance(turn, id, canary),
        NodeKind::Confirm(confirm) => people::confirm(turn, id, confirm),
        NodeKind::Approve(approve) => people::approve(turn, id, approve),
        NodeKind::Hold { ns } => hold(turn, id, *ns),
        NodeKind::Every { period_ns, ticks } => every(turn, id, *period_ns, *ticks),
        // The canary carries its stages, the answer to a tell ends it.
        NodeKind::Stage(_) | NodeKind::Notify(_) => {}
    }
}

fn group(turn: &mut Turn, id: NodeId) {
    if turn.state.ending.is_none() {
        end_group(turn, id);
    }
}

/// The worst of the children; what a policy let through stays visible.
fn together(turn: &Turn, node: &Node) -> (Verdict, Passage) {
    let states: Vec<&NodeState> = node.children.iter().map(|id| turn.node(*id)).collect();
    let verdict = worst(states.iter().filter_map(|state| state.verdict));
    let warned = |state: &&NodeState| state.passage == Passage::Warned;
    let passage = match states.iter().any(warned) {
        true => Passage::Warned,
        false => Passage::Open,
    };
    (verdict, passage)
}

/// A verdict that came after its groups had ended is theirs, too.
pub fn tell_groups(turn: &mut Turn, id: NodeId, verdict: Verdict) {
    let mut up = turn.plan.node(id).and_then(|node| node.parent);
    while let Some(group) = up {
        let state = turn.node_mut(group);
        state.verdict = Some(worst(state.verdict.into_iter().chain([verdict])));
        up = turn.plan.node(group).and_then(|node| node.parent);
    }
}

/// What several verdicts are together.
pub fn worst(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let weight = |verdict: &Verdict| match verdict {
        Verdict::NotApplicable => 0,
        Verdict::Pass => 1,
        Verdict::Skipped => 2,
        Verdict::Cancelled => 3,
        Verdict::Inconclusive => 4,
        Verdict::Error => 5,
        Verdict::Fail => 6,
    };
    verdicts
        .max_by_key(weight)
        .unwrap_or(Verdict::NotApplicable)
}

fn when<'p>(turn: &mut Turn<'p>, id: NodeId, condition: &'p Expr) {
    let Work::When(mut sampler) = turn.node(id).work.clone() else {
        return group(turn, id);
    };
    if sampler.open.is_none() && turn.due(sampler.next(None)) {
        sampler.open(turn.state.now, None);
    }
    let Some(mut sample) = sampler.open.take() else {
        return policy::lose_patience(turn, id);
    };
    let asker = check::asker(turn, id, sample.at);
    let holds = sampled(turn, &mut sample, asker, |eval| truth(eval, condition));
    let at = sample.at;
    if holds.is_none() {
        sampler.open = Some(sample);
    }
    turn.node_mut(id).work = Work::When(sampler);
    match holds {
        None => {}
        Some(Ok(true)) => {
            policy::relieved(turn, id);
            turn.node_mut(id).work = Work::None;
            turn.moved();
            turn.stir_children(id);
        }
        Some(Ok(false)) => {
            policy::relieved(turn, id);
            leave_out(turn, id);
        }
        Some(Err(trouble)) => {
            turn.moved();
            policy::unseen(turn, id, at, &Finding::trouble(&trouble));
        }
    }
}

/// The node and all in it do not apply.
fn leave_out(turn: &mut Turn, id: NodeId) {
    if let Some(node) = turn.plan.node(id) {
        for &child in &node.children {
            leave_out(turn, child);
        }
    }
    turn.end(id, Verdict::NotApplicable, None);
}

/// Whether it is for an element that the list of this run does not have: known before the run.
fn is_beyond_list(turn: &Turn, node: &Node) -> bool {
    let inputs = turn.state.run.as_ref().map(|run| &run.inputs);
    inputs.is_some_and(|inputs| elements::is_beyond(turn.plan, inputs, node))
}

/// Nobody is told of what this run does not have; of an empty list that it is empty.
fn leave_out_unseen(turn: &mut Turn, id: NodeId, why: Option<String>) {
    if why.is_some() {
        turn.end(id, Verdict::NotApplicable, why);
    } else {
        let now = turn.now();
        *turn.node_mut(id) = NodeState {
            life: Life::Ended,
            verdict: Some(Verdict::NotApplicable),
            passage: Passage::Open,
            ended: Some(now),
            round: turn.node(id).round,
            ..NodeState::default()
        };
        turn.moved();
        turn.turned(id);
    }
    if let Some(node) = turn.plan.node(id) {
        for &child in &node.children {
            leave_out_unseen(turn, child, None);
        }
    }
}

fn hold(turn: &mut Turn, id: NodeId, ns: i64) {
    let Work::Hold(clock) = &turn.node(id).work else {
        return;
    };
    if let Some(at) = clock.reaches(ns)
        && turn.due(at)
    {
        turn.end(id, Verdict::Pass, None);
    }
}

/// Ticks at the end of each period. None is dropped: one that comes due while another is carried out follows it.
fn every(turn: &mut Turn, id: NodeId, period_ns: i64, ticks: u32) {
    let Work::Every(every) = &turn.node(id).work else {
        return;
    };
    if every.ticking == Ticking::Yes {
        return end_tick(turn, id);
    }
    if every.done >= ticks {
        return end_every(turn, id);
    }
    let next = every.done + 1;
    let at = every
        .clock
        .reaches(period_ns.saturating_mul(i64::from(next)));
    if let Some(at) = at
        && turn.due(at)
        && !pause::is_paused(turn.state)
    {
        reset_inside(turn, id, next);
        tick(turn, id, Ticking::Yes, next - 1);
        turn.stir_children(id);
    }
}

fn end_tick(turn: &mut Turn, id: NodeId) {
    let Some(node) = turn.plan.node(id) else {
        return;
    };
    if !turn.state.agenda.is_finished(id) {
        return;
    }
    let (verdict, _) = together(turn, node);
    let state = turn.node_mut(id);
    // The worst of all ticks is what is told at the end.
    state.verdict = Some(worst(state.verdict.into_iter().chain([verdict])));
    if let Work::Every(every) = &state.work {
        let done = every.done + 1;
        tick(turn, id, Ticking::No, done);
    }
}

/// In place: a pause may have stopped the clock meanwhile.
fn tick(turn: &mut Turn, id: NodeId, now_ticking: Ticking, now_done: u32) {
    if let Work::Every(every) = &mut turn.node_mut(id).work {
        every.ticking = now_ticking;
        every.done = now_done;
    }
    turn.moved();
}

fn end_every(turn: &mut Turn, id: NodeId) {
    if !watch::has_evidence(turn, id) {
        return;
    }
    policy::relieved(turn, id);
    let verdict = turn.node(id).verdict.unwrap_or(Verdict::NotApplicable);
    let passage = match verdict.opens() {
        true => Passage::Open,
        false => Passage::Warned,
    };
    turn.end_with(id, verdict, None, passage);
}

fn reset_inside(turn: &mut Turn, id: NodeId, round: u32) {
    let Some(node) = turn.plan.node(id) else {
        return;
    };
    for &child in &node.children {
        *turn.node_mut(child) = NodeState {
            round,
            ..NodeState::default()
        };
        turn.turned(child);
        reset_inside(turn, child, round);
    }
}
