//! The settings of one provider of a plan, read into what its implementation needs.
#![allow(clippy::disallowed_methods, reason = "authorities are read from files")]

use crate::effects::secret::{Environment, Secret};
use crate::effects::wire::{Connections, Manners};
use crate::plan;
use crate::providers::{ProviderKind, catalog};
use crate::units::Dim;
use crate::values::Value;
use crate::values::fields::Fields;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Url};
use std::time::Duration;

/// One provider with everything that its settings may refer to.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    pub provider: &'a plan::Provider,
    pub inputs: &'a Fields,
    pub environment: &'a Environment,
}

/// Why a setting cannot be used, in words for a person.
pub type Wrong = String;

impl<'a> Settings<'a> {
    pub fn value(&self, name: &str) -> Result<Option<&'a Value>, Wrong> {
        match self.provider.settings.get(name) {
            None => Ok(None),
            Some(plan::Setting::Value(value)) => Ok(Some(value)),
            Some(plan::Setting::Input(input)) => match self.inputs.get(input) {
                Some(value) => Ok(Some(value)),
                None => Err(format!(
                    "`{name}` needs the input `{input}`, which is not set"
                )),
            },
            Some(plan::Setting::SecretEnv(_)) => Err(format!("`{name}` may not be a secret")),
        }
    }

    pub fn text(&self, name: &str) -> Result<Option<&'a str>, Wrong> {
        match self.value(name)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("`{name}` has to be a string")),
        }
    }

    pub fn texts(&self, name: &str) -> Result<Vec<&'a str>, Wrong> {
        let wrong = || format!("`{name}` has to be a list of strings");
        let text = |value: &'a Value| match value {
            Value::String(text) => Ok(text.as_str()),
            _ => Err(wrong()),
        };
        match self.value(name)? {
            None => Ok(Vec::new()),
            Some(Value::List(items)) => items.iter().map(text).collect(),
            Some(_) => Err(wrong()),
        }
    }

    pub fn map(&self, name: &str) -> Result<Vec<(&'a str, &'a str)>, Wrong> {
        let wrong = || format!("`{name}` has to be a map of strings");
        let entry = |(key, value): (&'a str, &'a Value)| match value {
            Value::String(text) => Ok((key, text.as_str())),
            _ => Err(wrong()),
        };
        match self.value(name)? {
            None => Ok(Vec::new()),
            Some(Value::Record(entries)) => entries.iter().map(entry).collect(),
            Some(_) => Err(wrong()),
        }
    }

    pub fn duration(&self, name: &str) -> Result<Option<Duration>, Wrong> {
        let wrong = || format!("`{name}` has to be a duration above zero");
        match self.value(name)? {
            None => Ok(None),
            Some(Value::Quantity(quantity)) if quantity.dim == Dim::Duration => {
                let duration = Duration::try_from_secs_f64(quantity.amount.as_f64());
                let above_zero = |duration: &Duration| !duration.is_zero();
                duration.ok().filter(above_zero).map(Some).ok_or_else(wrong)
            }
            Some(_) => Err(wrong()),
        }
    }

    /// The setting, or what its kind declares.
    pub fn timeout(&self) -> Result<Duration, Wrong> {
        let declared =
            catalog::find(&self.provider.kind).map_or(0, |kind: &ProviderKind| kind.timeout_ns);
        let declared = Duration::from_nanos(u64::try_from(declared).unwrap_or(0));
        Ok(self.duration("timeout")?.unwrap_or(declared))
    }

    pub fn url(&self, name: &str) -> Result<Option<Url>, Wrong> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let url = Url::parse(text).map_err(|why| format!("`{name}` is no address: {why}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!(
                "`{name}` has to begin with `http://` or `https://`"
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!(
                "`{name}` holds credentials; they belong into a secret"
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("`{name}` ends with its path, without `?` and `#`"));
        }
        Ok(Some(url))
    }

    pub fn secret(&self, name: &str) -> Result<Option<Secret>, Wrong> {
        match self.provider.settings.get(name) {
            None => Ok(None),
            Some(plan::Setting::SecretEnv(variable)) => self.environment.secret(variable).map(Some),
            Some(_) => Err(format!("`{name}` has to be a `secret(env \"…\")`")),
        }
    }

    /// The environment variables that this provider takes secrets from.
    pub fn secret_variables(&self) -> Vec<&'a str> {
        let settings = self.provider.settings.iter();
        settings
            .flat_map(|(name, setting)| match setting {
                plan::Setting::SecretEnv(variable) => vec![variable.as_str()],
                plan::Setting::Value(_) | plan::Setting::Input(_) if name == "secrets" => {
                    self.texts(name).unwrap_or_default()
                }
                plan::Setting::Value(_) | plan::Setting::Input(_) => Vec::new(),
            })
            .collect()
    }

    /// From `timeout`, `headers`, `token` and `ca`, where the kind has them.
    pub fn manners(&self, connections: Connections) -> Result<Manners, Wrong> {
        Ok(Manners {
            timeout: self.timeout()?,
            headers: self.headers()?,
            authorities: self.authorities()?,
            connections,
        })
    }

    fn headers(&self) -> Result<HeaderMap, Wrong> {
        let mut headers = HeaderMap::new();
        for line in self.texts("headers")? {
            let wrong = || format!("`{line}` is no header: write it like `Accept: text/html`");
            let (name, value) = line.split_once(':').ok_or_else(wrong)?;
            let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong())?;
            headers.append(
                name,
                HeaderValue::from_str(value.trim()).map_err(|_| wrong())?,
            );
        }
        if let Some(token) = self.secret("token")? {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
                .map_err(|_| "`token` holds characters that no header may have".to_owned())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(headers)
    }

    fn authorities(&self) -> Result<Vec<Certificate>, Wrong> {
        let Some(path) = self.text("ca")? else {
            return Ok(Vec::new());
        };
        let pem = std::fs::read(path).map_err(|why| format!("`{path}` cannot be read: {why}"))?;
        let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if found.is_empty() {
            return Err(format!("`{path}` holds no certificate in PEM"));
        }
        Ok(found)
    }
}
