//! Signatures that are worth nothing any more when what they allow begins.

use crate::analyze::order::check::name;
use crate::analyze::places::Places;
use crate::analyze::timing::budget::sum;
use crate::analyze::timing::line::{Line, Way};
use crate::diagnostics::codes::timing::SIGNATURE_EXPIRES;
use crate::diagnostics::{Diagnostic, Severity};
use crate::plan::graph::Point;
use crate::plan::node::{Approve, Node, NodeId, NodeKind, Quorum};
use crate::units::show::duration_ns;

pub fn check(line: &Line<'_>, places: &Places) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in &line.plan.nodes {
        let NodeKind::Approve(approve) = &node.kind else {
            continue;
        };
        let Some(expires_ns) = approve.expires_ns else {
            continue;
        };
        found.extend(alone(places, node, approve, expires_ns));
        let uses = uses(line, node);
        let always = uses.iter().copied().find(|used| {
            let gap = line.shortest(Point::End(node.id), Point::Start(used.id));
            gap.is_some_and(|gap| gap > expires_ns)
        });
        if let Some(used) = always {
            found.push(too_late(places, node, used, expires_ns));
            continue;
        }
        let oldest = uses
            .into_iter()
            .filter_map(|used| Some((age(line, node, approve, used.id)?, used)))
            .max_by_key(|(way, _)| way.ns);
        if let Some((way, used)) = oldest.filter(|(way, _)| way.ns > expires_ns) {
            found.push(may_be_late(line, places, node, used, &way, expires_ns));
        }
    }
    found
}

/// The changes that an approval lets through: up to the next approval, which looks at everything again.
fn uses<'a>(line: &Line<'a>, gate: &Node) -> Vec<&'a Node> {
    let after = line.graph.reach(Point::End(gate.id));
    let later = |node: &&Node| after.has(Point::Start(node.id));
    let gates: Vec<NodeId> = line
        .plan
        .nodes
        .iter()
        .filter(later)
        .filter(|node| matches!(node.kind, NodeKind::Approve(_)))
        .map(|node| node.id)
        .collect();
    let behind: Vec<_> = gates
        .iter()
        .map(|gate| line.graph.reach(Point::End(*gate)))
        .collect();
    line.plan
        .nodes
        .iter()
        .filter(later)
        .filter(|node| matches!(node.kind, NodeKind::Step(_) | NodeKind::Canary(_)))
        .filter(|node| {
            !behind
                .iter()
                .any(|behind| behind.has(Point::Start(node.id)))
        })
        .collect()
}

/// How old the first signature of a gate can be when `used` starts.
///
/// A gate of one person is over when it is signed. Where several sign, the first may do so at once and the last at the end;
/// and other gates beside it may still be waited for.
fn age(line: &Line<'_>, gate: &Node, approve: &Approve, used: NodeId) -> Option<Way> {
    let alone = matches!(approve.quorum, Quorum::People(0 | 1));
    let free = alone.then_some(gate.id);
    let used = Point::Start(used);
    let before = line.graph.before(Point::Start(gate.id));
    let ways = before.filter_map(|before| line.longest(Some(before), Some(used), free));
    let mut oldest = ways.min_by_key(|way| way.ns)?;
    let signed_ns = line
        .earliest()
        .get(Point::Start(gate.id).index())
        .copied()?;
    for (window, opens_ns) in line.openings() {
        if !line.graph.ends_before(gate.id, *window) {
            continue;
        }
        if let Some(mut way) = line.longest(Some(Point::Start(*window)), Some(used), None) {
            way.ns = way.ns.saturating_add(*opens_ns).saturating_sub(signed_ns);
            if way.ns > oldest.ns {
                oldest = way;
            }
        }
    }
    Some(oldest)
}

fn alone(places: &Places, node: &Node, approve: &Approve, expires_ns: i64) -> Option<Diagnostic> {
    let several = !matches!(approve.quorum, Quorum::People(0 | 1));
    if !several || approve.within_ns <= expires_ns {
        return None;
    }
    let message = format!(
        "the first signature of {} can expire before the last is given",
        name(node)
    );
    Some(
        Diagnostic::new(&SIGNATURE_EXPIRES, places.span(node.loc), message)
            .label(format!(
                "waits up to {}, a signature is worth something for {}",
                duration_ns(approve.within_ns),
                duration_ns(expires_ns)
            ))
            .help("let it wait for less, or expire later"),
    )
}

fn too_late(places: &Places, gate: &Node, used: &Node, expires_ns: i64) -> Diagnostic {
    let message = format!(
        "a signature of {} has always expired when {} starts",
        name(gate),
        name(used)
    );
    let mut diagnostic = Diagnostic::new(&SIGNATURE_EXPIRES, places.span(gate.loc), message)
        .label(format!("worth something for {}", duration_ns(expires_ns)))
        .and(
            places.span(used.loc),
            "starts later than that, at the earliest",
        )
        .help("sign later, or let the signature be worth something for longer");
    diagnostic.severity = Severity::Error;
    diagnostic
}

fn may_be_late(
    line: &Line<'_>,
    places: &Places,
    gate: &Node,
    used: &Node,
    way: &Way,
    expires_ns: i64,
) -> Diagnostic {
    let message = format!(
        "a signature of {} can be {} old when {} starts, and expires after {}",
        name(gate),
        duration_ns(way.ns),
        name(used),
        duration_ns(expires_ns)
    );
    let diagnostic = Diagnostic::new(&SIGNATURE_EXPIRES, places.span(gate.loc), message)
        .and(places.span(used.loc), "what it allows")
        .help("sign later, or let the signature be worth something for longer");
    match way.parts.is_empty() {
        true => diagnostic,
        false => diagnostic.note(sum(line.plan, &way.parts)),
    }
}
