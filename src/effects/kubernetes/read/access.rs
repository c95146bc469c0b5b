//! Whether an object is there, and what a service account may do.

use crate::effects::kubernetes::Kubernetes;
use crate::effects::kubernetes::args::Args;
use crate::effects::kubernetes::failure::invalid;
use crate::effects::kubernetes::object::flag;
use crate::effects::kubernetes::read::workload::existing;
use crate::effects::kubernetes::resource::{Place, Reach, SERVICE_ACCOUNTS};
use crate::providers::request::Failure;
use crate::values::Value;
use serde_json::json;

pub async fn has(cluster: &Kubernetes, object: &str) -> Result<Value, Failure> {
    let api = &cluster.api;
    let Some((kind, name)) = object.split_once('/').filter(|(_, name)| !name.is_empty()) else {
        return Err(invalid(format!("`{object}` has to be `KIND/NAME`")));
    };
    let resource = cluster.kinds.called(api, kind).await?;
    let found = api.get(&Place::new(resource, &api.namespace, name)).await;
    let found = found.map_err(|error| error.about(object))?;
    Ok(Value::Bool(found.is_some()))
}

/// An access review for the account, as the server's authorizers see it. The account has to exist: one that is misspelt
/// may do nothing at all, which would pass for safe.
pub async fn can(cluster: &Kubernetes, args: Args<'_>) -> Result<Value, Failure> {
    let api = &cluster.api;
    let (account, verb, resource) = (
        args.text("account")?,
        args.text("verb")?,
        args.text("resource")?,
    );
    existing(api, &api.place(SERVICE_ACCOUNTS, account)).await?;
    let (kind, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let found = cluster.kinds.called(api, kind).await?;
    let namespace = &api.namespace;
    let groups = "/apis/authorization.k8s.io/v1";
    // What belongs to no namespace cannot be granted inside one.
    let (within, kind, path) = match found.reach {
        Reach::Namespace => (
            namespace.as_str(),
            "LocalSubjectAccessReview",
            format!("{groups}/namespaces/{namespace}/localsubjectaccessreviews"),
        ),
        Reach::Cluster => (
            "",
            "SubjectAccessReview",
            format!("{groups}/subjectaccessreviews"),
        ),
    };
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": kind,
        "metadata": { "namespace": within },
        "spec": {
            "user": format!("system:serviceaccount:{namespace}:{account}"),
            "groups": [
                "system:serviceaccounts",
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated",
            ],
            "resourceAttributes": {
                "namespace": within,
                "verb": verb,
                "group": found.group,
                "resource": found.plural,
                "subresource": subresource,
                "name": args.optional_text("name")?.unwrap_or(""),
            },
        },
    });
    let answer = api.create(&path, review).await;
    let answer = answer.map_err(|error| error.about(&format!("the rights of `{account}`")))?;
    Ok(Value::Bool(flag(&answer, "/status/allowed")))
}
