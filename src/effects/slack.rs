//! Slack, by an incoming webhook.
//!
//! A measured value or a label of a metric may be anything, so what is told is never markup: the characters that begin
//! a mention or a link are escaped, and Slack is told to find neither in the rest.

use crate::effects::delivery::{self, Delivery};
use crate::effects::message::{self, Files, Message};
use crate::effects::provider::Provider;
use crate::effects::secret::{Secret, Secrets};
use crate::effects::settings::{Settings, Wrong};
use crate::effects::wire::{self, Connections, Manners};
use crate::providers::request::{self, Call, Failure, Key, Request, Response};
use async_trait::async_trait;
use reqwest::header::HeaderMap;
use reqwest::{Client, Url};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;

/// Of a title and of a section; Slack has no more in a section.
const TITLE_CHARACTERS_MAX: usize = 150;
const SECTION_CHARACTERS_MAX: usize = 3000;
const SECTIONS_MAX: usize = 20;
/// Of the line that a phone shows.
const SUMMARY_CHARACTERS_MAX: usize = 300;

pub struct Slack {
    client: Client,
    webhook: Secret,
    channel: Option<String>,
    within: Duration,
    /// `slack (room)`
    whom: String,
    files: Files,
    secrets: Arc<Secrets>,
}

pub fn build(settings: Settings<'_>, files: Files, secrets: Arc<Secrets>) -> Result<Slack, Wrong> {
    let webhook = settings.secret("webhook")?.ok_or("`webhook` is missing")?;
    check_address(&webhook)?;
    let manners = Manners {
        timeout: delivery::TRY_MAX,
        headers: HeaderMap::new(),
        authorities: Vec::new(),
        connections: Connections::Kept,
    };
    Ok(Slack {
        client: wire::client(&manners)?,
        webhook,
        channel: settings.text("channel")?.map(str::to_owned),
        within: settings.timeout()?,
        whom: format!("slack (`{}`)", settings.provider.name),
        files,
        secrets,
    })
}

/// Whoever reads the address on its way can post. Says what is wrong, but not with what.
fn check_address(webhook: &Secret) -> Result<(), Wrong> {
    let Ok(url) = Url::parse(webhook.expose()) else {
        return Err("the address in `webhook` cannot be read".to_owned());
    };
    let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    match url.scheme() {
        "https" => Ok(()),
        "http" if local => Ok(()),
        _ => Err("the address in `webhook` has to begin with `https://`".to_owned()),
    }
}

#[async_trait]
impl Provider for Slack {
    async fn answer(&self, request: Request) -> Response {
        match request {
            Request::Tell { key, call } => Response::Told(self.tell(&key, &call).await),
            other => request::refusal(&other, "slack is only told"),
        }
    }
}

