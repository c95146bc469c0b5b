//! A day that was reckoned by hand: the deployment of x0tta6bl4, from its preflight to the end of the first 24 hours.

use crate::plan::draft::{
    Draft, HOUR_NS, MINUTE_NS, SECOND_NS, compare, metric, pause, ratio, read,
};
use crate::plan::expr::Scope;
use crate::plan::node::{CheckMode, NodeId, NodeKind, UndoPlan};
use crate::plan::{Policies, Policy, Window};
use crate::syntax::ast::CompareOp;
use crate::units::Dim;
use crate::values::Instant;

pub fn pauses(draft: &mut Draft, ids: &[NodeId], up_to_ns: i64, place: u32) {
    for id in ids {
        draft.node(*id).policies = Policies {
            fail: Some(Policy::Rollback),
            fails: None,
            error: Some(pause(up_to_ns, place, Policy::Rollback)),
            inconclusive: Some(pause(up_to_ns, place, Policy::Rollback)),
            no_data: None,
        };
    }
}

pub fn window(draft: &mut Draft, id: NodeId, from_ns: i64, to_ns: i64) {
    draft.node(id).window = Some(Window {
        from: Instant(from_ns),
        to: Instant(to_ns),
    });
}

/// Samples of a metric whose query looks a minute back.
pub fn sampled(
    draft: &mut Draft,
    parent: NodeId,
    name: &str,
    mode: CheckMode,
    samples: u32,
) -> NodeId {
    let index = match draft.plan.metrics.len() {
        0 => draft.metric("error_rate", Dim::Ratio),
        _ => 0,
    };
    let scope = match mode {
        CheckMode::Stage { .. } => Scope::Canary,
        _ => Scope::None,
    };
    let below = compare(metric(index, scope), CompareOp::Lt, ratio(1));
    let id = draft.check_of(parent, name, mode, below);
    draft.edit_check(id).samples = samples;
    id
}

/// The morning of the deployment of x0tta6bl4: 06:00 is hour 0 here.
pub fn morning() -> Draft {
    let mut draft = Draft::blank();
    let half = 30 * MINUTE_NS;
    let names = [
        "preflight",
        "deploy",
        "rollout",
        "verification",
        "declare",
        "first_day",
    ];
    let phases = draft.chain(&names);
    let opens = [0, half, half, 3 * half, 4 * half];
    let closes = [half, 40 * MINUTE_NS, 3 * half, 4 * half, 6 * half];
    for ((phase, from), to) in phases.iter().zip(opens).zip(closes) {
        window(&mut draft, *phase, from, to);
    }
    let ask = draft.confirm(phases[0], "online", 15 * MINUTE_NS);
    pauses(&mut draft, &[ask], 10 * MINUTE_NS, 100);
    let release = deploy(&mut draft, phases[1]);
    rollout(&mut draft, phases[2], release);
    verification(&mut draft, phases[3]);
    declare(&mut draft, phases[4]);
    first_day(&mut draft, phases[5]);
    let verify = CheckMode::For { ns: 2 * MINUTE_NS };
    draft.verify("normal", verify, read("api", "up"));
    draft.rollback(15 * MINUTE_NS).during = Some((phases[1], phases[5]));
    draft
}

fn deploy(draft: &mut Draft, phase: NodeId) -> NodeId {
    let release = draft.step(phase, "release", "api");
    draft.edit_step(release).undo = UndoPlan::Derived {
        timeout_ns: 6 * MINUTE_NS,
        title: None,
        refs: Vec::new(),
    };
    let up = read("api", "up");
    let starting = draft.check_of(
        phase,
        "starting",
        CheckMode::Within { ns: 3 * MINUTE_NS },
        up,
    );
    pauses(draft, &[release, starting], MINUTE_NS, 101);
    release
}

fn rollout(draft: &mut Draft, phase: NodeId, release: NodeId) {
    let canary = draft.canary(phase, "canary", release);
    if let NodeKind::Canary(canary) = &mut draft.node(canary).kind {
        canary.promote_timeout_ns = 0;
    }
    let mut judged = vec![canary];
    for (percent, minutes) in [(10, 5), (50, 10), (100, 30)] {
        let stage = draft.stage(canary, percent, minutes * MINUTE_NS);
        let mode = CheckMode::Stage { for_ns: 0 };
        judged.push(sampled(draft, stage, "errors", mode, 8));
        judged.push(stage);
    }
    pauses(draft, &judged, 2 * MINUTE_NS, 102);
}

fn verification(draft: &mut Draft, phase: NodeId) {
    let slow = sampled(draft, phase, "p95", CheckMode::Once, 8);
    let quick = CheckMode::Within { ns: 30 * SECOND_NS };
    let quick = draft.check_of(phase, "health", quick, read("api", "up"));
    pauses(draft, &[slow, quick], 10 * MINUTE_NS, 103);
}

fn declare(draft: &mut Draft, phase: NodeId) {
    let stable = CheckMode::For { ns: 10 * MINUTE_NS };
    let stable = sampled(draft, phase, "stable", stable, 8);
    let gate = draft.approve(phase, "go_live", 40 * MINUTE_NS);
    pauses(draft, &[stable, gate], 5 * MINUTE_NS, 104);
}

fn first_day(draft: &mut Draft, phase: NodeId) {
    let parallel = draft.add(Some(phase), "all", NodeKind::Parallel);
    let every = |hours: i64, ticks| NodeKind::Every {
        period_ns: hours * HOUR_NS,
        ticks,
    };
    let hourly = draft.add(Some(parallel), "hourly", every(1, 24));
    let handoff = draft.add(Some(parallel), "handoff", every(8, 3));
    let errors = sampled(draft, hourly, "errors", CheckMode::Once, 8);
    let notes = draft.confirm(handoff, "notes", HOUR_NS);
    pauses(draft, &[errors, notes], HOUR_NS, 105);
}
