//! Items: why one ended as it did, or has not.

use crate::causes::chain::{Evidence, Link, words};
use crate::causes::sampled::{guilty, of_clauses, questions, reads_at, samples};
use crate::causes::trace::{Shot, Trace};
use crate::causes::{change, run, waits};
use crate::engine::pause::Cause;
use crate::engine::people::Gate;
use crate::engine::protocol::{Answer, EventKind};
use crate::engine::state::{Life, NodeState, Passage, Work};
use crate::plan::node::{CheckMode, Node, NodeId, NodeKind};
use crate::plan::walk::reads;
use crate::plan::{LocId, deps};
use crate::units::show::duration_ns;
use crate::values::{Instant, Verdict, show};

pub fn why(trace: &Trace, id: NodeId) -> Link {
    let Some((node, state)) = find(trace, id) else {
        return Link::new("the run has not begun");
    };
    match (state.life, state.verdict) {
        (Life::Ended, Some(verdict)) => ended(trace, node, state, verdict),
        (Life::Ended, None) => head(node, "ended without a verdict").at(state.ended),
        (Life::Running, _) => waits::running(trace, node, state),
        (Life::Waiting, _) => waits::waiting(trace, node),
    }
}

/// What is wrong at an item that made the run pause, stop or go back.
pub fn trouble(trace: &Trace, id: NodeId) -> Link {
    let Some((node, state)) = find(trace, id) else {
        return Link::new("an item was in trouble");
    };
    match state.life {
        Life::Ended => why(trace, id),
        _ => {
            let pause = trace.pause_of(Cause::Node(id), trace.now);
            let verdict = pause.map(|old| old.pause.verdict);
            let verdict = verdict.or(state.blind.as_ref().map(|blind| blind.finding.verdict));
            let word = verdict.map_or("in trouble", show::word);
            let reason = pause.map(|old| old.pause.reason.clone());
            proven(
                trace,
                head(node, &format!("is {word}")),
                node,
                state,
                reason,
            )
        }
    }
}

/// Items that the end of the run cut short at this moment, the innermost.
pub fn interrupted(trace: &Trace, at: Instant) -> Vec<Link> {
    let cut = |node: &&Node| {
        let state = trace.state.nodes.get(node.id.0 as usize);
        node.children.is_empty()
            && state.is_some_and(|state| {
                state.ended == Some(at) && state.verdict == Some(Verdict::Cancelled)
            })
    };
    let found = trace.plan.nodes.iter().filter(cut).take(CUT_MAX);
    let link = |node: &Node| {
        let started = trace.state.nodes.get(node.id.0 as usize);
        let started = started.and_then(|state| state.started);
        let link = head(node, "was under way").at(started);
        let shots = of_clauses(trace, node);
        link.with(shots.iter().flat_map(|(_, shots)| samples(shots)))
    };
    found.map(link).collect()
}

const CUT_MAX: usize = 5;

/// `rollout/stage-50 "50% Traffic"`
pub fn name(node: &Node) -> String {
    match &node.title {
        Some(title) => format!("{} \"{title}\"", node.path),
        None => node.path.clone(),
    }
}

pub fn head(node: &Node, what: &str) -> Link {
    Link::new(format!("{} {what}", name(node))).loc(Some(node.loc))
}

pub fn find<'t>(trace: &'t Trace, id: NodeId) -> Option<(&'t Node, &'t NodeState)> {
    let state = trace.state.nodes.get(id.0 as usize)?;
    Some((trace.plan.node(id)?, state))
}

fn ended(trace: &Trace, node: &Node, state: &NodeState, verdict: Verdict) -> Link {
    let what = match (verdict, state.passage) {
        (Verdict::Pass, _) => "passed".to_owned(),
        (Verdict::Fail, Passage::Warned) => "failed, and was let through with a warning".to_owned(),
        (Verdict::Fail, _) => "failed".to_owned(),
        (verdict, Passage::Warned) => {
            format!(
                "is {}, and was let through with a warning",
                show::word(verdict)
            )
        }
        (verdict, _) => format!("is {}", show::word(verdict)),
    };
    let link = head(node, &what).at(state.ended);
    let reason = state.reason.clone();
    match verdict {
        Verdict::Cancelled => link.from(cancelled(trace, node, state)),
        Verdict::Skipped => skipped(trace, node, link, reason),
        Verdict::NotApplicable => not_applicable(trace, node, link, reason),
        _ => {
            let cut = cut_short(trace, state);
            let inside = culprits(trace, node, verdict);
            match (inside.is_empty(), cut) {
                (false, _) => link.from(inside),
                (true, Some(cut)) => link.from([cut]),
                (true, None) => proven(trace, link, node, state, reason),
            }
        }
    }
}

