//! PromQL as the compiler sees it: does it parse, is it one value at one instant, how far back does it look, and what
//! is it when only one revision's pods count.
//!
//! The parser has no positions, so an error belongs to the whole literal. It also lags behind Prometheus: text that only
//! *looks* newer than the parser is let through with [`Query::unverified`], because refusing a valid query costs more than
//! missing a wrong one.

mod narrow;
pub mod report;
mod shape;

use promql_parser::parser;
use promql_parser::parser::Expr;
use promql_parser::parser::value::ValueType;

/// What is known of a query's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// As written, but for white space and comments.
    pub text: String,
    /// With a matcher for [`crate::plan::SCOPE_PLACEHOLDER`] in every selector.
    pub scoped: Result<String, NotNarrowed>,
    /// How far back one answer looks: ranges, subqueries and offsets together, in nanoseconds. The five minutes in which
    /// Prometheus still shows the last sample of a silent series are not counted.
    pub lookback_ns: i64,
    /// Divides by something that may be zero.
    pub has_division: bool,
    pub series: Series,
    /// A series recorded under a name (`job:errors:rate5m`) that does not promise the narrowing label: narrowed, it may
    /// be empty.
    pub recorded: Option<String>,
    /// Why the parser could not read it, where the text looks newer than the parser.
    pub unverified: Option<String>,
}

/// How many series an answer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Series {
    One,
    /// One for each combination of these labels.
    By(Vec<String>),
    Unknown,
}

/// Why a query has no narrowed form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotNarrowed {
    /// A selector has a matcher for the label already.
    Bound { label: String, selector: String },
    /// Nothing is selected, so there is nothing to narrow: `time()`.
    NoSelector,
    /// `label_replace` and `label_join` make the label, so that a selector cannot match it.
    Made { label: String, function: String },
    /// The query could not be read.
    Unverified,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryError {
    Empty,
    /// The parser's words.
    Syntax(String),
    UnknownFunction {
        name: String,
        near: String,
    },
    /// A range of samples or a text, where one value at one instant is asked for.
    WrongType {
        found: &'static str,
    },
    TooLong {
        limit: usize,
    },
}

/// The parser and its trees recurse, so that length has to be bounded before it.
const TEXT_BYTES_MAX: usize = 16_384;
const OPERATORS_MAX: usize = 400;

/// Reads a query; `label` is the one that names a pod.
pub fn parse_query(text: &str, label: &str) -> Result<Query, QueryError> {
    let normal = shape::normalize(text);
    if normal.is_empty() {
        return Err(QueryError::Empty);
    }
    if normal.len() > TEXT_BYTES_MAX || shape::operators(&normal) > OPERATORS_MAX {
        return Err(QueryError::TooLong {
            limit: TEXT_BYTES_MAX,
        });
    }
    match parser::parse(&normal) {
        Ok(expr) => checked(normal, expr, label),
        Err(message) => not_parsed(normal, message),
    }
}

fn checked(text: String, expr: Expr, label: &str) -> Result<Query, QueryError> {
    let found = match expr.value_type() {
        ValueType::Vector | ValueType::Scalar => None,
        ValueType::Matrix => Some("range of samples"),
        ValueType::String => Some("text"),
    };
    if let Some(found) = found {
        return Err(QueryError::WrongType { found });
    }
    Ok(Query {
        scoped: narrow::narrow(&expr, label),
        lookback_ns: shape::lookback_ns(&expr),
        has_division: shape::divides(&expr),
        series: shape::series(&expr),
        recorded: narrow::recorded_without(&expr, label),
        unverified: None,
        text,
    })
}

fn not_parsed(text: String, message: String) -> Result<Query, QueryError> {
    if let Some(name) = unknown_function(&message) {
        if let Some(near) = shape::near_function(name) {
            return Err(QueryError::UnknownFunction {
                name: name.to_owned(),
                near: near.to_owned(),
            });
        }
    } else if !shape::looks_newer(&text) {
        return Err(QueryError::Syntax(message));
    }
    Ok(Query {
        scoped: Err(NotNarrowed::Unverified),
        lookback_ns: shape::longest_range_in_text_ns(&text),
        has_division: text.contains('/'),
        series: Series::Unknown,
        recorded: None,
        unverified: Some(message),
        text,
    })
}

fn unknown_function(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("unknown function with name '")?;
    rest.strip_suffix('\'')
}

#[cfg(test)]
mod tests;
