//! Whether an expectation came true; and if not, what was there instead, at its place in the text.

use crate::engine::protocol::RunOutcome;
use crate::engine::view::Stand;
use crate::plan::Plan;
use crate::simulate::expect::compare::compare;
use crate::simulate::expect::facts::Facts;
use crate::simulate::expect::unchanged::{self, Before};
use crate::simulate::expect::{Subject, Term, TermKind, Time};
use crate::simulate::history::What;
use crate::simulate::world::World;
use crate::source::Span;
use crate::units::Dim;
use crate::units::amount::{Amount, Quantity};
use crate::units::show::duration_ns;
use crate::values::{Instant, Value, show};
use std::cell::LazyCell;

/// Part of an expectation that did not come true, and what is so instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actual {
    pub span: Span,
    pub what: String,
}

/// What expectations are judged by.
pub struct Seen<'a> {
    /// Read from the run only where it is asked for: what is always expected is mostly about the world.
    pub facts: LazyCell<Facts<'a>, &'a dyn Fn() -> Facts<'a>>,
    pub plan: &'a Plan,
    pub world: &'a mut World,
    pub before: &'a Before,
    /// What is kept under a name, and the story of this run, where somebody has them.
    pub story: &'a dyn Fn(&str) -> Option<Difference>,
}

/// How a story differs from the one that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference(pub String);

/// # Errors
/// What was there instead.
pub fn judge(seen: &mut Seen, term: &Term) -> Result<(), Vec<Actual>> {
    match &term.kind {
        TermKind::Not(inner) => match judge(seen, inner) {
            Ok(()) => Err(actual(seen, inner)),
            Err(_) => Ok(()),
        },
        TermKind::And(left, right) => {
            let found = [judge(seen, left), judge(seen, right)];
            let wrong: Vec<Actual> = found
                .into_iter()
                .filter_map(Result::err)
                .flatten()
                .collect();
            if wrong.is_empty() { Ok(()) } else { Err(wrong) }
        }
        TermKind::Or(left, right) => match (judge(seen, left), judge(seen, right)) {
            (Err(mut wrong), Err(more)) => {
                wrong.extend(more);
                Err(wrong)
            }
            _ => Ok(()),
        },
        TermKind::Compare(first, rest) => chain(seen, first, rest),
        TermKind::Before(first, later) => {
            let (a, b) = (value(seen, first), value(seen, later));
            match (moment(&a), moment(&b)) {
                (Some(a), Some(b)) if a <= b => Ok(()),
                (Some(_), None) => Err(vec![shown(later, &b)]),
                (None, _) => Err(vec![shown(first, &a)]),
                _ => Err(vec![shown(first, &a), shown(later, &b)]),
            }
        }
        TermKind::Within(first, most_ns, of) => {
            let (a, b) = (value(seen, first), value(seen, of));
            match (moment(&a), moment(&b)) {
                (Some(a), Some(b)) if a.since(b).abs() <= *most_ns => Ok(()),
                _ => Err(vec![shown(first, &a), shown(of, &b)]),
            }
        }
        TermKind::Unchanged => {
            let differences = unchanged::differences(seen.plan, seen.before, seen.world);
            match differences.is_empty() {
                true => Ok(()),
                false => Err(vec![Actual {
                    span: term.span,
                    what: differences.join("; "),
                }]),
            }
        }
        TermKind::Snapshot(name) => match (seen.story)(name) {
            None => Ok(()),
            Some(Difference(what)) => Err(vec![Actual {
                span: term.span,
                what,
            }]),
        },
        _ => match value(seen, term) {
            Value::Bool(true) | Value::Instant(_) => Ok(()),
            other => Err(vec![shown(term, &other)]),
        },
    }
}

