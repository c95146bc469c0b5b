//! Fragments become one plan: ids get their offsets, names their nodes, equal places one id.

use crate::analyze::context::{Fragment, name_of, own_let};
use crate::analyze::places::Places;
use crate::plan::expr::{CallExpr, Clause, Expr, Stmt, Template, TemplatePart};
use crate::plan::node::{Node, NodeId, NodeKind, Notice, UndoPlan};
use crate::plan::{
    Action, Handler, Input, Let, LocId, Metric, MetricSource, Order, Plan, Policies, Policy,
    Provider, Rollback, Watch,
};
use crate::resolve::names::DeclId;
use crate::source::Span;
use rustc_hash::FxHashMap;

/// What an item becomes beside its nodes.
pub enum Product {
    Nothing,
    Input(Input),
    Provider(Provider),
    Role(crate::plan::Role),
    Metric(Metric),
    Let(Let),
    Order(Order),
    Watch(Watch),
    Rollback(Rollback),
    Handler(Handler),
}

/// One item, analysed.
pub struct Piece {
    pub fragment: Fragment,
    pub product: Product,
}

/// Puts the pieces into a plan that has everything but them.
pub fn link(mut plan: Plan, pieces: Vec<Piece>) -> (Plan, Places) {
    let mut interned = Interned::default();
    let mut offsets = Vec::new();
    let mut names = FxHashMap::default();
    let mut nodes = 0;
    let mut lets = pieces
        .iter()
        .filter(|piece| matches!(piece.product, Product::Let(_)))
        .count();
    for piece in &pieces {
        let own = &piece.fragment;
        offsets.push((nodes, lets));
        for (decl, node) in &own.named {
            names.insert(*decl, NodeId(node.0.saturating_add(number(nodes))));
        }
        nodes += own.nodes.len();
        lets += own.lets.len();
    }
    plan.nodes.reserve_exact(nodes);
    let mut of_fragments = Vec::new();
    for (piece, (nodes, lets)) in pieces.into_iter().zip(offsets) {
        let linker = Linker {
            nodes: number(nodes),
            lets: number(lets),
            locs: piece
                .fragment
                .places
                .iter()
                .map(|span| interned.add(*span))
                .collect(),
            names: &names,
        };
        add(&mut plan, &mut of_fragments, piece, &linker);
    }
    plan.lets.extend(of_fragments);
    (plan, interned.places)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[derive(Default)]
struct Interned {
    places: Places,
    known: FxHashMap<Span, LocId>,
}

impl Interned {
    fn add(&mut self, span: Span) -> LocId {
        let places = &mut self.places;
        *self.known.entry(span).or_insert_with(|| places.add(span))
    }
}

fn add(plan: &mut Plan, lets: &mut Vec<Let>, piece: Piece, linker: &Linker<'_>) {
    let Fragment {
        nodes,
        lets: own_lets,
        files,
        ..
    } = piece.fragment;
    for mut node in nodes {
        linker.node(&mut node);
        plan.nodes.push(node);
    }
    for mut own in own_lets {
        linker.expr(&mut own.value);
        linker.loc(&mut own.loc);
        lets.push(own);
    }
    plan.files.extend(files);
    match piece.product {
        Product::Nothing => {}
        Product::Input(mut input) => {
            linker.loc(&mut input.loc);
            plan.inputs.push(input);
        }
        Product::Provider(mut provider) => {
            linker.loc(&mut provider.loc);
            plan.providers.push(provider);
        }
        Product::Role(role) => plan.roles.push(role),
        Product::Metric(mut metric) => {
            linker.loc(&mut metric.loc);
            if let MetricSource::Derived(expr) = &mut metric.source {
                linker.expr(expr);
            }
            plan.metrics.push(metric);
        }
        Product::Let(mut own) => {
            linker.expr(&mut own.value);
            linker.loc(&mut own.loc);
            plan.lets.push(own);
        }
        Product::Order(mut order) => {
            linker.loc(&mut order.loc);
            for phase in &mut order.phases {
                linker.id(phase);
            }
            plan.orders.push(order);
        }
        Product::Watch(mut watch) => {
            linker.watch(&mut watch);
            plan.watches.push(watch);
        }
        Product::Rollback(mut rollback) => {
            linker.rollback(&mut rollback);
            plan.rollback = Some(rollback);
        }
        Product::Handler(mut handler) => {
            linker.loc(&mut handler.loc);
            linker.notice(&mut handler.notice);
            plan.handlers.push(handler);
        }
    }
}

/// From the ids of one fragment to those of the plan.
struct Linker<'n> {
    nodes: u32,
    lets: u32,
    locs: Vec<LocId>,
    names: &'n FxHashMap<DeclId, NodeId>,
}

