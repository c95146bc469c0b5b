//! `invariant "title" { rollback.longest < 15m }`: what the plan's own numbers decide is decided here, once the plan is
//! whole; what runs decide is left to `verify`; what only the world can tell is said to be open.

use crate::analyze::context::Cx;
use crate::analyze::env::Env;
use crate::analyze::expr;
use crate::analyze::facts::facts;
use crate::analyze::messages::invariant as say;
use crate::diagnostics::Diagnostic;
use crate::plan::Plan;
use crate::plan::facts::{Coverage, Facts};
use crate::plan::invariant::{Atom, Claim, End, Formula, Invariant};
use crate::plan::node::Node;
use crate::source::{Sources, Span};
use crate::syntax::ast::{
    self, BinaryOp, CompareOp, Expr, ExprKind, Item, ItemKind, Stmt, StmtKind, StringPart,
};
use crate::units::amount::{Amount, NANO, Quantity};
use crate::units::{Dim, literal};

/// By itself: names and types of what it asks the world.
pub fn check(cx: &mut Cx<'_, '_>, invariant: &ast::Invariant, word: Span) {
    if invariant.body.stmts.is_empty() {
        cx.report(say::nothing_claimed(word));
    }
    for stmt in &invariant.body.stmts {
        match claim_of(stmt) {
            Some(claim) => of_world(cx, claim),
            None if stmt.kind == StmtKind::Junk => {}
            None => cx.report(say::no_claim(stmt.span)),
        }
    }
}

#[derive(Default)]
pub struct Compiled {
    pub invariants: Vec<Invariant>,
    /// Claims that only the world can decide.
    pub of_world: Vec<Expr>,
    pub found: Vec<Diagnostic>,
}

/// Of a whole plan: each with what is known of it, and what is wrong with it.
pub fn compile(plan: &Plan, items: &[Item], sources: &Sources) -> Compiled {
    let written = items.iter().filter_map(|item| match &item.kind {
        ItemKind::Invariant(it) => Some((it, item.span)),
        _ => None,
    });
    let mut written = written.peekable();
    let mut compiled = Compiled::default();
    if written.peek().is_none() {
        return compiled;
    }
    let facts = facts(plan);
    let mut whole = Whole {
        plan,
        facts: facts.as_ref(),
        found: Vec::new(),
    };
    for (it, span) in written {
        let mut claims = Vec::new();
        for written in it.body.stmts.iter().filter_map(claim_of) {
            let Some(claim) = whole.claim(written, sources) else {
                continue;
            };
            if claim.is_of_the_world() && claim.proved().is_none() {
                compiled.of_world.push(written.clone());
            }
            claims.push(claim);
        }
        let invariant = Invariant {
            title: it.head.title.as_ref().map(plain).unwrap_or_default(),
            refs: it.head.refs.iter().map(|known| known.id.clone()).collect(),
            span,
            claims,
        };
        compiled.found.extend(judged(&invariant, &whole));
        compiled.invariants.push(invariant);
    }
    compiled.found.extend(whole.found);
    compiled
}

fn judged(invariant: &Invariant, whole: &Whole<'_>) -> Vec<Diagnostic> {
    let name = invariant.name();
    let claims = invariant.claims.iter();
    let judged = claims.filter_map(|claim| match claim.proved() {
        Some(true) => None,
        Some(false) => Some(say::broken(&name, claim, &whole.numbers(&claim.text))),
        None if claim.is_of_the_world() => Some(say::open(&name, claim)),
        None => None,
    });
    judged.collect()
}

fn claim_of(stmt: &Stmt) -> Option<&Expr> {
    match &stmt.kind {
        StmtKind::Bound(claim) | StmtKind::Call(claim) => Some(claim),
        _ => None,
    }
}

/// What is neither the plan's, nor the run's.
fn of_world(cx: &mut Cx<'_, '_>, claim: &Expr) {
    match &claim.kind {
        ExprKind::Paren(inner) | ExprKind::Not(inner) => of_world(cx, inner),
        ExprKind::Binary(left, BinaryOp::And | BinaryOp::Or, right) => {
            of_world(cx, left);
            of_world(cx, right);
        }
        _ if passed(claim).is_some() || of_plan(claim) || of_outcome(claim) => {}
        _ => {
            expr::condition(cx, &Env::open(), claim);
        }
    }
}

