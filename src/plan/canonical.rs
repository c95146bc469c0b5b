//! One form for all plans that mean the same: items that are named stand in the order of their names, numbers follow that
//! order, and places in the text are gone.

use crate::plan::expr::{CallExpr, Clause, Expr, Stmt, Template, TemplatePart};
use crate::plan::node::{Node, NodeId, NodeKind, Notice, UndoPlan};
use crate::plan::{
    Action, LocId, MetricSource, NoData, Placement, Plan, Policies, Policy, Setting,
};
use crate::providers::{Place, catalog};
use std::collections::{BTreeMap, HashMap};

/// The plan as its digest sees it. What differs between environments is left out.
pub fn canonical(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    leave_out(&mut plan);
    plan.inputs.sort_by(|a, b| a.name.cmp(&b.name));
    plan.providers.sort_by(|a, b| a.name.cmp(&b.name));
    plan.roles.sort_by(|a, b| a.name.cmp(&b.name));
    let mut numbers = Numbers {
        metrics: sorted(&mut plan.metrics, |metric| metric.name.clone()),
        lets: sorted(&mut plan.lets, |item| item.name.clone()),
        nodes: sorted_nodes(&mut plan),
        places: HashMap::new(),
    };
    renumber(&mut plan, &mut numbers);
    plan
}

/// From the old numbers to the new ones.
struct Numbers {
    metrics: Vec<u32>,
    lets: Vec<u32>,
    nodes: HashMap<NodeId, NodeId>,
    /// Of pauses: which of them share their time is meaning, where they stand is not.
    places: HashMap<LocId, LocId>,
}

const NOWHERE: LocId = LocId(0);

fn leave_out(plan: &mut Plan) {
    for input in &mut plan.inputs {
        input.loc = NOWHERE;
        if input.place == Placement::Varies {
            input.default = None;
        }
    }
    for provider in &mut plan.providers {
        provider.loc = NOWHERE;
        let kind = catalog::find(&provider.kind);
        provider.settings.retain(|name, setting| {
            let declared = kind.and_then(|kind| kind.setting(name));
            let varies = declared.is_some_and(|declared| declared.place == Place::Varies);
            !varies && !matches!(setting, Setting::SecretEnv(_))
        });
    }
}

/// Sorts, and tells the new place of each old one.
fn sorted<T>(items: &mut Vec<T>, key: impl Fn(&T) -> String) -> Vec<u32> {
    let mut tagged: Vec<(usize, T)> = std::mem::take(items).into_iter().enumerate().collect();
    tagged.sort_by_cached_key(|(at, item)| (key(item), *at));
    let mut numbers = vec![0; tagged.len()];
    for (new, (old, item)) in tagged.into_iter().enumerate() {
        if let Some(number) = numbers.get_mut(old) {
            *number = u32::try_from(new).unwrap_or(u32::MAX);
        }
        items.push(item);
    }
    numbers
}

/// Phases by their names, each with what is in it in the order of the text; then the checks of the rollback.
fn sorted_nodes(plan: &mut Plan) -> HashMap<NodeId, NodeId> {
    let mut tops: Vec<(bool, String, NodeId)> = plan
        .nodes
        .iter()
        .filter(|node| node.parent.is_none())
        .map(|node| {
            let is_phase = matches!(node.kind, NodeKind::Phase);
            (!is_phase, node.path.clone(), node.id)
        })
        .collect();
    tops.sort();
    let mut numbers = HashMap::new();
    let mut order = Vec::with_capacity(plan.nodes.len());
    let mut open: Vec<NodeId> = tops.into_iter().rev().map(|(_, _, id)| id).collect();
    while let Some(id) = open.pop() {
        let new = NodeId(u32::try_from(order.len()).unwrap_or(u32::MAX));
        if numbers.insert(id, new).is_some() {
            continue;
        }
        order.push(id);
        if let Some(node) = plan.node(id) {
            open.extend(node.children.iter().rev());
        }
    }
    let mut by_id: BTreeMap<NodeId, Node> = std::mem::take(&mut plan.nodes)
        .into_iter()
        .map(|node| (node.id, node))
        .collect();
    plan.nodes = order.iter().filter_map(|id| by_id.remove(id)).collect();
    numbers
}

fn renumber(plan: &mut Plan, numbers: &mut Numbers) {
    for node in &mut plan.nodes {
        numbers.node(node);
    }
    for metric in &mut plan.metrics {
        metric.loc = NOWHERE;
        if let MetricSource::Derived(expr) = &mut metric.source {
            numbers.expr(expr);
        }
    }
    for item in &mut plan.lets {
        item.loc = NOWHERE;
        numbers.expr(&mut item.value);
    }
    for order in &mut plan.orders {
        order.loc = NOWHERE;
        for phase in &mut order.phases {
            numbers.id(phase);
        }
    }
    for watch in &mut plan.watches {
        watch.loc = NOWHERE;
        numbers.id(&mut watch.from);
        numbers.id(&mut watch.to);
        if let Some(NoData { actions, loc, .. }) = &mut watch.no_data {
            *loc = NOWHERE;
            numbers.actions(actions);
        }
        for rule in &mut watch.rules {
            rule.loc = NOWHERE;
            numbers.expr(&mut rule.condition);
            numbers.actions(&mut rule.actions);
        }
    }
    if let Some(rollback) = &mut plan.rollback {
        rollback.loc = NOWHERE;
        if let Some((from, to)) = &mut rollback.during {
            numbers.id(from);
            numbers.id(to);
        }
        for notice in &mut rollback.notices {
            numbers.notice(notice);
        }
        for verify in &mut rollback.verify {
            numbers.id(verify);
        }
    }
    for handler in &mut plan.handlers {
        handler.loc = NOWHERE;
        numbers.notice(&mut handler.notice);
    }
}

