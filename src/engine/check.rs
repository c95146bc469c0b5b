//! Checks outside stages: judged once, within a time, or through a time.

use crate::engine::eval::{Asker, Mode, still_waits};
use crate::engine::grid::Sampler;
use crate::engine::judge::judge;
use crate::engine::state::{CheckWork, Fails, Found, Life, Sight, Through, Work};
use crate::engine::turn::Turn;
use crate::engine::{metric, pause, policy, walk, watch};
use crate::plan::expr::Stmt;
use crate::plan::node::{Check, CheckMode, Node, NodeId, NodeKind};
use crate::plan::walk::comparisons;
use crate::values::{Instant, Verdict};
use std::collections::BTreeSet;

/// A gate may not look back before the change that it judges, so it begins when its lookback lies behind that.
pub fn work(turn: &Turn, check: &Check) -> CheckWork {
    let from = first_sight(turn, &check.body);
    CheckWork {
        from,
        sampler: Sampler::new(from, turn.plan.sample_ns),
        passes: 0,
        fails: Fails::default(),
        held_ns: 0,
        held_at: None,
        found: None,
        last: None,
    }
}

/// The first instant whose lookback reaches back to no earlier than the last change.
pub fn first_sight(turn: &Turn, body: &[Stmt]) -> Instant {
    let now = turn.now();
    match turn.state.changed {
        Some(changed) => now.max(changed.plus(metric::lookback_ns(turn.plan, body))),
        None => now,
    }
}

/// Who judges at a node, at an instant.
pub fn asker(turn: &Turn, id: NodeId, at: Instant) -> Asker<'static> {
    Asker {
        at,
        mode: Mode::Gate,
        canary: metric::canary_at(turn.plan, turn.state, Some(id)),
        cause: "",
    }
}

pub fn advance<'p>(turn: &mut Turn<'p>, id: NodeId, check: &'p Check) {
    if is_quiet(turn, id) {
        return out_of_time(turn, id, check);
    }
    let Work::Check(mut work) = std::mem::take(&mut turn.node_mut(id).work) else {
        return;
    };
    if work.found.is_none() {
        let extra = last_moment(check, &work);
        sample(turn, id, check, &mut work, extra);
    }
    // At one instant watches speak first.
    let found = work
        .found
        .take_if(|found| watch::spoke(turn.state, found.at));
    if work.found.is_some() {
        turn.await_watches();
    }
    if let Some(found) = &found {
        tally(turn, id, check, &mut work, found);
    }
    let passed = has_passed(check, &work);
    turn.node_mut(id).work = Work::Check(work);
    if let Some(found) = found {
        turn.moved();
        react(turn, id, check, &found, passed);
        forget_in_pause(turn, id);
    }
    if turn.node(id).life == Life::Running {
        out_of_time(turn, id, check);
    }
}

/// The checks that have a sample at this moment, as the others: what they ask is asked, or about to be.
pub fn asked(turn: &Turn) -> BTreeSet<NodeId> {
    let is_asked = |node: &&Node| {
        let state = turn.node(node.id);
        let is_once = matches!(&node.kind, NodeKind::Check(check) if check.mode == CheckMode::Once);
        let sampled = matches!(&state.work, Work::Check(work) if has_sample(work, turn.now()));
        is_once && sampled && state.life == Life::Running
    };
    let nodes = turn.plan.nodes.iter().filter(is_asked);
    nodes.map(|node| node.id).collect()
}

fn has_sample(work: &CheckWork, now: Instant) -> bool {
    let open = work.found.is_some() || work.sampler.open.is_some();
    open || work.sampler.next(None) <= now
}