fn passed(claim: &Expr) -> Option<&[ast::Arg]> {
    match &claim.kind {
        ExprKind::Call(callee, args) => match &callee.kind {
            ExprKind::Name(name) if name == "passed" => Some(args),
            _ => None,
        },
        _ => None,
    }
}

fn of_outcome(claim: &Expr) -> bool {
    let is_it = |side: &Expr| matches!(&side.kind, ExprKind::Name(name) if name == "outcome");
    sides(claim).into_iter().any(is_it)
}

fn of_plan(claim: &Expr) -> bool {
    sides(claim).into_iter().any(|side| member(side).is_some())
}

fn sides(claim: &Expr) -> Vec<&Expr> {
    match &claim.kind {
        ExprKind::Compare(first, rest) => {
            let rest = rest.iter().map(|(_, side)| side);
            std::iter::once(&**first).chain(rest).collect()
        }
        _ => Vec::new(),
    }
}

/// `rollback.longest`
fn member(side: &Expr) -> Option<(&str, &str)> {
    match &side.kind {
        ExprKind::Field(base, field) => match &base.kind {
            ExprKind::Name(of) if of == "rollback" || of == "run" => Some((of, &field.name)),
            _ => None,
        },
        ExprKind::Paren(inner) => member(inner),
        _ => None,
    }
}

struct Whole<'p> {
    plan: &'p Plan,
    /// `None` of a plan with a cycle, which is reported elsewhere.
    facts: Option<&'p Facts>,
    found: Vec<Diagnostic>,
}