/// A group is as its worst child.
fn culprits(trace: &Trace, node: &Node, verdict: Verdict) -> Vec<Link> {
    let is_group = !matches!(node.kind, NodeKind::Check(_) | NodeKind::Step(_));
    let bad = [Verdict::Fail, Verdict::Error, Verdict::Inconclusive];
    if !is_group || !bad.contains(&verdict) {
        return Vec::new();
    }
    let children = node.children.iter();
    let guilty = children.filter(|id| {
        let state = trace.state.nodes.get(id.0 as usize);
        state.is_some_and(|state| state.verdict == Some(verdict))
    });
    guilty.map(|id| why(trace, *id)).collect()
}

/// What proves how it is: samples, answers, tries.
pub fn proven(
    trace: &Trace,
    link: Link,
    node: &Node,
    state: &NodeState,
    reason: Option<String>,
) -> Link {
    match &node.kind {
        NodeKind::Check(check) => {
            let link = judged(trace, link, node, state);
            let link = link.with(mode_words(&check.mode).map(words));
            match link.evidence.is_empty() && link.because.is_empty() {
                true => link.with(reason.map(words)),
                false => link,
            }
        }
        NodeKind::Step(_) => {
            let link = link.with(reason.map(words));
            let link = link.with(change::tries(trace, node.id));
            judged(trace, link, node, state)
        }
        NodeKind::Stage(_) | NodeKind::Canary(_) => {
            let link = link.with(reason.map(words));
            link.with(change::tries(trace, node.id))
        }
        NodeKind::Confirm(_) | NodeKind::Approve(_) => {
            let link = link.with(reason.map(words));
            link.with(answers(state))
        }
        _ => link.with(reason.map(words)),
    }
}

/// Each clause that is to blame; each at its newest sample where none is.
fn judged(trace: &Trace, mut link: Link, node: &Node, state: &NodeState) -> Link {
    let bad = guilty(trace, node);
    if let Some(blind) = &state.blind {
        let since = trace.time(blind.since);
        link = link.with([words(format!("without sight since {since}"))]);
    }
    if bad.is_empty() {
        let all = of_clauses(trace, node);
        let newest = all.iter().flat_map(|(_, shots)| samples(shots));
        return link.with(newest.collect::<Vec<_>>());
    }
    let links = bad
        .iter()
        .map(|(loc, shots)| clause(trace, node, *loc, shots));
    let links: Vec<Link> = links.collect();
    link.from(links)
}

fn clause(trace: &Trace, node: &Node, loc: LocId, shots: &[&Shot]) -> Link {
    let last = shots.last().map(|shot| &shot.sampled);
    let text = last.map_or("", |last| &*last.text);
    let link = match last.map(|last| last.verdict) {
        Some(Verdict::Fail) => Link::new(format!("`{text}` did not hold")),
        _ => Link::new(format!("`{text}` could not be judged")),
    };
    let at = last.map(|last| last.at);
    let link = link.at(at).loc(Some(loc)).with(samples(shots));
    let reads = reads_at(trace.plan, node, loc);
    let asked = at.map(|at| questions(trace, &reads, at));
    link.with(asked.unwrap_or_default())
}

fn mode_words(mode: &CheckMode) -> Option<String> {
    match mode {
        CheckMode::Once => None,
        CheckMode::Within { ns } => Some(format!("it had {} to pass", duration_ns(*ns))),
        CheckMode::For { ns } => Some(format!("it has to hold for {}", duration_ns(*ns))),
        CheckMode::Stage { for_ns: 0 } => None,
        CheckMode::Stage { for_ns } => {
            let span = duration_ns(*for_ns);
            Some(format!(
                "it has to have held for {span} at the end of its stage"
            ))
        }
    }
}

