//! A canary: stage by stage a weight is achieved and judged through its hold, then the new version becomes the only one.

use crate::engine::check;
use crate::engine::grid::{Sample, Sampler};
use crate::engine::judge::judge;
use crate::engine::protocol::NoteKind;
use crate::engine::state::{CheckWork, Finding, Found, Holding, Life, Sight, StageWork, Work};
use crate::engine::turn::Turn;
use crate::engine::write::{self, Order};
use crate::engine::{change, evidence, freeze, metric, pause, policy, walk, watch};
use crate::plan::node::{AtMostOnce, Canary, Check, CheckMode, NodeId, NodeKind, Stage};
use crate::providers::request::{Call, Key};
use crate::providers::{CANARY_PROMOTE, CANARY_WEIGHT};
use crate::units::Dim;
use crate::units::amount::{Nano, Quantity};
use crate::values::fields::Fields;
use crate::values::{Instant, Value, Verdict};

pub fn advance(turn: &mut Turn, id: NodeId, canary: &Canary) {
    let Some(node) = turn.plan.node(id) else {
        return;
    };
    for &child in &node.children {
        match turn.node(child).life {
            Life::Waiting => {
                if let Some(NodeKind::Stage(stage)) = turn.plan.node(child).map(|n| &n.kind) {
                    begin_stage(turn, child, canary, stage);
                }
                return;
            }
            Life::Running => {
                if let Some(NodeKind::Stage(stage)) = turn.plan.node(child).map(|n| &n.kind) {
                    advance_stage(turn, child, stage);
                }
                let running = turn.node(child).life == Life::Running;
                if let Some(node) = turn.plan.node(child).filter(|_| running) {
                    walk::keep_window(turn, node);
                }
                return;
            }
            Life::Ended => {}
        }
    }
    promote(turn, id, canary);
}

/// Stages come one after the other, in the order of the text.
fn begin_stage(turn: &mut Turn, id: NodeId, canary: &Canary, stage: &Stage) {
    if pause::is_paused(turn.state) || !walk::window_is_open(turn, id) {
        return;
    }
    if freeze::holds_up(turn, id) || !evidence::is_fresh(turn, id) {
        return;
    }
    let Some(release) = metric::step_result(turn.state, canary.step) else {
        let finding = Finding::of(Verdict::Error, "nothing has been released");
        turn.begin(id);
        return policy::trouble(turn, id, &finding);
    };
    turn.begin(id);
    let mut args = Fields::new();
    args.insert("release", release);
    args.insert("weight", ratio(stage.weight));
    args.insert("tolerance", ratio(stage.tolerance));
    if let Some(pods) = stage.pods {
        args.insert("pods", Value::count(i64::from(pods)));
    }
    let key = order(turn, id, canary, CANARY_WEIGHT, args, stage.within_ns);
    turn.node_mut(id).work = Work::Stage(StageWork::Weight(key));
}

fn advance_stage(turn: &mut Turn, id: NodeId, stage: &Stage) {
    let Work::Stage(work) = turn.node(id).work.clone() else {
        // Its release is missing: the policy has been asked.
        return;
    };
    match work {
        StageWork::Weight(key) => {
            if change::carry(turn, id, &key) {
                hold(turn, id, stage, &key);
            }
        }
        StageWork::Holding(holding) => advance_hold(turn, id, stage, holding),
    }
}

/// The weight is achieved: its checks begin, each when its lookback lies behind this moment.
fn hold(turn: &mut Turn, id: NodeId, stage: &Stage, key: &Key) {
    let result = turn
        .state
        .writes
        .get(key)
        .and_then(|write| write.result.clone());
    let achieved = achieved(result);
    let since = turn.now();
    if !is_within(achieved, stage) {
        let text = match achieved {
            Some(achieved) => format!(
                "the weight is {:.1}% where {:.1}% is wanted",
                achieved * 100.0,
                stage.weight.as_f64() * 100.0
            ),
            None => "the weight was not read back".to_owned(),
        };
        return policy::trouble(turn, id, &Finding::of(Verdict::Fail, text));
    }
    if let Some(achieved) = achieved {
        let wanted = stage.weight;
        turn.note(Some(id), NoteKind::Weight { wanted, achieved });
    }
    turn.node_mut(id).work = Work::Stage(StageWork::Holding(Holding {
        since,
        sampler: Sampler::new(since, turn.plan.sample_ns),
        seen_ns: 0,
        seen_at: None,
    }));
    for (child, check) in checks(turn, id) {
        let work = check::work(turn, check);
        turn.begin(child);
        turn.node_mut(child).work = Work::Check(work);
    }
    turn.moved();
}

