//! A webhook: messages as JSON, to whatever listens.

use crate::providers::{Place, ProviderKind, Setting, duration, slack};
use crate::values::Type;

const SECOND_NS: i64 = 1_000_000_000;

pub fn kind() -> ProviderKind {
    ProviderKind {
        name: "webhook",
        doc: "An address that takes `{\"key\", \"title\", \"text\", \"refs\", \"file\"}` as JSON by `POST`. \
              The key is the same when a message is sent again.",
        settings: settings(),
        functions: vec![slack::tell("A message, sent until it is taken.")],
        timeout_ns: 120 * SECOND_NS,
    }
}

fn settings() -> Vec<Setting> {
    vec![
        Setting::required(
            "url",
            Type::Secret,
            Place::Varies,
            "The address; whoever knows it can post.",
        ),
        Setting::optional(
            "token",
            Type::Secret,
            Place::Varies,
            "Sent as `Authorization: Bearer`.",
        ),
        Setting::optional(
            "headers",
            Type::list(Type::String),
            Place::Varies,
            "Sent with each message: `[\"X-Source: deployc\"]`.",
        ),
        Setting::optional(
            "timeout",
            duration(),
            Place::Fixed,
            "How long sending is tried again; 2m where it is not written.",
        ),
        Setting::optional(
            "ca",
            Type::String,
            Place::Varies,
            "A file with the certificates (PEM) of authorities that are trusted beside those of the system.",
        ),
    ]
}
