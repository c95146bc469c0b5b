//! Whether the credentials suffice, asked before anything is changed.

use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::failure::failure;
use crate::effects::kubernetes::object::flag;
use crate::effects::kubernetes::resource::{
    NAMESPACES, NODES, Place, Reach, Resource, STORAGE_CLASSES,
};
use crate::providers::Right;
use crate::providers::kubernetes;
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

/// What the functions of a `kubernetes` provider need, as they are declared.
pub fn declared(functions: &[&str]) -> Vec<Need> {
    let kind = kubernetes::kind();
    let called = functions.iter().filter_map(|name| kind.function(name));
    called
        .flat_map(|function| &function.rights)
        .map(need)
        .collect()
}

fn need(right: &Right) -> Need {
    let (plural, subresource) = right
        .resource
        .split_once('/')
        .unwrap_or((right.resource, ""));
    let reach = match [NODES, NAMESPACES, STORAGE_CLASSES]
        .iter()
        .any(|known| known.plural == plural)
    {
        true => Reach::Cluster,
        false => Reach::Namespace,
    };
    let resource = Resource {
        group: right.group.into(),
        version: "".into(),
        kind: "".into(),
        plural: plural.into(),
        reach,
    };
    Need::any(right.verb, &resource).at(subresource)
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
    use crate::effects::kubernetes::rights::{Need, declared};

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

    #[test]
    fn declared_rights_become_questions() {
        let words: Vec<String> = declared(&["canary_weight", "nodes", "no_such"])
            .iter()
            .map(|need| need.words("prod"))
            .collect();
        for wanted in [
            "patch pods/status in namespace `prod`",
            "list endpointslices.discovery.k8s.io in namespace `prod`",
            "list nodes in the whole cluster",
        ] {
            assert!(words.iter().any(|words| words == wanted), "{words:?}");
        }
    }
}
