//! Prometheus, asked over its HTTP API.
//!
//! A query is evaluated at the instant of the sample, to the millisecond, whenever the answer arrives: so all metrics of
//! a sample speak of one instant. What is stale is decided by Prometheus: a series whose scrape failed ends at once, one
//! without a newer sample ends after `lookback`. An answer whose server has another time than the sample is refused,
//! because with a clock that is minutes off the newest data could look like none, or old data like the newest.

pub mod decode;

use crate::effects::prometheus::decode::{Alerts, decode};
use crate::effects::provider::Provider;
use crate::effects::secret::Secrets;
use crate::effects::settings::{Settings, Wrong};
use crate::effects::wire::{self, Answer, Connections, Trouble};
use crate::providers::prometheus::milliseconds;
use crate::providers::request::{Call, Failure, FailureKind, Request, Response};
use crate::providers::{prometheus as declared, request};
use crate::values::{Instant, Value};
use async_trait::async_trait;
use prometheus_http_query::{Client, Error};
use reqwest::header::DATE;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

/// A thousand series with twenty labels are a quarter of it.
const BYTES_MAX: usize = 16 << 20;

/// How far the clock of the server may be from that of the sample.
const SKEW_MAX: Duration = Duration::from_secs(5);

pub struct Prometheus {
    client: Client,
    timeout: Duration,
    lookback: Option<Duration>,
    /// `https://prometheus.example.com/`
    shown: String,
    secrets: Arc<Secrets>,
}

pub fn build(settings: Settings<'_>, secrets: Arc<Secrets>) -> Result<Prometheus, Wrong> {
    let url = settings.url("url")?.ok_or("`url` is missing")?;
    let manners = settings.manners(Connections::Kept)?;
    let address = url.as_str().trim_end_matches('/');
    let client = Client::from(wire::client(&manners)?, address);
    Ok(Prometheus {
        client: client.map_err(|why| why.to_string())?,
        timeout: manners.timeout,
        lookback: settings.duration("lookback")?,
        shown: wire::shown(&url),
        secrets,
    })
}

#[async_trait]
impl Provider for Prometheus {
    async fn answer(&self, request: Request) -> Response {
        match request {
            Request::Read { call, at } => Response::Read(self.read(&call, at).await),
            other => request::refusal(&other, "prometheus is only read"),
        }
    }
}

impl Prometheus {
    async fn read(&self, call: &Call, at: Instant) -> Result<Value, Failure> {
        match call.function.as_str() {
            declared::QUERY => self.query(call.text("query")?, at).await,
            "ready" => self.ready().await,
            "targets" => self.targets(call.optional_text("job")?).await,
            "rules" => self.rules().await,
            "firing" => {
                let labels = call.texts_by_name("labels")?;
                self.firing(call.text("alert")?, &labels).await
            }
            _ => Err(call.unknown_function()),
        }
    }

