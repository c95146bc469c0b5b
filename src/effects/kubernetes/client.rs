//! One request to the API server: with a time limit of its own, and an answer that says whether it was carried out.

use crate::effects::kubernetes::failure::{ApiError, Status, failure};
use crate::effects::kubernetes::object;
use crate::effects::kubernetes::resource::{Place, Resource};
use crate::effects::kubernetes::trouble;
use crate::effects::target::fence::Fence;
use crate::providers::kubernetes::FIELD_MANAGER;
use crate::providers::request::FailureKind;
use http::{Method, Request, Response, StatusCode, header};
use kube::client::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// The way to one cluster.
#[derive(Clone)]
pub struct Api {
    client: kube::Client,
    /// `https://10.0.0.1:6443`, for messages.
    pub address: String,
    pub namespace: String,
    /// For one answer.
    pub timeout: Duration,
    /// Every request that could change something waits at it.
    pub fence: Fence,
}

/// What is sent along with a request.
pub enum Payload {
    None,
    Json(Value),
    /// Server-side apply.
    Apply(Value),
    Merge(Value),
    /// Lists with keys are merged by them; only for built-in kinds.
    Strategic(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// The server says what would be, and does nothing.
    Dry,
    Real,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    No,
    /// Takes fields from other managers.
    Yes,
}

/// What is to be deleted only while it is this very object.
pub struct Doomed<'a> {
    pub place: &'a Place,
    pub uid: &'a str,
}

const PAGE: usize = 500;
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;
/// The server asks for this when it is overloaded; it has done nothing then.
const BUSY_TRIES: u32 = 3;
const BUSY_WAIT_MAX: Duration = Duration::from_secs(5);

impl Api {
    pub fn new(client: kube::Client, address: String, namespace: String, timeout: Duration) -> Api {
        Api {
            client,
            address,
            namespace,
            timeout,
            fence: Fence::default(),
        }
    }

    /// Another way to the same cluster, with a fence of its own.
    pub fn unfenced(&self) -> Api {
        Api {
            fence: Fence::default(),
            ..self.clone()
        }
    }

    pub fn place(&self, resource: Resource, name: &str) -> Place {
        Place::new(resource, &self.namespace, name)
    }

