//! What a Prometheus, or something in front of it, can do wrong: each ends in a failure that says what was seen, never
//! in a number. The answers stand here as Prometheus 3 gives them.

use super::ask::{call, field, number, provider, read, seconds, setting, text};
use super::prometheus::{Bench, Series, ask, firing, query, suite, suite_of_series};
use super::server::{Asked, Reply, Server};
use deployc::effects::clock::Clock;
use deployc::effects::provider::Provider;
use deployc::effects::secret::Environment;
use deployc::plan::Setting;
use deployc::providers::request::{Call, FailureKind};
use deployc::values::{Instant, Value};
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const YEAR_1: &str = "0001-01-01T00:00:00Z";

/// A server that answers as a Prometheus would.
struct Canned {
    server: Server,
    vectors: Arc<Mutex<Vec<(String, Json)>>>,
}

impl Canned {
    fn new() -> Canned {
        let vectors: Arc<Mutex<Vec<(String, Json)>>> = Arc::default();
        let known = Arc::clone(&vectors);
        let server = Server::start(move |asked| match asked.target.split('?').next().unwrap() {
            "/-/ready" => Reply::new(200, "Prometheus Server is Ready.\n"),
            "/api/v1/query" => {
                let query = asked.form("query").unwrap();
                let known = known.lock().unwrap();
                let vector = known.iter().find(|(name, _)| *name == query).unwrap();
                let mut result = vector.1.clone();
                let at: f64 = asked.form("time").unwrap().parse().unwrap();
                for series in result.as_array_mut().unwrap() {
                    series["value"][0] = at.into();
                }
                success(json!({ "resultType": "vector", "result": result }))
            }
            "/api/v1/rules" => success(json!({ "groups": [] })),
            other => Reply::new(404, format!("404 page not found: {other}")),
        });
        Canned { server, vectors }
    }
}

impl Bench for Canned {
    fn query(&mut self, metric: &str, series: &[Series<'_>]) -> Call {
        let one = |(labels, value): &Series<'_>| {
            let labels: serde_json::Map<String, Json> = labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).into()))
                .collect();
            let value = match value {
                value if *value == f64::INFINITY => "+Inf".to_owned(),
                value if *value == f64::NEG_INFINITY => "-Inf".to_owned(),
                value => value.to_string(),
            };
            json!({ "metric": labels, "value": [0, value] })
        };
        let vector = series.iter().map(one).collect();
        self.vectors
            .lock()
            .unwrap()
            .insert(0, (metric.to_owned(), vector));
        query(metric)
    }

    fn provider(&self) -> Arc<dyn Provider> {
        at(&self.server, vec![])
    }

    fn provider_of_one_that_is_down(&self) -> Arc<dyn Provider> {
        let mut server = Server::start(|_| Reply::new(200, ""));
        server.stop();
        at(&server, vec![])
    }

    fn now(&self) -> Instant {
        Clock::start().now()
    }
}

fn success(data: Json) -> Reply {
    Reply::json(json!({ "status": "success", "data": data }))
}

fn at(server: &Server, more: Vec<(&str, Setting)>) -> Arc<dyn Provider> {
    let mut settings = vec![("url", setting(text(server.url(""))))];
    settings.extend(more);
    let environment = Environment::from([("TOKEN", "s3cr3t-token")]);
    provider("prometheus", settings, &environment).unwrap()
}

/// The failure of a query that is answered so.
async fn failure(reply: Reply) -> deployc::providers::request::Failure {
    let server = Server::start(move |_| reply.clone());
    let it = at(&server, vec![("timeout", setting(seconds(0.5)))]);
    ask(&*it, query("up"), Clock::start().now())
        .await
        .unwrap_err()
}

#[tokio::test]
async fn answers_in_its_format_keep_the_contract() {
    suite(Canned::new).await;
    suite_of_series(Canned::new).await;
}

