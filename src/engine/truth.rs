//! Conditions: true, false, or why neither can be said.
//!
//! What is unknown stays unknown unless the other side decides alone: `false and unknown` is false, `true or unknown` is
//! true. Silence is never health, and never a failure.

use crate::engine::compare::{Bound, bool_of, compared};
use crate::engine::describe::describe;
use crate::engine::eval::{Evaluated, Evaluator, Mode, Trouble, heavier};
use crate::engine::{arith, metric};
use crate::plan::expr::Expr;
use crate::syntax::ast::{Aggregate, BinaryOp, CompareOp};
use crate::values::Value;
use serde_json::Value as Json;
use std::borrow::Cow;

pub type Truth = Result<bool, Trouble>;

pub fn truth<'p>(eval: &mut Evaluator<'p, '_>, expr: &'p Expr) -> Truth {
    match expr {
        Expr::Not(inner) => truth(eval, inner).map(|holds| !holds),
        Expr::Binary(left, BinaryOp::And, right) => both(eval, left, right, Decides::False),
        Expr::Binary(left, BinaryOp::Or, right) => both(eval, left, right, Decides::True),
        Expr::Compare(first, rest) => chain(eval, first, rest),
        Expr::Aggregate(how @ (Aggregate::Any | Aggregate::All), list) => {
            let items = items(eval, list)?;
            let truths = items.iter().map(bool_of).collect();
            quantified(eval.asker.mode, *how, truths)
        }
        _ => {
            let value = eval.value(expr)?;
            let holds = bool_of(&value);
            let what = describe(eval, expr);
            eval.measure(what, value);
            holds
        }
    }
}

/// `max`, `min`, `sum`, `avg`, `count` of a list or of all series of a metric.
pub fn aggregated<'p>(eval: &mut Evaluator<'p, '_>, how: Aggregate, list: &'p Expr) -> Evaluated {
    let items = items(eval, list)?;
    if items.is_empty() && (how != Aggregate::Count || matches!(list, Expr::Metric { .. })) {
        return Ok(Value::Absent);
    }
    arith::aggregated(how, &items)
}

/// What decides a pair alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decides {
    False,
    True,
}

fn both<'p>(
    eval: &mut Evaluator<'p, '_>,
    left: &'p Expr,
    right: &'p Expr,
    decides: Decides,
) -> Truth {
    let truths = vec![truth(eval, left), truth(eval, right)];
    combined(eval.asker.mode, truths, decides)
}

/// A trigger fires as soon as one side decides; a gate waits for all answers, because all of them are reported.
fn combined(mode: Mode, truths: Vec<Truth>, decides: Decides) -> Truth {
    let deciding = decides == Decides::True;
    let waits = |truth: &Truth| matches!(truth, Err(Trouble::Waiting));
    if mode == Mode::Gate && truths.iter().any(waits) {
        return Err(Trouble::Waiting);
    }
    let mut trouble = None;
    for truth in truths {
        match truth {
            Ok(holds) if holds == deciding => return Ok(deciding),
            Ok(_) => {}
            Err(found) => trouble = Some(heavier(trouble, found)),
        }
    }
    trouble.map_or(Ok(!deciding), Err)
}

/// `all` and `any` say nothing about nothing.
fn quantified(mode: Mode, how: Aggregate, truths: Vec<Truth>) -> Truth {
    if truths.is_empty() {
        return Err(Trouble::NoData("the list is empty".to_owned()));
    }
    let decides = match how {
        Aggregate::All => Decides::False,
        _ => Decides::True,
    };
    combined(mode, truths, decides)
}

/// One side of a comparison: one value, or each of a list.
enum Operand<'s> {
    One(Cow<'s, Value>),
    Each(Aggregate, Vec<Value>),
}

fn chain<'p>(
    eval: &mut Evaluator<'p, '_>,
    first: &'p Expr,
    rest: &'p [(CompareOp, Expr)],
) -> Truth {
    let mut left = (first, operand(eval, first));
    if let [(op, expr)] = rest {
        let right = (expr, operand(eval, expr));
        return link(eval.asker.mode, &left, *op, &right);
    }
    let mut truths = Vec::new();
    for (op, expr) in rest {
        let right = (expr, operand(eval, expr));
        truths.push(link(eval.asker.mode, &left, *op, &right));
        left = right;
    }
    combined(eval.asker.mode, truths, Decides::False)
}

type Side<'p, 's> = (&'p Expr, Result<Operand<'s>, Trouble>);

fn link(mode: Mode, left: &Side, op: CompareOp, right: &Side) -> Truth {
    let (one, other) = match (&left.1, &right.1) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(one), Err(other)) => return Err(heavier(Some(one.clone()), other.clone())),
        (Err(trouble), _) | (_, Err(trouble)) => return Err(trouble.clone()),
    };
    let bound = match is_written(left.0) || is_written(right.0) {
        true => Bound::Written,
        false => Bound::Measured,
    };
    let judge = |one: &Value, other: &Value| compared(mode, bound, one, op, other);
    match (one, other) {
        (Operand::One(one), Operand::One(other)) => judge(one, other),
        (Operand::Each(how, list), Operand::One(other)) => {
            let truths = list.iter().map(|one| judge(one, other)).collect();
            quantified(mode, *how, truths)
        }
        (Operand::One(one), Operand::Each(how, list)) => {
            let truths = list.iter().map(|other| judge(one, other)).collect();
            quantified(mode, *how, truths)
        }
        (Operand::Each(..), Operand::Each(..)) => {
            Err(Trouble::Wrong("each of two lists is compared".to_owned()))
        }
    }
}

fn operand<'p: 's, 's>(
    eval: &mut Evaluator<'p, 's>,
    expr: &'p Expr,
) -> Result<Operand<'s>, Trouble> {
    let operand = match expr {
        Expr::Aggregate(how @ (Aggregate::Any | Aggregate::All), list) => {
            Operand::Each(*how, items(eval, list)?)
        }
        _ => Operand::One(eval.seen(expr)?),
    };
    if !is_written(expr) {
        let value = match &operand {
            Operand::One(value) => Value::clone(value),
            Operand::Each(_, items) => Value::List(items.clone()),
        };
        let what = describe(eval, expr);
        eval.measure(what, value);
    }
    Ok(operand)
}

fn items<'p>(eval: &mut Evaluator<'p, '_>, list: &'p Expr) -> Result<Vec<Value>, Trouble> {
    if let Expr::Metric { metric, scope } = list {
        return metric::series(eval, *metric, scope);
    }
    match eval.value(list)? {
        Value::List(items) => Ok(items),
        Value::Json(json) => match *json {
            Json::Array(items) => Ok(items.into_iter().map(Value::json).collect()),
            _ => Err(no_list()),
        },
        Value::Absent => Err(Trouble::NoData("there is no list".to_owned())),
        _ => Err(no_list()),
    }
}

fn no_list() -> Trouble {
    Trouble::Wrong("it is no list".to_owned())
}

/// Written in the plan or given to the run, not measured.
fn is_written(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(_)
        | Expr::Input(_)
        | Expr::Element { .. }
        | Expr::HasElement { .. }
        | Expr::Word(_) => true,
        Expr::Negate(inner) => is_written(inner),
        Expr::Binary(left, _, right) => is_written(left) && is_written(right),
        Expr::List(items) => items.iter().all(is_written),
        _ => false,
    }
}
