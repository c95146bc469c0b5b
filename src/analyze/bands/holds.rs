//! Conditions that cannot hold, or cannot fail.

use crate::analyze::bands::condition::{Atom, Condition, condition, negation};
use crate::analyze::bands::interval::{Closed, Interval};
use crate::analyze::order::check::name;
use crate::analyze::places::Places;
use crate::diagnostics::codes::timing::{ALWAYS_HOLDS, CANNOT_HOLD};
use crate::diagnostics::{Diagnostic, Severity};
use crate::plan::expr::{Clause, Expr, Stmt};
use crate::plan::node::{Node, NodeKind};
use crate::plan::walk::clauses;
use crate::plan::{LocId, MetricSource, Plan};
use crate::syntax::ast::BinaryOp;
use std::collections::BTreeSet;

pub fn check(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in &plan.nodes {
        match &node.kind {
            NodeKind::Check(check) => found.extend(of_body(plan, places, node, &check.body)),
            NodeKind::Step(step) => found.extend(of_body(plan, places, node, &step.post)),
            NodeKind::When(condition) => {
                found.extend(of_condition(plan, places, condition, node.loc, Use::When));
            }
            _ => {}
        }
    }
    for rule in plan.watches.iter().flat_map(|watch| &watch.rules) {
        found.extend(of_condition(
            plan,
            places,
            &rule.condition,
            rule.loc,
            Use::Rule,
        ));
    }
    found
}

/// What a condition is for.
#[derive(Clone, Copy)]
enum Use {
    Check,
    When,
    Rule,
}

impl Use {
    fn never(self) -> &'static str {
        match self {
            Use::Check => "this can never pass",
            Use::When => "what is in this `when` never applies",
            Use::Rule => "this rule can never fire",
        }
    }

    fn always(self) -> &'static str {
        match self {
            Use::Check => "this cannot fail",
            Use::When => "what is in this `when` always applies",
            Use::Rule => "this rule fires at its first sample",
        }
    }
}

fn of_body(plan: &Plan, places: &Places, node: &Node, body: &[Stmt]) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = clauses(body)
        .into_iter()
        .filter_map(|clause| of_condition(plan, places, &clause.condition, clause.loc, Use::Check))
        .collect();
    if found.is_empty() {
        found.extend(together(plan, places, node, body));
    }
    found
}

fn of_condition(
    plan: &Plan,
    places: &Places,
    expr: &Expr,
    loc: LocId,
    used: Use,
) -> Option<Diagnostic> {
    if is_open(expr) {
        return None;
    }
    let (holds, fails) = (condition(plan, expr), negation(plan, expr));
    // What reads nothing is said to be constant already.
    if holds.reads_nothing() && fails.reads_nothing() {
        return None;
    }
    let here = places.span(loc);
    if holds.is_impossible() {
        let found = Diagnostic::new(&CANNOT_HOLD, here, used.never());
        return Some(found.label("no value makes it true"));
    }
    if fails.is_impossible() {
        let found = Diagnostic::new(&ALWAYS_HOLDS, here, used.always());
        return Some(found.label("every value makes it true"));
    }
    let note = "what it reads does not become negative";
    let likely = if from_zero(plan, holds).is_impossible() {
        Diagnostic::new(&CANNOT_HOLD, here, used.never())
    } else if from_zero(plan, fails).is_impossible() {
        Diagnostic::new(&ALWAYS_HOLDS, here, used.always())
    } else {
        return None;
    };
    let mut likely = likely.note(note);
    likely.severity = Severity::Warning;
    Some(likely)
}

/// One comparison of something that may be anything: it can hold, and it can fail.
fn is_open(expr: &Expr) -> bool {
    let Expr::Compare(left, rest) = expr else {
        return false;
    };
    let is_call =
        |side: &Expr| matches!(side, Expr::Call(_) | Expr::Field(..) | Expr::Narrow { .. });
    rest.len() == 1 && (is_call(left) || rest.iter().any(|(_, right)| is_call(right)))
}

/// Clauses that each can hold, and not together.
fn together(plan: &Plan, places: &Places, node: &Node, body: &[Stmt]) -> Option<Diagnostic> {
    let always: Vec<&Clause> = body
        .iter()
        .filter_map(|stmt| match stmt {
            Stmt::Expect(clause) => Some(clause),
            Stmt::Let { .. } | Stmt::Against(_) | Stmt::When { .. } => None,
        })
        .collect();
    if always.len() < 2 {
        return None;
    }
    let conditions: Vec<(&Clause, Condition)> = always
        .into_iter()
        .map(|clause| (clause, condition(plan, &clause.condition)))
        .collect();
    for (at, (first, one)) in conditions.iter().enumerate() {
        for (second, other) in conditions.iter().skip(at + 1).take(PAIRS_MAX) {
            if !one.contradicts(other) {
                continue;
            }
            let message = format!("two expectations of {} contradict each other", name(node));
            return Some(
                Diagnostic::new(&CANNOT_HOLD, places.span(second.loc), message)
                    .label("not together with the other")
                    .and(places.span(first.loc), "the other"),
            );
        }
    }
    None
}

/// Clauses behind each one that it is compared with; a body has far fewer.
const PAIRS_MAX: usize = 64;

/// The condition where amounts that cannot be negative are not.
fn from_zero(plan: &Plan, mut condition: Condition) -> Condition {
    for term in &mut condition.terms {
        for (atom, bound) in &mut term.bounds {
            if is_from_zero(plan, atom) {
                *bound = bound.and(Interval::above(0, Closed::Yes));
            }
        }
    }
    condition
}

fn is_from_zero(plan: &Plan, atom: &Atom) -> bool {
    atom.metric
        .is_some_and(|metric| metric_from_zero(plan, metric, &mut BTreeSet::new()))
}

/// Each metric that it is made of is looked at once, however often it stands there.
fn metric_from_zero(plan: &Plan, metric: u32, seen: &mut BTreeSet<u32>) -> bool {
    if !seen.insert(metric) {
        return true;
    }
    match plan
        .metrics
        .get(metric as usize)
        .map(|metric| &metric.source)
    {
        Some(MetricSource::Query { query, .. }) => {
            let falls = ["-", "deriv(", "delta(", "predict_linear(", "time("];
            !falls.iter().any(|word| query.contains(word))
        }
        Some(MetricSource::Derived(expr)) => expr_from_zero(plan, expr, seen),
        None => false,
    }
}

fn expr_from_zero(plan: &Plan, expr: &Expr, seen: &mut BTreeSet<u32>) -> bool {
    match expr {
        Expr::Metric { metric, .. } => metric_from_zero(plan, *metric, seen),
        Expr::Binary(left, BinaryOp::Add | BinaryOp::Mul | BinaryOp::Div, right) => {
            expr_from_zero(plan, left, seen) && expr_from_zero(plan, right, seen)
        }
        _ => false,
    }
}
