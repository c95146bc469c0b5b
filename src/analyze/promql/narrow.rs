//! Narrowing: the same question about one revision's pods only.

use crate::analyze::promql::NotNarrowed;
use crate::plan::SCOPE_PLACEHOLDER;
use promql_parser::label::{MatchOp, Matcher, Matchers};
use promql_parser::parser;
use promql_parser::parser::{Expr, VectorSelector};
use regex::Regex;

/// The query with a matcher for `label` in every selector.
pub fn narrow(expr: &Expr, label: &str) -> Result<String, NotNarrowed> {
    let matcher = scope_matcher(label).ok_or(NotNarrowed::Unverified)?;
    if let Some(function) = maker_of(expr, label) {
        return Err(NotNarrowed::Made {
            label: label.to_owned(),
            function,
        });
    }
    let mut narrowed = expr.clone();
    let mut selected = false;
    let mut bound = None;
    each_selector(&mut narrowed, &mut |selector| {
        selected = true;
        if is_bound(&selector.matchers, label) {
            bound.get_or_insert_with(|| selector.to_string());
        }
        add(&mut selector.matchers, &matcher);
    });
    if let Some(selector) = bound {
        return Err(NotNarrowed::Bound {
            label: label.to_owned(),
            selector,
        });
    }
    if !selected {
        return Err(NotNarrowed::NoSelector);
    }
    print_faithfully(&narrowed)
}

/// The name of a recorded series whose level, the part before the first colon, does not hold `label`.
pub fn recorded_without(expr: &Expr, label: &str) -> Option<String> {
    let mut found = None;
    each_selector(&mut expr.clone(), &mut |selector| {
        let Some(name) = &selector.name else { return };
        let Some((level, _)) = name.split_once(':') else {
            return;
        };
        if !level.split('_').any(|kept| kept == label) {
            found.get_or_insert_with(|| name.clone());
        }
    });
    found
}

/// The text of a changed tree. What the parser cannot print so that it reads the same again is not used.
fn print_faithfully(expr: &Expr) -> Result<String, NotNarrowed> {
    let text = expr.to_string();
    match parser::parse(&text) {
        Ok(again) if again.to_string() == text && count(&again) == count(expr) => Ok(text),
        _ => Err(NotNarrowed::Unverified),
    }
}

fn count(expr: &Expr) -> usize {
    let mut n = 0;
    each_selector(&mut expr.clone(), &mut |_| n += 1);
    n
}

fn scope_matcher(label: &str) -> Option<Matcher> {
    let regex = Regex::new(&format!("^(?:{SCOPE_PLACEHOLDER})$")).ok()?;
    Some(Matcher::new(MatchOp::Re(regex), label, SCOPE_PLACEHOLDER))
}

fn is_bound(matchers: &Matchers, label: &str) -> bool {
    let alternatives = matchers.or_matchers.iter().flatten();
    matchers
        .matchers
        .iter()
        .chain(alternatives)
        .any(|matcher| matcher.name == label)
}

fn add(matchers: &mut Matchers, matcher: &Matcher) {
    if matchers.or_matchers.is_empty() {
        matchers.matchers.push(matcher.clone());
    }
    for alternative in &mut matchers.or_matchers {
        alternative.push(matcher.clone());
    }
}

/// The function that makes `label`, if one does.
fn maker_of(expr: &Expr, label: &str) -> Option<String> {
    if let Expr::Call(call) = expr
        && matches!(call.func.name, "label_replace" | "label_join")
        && let Some(target) = call.args.args.get(1)
        && matches!(&**target, Expr::StringLiteral(text) if text.val == label)
    {
        return Some(call.func.name.to_owned());
    }
    parts(expr)
        .into_iter()
        .find_map(|part| maker_of(part, label))
}

/// The expressions directly inside one.
pub fn parts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Aggregate(aggregate) => {
            let param = aggregate.param.as_deref();
            param.into_iter().chain([&*aggregate.expr]).collect()
        }
        Expr::Unary(unary) => vec![&unary.expr],
        Expr::Binary(binary) => vec![&binary.lhs, &binary.rhs],
        Expr::Paren(paren) => vec![&paren.expr],
        Expr::Subquery(subquery) => vec![&subquery.expr],
        Expr::Call(call) => call.args.args.iter().map(|arg| &**arg).collect(),
        Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::MatrixSelector(_)
        | Expr::Extension(_) => Vec::new(),
    }
}

fn each_selector(expr: &mut Expr, visit: &mut dyn FnMut(&mut VectorSelector)) {
    match expr {
        Expr::Aggregate(aggregate) => {
            if let Some(param) = &mut aggregate.param {
                each_selector(param, visit);
            }
            each_selector(&mut aggregate.expr, visit);
        }
        Expr::Unary(unary) => each_selector(&mut unary.expr, visit),
        Expr::Binary(binary) => {
            each_selector(&mut binary.lhs, visit);
            each_selector(&mut binary.rhs, visit);
        }
        Expr::Paren(paren) => each_selector(&mut paren.expr, visit),
        Expr::Subquery(subquery) => each_selector(&mut subquery.expr, visit),
        Expr::Call(call) => {
            for arg in &mut call.args.args {
                each_selector(arg, visit);
            }
        }
        Expr::VectorSelector(selector) => visit(selector),
        Expr::MatrixSelector(selector) => visit(&mut selector.vs),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}
