//! Evidence that expires: what judging it again takes, and whether it can be worth something for long enough at all.

use crate::analyze::order::check::name;
use crate::analyze::places::Places;
use crate::analyze::timing::durations;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::timing::EVIDENCE_EXPIRES;
use crate::plan::node::{Node, NodeId, NodeKind};
use crate::plan::{Plan, deps};
use crate::units::show::duration_ns;

/// Everything that a gate rests on is judged again within the time that the shortest-lived of it is worth something:
/// otherwise the first would be too old again when the last has been judged, and the plan would never end.
pub fn check(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let mut found: Vec<(NodeId, Diagnostic)> = Vec::new();
    if !expires(plan) {
        return Vec::new();
    }
    for gate in plan.nodes.iter().filter(|node| rests_on_evidence(node)) {
        let evidence = evidence(plan, gate.id);
        let whole_ns = sum_ns(plan, &evidence);
        for node in evidence {
            let Some(expires_ns) = node.expires_ns.filter(|expires| *expires <= whole_ns) else {
                continue;
            };
            if !found.iter().any(|(known, _)| *known == node.id) {
                found.push((node.id, too_short(places, node, gate, expires_ns, whole_ns)));
            }
        }
    }
    found
        .into_iter()
        .map(|(_, diagnostic)| diagnostic)
        .collect()
}

/// How long a node may wait for its evidence to be judged again.
pub fn again_ns(plan: &Plan, node: &Node) -> i64 {
    if !rests_on_evidence(node) || !expires(plan) {
        return 0;
    }
    let once_ns = sum_ns(plan, &evidence(plan, node.id));
    match node.kind {
        // Before it is asked, and before it opens.
        NodeKind::Approve(_) => once_ns.saturating_mul(2),
        _ => once_ns,
    }
}

fn expires(plan: &Plan) -> bool {
    plan.nodes.iter().any(|node| node.expires_ns.is_some())
}

fn rests_on_evidence(node: &Node) -> bool {
    matches!(
        node.kind,
        NodeKind::Step(_) | NodeKind::Canary(_) | NodeKind::Stage(_) | NodeKind::Approve(_)
    )
}

/// Checks and confirmations that expire, among what the node waits for.
fn evidence(plan: &Plan, id: NodeId) -> Vec<&Node> {
    deps::waits_for(plan, id)
        .into_iter()
        .filter_map(|source| plan.node(source))
        .filter(|node| node.expires_ns.is_some())
        .collect()
}

fn sum_ns(plan: &Plan, evidence: &[&Node]) -> i64 {
    let each = evidence.iter().map(|node| match &node.kind {
        NodeKind::Check(check) => durations::of_check(plan, node, check).longest_ns,
        NodeKind::Confirm(confirm) => confirm.within_ns,
        _ => 0,
    });
    each.fold(0, i64::saturating_add)
}

fn too_short(
    places: &Places,
    node: &Node,
    gate: &Node,
    expires_ns: i64,
    whole_ns: i64,
) -> Diagnostic {
    let message = format!(
        "the evidence of {} expires after {}, and judging all that {} rests on can take {}",
        name(node),
        duration_ns(expires_ns),
        name(gate),
        duration_ns(whole_ns)
    );
    Diagnostic::new(&EVIDENCE_EXPIRES, places.span(node.loc), message)
        .label(format!("worth something for {}", duration_ns(expires_ns)))
        .help("let it be worth something for longer, or let less time be taken for what expires")
        .note("the first could be too old again when the last has been judged, and so on for ever")
}
