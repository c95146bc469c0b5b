//! The words for what is wrong with a query.

use crate::analyze::promql::{NotNarrowed, Query, QueryError};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::promql::{
    METRIC_NOT_NARROWED, PROMQL_SYNTAX, PROMQL_TYPE, PROMQL_UNVERIFIED,
};
use crate::source::Span;

/// `literal` is the whole text between the backquotes: the parser knows no places inside it.
pub fn query_error(error: &QueryError, literal: Span) -> Diagnostic {
    match error {
        QueryError::Empty => Diagnostic::new(&PROMQL_SYNTAX, literal, "the query is empty"),
        QueryError::Syntax(words) => {
            let message = format!("the query is not PromQL: {}", plain(words));
            Diagnostic::new(&PROMQL_SYNTAX, literal, message)
        }
        QueryError::UnknownFunction { name, near } => {
            let message = format!("PromQL has no function `{name}`");
            Diagnostic::new(&PROMQL_SYNTAX, literal, message)
                .help(format!("the nearest name is `{near}`"))
        }
        QueryError::WrongType { found } => Diagnostic::new(
            &PROMQL_TYPE,
            literal,
            format!("the query gives a {found}, not one value at one instant"),
        )
        .help("make a value of it: `rate(x[1m])`, `increase(x[1h])`, `max_over_time(x[1h])`"),
        QueryError::TooLong { limit } => Diagnostic::new(
            &PROMQL_SYNTAX,
            literal,
            format!("the query is too long or nested too deeply to be checked (limit: {limit} bytes, 400 operators)"),
        )
        .help("record parts of it in Prometheus, or divide it into several metrics"),
    }
}

/// A warning where the parser does not know the syntax.
pub fn query_doubt(query: &Query, literal: Span) -> Option<Diagnostic> {
    let words = query.unverified.as_deref()?;
    Some(
        Diagnostic::new(
            &PROMQL_UNVERIFIED,
            literal,
            format!("the query cannot be checked: {}", plain(words)),
        )
        .help("try it against the server before the day")
        .note("it looks like syntax that is newer than the compiler, so it is handed on as it is"),
    )
}

/// `using` is the place of `canary.errors`, `literal` that of the query.
pub fn not_narrowed(why: &NotNarrowed, metric: &str, using: Span, literal: Span) -> Diagnostic {
    let (reason, help) = match why {
        NotNarrowed::Bound { label, selector } => (
            format!("`{selector}` has a matcher for `{label}` already"),
            format!("leave `{label}` out of the query: the scope puts it in"),
        ),
        NotNarrowed::NoSelector => (
            "it selects no series".to_owned(),
            "write the metric without a scope".to_owned(),
        ),
        NotNarrowed::Made { label, function } => (
            format!("`{function}` makes the label `{label}`, so no selector can match it"),
            "narrow by a label that the series have: the `pod` setting of the provider names it"
                .to_owned(),
        ),
        NotNarrowed::Unverified => (
            "the compiler cannot read its query".to_owned(),
            "write the query in syntax that the compiler knows".to_owned(),
        ),
    };
    Diagnostic::new(
        &METRIC_NOT_NARROWED,
        using,
        format!("`{metric}` cannot be narrowed to one revision: {reason}"),
    )
    .and(literal, "its query")
    .help(help)
}

/// Messages here have one line and no full stop.
fn plain(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use crate::analyze::promql::report::{not_narrowed, query_doubt, query_error};
    use crate::analyze::promql::{NotNarrowed, parse_query};
    use crate::source::{FileId, Span};

    fn span() -> Span {
        Span::new(FileId(0), 3, 9)
    }

    #[test]
    fn an_error_says_what_the_parser_said() {
        let error = parse_query("rate(x)", "pod").unwrap_err();
        insta::assert_snapshot!(query_error(&error, span()).message, @"the query is not PromQL: expected type matrix in call to function 'rate', got vector");
        let error = parse_query("x[5m]", "pod").unwrap_err();
        insta::assert_snapshot!(query_error(&error, span()).message, @"the query gives a range of samples, not one value at one instant");
        let error = parse_query("sum(x", "pod").unwrap_err();
        insta::assert_snapshot!(query_error(&error, span()).message, @"the query is not PromQL: unclosed left parenthesis");
    }

    #[test]
    fn only_a_query_that_was_not_read_is_doubted() {
        let newer = parse_query("rate(x[1h/2])", "pod").unwrap();
        assert!(query_doubt(&newer, span()).is_some());
        let known = parse_query("rate(x[1h])", "pod").unwrap();
        assert!(query_doubt(&known, span()).is_none());
    }

    #[test]
    fn a_refusal_to_narrow_names_the_selector() {
        let why = parse_query("sum(x{pod=\"a\"})", "pod").unwrap().scoped;
        let why = why.unwrap_err();
        insta::assert_snapshot!(not_narrowed(&why, "errors", span(), span()).message, @r#"`errors` cannot be narrowed to one revision: `x{pod="a"}` has a matcher for `pod` already"#);
        assert_ne!(why, NotNarrowed::NoSelector);
    }
}
