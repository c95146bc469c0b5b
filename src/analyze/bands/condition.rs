//! A condition as alternatives of bounds, as far as it can be seen through.

use crate::analyze::bands::interval::{Closed, Interval};
use crate::plan::Plan;
use crate::plan::expr::Expr;
use crate::plan::print::expr::words;
use crate::syntax::ast::{BinaryOp, CompareOp};
use crate::units::amount::Amount;
use crate::values::Value;
use std::collections::{BTreeMap, BTreeSet};

/// True if one of the terms is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    pub terms: Vec<Term>,
    /// There are more alternatives than are looked at.
    pub blurred: bool,
}

/// True if every bound holds, and whatever else is in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Term {
    pub bounds: BTreeMap<Atom, Interval>,
    /// Conditions that cannot be seen through, by their text.
    pub others: BTreeSet<String>,
}

/// Something that is measured; the same in two conditions if it is asked in the same way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Atom {
    key: String,
    pub words: String,
    /// The metric, where it is one by itself.
    pub metric: Option<u32>,
}

/// Alternatives that are kept apart; more are not seen through.
const TERMS_MAX: usize = 64;

impl Term {
    /// No amounts make it true, whatever else is in it.
    pub fn is_impossible(&self) -> bool {
        self.bounds.values().any(|bound| bound.is_empty())
    }

    /// Whether everything that makes this true makes `other` true.
    pub fn is_within(&self, other: &Term) -> bool {
        let bounds = other.bounds.iter().all(|(atom, bound)| {
            self.bounds
                .get(atom)
                .is_some_and(|own| own.is_within(*bound))
        });
        self.is_impossible() || (bounds && other.others.is_subset(&self.others))
    }

    /// Whether both bound something, and no amount is in both bounds.
    fn is_apart(&self, other: &Term) -> bool {
        self.bounds.iter().any(|(atom, bound)| {
            let theirs = other.bounds.get(atom);
            theirs.is_some_and(|theirs| bound.and(*theirs).is_empty())
        })
    }

    /// The one bound of a term that consists of it.
    pub fn only(&self) -> Option<(&Atom, Interval)> {
        let mut bounds = self.bounds.iter();
        let (atom, bound) = bounds.next()?;
        (bounds.next().is_none() && self.others.is_empty()).then_some((atom, *bound))
    }
}

impl Condition {
    pub fn is_impossible(&self) -> bool {
        !self.blurred && self.terms.iter().all(Term::is_impossible)
    }

    /// Whether this is true only where `other` is, for certain.
    pub fn implies(&self, other: &Condition) -> bool {
        let inside = |term: &Term| other.terms.iter().any(|wider| term.is_within(wider));
        !self.blurred && !other.blurred && self.terms.iter().all(inside)
    }

    /// Whether each can be true, and never both at once, for certain.
    pub fn contradicts(&self, other: &Condition) -> bool {
        let known = |one: &Condition| !one.blurred && !one.terms.is_empty();
        let apart = |term: &Term| other.terms.iter().all(|theirs| term.is_apart(theirs));
        known(self) && known(other) && self.terms.iter().all(apart)
    }

    pub fn reads_nothing(&self) -> bool {
        !self.blurred
            && self
                .terms
                .iter()
                .all(|term| term.bounds.is_empty() && term.others.is_empty())
    }
}

/// The condition, and its negation.
pub fn condition(plan: &Plan, expr: &Expr) -> Condition {
    seen(plan, expr, Wanted::True)
}

pub fn negation(plan: &Plan, expr: &Expr) -> Condition {
    seen(plan, expr, Wanted::False)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    True,
    False,
}

fn seen(plan: &Plan, expr: &Expr, wanted: Wanted) -> Condition {
    match expr {
        Expr::Not(inner) => match wanted {
            Wanted::True => seen(plan, inner, Wanted::False),
            Wanted::False => seen(plan, inner, Wanted::True),
        },
        Expr::Binary(left, op @ (BinaryOp::And | BinaryOp::Or), right) => {
            let (left, right) = (seen(plan, left, wanted), seen(plan, right, wanted));
            match (op, wanted) {
                (BinaryOp::And, Wanted::True) | (BinaryOp::Or, Wanted::False) => all(left, right),
                _ => any(left, right),
            }
        }
        Expr::Compare(first, rest) => {
            let mut left = &**first;
            let mut found: Option<Condition> = None;
            for (op, right) in rest {
                let pair = compared(plan, left, *op, right, wanted);
                found = Some(match (found, wanted) {
                    (None, _) => pair,
                    (Some(found), Wanted::True) => all(found, pair),
                    (Some(found), Wanted::False) => any(found, pair),
                });
                left = right;
            }
            found.unwrap_or_default()
        }
        Expr::Literal(Value::Bool(value)) if (wanted == Wanted::True) == *value => Condition {
            terms: vec![Term::default()],
            blurred: false,
        },
        Expr::Literal(Value::Bool(_)) => Condition::default(),
        // A word that is true or false: 1 or 0.
        other => bound(
            atom(plan, other),
            Interval::point(i128::from(wanted == Wanted::True)),
        ),
    }
}