/// What people said at a gate.
pub fn answers(state: &NodeState) -> Vec<Evidence> {
    let Work::Gate(Gate { asked, answers }) = &state.work else {
        return Vec::new();
    };
    let asked = Evidence::Moment {
        at: *asked,
        words: "asked".to_owned(),
    };
    let said = answers.iter().map(|said| {
        let words = match &said.answer {
            Answer::Yes { note: None } => "yes".to_owned(),
            Answer::Yes { note: Some(note) } => format!("yes: {note}"),
            Answer::No { reason } => format!("no: {reason}"),
        };
        Evidence::Moment {
            at: said.at,
            words: format!("{} as {}: {words}", said.by.user, said.role),
        }
    });
    std::iter::once(asked).chain(said).collect()
}

/// With the run, or with what it belongs to.
fn cancelled(trace: &Trace, node: &Node, state: &NodeState) -> Vec<Link> {
    if let Some(cut) = cut_short(trace, state) {
        return vec![cut];
    }
    let parents = deps::with_parents(trace.plan, node.id);
    let parents = parents.iter().skip(1).filter_map(|id| find(trace, *id));
    let mut ended = parents.filter(|(_, parent)| {
        parent.life == Life::Ended
            && parent.ended == state.ended
            && parent.verdict != Some(Verdict::Cancelled)
    });
    match ended.next() {
        Some((parent, _)) => vec![why(trace, parent.id)],
        None => {
            let reason = state.reason.clone();
            vec![Link::new(reason.unwrap_or_default()).at(state.ended)]
        }
    }
}

/// The end of the run, where it is what ended this.
fn cut_short(trace: &Trace, state: &NodeState) -> Option<Link> {
    let ended = trace.state.ending.as_ref()?;
    let with_it = state.ended == Some(ended.since) && state.reason.as_ref() == Some(&ended.cause);
    with_it.then(|| run::ended(trace, ended))
}

/// A person went on past it.
fn skipped(trace: &Trace, node: &Node, link: Link, reason: Option<String>) -> Link {
    let at = link.at;
    let said = trace
        .events
        .iter()
        .rev()
        .find_map(|event| match &event.kind {
            EventKind::Continued { by, reason, .. } if Some(event.at) == at => {
                let words = format!("{} on {} went on past it: {reason}", by.user, by.host);
                Some(Evidence::Moment {
                    at: event.at,
                    words,
                })
            }
            _ => None,
        });
    let Some(said) = said else {
        return link.with(reason.map(words));
    };
    let pause = at.and_then(|at| trace.pause_of(Cause::Node(node.id), at));
    let pause = pause.map(|old| {
        let what = format!("the run was paused at it: {}", old.pause.reason);
        let link = Link::new(what).at(Some(old.pause.since));
        guilty(trace, node).iter().fold(link, |link, (loc, shots)| {
            link.from([clause(trace, node, *loc, shots)])
        })
    });
    link.with([said]).from(pause)
}

/// A condition was false, or the run has no such element.
fn not_applicable(trace: &Trace, node: &Node, link: Link, reason: Option<String>) -> Link {
    let above = deps::with_parents(trace.plan, node.id);
    let when = above
        .into_iter()
        .filter_map(|id| find(trace, id))
        .find_map(|(node, state)| match &node.kind {
            NodeKind::When(condition) if state.verdict == Some(Verdict::NotApplicable) => {
                Some((node, state, condition))
            }
            _ => None,
        });
    let Some((when, state, condition)) = when.filter(|_| reason.is_none()) else {
        return link.with(reason.map(words));
    };
    let at = match &state.work {
        Work::When(sampler) => sampler.last,
        _ => None,
    };
    let because = Link::new("its condition did not hold")
        .at(at)
        .loc(Some(when.loc));
    let asked = at.map(|at| questions(trace, &reads(trace.plan, [condition]), at));
    link.from([because.with(asked.unwrap_or_default())])
}
