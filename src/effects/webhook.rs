//! A webhook: what is told, as JSON by `POST`.

use crate::effects::delivery::{self, Delivery};
use crate::effects::message::{self, Files};
use crate::effects::provider::Provider;
use crate::effects::secret::{Secret, Secrets};
use crate::effects::settings::{Settings, Wrong};
use crate::effects::wire::{self, Connections};
use crate::providers::request::{self, Call, Failure, Key, Request, Response};
use async_trait::async_trait;
use reqwest::{Client, Url};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

pub struct Webhook {
    client: Client,
    url: Secret,
    within: Duration,
    /// `the webhook of `room``; the address itself is a secret.
    whom: String,
    files: Files,
    secrets: Arc<Secrets>,
}

pub fn build(
    settings: Settings<'_>,
    files: Files,
    secrets: Arc<Secrets>,
) -> Result<Webhook, Wrong> {
    let url = settings.secret("url")?.ok_or("`url` is missing")?;
    let readable =
        Url::parse(url.expose()).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !readable {
        return Err("the address in `url` cannot be read".to_owned());
    }
    Ok(Webhook {
        client: wire::client(&settings.manners(Connections::Kept)?)?,
        url,
        within: settings.timeout()?,
        whom: format!("the webhook of `{}`", settings.provider.name),
        files,
        secrets,
    })
}

#[async_trait]
impl Provider for Webhook {
    async fn answer(&self, request: Request) -> Response {
        match request {
            Request::Tell { key, call } => Response::Told(self.tell(&key, &call).await),
            other => request::refusal(&other, "a webhook is only told"),
        }
    }
}

impl Webhook {
    async fn tell(&self, key: &Key, call: &Call) -> Result<(), Failure> {
        let message = message::read(call, &self.files)?;
        let payload = json!({
            "key": key.0,
            "title": message.title,
            "text": message.text,
            "refs": message.refs,
            "file": message.file,
        });
        let request = || self.client.post(self.url.expose()).json(&payload);
        let delivery = Delivery {
            request: &request,
            key,
            whom: &self.whom,
            within: self.within,
            secrets: &self.secrets,
        };
        delivery::deliver(delivery).await
    }
}
