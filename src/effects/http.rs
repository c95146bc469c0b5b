//! HTTP endpoints, asked with a new connection each time: as a new user would, and without sticking to one pod of a Service.

use crate::effects::provider::Provider;
use crate::effects::settings::{Settings, Wrong};
use crate::effects::wire::{self, Answer, Connections, Trouble};
use crate::providers::request::{self, Call, Failure, FailureKind, Request, Response};
use crate::units::Dim;
use crate::values::Value;
use crate::values::fields::Fields;
use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Client, Url};
use std::time::Duration;

const BYTES_MAX: usize = 1 << 20;

/// Of the body as text: it goes into the journal with each sample.
const TEXT_BYTES_MAX: usize = 16 << 10;

pub struct Http {
    client: Client,
    base: Option<Url>,
    timeout: Duration,
}

pub fn build(settings: Settings<'_>) -> Result<Http, Wrong> {
    let manners = settings.manners(Connections::New)?;
    let base = settings.url("base")?;
    if base.is_none() && manners.headers.contains_key(AUTHORIZATION) {
        return Err("`token` needs a `base`: it is sent to one service only".to_owned());
    }
    Ok(Http {
        client: wire::client(&manners)?,
        base,
        timeout: manners.timeout,
    })
}

#[async_trait]
impl Provider for Http {
    async fn answer(&self, request: Request) -> Response {
        match request {
            Request::Read { call, .. } => Response::Read(self.read(&call).await),
            other => request::refusal(&other, "an http endpoint is only read"),
        }
    }
}

impl Http {
    async fn read(&self, call: &Call) -> Result<Value, Failure> {
        match call.function.as_str() {
            "get" => self.get(self.url(call.text("path")?)?).await,
            "up" => self.up(self.url(call.text("path")?)?).await,
            _ => Err(call.unknown_function()),
        }
    }

    async fn get(&self, url: Url) -> Result<Value, Failure> {
        let whom = wire::shown(&url);
        let answer = wire::exchange(self.client.get(url), BYTES_MAX).await;
        match answer {
            Ok(answer) => Ok(reply(answer)),
            Err(trouble) => Err(trouble.failure(&whom, self.timeout, BYTES_MAX)),
        }
    }

    /// False needs a sign that the *service* does not answer. Where the name or the network is missing we are blind.
    async fn up(&self, url: Url) -> Result<Value, Failure> {
        let whom = wire::shown(&url);
        match wire::exchange(self.client.get(url), BYTES_MAX).await {
            Ok(answer) => Ok(Value::Bool(answer.status < 500)),
            Err(Trouble::TooLarge) => Ok(Value::Bool(true)),
            Err(
                Trouble::Timeout
                | Trouble::Refused
                | Trouble::Reset(_)
                | Trouble::Untrusted(_)
                | Trouble::Garbled(_),
            ) => Ok(Value::Bool(false)),
            Err(trouble @ (Trouble::Unresolved | Trouble::NoRoute(_))) => {
                Err(trouble.failure(&whom, self.timeout, BYTES_MAX))
            }
        }
    }

    /// With a base, nothing leaves its origin: its headers and its token are meant for nobody else.
    fn url(&self, path: &str) -> Result<Url, Failure> {
        let refuse = |why: String| Failure::new(FailureKind::Refused, why);
        let whole = path.starts_with("http://") || path.starts_with("https://");
        let text = match (&self.base, whole) {
            (_, true) => path.to_owned(),
            (Some(base), false) => format!(
                "{}/{}",
                base.as_str().trim_end_matches('/'),
                path.trim_start_matches('/')
            ),
            (None, false) => {
                let why = format!("`{path}` needs the setting `base`, or to be a whole address");
                return Err(refuse(why));
            }
        };
        let url =
            Url::parse(&text).map_err(|why| refuse(format!("`{path}` is no address: {why}")))?;
        match &self.base {
            Some(base) if base.origin() != url.origin() => {
                let base = base.origin().ascii_serialization();
                Err(refuse(format!("`{path}` is not on `{base}`")))
            }
            _ => Ok(url),
        }
    }
}

fn reply(answer: Answer) -> Value {
    let json = serde_json::from_slice(&answer.body);
    let text = answer.body.get(..TEXT_BYTES_MAX).unwrap_or(&answer.body);
    Value::Record(Fields::from([
        ("status", Value::count(i64::from(answer.status))),
        (
            "latency",
            Value::measured(Dim::Duration, answer.took.as_secs_f64()),
        ),
        ("json", json.map_or(Value::Absent, Value::json)),
        (
            "body",
            Value::String(String::from_utf8_lossy(text).into_owned()),
        ),
        ("headers", Value::json(headers(&answer.headers))),
    ]))
}

/// Several of one name are joined as HTTP allows it.
fn headers(headers: &HeaderMap) -> serde_json::Value {
    let mut joined = serde_json::Map::new();
    for name in headers.keys() {
        let values: Vec<_> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        joined.insert(name.to_string(), values.join(", ").into());
    }
    joined.into()
}
