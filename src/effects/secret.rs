//! Secrets: read from the environment of the runner, handed to the provider that uses them, shown to nobody.
//!
//! **Architecture Invariant:** no response of a provider holds a secret that this process knows: [`Discreet`] stands
//! around each real provider and blots them out, whatever the provider itself has missed.

use crate::effects::provider::Provider;
use crate::effects::target::fence::Fence;
use crate::effects::target::lease::Lease;
use crate::providers::request::{Failure, Observation, Outcome, Request, Response};
use crate::values::Value;
use crate::values::fields::Name;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A text that is never shown: neither `Debug` nor `Display` give it away.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// For the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The variables of the runner, read once: what is not in here is read by nobody.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    pub fn of_process() -> Environment {
        let readable = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Environment(readable.collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// An empty variable is no secret: it is what a shell script leaves where it found nothing. White space around it
    /// belongs to the file that it came from.
    pub fn secret(&self, name: &str) -> Result<Secret, String> {
        match self.get(name) {
            Some(value) if value.trim().is_empty() => {
                Err(format!("the environment variable `{name}` is empty"))
            }
            Some(value) => Ok(Secret::new(value.trim())),
            None => Err(format!("the environment variable `{name}` is not set")),
        }
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Environment {
        let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Environment(BTreeMap::from(owned))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// All secrets of a run, in the forms in which they could come back.
#[derive(Clone, Default)]
pub struct Secrets {
    /// The form and the name that stands for it; the longest first.
    forms: Vec<(String, String)>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.forms.len())
    }
}

impl Secrets {
    pub fn add(&mut self, name: &str, secret: &Secret) {
        for form in forms(secret.expose()) {
            if !form.is_empty() && !self.forms.iter().any(|(known, _)| *known == form) {
                self.forms.push((form, name.to_owned()));
            }
        }
        self.forms
            .sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
    }

    /// The text with the name of each secret where the secret stood.
    pub fn blot(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (form, name) in &self.forms {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), &format!("[secret {name}]"));
            }
        }
        text
    }

    /// Cuts from the end of `head` what may be the beginning of a secret whose rest was dropped.
    pub fn trim_end(&self, head: &mut Vec<u8>) {
        let longest = self.forms.iter().filter_map(|(form, _)| {
            let form = form.as_bytes();
            (1..form.len())
                .rev()
                .find(|&n| form.get(..n).is_some_and(|start| head.ends_with(start)))
        });
        let cut = longest.max().unwrap_or(0);
        head.truncate(head.len().saturating_sub(cut));
    }

    /// Cuts from the start of `tail` what may be the end of a secret whose beginning was dropped.
    pub fn trim_start(&self, tail: &mut Vec<u8>) {
        let longest = self.forms.iter().filter_map(|(form, _)| {
            let form = form.as_bytes();
            (1..form.len()).rev().find(|&n| {
                form.get(form.len() - n..)
                    .is_some_and(|end| tail.starts_with(end))
            })
        });
        tail.drain(..longest.max().unwrap_or(0));
    }

    fn blot_failure(&self, mut failure: Failure) -> Failure {
        failure.message = self.blot(&failure.message);
        failure
    }

    fn blot_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.blot(&text)),
            Value::List(items) => Value::List(
                items
                    .into_iter()
                    .map(|item| self.blot_value(item))
                    .collect(),
            ),
            Value::Record(fields) => {
                let blotted = |(name, value): (Name, _)| (self.blot(&name), self.blot_value(value));
                Value::Record(fields.into_iter().map(blotted).collect())
            }
            Value::Json(json) => Value::json(self.blot_json(*json)),
            other => other,
        }
    }

    fn blot_json(&self, json: serde_json::Value) -> serde_json::Value {
        match json {
            serde_json::Value::String(text) => self.blot(&text).into(),
            serde_json::Value::Array(items) => {
                items.into_iter().map(|item| self.blot_json(item)).collect()
            }
            serde_json::Value::Object(fields) => {
                let blotted =
                    |(name, value): (String, _)| (self.blot(&name), self.blot_json(value));
                fields.into_iter().map(blotted).collect()
            }
            other => other,
        }
    }

    fn blot_outcome(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Applied { result, written } => Outcome::Applied {
                result: self.blot_value(result),
                written,
            },
            Outcome::NotApplied(failure) => Outcome::NotApplied(self.blot_failure(failure)),
            Outcome::Unknown(failure) => Outcome::Unknown(self.blot_failure(failure)),
            Outcome::Unachieved(failure) => Outcome::Unachieved(self.blot_failure(failure)),
        }
    }

    fn blot_observation(&self, observation: Observation) -> Observation {
        match observation {
            Observation::Applied { result, written } => Observation::Applied {
                result: self.blot_value(result),
                written,
            },
            Observation::Underway(failure) => Observation::Underway(self.blot_failure(failure)),
            Observation::NotApplied => Observation::NotApplied,
            Observation::Foreign(failure) => Observation::Foreign(self.blot_failure(failure)),
            Observation::Unknown(failure) => Observation::Unknown(self.blot_failure(failure)),
        }
    }

    /// An intent is left as it is: it has to carry the change out, and no secret goes into a call.
    fn blot_response(&self, response: Response) -> Response {
        let blot = |failure| self.blot_failure(failure);
        match response {
            Response::Read(result) => {
                Response::Read(result.map(|value| self.blot_value(value)).map_err(blot))
            }
            Response::Prepared(result) => Response::Prepared(result.map_err(blot)),
            Response::Committed(outcome) => Response::Committed(self.blot_outcome(outcome)),
            Response::Observed(seen) => Response::Observed(self.blot_observation(seen)),
            Response::Told(result) => Response::Told(result.map_err(blot)),
        }
    }
}

