//! Which expressions stand in a plan, and what they read.

use crate::plan::expr::{
    CallExpr, Clause, Comparison, Datum, Expr, Scope, Stmt, Template, TemplatePart,
};
use crate::plan::node::{Node, NodeId, NodeKind, Notice, UndoPlan};
use crate::plan::{Action, MetricSource, Plan, Watch};
use crate::providers::REVISION_PODS;
use crate::values::Value;
use std::collections::BTreeSet;

/// Everything that evaluating some expressions may ask for, through `let`s and metrics too.
#[derive(Debug, Default)]
pub struct Reads<'a> {
    pub nodes: Vec<(NodeId, Datum)>,
    /// Queries and derived metrics alike, with the scope that reaches them.
    pub metrics: Vec<(u32, Scope)>,
    pub calls: Vec<&'a CallExpr>,
    pub inputs: BTreeSet<&'a str>,
    pub lets: BTreeSet<u32>,
    /// Scopes of fields of pods, `canary.pods.healthy`.
    pub pods: Vec<Scope>,
}

/// What `exprs` read.
pub fn reads<'a>(plan: &'a Plan, exprs: impl IntoIterator<Item = &'a Expr>) -> Reads<'a> {
    let mut reads = Reads::default();
    for expr in exprs {
        collect(plan, expr, &Scope::None, &mut reads);
    }
    reads
}

/// An expression and all expressions inside it, the outer ones first.
pub fn each<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr)) {
    visit(expr);
    each_part(expr, &mut |part| each(part, visit));
}

/// The expressions directly inside one.
pub fn each_part<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr)) {
    match expr {
        Expr::Literal(_)
        | Expr::Input(_)
        | Expr::Element { .. }
        | Expr::HasElement { .. }
        | Expr::Let(_)
        | Expr::Local(_)
        | Expr::Metric { .. }
        | Expr::Node { .. }
        | Expr::Word(_) => {}
        Expr::Call(call) => call.args.iter().for_each(|(_, arg)| visit(arg)),
        Expr::Field(inner, _)
        | Expr::Not(inner)
        | Expr::Negate(inner)
        | Expr::Aggregate(_, inner)
        | Expr::Narrow { json: inner, .. } => visit(inner),
        Expr::Binary(left, _, right) => {
            visit(left);
            visit(right);
        }
        Expr::Compare(first, rest) => {
            visit(first);
            rest.iter().for_each(|(_, operand)| visit(operand));
        }
        Expr::List(items) => items.iter().for_each(visit),
        Expr::Map(entries) => entries.iter().for_each(|(_, value)| visit(value)),
        Expr::Template(template) => template_parts(template).into_iter().for_each(visit),
    }
}

/// The expressions that stand in a node itself, not in its children.
pub fn of_node(node: &Node) -> Vec<&Expr> {
    match &node.kind {
        NodeKind::When(condition) => vec![condition],
        NodeKind::Check(check) => of_stmts(&check.body),
        NodeKind::Step(step) => {
            let undo = match &step.undo {
                UndoPlan::Written { call, .. } => arguments(call),
                _ => Vec::new(),
            };
            let post = of_stmts(&step.post);
            arguments(&step.call)
                .into_iter()
                .chain(post)
                .chain(undo)
                .collect()
        }
        NodeKind::Notify(notice) => of_notice(notice),
        NodeKind::Phase
        | NodeKind::Section
        | NodeKind::Parallel
        | NodeKind::Canary(_)
        | NodeKind::Stage(_)
        | NodeKind::ConfirmGroup
        | NodeKind::Confirm(_)
        | NodeKind::Approve(_)
        | NodeKind::Hold { .. }
        | NodeKind::Every { .. } => Vec::new(),
    }
}

/// The calls that a node makes itself: that of a step and of its undo. Those inside expressions are not here.
pub fn changes_of(node: &Node) -> Vec<&CallExpr> {
    let NodeKind::Step(step) = &node.kind else {
        return Vec::new();
    };
    match &step.undo {
        UndoPlan::Written { call, .. } => vec![&step.call, call],
        _ => vec![&step.call],
    }
}

