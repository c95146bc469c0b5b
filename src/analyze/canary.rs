//! Whether the stages of a canary have what they are compared with.

use crate::analyze::order::check::name;
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::canary::BASELINE_GONE;
use crate::plan::Plan;
use crate::plan::expr::Scope;
use crate::plan::node::{Node, NodeKind};
use crate::plan::walk::{of_node, reads};
use crate::units::amount::NANO;

pub fn check(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let whole = |node: &&Node| match &node.kind {
        NodeKind::Stage(stage) => stage.weight.0 >= NANO,
        _ => false,
    };
    let stages = plan.nodes.iter().filter(whole);
    stages
        .filter_map(|stage| baseline(plan, places, stage))
        .collect()
}

/// At 100% the old version gets no requests, so nothing can be compared with it.
fn baseline(plan: &Plan, places: &Places, stage: &Node) -> Option<Diagnostic> {
    let node = stage
        .children
        .iter()
        .filter_map(|id| plan.node(*id))
        .find(|node| {
            let reads = reads(plan, of_node(node));
            let judged = matches!(node.kind, NodeKind::Check(_));
            judged
                && reads
                    .metrics
                    .iter()
                    .any(|(_, scope)| *scope == Scope::Stable)
        })?;
    let message = format!(
        "{} compares with a version that gets no requests any more",
        name(node)
    );
    Some(
        Diagnostic::new(&BASELINE_GONE, places.span(node.loc), message)
            .label("reads `stable.`")
            .and(
                places.span(stage.loc),
                "all of the traffic is on the new version",
            )
            .help("compare in an earlier stage; here, write a bound"),
    )
}

#[cfg(test)]
mod tests {
    use crate::analyze::canary::check;
    use crate::analyze::places::Places;
    use crate::plan::draft::{Draft, MINUTE_NS, compare, metric};
    use crate::plan::expr::Scope;
    use crate::plan::node::CheckMode;
    use crate::syntax::ast::CompareOp;
    use crate::units::Dim;

    #[test]
    fn at_the_end_there_is_no_baseline() {
        let with = |percent, scope| {
            let mut draft = Draft::blank();
            draft.metric("error_rate", Dim::Ratio);
            let phase = draft.phase("rollout");
            let step = draft.step(phase, "release", "api");
            let canary = draft.canary(phase, "canary", step);
            let stage = draft.stage(canary, percent, MINUTE_NS);
            let worse = compare(metric(0, Scope::Canary), CompareOp::Le, metric(0, scope));
            draft.check_of(stage, "errors", CheckMode::Stage { for_ns: 0 }, worse);
            check(&draft.plan, &Places::default()).len()
        };
        assert_eq!(with(50, Scope::Stable), 0);
        assert_eq!(with(100, Scope::Stable), 1);
        assert_eq!(with(100, Scope::All), 0);
    }
}