impl Slack {
    async fn tell(&self, key: &Key, call: &Call) -> Result<(), Failure> {
        let payload = payload(&message::read(call, &self.files)?, self.channel.as_deref());
        let request = || self.client.post(self.webhook.expose()).json(&payload);
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

fn payload(message: &Message<'_>, channel: Option<&str>) -> Json {
    let refs = message.refs.join(", ");
    let title = message.title.unwrap_or_default();
    let mut blocks = Vec::new();
    if !title.is_empty() {
        let title = cut(title, TITLE_CHARACTERS_MAX).replace('\n', " ");
        let bold = format!("*{}*", escape(&title));
        blocks.push(json!({ "type": "section", "text": plain(&bold) }));
    }
    let texts = [Some(message.text), message.file];
    let sections = texts
        .into_iter()
        .flatten()
        .flat_map(sections)
        .take(SECTIONS_MAX);
    blocks.extend(sections.map(|text| json!({ "type": "section", "text": plain(&text) })));
    if !refs.is_empty() {
        let refs = escape(&cut(&refs, SECTION_CHARACTERS_MAX / 5));
        blocks.push(json!({ "type": "context", "elements": [plain(&refs)] }));
    }
    let summary = if title.is_empty() {
        message.text
    } else {
        title
    };
    let mut payload = json!({
        "text": escape(&cut(summary, SUMMARY_CHARACTERS_MAX)),
        "blocks": blocks,
        "parse": "none",
        "link_names": false,
        "mrkdwn": false,
        "unfurl_links": false,
        "unfurl_media": false,
    });
    if let (Some(channel), Some(fields)) = (channel, payload.as_object_mut()) {
        fields.insert("channel".to_owned(), channel.into());
    }
    payload
}

/// `verbatim`: what is not escaped stays what it is, also `@channel` and `https://…`.
fn plain(escaped: &str) -> Json {
    json!({ "type": "mrkdwn", "text": escaped, "verbatim": true })
}

/// The three characters that Slack gives a meaning to; there is no other way to mention or to link.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Escaped, at the end of a line where that is possible, and never inside of an escape.
fn sections(text: &str) -> Vec<String> {
    let mut sections = Vec::new();
    let mut section = String::new();
    let mut characters = 0;
    for line in text.split_inclusive('\n') {
        let pieces: Vec<String> = line
            .chars()
            .map(|c| escape(c.encode_utf8(&mut [0; 4])))
            .collect();
        let length: usize = pieces.iter().map(String::len).sum();
        if characters + length > SECTION_CHARACTERS_MAX && !section.is_empty() {
            sections.push(std::mem::take(&mut section));
            characters = 0;
        }
        for piece in pieces {
            let length = piece.chars().count();
            if characters + length > SECTION_CHARACTERS_MAX {
                sections.push(std::mem::take(&mut section));
                characters = 0;
            }
            section.push_str(&piece);
            characters += length;
        }
    }
    sections.push(section);
    sections.retain(|section| !section.trim().is_empty());
    sections
}

fn cut(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(characters_max - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use crate::effects::message::Message;
    use crate::effects::secret::Secret;
    use crate::effects::slack::{check_address, payload, sections};
    use serde_json::json;

    fn message(text: &str) -> Message<'_> {
        Message {
            title: None,
            text,
            refs: Vec::new(),
            file: None,
        }
    }

    #[test]
    fn a_value_can_neither_mention_nor_link() {
        let evil = "pod <!channel> <@U1> <https://evil.example|click> a&b";
        let sent = payload(&message(evil), None);
        let text = sent["blocks"][0]["text"]["text"].as_str().unwrap();
        let wanted = "pod &lt;!channel&gt; &lt;@U1&gt; &lt;https://evil.example|click&gt; a&amp;b";
        assert_eq!(text, wanted);
        assert_eq!(sent["text"], wanted);
        assert_eq!(sent["blocks"][0]["text"]["verbatim"], true);
        assert_eq!(sent["parse"], "none");
        assert_eq!(sent["link_names"], false);
    }

    #[test]
    fn a_title_stands_above_and_the_refs_below() {
        let whole = Message {
            title: Some("Rolling back <b>"),
            text: "because",
            refs: vec!["X0-1", "X0-2"],
            file: Some("the file"),
        };
        let sent = payload(&whole, Some("#deployments"));
        let section = |text: &str| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } });
        let wanted = json!([
            section("*Rolling back &lt;b&gt;*"),
            section("because"),
            section("the file"),
            { "type": "context", "elements": [{ "type": "mrkdwn", "text": "X0-1, X0-2", "verbatim": true }] },
        ]);
        assert_eq!(sent["blocks"], wanted);
        assert_eq!(sent["channel"], "#deployments");
        assert_eq!(sent["text"], "Rolling back &lt;b&gt;");
    }

    #[test]
    fn a_long_text_is_cut_at_lines_and_never_inside_of_an_escape() {
        let text = format!("{}\n{}", "<".repeat(1000), "a".repeat(100));
        let parts = sections(&text);
        assert!(parts.iter().all(|part| part.chars().count() <= 3000));
        let rest = parts.concat().replace("&lt;", "");
        assert!(!rest.contains('&'), "{rest}");
        let joined = parts.concat().replace("&lt;", "<");
        assert_eq!(joined, text);
    }

    #[test]
    fn nothing_is_no_section() {
        assert!(sections("").is_empty());
        assert!(sections("\n \n").is_empty());
    }

    #[test]
    fn a_webhook_over_plain_http_is_refused_without_showing_it() {
        let refused = check_address(&Secret::new("http://hooks.example.com/T0/B0")).unwrap_err();
        assert!(!refused.contains("T0"), "{refused}");
        assert!(check_address(&Secret::new("not an address")).is_err());
        assert!(check_address(&Secret::new("https://hooks.example.com/T0/B0")).is_ok());
    }
}
