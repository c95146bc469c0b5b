//! The contract of `prometheus`.

use super::ask::{call, field, flag, number, read, text, words};
use deployc::effects::provider::Provider;
use deployc::providers::request::{Call, Failure, FailureKind, Request, Response};
use deployc::values::{Instant, Value};
use std::sync::Arc;

/// One series as a query answers it.
pub type Series<'a> = (&'a [(&'a str, &'a str)], f64);

/// A Prometheus whose answers a test decides, and a provider that asks it.
pub trait Bench {
    /// The call of `query` that is answered with these series.
    fn query(&mut self, metric: &str, series: &[Series<'_>]) -> Call;
    fn provider(&self) -> Arc<dyn Provider>;
    /// One that asks a Prometheus that is down.
    fn provider_of_one_that_is_down(&self) -> Arc<dyn Provider>;
    /// The present of this bench.
    fn now(&self) -> Instant;
}

/// All cases that the twin passes too.
pub async fn suite<B: Bench>(bench: impl Fn() -> B) {
    a_value_comes_with_the_instant_of_the_sample(bench()).await;
    what_is_no_number_is_passed_on(bench()).await;
    nothing_is_an_empty_list(bench()).await;
    one_that_is_down_is_not_ready_and_answers_nothing(bench()).await;
    a_rule_that_is_not_loaded_says_nothing(bench()).await;
}

/// What the twin has no words for: series with labels.
pub async fn suite_of_series<B: Bench>(bench: impl Fn() -> B) {
    several_series_are_passed_on_as_they_are(bench()).await;
}

async fn a_value_comes_with_the_instant_of_the_sample(mut bench: impl Bench) {
    let call = bench.query("error_rate", &[(&[], 0.125)]);
    // A sample has nanoseconds, Prometheus has milliseconds.
    let at = Instant(bench.now().0 / 1_000_000 * 1_000_000 + 123_456);
    let series = ask(&*bench.provider(), call, at).await.unwrap();
    assert_eq!(series.len(), 1, "{series:?}");
    assert_eq!(number(&field(&series[0], "value")), 0.125);
    match field(&series[0], "at") {
        Value::Instant(answered) => {
            let late_ns = at.since(answered);
            assert!((0..1_000_000).contains(&late_ns), "{late_ns} ns apart");
        }
        other => panic!("{other:?}"),
    }
}

async fn what_is_no_number_is_passed_on(mut bench: impl Bench) {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let call = bench.query("odd", &[(&[], value)]);
        let series = ask(&*bench.provider(), call, bench.now()).await.unwrap();
        let answered = number(&field(&series[0], "value"));
        assert!(
            answered == value || (answered.is_nan() && value.is_nan()),
            "{value} became {answered}"
        );
    }
}

async fn nothing_is_an_empty_list(mut bench: impl Bench) {
    let call = bench.query("nothing", &[]);
    let series = ask(&*bench.provider(), call, bench.now()).await.unwrap();
    assert!(series.is_empty(), "{series:?}");
}

async fn several_series_are_passed_on_as_they_are(mut bench: impl Bench) {
    let wanted: [Series<'_>; 2] = [
        (&[("pod", "api-1")], 0.01),
        (&[("pod", "api-2"), ("code", "500")], 0.9),
    ];
    let call = bench.query("error_rate", &wanted);
    let series = ask(&*bench.provider(), call, bench.now()).await.unwrap();
    assert_eq!(series.len(), 2, "{series:?}");
    for (labels, value) in wanted {
        let found = series
            .iter()
            .find(|one| number(&field(one, "value")) == value);
        let own = field(found.unwrap(), "labels");
        let Value::Record(all) = &own else {
            panic!("{own:?}")
        };
        assert_eq!(all.len(), labels.len(), "{own:?}");
        for (name, value) in labels {
            assert_eq!(words(&field(&own, name)), *value);
        }
    }
}

async fn one_that_is_down_is_not_ready_and_answers_nothing(mut bench: impl Bench) {
    assert!(flag(
        &read(&*bench.provider(), call("ready", [])).await.unwrap()
    ));
    let call_of_query = bench.query("error_rate", &[(&[], 0.5)]);
    let down = bench.provider_of_one_that_is_down();
    assert!(!flag(&read(&*down, call("ready", [])).await.unwrap()));
    for call in [
        call_of_query,
        call("targets", []),
        call("rules", []),
        firing("Any"),
    ] {
        let failure = read(&*down, call).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
    }
}

async fn a_rule_that_is_not_loaded_says_nothing(bench: impl Bench) {
    let answer = read(&*bench.provider(), firing("NoSuchAlert"))
        .await
        .unwrap();
    assert!(matches!(answer, Value::Absent), "{answer:?}");
}

pub fn firing(alert: &str) -> Call {
    call("firing", [("alert", text(alert))])
}

pub fn query(promql: &str) -> Call {
    call("query", [("query", text(promql))])
}

/// The series that a query gives at an instant.
pub async fn ask(it: &dyn Provider, call: Call, at: Instant) -> Result<Vec<Value>, Failure> {
    match it.answer(Request::Read { call, at }).await {
        Response::Read(Ok(Value::List(series))) => Ok(series),
        Response::Read(Err(failure)) => Err(failure),
        other => panic!("{other:?}"),
    }
}
