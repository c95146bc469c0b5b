//! Which kind of object lives where in the API.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A kind of object as its address in the API has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Empty for the core group.
    pub group: Cow<'static, str>,
    pub version: Cow<'static, str>,
    pub kind: Cow<'static, str>,
    pub plural: Cow<'static, str>,
    pub reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    Namespace,
    Cluster,
}

pub const DEPLOYMENTS: Resource = built_in("apps", "v1", "Deployment", "deployments");
pub const STATEFUL_SETS: Resource = built_in("apps", "v1", "StatefulSet", "statefulsets");
pub const DAEMON_SETS: Resource = built_in("apps", "v1", "DaemonSet", "daemonsets");
pub const PODS: Resource = built_in("", "v1", "Pod", "pods");
pub const SERVICES: Resource = built_in("", "v1", "Service", "services");
pub const SERVICE_ACCOUNTS: Resource = built_in("", "v1", "ServiceAccount", "serviceaccounts");
pub const EVENTS: Resource = built_in("", "v1", "Event", "events");
pub const QUOTAS: Resource = built_in("", "v1", "ResourceQuota", "resourcequotas");
pub const ENDPOINT_SLICES: Resource =
    built_in("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices");
pub const LEASES: Resource = built_in("coordination.k8s.io", "v1", "Lease", "leases");
pub const AUTOSCALERS: Resource = built_in(
    "autoscaling",
    "v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
);
pub const NODES: Resource = everywhere("", "v1", "Node", "nodes");
pub const NAMESPACES: Resource = everywhere("", "v1", "Namespace", "namespaces");
pub const STORAGE_CLASSES: Resource =
    everywhere("storage.k8s.io", "v1", "StorageClass", "storageclasses");

const fn built_in(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
) -> Resource {
    Resource {
        group: Cow::Borrowed(group),
        version: Cow::Borrowed(version),
        kind: Cow::Borrowed(kind),
        plural: Cow::Borrowed(plural),
        reach: Reach::Namespace,
    }
}

const fn everywhere(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
) -> Resource {
    let mut resource = built_in(group, version, kind, plural);
    resource.reach = Reach::Cluster;
    resource
}

impl Resource {
    /// `apps/v1`, `v1`
    pub fn api_version(&self) -> String {
        match self.group.as_ref() {
            "" => self.version.to_string(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// `deployments.apps`, `pods`: as RBAC and people write it.
    pub fn qualified(&self) -> String {
        match self.group.as_ref() {
            "" => self.plural.to_string(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// The address of all of them, or of those in a namespace.
    pub fn path(&self, namespace: &str) -> String {
        let root = match self.group.as_ref() {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        match self.reach {
            Reach::Namespace => format!("{root}/namespaces/{namespace}/{}", self.plural),
            Reach::Cluster => format!("{root}/{}", self.plural),
        }
    }
}

/// One object: where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub resource: Resource,
    /// Empty for what belongs to none.
    pub namespace: String,
    pub name: String,
}

impl Place {
    pub fn new(resource: Resource, namespace: &str, name: &str) -> Place {
        let namespace = match resource.reach {
            Reach::Namespace => namespace.to_owned(),
            Reach::Cluster => String::new(),
        };
        Place {
            resource,
            namespace,
            name: name.to_owned(),
        }
    }

    pub fn path(&self) -> String {
        format!("{}/{}", self.resource.path(&self.namespace), self.name)
    }

    /// `deployment/x0tta6bl4/x0tta6bl4-api`: as a plan's journal names it.
    pub fn object(&self) -> String {
        let kind = self.resource.kind.to_lowercase();
        match self.namespace.as_str() {
            "" => format!("{kind}/{}", self.name),
            namespace => format!("{kind}/{namespace}/{}", self.name),
        }
    }

    /// `deployment/x0tta6bl4-api`: as a person names it.
    pub fn short(&self) -> String {
        format!("{}/{}", self.resource.kind.to_lowercase(), self.name)
    }

    pub fn is_deployment(&self) -> bool {
        self.resource.kind == "Deployment" && self.resource.group == "apps"
    }
}

#[cfg(test)]
mod tests {
    use crate::effects::kubernetes::resource::{DEPLOYMENTS, NODES, PODS, Place};

    #[test]
    fn addresses() {
        let api = Place::new(DEPLOYMENTS, "prod", "api");
        assert_eq!(api.path(), "/apis/apps/v1/namespaces/prod/deployments/api");
        assert_eq!(api.object(), "deployment/prod/api");
        assert_eq!(DEPLOYMENTS.qualified(), "deployments.apps");
        assert_eq!(PODS.path("prod"), "/api/v1/namespaces/prod/pods");
        let node = Place::new(NODES, "prod", "n1");
        assert_eq!(
            (node.path().as_str(), node.object().as_str()),
            ("/api/v1/nodes/n1", "node/n1")
        );
    }
}
