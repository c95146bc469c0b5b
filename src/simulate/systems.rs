//! The twins of Prometheus, HTTP services, commands, Slack and webhooks: they say what the scenario says, and where it
//! says nothing, they are healthy. A metric has no such default: of one that nobody scripted there is no data.

use crate::providers::request::{
    Call, Failure, FailureKind, Intent, Observable, Observation, Outcome, Target,
};
use crate::simulate::script::Script;
use crate::units::Dim;
use crate::units::amount::Quantity;
use crate::values::fields::Fields;
use crate::values::{Instant, Value};
use serde_json::json;

const GIB: i64 = 1 << 30;

/// Traffic that reaches the pods of a scope; without it there are no series to query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    Some,
    None,
}

/// When a query looks, and at whom.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'c> {
    pub at: Instant,
    /// `None`: at all.
    pub scope: Option<&'c str>,
    pub traffic: Traffic,
}

pub fn prometheus(script: &mut Script, call: &Call, seen: Seen) -> Result<Value, Failure> {
    let down = script.is_down(&call.provider);
    if call.function == "ready" {
        return Ok(script.correct(call, Value::Bool(!down)));
    }
    if down {
        return Err(refused(&call.provider));
    }
    match call.function.as_str() {
        "query" => {
            let found = Value::List(series(script, call, seen));
            Ok(script.correct(call, found))
        }
        "targets" => {
            let up = [("up", 7), ("down", 0), ("total", 7)];
            Ok(script.correct(call, record(up.map(|(name, n)| (name, Value::count(n))))))
        }
        "rules" => {
            let rules = record([
                ("total", Value::count(20)),
                ("failing", Value::count(0)),
                ("oldest", Value::Instant(seen.at)),
            ]);
            Ok(script.correct(call, rules))
        }
        "firing" => {
            if !script.knows(call) {
                let alert = text(call, "alert");
                script
                    .silent
                    .insert(format!("{}.firing(\"{alert}\")", call.provider));
            }
            Ok(script.correct(call, Value::Absent))
        }
        _ => Err(unknown(call)),
    }
}

pub fn http(script: &Script, call: &Call) -> Result<Value, Failure> {
    let down = script.is_down(&call.provider);
    match call.function.as_str() {
        "up" => {
            let get = Call {
                function: "get".to_owned(),
                ..call.clone()
            };
            let status = field(&reply(script, &get), "status").and_then(|status| status.amount());
            let up = status.is_some_and(|status| status.as_f64() < 500.0);
            Ok(script.correct(call, Value::Bool(up && !down)))
        }
        "get" if down => Err(refused(&call.provider)),
        "get" => Ok(reply(script, call)),
        _ => Err(unknown(call)),
    }
}

/// A healthy one, where nothing else was said; a body that was said is its JSON, if it is any.
fn reply(script: &Script, call: &Call) -> Value {
    let reply = record([
        ("status", Value::count(200)),
        ("latency", Value::measured(Dim::Duration, 0.02)),
        ("json", Value::Absent),
        ("body", Value::String("{}".to_owned())),
        (
            "headers",
            Value::json(json!({"content-type": "application/json"})),
        ),
    ]);
    with_json_of(script.correct(call, reply), "body")
}

/// JSON of which nothing was said is read from the text in a field.
fn with_json_of(answer: Value, field_name: &str) -> Value {
    let said = matches!(field(&answer, "json"), Some(Value::Json(_)));
    let parsed = match field(&answer, field_name) {
        Some(Value::String(text)) if !said => serde_json::from_str(text).ok(),
        _ => None,
    };
    match (answer, parsed) {
        (Value::Record(mut fields), Some(json)) => {
            fields.insert("json", Value::json(json));
            Value::Record(fields)
        }
        (answer, _) => answer,
    }
}

pub fn shell_read(script: &Script, call: &Call) -> Result<Value, Failure> {
    let quantity =
        |dim, amount| Value::Quantity(Quantity::exact(dim, i128::from(amount) * 1_000_000_000));
    let answer = match call.function.as_str() {
        "exists" => Value::Bool(true),
        "cores" => quantity(Dim::Cores, 4),
        "free_memory" => quantity(Dim::Bytes, 8 * GIB),
        _ => return Err(unknown(call)),
    };
    Ok(script.correct(call, answer))
}

