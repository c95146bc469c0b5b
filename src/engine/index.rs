//! What the engine looks up in a plan again and again, found once per run.

use crate::engine::ahead;
use crate::engine::metric::{self, Scopes};
use crate::engine::question::Wanted;
use crate::plan::node::{Node, NodeId, NodeKind};
use crate::plan::{Plan, Provider, Setting, Watch};
use crate::providers::catalog;
use crate::units::amount::Amount;
use crate::values::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Default)]
pub struct Index {
    nodes: Vec<Place>,
    /// Watches that begin or end with a node.
    watches: BTreeMap<NodeId, Vec<u32>>,
    watch_count: u32,
    /// Nodes whose evidence can expire.
    expiring: Vec<NodeId>,
    metric_names: Vec<Arc<str>>,
    /// What each metric asks where it is not narrowed to a scope; `None` of one that is derived.
    queries: Vec<Option<Wanted>>,
    /// Of each rule of each watch.
    rules: Vec<Vec<RuleReads>>,
    /// Of each provider, how long a read may take.
    read_timeouts: Vec<(String, i64)>,
}

/// Where nothing is written and the kind of the provider is not known.
const READ_TIMEOUT_NS: i64 = 10_000_000_000;

/// What the condition of a rule reads.
#[derive(Debug)]
pub struct RuleReads {
    pub scopes: Scopes,
    /// See [`ahead::metrics`].
    pub ahead: Option<Vec<u32>>,
}

#[derive(Clone, Debug)]
struct Place {
    /// Its numbers when the tree is walked: before what is in it, and after. `None` for what a run forward does not come to.
    span: Option<(u32, u32)>,
    parent: Option<NodeId>,
    /// The canary around it, which carries it; else the node itself.
    carrier: NodeId,
    /// Nodes with an edge from this one, one entry for each edge.
    followers: Vec<NodeId>,
}

impl Index {
    /// `roots` in their order; what hangs on none of them is never walked.
    pub fn of(plan: &Plan, roots: &[NodeId]) -> Index {
        let mut index = Index {
            nodes: plan.nodes.iter().map(Place::of).collect(),
            watches: BTreeMap::new(),
            watch_count: u32::try_from(plan.watches.len()).unwrap_or(u32::MAX),
            expiring: plan
                .nodes
                .iter()
                .filter(|node| can_expire(node))
                .map(|node| node.id)
                .collect(),
            metric_names: plan
                .metrics
                .iter()
                .map(|metric| metric.name.as_str().into())
                .collect(),
            queries: plan
                .metrics
                .iter()
                .map(|metric| Some(Wanted::new(metric::unscoped(metric)?)))
                .collect(),
            read_timeouts: plan
                .providers
                .iter()
                .map(|provider| (provider.name.clone(), read_timeout_ns(provider)))
                .collect(),
            rules: plan
                .watches
                .iter()
                .map(|watch| rules(plan, watch))
                .collect(),
        };
        for node in &plan.nodes {
            for edge in &node.after {
                if let Some(place) = index.nodes.get_mut(edge.from.0 as usize) {
                    place.followers.push(node.id);
                }
            }
        }
        for (watch, of_plan) in (0u32..).zip(&plan.watches) {
            for end in [of_plan.from, of_plan.to] {
                index.watches.entry(end).or_default().push(watch);
            }
        }
        index.number(plan, roots);
        index
    }

    pub fn watch_count(&self) -> u32 {
        self.watch_count
    }

    pub fn carrier(&self, id: NodeId) -> NodeId {
        self.place(id).map_or(id, |place| place.carrier)
    }

    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.place(id)?.parent
    }

    pub fn span(&self, id: NodeId) -> Option<(u32, u32)> {
        self.place(id)?.span
    }

    pub fn followers(&self, id: NodeId) -> &[NodeId] {
        self.place(id).map_or(&[], |place| &place.followers)
    }

    pub fn watches_at(&self, id: NodeId) -> &[u32] {
        self.watches.get(&id).map_or(&[], Vec::as_slice)
    }

    pub fn expiring(&self) -> &[NodeId] {
        &self.expiring
    }

    pub fn metric_name(&self, metric: u32) -> Option<&Arc<str>> {
        self.metric_names.get(metric as usize)
    }

    pub fn query(&self, metric: u32) -> Option<&Wanted> {
        self.queries.get(metric as usize)?.as_ref()
    }

    pub fn rule(&self, watch: u32, rule: u32) -> Option<&RuleReads> {
        self.rules.get(watch as usize)?.get(rule as usize)
    }

    pub fn read_timeout_ns(&self, provider: &str) -> i64 {
        let mut known = self.read_timeouts.iter();
        let found = known.find(|(name, _)| name == provider);
        found.map_or(READ_TIMEOUT_NS, |(_, timeout_ns)| *timeout_ns)
    }

    fn place(&self, id: NodeId) -> Option<&Place> {
        self.nodes.get(id.0 as usize)
    }

    /// Without recursion, so that no depth of a plan is too much.
    fn number(&mut self, plan: &Plan, roots: &[NodeId]) {
        let mut next = 0;
        let mut open: Vec<Step> = roots.iter().rev().map(|id| Step::In(*id, None)).collect();
        while let Some(step) = open.pop() {
            next += 1;
            match step {
                Step::In(id, around) => {
                    let Some(node) = plan.node(id) else {
                        continue;
                    };
                    let is_canary = matches!(node.kind, NodeKind::Canary(_));
                    let inside = around.or(is_canary.then_some(id));
                    if let Some(place) = self.nodes.get_mut(id.0 as usize) {
                        place.span = Some((next, next));
                        place.carrier = inside.unwrap_or(id);
                    }
                    open.push(Step::Out(id));
                    let children = node.children.iter().rev();
                    open.extend(children.map(|child| Step::In(*child, inside)));
                }
                Step::Out(id) => {
                    if let Some(place) = self.nodes.get_mut(id.0 as usize) {
                        place.span = place.span.map(|(before, _)| (before, next));
                    }
                }
            }
        }
    }
}

enum Step {
    In(NodeId, Option<NodeId>),
    Out(NodeId),
}

impl Place {
    fn of(node: &Node) -> Place {
        Place {
            span: None,
            parent: node.parent,
            carrier: node.id,
            followers: Vec::new(),
        }
    }
}

fn read_timeout_ns(provider: &Provider) -> i64 {
    let written = match provider.settings.get("timeout") {
        Some(Setting::Value(Value::Quantity(quantity))) => match quantity.amount {
            Amount::Exact(nano) => i64::try_from(nano.0).ok(),
            Amount::Measured(_) => None,
        },
        _ => None,
    };
    let usual = || catalog::find(&provider.kind).map(|kind| kind.timeout_ns);
    written.or_else(usual).unwrap_or(READ_TIMEOUT_NS)
}

fn rules(plan: &Plan, watch: &Watch) -> Vec<RuleReads> {
    let reads = watch.rules.iter().map(|rule| RuleReads {
        scopes: metric::scopes_of(plan, &rule.condition),
        ahead: ahead::metrics(plan, &rule.condition),
    });
    reads.collect()
}

/// Whether what the node found is worth something for a time only.
pub fn can_expire(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Approve(gate) => gate.expires_ns.is_some(),
        NodeKind::Check(_) | NodeKind::Confirm(_) => node.expires_ns.is_some(),
        _ => false,
    }
}