/// Judges a check whose run goes no further: what it found is reported, and leads to nothing. Where this sample does not
/// decide by itself, the check is cancelled.
pub fn report<'p>(turn: &mut Turn<'p>, id: NodeId, check: &'p Check) {
    let Work::Check(mut work) = std::mem::take(&mut turn.node_mut(id).work) else {
        return;
    };
    if work.found.is_none() {
        sample(turn, id, check, &mut work, None);
    }
    let found = work.found.take();
    if let Some(found) = &found {
        tally(turn, id, check, &mut work, found);
    }
    let decided = match found.as_ref().map(|found| found.finding.verdict) {
        Some(Verdict::Pass) => has_passed(check, &work),
        Some(Verdict::Fail) => !is_tolerated(turn, id, check, &work),
        _ => true,
    };
    turn.node_mut(id).work = Work::Check(work);
    let Some(Found { finding, .. }) = found else {
        return;
    };
    turn.state.asked.remove(&id);
    if decided {
        turn.end(id, finding.verdict, finding.words());
        walk::tell_groups(turn, id, finding.verdict);
    } else {
        let why = "the run went no further before it had its samples".to_owned();
        turn.end(id, Verdict::Cancelled, Some(why));
    }
}

/// Whether it waits for answers, and none has come.
fn is_quiet(turn: &Turn, id: NodeId) -> bool {
    match &turn.node(id).work {
        Work::Check(work) => {
            let open = work.sampler.open.as_ref();
            work.found.is_none() && open.is_some_and(|sample| still_waits(turn.state, sample))
        }
        _ => true,
    }
}

/// What the sample adds to what is known.
pub fn tally(turn: &Turn, id: NodeId, check: &Check, work: &mut CheckWork, found: &Found) {
    work.last = Some(found.finding.clone());
    match found.finding.verdict {
        Verdict::Pass => {
            work.passes += 1;
            work.fails.passed();
            held_on(work, found);
        }
        // What a whole time has decided stays decided by it, and by the windows that come after it.
        Verdict::Fail | Verdict::Inconclusive if is_decided(turn, id, check, found) => {
            held_on(work, found);
        }
        Verdict::Fail => {
            work.fails.failed();
            if is_tolerated(turn, id, check, work) {
                return held_on(work, found);
            }
            work.held_ns = 0;
            work.held_at = None;
            // One that has to hold at the end may fail before.
            if !matches!(check.mode, CheckMode::Stage { for_ns } if for_ns > 0) {
                work.passes = 0;
            }
        }
        // Time without sight does not count, and takes nothing back.
        _ => work.held_at = None,
    }
}

/// Whether the time is over, and only comparisons with a baseline stand in the way.
fn is_decided(turn: &Turn, id: NodeId, check: &Check, found: &Found) -> bool {
    let node = turn.node(id);
    if node.through == Through::NotYet || !found.finding.is_seen() {
        return false;
    }
    let compared = comparisons(&check.body);
    let is_compared = |text: &str| compared.iter().any(|comparison| *comparison.text == *text);
    let mut clauses = node.clauses.iter();
    clauses.all(|clause| clause.verdict == Verdict::Pass || is_compared(&clause.text))
}

/// Whether a check through a time has been seen for all of it, by the end of this sample.
fn through(check: &Check, work: &CheckWork, at: Instant) -> Through {
    let since = work.held_at.map_or(0, |before| at.since(before).max(0));
    match check.mode {
        CheckMode::For { ns } if work.held_ns.saturating_add(since) >= ns => Through::Over,
        _ => Through::NotYet,
    }
}

fn held_on(work: &mut CheckWork, found: &Found) {
    if let Some(before) = work.held_at {
        work.held_ns = work.held_ns.saturating_add(found.at.since(before).max(0));
    }
    work.held_at = Some(found.at);
}

/// Whether the sample that failed was not yet one too many. What a whole hold has decided is no sample among others.
pub fn is_tolerated(turn: &Turn, id: NodeId, check: &Check, work: &CheckWork) -> bool {
    let enough = turn.plan.node(id).and_then(|node| node.policies.fails);
    let enough = enough.filter(|_| comparisons(&check.body).is_empty());
    enough.is_some_and(|enough| !work.fails.are(enough))
}

