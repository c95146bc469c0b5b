//! The kinds that a cluster knows, by discovery: `deploy/api` and `apps/v1 Deployment` become an address.

use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::failure::{ApiError, not_found};
use crate::effects::kubernetes::object::{items, text};
use crate::effects::kubernetes::resource::{Reach, Resource};
use crate::providers::request::Failure;
use http::Method;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::Mutex;

/// What is known of a cluster's kinds; asked once, and again when a kind is not found.
#[derive(Default)]
pub struct Kinds {
    known: Mutex<Option<Arc<Vec<Known>>>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    pub resource: Resource,
    pub singular: String,
    pub short: Vec<String>,
}

impl Kinds {
    /// Of a manifest.
    pub async fn of(&self, api: &Api, api_version: &str, kind: &str) -> Result<Resource, Failure> {
        let wanted = |known: &Known| {
            known.resource.kind == kind && known.resource.api_version() == api_version
        };
        self.find(api, wanted).await?.ok_or_else(|| {
            not_found(format!(
                "the cluster knows no `{kind}` in `{api_version}`; its definition has to be there in an earlier step"
            ))
        })
    }

    /// As `kubectl get` takes it: `deployment`, `deploy`, `deployments.apps`, `NetworkPolicy`.
    pub async fn called(&self, api: &Api, word: &str) -> Result<Resource, Failure> {
        let word = word.to_lowercase();
        let (plain, group) = word
            .split_once('.')
            .map_or((word.as_str(), None), |(a, b)| (a, Some(b)));
        let wanted = |known: &Known| {
            let resource = &known.resource;
            let named = resource.plural == plain
                || known.singular == plain
                || resource.kind.to_lowercase() == plain
                || known.short.iter().any(|short| short == plain);
            named && group.is_none_or(|group| resource.group == group)
        };
        let found = self.find(api, wanted).await?;
        found.ok_or_else(|| not_found(format!("the cluster knows no kind `{word}`")))
    }

    async fn find(
        &self,
        api: &Api,
        wanted: impl Fn(&Known) -> bool,
    ) -> Result<Option<Resource>, Failure> {
        let mut known = self.known.lock().await;
        if let Some(list) = known.as_ref()
            && let Some(found) = list.iter().find(|known| wanted(known))
        {
            return Ok(Some(found.resource.clone()));
        }
        let list = Arc::new(discover(api).await?);
        *known = Some(Arc::clone(&list));
        Ok(list
            .iter()
            .find(|known| wanted(known))
            .map(|known| known.resource.clone()))
    }
}

async fn discover(api: &Api) -> Result<Vec<Known>, Failure> {
    let about = |error: ApiError| error.about("discovery");
    let core = api.discover("/api").await.map_err(about)?;
    let groups = api.discover("/apis").await.map_err(about)?;
    let mut known = parse(&core);
    known.extend(parse(&groups));
    Ok(known)
}

/// From an aggregated discovery document. The versions of a group stand in the server's order of preference.
fn parse(document: &Value) -> Vec<Known> {
    let mut known = Vec::new();
    for group in items(document, "/items") {
        for version in items(group, "/versions") {
            for resource in items(version, "/resources") {
                known.push(Known {
                    resource: Resource {
                        group: text(group, "/metadata/name").to_owned().into(),
                        version: text(version, "/version").to_owned().into(),
                        kind: text(resource, "/responseKind/kind").to_owned().into(),
                        plural: text(resource, "/resource").to_owned().into(),
                        reach: match text(resource, "/scope") {
                            "Cluster" => Reach::Cluster,
                            _ => Reach::Namespace,
                        },
                    },
                    singular: text(resource, "/singularResource").to_lowercase(),
                    short: items(resource, "/shortNames")
                        .iter()
                        .filter_map(|name| name.as_str().map(str::to_owned))
                        .collect(),
                });
            }
        }
    }
    known
}

impl Api {
    /// All groups, versions and kinds below a root, in one answer (Kubernetes 1.27 and later).
    async fn discover(&self, root: &str) -> Result<Value, ApiError> {
        self.send_accepting(Method::GET, root, AGGREGATED).await
    }
}

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                          application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

#[cfg(test)]
mod tests {
    use crate::effects::kubernetes::kinds::parse;
    use crate::effects::kubernetes::resource::{DEPLOYMENTS, NODES};
    use serde_json::json;

    #[test]
    fn kinds_are_read_from_aggregated_discovery() {
        let apps = json!({"items": [{"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [{
            "resource": "deployments", "responseKind": {"group": "", "kind": "Deployment", "version": ""},
            "scope": "Namespaced", "singularResource": "deployment", "shortNames": ["deploy"],
        }]}]}]});
        let core = json!({"items": [{"metadata": {}, "versions": [{"version": "v1", "resources": [{
            "resource": "nodes", "responseKind": {"kind": "Node"}, "scope": "Cluster", "singularResource": "node",
        }]}]}]});
        assert_eq!(parse(&apps)[0].resource, DEPLOYMENTS);
        assert_eq!(parse(&apps)[0].short, ["deploy"]);
        assert_eq!(parse(&core)[0].resource, NODES);
    }
}
