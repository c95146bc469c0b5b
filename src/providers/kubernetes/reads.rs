//! What can be asked of a cluster.

use crate::providers::kubernetes::records::{pods, release, text_map};
use crate::providers::{Function, count, live, record};
use crate::values::Type;

const HOUR_NS: i64 = 3_600_000_000_000;

/// How long an API server keeps events by default.
pub const EVENTS_KEPT_NS: i64 = HOUR_NS;

pub fn functions() -> Vec<Function> {
    vec![
        version(),
        nodes(),
        storage_classes(),
        namespace(),
        quotas(),
        deployment(),
        autoscaler(),
        service(),
        pods_of_selector(),
        revision_pods(),
        events(),
        has(),
        can(),
    ]
}

fn version() -> Function {
    Function::read("version", Type::Version, "Of the API server.")
}

fn nodes() -> Function {
    let nodes = record(
        "nodes",
        vec![
            live("total", count(), "Registered."),
            live("ready", count(), "Whose kubelet says that it is ready."),
            live(
                "networked",
                count(),
                "On which pods get a network: no `NetworkUnavailable`, and its network plugin is there.",
            ),
        ],
    );
    Function::read("nodes", nodes, "The machines of the cluster.").right("list", "", "nodes")
}

fn storage_classes() -> Function {
    let classes = record(
        "storage_classes",
        vec![
            live("total", count(), "That there are."),
            live(
                "default",
                count(),
                "That are marked as the default; one is right.",
            ),
        ],
    );
    Function::read("storage_classes", classes, "What volumes can be made of.").right(
        "list",
        "storage.k8s.io",
        "storageclasses",
    )
}

fn namespace() -> Function {
    let namespace = record(
        "namespace",
        vec![
            live("exists", Type::Bool, "Whether it is there."),
            live(
                "phase",
                Type::String,
                "`Active`, `Terminating`; empty where it is not there.",
            ),
            live(
                "labels",
                text_map(),
                "Such as `pod-security.kubernetes.io/enforce`.",
            ),
        ],
    );
    Function::read("namespace", namespace, "A namespace.")
        .param("name", Type::String, "Its name.")
        .right("get", "", "namespaces")
}

fn quotas() -> Function {
    let quotas = record(
        "quotas",
        vec![
            live("count", count(), "In the namespace."),
            live("exceeded", count(), "Of which something is used up."),
        ],
    );
    Function::read("quotas", quotas, "The resource quotas of the namespace.").right(
        "list",
        "",
        "resourcequotas",
    )
}

fn deployment() -> Function {
    let deployment = record(
        "deployment",
        vec![
            live("image", Type::String, "Of its first container."),
            live("images", text_map(), "By the name of the container."),
            live("replicas", count(), "Wanted."),
            live("updated", count(), "Pods of the newest template."),
            live("ready", count(), "Pods that take traffic."),
            live("available", count(), "Pods ready for `minReadySeconds`."),
            live(
                "observed",
                Type::Bool,
                "Whether its controller has seen the last change.",
            ),
            live("paused", Type::Bool, "Whether its rollouts stand still."),
        ],
    );
    Function::read(
        "deployment",
        deployment,
        "A Deployment; an error where there is none.",
    )
    .param("name", Type::String, "Its name.")
    .right("get", "apps", "deployments")
}

fn autoscaler() -> Function {
    let autoscaler = record(
        "autoscaler",
        vec![
            live(
                "able",
                Type::Bool,
                "Whether it can read its metrics and set the scale.",
            ),
            live("current", count(), "Replicas now."),
            live("desired", count(), "Replicas that it wants."),
            live("min", count(), "The fewest that it may want."),
            live("max", count(), "The most that it may want."),
        ],
    );
    Function::read(
        "autoscaler",
        autoscaler,
        "A HorizontalPodAutoscaler; an error where there is none.",
    )
    .param("name", Type::String, "Its name.")
    .right("get", "autoscaling", "horizontalpodautoscalers")
}

fn service() -> Function {
    let service = record(
        "service",
        vec![
            live("endpoints", count(), "Ready: what traffic goes to."),
            live("selector", text_map(), "Which pods it takes."),
            live(
                "cluster_ip",
                Type::String,
                "Its address inside the cluster.",
            ),
            live(
                "addresses",
                Type::list(Type::String),
                "Of its load balancer, IP addresses or names.",
            ),
        ],
    );
    Function::read(
        "service",
        service,
        "A Service; an error where there is none.",
    )
    .param("name", Type::String, "Its name.")
    .right("get", "", "services")
    .right("list", "discovery.k8s.io", "endpointslices")
}

fn pods_of_selector() -> Function {
    Function::read("pods", pods(), "Pods of the namespace.")
        .optional(
            "selector",
            Type::String,
            "A label selector, `app=api`; all pods that are not finished where it is not written.",
        )
        .right("list", "", "pods")
}

fn revision_pods() -> Function {
    Function::read("revision_pods", pods(), "The pods of one side of a release.")
        .param("release", release(), "The result of the step that applied it.")
        .param(
            "scope",
            Type::String,
            "`canary`, `stable`, `all`, or `release`: those that run what was released, before and after the promotion.",
        )
        .right("get", "apps", "deployments")
        .right("list", "", "pods")
}

fn events() -> Function {
    // How far back it looks is what `since` says.
    Function::read(
        "events",
        count(),
        "How many events of the namespace have a reason that matches; one that was repeated counts as often as it was \
         seen. An error where the cluster may have thrown older ones away already.",
    )
    .param("pattern", Type::Regex, "Of the whole reason: `BackOff|Failed.*`.")
    .param("since", Type::Instant, "Only those that were last seen from here on.")
    .right("list", "", "events")
}

fn has() -> Function {
    Function::read(
        "has",
        Type::Bool,
        "Whether the object is there; an error where the cluster does not know its kind.",
    )
    .param(
        "object",
        Type::String,
        "`networkpolicy/default-deny`; the kind as `kubectl get` takes it.",
    )
}

fn can() -> Function {
    Function::read(
        "can",
        Type::Bool,
        "Whether a service account may do something in the namespace; an error where there is no such account.",
    )
    .param("account", Type::String, "Its name.")
    .param("verb", Type::String, "`get`, `delete`, …")
    .param(
        "resource",
        Type::String,
        "`pods`, `pods/log`, `deployments.apps`.",
    )
    .optional("name", Type::String, "One object of that resource.")
    .right("get", "", "serviceaccounts")
    .right("create", "authorization.k8s.io", "localsubjectaccessreviews")
}
