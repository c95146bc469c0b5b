//! What an item that has not ended waits for: others, an answer, a time, samples, a change.

use crate::causes::chain::{Evidence, Link, Tie, words};
use crate::causes::item::{answers, find, head, name, why};
use crate::causes::sampled::{guilty, of_clauses, questions, reads_at, samples};
use crate::causes::trace::Trace;
use crate::causes::{change, ending, run};
use crate::engine::pause::Cause;
use crate::engine::state::{Life, NodeState, StageWork, Ticking, Work};
use crate::engine::view::address;
use crate::engine::{pause, people};
use crate::plan::deps;
use crate::plan::node::{Edge, EdgeWhy, Node, NodeId, NodeKind};
use crate::units::show::duration_ns;
use crate::values::{Instant, show};

/// An item that runs. A group waits for what runs in it.
pub fn running(trace: &Trace, node: &Node, state: &NodeState) -> Link {
    let since = state
        .started
        .map(|at| format!("is running, since {}", trace.time(at)));
    let link = head(node, &since.unwrap_or_default());
    if trace.state.outcome.is_some() {
        return link.with([words("the run ended meanwhile")]);
    }
    if let Some(paused) = ending::standing(trace, Cause::Node(node.id)) {
        return head(node, "is waited for").at(state.started).from([paused]);
    }
    let open = node.children.iter().filter_map(|id| find(trace, *id));
    let open = open.filter(|(_, child)| child.life == Life::Running);
    // The checks of a stage run as long as it holds: those that pass are not what it waits for.
    let is_stage = matches!(node.kind, NodeKind::Stage(_));
    let open = open.filter(|(child, _)| !is_stage || !guilty(trace, child).is_empty());
    let open = open.map(|(child, state)| running(trace, child, state).tied(Tie::Part));
    let open: Vec<Link> = open.collect();
    let link = link.with(left(trace, node, state));
    match open.is_empty() {
        false => link.from(open),
        true => doing(trace, node, state, link),
    }
}

/// An item that has not begun.
pub fn waiting(trace: &Trace, node: &Node) -> Link {
    let state = &trace.state;
    if let Some(over) = &state.ending {
        let link = head(node, "was never reached");
        return link.from([run::ended(trace, over)]);
    }
    if state.outcome.is_some() {
        return head(node, "was never reached");
    }
    let link = head(node, "waits");
    if let Some((parent, above)) = node.parent.and_then(|id| find(trace, id))
        && above.life == Life::Waiting
    {
        return link.from([waiting(trace, parent)]);
    }
    let blocked: Vec<Link> = node
        .after
        .iter()
        .filter_map(|edge| blocked(trace, edge))
        .collect();
    if !blocked.is_empty() {
        return link.from(blocked);
    }
    if let Some(window) = node.window.filter(|window| trace.now < window.from) {
        return link.with([until("its window begins at", trace, window.from)]);
    }
    if let Some(window) = trace.plan.window.filter(|window| trace.now < window.from) {
        return link.with([until(
            "the window of the plan begins at",
            trace,
            window.from,
        )]);
    }
    if pause::is_paused(state) {
        return link.from(pauses(trace));
    }
    let parent = node.parent.and_then(|id| find(trace, id));
    match parent {
        Some((parent, state)) => {
            let what = left(trace, parent, state);
            let said = format!("its turn comes in {}", name(parent));
            link.with([words(said)]).with(what)
        }
        None => link,
    }
}

/// Everything that stands still, and why.
pub fn pauses(trace: &Trace) -> Vec<Link> {
    let causes = trace.state.pauses.iter().map(|pause| pause.cause);
    causes
        .filter_map(|cause| ending::standing(trace, cause))
        .collect()
}

fn blocked(trace: &Trace, edge: &Edge) -> Option<Link> {
    let (from, state) = find(trace, edge.from)?;
    if state.ended_open() {
        return None;
    }
    let way = match edge.why {
        EdgeWhy::Order => "by the order of the plan",
        EdgeWhy::After => "as its `after` says",
        EdgeWhy::Data => "as it reads what that gives",
        EdgeWhy::Effect => "as a change waits for what stands above it",
        EdgeWhy::Barrier => "with a `hold` between them",
    };
    let what = format!("it comes after {}, {way}", name(from));
    Some(
        Link::new(what)
            .loc(Some(edge.loc))
            .from([why(trace, edge.from)]),
    )
}

/// What a leaf is about.
fn doing(trace: &Trace, node: &Node, state: &NodeState, link: Link) -> Link {
    let link = link.with(change::under_way(trace, node.id).map(words));
    match &node.kind {
        NodeKind::Confirm(_) | NodeKind::Approve(_) => asks(trace, node, state, link),
        NodeKind::Step(_) => link.with(change::tries(trace, node.id)),
        NodeKind::Stage(_) => link,
        _ => newest(trace, node, link),
    }
}

