//! What is read off queries, narrowed or not, and which text is refused.

use crate::analyze::promql::shape::normalize;
use crate::analyze::promql::{NotNarrowed, Query, QueryError, Series, parse_query};

const MINUTE_NS: i64 = 60_000_000_000;

fn query(text: &str) -> Query {
    parse_query(text, "pod").expect(text)
}

fn error(text: &str) -> QueryError {
    parse_query(text, "pod").expect_err(text)
}

fn narrowed(text: &str) -> String {
    query(text).scoped.expect(text)
}

#[test]
fn every_selector_is_narrowed() {
    assert_eq!(
        narrowed("sum(rate(http_requests_total[1m]))"),
        r#"sum(rate(http_requests_total{pod=~"__deployc_scope__"}[1m]))"#
    );
    assert_eq!(
        narrowed(r#"sum(rate(a{code=~"5.."}[1m])) / sum(rate(b[1m] offset 2m))"#),
        r#"sum(rate(a{code=~"5..",pod=~"__deployc_scope__"}[1m])) / sum(rate(b{pod=~"__deployc_scope__"}[1m] offset 2m))"#
    );
    assert_eq!(
        narrowed("max_over_time(up[5m:30s])"),
        r#"max_over_time(up{pod=~"__deployc_scope__"}[5m:30s])"#
    );
}

#[test]
fn alternatives_are_narrowed_each() {
    let text = narrowed(r#"sum(x{a="1" or b="2"})"#);
    assert_eq!(text.matches("__deployc_scope__").count(), 2, "{text}");
}

#[test]
fn names_in_braces_are_kept() {
    assert_eq!(
        narrowed(r#"sum({__name__=~"http_.*", job="api"})"#),
        r#"sum({__name__=~"http_.*",job="api",pod=~"__deployc_scope__"})"#
    );
}

#[test]
fn a_narrowed_query_parses_and_means_the_same_otherwise() {
    for text in [
        "histogram_quantile(0.95, sum by (le) (rate(d_bucket[1m])))",
        "sum without (instance) (x) > bool 0",
        "topk(3, x) and on (job) y",
        "a * on (pod) group_left (version) b",
        "-x ^ 2",
        "quantile(0.9, x) by (job)",
        "sum(x) by ()",
        "x @ 1609746000 offset 5m",
        "x @ end()",
        "rate(x[5m] offset -1m)",
        "absent(x)",
        "label_replace(x, \"host\", \"$1\", \"instance\", \"(.*):.*\")",
        "(a + b) * c - d",
        "count(up{namespace=\"x\"} == 1)",
        "vector(1) + x",
    ] {
        let before = query(text);
        let after = query(
            &before
                .scoped
                .clone()
                .expect(text)
                .replace("pod=~", "scope=~"),
        );
        assert_eq!(after.lookback_ns, before.lookback_ns, "{text}");
        assert_eq!(after.has_division, before.has_division, "{text}");
        assert_eq!(after.series, before.series, "{text}");
    }
}

#[test]
fn a_bound_label_cannot_be_narrowed() {
    assert_eq!(
        query(r#"sum(rate(x{pod=~"api-.*"}[1m]))"#).scoped,
        Err(NotNarrowed::Bound {
            label: "pod".to_owned(),
            selector: r#"x{pod=~"api-.*"}"#.to_owned()
        })
    );
    assert!(query(r#"sum(x{pods="a"})"#).scoped.is_ok());
}

#[test]
fn a_made_label_and_no_selector_cannot_be_narrowed() {
    let made = query(r#"sum(label_replace(x, "pod", "$1", "instance", "(.*)"))"#);
    assert!(matches!(made.scoped, Err(NotNarrowed::Made { .. })));
    assert_eq!(query("time()").scoped, Err(NotNarrowed::NoSelector));
    assert_eq!(query("vector(1)").scoped, Err(NotNarrowed::NoSelector));
}

#[test]
fn a_recorded_series_says_which_labels_it_has_kept() {
    let recorded = |text| query(text).recorded;
    assert_eq!(recorded("job:cpu"), Some("job:cpu".to_owned()));
    assert_eq!(recorded("job_pod:cpu:rate5m"), None);
    assert_eq!(recorded("sum(cpu)"), None);
}

#[test]
fn lookback_adds_ranges_subqueries_and_offsets() {
    let minutes = |text| query(text).lookback_ns / MINUTE_NS;
    assert_eq!(minutes("sum(up)"), 0);
    assert_eq!(minutes("sum(rate(x[5m])) / sum(rate(y[10m]))"), 10);
    assert_eq!(minutes("rate(x[5m] offset 1h)"), 65);
    assert_eq!(minutes("x offset 7m"), 7);
    assert_eq!(minutes("max_over_time(rate(x[5m])[30m:1m])"), 35);
    assert_eq!(minutes("rate(x[5m] offset -3m)"), 5);
}

#[test]
fn dividing_by_a_number_is_no_division() {
    assert!(query("a / b").has_division);
    assert!(query("sum(a) / (sum(b) + 1)").has_division);
    assert!(query("a / 0").has_division);
    assert!(query("a % b").has_division);
    assert!(!query("rate(a[1m]) / 60").has_division);
    assert!(!query("a / (60)").has_division);
    assert!(!query("a / -60").has_division);
    assert!(!query("a / -(60)").has_division);
    assert!(query("a / -b").has_division);
    assert!(!query(r#"a{path="/health"}"#).has_division);
}

#[test]
fn how_many_series() {
    let by = |labels: &[&str]| Series::By(labels.iter().map(|l| (*l).to_owned()).collect());
    let series = |text: &str| query(text).series;
    assert_eq!(series("sum(x)"), Series::One);
    assert_eq!(series("sum(a) / sum(b)"), Series::One);
    assert_eq!(series("100 * sum by () (a)"), Series::One);
    assert_eq!(series("sum by (path) (x)"), by(&["path"]));
    assert_eq!(
        series("histogram_quantile(0.9, sum by (le) (rate(x[1m])))"),
        Series::One
    );
    assert_eq!(
        series("histogram_quantile(0.9, sum by (le, job) (rate(x[1m])))"),
        by(&["job"])
    );
    assert_eq!(series("x"), Series::Unknown);
    assert_eq!(series("topk(1, x)"), Series::Unknown);
    assert_eq!(series("sum(a) or sum(b)"), Series::Unknown);
    assert_eq!(series("time()"), Series::One);
    assert_eq!(series("scalar(x) + 1"), Series::One);
    assert_eq!(series("vector(1)"), Series::One);
    assert_eq!(series("absent(x)"), Series::One);
    assert_eq!(series("absent_over_time(x[5m])"), Series::One);
    for function in ["abs", "ceil", "ln", "sqrt"] {
        assert_eq!(series(&format!("{function}(sum(x))")), Series::One);
        assert_eq!(series(&format!("{function}(x)")), Series::Unknown);
    }
    assert_eq!(series("clamp(sum by (path) (x), 0, 1)"), by(&["path"]));
    assert_eq!(series("-(sum by (path) (x))"), by(&["path"]));
    assert_eq!(series("rate(x[1m])"), Series::Unknown);
}

#[test]
fn a_pair_has_as_many_series_as_its_sides() {
    let path = Series::By(vec!["path".to_owned()]);
    let series = |text: &str| query(text).series;
    assert_eq!(series("100 * sum by (path) (a)"), path);
    assert_eq!(series("sum by (path) (a) / 60"), path);
    assert_eq!(series("sum by (path) (a) / sum by (path) (b)"), path);
    assert_eq!(
        series("sum by (path) (a) / sum by (job) (b)"),
        Series::Unknown
    );
    assert_eq!(
        series("sum by (path) (a) / on (path) sum by (path) (b)"),
        Series::Unknown
    );
    assert_eq!(series("sum by (path) (a) / sum(b)"), Series::Unknown);
}

#[test]
fn errors_are_data() {
    assert_eq!(error(""), QueryError::Empty);
    assert_eq!(error(" # nothing\n"), QueryError::Empty);
    assert!(matches!(error("sum(rate(x[1m])"), QueryError::Syntax(_)));
    assert!(matches!(error("x{code=~\"5..\""), QueryError::Syntax(_)));
    assert!(matches!(error("rate(x)"), QueryError::Syntax(message) if message.contains("matrix")));
    assert_eq!(
        error("x[5m]"),
        QueryError::WrongType {
            found: "range of samples"
        }
    );
    assert_eq!(error("\"x\""), QueryError::WrongType { found: "text" });
    assert_eq!(
        error("histogram_quantil(0.9, x)"),
        QueryError::UnknownFunction {
            name: "histogram_quantil".to_owned(),
            near: "histogram_quantile".to_owned()
        }
    );
}

#[test]
fn a_mistyped_function_is_told_by_the_nearest() {
    let near = |name: &str| match parse_query(&format!("{name}(x)"), "pod") {
        Err(QueryError::UnknownFunction { near, .. }) => Some(near),
        _ => None,
    };
    for (written, meant) in [
        ("max_over_tme", "max_over_time"),
        ("incraese", "increase"),
        ("irat", "irate"),
        ("foor", "floor"),
        ("roundd", "round"),
        ("clampmax", "clamp_max"),
        ("absentt_over_tim", "absent_over_time"),
    ] {
        assert_eq!(near(written).as_deref(), Some(meant), "{written}");
    }
    // They may be of tomorrow.
    for written in ["first_over_time", "ema", "histogram_trim", "xyzzy"] {
        assert_eq!(near(written), None, "{written}");
    }
}

#[test]
fn syntax_newer_than_the_parser_is_let_through() {
    for text in [
        "rate(x[1h/2])",
        "rate(x[5m] anchored)",
        "histogram_of_tomorrow(x)",
        "rate(x[step()])",
        "x >/ y",
        "x </ y",
        "x offset (5m)",
    ] {
        let query = query(text);
        assert!(query.unverified.is_some(), "{text}");
        assert_eq!(query.scoped, Err(NotNarrowed::Unverified), "{text}");
    }
    assert_eq!(query("rate(x[5m] anchored)").lookback_ns, 5 * MINUTE_NS);
    // Two signs with a text between them are no sign.
    assert!(matches!(error("x >\"a\"/ y"), QueryError::Syntax(_)));
    assert!(matches!(
        error(r#"sum(x{path="anchored"}"#),
        QueryError::Syntax(_)
    ));
}

#[test]
fn white_space_and_comments_do_not_count() {
    let spread = "sum( # all of them\n  rate(x{a=\"b  c\"}[1m])\n)\n";
    assert_eq!(query(spread).text, "sum( rate(x{a=\"b  c\"}[1m]) )");
    let hash = "x{a=\"#1\"}";
    assert_eq!(query(hash).text, hash);
    // A quote behind a backslash ends nothing, but for backquotes, where it is a backslash.
    let escaped = r##"x{a="\"# 1"}"##;
    assert_eq!(query(escaped).text, escaped);
    assert_eq!(normalize(r"x{a=`1\`} # gone"), r"x{a=`1\`}");
}

#[test]
fn hostile_text_is_refused_before_it_is_parsed() {
    let nested = format!("{}x{}", "(".repeat(20_000), ")".repeat(20_000));
    assert!(matches!(error(&nested), QueryError::TooLong { .. }));
    let chain = format!("1{}", "+1".repeat(5_000));
    assert!(matches!(error(&chain), QueryError::TooLong { .. }));
    let deep = format!("{}x{}", "(".repeat(390), ")".repeat(390));
    assert!(query(&deep).scoped.is_ok());
}

#[test]
fn a_query_may_be_as_long_as_it_may_be() {
    let long = |bytes: usize| format!("x{{a=\"{}\"}}", "a".repeat(bytes - 7));
    assert_eq!(query(&long(16_384)).text.len(), 16_384);
    assert!(matches!(error(&long(16_385)), QueryError::TooLong { .. }));
    let sum = |operators: usize| format!("x{}", "+x".repeat(operators));
    assert!(query(&sum(400)).scoped.is_ok());
    assert!(matches!(error(&sum(401)), QueryError::TooLong { .. }));
}