fn compared(plan: &Plan, left: &Expr, op: CompareOp, right: &Expr, wanted: Wanted) -> Condition {
    let op = match wanted {
        Wanted::True => op,
        Wanted::False => opposite(op),
    };
    let judges_each = |side: &Expr| matches!(side, Expr::Aggregate(how, _) if is_many(*how));
    if judges_each(left) || judges_each(right) {
        return opaque(plan, left, op, right);
    }
    match (amount(left), amount(right)) {
        (None, Some(at)) => sides(atom(plan, left), op, at),
        (Some(at), None) => sides(atom(plan, right), turned(op), at),
        _ => opaque(plan, left, op, right),
    }
}

fn is_many(how: crate::syntax::ast::Aggregate) -> bool {
    use crate::syntax::ast::Aggregate;
    matches!(how, Aggregate::All | Aggregate::Any)
}

fn sides(atom: Atom, op: CompareOp, at: i128) -> Condition {
    match op {
        CompareOp::Lt => bound(atom, Interval::below(at, Closed::No)),
        CompareOp::Le => bound(atom, Interval::below(at, Closed::Yes)),
        CompareOp::Gt => bound(atom, Interval::above(at, Closed::No)),
        CompareOp::Ge => bound(atom, Interval::above(at, Closed::Yes)),
        CompareOp::Eq => bound(atom, Interval::point(at)),
        CompareOp::Ne => any(
            bound(atom.clone(), Interval::below(at, Closed::No)),
            bound(atom, Interval::above(at, Closed::No)),
        ),
    }
}

fn bound(atom: Atom, interval: Interval) -> Condition {
    Condition {
        terms: vec![Term {
            bounds: BTreeMap::from([(atom, interval)]),
            others: BTreeSet::new(),
        }],
        blurred: false,
    }
}

fn opaque(plan: &Plan, left: &Expr, op: CompareOp, right: &Expr) -> Condition {
    let text = format!("{} {op:?} {}", atom(plan, left).key, atom(plan, right).key);
    Condition {
        terms: vec![Term {
            bounds: BTreeMap::new(),
            others: BTreeSet::from([text]),
        }],
        blurred: false,
    }
}

fn any(mut left: Condition, right: Condition) -> Condition {
    left.terms.extend(right.terms);
    left.blurred |= right.blurred;
    bounded(left)
}

fn all(left: Condition, right: Condition) -> Condition {
    let mut terms = Vec::new();
    for one in &left.terms {
        for other in &right.terms {
            let mut term = one.clone();
            term.others.extend(other.others.iter().cloned());
            for (atom, bound) in &other.bounds {
                let known = term.bounds.entry(atom.clone()).or_default();
                *known = known.and(*bound);
            }
            terms.push(term);
        }
        if terms.len() > TERMS_MAX {
            break;
        }
    }
    bounded(Condition {
        terms,
        blurred: left.blurred || right.blurred,
    })
}

fn bounded(mut condition: Condition) -> Condition {
    if condition.terms.len() > TERMS_MAX {
        condition.terms.truncate(TERMS_MAX);
        condition.blurred = true;
    }
    condition
}

fn opposite(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Le => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Ge => CompareOp::Lt,
    }
}

/// `5 < x` is `x > 5`.
fn turned(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq | CompareOp::Ne => op,
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
    }
}

/// An amount that is written out: constants stand at their places by now.
pub fn amount(expr: &Expr) -> Option<i128> {
    match expr {
        Expr::Literal(Value::Quantity(quantity)) => match quantity.amount {
            Amount::Exact(nano) => Some(nano.0),
            Amount::Measured(_) => None,
        },
        Expr::Literal(Value::Bool(value)) => Some(i128::from(*value)),
        _ => None,
    }
}

fn atom(plan: &Plan, expr: &Expr) -> Atom {
    Atom {
        key: key(expr),
        words: words(plan, expr),
        metric: match expr {
            Expr::Metric { metric, .. } => Some(*metric),
            _ => None,
        },
    }
}

/// What is asked, without the places where it stands.
fn key(expr: &Expr) -> String {
    if let Expr::Metric { metric, scope } = expr {
        return format!("metric {metric} {scope:?}");
    }
    let text = format!("{expr:?}");
    let mut parts = text.split("LocId(");
    let mut key = parts.next().unwrap_or("").to_owned();
    for part in parts {
        key.push_str(part.split_once(')').map_or("", |(_, rest)| rest));
    }
    key
}
