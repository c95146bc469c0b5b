//! In which order kinds are applied, and which of them are never deleted.

/// What others refer to comes first; undone in the opposite order. Kinds that are not named stand before what runs pods.
const ORDER: [&str; 27] = [
    "Namespace",
    "PriorityClass",
    "StorageClass",
    "CustomResourceDefinition",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodDisruptionBudget",
    "ServiceAccount",
    "ConfigMap",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    OTHERS,
    "DaemonSet",
    "Pod",
    "ReplicaSet",
    "Deployment",
    "StatefulSet",
    "Job",
    "CronJob",
    "HorizontalPodAutoscaler",
    "Ingress",
];

const OTHERS: &str = "";

pub fn rank(kind: &str) -> usize {
    let place = |kind: &str| ORDER.iter().position(|known| *known == kind);
    place(kind).or_else(|| place(OTHERS)).unwrap_or(ORDER.len())
}

/// Kinds whose deletion takes more with it than this run made: they stay, also in a rollback.
pub fn is_kept(kind: &str) -> bool {
    matches!(
        kind,
        "Namespace" | "CustomResourceDefinition" | "PersistentVolume" | "PersistentVolumeClaim"
    )
}

#[cfg(test)]
mod tests {
    use crate::providers::kubernetes::order::rank;

    #[test]
    fn what_others_refer_to_comes_first() {
        let mut kinds = [
            "Ingress",
            "Deployment",
            "Widget",
            "ConfigMap",
            "Service",
            "Namespace",
        ];
        kinds.sort_by_key(|kind| rank(kind));
        assert_eq!(
            kinds,
            [
                "Namespace",
                "ConfigMap",
                "Service",
                "Widget",
                "Deployment",
                "Ingress"
            ]
        );
    }
}
