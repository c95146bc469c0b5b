//! What can be changed in a cluster.

use crate::providers::kubernetes::records::{before, ratio, release, rollout, text_map};
use crate::providers::{Function, Undo, count, fixed, record};
use crate::units::Dim;
use crate::units::amount::Quantity;
use crate::values::{Type, Value};

pub fn functions() -> Vec<Function> {
    vec![
        apply(),
        scale(),
        image(),
        restart(),
        switch(),
        create_namespace(),
        canary_weight(),
        canary_promote(),
    ]
}

fn apply() -> Function {
    let function = Function::write(
        "apply",
        release(),
        Undo::Derived,
        "Applies manifests, and waits until all that they name runs as they say. With `traffic: 0%` the Deployment whose \
         template changes stays as it is, and the new pods start beside it, without traffic; a `canary` moves it.",
    )
    .param(
        "path",
        Type::Path,
        "A file, or a folder whose `.yaml`, `.yml` and `.json` files are taken.",
    )
    .optional(
        "images",
        text_map(),
        "Images by the name of the container, instead of those in the manifests.",
    )
    .optional("traffic", ratio(), "`0%`, or all of it where it is not written.")
    .before(before());
    carries(forced(function))
        .right("list", "", "services")
        .right("list", "autoscaling", "horizontalpodautoscalers")
        .right("create", "apps", "deployments")
        .right("delete", "apps", "deployments")
}

fn scale() -> Function {
    let function = Function::write(
        "scale",
        rollout(),
        Undo::Derived,
        "Sets how many replicas a Deployment wants, and waits until they are available.",
    )
    .param("name", Type::String, "The Deployment.")
    .param("replicas", count(), "How many.")
    .before(before());
    rolls(forced(function))
}

fn image() -> Function {
    let function = Function::write(
        "image",
        rollout(),
        Undo::Derived,
        "Sets the image of a container of a Deployment, and waits until every pod has it.",
    )
    .param("name", Type::String, "The Deployment.")
    .param("image", Type::String, "The image, with its tag or digest.")
    .optional(
        "container",
        Type::String,
        "Which one; needed where the Deployment has several.",
    )
    .before(before());
    rolls(forced(function))
}

fn restart() -> Function {
    let function = Function::write(
        "restart",
        rollout(),
        Undo::None,
        "Replaces the pods of a Deployment by new ones of the same template, as a rolling update.",
    )
    .param("name", Type::String, "The Deployment.")
    .before(before());
    rolls(forced(function))
}

fn switch() -> Function {
    let switched = record(
        "switched",
        vec![
            fixed("started", Type::Instant, "When it was written."),
            fixed("selector", text_map(), "As it is now."),
        ],
    );
    let before = record(
        "selector_before",
        vec![fixed("selector", text_map(), "As it was.")],
    );
    forced(
        Function::write(
            "switch",
            switched,
            Undo::Derived,
            "Sets the whole selector of a Service; refused where no pod that it would take is ready.",
        )
        .param("service", Type::String, "Its name.")
        .param("selector", text_map(), "Labels of the pods.")
        .before(before),
    )
    .right("get", "", "services")
    .right("patch", "", "services")
    .right("list", "", "pods")
    .right("list", "discovery.k8s.io", "endpointslices")
}

fn create_namespace() -> Function {
    let made = record(
        "namespace_made",
        vec![fixed(
            "created",
            Type::Bool,
            "Whether it was not there before.",
        )],
    );
    Function::write(
        "create_namespace",
        made,
        Undo::Written,
        "Makes a namespace where there is none of that name. A namespace is never deleted, so a plan says `keep`.",
    )
    .param("name", Type::String, "Its name.")
    .right("get", "", "namespaces")
    .right("create", "", "namespaces")
}

fn canary_weight() -> Function {
    let weight = record(
        "weight",
        vec![
            fixed(
                "achieved",
                ratio(),
                "The part of the endpoints that is new, read back.",
            ),
            fixed("canary", count(), "New pods among the endpoints."),
            fixed("stable", count(), "Old pods among the endpoints."),
        ],
    );
    let function = Function::write(
        "canary_weight",
        weight,
        Undo::Derived,
        "Moves a part of the traffic: as many new pods as that takes are started, and when they are ready they are opened. \
         A pod that is replaced between two stages takes no traffic before the next stage. Undone by shutting all of them.",
    )
    .param("release", release(), "The result of an `apply` with `traffic: 0%`.")
    .param("weight", ratio(), "Of the traffic; 100% also takes the old pods out of the Services.")
    .default(
        "tolerance",
        ratio(),
        Value::Quantity(Quantity::exact(Dim::Ratio, 0)),
        "How far the part of the endpoints may be from the weight.",
    )
    .optional("pods", count(), "How many new pods, instead of the fewest that fit.");
    carries(function)
}

fn canary_promote() -> Function {
    let function = Function::write(
        "canary_promote",
        rollout(),
        Undo::Derived,
        "Makes the new version the only one: the Deployment takes the new template while it has no traffic, then gets the \
         traffic, then the one beside it goes.",
    )
    .param("release", release(), "The result of an `apply` with `traffic: 0%`.")
    .before(before());
    carries(function).right("delete", "apps", "deployments")
}

fn forced(function: Function) -> Function {
    function.optional(
        "force",
        Type::String,
        "Why fields that somebody else owns may be taken over; without it that is a conflict.",
    )
}

/// The rights to change a Deployment and to wait for its pods.
fn rolls(function: Function) -> Function {
    function
        .right("get", "apps", "deployments")
        .right("patch", "apps", "deployments")
        .right("list", "", "pods")
}

/// The rights to move the traffic of a canary.
fn carries(function: Function) -> Function {
    rolls(function)
        .right("patch", "", "pods/status")
        .right("get", "", "services")
        .right("patch", "", "services")
        .right("list", "discovery.k8s.io", "endpointslices")
}

#[cfg(test)]
mod tests {
    use crate::providers::kubernetes;
    use crate::providers::{Effect, Undo};

    #[test]
    fn what_can_be_undone_from_the_object_reads_it_first() {
        for function in kubernetes::kind().functions {
            if function.undo == Undo::Derived {
                let gets = function.rights.iter().any(|right| right.verb == "get");
                assert!(gets, "{}", function.name);
            }
        }
    }

    #[test]
    fn reads_need_no_right_to_change_anything_but_reviews() {
        for function in kubernetes::kind().functions {
            if function.effect == Effect::Read {
                for right in &function.rights {
                    let harmless = ["get", "list"].contains(&right.verb)
                        || right.resource.ends_with("accessreviews");
                    assert!(harmless, "{}: {right:?}", function.name);
                }
            }
        }
    }
}
