//! What can be read off a query: how far back it looks, whether it divides, how many series it answers with.

use crate::analyze::promql::Series;
use crate::analyze::promql::narrow::parts;
use crate::resolve::near::distance;
use promql_parser::parser::token::{
    T_BOTTOMK, T_COUNT_VALUES, T_DIV, T_LAND, T_LIMIT_RATIO, T_LIMITK, T_LOR, T_LUNLESS, T_MOD,
    T_TOPK,
};
use promql_parser::parser::value::ValueType;
use promql_parser::parser::{BinaryExpr, Expr, LabelModifier, Offset};
use promql_parser::util::parse_duration;
use std::time::Duration;

/// One space where there was white space or a comment, none at the ends; what is quoted stays as it is.
pub fn normalize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    let mut quote = Quote::default();
    let mut gap = false;
    while let Some(c) = chars.next() {
        if quote.is_open() {
            out.push(c);
        } else if c == '#' {
            gap = true;
            chars.by_ref().find(|&c| c == '\n');
            continue;
        } else if c.is_whitespace() {
            gap = true;
        } else {
            if std::mem::take(&mut gap) && !out.is_empty() {
                out.push(' ');
            }
            out.push(c);
        }
        quote.see(c);
    }
    out
}

/// How many characters outside of quotes can make a tree deeper.
pub fn operators(text: &str) -> usize {
    outside_quotes(text)
        .filter(|c| matches!(c, '(' | '+' | '-' | '*' | '/' | '%' | '^' | '<' | '>' | '='))
        .count()
}

pub fn lookback_ns(expr: &Expr) -> i64 {
    let inner = parts(expr).into_iter().map(lookback_ns).max().unwrap_or(0);
    let own = match expr {
        Expr::VectorSelector(selector) => offset_ns(&selector.offset),
        Expr::MatrixSelector(selector) => {
            nanos(selector.range).saturating_add(offset_ns(&selector.vs.offset))
        }
        Expr::Subquery(subquery) => {
            nanos(subquery.range).saturating_add(offset_ns(&subquery.offset))
        }
        _ => 0,
    };
    own.saturating_add(inner)
}

/// The longest `[5m]` of a text that could not be parsed.
pub fn longest_range_in_text_ns(text: &str) -> i64 {
    text.split('[')
        .skip(1)
        .filter_map(|rest| rest.split([']', ':']).next())
        .filter_map(|range| parse_duration(range.trim()).ok())
        .map(nanos)
        .max()
        .unwrap_or(0)
}

/// Whether it divides by something other than a number that is not zero.
pub fn divides(expr: &Expr) -> bool {
    if let Expr::Binary(binary) = expr
        && matches!(binary.op.id(), T_DIV | T_MOD)
        && !is_nonzero_number(&binary.rhs)
    {
        return true;
    }
    parts(expr).into_iter().any(divides)
}

pub fn series(expr: &Expr) -> Series {
    if expr.value_type() == ValueType::Scalar {
        return Series::One;
    }
    match expr {
        Expr::Aggregate(aggregate) => {
            if matches!(
                aggregate.op.id(),
                T_TOPK | T_BOTTOMK | T_LIMITK | T_LIMIT_RATIO | T_COUNT_VALUES
            ) {
                return Series::Unknown;
            }
            match &aggregate.modifier {
                None => Series::One,
                Some(LabelModifier::Include(labels)) => by(labels.labels.clone()),
                Some(LabelModifier::Exclude(_)) => Series::Unknown,
            }
        }
        Expr::Unary(unary) => series(&unary.expr),
        Expr::Paren(paren) => series(&paren.expr),
        Expr::Binary(binary) => series_of_pair(binary),
        Expr::Call(call) => match call.func.name {
            "vector" | "absent" | "absent_over_time" => Series::One,
            "histogram_quantile" => parts(expr)
                .get(1)
                .map_or(Series::Unknown, |buckets| without_le(series(buckets))),
            "abs" | "ceil" | "floor" | "round" | "clamp" | "clamp_min" | "clamp_max" | "ln"
            | "log2" | "log10" | "exp" | "sqrt" => parts(expr)
                .first()
                .map_or(Series::Unknown, |inner| series(inner)),
            _ => Series::Unknown,
        },
        _ => Series::Unknown,
    }
}

/// More than these, and it is another function: one that is newer than the parser.
const SLIPS_MAX: usize = 2;