#[tokio::test]
async fn a_query_is_a_form_with_the_instant_in_milliseconds() {
    let server = Server::start(|_| success(json!({ "resultType": "vector", "result": [] })));
    let it = at(
        &server,
        vec![
            ("lookback", setting(seconds(30.0))),
            ("token", Setting::SecretEnv("TOKEN".to_owned())),
            (
                "headers",
                setting(super::ask::texts(["X-Scope-OrgID: team-a"])),
            ),
        ],
    );
    let at = Instant(1_769_000_000_123_999_999);
    ask(&*it, query("sum(rate(x{a=\"é&\"}[1m]))"), at)
        .await
        .unwrap();
    let asked: Asked = server.asked().remove(0);
    assert_eq!(
        (asked.method.as_str(), asked.target.as_str()),
        ("POST", "/api/v1/query")
    );
    assert_eq!(asked.form("query").unwrap(), "sum(rate(x{a=\"é&\"}[1m]))");
    assert_eq!(asked.form("time").unwrap(), "1769000000.123");
    assert_eq!(asked.form("timeout").unwrap(), "10000ms");
    assert_eq!(asked.form("lookback_delta").unwrap(), "30000ms");
    assert_eq!(asked.header("authorization"), Some("Bearer s3cr3t-token"));
    assert_eq!(asked.header("x-scope-orgid"), Some("team-a"));
}

#[tokio::test]
async fn an_address_may_have_a_path() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/select/0/prometheus/-/ready" => Reply::new(200, ""),
        "/select/0/prometheus/api/v1/query" => {
            success(json!({ "resultType": "scalar", "result": [0, "7"] }))
        }
        other => Reply::new(404, other),
    });
    let url = setting(text(server.url("/select/0/prometheus/")));
    let it = provider("prometheus", vec![("url", url)], &Environment::default()).unwrap();
    assert!(super::ask::flag(
        &read(&*it, call("ready", [])).await.unwrap()
    ));
    let series = ask(&*it, query("7"), Clock::start().now()).await.unwrap();
    assert_eq!(number(&field(&series[0], "value")), 7.0);
}

#[tokio::test]
async fn a_page_instead_of_an_answer_is_shown_in_part() {
    let page = format!(
        "<!doctype html>\n<title>Sign in</title>{}",
        "x".repeat(100_000)
    );
    let failure = failure(Reply::new(200, page)).await;
    assert_eq!(failure.kind, FailureKind::Malformed);
    assert!(
        failure.message.contains("<title>Sign in</title>"),
        "{failure:?}"
    );
    assert!(failure.message.len() < 400, "{failure:?}");
}

#[tokio::test]
async fn pages_of_proxies_are_told_apart_by_their_status() {
    let cases = [
        (302, FailureKind::Malformed),
        (401, FailureKind::Denied),
        (403, FailureKind::Denied),
        (404, FailureKind::NotFound),
        (500, FailureKind::Malformed),
        (502, FailureKind::Unreachable),
        (503, FailureKind::Unreachable),
        (504, FailureKind::Timeout),
    ];
    for (status, kind) in cases {
        let failure = failure(Reply::new(status, "<html>sorry</html>")).await;
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert!(failure.message.contains(&status.to_string()), "{failure:?}");
    }
}

#[tokio::test]
async fn its_own_words_are_kept_where_it_refuses() {
    let error = |kind: &str, words: &str| {
        json!({ "status": "error", "errorType": kind, "error": words }).to_string()
    };
    let cases = [
        (
            400,
            "bad_data",
            "1:5: parse error: unclosed left parenthesis",
            FailureKind::Invalid,
        ),
        (
            422,
            "execution",
            "query processing would load too many samples",
            FailureKind::Invalid,
        ),
        (
            503,
            "timeout",
            "query timed out in expression evaluation",
            FailureKind::Timeout,
        ),
        (
            503,
            "unavailable",
            "TSDB not ready",
            FailureKind::Unreachable,
        ),
        (500, "internal", "disk on fire", FailureKind::Unreachable),
    ];
    for (status, kind, words, wanted) in cases {
        let failure = failure(Reply::new(status, error(kind, words))).await;
        assert_eq!(failure.kind, wanted, "{failure:?}");
        assert!(failure.message.contains(words), "{failure:?}");
        assert!(failure.message.contains("http://localhost:"), "{failure:?}");
    }
}

