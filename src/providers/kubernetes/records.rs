//! The results of the functions, as records.

use crate::providers::{count, fixed, live, record};
use crate::units::Dim;
use crate::values::{Field, Type};

pub fn text_map() -> Type {
    Type::Map(Type::String.into())
}

/// The pods of one revision, or of a selector.
pub fn pods() -> Type {
    record(
        "pods",
        vec![
            live("total", count(), "That exist and are not being deleted."),
            live(
                "ready",
                count(),
                "Whose containers are ready; whether traffic reaches them is `open`.",
            ),
            live(
                "healthy",
                count(),
                "Ready, running, and with no container that waits to be started again.",
            ),
            live(
                "open",
                count(),
                "Ready with all of their readiness gates: what a Service sends traffic to.",
            ),
            live(
                "restarts",
                count(),
                "Of all containers of the pods that exist now.",
            ),
            live(
                "waiting",
                count(),
                "With a container that cannot be started: `ImagePullBackOff`, `CrashLoopBackOff`, …",
            ),
        ],
    )
}

/// What `apply` gives: `release.started`, `release.image`, `release.pods.ready`.
pub fn release() -> Type {
    let mut fields = vec![
        fixed(
            "started",
            Type::Instant,
            "When the first object was written.",
        ),
        fixed(
            "deployment",
            Type::String,
            "The Deployment that carries the release: with `traffic: 0%` the one whose template changes, else the first.",
        ),
        fixed(
            "canary",
            Type::String,
            "The Deployment beside it that holds the new pods; empty without `traffic`.",
        ),
        fixed("image", Type::String, "Of its first container."),
        fixed("images", text_map(), "By the name of the container."),
        fixed(
            "canary_pods",
            Type::Regex,
            "The names of the new pods while both versions run.",
        ),
        fixed(
            "stable_pods",
            Type::Regex,
            "The names of the pods of the Deployment itself.",
        ),
        fixed("all_pods", Type::Regex, "Both."),
        live("pods", pods(), "That run what was released."),
        fixed("key", Type::String, "Names the change that applied it."),
        fixed("path", Type::String, "Of its manifests."),
        fixed(
            "force",
            Type::String,
            "Not empty where fields of others were taken over.",
        ),
        fixed(
            "services",
            Type::list(Type::String),
            "The Services whose traffic a canary moves.",
        ),
    ];
    fields.extend(written());
    record("release", fields)
}

/// What `scale`, `image` and `restart` give.
pub fn rollout() -> Type {
    let mut fields = vec![
        fixed("started", Type::Instant, "When it was written."),
        fixed("deployment", Type::String, "Its name."),
        fixed("image", Type::String, "Of its first container."),
        fixed("replicas", count(), "Wanted."),
    ];
    fields.extend(written());
    record("rollout", fields)
}

/// `NAME.before` of a step that changes a Deployment.
pub fn before() -> Type {
    record(
        "before",
        vec![
            fixed("exists", Type::Bool, "Whether the Deployment was there."),
            fixed("image", Type::String, "Of its first container."),
            fixed("images", text_map(), "By the name of the container."),
            fixed("replicas", count(), "Wanted."),
        ],
    )
}

fn written() -> Vec<Field> {
    vec![
        fixed("created", count(), "Objects that were not there."),
        fixed("changed", count(), "Objects that were there and changed."),
        fixed(
            "unchanged",
            count(),
            "Objects that already were as the manifest says.",
        ),
    ]
}

pub fn ratio() -> Type {
    Type::Quantity(Dim::Ratio)
}
