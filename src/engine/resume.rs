//! A process takes the run over: reads in flight are asked again, changes in flight are looked at first.

use crate::engine::ending::How;
use crate::engine::grid::{Sample, Sampler};
use crate::engine::protocol::Effect;
use crate::engine::rollback::Standing;
use crate::engine::state::{Life, NodeState, StageWork, StepWork, Work};
use crate::engine::turn::Turn;
use crate::engine::{ending, tell, watch, write};
use crate::plan::node::{Check, CheckMode, Node, NodeId, NodeKind};
use crate::providers::request::Key;
use crate::values::Instant;

/// `gap_ns` is the time in which nobody carried the run out: holds, `every`, the time limits of changes and those within which
/// a check has to pass do not count it.
pub fn resume(turn: &mut Turn, epoch: u64, gap_ns: i64) {
    turn.state.epoch = turn.state.epoch.max(epoch);
    turn.state.wake = None;
    if let Some(outcome) = turn.state.outcome {
        tell::resume(turn);
        if turn.state.messages.is_empty() {
            turn.effects.push(Effect::Finish(outcome));
        }
        return;
    }
    ending::give_up_asked(turn, "the process that had asked was lost");
    turn.state.moments.clear();
    let now = turn.now();
    for (node, of_plan) in turn.state.nodes.iter_mut().zip(&turn.plan.nodes) {
        if node.life == Life::Running {
            resume_node(of_plan, node, now, gap_ns);
        }
    }
    watch::resume(turn);
    tell::resume(turn);
    resume_undo(turn, now);
    let keys: Vec<Key> = turn.state.writes.keys().cloned().collect();
    for key in &keys {
        write::resume(turn, key, gap_ns);
    }
    ask_again(turn);
    turn.stir_everybody();
    turn.moved();
}

fn resume_node(of_plan: &Node, node: &mut NodeState, now: Instant, gap_ns: i64) {
    let again = |sampler: &mut Sampler| sampler.reopen(now);
    match &mut node.work {
        Work::Check(check) => {
            again(&mut check.sampler);
            check.held_at = None;
            if let NodeKind::Check(Check {
                mode: CheckMode::Within { .. },
                ..
            }) = &of_plan.kind
            {
                check.from = check.from.plus(gap_ns);
            }
        }
        Work::Step(StepWork::Arguments(sampler) | StepWork::Post(sampler)) => again(sampler),
        Work::Stage(StageWork::Holding(holding)) => {
            again(&mut holding.sampler);
            holding.seen_at = None;
        }
        Work::When(sampler) => again(sampler),
        Work::Hold(clock) => clock.skip(gap_ns),
        Work::Every(every) => every.clock.skip(gap_ns),
        Work::Step(StepWork::Change(_))
        | Work::Stage(StageWork::Weight(_))
        | Work::Canary(_)
        | Work::Gate(_)
        | Work::None => {}
    }
}

fn resume_undo(turn: &mut Turn, now: Instant) {
    let Some(ending) = &mut turn.state.ending else {
        return;
    };
    let How::Rollback(rollback) = &mut ending.how else {
        return;
    };
    for unit in &mut rollback.units {
        if let Standing::Arguments(sample) = &mut unit.standing {
            *sample = Sample::begun(now);
        }
    }
}

fn ask_again(turn: &mut Turn) {
    let is_asked =
        |node: &NodeState| node.life == Life::Running && matches!(node.work, Work::Gate(_));
    let asked: Vec<NodeId> = (0u32..)
        .zip(&turn.state.nodes)
        .filter(|(_, node)| is_asked(node))
        .map(|(index, _)| NodeId(index))
        .collect();
    for node in asked {
        turn.effects.push(Effect::Ask { node });
    }
}