#[tokio::test]
async fn an_answer_with_a_warning_is_not_believed() {
    let partial = json!({
        "status": "success",
        "data": { "resultType": "vector", "result": [{ "metric": {}, "value": [0, "0"] }] },
        "warnings": ["No StoreAPIs matched for this query"],
    });
    let failure = failure(Reply::json(partial)).await;
    assert_eq!(failure.kind, FailureKind::Malformed);
    assert!(
        failure.message.contains("No StoreAPIs matched"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn an_info_is_no_warning() {
    let server = Server::start(|_| {
        Reply::json(json!({
            "status": "success",
            "data": { "resultType": "vector", "result": [{ "metric": {}, "value": [0, "3"] }] },
            "infos": ["PromQL info: metric might not be a counter"],
        }))
    });
    let series = ask(&*at(&server, vec![]), query("x"), Clock::start().now())
        .await
        .unwrap();
    assert_eq!(number(&field(&series[0], "value")), 3.0);
}

#[tokio::test]
async fn what_is_no_number_is_refused_with_its_name() {
    let data = |kind: &str, result: Json| {
        Reply::json(
            json!({ "status": "success", "data": { "resultType": kind, "result": result } }),
        )
    };
    let histogram =
        json!([{ "metric": { "pod": "a" }, "histogram": [0, { "count": "1", "sum": "1" }] }]);
    let cases = [
        (data("matrix", json!([])), "a range of samples"),
        (data("string", json!([0, "words"])), "answered a string"),
        (data("vector", histogram), "a native histogram"),
        (
            data("vector", json!([{ "metric": {} }])),
            "a series without a value",
        ),
        (
            data("vector", json!([{ "metric": {}, "value": [0, "much"] }])),
            "`much`",
        ),
        (
            data("vector", json!({ "a": 1 })),
            "in a form that is not known",
        ),
        (success(Json::Null), "in a form that is not known"),
    ];
    for (reply, words) in cases {
        let failure = failure(reply).await;
        assert_eq!(failure.kind, FailureKind::Malformed, "{failure:?}");
        assert!(failure.message.contains(words), "{failure:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_late_or_without_end_gives_no_number() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"status\":\"success\",\"data\":{"
        .to_vec();
    assert_eq!(
        failure(Reply::Raw(cut)).await.kind,
        FailureKind::Unreachable
    );
    let late =
        success(json!({ "resultType": "vector", "result": [] })).after(Duration::from_secs(2));
    assert_eq!(failure(late).await.kind, FailureKind::Timeout);
    let endless = failure(Reply::Endless).await;
    // Whichever limit is met first: that of bytes, or on a slow machine that of time.
    assert!(
        matches!(endless.kind, FailureKind::Malformed | FailureKind::Timeout),
        "{endless:?}"
    );
}

#[tokio::test]
async fn a_server_with_another_time_is_not_believed() {
    let dated = |date: &'static str| {
        success(json!({ "resultType": "vector", "result": [] })).with("date", date)
    };
    let half_past_six = Instant(1_768_977_000 * 1_000_000_000);
    let cases = [
        ("Wed, 21 Jan 2026 06:30:00 GMT", None),
        ("Wed, 21 Jan 2026 06:29:56 GMT", None),
        ("Wed, 21 Jan 2026 06:30:12 GMT", None), // a slow answer within the time limit of 10 s
        ("Wed, 21 Jan 2026 06:28:00 GMT", Some("120 s behind")),
        ("Wed, 21 Jan 2026 06:32:00 GMT", Some("120 s ahead of")),
    ];
    for (date, wrong) in cases {
        let server = Server::start(move |_| dated(date));
        let answer = ask(&*at(&server, vec![]), query("up"), half_past_six).await;
        match wrong {
            None => assert!(answer.unwrap().is_empty()),
            Some(words) => {
                let failure = answer.unwrap_err();
                assert!(failure.message.contains(words), "{failure:?}");
            }
        }
    }
}

#[tokio::test]
async fn starting_up_is_not_ready_and_a_closed_door_is_an_error() {
    for (status, wanted) in [(200, true), (503, false), (500, false), (404, false)] {
        let server = Server::start(move |_| Reply::new(status, ""));
        let answer = read(&*at(&server, vec![]), call("ready", []))
            .await
            .unwrap();
        assert_eq!(super::ask::flag(&answer), wanted, "{status}");
    }
    let server = Server::start(|_| Reply::new(401, ""));
    let failure = read(&*at(&server, vec![]), call("ready", []))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
}

async fn targets(active: Json, job: Option<&str>) -> [Value; 3] {
    let server = Server::start(move |asked| {
        assert_eq!(asked.target, "/api/v1/targets?state=active");
        success(json!({ "activeTargets": active, "droppedTargets": [] }))
    });
    let call = match job {
        Some(job) => call("targets", [("job", text(job))]),
        None => call("targets", []),
    };
    let answer = read(&*at(&server, vec![]), call).await.unwrap();
    ["up", "down", "total"].map(|name| field(&answer, name))
}

#[tokio::test]
async fn targets_are_counted_and_none_at_all_says_nothing() {
    let active = || {
        json!([
            { "labels": { "job": "api" }, "health": "up" },
            { "labels": { "job": "api" }, "health": "down" },
            { "labels": { "job": "db" }, "health": "unknown" },
        ])
    };
    assert_eq!(
        targets(active(), None).await.map(|n| number(&n)),
        [1.0, 1.0, 3.0]
    );
    assert_eq!(
        targets(active(), Some("db")).await.map(|n| number(&n)),
        [0.0, 0.0, 1.0]
    );
    let [up, down, total] = targets(active(), Some("web")).await;
    assert!(matches!((up, down), (Value::Absent, Value::Absent)));
    assert_eq!(number(&total), 0.0);
}

fn rule(name: &str, health: &str, evaluated: &str) -> Json {
    json!({ "name": name, "type": "recording", "query": "1", "health": health, "lastEvaluation": evaluated })
}

async fn rules(rules: Json) -> [Value; 3] {
    let server =
        Server::start(move |_| success(json!({ "groups": [{ "name": "g", "rules": rules }] })));
    let answer = read(&*at(&server, vec![]), call("rules", []))
        .await
        .unwrap();
    ["total", "failing", "oldest"].map(|name| field(&answer, name))
}

#[tokio::test]
async fn rules_that_were_never_evaluated_are_not_known_to_work() {
    let early = "2026-01-21T06:30:00.5Z";
    let late = "2026-01-21T06:31:00+00:00";
    let [total, failing, oldest] =
        rules(json!([rule("a", "ok", late), rule("b", "ok", early)])).await;
    assert_eq!((number(&total), number(&failing)), (2.0, 0.0));
    assert!(
        matches!(oldest, Value::Instant(Instant(1_768_977_000_500_000_000))),
        "{oldest:?}"
    );
    let [_, failing, oldest] =
        rules(json!([rule("a", "ok", late), rule("b", "unknown", YEAR_1)])).await;
    assert!(matches!((failing, oldest), (Value::Absent, Value::Absent)));
    let [_, failing, _] = rules(json!([
        rule("a", "err", late),
        rule("b", "unknown", YEAR_1)
    ]))
    .await;
    assert_eq!(number(&failing), 1.0);
    let [total, failing, _] = rules(json!([])).await;
    assert_eq!(number(&total), 0.0);
    assert!(
        matches!(failing, Value::Absent),
        "no rule is not \"no rule fails\""
    );
}

async fn fires(rules: Json, call: Call) -> Value {
    let server = Server::start(move |asked| {
        assert_eq!(asked.target, "/api/v1/rules?rule_name%5B%5D=HighErrors");
        success(json!({ "groups": [{ "name": "g", "rules": rules }] }))
    });
    read(&*at(&server, vec![]), call).await.unwrap()
}

fn alerting(health: &str, alerts: Json) -> Json {
    json!([{ "name": "HighErrors", "type": "alerting", "health": health, "alerts": alerts }])
}

#[tokio::test]
async fn an_alert_fires_is_silent_or_says_nothing() {
    let pending = json!([{ "labels": { "pod": "a" }, "state": "pending" }]);
    let burning = || json!([{ "labels": { "pod": "a" }, "state": "firing" }]);
    let ask = || firing("HighErrors");
    assert!(matches!(
        fires(alerting("ok", burning()), ask()).await,
        Value::Bool(true)
    ));
    assert!(matches!(
        fires(alerting("ok", pending), ask()).await,
        Value::Bool(false)
    ));
    assert!(matches!(
        fires(alerting("unknown", json!([])), ask()).await,
        Value::Absent
    ));
    assert!(matches!(
        fires(alerting("err", json!([])), ask()).await,
        Value::Absent
    ));
    // One that ignores `rule_name[]` sends all of its rules.
    let other =
        json!([{ "name": "Other", "type": "alerting", "health": "ok", "alerts": burning() }]);
    assert!(matches!(fires(other, ask()).await, Value::Absent));
    for (pod, wanted) in [("a", true), ("b", false)] {
        let mut call = ask();
        let labels = super::ask::map([("pod", text(pod))]);
        call.args.insert("labels".to_owned(), labels);
        let answer = fires(alerting("ok", burning()), call).await;
        assert_eq!(super::ask::flag(&answer), wanted);
    }
}

#[test]
fn an_address_is_needed() {
    let Err(problems) = provider("prometheus", vec![], &Environment::default()) else {
        panic!("accepted");
    };
    assert_eq!(problems[0].message, "`url` is missing");
}