pub fn shell_prepare(call: &Call) -> Result<Intent, Failure> {
    if call.function != "run" {
        return Err(unknown(call));
    }
    let idempotent = matches!(call.args.get("idempotent"), Some(Value::Bool(true)));
    Ok(Intent {
        call: call.clone(),
        targets: Vec::<Target>::new(),
        before: Value::Record(Fields::new()),
        forward: json!({ "argv": words(call) }),
        inverse: serde_json::Value::Null,
        observable: if idempotent {
            Observable::Idempotent
        } else {
            Observable::AtMostOnce
        },
    })
}

/// The program and its arguments.
pub fn words(call: &Call) -> Vec<String> {
    let Some(Value::List(argv)) = call.args.get("argv") else {
        return Vec::new();
    };
    argv.iter()
        .filter_map(|word| match word {
            Value::String(word) => Some(word.clone()),
            _ => None,
        })
        .collect()
}

pub fn shell_commit(script: &Script, call: &Call) -> Outcome {
    let result = record([
        ("status", Value::count(0)),
        ("stdout", Value::String(String::new())),
        ("stderr", Value::String(String::new())),
        ("json", Value::Absent),
    ]);
    let result = with_json_of(script.correct(call, result), "stdout");
    let status = field(&result, "status").and_then(Value::amount);
    let status = status.map_or(0.0, |status| status.as_f64());
    if status == 0.0 {
        return Outcome::Applied {
            result,
            written: Vec::new(),
        };
    }
    let said = match field(&result, "stderr") {
        Some(Value::String(text)) if !text.is_empty() => format!(": {text}"),
        _ => String::new(),
    };
    let message = format!(
        "`{}` ended with status {status}{said}",
        words(call).join(" ")
    );
    Outcome::Unachieved(failure(FailureKind::Invalid, message))
}

/// Nobody sees whether a command ran; one that may run twice need not be looked for.
pub fn shell_observe(intent: &Intent) -> Observation {
    let message = "nobody can see whether a command ran";
    match intent.observable {
        Observable::Idempotent => Observation::NotApplied,
        _ => Observation::Unknown(failure(FailureKind::Refused, message)),
    }
}

/// What is said, as a person would read it.
pub fn told(call: &Call) -> String {
    let title = text(call, "title");
    match (title.as_str(), text(call, "text")) {
        ("", said) => said,
        (title, said) => format!("{title}: {said}"),
    }
}

pub fn failure(kind: FailureKind, message: impl Into<String>) -> Failure {
    Failure {
        kind,
        message: message.into(),
    }
}

pub fn refused(provider: &str) -> Failure {
    failure(
        FailureKind::Unreachable,
        format!("`{provider}` refuses the connection"),
    )
}

pub fn unknown(call: &Call) -> Failure {
    failure(
        FailureKind::Refused,
        format!("`{}` has no function `{}`", call.provider, call.function),
    )
}

pub fn text(call: &Call, arg: &str) -> String {
    word(call, arg).to_owned()
}

/// Nothing, where there is no such text.
pub fn word<'c>(call: &'c Call, arg: &str) -> &'c str {
    // Calls have few arguments: to look at each is quicker than to hash.
    let mut args = call.args.iter();
    match args.find(|(name, _)| *name == arg) {
        Some((_, Value::String(text))) => text,
        _ => "",
    }
}

pub fn record<const N: usize>(fields: [(&'static str, Value); N]) -> Value {
    Value::Record(Fields::from(fields))
}

fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Record(fields) => fields.get(name),
        _ => None,
    }
}

fn series(script: &mut Script, call: &Call, seen: Seen) -> Vec<Value> {
    let Seen { at, scope, traffic } = seen;
    let metric = word(call, "metric");
    match script.metric(metric, scope, at) {
        None => {
            script.silent.insert(metric.to_owned());
            Vec::new()
        }
        Some(Some(value)) if traffic == Traffic::Some => vec![record([
            ("labels", Value::Record(Fields::new())),
            ("value", Value::measured(Dim::Count, value)),
            ("at", Value::Instant(at)),
        ])],
        Some(_) => Vec::new(),
    }
}