/// Within its time a check may fail as often as nobody counts.
fn fails_now(turn: &Turn, id: NodeId, check: &Check) -> bool {
    let counted = turn
        .plan
        .node(id)
        .is_some_and(|node| node.policies.fails.is_some());
    let may_fail = matches!(check.mode, CheckMode::Within { .. }) && !counted;
    let work = &turn.node(id).work;
    let tolerated = matches!(work, Work::Check(work) if is_tolerated(turn, id, check, work));
    !may_fail && !tolerated
}

/// Time in a pause does not count for what has to hold.
fn forget_in_pause(turn: &mut Turn, id: NodeId) {
    if pause::is_paused(turn.state)
        && let Work::Check(work) = &mut turn.node_mut(id).work
    {
        work.held_at = None;
    }
}

/// A `within` that is over, or silence that is no longer tolerated.
fn out_of_time(turn: &mut Turn, id: NodeId, check: &Check) {
    let CheckMode::Within { ns } = check.mode else {
        return policy::lose_patience(turn, id);
    };
    let Work::Check(work) = &turn.node(id).work else {
        return;
    };
    let deadline = work.from.plus(ns);
    let open = work.sampler.open_at().is_some_and(|at| at <= deadline);
    let is_judging = open || work.found.is_some();
    if is_judging || work.last.is_none() || !turn.due(deadline) {
        return;
    }
    let last = match &turn.node(id).work {
        Work::Check(work) => work.last.clone(),
        _ => None,
    };
    if let Some(last) = last {
        policy::trouble(turn, id, &last);
    }
}

/// Begins the sample that is due, and judges it when its answers are there.
fn sample<'p>(
    turn: &mut Turn<'p>,
    id: NodeId,
    check: &'p Check,
    work: &mut CheckWork,
    extra: Option<Instant>,
) {
    if work.sampler.open.is_none() {
        if !turn.due(work.sampler.next(extra)) {
            return;
        }
        work.sampler.open(turn.state.now, extra);
    }
    let Some(mut sample) = work.sampler.open.take() else {
        return;
    };
    let asker = asker(turn, id, sample.at);
    turn.node_mut(id).through = through(check, work, sample.at);
    match judge(turn, id, &check.body, &mut sample, asker) {
        None => work.sampler.open = Some(sample),
        Some(finding) => {
            work.found = Some(Found {
                at: sample.at,
                finding,
            });
        }
    }
}

/// The moment at which one more sample stands beside the grid.
pub fn last_moment(check: &Check, work: &CheckWork) -> Option<Instant> {
    match check.mode {
        CheckMode::Within { ns } => Some(work.from.plus(ns)),
        CheckMode::For { ns } if ns > work.held_ns => {
            work.held_at.map(|at| at.plus(ns - work.held_ns))
        }
        _ => None,
    }
}

fn has_passed(check: &Check, work: &CheckWork) -> bool {
    let enough = work.passes >= check.samples.max(1);
    match check.mode {
        CheckMode::Once | CheckMode::Within { .. } | CheckMode::Stage { .. } => enough,
        CheckMode::For { ns } => enough && work.held_ns >= ns,
    }
}

fn react(turn: &mut Turn, id: NodeId, check: &Check, found: &Found, passed: bool) {
    let finding = &found.finding;
    match finding.verdict {
        Verdict::NotApplicable => {
            policy::relieved(turn, id);
            turn.end(id, Verdict::NotApplicable, None);
        }
        Verdict::Pass => {
            policy::relieved(turn, id);
            if passed {
                turn.end(id, Verdict::Pass, None);
            }
        }
        Verdict::Fail => {
            policy::seen(turn, id);
            if fails_now(turn, id, check) {
                policy::trouble(turn, id, finding);
            }
        }
        // Within its time it is only asked again, but for what asking cannot help.
        _ if matches!(check.mode, CheckMode::Within { .. }) => {
            if finding.sight == Sight::Denied {
                policy::trouble(turn, id, finding);
            }
        }
        _ => policy::unseen(turn, id, found.at, finding),
    }
}