/// Stands for a name whose item could not be lowered; such a plan has errors and is only drawn.
const NOWHERE: NodeId = NodeId(u32::MAX);

impl Linker<'_> {
    fn id(&self, id: &mut NodeId) {
        *id = match name_of(*id) {
            Some(decl) => self.names.get(&decl).copied().unwrap_or(NOWHERE),
            None => NodeId(id.0.saturating_add(self.nodes)),
        };
    }

    fn loc(&self, loc: &mut LocId) {
        *loc = self.locs.get(loc.0 as usize).copied().unwrap_or(LocId(0));
    }

    fn node(&self, node: &mut Node) {
        self.id(&mut node.id);
        if let Some(parent) = &mut node.parent {
            self.id(parent);
        }
        for child in &mut node.children {
            self.id(child);
        }
        for edge in &mut node.after {
            self.id(&mut edge.from);
            self.loc(&mut edge.loc);
        }
        node.after.retain(|edge| edge.from != NOWHERE);
        self.policies(&mut node.policies);
        self.loc(&mut node.loc);
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

    fn watch(&self, watch: &mut Watch) {
        self.id(&mut watch.from);
        self.id(&mut watch.to);
        self.loc(&mut watch.loc);
        if let Some(no_data) = &mut watch.no_data {
            self.loc(&mut no_data.loc);
            self.actions(&mut no_data.actions);
        }
        for rule in &mut watch.rules {
            self.expr(&mut rule.condition);
            self.loc(&mut rule.loc);
            self.actions(&mut rule.actions);
        }
    }

    fn rollback(&self, rollback: &mut Rollback) {
        if let Some((from, to)) = &mut rollback.during {
            self.id(from);
            self.id(to);
        }
        for notice in &mut rollback.notices {
            self.notice(notice);
        }
        for verify in &mut rollback.verify {
            self.id(verify);
        }
        self.loc(&mut rollback.loc);
    }

    fn actions(&self, actions: &mut [Action]) {
        for action in actions {
            match action {
                Action::Rollback => {}
                Action::Pause { then, .. } => self.policy(then),
                Action::Notify(notice) => self.notice(notice),
            }
        }
    }

    fn policies(&self, policies: &mut Policies) {
        let Policies {
            fail,
            fails: _,
            error,
            inconclusive,
            no_data,
        } = policies;
        let plain = [fail, error, inconclusive].into_iter().flatten();
        let silent = no_data.iter_mut().map(|(_, policy)| policy);
        for policy in plain.chain(silent) {
            self.policy(policy);
        }
    }

    fn policy(&self, policy: &mut Policy) {
        match policy {
            Policy::Stop | Policy::Rollback | Policy::Warn => {}
            Policy::Pause { then, place, .. } | Policy::Extend { then, place, .. } => {
                self.loc(place);
                self.policy(then);
            }
        }
    }

    fn notice(&self, notice: &mut Notice) {
        for (_, arg) in &mut notice.args {
            self.expr(arg);
        }
        self.template(&mut notice.text);
    }

    fn stmts(&self, stmts: &mut [Stmt]) {
        for stmt in stmts {
            match stmt {
                Stmt::Let { value, .. } => self.expr(value),
                Stmt::Expect(Clause { condition, loc, .. }) => {
                    self.expr(condition);
                    self.loc(loc);
                }
                Stmt::Against(comparison) => {
                    self.expr(&mut comparison.measured);
                    self.expr(&mut comparison.baseline);
                    self.loc(&mut comparison.loc);
                }
                Stmt::When { condition, body } => {
                    self.expr(condition);
                    self.stmts(body);
                }
            }
        }
    }

    fn call(&self, call: &mut CallExpr) {
        for (_, arg) in &mut call.args {
            self.expr(arg);
        }
        self.loc(&mut call.loc);
    }

    fn template(&self, template: &mut Template) {
        for part in &mut template.parts {
            if let TemplatePart::Expr(expr) = part {
                self.expr(expr);
            }
        }
    }

    fn expr(&self, expr: &mut Expr) {
        match expr {
            Expr::Literal(_)
            | Expr::Input(_)
            | Expr::Element { .. }
            | Expr::HasElement { .. }
            | Expr::Local(_)
            | Expr::Metric { .. }
            | Expr::Word(_) => {}
            Expr::Let(index) => {
                if let Some(own) = own_let(*index) {
                    *index = own.saturating_add(self.lets);
                }
            }
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
                for (_, side) in rest {
                    self.expr(side);
                }
            }
            Expr::List(items) => {
                for item in items {
                    self.expr(item);
                }
            }
            Expr::Map(entries) => {
                for (_, value) in entries {
                    self.expr(value);
                }
            }
            Expr::Template(template) => self.template(template),
        }
    }
}