/// A provider whose answers hold no secret.
pub struct Discreet<P> {
    pub inner: P,
    pub secrets: Arc<Secrets>,
}

#[async_trait]
impl<P: Provider> Provider for Discreet<P> {
    async fn answer(&self, request: Request) -> Response {
        self.secrets.blot_response(self.inner.answer(request).await)
    }

    async fn admit(&self, functions: &[&str]) -> Result<(), Failure> {
        let admitted = self.inner.admit(functions).await;
        admitted.map_err(|failure| Failure {
            message: self.secrets.blot(&failure.message),
            ..failure
        })
    }

    fn lock(&self, plan: &str) -> Option<(Arc<dyn Lease>, Fence)> {
        self.inner.lock(plan)
    }
}

/// Shorter parts of an address are words that stand elsewhere too: `/api`.
const PART_LENGTH_MIN: usize = 8;

/// As it is, as it stands in JSON, as an address is normalized, and the parts of an address that make it secret:
/// libraries show each of these.
fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::Value::from(secret).to_string();
    let mut forms = vec![secret.to_owned(), json.trim_matches('"').to_owned()];
    let Ok(url) = reqwest::Url::parse(secret) else {
        return forms;
    };
    if url.has_host() {
        forms.push(url.as_str().to_owned());
        let parts = [url.path().trim_matches('/'), url.query().unwrap_or("")];
        let long = parts
            .into_iter()
            .filter(|part| part.len() >= PART_LENGTH_MIN);
        forms.extend(long.map(str::to_owned));
        forms.extend(url.password().map(str::to_owned));
    }
    forms
}

#[cfg(test)]
mod tests {
    use crate::effects::provider::Provider;
    use crate::effects::secret::{Discreet, Environment, Secret, Secrets};
    use crate::providers::request::{Call, Failure, FailureKind, Request, Response};
    use crate::values::{Instant, Value};
    use async_trait::async_trait;
    use std::sync::Arc;

    const HOOK: &str = "https://hooks.slack.com/services/T000/B000/XyZ123";

    fn hook() -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add("HOOK", &Secret::new(HOOK));
        secrets
    }

    #[test]
    fn debug_and_display_show_nothing() {
        let secret = Secret::new("hunter2");
        let shown = format!(
            "{secret} {secret:?} {:?}",
            Environment::from([("A", "hunter2")])
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_webhook_is_blotted_out_whole_and_in_part() {
        let secrets = hook();
        assert_eq!(
            secrets.blot(&format!("POST {HOOK}: refused")),
            "POST [secret HOOK]: refused"
        );
        let path = "no such hook: /services/T000/B000/XyZ123";
        assert_eq!(secrets.blot(path), "no such hook: /[secret HOOK]");
        assert_eq!(
            secrets.blot("hooks.slack.com is down"),
            "hooks.slack.com is down"
        );
    }

    #[test]
    fn a_password_inside_an_address_is_a_secret_too() {
        let mut secrets = Secrets::default();
        secrets.add("DB", &Secret::new("postgres://admin:s3cr3t@db:5432/x"));
        assert_eq!(
            secrets.blot("wrong password: s3cr3t"),
            "wrong password: [secret DB]"
        );
    }

    #[test]
    fn the_longest_secret_wins_where_one_holds_another() {
        let mut secrets = Secrets::default();
        secrets.add("SHORT", &Secret::new("abc"));
        secrets.add("LONG", &Secret::new("abcdef"));
        assert_eq!(secrets.blot("abcdef abc"), "[secret LONG] [secret SHORT]");
    }

    #[test]
    fn a_secret_that_a_cut_went_through_leaves_no_part_behind() {
        let mut secrets = Secrets::default();
        secrets.add("KEY", &Secret::new("0123456789"));
        let mut head = b"the key is 01234".to_vec();
        secrets.trim_end(&mut head);
        assert_eq!(head, b"the key is ");
        let mut tail = b"6789 it was".to_vec();
        secrets.trim_start(&mut tail);
        assert_eq!(tail, b" it was");
    }

    #[test]
    fn an_empty_or_absent_variable_is_named_not_used() {
        let environment = Environment::from([("EMPTY", "")]);
        let empty = environment.secret("EMPTY").unwrap_err();
        assert_eq!(empty, "the environment variable `EMPTY` is empty");
        let absent = environment.secret("ABSENT").unwrap_err();
        assert_eq!(absent, "the environment variable `ABSENT` is not set");
    }

    struct Gossip;

    #[async_trait]
    impl Provider for Gossip {
        async fn answer(&self, request: Request) -> Response {
            match request {
                Request::Tell { .. } => Response::Told(Err(Failure {
                    kind: FailureKind::Invalid,
                    message: format!("{HOOK} says no"),
                })),
                _ => Response::Read(Ok(Value::json(serde_json::json!({ HOOK: [HOOK] })))),
            }
        }
    }

    #[tokio::test]
    async fn a_provider_that_gossips_is_blotted_out() {
        let discreet = Discreet {
            inner: Gossip,
            secrets: Arc::new(hook()),
        };
        let call = Call {
            provider: "room".to_owned(),
            function: "tell".to_owned(),
            args: Default::default(),
        };
        let key = crate::providers::request::Key("k".to_owned());
        let told = discreet
            .answer(Request::Tell {
                key,
                call: call.clone(),
            })
            .await;
        let read = discreet
            .answer(Request::Read {
                call,
                at: Instant(0),
            })
            .await;
        let shown = format!("{told:?} {read:?}");
        assert!(!shown.contains("XyZ123"), "{shown}");
        assert!(shown.contains("[secret HOOK] says no"), "{shown}");
    }
}
