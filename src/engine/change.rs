//! Steps: arguments, intent, change, postconditions.

use crate::engine::check;
use crate::engine::eval::sampled;
use crate::engine::grid::Sampler;
use crate::engine::judge::judge;
use crate::engine::protocol::NoteKind;
use crate::engine::state::{Finding, StepWork, Work};
use crate::engine::turn::Turn;
use crate::engine::write::{self, Leg, Order};
use crate::engine::{evidence, freeze, pause, policy};
use crate::plan::node::{NodeId, Step};
use crate::providers::request::{Failure, Key};
use crate::values::{Instant, Verdict};

pub fn advance<'p>(turn: &mut Turn<'p>, id: NodeId, step: &'p Step) {
    let Work::Step(work) = turn.node(id).work.clone() else {
        return;
    };
    match work {
        StepWork::Arguments(sampler) => arguments(turn, id, step, sampler),
        StepWork::Change(key) => {
            if carry(turn, id, &key) {
                changed(turn, id, step);
            }
        }
        StepWork::Post(sampler) => post(turn, id, step, sampler),
    }
}

/// Carries a change on. True once it is achieved; what stands in its way goes to the policy of the node.
pub fn carry(turn: &mut Turn, id: NodeId, key: &Key) -> bool {
    write::advance(turn, key);
    let Some(write) = turn.state.writes.get(key) else {
        return false;
    };
    let (verdict, failure) = match write.forward.clone() {
        Leg::Done => {
            policy::relieved(turn, id);
            return true;
        }
        Leg::Prepared(_) => {
            policy::relieved(turn, id);
            // It may have waited since its intent, and what it rests on may have expired.
            let may_leave = !pause::is_paused(turn.state)
                && !freeze::holds_up(turn, id)
                && evidence::is_fresh(turn, id);
            if may_leave {
                write::commit(turn, key);
            }
            return false;
        }
        // Trouble of the way may pass; what was refused was refused.
        Leg::NotDone(failure) if write::is_passing(&failure) => {
            if let Some(pause) = pause::of(turn.state, pause::Cause::Node(id)) {
                let again = pause.tried.plus(turn.plan.sample_ns.max(1));
                return try_again(turn, id, key, again);
            }
            (Verdict::Error, failure)
        }
        Leg::NotDone(failure) | Leg::Unachieved(failure) | Leg::Foreign(failure) => {
            (Verdict::Fail, failure)
        }
        Leg::Unknown(failure) => (Verdict::Error, failure),
        _ => return false,
    };
    failed(turn, id, verdict, failure);
    false
}

/// In its own pause a change that has never left is tried again, and the pause ends when it can leave.
fn try_again(turn: &mut Turn, id: NodeId, key: &Key, at: Instant) -> bool {
    let issued = turn.state.writes.get(key).map_or(0, |write| write.issued);
    if issued == 0 && turn.due(at) {
        pause::tried(turn, pause::Cause::Node(id));
        write::try_again(turn, key);
    }
    false
}

fn failed(turn: &mut Turn, id: NodeId, verdict: Verdict, failure: Failure) {
    if pause::of(turn.state, pause::Cause::Node(id)).is_some() {
        return;
    }
    let finding = Finding::of(verdict, failure.message.clone());
    turn.note(Some(id), NoteKind::Failed { failure });
    policy::trouble(turn, id, &finding);
}

fn arguments<'p>(turn: &mut Turn<'p>, id: NodeId, step: &'p Step, mut sampler: Sampler) {
    let stands_still = pause::is_paused(turn.state) && !is_own(turn, id);
    if sampler.open.is_none() && !stands_still && turn.due(sampler.next(None)) {
        if !evidence::is_fresh(turn, id) {
            return;
        }
        sampler.open(turn.state.now, None);
    }
    let Some(mut sample) = sampler.open.take() else {
        return policy::lose_patience(turn, id);
    };
    let asker = check::asker(turn, id, sample.at);
    match sampled(turn, &mut sample, asker, |eval| eval.call(&step.call)) {
        None => {
            sampler.open = Some(sample);
            turn.node_mut(id).work = Work::Step(StepWork::Arguments(sampler));
        }
        // What it needs is read anew when the pause is over.
        Some(Ok(_)) if stands_still => {
            turn.node_mut(id).work = Work::Step(StepWork::Arguments(sampler));
        }
        Some(Ok(call)) => {
            policy::relieved(turn, id);
            let key = turn.key(id, "do");
            turn.node_mut(id).work = Work::Step(StepWork::Change(key.clone()));
            let order = Order {
                key,
                node: id,
                call,
                timeout_ns: step.timeout_ns,
                at_most_once: step.at_most_once,
            };
            write::prepare(turn, order);
        }
        Some(Err(trouble)) => {
            let at = sample.at;
            turn.node_mut(id).work = Work::Step(StepWork::Arguments(sampler));
            turn.moved();
            policy::unseen(turn, id, at, &Finding::trouble(&trouble));
        }
    }
}

fn is_own(turn: &Turn, id: NodeId) -> bool {
    let own = pause::Cause::Node(id);
    turn.state.pauses.iter().all(|pause| pause.cause == own)
}

fn changed(turn: &mut Turn, id: NodeId, step: &Step) {
    if step.post.is_empty() {
        return turn.end(id, Verdict::Pass, None);
    }
    let from = check::first_sight(turn, &step.post);
    let sampler = Sampler::new(from, turn.plan.sample_ns);
    turn.node_mut(id).work = Work::Step(StepWork::Post(sampler));
    turn.moved();
}

/// Postconditions are judged once; while they cannot be, or in a pause, again at each sample.
fn post<'p>(turn: &mut Turn<'p>, id: NodeId, step: &'p Step, mut sampler: Sampler) {
    if sampler.open.is_none() && turn.due(sampler.next(None)) {
        sampler.open(turn.state.now, None);
    }
    let Some(mut sample) = sampler.open.take() else {
        return policy::lose_patience(turn, id);
    };
    let asker = check::asker(turn, id, sample.at);
    let Some(finding) = judge(turn, id, &step.post, &mut sample, asker) else {
        sampler.open = Some(sample);
        turn.node_mut(id).work = Work::Step(StepWork::Post(sampler));
        return;
    };
    turn.node_mut(id).work = Work::Step(StepWork::Post(sampler));
    turn.moved();
    match finding.verdict {
        Verdict::Pass | Verdict::NotApplicable => {
            policy::relieved(turn, id);
            turn.end(id, Verdict::Pass, None);
        }
        Verdict::Fail => {
            policy::seen(turn, id);
            policy::trouble(turn, id, &finding);
        }
        _ => policy::unseen(turn, id, sample.at, &finding),
    }
}