fn chain(
    seen: &mut Seen,
    first: &Term,
    rest: &[(crate::syntax::ast::CompareOp, Term)],
) -> Result<(), Vec<Actual>> {
    let mut left = (first, value(seen, first));
    for (op, term) in rest {
        let right = (term, value(seen, term));
        if !compare(&left.1, *op, &right.1) {
            let sides = [&left, &right].into_iter();
            let sides = sides.filter(|(term, _)| !term.is_written());
            return Err(sides.map(|(term, value)| shown(term, value)).collect());
        }
        left = right;
    }
    Ok(())
}

/// What is so, of each part that is no literal.
fn actual(seen: &mut Seen, term: &Term) -> Vec<Actual> {
    match &term.kind {
        TermKind::Value(_) => Vec::new(),
        TermKind::Compare(first, rest) => {
            let terms = std::iter::once(first.as_ref()).chain(rest.iter().map(|(_, term)| term));
            let terms: Vec<&Term> = terms.filter(|term| !term.is_written()).collect();
            terms
                .into_iter()
                .flat_map(|term| actual(seen, term))
                .collect()
        }
        TermKind::And(left, right) | TermKind::Or(left, right) => {
            let mut both = actual(seen, left);
            both.extend(actual(seen, right));
            both
        }
        TermKind::Not(inner) => actual(seen, inner),
        TermKind::Before(first, later) | TermKind::Within(first, _, later) => {
            let (a, b) = (value(seen, first), value(seen, later));
            vec![shown(first, &a), shown(later, &b)]
        }
        TermKind::Unchanged => vec![Actual {
            span: term.span,
            what: "everything is as it was".to_owned(),
        }],
        _ => {
            let value = value(seen, term);
            vec![shown(term, &value)]
        }
    }
}

fn value(seen: &mut Seen, term: &Term) -> Value {
    let names = |names: Vec<String>| Value::List(names.into_iter().map(Value::String).collect());
    match &term.kind {
        TermKind::Value(value) => value.clone(),
        TermKind::Outcome => Value::String(outcome_word(&seen.facts).to_owned()),
        TermKind::Cause => match &seen.facts.view.cause {
            Some(cause) => Value::String(cause.clone()),
            None => Value::Absent,
        },
        TermKind::Paused => Value::Bool(seen.facts.view.stand == Stand::Paused),
        TermKind::Kept => names(seen.facts.kept()),
        TermKind::RollbackOrder => names(seen.facts.rollback_order()),
        TermKind::Time(time, subject) => time_of(&seen.facts, *time, *subject),
        TermKind::Verdict(node) => verdict(seen.facts.node(*node).and_then(|node| node.verdict)),
        TermKind::RuleVerdict(rule) => verdict(seen.facts.rule_verdict(*rule)),
        TermKind::Fired(rule) => Value::Bool(seen.facts.fired(*rule)),
        TermKind::Told { provider, part } => told(seen.world, provider, part.as_deref()),
        TermKind::Read(call, path) => match seen.world.look(call) {
            Ok(answer) => field(answer, path),
            Err(_) => Value::Absent,
        },
        TermKind::Plus(left, right) => sum(value(seen, left), &value(seen, right), 1),
        TermKind::Minus(left, right) => sum(value(seen, left), &value(seen, right), -1),
        _ => Value::Bool(judge(seen, term).is_ok()),
    }
}

fn verdict(verdict: Option<crate::values::Verdict>) -> Value {
    verdict.map_or(Value::Absent, Value::Verdict)
}

fn time_of(facts: &Facts, time: Time, subject: Subject) -> Value {
    let over = facts.outcome().map(|_| facts.newest);
    let (started, ended) = match subject {
        Subject::Run => (Some(facts.began), over),
        Subject::Rollback => {
            let since = facts.rollback_since();
            (since, over.filter(|_| since.is_some()))
        }
        Subject::Node(id) => {
            let lived = facts.node(id);
            let ended = lived.and_then(|lived| lived.ended);
            (lived.and_then(|lived| lived.started), ended)
        }
    };
    let instant = |at: Option<Instant>| at.map_or(Value::Absent, Value::Instant);
    match time {
        Time::Started => instant(started),
        Time::Ended => instant(ended.filter(|_| started.is_some())),
        Time::Took => match started.zip(ended) {
            Some((started, ended)) => duration(ended.since(started)),
            None => Value::Absent,
        },
    }
}

