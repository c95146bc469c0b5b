//! What the plan promises about its own order, read from the plan alone: which gates stand before a change, which of them a
//! policy may let through, which changes stay.

use crate::plan::deps;
use crate::plan::expr::Expr;
use crate::plan::node::{Canary, Node, NodeId, NodeKind, UndoPlan};
use crate::plan::walk;
use crate::plan::{Plan, Policy};

#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// By [`NodeId`]: the checks, confirmations and approvals that have to open before the node may change anything.
    pub before: Vec<Vec<NodeId>>,
    /// All gates that have to open before the run succeeds.
    pub all: Vec<NodeId>,
    /// Steps and canaries that have to be there when the run succeeds.
    pub changes: Vec<NodeId>,
    /// By [`NodeId`]: whether a policy may let it through without a pass.
    pub may_warn: Vec<bool>,
    /// By [`NodeId`]: the `when`s around it, the innermost first.
    pub whens: Vec<Vec<NodeId>>,
    /// By [`NodeId`]: what it is inside of, itself first.
    pub around: Vec<Vec<NodeId>>,
    pub verify: Vec<NodeId>,
    /// By [`NodeId`]: of checks, the items whose data they read.
    pub reads: Vec<Vec<NodeId>>,
}

impl Ledger {
    pub fn new(plan: &Plan) -> Ledger {
        let verify: Vec<NodeId> = plan
            .rollback
            .iter()
            .flat_map(|r| r.verify.clone())
            .collect();
        let nodes = || plan.nodes.iter();
        let counts = |node: &&Node| !verify.contains(&node.id) && !is_repeated(plan, node.id);
        let is_change = |node: &&Node| matches!(node.kind, NodeKind::Step(_) | NodeKind::Canary(_));
        let around: Vec<Vec<NodeId>> = nodes().map(|n| deps::with_parents(plan, n.id)).collect();
        let is_when = |id: &&NodeId| {
            let kind = plan.node(**id).map(|node| &node.kind);
            matches!(kind, Some(NodeKind::When(_)))
        };
        let whens = around.iter();
        Ledger {
            before: nodes().map(|node| before(plan, node)).collect(),
            all: nodes()
                .filter(|node| is_gate(node))
                .filter(counts)
                .map(|n| n.id)
                .collect(),
            changes: nodes()
                .filter(is_change)
                .filter(counts)
                .map(|n| n.id)
                .collect(),
            may_warn: nodes().map(may_warn).collect(),
            whens: whens
                .map(|ids| ids.iter().filter(is_when).copied().collect())
                .collect(),
            around,
            reads: nodes().map(|node| reads(plan, node)).collect(),
            verify,
        }
    }

    pub fn gates_before(&self, id: NodeId) -> &[NodeId] {
        self.before.get(id.0 as usize).map_or(&[], Vec::as_slice)
    }

    pub fn may_warn(&self, id: NodeId) -> bool {
        self.may_warn.get(id.0 as usize).copied().unwrap_or(false)
    }

    pub fn whens_of(&self, id: NodeId) -> &[NodeId] {
        self.whens.get(id.0 as usize).map_or(&[], Vec::as_slice)
    }

    pub fn reads(&self, id: NodeId) -> &[NodeId] {
        self.reads.get(id.0 as usize).map_or(&[], Vec::as_slice)
    }

    pub fn around(&self, id: NodeId) -> &[NodeId] {
        self.around.get(id.0 as usize).map_or(&[], Vec::as_slice)
    }
}

/// Whether the plan says that a change stays after a rollback.
pub fn stays(plan: &Plan, id: NodeId) -> bool {
    let kind = plan.node(id).map(|node| &node.kind);
    matches!(kind, Some(NodeKind::Step(step)) if matches!(step.undo, UndoPlan::Keep { .. }))
}

/// The canary that moves what the step has released dark.
pub fn canary_of(plan: &Plan, step: NodeId) -> Option<(&Node, &Canary)> {
    let mut nodes = plan.nodes.iter();
    nodes.find_map(|node| match &node.kind {
        NodeKind::Canary(canary) if canary.step == step => Some((node, canary)),
        _ => None,
    })
}

pub fn stages(plan: &Plan, canary: &Node) -> Vec<NodeId> {
    let is_stage = |id: &&NodeId| {
        let kind = plan.node(**id).map(|node| &node.kind);
        matches!(kind, Some(NodeKind::Stage(_)))
    };
    canary.children.iter().filter(is_stage).copied().collect()
}

fn reads(plan: &Plan, node: &Node) -> Vec<NodeId> {
    match &node.kind {
        NodeKind::Check(check) => {
            let reads = walk::reads(plan, walk::of_stmts(&check.body));
            reads.nodes.into_iter().map(|(id, _)| id).collect()
        }
        _ => Vec::new(),
    }
}

fn is_gate(node: &Node) -> bool {
    matches!(
        node.kind,
        NodeKind::Check(_) | NodeKind::Confirm(_) | NodeKind::Approve(_)
    )
}

/// What is inside an `every` is carried out again and again, and lets the run go on in any case.
fn is_repeated(plan: &Plan, id: NodeId) -> bool {
    let around = deps::with_parents(plan, id);
    let mut kinds = around.iter().skip(1).filter_map(|id| plan.node(*id));
    kinds.any(|node| matches!(node.kind, NodeKind::Every { .. }))
}

/// Everything the node waits for; a stage also waits for the stages before it, the promotion for all of them.
fn before(plan: &Plan, node: &Node) -> Vec<NodeId> {
    let mut sources = deps::waits_for(plan, node.id);
    let earlier = match (&node.kind, node.parent.and_then(|id| plan.node(id))) {
        (NodeKind::Stage(_), Some(canary)) => {
            let mut stages = stages(plan, canary);
            stages.retain(|id| *id < node.id);
            stages
        }
        (NodeKind::Canary(_), _) => stages(plan, node),
        _ => Vec::new(),
    };
    for stage in earlier {
        sources.extend(deps::subtree(plan, stage));
    }
    let known = |id: &NodeId| plan.node(*id).is_some_and(is_gate) && !is_repeated(plan, *id);
    sources.into_iter().filter(known).collect()
}

fn may_warn(node: &Node) -> bool {
    node.policies.written().any(warns)
}

fn warns(policy: &Policy) -> bool {
    match policy {
        Policy::Warn => true,
        Policy::Pause { then, .. } | Policy::Extend { then, .. } => warns(then),
        Policy::Stop | Policy::Rollback => false,
    }
}

/// Whether the node is a copy for an element of a list.
pub fn is_copy(node: &Node) -> bool {
    matches!(node.kind, NodeKind::When(Expr::HasElement { .. }))
}
