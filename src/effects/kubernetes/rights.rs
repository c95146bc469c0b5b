//! Whether the credentials suffice, asked before anything is changed.

use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::failure::failure;
use crate::effects::kubernetes::object::flag;
use crate::effects::kubernetes::resource::{Place, Reach, Resource};
use crate::providers::request::{Failure, FailureKind};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;

/// One thing that has to be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub verb: &'static str,
    pub resource: Resource,
    pub subresource: &'static str,
    /// Empty: any of them.
    pub name: String,
}

impl Need {
    pub fn any(verb: &'static str, resource: &Resource) -> Need {
        Need {
            verb,
            resource: resource.clone(),
            subresource: "",
            name: String::new(),
        }
    }

    pub fn of(verb: &'static str, place: &Place) -> Need {
        Need {
            name: place.name.clone(),
            ..Need::any(verb, &place.resource)
        }
    }

    pub fn at(mut self, subresource: &'static str) -> Need {
        self.subresource = subresource;
        self
    }

    /// `patch pods/status in namespace prod`
    fn words(&self, namespace: &str) -> String {
        let mut words = format!("{} {}", self.verb, self.resource.qualified());
        if !self.subresource.is_empty() {
            words.push_str(&format!("/{}", self.subresource));
        }
        if !self.name.is_empty() {
            words.push_str(&format!(" `{}`", self.name));
        }
        match self.resource.reach {
            Reach::Namespace => words.push_str(&format!(" in namespace `{namespace}`")),
            Reach::Cluster => words.push_str(" in the whole cluster"),
        }
        words
    }
}

const ASKED_AT_ONCE: usize = 16;

/// All that is missing is named at once.
pub async fn check(api: &Api, mut needs: Vec<Need>) -> Result<(), Failure> {
    let mut unique: Vec<Need> = Vec::new();
    for need in needs.drain(..) {
        if !unique.contains(&need) {
            unique.push(need);
        }
    }
    let asked = stream::iter(unique).map(async |need| {
        let allowed = is_allowed(api, &need).await?;
        Ok::<_, Failure>((!allowed).then(|| need.words(&api.namespace)))
    });
    let missing: Vec<Option<String>> = asked.buffered(ASKED_AT_ONCE).try_collect().await?;
    let missing: Vec<String> = missing.into_iter().flatten().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("these credentials may not {}", missing.join(", nor "));
    Err(failure(FailureKind::Denied, message))
}

async fn is_allowed(api: &Api, need: &Need) -> Result<bool, Failure> {
    let namespace = match need.resource.reach {
        Reach::Namespace => api.namespace.as_str(),
        Reach::Cluster => "",
    };
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "namespace": namespace,
            "verb": need.verb,
            "group": need.resource.group,
            "resource": need.resource.plural,
            "subresource": need.subresource,
            "name": need.name,
        } },
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let answer = api.create(path, review).await;
    let answer = answer.map_err(|error| error.about("the rights of these credentials"))?;
    Ok(flag(&answer, "/status/allowed"))
}

#[cfg(test)]
mod tests {
    use crate::effects::kubernetes::resource::{DEPLOYMENTS, NODES, PODS, Place};
    use crate::effects::kubernetes::rights::Need;

    #[test]
    fn what_is_missing_is_named_with_verb_resource_and_namespace() {
        let status = Need::any("patch", &PODS).at("status");
        assert_eq!(
            status.words("prod"),
            "patch pods/status in namespace `prod`"
        );
        let api = Need::of("delete", &Place::new(DEPLOYMENTS, "prod", "api"));
        assert_eq!(
            api.words("prod"),
            "delete deployments.apps `api` in namespace `prod`"
        );
        assert_eq!(
            Need::any("list", &NODES).words("prod"),
            "list nodes in the whole cluster"
        );
    }
}
