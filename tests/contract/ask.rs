//! Builds a provider as for a run, asks it, and reads its answers. A mistake in an answer is a failed test.

use deployc::effects::provider::Provider;
use deployc::effects::registry::{self, Problem, Providers};
use deployc::effects::secret::Environment;
use deployc::plan::{LocId, Plan, Setting};
use deployc::providers::request::{
    Call, Direction, Failure, Intent, Key, Observation, Outcome, Request, Response,
};
use deployc::values::fields::Fields;
use deployc::values::{Instant, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

pub type Settings<'a> = Vec<(&'a str, Setting)>;

/// Each test that makes a client needs it once in its process.
pub fn install_crypto() {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
}

/// The one provider `it` of the kind, built as for a run.
pub fn provider(
    kind: &str,
    settings: Settings<'_>,
    environment: &Environment,
) -> Result<Arc<dyn Provider>, Vec<Problem>> {
    install_crypto();
    let plan = plan(vec![("it", kind, settings)]);
    let providers: Providers = registry::build(&plan, &Fields::new(), environment)?;
    Ok(Arc::clone(&providers["it"]))
}

/// A plan with nothing but providers, and the file `note.md`.
pub fn plan(providers: Vec<(&str, &str, Settings<'_>)>) -> Plan {
    let mut plan: Plan = serde_json::from_value(serde_json::json!({
        "semantics": 1, "language": 1, "name": "p", "title": "P", "window": null, "deadline_ns": null,
        "sample_ns": 1, "inputs": [], "providers": [], "roles": [], "metrics": [], "lets": [], "nodes": [],
        "orders": [], "watches": [], "rollback": null, "handlers": [],
        "files": { "note.md": "from the file <@U1>" },
    }))
    .unwrap();
    plan.providers = providers
        .into_iter()
        .enumerate()
        .map(|(at, (name, kind, settings))| deployc::plan::Provider {
            name: name.to_owned(),
            kind: kind.to_owned(),
            settings: settings
                .into_iter()
                .map(|(name, setting)| (name.to_owned(), setting))
                .collect::<BTreeMap<_, _>>(),
            loc: LocId(at as u32),
        })
        .collect();
    plan
}

pub fn setting(value: Value) -> Setting {
    Setting::Value(value)
}

pub fn text(text: impl Into<String>) -> Value {
    Value::String(text.into())
}

pub fn texts<const N: usize>(texts: [&str; N]) -> Value {
    Value::List(texts.map(text).into())
}

pub fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Record(fields(entries))
}

pub fn seconds(seconds: f64) -> Value {
    Value::measured(deployc::units::Dim::Duration, seconds)
}

pub fn call<const N: usize>(function: &str, args: [(&str, Value); N]) -> Call {
    Call {
        provider: "it".to_owned(),
        function: function.to_owned(),
        args: fields(args),
    }
}

fn fields<const N: usize>(entries: [(&str, Value); N]) -> Fields {
    let owned = entries.into_iter();
    owned
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

pub fn now() -> Instant {
    deployc::effects::clock::Clock::start().now()
}

pub async fn read(provider: &dyn Provider, call: Call) -> Result<Value, Failure> {
    match provider.answer(Request::Read { call, at: now() }).await {
        Response::Read(result) => result,
        other => panic!("a read was answered with {other:?}"),
    }
}

pub async fn tell(provider: &dyn Provider, key: &str, call: Call) -> Result<(), Failure> {
    let key = Key(key.to_owned());
    match provider.answer(Request::Tell { key, call }).await {
        Response::Told(result) => result,
        other => panic!("a tell was answered with {other:?}"),
    }
}

pub async fn prepare(provider: &dyn Provider, key: &str, call: Call) -> Result<Intent, Failure> {
    let key = Key(key.to_owned());
    match provider.answer(Request::Prepare { key, call }).await {
        Response::Prepared(result) => result,
        other => panic!("a prepare was answered with {other:?}"),
    }
}

pub async fn commit(provider: &dyn Provider, key: &str, intent: Intent) -> Outcome {
    let request = Request::Commit {
        key: Key(key.to_owned()),
        intent,
        direction: Direction::Forward,
    };
    match provider.answer(request).await {
        Response::Committed(outcome) => outcome,
        other => panic!("a commit was answered with {other:?}"),
    }
}

pub async fn observe(provider: &dyn Provider, key: &str, intent: Intent) -> Observation {
    let request = Request::Observe {
        key: Key(key.to_owned()),
        intent,
        direction: Direction::Forward,
    };
    match provider.answer(request).await {
        Response::Observed(observation) => observation,
        other => panic!("an observe was answered with {other:?}"),
    }
}

/// A field of a record.
pub fn field(value: &Value, name: &str) -> Value {
    match value {
        Value::Record(fields) => fields
            .get(name)
            .unwrap_or_else(|| panic!("no `{name}` in {value:?}"))
            .clone(),
        other => panic!("no record with `{name}`: {other:?}"),
    }
}

pub fn number(value: &Value) -> f64 {
    value
        .amount()
        .unwrap_or_else(|| panic!("no number: {value:?}"))
        .as_f64()
}

pub fn words(value: &Value) -> &str {
    match value {
        Value::String(text) => text,
        other => panic!("no string: {other:?}"),
    }
}

pub fn flag(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        other => panic!("no bool: {other:?}"),
    }
}