    async fn query(&self, query: &str, at: Instant) -> Result<Value, Failure> {
        let ms = milliseconds(at);
        let seconds = format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000));
        let mut builder = self.client.query(query).query("time", seconds);
        builder = builder.timeout(i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX));
        if let Some(lookback) = self.lookback {
            builder = builder.query("lookback_delta", format!("{}ms", lookback.as_millis()));
        }
        let answer = self.receive(builder.post_raw()).await?;
        self.check_clock(&answer, at)?;
        let data = self.data(&answer)?;
        decode::samples(data).map_err(|failure| self.about(failure))
    }

    /// A server that starts or stops says so with a 503; whatever else keeps it from answering is no readiness either.
    async fn ready(&self) -> Result<Value, Failure> {
        match wire::exchange(self.client.inner().get(self.path("-/ready")), BYTES_MAX).await {
            Ok(answer) if matches!(answer.status, 401 | 403) => {
                let message = format!("answered {} to whether it is ready", answer.status);
                Err(self.about(Failure::new(FailureKind::Denied, message)))
            }
            Ok(answer) => Ok(Value::Bool(answer.status == 200)),
            Err(trouble @ (Trouble::Unresolved | Trouble::NoRoute(_))) => {
                Err(self.failure(&trouble))
            }
            Err(_) => Ok(Value::Bool(false)),
        }
    }

    async fn targets(&self, job: Option<&str>) -> Result<Value, Failure> {
        let request = self.client.inner().get(self.path("api/v1/targets"));
        let request = request.query(&[("state", "active")]);
        let answer = wire::exchange(request, BYTES_MAX).await;
        let answer = answer.map_err(|trouble| self.failure(&trouble))?;
        let targets = decode(self.data(&answer)?);
        Ok(decode::targets(&targets.map_err(|f| self.about(f))?, job))
    }

    async fn rules(&self) -> Result<Value, Failure> {
        let answer = self.receive(self.client.rules().get_raw()).await?;
        let rules = decode(self.data(&answer)?);
        Ok(decode::rules(&rules.map_err(|f| self.about(f))?))
    }

    async fn firing(&self, alert: &str, labels: &[(&str, &str)]) -> Result<Value, Failure> {
        let rules = self.client.rules().name(alert);
        let answer = self.receive(rules.get_raw()).await?;
        let rules = decode(self.data(&answer)?);
        let wanted = Alerts {
            name: alert,
            labels,
        };
        Ok(decode::firing(&rules.map_err(|f| self.about(f))?, wanted))
    }

    async fn receive(
        &self,
        sent: impl Future<Output = Result<reqwest::Response, Error>> + Send,
    ) -> Result<Answer, Failure> {
        let started = wire::now();
        let response = sent.await.map_err(|error| self.unsent(&error))?;
        let answer = wire::receive(response, started, BYTES_MAX).await;
        answer.map_err(|trouble| self.failure(&trouble))
    }

    fn unsent(&self, error: &Error) -> Failure {
        let cause = error
            .source()
            .and_then(|cause| cause.downcast_ref::<reqwest::Error>());
        let trouble = cause.map(wire::trouble);
        self.failure(&trouble.unwrap_or_else(|| Trouble::Garbled(error.to_string())))
    }

    fn data(&self, answer: &Answer) -> Result<serde_json::Value, Failure> {
        let excerpt = || wire::excerpt(&answer.body, &self.secrets);
        decode::data(answer, excerpt).map_err(|failure| self.about(failure))
    }

    /// `Date` counts whole seconds. The answer may come as late as the time limit allows.
    fn check_clock(&self, answer: &Answer, at: Instant) -> Result<(), Failure> {
        let date = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let Some(date) = date.and_then(|date| i64::try_from(date.timestamp().as_nanosecond()).ok())
        else {
            return Ok(());
        };
        let ns = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        let ahead_ns = Instant(date).since(at);
        let behind = ahead_ns.saturating_add(ns(Duration::from_secs(1))) < -ns(SKEW_MAX);
        let ahead = ahead_ns > ns(SKEW_MAX).saturating_add(ns(self.timeout));
        if !behind && !ahead {
            return Ok(());
        }
        Err(Failure {
            kind: FailureKind::Malformed,
            message: format!(
                "the clock of prometheus at {} is {} s {} that of this machine: its newest samples are not those \
                 of this moment",
                self.shown,
                ahead_ns.saturating_abs() / 1_000_000_000,
                if behind { "behind" } else { "ahead of" },
            ),
        })
    }

    fn path(&self, path: &str) -> reqwest::Url {
        let mut url = self.client.base_url().clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        url
    }

    fn failure(&self, trouble: &Trouble) -> Failure {
        let whom = format!("prometheus at {}", self.shown);
        trouble.failure(&whom, self.timeout, BYTES_MAX)
    }

    fn about(&self, failure: Failure) -> Failure {
        Failure {
            kind: failure.kind,
            message: format!("prometheus at {} {}", self.shown, failure.message),
        }
    }
}