fn advance_hold(turn: &mut Turn, id: NodeId, stage: &Stage, mut holding: Holding) {
    let extra = holding
        .seen_at
        .map(|at| at.plus(stage.hold_ns - holding.seen_ns));
    if holding.sampler.open.is_none() && turn.due(holding.sampler.next(extra)) {
        holding.sampler.open(turn.state.now, extra);
        turn.moved();
    }
    if let Some(at) = holding.sampler.open_at()
        && judge_all(turn, id, at)
        && have_spoken(turn, at)
    {
        holding.sampler.open = None;
        turn.node_mut(id).work = Work::Stage(StageWork::Holding(holding.clone()));
        weigh(turn, id, stage, holding, at);
    } else {
        turn.node_mut(id).work = Work::Stage(StageWork::Holding(holding));
    }
    for (child, _) in checks(turn, id) {
        if turn.node(child).life == Life::Running {
            policy::lose_patience(turn, child);
        }
    }
    walk::children(turn, id, |kind| !matches!(kind, NodeKind::Check(_)));
}

/// Whether the watches of the instant have spoken; if not, the stage waits for them.
fn have_spoken(turn: &mut Turn, at: Instant) -> bool {
    let spoke = watch::spoke(turn.state, at);
    if !spoke {
        turn.await_watches();
    }
    spoke
}

/// Judges each check of the stage at the instant; true when all have been.
fn judge_all(turn: &mut Turn, id: NodeId, at: Instant) -> bool {
    let mut all = true;
    for (child, check) in checks(turn, id) {
        let Work::Check(mut work) = turn.node(child).work.clone() else {
            continue;
        };
        if turn.node(child).life != Life::Running || at < work.from || is_judged(&work.found, at) {
            continue;
        }
        let open = work.sampler.open.take();
        let mut sample = open.unwrap_or_else(|| Sample::begun(at));
        let asker = check::asker(turn, child, at);
        match judge(turn, child, &check.body, &mut sample, asker) {
            Some(finding) => work.found = Some(Found { at, finding }),
            None => {
                work.sampler.open = Some(sample);
                all = false;
            }
        }
        turn.node_mut(child).work = Work::Check(work);
    }
    all
}

fn is_judged(found: &Option<Found>, at: Instant) -> bool {
    found.as_ref().is_some_and(|found| found.at == at)
}

/// What the sample says for the hold: time counts between two samples at which everything was seen.
fn weigh(turn: &mut Turn, id: NodeId, stage: &Stage, mut holding: Holding, at: Instant) {
    let left_ns = stage.hold_ns - holding.seen_ns;
    let sample = tallied(turn, id, at, left_ns);
    let sight = sample.iter().all(|one| one.found.finding.is_seen());
    heed(turn, sample);
    if turn.state.ending.is_some() {
        return;
    }
    let stands = pause::is_paused(turn.state);
    if sight && let Some(before) = holding.seen_at {
        holding.seen_ns = holding.seen_ns.saturating_add(at.since(before).max(0));
    }
    holding.seen_at = (sight && !stands).then_some(at);
    let seen_ns = holding.seen_ns;
    turn.node_mut(id).work = Work::Stage(StageWork::Holding(holding));
    turn.moved();
    if seen_ns >= stage.hold_ns && sight && !stands {
        conclude(turn, id);
    }
}

