//! Prometheus: queries, and whether it sees what it should see.

use crate::providers::{Function, Place, ProviderKind, Setting, count, duration, live, record};
use crate::values::{Instant, Type};

/// The function behind every `metric`.
pub const QUERY: &str = "query";

const SECOND_NS: i64 = 1_000_000_000;

pub fn kind() -> ProviderKind {
    ProviderKind {
        name: "prometheus",
        doc: "A Prometheus server, or what answers its HTTP API (Thanos, Mimir, VictoriaMetrics).",
        settings: settings(),
        functions: vec![query(), ready(), targets(), rules(), firing()],
        timeout_ns: 10 * SECOND_NS,
    }
}

fn settings() -> Vec<Setting> {
    vec![
        Setting::required(
            "url",
            Type::Url,
            Place::Varies,
            "Its address, with the path before `/api/v1` if there is one.",
        ),
        Setting::optional(
            "timeout",
            duration(),
            Place::Fixed,
            "How long one answer may take.",
        ),
        Setting::optional(
            "lookback",
            duration(),
            Place::Fixed,
            "A series whose newest sample is older counts as no data; without it the server's own limit holds (5m). \
             Asks for Prometheus 2.39 or later.",
        ),
        Setting::optional(
            "pod",
            Type::String,
            Place::Fixed,
            "The label that holds the name of the pod, for `canary.` and `stable.`; `pod` where it is not written.",
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
            "Sent with each request: `[\"X-Scope-OrgID: team-a\"]`.",
        ),
        Setting::optional(
            "ca",
            Type::String,
            Place::Varies,
            "A file with the certificates (PEM) of authorities that are trusted beside those of the system.",
        ),
    ]
}

/// The raw answer: what several series, NaN and nothing mean is decided where the value is judged.
fn query() -> Function {
    let sample = record(
        "sample",
        vec![
            live("labels", Type::Map(Type::String.into()), "Of the series."),
            live("value", count(), "As the query gives it, without a unit."),
            live("at", Type::Instant, "The instant of the evaluation."),
        ],
    );
    Function::read(
        QUERY,
        Type::list(sample),
        "The series that an instant query gives at the instant of the sample; an empty list where there is none.",
    )
    .param("query", Type::String, "PromQL, parsed when the plan is compiled.")
    .optional("metric", Type::String, "The metric that asks, for scenarios.")
    .optional("scope", Type::String, "`canary`, `stable`, `all`, for scenarios.")
}

fn ready() -> Function {
    Function::read(
        "ready",
        Type::Bool,
        "Whether it says that it is ready to answer queries; false where it refuses, hangs or fails.",
    )
}

fn targets() -> Function {
    let targets = record(
        "targets",
        vec![
            live(
                "up",
                count(),
                "Scraped at the last try; no value where there is no target.",
            ),
            live(
                "down",
                count(),
                "Not scraped at the last try; no value where there is no target.",
            ),
            live("total", count(), "Discovered, also those not tried yet."),
        ],
    );
    Function::read(
        "targets",
        targets,
        "What is scraped, and how many of it answer.",
    )
    .optional("job", Type::String, "Only those of this job.")
}

fn rules() -> Function {
    let rules = record(
        "rules",
        vec![
            live("total", count(), "Loaded: recording and alerting rules."),
            live(
                "failing",
                count(),
                "Whose last evaluation failed; no value while none is loaded, or none fails and some were never evaluated.",
            ),
            live(
                "oldest",
                Type::Instant,
                "The last evaluation of the rule that waits longest; no value while one was never evaluated.",
            ),
        ],
    );
    Function::read(
        "rules",
        rules,
        "What is loaded, and whether it can be evaluated.",
    )
}

fn firing() -> Function {
    Function::read(
        "firing",
        Type::Bool,
        "Whether an alert of this name fires; no value where no such rule is loaded or it was not evaluated, because \
         the silence of a rule that is not there is not health.",
    )
    .param("alert", Type::String, "The name of the alerting rule.")
    .optional(
        "labels",
        Type::Map(Type::String.into()),
        "Only alerts that have all of these labels.",
    )
}

/// Milliseconds are what Prometheus counts in; an instant is rounded down to them.
pub fn milliseconds(at: Instant) -> i64 {
    at.0.div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use crate::providers::prometheus::milliseconds;
    use crate::values::Instant;

    #[test]
    fn an_instant_is_rounded_down_also_before_1970() {
        assert_eq!(milliseconds(Instant(1_999_999)), 1);
        assert_eq!(milliseconds(Instant(-1)), -1);
    }
}
