//! Where a plan may pause, and for how long in all. A pause ends: its time is a total for the place that wrote it.

use crate::analyze::order::data::is_verify;
use crate::plan::facts::{Pause, PausePlace};
use crate::plan::graph::{Graph, Point};
use crate::plan::node::{Node, NodeId, NodeKind};
use crate::plan::{Action, DEFAULT_PAUSE_NS, Plan, Policies, Policy, Watch};
use std::collections::BTreeMap;

pub fn pauses(plan: &Plan) -> Vec<Pause> {
    let mut found = Found::default();
    for node in plan.nodes.iter().filter(|node| may_pause(plan, node)) {
        found.policies(&node.policies, node.id);
    }
    for (watch_at, watch) in (0..).zip(&plan.watches) {
        found.watch(watch_at, watch);
    }
    let pauses = found.places.into_iter();
    pauses
        .map(|(place, (ns, nodes))| Pause { place, ns, nodes })
        .collect()
}

/// Those that can still come at or after `from` (all, if there is none) and before `to` has come.
pub fn between<'a>(
    graph: &Graph,
    pauses: &'a [Pause],
    from: Option<Point>,
    to: Option<Point>,
) -> Vec<&'a Pause> {
    let past = from.map(|from| graph.origins(from));
    let future = to.map(|to| graph.reach(to));
    let between = |node: &NodeId| {
        let over = past
            .as_ref()
            .is_some_and(|past| past.has(Point::End(*node)));
        let later = future
            .as_ref()
            .is_some_and(|future| future.has(Point::Start(*node)));
        !over && !later
    };
    let counted = |pause: &&Pause| pause.ns > 0 && pause.nodes.iter().any(between);
    pauses.iter().filter(counted).collect()
}

#[derive(Default)]
struct Found {
    places: BTreeMap<PausePlace, (i64, Vec<NodeId>)>,
}

impl Found {
    fn policies(&mut self, policies: &Policies, node: NodeId) {
        for policy in policies.written() {
            self.policy(policy, node);
        }
        if policies.error.is_none() || policies.inconclusive.is_none() {
            self.add(PausePlace::Default, DEFAULT_PAUSE_NS, node);
        }
    }

    /// Each pause of a chain has its own time: `pause up to 10m then extend up to 5m then stop`.
    fn policy(&mut self, policy: &Policy, node: NodeId) {
        let mut totals: BTreeMap<PausePlace, i64> = BTreeMap::new();
        let mut at = Some(policy);
        while let Some(
            Policy::Pause {
                up_to_ns,
                then,
                place,
            }
            | Policy::Extend {
                up_to_ns,
                then,
                place,
            },
        ) = at
        {
            let total = totals.entry(PausePlace::Written(*place)).or_default();
            *total = total.saturating_add(*up_to_ns);
            at = Some(then);
        }
        for (place, ns) in totals {
            self.add(place, ns, node);
        }
    }

    fn watch(&mut self, watch_at: u32, watch: &Watch) {
        let rules = (0..)
            .map(Some)
            .zip(watch.rules.iter().map(|rule| &rule.actions));
        let blind = watch.no_data.iter().map(|no_data| (None, &no_data.actions));
        for (rule, actions) in rules.chain(blind) {
            for action in actions {
                let Action::Pause { up_to_ns, then, .. } = action else {
                    continue;
                };
                let place = PausePlace::Watch {
                    watch: watch_at,
                    rule,
                };
                // It is over when both ends of its range are.
                for node in [watch.from, watch.to] {
                    self.add(place.clone(), *up_to_ns, node);
                    self.policy(then, node);
                }
            }
        }
    }

    fn add(&mut self, place: PausePlace, ns: i64, node: NodeId) {
        let (known, nodes) = self.places.entry(place).or_default();
        *known = ns.max(*known);
        if nodes.last() != Some(&node) {
            nodes.push(node);
        }
    }
}

/// Groups hand their policies on to what is in them; messages and holds cannot fail; a rollback is never paused.
fn may_pause(plan: &Plan, node: &Node) -> bool {
    let judged = match &node.kind {
        NodeKind::Check(_)
        | NodeKind::Step(_)
        | NodeKind::Canary(_)
        | NodeKind::Stage(_)
        | NodeKind::When(_)
        | NodeKind::Confirm(_)
        | NodeKind::Approve(_) => true,
        NodeKind::Phase
        | NodeKind::Section
        | NodeKind::Parallel
        | NodeKind::ConfirmGroup
        | NodeKind::Hold { .. }
        | NodeKind::Every { .. }
        | NodeKind::Notify(_) => false,
    };
    judged && !is_verify(plan, node.id)
}