/// What a check of the stage found in a sample.
struct Sampled {
    id: NodeId,
    found: Found,
    /// Whether it has failed by it.
    failed: Failed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Failed {
    No,
    Yes,
}

/// What the sample adds to what is known of each check.
fn tallied(turn: &mut Turn, id: NodeId, at: Instant, left_ns: i64) -> Vec<Sampled> {
    let mut sample = Vec::new();
    for (child, check) in checks(turn, id) {
        let Work::Check(mut work) = turn.node(child).work.clone() else {
            continue;
        };
        let Some(found) = work.found.take_if(|found| found.at == at) else {
            continue;
        };
        check::tally(turn, child, check, &mut work, &found);
        let tolerated = check::is_tolerated(turn, child, check, &work);
        turn.node_mut(child).work = Work::Check(work);
        // One that has to hold at the end may fail before, while there is time left for it.
        let early =
            matches!(check.mode, CheckMode::Stage { for_ns } if for_ns > 0 && left_ns >= for_ns);
        let fails = found.finding.verdict == Verdict::Fail && !tolerated && !early;
        sample.push(Sampled {
            id: child,
            found,
            failed: if fails { Failed::Yes } else { Failed::No },
        });
    }
    sample
}

/// Each leads to what its policy says. Where one of them ends the run, the others that failed in this sample are said to have
/// failed, too.
fn heed(turn: &mut Turn, sample: Vec<Sampled>) {
    let failed = sample.iter().filter(|one| one.failed == Failed::Yes);
    let failed: Vec<NodeId> = failed.map(|one| one.id).collect();
    turn.state.asked.extend(failed);
    for one in sample {
        let finding = &one.found.finding;
        let untold = turn.state.asked.remove(&one.id);
        if turn.state.ending.is_some() {
            if untold {
                turn.end(one.id, finding.verdict, finding.words());
                walk::tell_groups(turn, one.id, finding.verdict);
            }
            continue;
        }
        match finding.verdict {
            Verdict::Pass | Verdict::NotApplicable => policy::relieved(turn, one.id),
            Verdict::Fail => {
                policy::seen(turn, one.id);
                if one.failed == Failed::Yes {
                    policy::trouble(turn, one.id, finding);
                }
            }
            _ => policy::unseen(turn, one.id, one.found.at, finding),
        }
    }
}

/// The hold is over: each check passes if it held as long as it has to, and was judged often enough.
fn conclude(turn: &mut Turn, id: NodeId) {
    for (child, check) in checks(turn, id) {
        if turn.node(child).life != Life::Running {
            continue;
        }
        let Work::Check(work) = turn.node(child).work.clone() else {
            continue;
        };
        let finding = last_word(check, &work);
        match finding.verdict.opens() {
            true => turn.end(child, finding.verdict, finding.words()),
            false => policy::trouble(turn, child, &finding),
        }
        if turn.state.ending.is_some() {
            return;
        }
    }
    walk::end_group(turn, id);
}

fn last_word(check: &Check, work: &CheckWork) -> Finding {
    let for_ns = match check.mode {
        CheckMode::Stage { for_ns } => for_ns,
        _ => 0,
    };
    let last = work.last.as_ref().map(|finding| finding.verdict);
    if last == Some(Verdict::NotApplicable) {
        return Finding {
            verdict: Verdict::NotApplicable,
            sight: Sight::Clear,
            reason: None,
        };
    }
    if let Some(open) = work
        .last
        .as_ref()
        .filter(|last| last.verdict == Verdict::Inconclusive)
    {
        return open.clone();
    }
    let samples = check.samples.max(1);
    if work.passes < samples {
        let text = format!("{} of {samples} samples", work.passes);
        return Finding::of(Verdict::Inconclusive, text);
    }
    if work.held_ns < for_ns {
        return Finding::of(Verdict::Fail, "it did not hold for long enough at the end");
    }
    Finding {
        verdict: Verdict::Pass,
        sight: Sight::Clear,
        reason: None,
    }
}

/// After the last stage the new version becomes the only one.
fn promote(turn: &mut Turn, id: NodeId, canary: &Canary) {
    let Work::Canary(mut work) = turn.node(id).work.clone() else {
        return;
    };
    if let Some(key) = &work.promotion {
        if change::carry(turn, id, key) {
            walk::end_group(turn, id);
        }
        return;
    }
    let held_up = pause::is_paused(turn.state) || freeze::holds_up(turn, id);
    if held_up || !evidence::is_fresh(turn, id) {
        return;
    }
    let Some(release) = metric::step_result(turn.state, canary.step) else {
        return;
    };
    let args = Fields::from([("release", release)]);
    let timeout_ns = canary.promote_timeout_ns;
    let key = order(turn, id, canary, CANARY_PROMOTE, args, timeout_ns);
    work.promotion = Some(key);
    turn.node_mut(id).work = Work::Canary(work);
}

fn order(
    turn: &mut Turn,
    id: NodeId,
    canary: &Canary,
    function: &str,
    args: Fields,
    timeout_ns: i64,
) -> Key {
    let key = turn.key(id, function);
    let order = Order {
        key: key.clone(),
        node: id,
        call: Call {
            provider: canary.provider.clone(),
            function: function.to_owned(),
            args,
        },
        timeout_ns,
        at_most_once: AtMostOnce::No,
    };
    write::prepare(turn, order);
    key
}

fn checks<'p>(turn: &Turn<'p>, id: NodeId) -> Vec<(NodeId, &'p Check)> {
    let plan = turn.plan;
    let Some(node) = plan.node(id) else {
        return Vec::new();
    };
    let check = |&child: &NodeId| match &plan.node(child)?.kind {
        NodeKind::Check(check) => Some((child, check)),
        _ => None,
    };
    node.children.iter().filter_map(check).collect()
}

fn ratio(nano: Nano) -> Value {
    Value::Quantity(Quantity::exact(Dim::Ratio, nano.0))
}

fn achieved(result: Option<Value>) -> Option<f64> {
    match result? {
        Value::Record(fields) => fields.get("achieved")?.amount().map(|a| a.as_f64()),
        _ => None,
    }
}

/// To the rounding of a float: a quarter read back is a quarter.
fn is_within(achieved: Option<f64>, stage: &Stage) -> bool {
    const ROUNDING: f64 = 1e-9;
    achieved.is_some_and(|achieved| {
        let off = (achieved - stage.weight.as_f64()).abs();
        off <= stage.tolerance.as_f64() + ROUNDING
    })
}
