//! HTTP endpoints: what they answer, and whether they answer.

use crate::providers::{Function, Place, ProviderKind, Setting, count, duration, live, record};
use crate::values::Type;

const SECOND_NS: i64 = 1_000_000_000;

pub fn kind() -> ProviderKind {
    ProviderKind {
        name: "http",
        doc: "An HTTP service. Redirects are not followed, so that a check sees what the service itself answers.",
        settings: settings(),
        functions: vec![get(), up()],
        timeout_ns: 10 * SECOND_NS,
    }
}

fn settings() -> Vec<Setting> {
    vec![
        Setting::optional(
            "base",
            Type::Url,
            Place::Varies,
            "Before each path; without it, functions take whole URLs.",
        ),
        Setting::optional(
            "timeout",
            duration(),
            Place::Fixed,
            "How long one answer may take, body included.",
        ),
        Setting::optional(
            "token",
            Type::Secret,
            Place::Varies,
            "Sent as `Authorization: Bearer`, to the origin of `base` only.",
        ),
        Setting::optional(
            "headers",
            Type::list(Type::String),
            Place::Varies,
            "Sent with each request: `[\"Accept: text/html\"]`.",
        ),
        Setting::optional(
            "ca",
            Type::String,
            Place::Varies,
            "A file with the certificates (PEM) of authorities that are trusted beside those of the system.",
        ),
    ]
}

fn get() -> Function {
    let reply = record(
        "reply",
        vec![
            live(
                "status",
                count(),
                "`200`, `503`; that of a redirect itself.",
            ),
            live(
                "latency",
                duration(),
                "From the request to the last byte of the answer; connections are kept open between requests.",
            ),
            live(
                "json",
                Type::Json,
                "The body; no value where it is no JSON.",
            ),
            live("body", Type::String, "The body as text."),
            live("headers", Type::Json, "By name in lower case."),
        ],
    );
    Function::read(
        "get",
        reply,
        "What `GET` answers; an error where there is no answer or its body is over 1 MiB.",
    )
    .param("path", Type::String, "Behind `base`, or a whole URL.")
}

fn up() -> Function {
    Function::read(
        "up",
        Type::Bool,
        "Whether it answers with a status below 500; false where the connection is refused, reset, not trusted \
         or too slow. An error only where nothing is known of it: a name that cannot be resolved, a network that is down.",
    )
    .param("path", Type::String, "Behind `base`, or a whole URL.")
}
