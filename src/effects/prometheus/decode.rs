//! What Prometheus answers, as values. Nothing is judged here: NaN, infinities and several series are passed on.

use crate::effects::wire::Answer;
use crate::providers::request::{Failure, FailureKind};
use crate::units::Dim;
use crate::values::fields::Fields;
use crate::values::{Instant, Value};
use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Envelope {
    status: String,
    #[serde(default)]
    data: serde_json::Value,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
}

/// The data of a successful answer.
///
/// A warning is a failure: Prometheus and its relatives warn where a part of the data is missing or does not fit the
/// query, and a part of the data must not pass a gate.
pub fn data(answer: &Answer, excerpt: impl Fn() -> String) -> Result<serde_json::Value, Failure> {
    let Ok(envelope) = serde_json::from_slice::<Envelope>(&answer.body) else {
        return Err(no_envelope(answer.status, &excerpt()));
    };
    if envelope.status != "success" || answer.status >= 400 {
        return Err(refused(&envelope, answer.status));
    }
    if !envelope.warnings.is_empty() {
        let message = format!(
            "warns about its answer: {}",
            short(&envelope.warnings.join("; "))
        );
        return Err(malformed(message));
    }
    Ok(envelope.data)
}

fn no_envelope(status: u16, excerpt: &str) -> Failure {
    let kind = match status {
        401 | 403 => FailureKind::Denied,
        404 => FailureKind::NotFound,
        408 | 504 => FailureKind::Timeout,
        502 | 503 => FailureKind::Unreachable,
        _ => FailureKind::Malformed,
    };
    Failure {
        kind,
        message: format!(
            "answered {status} with something that is none of its answers: `{excerpt}`"
        ),
    }
}

fn refused(envelope: &Envelope, status: u16) -> Failure {
    let kind = match (envelope.error_type.as_str(), status) {
        ("timeout", _) => FailureKind::Timeout,
        ("bad_data" | "execution", _) => FailureKind::Invalid,
        (_, 401 | 403) => FailureKind::Denied,
        (_, 400..=499) => FailureKind::Invalid,
        _ => FailureKind::Unreachable,
    };
    Failure {
        kind,
        message: format!(
            "answered {status} ({}): {}",
            short(&envelope.error_type),
            short(&envelope.error)
        ),
    }
}