    /// `None` where there is no such object.
    pub async fn get(&self, place: &Place) -> Result<Option<Value>, ApiError> {
        match self.send(Method::GET, &place.path(), Payload::None).await {
            Ok(object) => Ok(Some(object)),
            Err(ApiError::Refused(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Those in the namespace that a label selector takes; all where it is empty.
    pub async fn list(&self, resource: &Resource, selector: &str) -> Result<Vec<Value>, ApiError> {
        let mut found = Vec::new();
        let mut next = String::new();
        loop {
            let path = format!(
                "{}?limit={PAGE}&labelSelector={}&continue={}",
                resource.path(&self.namespace),
                query(selector),
                query(&next)
            );
            let mut page = self.send(Method::GET, &path, Payload::None).await?;
            next = object::text(&page, "/metadata/continue").to_owned();
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                found.extend(items.into_iter().map(|item| whole(item, resource)));
            }
            if next.is_empty() {
                return Ok(found);
            }
        }
    }

    /// Server-side apply. Fields that the schema does not know are refused.
    pub async fn apply(
        &self,
        place: &Place,
        config: Value,
        force: Force,
        run: Run,
    ) -> Result<Value, ApiError> {
        let mut path = format!(
            "{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict",
            place.path()
        );
        if force == Force::Yes {
            path.push_str("&force=true");
        }
        if run == Run::Dry {
            path.push_str("&dryRun=All");
        }
        self.send(Method::PATCH, &path, Payload::Apply(config))
            .await
    }

    pub async fn patch(&self, path: &str, payload: Payload) -> Result<Value, ApiError> {
        let path = format!("{path}?fieldManager={FIELD_MANAGER}");
        self.send(Method::PATCH, &path, payload).await
    }

    pub async fn create(&self, collection: &str, body: Value) -> Result<Value, ApiError> {
        let path = format!("{collection}?fieldManager={FIELD_MANAGER}");
        self.send(Method::POST, &path, Payload::Json(body)).await
    }

    /// Deletes this very object and, before it, what belongs to it. One that is gone is no error.
    pub async fn delete(&self, doomed: Doomed<'_>) -> Result<(), ApiError> {
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "propagationPolicy": "Foreground",
            "preconditions": { "uid": doomed.uid },
        });
        let path = doomed.place.path();
        match self
            .send(Method::DELETE, &path, Payload::Json(options))
            .await
        {
            Ok(_) => Ok(()),
            Err(ApiError::Refused(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        payload: Payload,
    ) -> Result<Value, ApiError> {
        let asked = Asked {
            method,
            path,
            payload,
            accept: "application/json",
        };
        self.ask(&asked).await
    }

    pub async fn send_accepting(
        &self,
        method: Method,
        path: &str,
        accept: &'static str,
    ) -> Result<Value, ApiError> {
        let payload = Payload::None;
        let asked = Asked {
            method,
            path,
            payload,
            accept,
        };
        self.ask(&asked).await
    }

    async fn ask(&self, asked: &Asked<'_>) -> Result<Value, ApiError> {
        for attempt in 1.. {
            let request = request(asked, self.timeout)?;
            if asked.method != Method::GET {
                self.pass().await?;
            }
            let limit = tokio::time::timeout(self.timeout, self.exchange(request));
            let Ok(answer) = limit.await else {
                let seconds = self.timeout.as_secs_f64();
                let Asked { method, path, .. } = asked;
                let path = path.split('?').next().unwrap_or(path);
                let message = format!(
                    "{} gave no answer to {method} {path} in {seconds} s",
                    self.address
                );
                return Err(ApiError::Unclear(failure(FailureKind::Timeout, message)));
            };
            match answer? {
                Answer::Done(value) => return Ok(value),
                Answer::Busy(_, wait) if attempt < BUSY_TRIES => tokio::time::sleep(wait).await,
                Answer::Busy(status, _) | Answer::Refused(status) => {
                    return Err(ApiError::Refused(status));
                }
            }
        }
        Err(ApiError::Unsent(failure(
            FailureKind::Unreachable,
            "no attempt was made",
        )))
    }

    /// What has lost its target has sent nothing.
    async fn pass(&self) -> Result<(), ApiError> {
        let passed = self.fence.enter().await;
        passed.map_err(|lost| ApiError::Unsent(failure(FailureKind::Cancelled, lost.to_string())))
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Answer, ApiError> {
        let asked = format!("{} {}", request.method(), request.uri().path());
        let response = self.client.send(request).await;
        let response =
            response.map_err(|error| trouble::of_request(&self.address, &asked, &error))?;
        let status = response.status();
        let wait = retry_after(&response);
        let body = response.into_body().collect_bytes().await;
        let body = body.map_err(|error| trouble::of_request(&self.address, &asked, &error))?;
        if status.is_success() {
            return self.parse(&asked, &body).map(Answer::Done);
        }
        let refusal = Status::parse(status.as_u16(), &body);
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Ok(Answer::Busy(refusal, wait));
        }
        if refusal.is_certain() {
            return Ok(Answer::Refused(refusal));
        }
        Err(ApiError::Unclear(ApiError::Refused(refusal).about(&asked)))
    }

    fn parse(&self, asked: &str, body: &[u8]) -> Result<Value, ApiError> {
        let unclear = |words: String| ApiError::Unclear(failure(FailureKind::Malformed, words));
        if body.len() > ANSWER_BYTES_MAX {
            return Err(unclear(format!(
                "the answer to {asked} is over {ANSWER_BYTES_MAX} bytes"
            )));
        }
        serde_json::from_slice(body).map_err(|_| {
            unclear(format!(
                "{} answered {asked} with something that is no JSON",
                self.address
            ))
        })
    }
}

/// Items of a list do not say what they are.
fn whole(mut item: Value, resource: &Resource) -> Value {
    object::set(&mut item, &["apiVersion"], json!(resource.api_version()));
    object::set(&mut item, &["kind"], json!(resource.kind));
    item
}

enum Answer {
    Done(Value),
    Refused(Status),
    /// 429, and how long to wait.
    Busy(Status, Duration),
}

struct Asked<'a> {
    method: Method,
    path: &'a str,
    payload: Payload,
    accept: &'static str,
}

/// A request that changes something says how long it is worth anything: one that is held up on its way longer than
/// somebody waits for it must not be carried out.
fn request(asked: &Asked<'_>, timeout: Duration) -> Result<Request<Body>, ApiError> {
    let Asked { method, path, .. } = asked;
    let (content, body) = match &asked.payload {
        Payload::None => ("application/json", None),
        Payload::Json(body) => ("application/json", Some(body)),
        Payload::Apply(body) => ("application/apply-patch+yaml", Some(body)),
        Payload::Merge(body) => ("application/merge-patch+json", Some(body)),
        Payload::Strategic(body) => ("application/strategic-merge-patch+json", Some(body)),
    };
    let body = body.map_or(Body::empty(), |body| {
        Body::from(body.to_string().into_bytes())
    });
    let address = match *method == Method::GET {
        true => (*path).to_owned(),
        false => {
            let joint = if path.contains('?') { '&' } else { '?' };
            format!("{path}{joint}timeout={}s", timeout.as_secs().max(1))
        }
    };
    let built = Request::builder()
        .method(method)
        .uri(address)
        .header(header::ACCEPT, asked.accept)
        .header(header::CONTENT_TYPE, content)
        .body(body);
    built.map_err(|error| {
        let message = format!("{path} is no address of the API: {error}");
        ApiError::Unsent(failure(FailureKind::Invalid, message))
    })
}

fn retry_after(response: &Response<Body>) -> Duration {
    let header = response.headers().get(header::RETRY_AFTER);
    let seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1)).min(BUSY_WAIT_MAX)
}

/// Percent-encodes what a query does not take as it is.
pub fn query(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