/// The function that a mistyped name stands for.
pub fn near_function(name: &str) -> Option<&'static str> {
    if name.len() < 4 {
        return None;
    }
    let known = COMMON_FUNCTIONS.iter().copied();
    let ranked = known.map(|known| (distance(known, name), known));
    let near = ranked.filter(|(slips, _)| *slips <= SLIPS_MAX);
    near.min_by_key(|(slips, _)| *slips).map(|(_, known)| known)
}

/// Whether text that the parser refused holds syntax that is newer than the parser.
pub fn looks_newer(text: &str) -> bool {
    let bare: String = outside_quotes(text).collect();
    let words = ["anchored", "smoothed", "step()", "range()", "info("];
    words.iter().any(|word| bare.contains(word))
        || bare.contains(">/")
        || bare.contains("</")
        || brackets(&bare).any(|inside| inside.contains(['+', '-', '*', '/', '%', '^', '(']))
        || bare.contains("offset (")
}

/// Those whose misspelling is met in practice; the parser knows more.
const COMMON_FUNCTIONS: &[&str] = &[
    "rate",
    "irate",
    "increase",
    "delta",
    "idelta",
    "deriv",
    "changes",
    "resets",
    "histogram_quantile",
    "avg_over_time",
    "max_over_time",
    "min_over_time",
    "sum_over_time",
    "count_over_time",
    "last_over_time",
    "quantile_over_time",
    "stddev_over_time",
    "predict_linear",
    "label_replace",
    "label_join",
    "absent",
    "absent_over_time",
    "clamp_max",
    "clamp_min",
    "scalar",
    "vector",
    "timestamp",
    "round",
    "floor",
    "ceil",
];

fn by(labels: Vec<String>) -> Series {
    if labels.is_empty() {
        Series::One
    } else {
        Series::By(labels)
    }
}

fn without_le(series: Series) -> Series {
    match series {
        Series::By(labels) => by(labels.into_iter().filter(|label| label != "le").collect()),
        other => other,
    }
}

fn series_of_pair(binary: &BinaryExpr) -> Series {
    if matches!(binary.op.id(), T_LAND | T_LOR | T_LUNLESS) {
        return Series::Unknown;
    }
    let scalar = |side: &Expr| side.value_type() == ValueType::Scalar;
    match (scalar(&binary.lhs), scalar(&binary.rhs)) {
        (true, _) => series(&binary.rhs),
        (_, true) => series(&binary.lhs),
        _ => match (series(&binary.lhs), series(&binary.rhs)) {
            (Series::One, Series::One) => Series::One,
            (Series::By(a), Series::By(b)) if a == b && binary.modifier.is_none() => Series::By(a),
            _ => Series::Unknown,
        },
    }
}

fn is_nonzero_number(expr: &Expr) -> bool {
    match expr {
        Expr::NumberLiteral(number) => number.val != 0.0,
        Expr::Paren(paren) => is_nonzero_number(&paren.expr),
        Expr::Unary(unary) => is_nonzero_number(&unary.expr),
        _ => false,
    }
}

fn offset_ns(offset: &Option<Offset>) -> i64 {
    match offset {
        Some(Offset::Pos(back)) => nanos(*back),
        Some(Offset::Neg(_)) | None => 0,
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn brackets(text: &str) -> impl Iterator<Item = &str> {
    text.split('[')
        .skip(1)
        .filter_map(|rest| rest.split(']').next())
}

/// A quoted text leaves its first quote, so what stands before it and behind it does not become one word.
fn outside_quotes(text: &str) -> impl Iterator<Item = char> {
    let mut quote = Quote::default();
    text.chars().filter(move |&c| {
        let was_open = quote.is_open();
        quote.see(c);
        !was_open
    })
}

/// Follows a text and knows whether it is inside quotes.
#[derive(Default)]
struct Quote {
    open: Option<char>,
    escaped: bool,
}

impl Quote {
    fn is_open(&self) -> bool {
        self.open.is_some()
    }

    fn see(&mut self, c: char) {
        match self.open {
            None if matches!(c, '"' | '\'' | '`') => self.open = Some(c),
            None => {}
            Some(_) if self.escaped => self.escaped = false,
            Some(quote) if c == '\\' => self.escaped = quote != '`',
            Some(quote) if c == quote => self.open = None,
            Some(_) => {}
        }
    }
}
