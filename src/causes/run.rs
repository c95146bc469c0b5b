//! The run as a whole: why it ended as it did, goes back, stands still, or what it waits for.

use crate::causes::chain::{Evidence, Link, Tie, words};
use crate::causes::trace::Trace;
use crate::causes::{change, ending, item, waits};
use crate::engine::ending::{Ending, How};
use crate::engine::pause;
use crate::engine::protocol::RunOutcome;
use crate::engine::rollback::{Rollback, Standing, Unit, Verifying};
use crate::engine::state::{Life, Passage};
use crate::plan::node::{Node, NodeId};
use crate::values::Verdict;

pub fn why(trace: &Trace) -> Link {
    let state = &trace.state;
    let Some(run) = &state.run else {
        return Link::new("the run was never started: nothing was asked or changed");
    };
    match (state.outcome, &state.ending) {
        (Some(RunOutcome::Succeeded), _) => succeeded(trace),
        (Some(outcome), Some(ended)) => over(trace, outcome, ended),
        (Some(_), None) => Link::new("the run ended"),
        (None, Some(ended)) => leaving(trace, ended),
        (None, None) if pause::is_paused(state) => {
            let mut pauses = waits::pauses(trace);
            match pauses.len() {
                1 => pauses.swap_remove(0),
                _ => Link::new("the run is paused").from(pauses),
            }
        }
        (None, None) => {
            let running = waits::innermost(trace);
            let link = Link::new("the run goes on, and this is under way");
            let link = link.with([words(format!("it started at {}", trace.time(run.started)))]);
            let window = trace.plan.window.filter(|window| trace.now < window.from);
            let link = link.with(window.map(|window| {
                words(format!(
                    "the window of the plan begins at {}",
                    trace.time(window.from)
                ))
            }));
            let running = running.into_iter().map(|id| item::why(trace, id));
            link.from(running.map(|link| link.tied(Tie::Part)))
        }
    }
}

/// That the run goes no further, as the cause of something else.
pub fn ended(trace: &Trace, ended: &Ending) -> Link {
    let what = match ended.how {
        How::Stop => "the run stopped",
        How::Rollback(_) => "the run went back",
    };
    Link::new(what)
        .at(Some(ended.since))
        .from([ending::why(trace, ended)])
}

/// Everything opened; what opened without a pass is said.
fn succeeded(trace: &Trace) -> Link {
    let let_through = |node: &&Node| {
        let state = trace.state.nodes.get(node.id.0 as usize);
        node.children.is_empty()
            && state.is_some_and(|state| {
                state.passage == Passage::Warned || state.verdict == Some(Verdict::Skipped)
            })
    };
    let open = trace.plan.nodes.iter().filter(let_through);
    let open: Vec<Link> = open.map(|node| item::why(trace, node.id)).collect();
    let words = words(match open.is_empty() {
        true => "every item passed or did not apply",
        false => "every item opened, but not all of them passed",
    });
    let link = Link::new("the run succeeded").at(Some(trace.state.now));
    link.with([words]).from(open)
}

fn over(trace: &Trace, outcome: RunOutcome, ended: &Ending) -> Link {
    let what = match outcome {
        RunOutcome::Succeeded => "the run succeeded",
        RunOutcome::Stopped => "the run stopped",
        RunOutcome::RolledBack => "the run was rolled back",
        RunOutcome::RollbackIncomplete => "the run was rolled back, and not all of it went back",
    };
    let link = Link::new(what)
        .at(Some(ended.since))
        .with(undone(trace, ended));
    let left = left_over(trace, ended);
    link.from([ending::why(trace, ended)]).from(left)
}

fn leaving(trace: &Trace, ended: &Ending) -> Link {
    let (what, doing) = match &ended.how {
        How::Stop => ("the run stops", change_words(trace)),
        How::Rollback(rollback) => match rollback.verifying {
            Verifying::NotYet => ("the run is going back", change_words(trace)),
            Verifying::Begun => ("the run is verifying its rollback", Vec::new()),
        },
    };
    let link = Link::new(what).at(Some(ended.since)).with(doing);
    let verifying = trace.plan.rollback.iter().flat_map(|plan| &plan.verify);
    let verifying = verifying.filter_map(|id| item::find(trace, *id));
    let verifying = verifying.filter(|(_, state)| state.life == Life::Running);
    let verifying = verifying.map(|(node, _)| item::why(trace, node.id));
    let verifying: Vec<Link> = verifying.collect();
    let link = link.from([ending::why(trace, ended)]);
    link.from(left_over(trace, ended)).from(verifying)
}

fn change_words(trace: &Trace) -> Vec<Evidence> {
    let mut nodes: Vec<NodeId> = trace
        .state
        .writes
        .values()
        .map(|write| write.node)
        .collect();
    nodes.dedup();
    let under_way = nodes.into_iter().filter_map(|id| {
        let doing = change::under_way(trace, id)?;
        let name = trace.plan.node(id).map(item::name)?;
        Some(words(format!("{name}: {doing}")))
    });
    under_way.collect()
}

fn undone(trace: &Trace, ended: &Ending) -> Option<Evidence> {
    let rollback = rollback(ended)?;
    let is_done = |unit: &&Unit| unit.standing == Standing::Done;
    let done = rollback.units.iter().filter(is_done);
    let names = done.filter_map(|unit| trace.plan.node(unit.node).map(item::name));
    let names: Vec<String> = names.collect();
    (!names.is_empty()).then(|| words(format!("undone: {}", names.join(", "))))
}

/// What is not as it was, and why.
fn left_over(trace: &Trace, ended: &Ending) -> Vec<Link> {
    let Some(rollback) = rollback(ended) else {
        return Vec::new();
    };
    let units = rollback
        .units
        .iter()
        .filter_map(|unit| match &unit.standing {
            Standing::Left(why) => Some((unit.node, why)),
            _ => None,
        });
    let units = units.filter_map(|(id, why)| {
        let link = item::head(trace.plan.node(id)?, "was not undone");
        let link = link.with([words(why.clone())]);
        Some(link.with(change::tries(trace, id)))
    });
    let mut links: Vec<Link> = units.collect();
    let checks = trace.plan.rollback.iter().flat_map(|plan| &plan.verify);
    let bad = [Verdict::Fail, Verdict::Error, Verdict::Inconclusive];
    let unproven = checks.filter(|id| {
        let verdict = item::find(trace, **id).and_then(|(_, state)| state.verdict);
        verdict.is_some_and(|verdict| bad.contains(&verdict))
    });
    links.extend(unproven.map(|id| item::why(trace, *id)));
    links
}

fn rollback(ended: &Ending) -> Option<&Rollback> {
    match &ended.how {
        How::Rollback(rollback) => Some(rollback),
        How::Stop => None,
    }
}