pub fn of_stmts(stmts: &[Stmt]) -> Vec<&Expr> {
    let mut found = Vec::new();
    for stmt in stmts {
        match stmt {
            Stmt::Let { value, .. } => found.push(value),
            Stmt::Expect(clause) => found.push(&clause.condition),
            Stmt::Against(comparison) => found.extend(sides(comparison)),
            Stmt::When { condition, body } => {
                found.push(condition);
                found.extend(of_stmts(body));
            }
        }
    }
    found
}

/// The clauses of a body, also those under a `when`.
pub fn clauses(stmts: &[Stmt]) -> Vec<&Clause> {
    let mut found = Vec::new();
    for stmt in stmts {
        match stmt {
            Stmt::Let { .. } | Stmt::Against(_) => {}
            Stmt::Expect(clause) => found.push(clause),
            Stmt::When { body, .. } => found.extend(clauses(body)),
        }
    }
    found
}

/// The comparisons of a body, also those under a `when`.
pub fn comparisons(stmts: &[Stmt]) -> Vec<&Comparison> {
    let mut found = Vec::new();
    for stmt in stmts {
        match stmt {
            Stmt::Let { .. } | Stmt::Expect(_) => {}
            Stmt::Against(comparison) => found.push(comparison.as_ref()),
            Stmt::When { body, .. } => found.extend(comparisons(body)),
        }
    }
    found
}

pub fn sides(comparison: &Comparison) -> [&Expr; 2] {
    [&comparison.measured, &comparison.baseline]
}

pub fn of_watch(watch: &Watch) -> Vec<&Expr> {
    let blind = watch.no_data.iter().flat_map(|no_data| &no_data.actions);
    let rules = watch.rules.iter();
    let actions = rules.clone().flat_map(|rule| &rule.actions).chain(blind);
    let said = actions.flat_map(|action| match action {
        Action::Notify(notice) => of_notice(notice),
        Action::Rollback | Action::Pause { .. } => Vec::new(),
    });
    rules.map(|rule| &rule.condition).chain(said).collect()
}

pub fn of_notice(notice: &Notice) -> Vec<&Expr> {
    let args = notice.args.iter().map(|(_, arg)| arg);
    args.chain(template_parts(&notice.text)).collect()
}

fn arguments(call: &CallExpr) -> Vec<&Expr> {
    call.args.iter().map(|(_, arg)| arg).collect()
}

fn template_parts(template: &Template) -> Vec<&Expr> {
    let parts = template.parts.iter();
    parts
        .filter_map(|part| match part {
            TemplatePart::Text(_) => None,
            TemplatePart::Expr(expr) => Some(expr),
        })
        .collect()
}

/// `scope` is that of the metric whose arithmetic this is part of.
fn collect<'a>(plan: &'a Plan, expr: &'a Expr, scope: &Scope, reads: &mut Reads<'a>) {
    match expr {
        Expr::Input(name)
        | Expr::Element { input: name, .. }
        | Expr::HasElement { input: name, .. } => {
            reads.inputs.insert(name);
        }
        Expr::Let(index) => {
            if reads.lets.insert(*index)
                && let Some(item) = plan.lets.get(*index as usize)
            {
                collect(plan, &item.value, scope, reads);
            }
        }
        Expr::Call(call) => {
            reads.calls.push(call);
            reads.pods.extend(revision(call));
        }
        Expr::Metric { metric, scope: own } => {
            let scope = if *own == Scope::None { scope } else { own };
            let read = (*metric, scope.clone());
            if !reads.metrics.contains(&read) {
                reads.metrics.push(read);
                let source = plan.metrics.get(*metric as usize).map(|m| &m.source);
                if let Some(MetricSource::Derived(derived)) = source {
                    collect(plan, derived, scope, reads);
                }
            }
        }
        Expr::Node { node, datum } => reads.nodes.push((*node, *datum)),
        _ => {}
    }
    each_part(expr, &mut |part| collect(plan, part, scope, reads));
}

/// Of `canary.pods` and `stable.pods`, which are read by a call, the scope.
pub fn revision(call: &CallExpr) -> Option<Scope> {
    if call.function != REVISION_PODS {
        return None;
    }
    match call.args.iter().find(|(name, _)| *name == "scope")? {
        (_, Expr::Literal(Value::String(scope))) if scope == "canary" => Some(Scope::Canary),
        (_, Expr::Literal(Value::String(scope))) if scope == "stable" => Some(Scope::Stable),
        _ => None,
    }
}