impl Whole<'_> {
    fn claim(&mut self, claim: &Expr, sources: &Sources) -> Option<Claim> {
        Some(Claim {
            text: sources.text(claim.span).to_owned(),
            span: claim.span,
            says: self.formula(claim)?,
        })
    }

    fn formula(&mut self, claim: &Expr) -> Option<Formula> {
        match &claim.kind {
            ExprKind::Paren(inner) => self.formula(inner),
            ExprKind::Bool(holds) => Some(Formula::Known(*holds)),
            ExprKind::Not(inner) => Some(Formula::Not(Box::new(self.formula(inner)?))),
            ExprKind::Binary(left, op @ (BinaryOp::And | BinaryOp::Or), right) => {
                let (left, right) = (self.formula(left), self.formula(right));
                let (left, right) = (Box::new(left?), Box::new(right?));
                Some(match op {
                    BinaryOp::And => Formula::And(left, right),
                    _ => Formula::Or(left, right),
                })
            }
            ExprKind::Compare(first, rest) if of_outcome(claim) => self.outcome(claim, first, rest),
            ExprKind::Compare(first, rest) if of_plan(claim) => self.numbers_of(first, rest),
            _ => match passed(claim) {
                Some(items) => self.passed(claim.span, items),
                None => Some(Formula::Atom(Atom::World)),
            },
        }
    }

    fn outcome(
        &mut self,
        claim: &Expr,
        first: &Expr,
        rest: &[(CompareOp, Expr)],
    ) -> Option<Formula> {
        let [(op @ (CompareOp::Eq | CompareOp::Ne), second)] = rest else {
            self.found.push(say::no_outcome(claim.span));
            return None;
        };
        let end = |side: &Expr| match &side.kind {
            ExprKind::Name(name) => match name.as_str() {
                "success" => Some(End::Succeeded),
                "stopped" => Some(End::Stopped),
                "rolled_back" => Some(End::RolledBack),
                "rollback_incomplete" => Some(End::RollbackIncomplete),
                _ => None,
            },
            _ => None,
        };
        let Some(end) = end(first).or_else(|| end(second)) else {
            self.found.push(say::no_outcome(claim.span));
            return None;
        };
        let ended = Formula::Atom(Atom::Ended(end));
        Some(match op {
            CompareOp::Eq => ended,
            _ => Formula::Not(Box::new(ended)),
        })
    }

    fn passed(&mut self, span: Span, items: &[ast::Arg]) -> Option<Formula> {
        let mut all: Option<Formula> = None;
        for item in items {
            let name = match &item.value.kind {
                ExprKind::Name(name) => name.as_str(),
                _ => "",
            };
            let is_it = |node: &&Node| node.name.as_deref() == Some(name);
            let Some(node) = self.plan.nodes.iter().find(is_it) else {
                self.found.push(say::no_item(item.value.span));
                return None;
            };
            let this = Formula::Atom(Atom::Passed(node.id));
            all = Some(match all {
                Some(all) => Formula::And(Box::new(all), Box::new(this)),
                None => this,
            });
        }
        if all.is_none() {
            self.found.push(say::no_item(span));
        }
        all
    }

    fn numbers_of(&mut self, first: &Expr, rest: &[(CompareOp, Expr)]) -> Option<Formula> {
        let mut left = self.number(first)?;
        let mut holds = true;
        for (op, side) in rest {
            let right = self.number(side)?;
            if left.dim != right.dim {
                self.found
                    .push(say::different(side.span, left.dim, right.dim));
                return None;
            }
            let (Amount::Exact(a), Amount::Exact(b)) = (left.amount, right.amount) else {
                return None;
            };
            let (a, b) = (a.0, b.0);
            holds &= match op {
                CompareOp::Eq => a == b,
                CompareOp::Ne => a != b,
                CompareOp::Lt => a < b,
                CompareOp::Le => a <= b,
                CompareOp::Gt => a > b,
                CompareOp::Ge => a >= b,
            };
            left = right;
        }
        Some(Formula::Known(holds))
    }

    fn number(&mut self, side: &Expr) -> Option<Quantity> {
        if let Some((of, name)) = member(side) {
            let known = self.facts.and_then(|facts| number_of(facts, of, name));
            if known.is_none() && self.facts.is_some() {
                self.found.push(say::no_number(side.span, of));
            }
            return known;
        }
        let written = match &side.kind {
            ExprKind::Number { digits, unit } => {
                literal::parse(digits, unit.as_ref().map(|unit| unit.name.as_str())).ok()
            }
            _ => None,
        };
        if written.is_none() {
            self.found.push(say::not_written(side.span));
        }
        written.map(|written| written.quantity)
    }

    /// What the plan says of the numbers that a claim names, for people.
    fn numbers(&self, text: &str) -> Vec<String> {
        let known = |(of, name): &(&str, &str)| {
            let words = format!("{of}.{name}");
            let number = number_of(self.facts?, of, name).filter(|_| text.contains(&words))?;
            Some(format!(
                "`{words}` is {}",
                crate::units::show::quantity(number)
            ))
        };
        NUMBERS.iter().filter_map(known).collect()
    }
}

const NUMBERS: [(&str, &str); 4] = [
    ("rollback", "coverage"),
    ("rollback", "longest"),
    ("run", "longest"),
    ("run", "shortest"),
];

fn number_of(facts: &Facts, of: &str, name: &str) -> Option<Quantity> {
    let time = |ns: i64| Quantity::exact(Dim::Duration, i128::from(ns));
    match (of, name) {
        ("rollback", "coverage") => Some(Quantity::exact(Dim::Ratio, coverage(facts))),
        ("rollback", "longest") => {
            let rollback = facts.rollback.as_ref();
            Some(time(rollback.map_or(0, |rollback| rollback.longest_ns)))
        }
        ("run", "longest") => Some(time(facts.times.longest_ns)),
        ("run", "shortest") => Some(time(facts.times.shortest_ns)),
        _ => None,
    }
}

/// Of the changes that are not kept: what is right either way needs no way back.
fn coverage(facts: &Facts) -> i128 {
    let counted = facts.coverage.iter().filter(|one| one.by != Coverage::Kept);
    let all = counted.clone().count();
    let undone = counted.filter(|one| matches!(one.by, Coverage::Derived | Coverage::Written));
    match i128::try_from(all) {
        Ok(0) | Err(_) => NANO,
        Ok(all) => NANO * undone.count() as i128 / all,
    }
}

fn plain(title: &ast::StringLit) -> String {
    let parts = title.parts.iter().filter_map(|part| match part {
        StringPart::Text(text) => Some(text.as_str()),
        StringPart::Interpolation(_) => None,
    });
    parts.collect()
}