fn duration(ns: i64) -> Value {
    // A nanosecond is a billionth of a second, which is the base unit.
    Value::Quantity(Quantity::exact(Dim::Duration, i128::from(ns)))
}

fn nanoseconds(value: &Value) -> Option<i64> {
    match value {
        Value::Quantity(quantity) if quantity.dim == Dim::Duration => match quantity.amount {
            Amount::Exact(nano) => i64::try_from(nano.0).ok(),
            Amount::Measured(_) => None,
        },
        _ => None,
    }
}

/// A moment and a time, two times, or the time between two moments.
fn sum(left: Value, right: &Value, sign: i64) -> Value {
    match (&left, right, nanoseconds(&left), nanoseconds(right)) {
        (Value::Instant(at), _, _, Some(ns)) => Value::Instant(at.plus(ns.saturating_mul(sign))),
        (Value::Instant(a), Value::Instant(b), _, _) if sign < 0 => duration(a.since(*b)),
        (_, _, Some(a), Some(b)) => duration(a.saturating_add(b.saturating_mul(sign))),
        _ => Value::Absent,
    }
}

fn moment(value: &Value) -> Option<Instant> {
    match value {
        Value::Instant(at) => Some(*at),
        _ => None,
    }
}

fn told(world: &World, provider: &str, part: Option<&str>) -> Value {
    let told = world.history();
    let told = told.iter().filter(|change| match &change.what {
        What::Told(text) => {
            change.object == provider && part.is_none_or(|part| text.contains(part))
        }
        _ => false,
    });
    Value::count(i64::try_from(told.count()).unwrap_or(i64::MAX))
}

fn field(mut value: Value, path: &[String]) -> Value {
    for name in path {
        value = match value {
            Value::Record(mut fields) => fields.remove(name).unwrap_or(Value::Absent),
            Value::Json(json) => json
                .get(name)
                .map_or(Value::Absent, |inner| Value::json(inner.clone())),
            _ => Value::Absent,
        };
    }
    value
}

pub fn outcome_word(facts: &Facts) -> &'static str {
    match facts.outcome() {
        Some(RunOutcome::Succeeded) => "success",
        Some(RunOutcome::Stopped) => "stopped",
        Some(RunOutcome::RolledBack) => "rolled_back",
        Some(RunOutcome::RollbackIncomplete) => "rollback_incomplete",
        None => "running",
    }
}

fn shown(term: &Term, value: &Value) -> Actual {
    let what = match (&term.kind, value) {
        (TermKind::Time(..), Value::Absent) => "this never was".to_owned(),
        (TermKind::Verdict(_) | TermKind::RuleVerdict(_), Value::Absent) => {
            "was never judged".to_owned()
        }
        (TermKind::Cause, Value::Absent) => "there is none".to_owned(),
        (_, Value::Absent) => "there is nothing".to_owned(),
        (TermKind::Outcome, Value::String(word)) => format!("is `{word}`"),
        (TermKind::Fired(_), Value::Bool(fired)) => {
            let words = if *fired { "it fired" } else { "it never fired" };
            words.to_owned()
        }
        (TermKind::Kept | TermKind::RollbackOrder, Value::List(names)) => {
            let names = names.iter().map(show::interpolated);
            format!("is [{}]", names.collect::<Vec<_>>().join(", "))
        }
        (_, Value::Verdict(verdict)) => format!("is {}", show::word(*verdict)),
        (_, value) => match nanoseconds(value) {
            Some(ns) => format!("is {}", duration_ns(ns)),
            None => format!("is {}", show::value(value)),
        },
    };
    Actual {
        span: term.span,
        what,
    }
}