fn newest(trace: &Trace, node: &Node, link: Link) -> Link {
    let bad = guilty(trace, node);
    let shown = if bad.is_empty() {
        of_clauses(trace, node)
    } else {
        bad
    };
    let links = shown.iter().map(|(loc, shots)| {
        let last = shots.last().map(|shot| &shot.sampled);
        let text = last.map_or("", |last| &*last.text);
        let verdict = last.map_or("not judged", |last| show::word(last.verdict));
        let at = last.map(|last| last.at);
        let reads = reads_at(trace.plan, node, *loc);
        let asked = at
            .map(|at| questions(trace, &reads, at))
            .unwrap_or_default();
        let link = Link::new(format!("`{text}`: {verdict}"))
            .at(at)
            .loc(Some(*loc));
        link.with(samples(shots)).with(asked)
    });
    let links: Vec<Link> = links.collect();
    link.from(links)
}

/// For whom, until when, and how it is answered.
fn asks(trace: &Trace, node: &Node, state: &NodeState, link: Link) -> Link {
    let Work::Gate(gate) = &state.work else {
        return link;
    };
    let (verb, roles, within_ns, missing) = match &node.kind {
        NodeKind::Confirm(confirm) => ("confirm", &confirm.roles, confirm.within_ns, 1),
        NodeKind::Approve(approve) => {
            let missing = people::missing(approve, gate, trace.now);
            ("approve", &approve.roles, approve.within_ns, missing)
        }
        _ => return link,
    };
    let who = match (missing, roles.len()) {
        (0 | 1, _) => format!("it waits for {}", roles.join(" or ")),
        (missing, _) => format!("it waits for {missing} more of {}", roles.join(", ")),
    };
    let members = trace
        .plan
        .roles
        .iter()
        .filter(|role| roles.contains(&role.name));
    let members = members.filter(|role| !role.members.is_empty());
    let members = members.map(|role| words(format!("{}: {}", role.name, role.members.join(", "))));
    let role = if roles.len() > 1 { " --as ROLE" } else { "" };
    let command = format!("deployc {verb} {} {}{role}", trace.run(), address(node));
    link.with([words(who)])
        .with(members)
        .with([until(
            "an answer counts until",
            trace,
            gate.asked.plus(within_ns),
        )])
        .with(answers(state))
        .with([Evidence::Command(command)])
}

/// Time that has to pass.
fn left(trace: &Trace, node: &Node, state: &NodeState) -> Option<Evidence> {
    match (&node.kind, &state.work) {
        (NodeKind::Hold { ns }, Work::Hold(clock)) => {
            let end = clock.reaches(*ns);
            Some(match end {
                Some(end) => until("it holds until", trace, end),
                None => words("its time stands still in a pause"),
            })
        }
        (NodeKind::Stage(stage), Work::Stage(StageWork::Holding(holding))) => {
            let (whole, seen) = (duration_ns(stage.hold_ns), duration_ns(holding.seen_ns));
            Some(words(format!("it holds: {seen} of {whole} were seen")))
        }
        (NodeKind::Every { period_ns, ticks }, Work::Every(every)) => {
            let done = format!("{} of {ticks} times done", every.done);
            let next = period_ns.saturating_mul(i64::from(every.done) + 1);
            let next = every
                .clock
                .reaches(next)
                .filter(|_| every.ticking == Ticking::No);
            let next = next.map(|at| format!(", the next at {}", trace.time(at)));
            Some(words(format!("{done}{}", next.unwrap_or_default())))
        }
        _ => None,
    }
}

fn until(what: &str, trace: &Trace, end: Instant) -> Evidence {
    let left_ns = end.since(trace.now);
    let until = trace.time(end);
    match left_ns > 0 {
        true => {
            let left = duration_ns(ending::whole_seconds(left_ns));
            words(format!("{what} {until}, in {left}"))
        }
        false => words(format!("{what} {until}, which is past")),
    }
}

/// The innermost items that run; a stage stands for what is in it.
pub fn innermost(trace: &Trace) -> Vec<NodeId> {
    let runs = |id: &NodeId| find(trace, *id).is_some_and(|(_, state)| state.life == Life::Running);
    let is_stage = |node: &Node| matches!(node.kind, NodeKind::Stage(_));
    let in_stage = |node: &Node| {
        let above = deps::with_parents(trace.plan, node.id);
        let mut above = above.iter().skip(1).filter_map(|id| trace.plan.node(*id));
        above.any(is_stage)
    };
    let nodes = trace.plan.nodes.iter().filter(|node| runs(&node.id));
    let leaves = nodes.filter(|node| is_stage(node) || !node.children.iter().any(runs));
    let leaves = leaves.filter(|node| !in_stage(node));
    leaves.map(|node| node.id).collect()
}
