//! Kubernetes: what a cluster can be asked, what can be changed in it, and the rules that the real provider and its
//! twin share.

pub mod canary;
pub mod fields;
pub mod order;
pub mod reads;
pub mod records;
pub mod writes;

use crate::providers::{Place, ProviderKind, Setting, duration};
use crate::values::Type;

const SECOND_NS: i64 = 1_000_000_000;

/// Who owns the fields that this program writes.
pub const FIELD_MANAGER: &str = "deployc";

/// On each object that a run wrote: the key of the change that wrote it last.
pub const KEY_ANNOTATION: &str = "deployc.dev/key";

pub fn kind() -> ProviderKind {
    let mut functions = reads::functions();
    functions.extend(writes::functions());
    ProviderKind {
        name: "kubernetes",
        doc: "One namespace of a Kubernetes cluster. Changes are server-side applies with a field manager of their own, \
              and compare-and-set: what somebody else changed or owns is never overwritten.",
        settings: settings(),
        functions,
        timeout_ns: 10 * SECOND_NS,
    }
}

fn settings() -> Vec<Setting> {
    vec![
        Setting::optional(
            "namespace",
            Type::String,
            Place::Varies,
            "Where everything is read and written; that of the context where it is not written.",
        ),
        Setting::optional(
            "context",
            Type::String,
            Place::Varies,
            "A context of the kubeconfig; its current one where it is not written.",
        ),
        Setting::optional(
            "kubeconfig",
            Type::String,
            Place::Varies,
            "A file; where it is not written, `KUBECONFIG`, then `~/.kube/config`, then the service account of the pod.",
        ),
        Setting::optional(
            "timeout",
            duration(),
            Place::Fixed,
            "How long one answer of the API server may take.",
        ),
    ]
}
