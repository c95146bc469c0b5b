//! Slack: messages to a channel.

use crate::providers::{Function, Place, ProviderKind, Setting, duration};
use crate::values::Type;

const SECOND_NS: i64 = 1_000_000_000;

pub fn kind() -> ProviderKind {
    ProviderKind {
        name: "slack",
        doc: "A Slack channel, by an incoming webhook. What is told is plain text: nothing in it can mention \
              anybody or become a link.",
        settings: settings(),
        functions: vec![tell("A message of the channel.")],
        timeout_ns: 120 * SECOND_NS,
    }
}

fn settings() -> Vec<Setting> {
    vec![
        Setting::required(
            "webhook",
            Type::Secret,
            Place::Varies,
            "The address of the incoming webhook; whoever knows it can post.",
        ),
        Setting::optional(
            "channel",
            Type::String,
            Place::Varies,
            "For webhooks that may choose; others post where they were made for.",
        ),
        Setting::optional(
            "timeout",
            duration(),
            Place::Fixed,
            "How long sending is tried again; 2m where it is not written.",
        ),
    ]
}

/// What a `notify` calls, the same for each kind that tells.
pub fn tell(doc: &'static str) -> Function {
    Function::tell("tell", doc)
        .param("text", Type::String, "What is said.")
        .optional("title", Type::String, "Above it.")
        .optional(
            "refs",
            Type::list(Type::String),
            "The items of the checklist that it stands for.",
        )
        .optional(
            "file",
            Type::String,
            "A file of the plan's folder, put behind the text.",
        )
}