pub fn decode<T: DeserializeOwned>(data: serde_json::Value) -> Result<T, Failure> {
    serde_json::from_value(data)
        .map_err(|why| malformed(format!("answered in a form that is not known: {why}")))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryData {
    result_type: String,
    #[serde(default)]
    result: serde_json::Value,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    metric: IndexMap<String, String>,
    value: Option<Point>,
    histogram: Option<serde::de::IgnoredAny>,
}

/// Seconds, and the number as text: JSON has no NaN.
#[derive(Deserialize)]
struct Point(f64, String);

/// A list of `{ labels, value, at }`.
pub fn samples(data: serde_json::Value) -> Result<Value, Failure> {
    let data: QueryData = decode(data)?;
    match data.result_type.as_str() {
        "vector" => {
            let series: Vec<Series> = decode(data.result)?;
            let samples: Result<Vec<Value>, Failure> = series.into_iter().map(sample).collect();
            samples.map(Value::List)
        }
        "scalar" => {
            let value = number(&decode(data.result)?, IndexMap::new())?;
            Ok(Value::List(vec![value]))
        }
        "matrix" => Err(malformed(
            "answered a range of samples where one is asked for",
        )),
        other => Err(malformed(format!(
            "answered a {} where a number is asked for",
            short(other)
        ))),
    }
}

fn sample(series: Series) -> Result<Value, Failure> {
    match (&series.value, &series.histogram) {
        (Some(point), _) => number(point, series.metric),
        (None, Some(_)) => Err(malformed(
            "answered a native histogram where a number is asked for: `histogram_quantile`, `histogram_avg` and \
             `histogram_fraction` make numbers of it",
        )),
        (None, None) => Err(malformed("answered a series without a value")),
    }
}

fn number(point: &Point, labels: IndexMap<String, String>) -> Result<Value, Failure> {
    let Point(seconds, text) = point;
    let value = text.parse().map_err(|_| {
        malformed(format!(
            "answered `{}` where a number is asked for",
            short(text)
        ))
    })?;
    let labels = labels
        .into_iter()
        .map(|(name, value)| (name, Value::String(value)));
    Ok(Value::Record(Fields::from([
        ("labels", Value::Record(labels.collect())),
        ("value", Value::measured(Dim::Count, value)),
        ("at", Value::Instant(instant(*seconds))),
    ])))
}

/// Prometheus counts in milliseconds; a float of seconds holds no more than these.
fn instant(seconds: f64) -> Instant {
    Instant(((seconds * 1000.0).round() as i64).saturating_mul(1_000_000))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Targets {
    active_targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    #[serde(default)]
    labels: IndexMap<String, String>,
    health: String,
}

/// Where there is no target at all, nobody knows how many are up: "none is down" would pass on nothing.
pub fn targets(targets: &Targets, job: Option<&str>) -> Value {
    let of_job = |target: &&Target| {
        job.is_none_or(|job| target.labels.get("job").is_some_and(|own| own == job))
    };
    let health: Vec<&str> = targets
        .active_targets
        .iter()
        .filter(of_job)
        .map(|target| target.health.as_str())
        .collect();
    let with = |wanted: &str| match health.len() {
        0 => Value::Absent,
        _ => count(health.iter().filter(|health| **health == wanted).count()),
    };
    Value::Record(Fields::from([
        ("up", with("up")),
        ("down", with("down")),
        ("total", count(health.len())),
    ]))
}

#[derive(Deserialize)]
pub struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    health: String,
    /// Year 1 where it never was.
    #[serde(default, rename = "lastEvaluation")]
    last_evaluation: String,
    #[serde(default)]
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct Alert {
    #[serde(default)]
    labels: IndexMap<String, String>,
    state: String,
}

impl Rules {
    fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.groups.iter().flat_map(|group| &group.rules)
    }
}

/// A rule that was never evaluated is not known to work.
pub fn rules(rules: &Rules) -> Value {
    let total = rules.iter().count();
    let failing = rules.iter().filter(|rule| rule.health == "err").count();
    let unknown = rules
        .iter()
        .any(|rule| !matches!(rule.health.as_str(), "ok" | "err"));
    let failing = match failing {
        0 if total == 0 || unknown => Value::Absent,
        known => count(known),
    };
    let evaluations: Option<Vec<i64>> = rules.iter().map(Rule::evaluated_ns).collect();
    let oldest = evaluations.and_then(|all| all.into_iter().min());
    Value::Record(Fields::from([
        ("total", count(total)),
        ("failing", failing),
        (
            "oldest",
            oldest.map_or(Value::Absent, |ns| Value::Instant(Instant(ns))),
        ),
    ]))
}

impl Rule {
    /// `None` for never: year 1 is further back than an instant reaches.
    fn evaluated_ns(&self) -> Option<i64> {
        let at: jiff::Timestamp = self.last_evaluation.parse().ok()?;
        i64::try_from(at.as_nanosecond()).ok()
    }
}

/// Which alerts are counted.
#[derive(Clone, Copy)]
pub struct Alerts<'a> {
    pub name: &'a str,
    pub labels: &'a [(&'a str, &'a str)],
}

/// A rule that is not loaded, was never evaluated or cannot be evaluated says nothing.
pub fn firing(rules: &Rules, wanted: Alerts<'_>) -> Value {
    let mut found = rules
        .iter()
        .filter(|rule| rule.kind == "alerting" && rule.name == wanted.name)
        .peekable();
    if found.peek().is_none() {
        return Value::Absent;
    }
    let has_labels = |alert: &Alert| {
        let has =
            |(name, value): &(&str, &str)| alert.labels.get(*name).is_some_and(|own| own == value);
        alert.state == "firing" && wanted.labels.iter().all(has)
    };
    let mut silent = false;
    for rule in found {
        if rule.alerts.iter().any(has_labels) {
            return Value::Bool(true);
        }
        silent |= rule.health != "ok";
    }
    if silent {
        Value::Absent
    } else {
        Value::Bool(false)
    }
}

fn count(n: usize) -> Value {
    Value::count(i64::try_from(n).unwrap_or(i64::MAX))
}

fn malformed(message: impl Into<String>) -> Failure {
    Failure {
        kind: FailureKind::Malformed,
        message: message.into(),
    }
}

/// Words of the other side in a message: on one line, and not many of them.
fn short(words: &str) -> String {
    const CHARACTERS_MAX: usize = 300;
    let line = words.replace(|c: char| c.is_control(), " ");
    match line.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
