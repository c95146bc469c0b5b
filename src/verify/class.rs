//! Moments that cannot be told apart by what follows: one class.
//!
//! A class leaves out clocks and counts above two; what is late is explored as a fault of its own. Of a run that no longer
//! goes forward only its way back counts, so that all ways into one rollback meet.

use crate::engine::ending::How;
use crate::engine::pause::{Cause, Holds, Pause};
use crate::engine::rollback::{Rollback, Standing, Unit, Verifying};
use crate::engine::state::{
    CheckWork, Life, NodeState, Passage, StageWork, State, StepWork, Ticking, Work,
};
use crate::engine::watch::{Fired, Range, WatchState};
use crate::engine::write::{Cancel, Leg, Write};
use crate::plan::node::{Node, NodeKind};
use crate::verify::branch::Branch;
use crate::verify::claims;
use crate::verify::request::Request;
use crate::verify::subject::Subject;
use std::hash::{DefaultHasher, Hash, Hasher};

pub fn class(subject: &Subject, branch: &Branch) -> u64 {
    let mut hasher = DefaultHasher::new();
    let state = &branch.state;
    run(subject, state, &mut hasher);
    for write in state.writes.values() {
        write_of(write, &mut hasher);
    }
    state.outcome.hash(&mut hasher);
    state.messages.len().min(2).hash(&mut hasher);
    for account in &branch.world.changes {
        account.there.hash(&mut hasher);
        let counts = [account.forward.done, account.back.done].map(|done| done.min(2));
        counts.hash(&mut hasher);
    }
    for request in branch.pending.values() {
        pending(request, &mut hasher);
    }
    branch.active.hash(&mut hasher);
    if !subject.invariants.is_empty() {
        claims::passed(subject, branch).hash(&mut hasher);
    }
    let ended = subject.ends.iter().filter(|end| **end <= branch.now);
    ended.count().hash(&mut hasher);
    hasher.finish()
}

fn run(subject: &Subject, state: &State, hasher: &mut DefaultHasher) {
    let Some(ending) = &state.ending else {
        lives_of(&state.nodes, hasher);
        for (node, of_plan) in state.nodes.iter().zip(&subject.plan.nodes) {
            if node.life == Life::Running {
                work_at(node, &of_plan.kind, hasher);
                fails_of(node, of_plan, hasher);
            }
        }
        for watch in &state.watches {
            watch_of(watch, hasher);
        }
        for pause in &state.pauses {
            pause_of(pause, hasher);
        }
        for pool in &state.pools {
            let total_ns = subject.pool_ns(pool.place, pool.depth);
            if pool.active > 0 || pool.spent_ns >= total_ns {
                (pool.place.0, pool.depth, pool.active).hash(hasher);
            }
        }
        return;
    };
    match &ending.how {
        How::Stop => 1_u8.hash(hasher),
        How::Rollback(rollback) => {
            2_u8.hash(hasher);
            rollback_of(rollback, hasher);
            for id in &subject.ledger.verify {
                let node = state.nodes.get(id.0 as usize);
                let of_plan = subject.plan.node(*id);
                if let (Some(node), Some(of_plan)) = (node, of_plan) {
                    life_of(node).hash(hasher);
                    if node.life == Life::Running {
                        work_at(node, &of_plan.kind, hasher);
                    }
                }
            }
        }
    }
}

/// Nearly all nodes wait or have ended, so these are packed.
fn lives_of(nodes: &[NodeState], hasher: &mut DefaultHasher) {
    const IN_ONE: usize = 21;
    for some in nodes.chunks(IN_ONE) {
        let packed = some
            .iter()
            .fold(0, |packed, node| packed << 3 | life_of(node));
        packed.hash(hasher);
    }
}

/// Of what has ended only counts whether it opened.
fn life_of(node: &NodeState) -> u64 {
    match (node.life, node.passage) {
        (Life::Waiting, _) => 0,
        (Life::Running, _) => 1,
        (Life::Ended, Passage::Shut) => 2,
        (Life::Ended, Passage::Open) => 3,
        (Life::Ended, Passage::Warned) => 4,
    }
}

fn work_at(node: &NodeState, kind: &NodeKind, hasher: &mut DefaultHasher) {
    let mut bits = Bits::new(4);
    bits.flag(node.blind.is_some());
    work_of(&node.work, kind, &mut bits);
    bits.0.hash(hasher);
}

/// Where the plan counts fails, their number decides what follows.
fn fails_of(node: &NodeState, of_plan: &Node, hasher: &mut DefaultHasher) {
    if let (Work::Check(check), Some(_)) = (&node.work, of_plan.policies.fails) {
        check.fails.hash(hasher);
    }
}

/// Small numbers, packed into one.
struct Bits(u64);

impl Bits {
    fn new(first: u64) -> Bits {
        Bits(first)
    }

    fn add(&mut self, of: u64, number: u64) {
        self.0 = self.0.wrapping_mul(of).wrapping_add(number.min(of - 1));
    }

    fn flag(&mut self, flag: bool) {
        self.add(2, u64::from(flag));
    }
}

