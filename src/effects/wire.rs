//! One exchange over HTTP: a client with limits, a bounded body, and words for what can go wrong.
#![allow(clippy::disallowed_methods, reason = "latency is measured here")]

use crate::effects::secret::Secrets;
use crate::providers::request::{Failure, FailureKind};
use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Response};
use rustls::CertificateError as Bad;
use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

/// How a client of this program behaves, whoever it talks to.
#[derive(Clone, Debug)]
pub struct Manners {
    /// For one exchange, body included.
    pub timeout: Duration,
    pub headers: HeaderMap,
    /// Trusted beside those of the system.
    pub authorities: Vec<Certificate>,
    pub connections: Connections,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// Kept open between exchanges.
    Kept,
    /// A new one each time: sees what a new user would see, and does not stick to one pod behind a Service.
    New,
}

/// An answer that has arrived whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub took: Duration,
}

/// Why there is no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    Timeout,
    Refused,
    /// Connected, and then cut off before the answer was complete.
    Reset(String),
    Untrusted(String),
    /// Nothing is known of the other side: its name or the way to it is missing.
    Unresolved,
    NoRoute(String),
    TooLarge,
    /// What came is no HTTP.
    Garbled(String),
}

/// # Errors
/// Only where the machine has no usable trust store.
pub fn client(manners: &Manners) -> Result<Client, String> {
    let builder = Client::builder()
        .user_agent(concat!("deployc/", env!("CARGO_PKG_VERSION")))
        .timeout(manners.timeout)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .default_headers(manners.headers.clone())
        .tls_certs_merge(manners.authorities.clone());
    let builder = match manners.connections {
        Connections::Kept => builder.pool_idle_timeout(Duration::from_secs(30)),
        Connections::New => builder.pool_max_idle_per_host(0),
    };
    builder.build().map_err(|error| root_cause(&error))
}

/// Reads the body up to its limit; `started` is when the request left.
pub async fn receive(
    mut response: Response,
    started: Instant,
    bytes_max: usize,
) -> Result<Answer, Trouble> {
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| trouble(&error))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(Trouble::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status,
        headers,
        body,
        took: started.elapsed(),
    })
}

/// When a request leaves.
pub fn now() -> Instant {
    Instant::now()
}

pub async fn exchange(
    request: reqwest::RequestBuilder,
    bytes_max: usize,
) -> Result<Answer, Trouble> {
    let started = Instant::now();
    let response = request.send().await.map_err(|error| trouble(&error))?;
    receive(response, started, bytes_max).await
}

pub fn trouble(error: &reqwest::Error) -> Trouble {
    if error.is_dns() {
        return Trouble::Unresolved;
    }
    if let Some(untrusted) = causes(error).find_map(tls_error) {
        return Trouble::Untrusted(certificate_words(untrusted));
    }
    if error.is_timeout() {
        return Trouble::Timeout;
    }
    match causes(error).find_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind)) {
        Some(io::ErrorKind::ConnectionRefused) => Trouble::Refused,
        Some(io::ErrorKind::TimedOut) => Trouble::Timeout,
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
            Trouble::NoRoute(root_cause(error))
        }
        Some(_) => Trouble::Reset(root_cause(error)),
        None if root_cause(error).contains("invalid HTTP") => Trouble::Garbled(root_cause(error)),
        None => Trouble::Reset(root_cause(error)),
    }
}

impl Trouble {
    /// `whom` as in "no answer from `whom`"; never an address that is a secret.
    pub fn failure(&self, whom: &str, timeout: Duration, bytes_max: usize) -> Failure {
        let (kind, message) = match self {
            Trouble::Timeout => (
                FailureKind::Timeout,
                format!("{whom} gave no whole answer within {timeout:?}"),
            ),
            Trouble::Refused => (
                FailureKind::Unreachable,
                format!("{whom} refused the connection"),
            ),
            Trouble::Reset(why) => (
                FailureKind::Unreachable,
                format!(
                    "the connection to {whom} was cut off before the answer was complete: {why}"
                ),
            ),
            Trouble::Untrusted(why) => (
                FailureKind::Unreachable,
                format!("{whom} is not trusted: {why}"),
            ),
            Trouble::Unresolved => (
                FailureKind::Unreachable,
                format!("the name of {whom} cannot be resolved"),
            ),
            Trouble::NoRoute(why) => (
                FailureKind::Unreachable,
                format!("there is no way to {whom}: {why}"),
            ),
            Trouble::TooLarge => (
                FailureKind::Malformed,
                format!("the answer of {whom} is over {} KiB", bytes_max / 1024),
            ),
            Trouble::Garbled(why) => (
                FailureKind::Malformed,
                format!("{whom} does not speak HTTP: {why}"),
            ),
        };
        Failure { kind, message }
    }
}

/// The beginning of a body on one line, for a message.
pub fn excerpt(body: &[u8], secrets: &Secrets) -> String {
    const CHARACTERS_MAX: usize = 120;
    let text = secrets.blot(&String::from_utf8_lossy(body));
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .take(CHARACTERS_MAX)
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// `https://api.example.com:8443/health`, without credentials and query: for messages.
pub fn shown(url: &reqwest::Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        (*error).source()
    })
}

/// The innermost cause. The outer ones repeat the address.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

/// An error of TLS travels inside one of input and output, or of several.
fn tls_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let inner = || tls_error(cause.downcast_ref::<io::Error>()?.get_ref()?);
    cause.downcast_ref().or_else(inner)
}

fn certificate_words(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(bad) = error else {
        return error.to_string();
    };
    match bad {
        Bad::Expired | Bad::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            "its certificate is not valid yet".to_owned()
        }
        Bad::UnknownIssuer => "its certificate is of an authority that is not trusted".to_owned(),
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            "its certificate is for another name".to_owned()
        }
        Bad::Revoked => "its certificate is revoked".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::effects::secret::{Secret, Secrets};
    use crate::effects::wire::{excerpt, shown};

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        let page = format!("<html>\n\n  <h1>{}</h1>", "x".repeat(500));
        let text = excerpt(page.as_bytes(), &Secrets::default());
        assert!(text.starts_with("<html> <h1>xxx"), "{text}");
        assert_eq!(text.chars().count(), 121);
        assert!(!text.contains('\n'));
    }

    #[test]
    fn an_excerpt_is_blotted_before_it_is_cut() {
        let mut secrets = Secrets::default();
        secrets.add("TOKEN", &Secret::new("y".repeat(200)));
        let text = excerpt("y".repeat(200).as_bytes(), &secrets);
        assert_eq!(text, "[secret TOKEN]");
    }

    #[test]
    fn terminal_escapes_do_not_get_through() {
        assert_eq!(excerpt(b"a\x1b[31mb", &Secrets::default()), "a [31mb");
    }

    #[test]
    fn an_address_is_shown_without_credentials_and_query() {
        let url = "https://u:p@h.example:8443/x?key=1".parse().unwrap();
        assert_eq!(shown(&url), "https://h.example:8443/x");
    }
}