impl Numbers {
    fn id(&self, id: &mut NodeId) {
        *id = self.nodes.get(id).copied().unwrap_or(*id);
    }

    fn node(&mut self, node: &mut Node) {
        node.loc = NOWHERE;
        self.id(&mut node.id);
        if let Some(parent) = &mut node.parent {
            self.id(parent);
        }
        for child in &mut node.children {
            self.id(child);
        }
        for edge in &mut node.after {
            edge.loc = NOWHERE;
            self.id(&mut edge.from);
        }
        node.after.sort_by_key(|edge| edge.from);
        self.policies(&mut node.policies);
        match &mut node.kind {
            NodeKind::When(condition) => self.expr(condition),
            NodeKind::Check(check) => self.stmts(&mut check.body),
            NodeKind::Step(step) => {
                self.call(&mut step.call);
                self.stmts(&mut step.post);
                if let UndoPlan::Written { call, .. } = &mut step.undo {
                    self.call(call);
                }
            }
            NodeKind::Canary(canary) => self.id(&mut canary.step),
            NodeKind::Notify(notice) => self.notice(notice),
            NodeKind::Phase
            | NodeKind::Section
            | NodeKind::Parallel
            | NodeKind::Stage(_)
            | NodeKind::ConfirmGroup
            | NodeKind::Confirm(_)
            | NodeKind::Approve(_)
            | NodeKind::Hold { .. }
            | NodeKind::Every { .. } => {}
        }
    }

    fn policies(&mut self, policies: &mut Policies) {
        let Policies {
            fail,
            fails: _,
            error,
            inconclusive,
            no_data,
        } = policies;
        let silent = no_data.as_mut().map(|(_, policy)| policy);
        for policy in [fail.as_mut(), error.as_mut(), inconclusive.as_mut(), silent] {
            self.policy(policy);
        }
    }

    fn policy(&mut self, policy: Option<&mut Policy>) {
        let mut at = policy;
        while let Some(Policy::Pause { then, place, .. } | Policy::Extend { then, place, .. }) = at
        {
            let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
            *place = *self.places.entry(*place).or_insert(LocId(next));
            at = Some(then);
        }
    }

    fn actions(&mut self, actions: &mut [Action]) {
        for action in actions {
            match action {
                Action::Rollback => {}
                Action::Pause { then, .. } => self.policy(Some(then)),
                Action::Notify(notice) => self.notice(notice),
            }
        }
    }

    fn notice(&mut self, notice: &mut Notice) {
        for (_, arg) in &mut notice.args {
            self.expr(arg);
        }
        self.template(&mut notice.text);
    }

    fn template(&mut self, template: &mut Template) {
        for part in &mut template.parts {
            if let TemplatePart::Expr(expr) = part {
                self.expr(expr);
            }
        }
    }

    fn stmts(&mut self, stmts: &mut [Stmt]) {
        for stmt in stmts {
            match stmt {
                Stmt::Let { value, .. } => self.expr(value),
                Stmt::Expect(Clause { condition, loc, .. }) => {
                    *loc = NOWHERE;
                    self.expr(condition);
                }
                Stmt::Against(comparison) => {
                    comparison.loc = NOWHERE;
                    self.expr(&mut comparison.measured);
                    self.expr(&mut comparison.baseline);
                }
                Stmt::When { condition, body } => {
                    self.expr(condition);
                    self.stmts(body);
                }
            }
        }
    }

    fn call(&mut self, call: &mut CallExpr) {
        call.loc = NOWHERE;
        for (_, arg) in &mut call.args {
            self.expr(arg);
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Literal(_)
            | Expr::Input(_)
            | Expr::Element { .. }
            | Expr::HasElement { .. }
            | Expr::Local(_)
            | Expr::Word(_) => {}
            Expr::Let(index) => *index = renumbered(&self.lets, *index),
            Expr::Metric { metric, .. } => *metric = renumbered(&self.metrics, *metric),
            Expr::Node { node, .. } => self.id(node),
            Expr::Call(call) => self.call(call),
            Expr::Field(inner, _)
            | Expr::Not(inner)
            | Expr::Negate(inner)
            | Expr::Aggregate(_, inner)
            | Expr::Narrow { json: inner, .. } => self.expr(inner),
            Expr::Binary(left, _, right) => {
                self.expr(left);
                self.expr(right);
            }
            Expr::Compare(first, rest) => {
                self.expr(first);
                for (_, operand) in rest {
                    self.expr(operand);
                }
            }
            Expr::List(items) => items.iter_mut().for_each(|item| self.expr(item)),
            Expr::Map(entries) => entries.iter_mut().for_each(|(_, value)| self.expr(value)),
            Expr::Template(template) => self.template(template),
        }
    }
}

fn renumbered(numbers: &[u32], old: u32) -> u32 {
    numbers.get(old as usize).copied().unwrap_or(old)
}