fn work_of(work: &Work, kind: &NodeKind, bits: &mut Bits) {
    match work {
        Work::None => bits.add(16, 0),
        Work::Check(check) => {
            bits.add(16, 1);
            check_of(check, bits);
        }
        Work::Step(StepWork::Arguments(sampler)) => {
            bits.add(16, 2);
            bits.flag(sampler.open.is_some());
        }
        Work::Step(StepWork::Change(_)) => bits.add(16, 3),
        Work::Step(StepWork::Post(sampler)) => {
            bits.add(16, 4);
            bits.flag(sampler.open.is_some());
        }
        Work::Canary(canary) => {
            bits.add(16, 5);
            bits.flag(canary.promotion.is_some());
        }
        Work::Stage(StageWork::Weight(_)) => bits.add(16, 6),
        Work::Stage(StageWork::Holding(holding)) => {
            bits.add(16, 7);
            bits.flag(holding.sampler.open.is_some());
            bits.flag(holding.seen_ns > 0);
            bits.flag(holding.seen_at.is_some());
        }
        Work::Gate(gate) => {
            bits.add(16, 8);
            bits.add(8, gate.answers.len() as u64);
        }
        Work::Hold(_) => bits.add(16, 9),
        Work::Every(every) => {
            bits.add(16, 10);
            bits.flag(every.ticking == Ticking::Yes);
            bits.flag(every.done > 0);
            let last = matches!(kind, NodeKind::Every { ticks, .. } if every.done + 1 >= *ticks);
            bits.flag(last);
        }
        Work::When(sampler) => {
            bits.add(16, 11);
            bits.flag(sampler.open.is_some());
        }
    }
}

fn check_of(check: &CheckWork, bits: &mut Bits) {
    bits.flag(check.sampler.open.is_some());
    bits.add(3, u64::from(check.passes));
    bits.flag(check.held_ns > 0);
    bits.flag(check.held_at.is_some());
    let verdict = |finding: &crate::engine::state::Finding| 1 + finding.verdict as u64;
    let found = check.found.as_ref().map(|found| &found.finding);
    bits.add(8, found.map_or(0, verdict));
    bits.add(8, check.last.as_ref().map_or(0, verdict));
}

fn watch_of(watch: &WatchState, hasher: &mut DefaultHasher) {
    let mut bits = Bits::new(match watch.life {
        Life::Waiting => 1,
        Life::Running => 2,
        Life::Ended => 3,
    });
    if watch.life == Life::Running {
        bits.flag(watch.blind == Fired::Yes);
        bits.flag(watch.sampler.open.is_some());
        bits.flag(watch.sampler.last.is_some());
        bits.0.hash(hasher);
        for rule in &watch.rules {
            let mut bits = Bits::new(1);
            bits.flag(rule.range == Range::Inside);
            bits.flag(rule.fired == Fired::Yes);
            bits.flag(rule.sample.is_some());
            bits.flag(rule.held_ns > 0);
            bits.flag(rule.held_at.is_some());
            bits.flag(rule.blind_since.is_some());
            bits.0.hash(hasher);
        }
    } else {
        bits.0.hash(hasher);
    }
}

fn pause_of(pause: &Pause, hasher: &mut DefaultHasher) {
    match pause.cause {
        Cause::Node(id) => (1_u8, id.0, 0).hash(hasher),
        Cause::Rule { watch, rule } => (2_u8, watch, rule).hash(hasher),
        Cause::Blind { watch } => (3_u8, watch, 0).hash(hasher),
    }
    (pause.holds == Holds::Run, pause.depth, pause.place.0).hash(hasher);
    pause.verdict.hash(hasher);
}

fn write_of(write: &Write, hasher: &mut DefaultHasher) {
    let mut bits = Bits::new(u64::from(write.node.0) + 1);
    bits.add(16, leg(&write.forward));
    bits.add(16, write.back.as_ref().map_or(0, leg));
    bits.add(3, u64::from(write.issued));
    bits.add(3, u64::from(write.back_issued));
    bits.flag(write.cancel == Cancel::Asked);
    bits.flag(write.intent.is_some());
    bits.0.hash(hasher);
}

fn leg(leg: &Leg) -> u64 {
    match leg {
        Leg::Preparing => 1,
        Leg::PrepareAgain(_) => 2,
        Leg::Prepared(_) => 3,
        Leg::Committing => 4,
        Leg::Observing => 5,
        Leg::ObserveAgain(_) => 6,
        Leg::Done => 7,
        Leg::NotDone(_) => 8,
        Leg::Unachieved(_) => 9,
        Leg::Foreign(_) => 10,
        Leg::Unknown(_) => 11,
    }
}

fn rollback_of(rollback: &Rollback, hasher: &mut DefaultHasher) {
    (rollback.verifying == Verifying::Begun).hash(hasher);
    for Unit { node, standing, .. } in &rollback.units {
        let stands = match standing {
            Standing::Waiting => 0_u8,
            Standing::Arguments(_) => 1,
            Standing::Written(_) => 2,
            Standing::Back(_) => 3,
            Standing::Done => 4,
            Standing::Left(_) => 5,
        };
        (node.0, stands).hash(hasher);
    }
}

fn pending(request: &Request, hasher: &mut DefaultHasher) {
    match request {
        Request::Site { site, says, .. } => (1_u8, site, says).hash(hasher),
        Request::Watch {
            watch, says, blind, ..
        } => (2_u8, watch, says, blind).hash(hasher),
        Request::Prepare { change, how } => (3_u8, change, how).hash(hasher),
        Request::Commit {
            change,
            direction,
            how,
            ..
        } => (4_u8, change, direction, how).hash(hasher),
        Request::Observe {
            change,
            direction,
            how,
        } => (5_u8, change, direction, how).hash(hasher),
        Request::Tell { works, .. } => (6_u8, works).hash(hasher),
        Request::Person { gate, signer, yes } => {
            (7_u8, gate, &signer.user, yes).hash(hasher);
        }
    }
}
