//! What a real API server said to these requests, and what real controllers do; the contract suite asks the real ones.

use crate::simulate::history::What;
use crate::simulate::kubernetes::Cluster;
use crate::simulate::kubernetes::field::Path;
use crate::simulate::kubernetes::object::{ApiError, Name};
use crate::simulate::kubernetes::pod::Gate;
use crate::simulate::kubernetes::store::{Force, How, Precondition, Writer};
use crate::values::Instant;
use serde_json::{Value, json};

const SECOND_NS: i64 = 1_000_000_000;

fn deployment(name: &str, image: &str, replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "api", "image": image}]},
            },
        },
    })
}

fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}]},
    })
}

fn by(cluster: &Cluster, manager: &str) -> Writer {
    Writer {
        at: cluster.now,
        manager: manager.to_owned(),
        key: None,
    }
}

fn api() -> Name {
    Name::new("Deployment", "shop", "api")
}

fn apply(
    cluster: &mut Cluster,
    manager: &str,
    manifest: &Value,
    only_if: Precondition,
) -> Result<How, ApiError> {
    let by = by(cluster, manager);
    cluster.apply(
        &by,
        &Name::of(manifest, "shop"),
        manifest,
        &only_if,
        Force::No,
    )
}

fn pass(cluster: &mut Cluster, seconds: i64) {
    cluster.advance(cluster.now.plus(seconds * SECOND_NS));
}

fn running(replicas: i64) -> Cluster {
    let mut cluster = Cluster::new(Instant(0));
    apply(
        &mut cluster,
        "deployc",
        &deployment("api", "api:1", replicas),
        Precondition::default(),
    )
    .unwrap();
    apply(
        &mut cluster,
        "deployc",
        &service("api"),
        Precondition::default(),
    )
    .unwrap();
    pass(&mut cluster, 60);
    cluster
}

fn version(cluster: &Cluster) -> String {
    cluster
        .store
        .get(&api())
        .unwrap()
        .resource_version
        .to_string()
}

fn only_if(version: &str) -> Precondition {
    Precondition {
        uid: None,
        resource_version: Some(version.to_owned()),
    }
}

fn endpoints(cluster: &Cluster) -> usize {
    cluster
        .endpoints(&Name::new("Service", "shop", "api"))
        .len()
}

#[test]
fn an_apply_with_a_stale_version_is_refused_and_with_the_current_one_done() {
    let mut cluster = running(2);
    let old = version(&cluster);
    let next = deployment("api", "api:2", 2);
    apply(&mut cluster, "deployc", &next, only_if(&old)).unwrap();
    let refused = apply(
        &mut cluster,
        "deployc",
        &deployment("api", "api:3", 2),
        only_if(&old),
    )
    .unwrap_err();
    assert_eq!(refused.code, 409);
    assert!(
        refused.message.contains("the object has been modified"),
        "{}",
        refused.message
    );
    let now = version(&cluster);
    assert_eq!(
        apply(
            &mut cluster,
            "deployc",
            &deployment("api", "api:3", 2),
            only_if(&now)
        ),
        Ok(How::Changed)
    );
}

#[test]
fn an_apply_with_another_uid_is_invalid() {
    let mut cluster = running(2);
    let other = Precondition {
        uid: Some("0".to_owned()),
        resource_version: None,
    };
    let refused = apply(
        &mut cluster,
        "deployc",
        &deployment("api", "api:2", 2),
        other,
    )
    .unwrap_err();
    assert_eq!(refused.code, 422);
    assert!(
        refused.message.contains("metadata.uid: Invalid value"),
        "{}",
        refused.message
    );
}

#[test]
fn an_apply_that_changes_nothing_keeps_the_version() {
    let mut cluster = running(2);
    let before = version(&cluster);
    let again = apply(
        &mut cluster,
        "deployc",
        &deployment("api", "api:1", 2),
        Precondition::default(),
    );
    assert_eq!(again, Ok(How::Unchanged));
    assert_eq!(version(&cluster), before);
}

#[test]
fn a_field_of_another_manager_is_a_conflict_that_names_it() {
    let mut cluster = running(2);
    let spec = Path::default()
        .field("spec")
        .field("template")
        .field("spec");
    let container = spec.field("containers").item("name", &json!("api"));
    let fields = [(container.field("image"), Some(json!("api:hotfix")))];
    let editor = by(&cluster, "kubectl-edit");
    cluster
        .write(&editor, &api(), &fields, &Precondition::default())
        .unwrap();
    let refused = apply(
        &mut cluster,
        "deployc",
        &deployment("api", "api:2", 2),
        Precondition::default(),
    )
    .unwrap_err();
    assert_eq!((refused.code, refused.causes.len()), (409, 1));
    assert_eq!(refused.causes[0].reason, "FieldManagerConflict");
    assert_eq!(
        refused.causes[0].field,
        ".spec.template.spec.containers[name=\"api\"].image"
    );
    assert!(
        refused.message.contains("kubectl-edit"),
        "{}",
        refused.message
    );
    let by = by(&cluster, "deployc");
    let forced = cluster.apply(
        &by,
        &api(),
        &deployment("api", "api:2", 2),
        &Precondition::default(),
        Force::Yes,
    );
    assert_eq!(forced, Ok(How::Changed));
}

#[test]
fn a_field_that_is_no_longer_applied_goes() {
    let mut cluster = running(2);
    let mut less = deployment("api", "api:1", 2);
    less["spec"].as_object_mut().unwrap().remove("strategy");
    apply(&mut cluster, "deployc", &less, Precondition::default()).unwrap();
    let object = cluster.store.get(&api()).unwrap();
    assert!(object.body.pointer("/spec/strategy").is_none());
    assert_eq!(object.generation, 2);
}

#[test]
fn a_delete_with_another_uid_is_refused() {
    let mut cluster = running(2);
    let by = by(&cluster, "deployc");
    let refused = cluster.delete(&by, &api(), Some("0")).unwrap_err();
    assert_eq!(refused.code, 409);
    assert!(
        refused.message.contains("the UID in the precondition"),
        "{}",
        refused.message
    );
}

#[test]
fn pods_take_time_and_a_rolling_update_never_has_too_few() {
    let mut cluster = running(4);
    assert_eq!(endpoints(&cluster), 4);
    apply(
        &mut cluster,
        "deployc",
        &deployment("api", "api:2", 4),
        Precondition::default(),
    )
    .unwrap();
    let (mut ticks, mut least) = (0, 4);
    while cluster.pods.values().any(|pod| pod.images != ["api:2"]) {
        cluster.advance(cluster.now.plus(SECOND_NS / 10));
        least = least.min(endpoints(&cluster));
        ticks += 1;
        assert!(ticks < 600, "the update does not end");
    }
    assert_eq!((least, endpoints(&cluster)), (4, 4));
    assert!(
        ticks > 20,
        "four pods one by one take more than {ticks} tenths of a second"
    );
    let status = &cluster.store.get(&api()).unwrap().status;
    assert_eq!(status["updatedReplicas"], json!(4));
    assert_eq!(status["observedGeneration"], json!(2));
}

#[test]
fn an_image_that_does_not_exist_never_becomes_ready_and_the_old_pods_stay() {
    let mut cluster = running(3);
    cluster.missing_images.insert("api:none".to_owned());
    apply(
        &mut cluster,
        "deployc",
        &deployment("api", "api:none", 3),
        Precondition::default(),
    )
    .unwrap();
    pass(&mut cluster, 300);
    assert_eq!(endpoints(&cluster), 3);
    let waiting: Vec<_> = cluster
        .pods
        .values()
        .filter_map(|pod| pod.waiting)
        .collect();
    assert_eq!(waiting, ["ImagePullBackOff"]);
    let reasons: Vec<&str> = cluster.events.iter().map(|event| event.reason).collect();
    assert_eq!(reasons, ["Failed", "BackOff"]);
    apply(
        &mut cluster,
        "deployc",
        &deployment("api", "api:1", 3),
        Precondition::default(),
    )
    .unwrap();
    pass(&mut cluster, 60);
    assert_eq!(cluster.pods.len(), 3);
}

#[test]
fn a_pod_with_a_shut_gate_runs_and_takes_no_traffic() {
    let mut cluster = running(2);
    let mut canary = deployment("api", "api:2", 1);
    canary["metadata"]["name"] = json!("api-canary");
    canary["spec"]["template"]["spec"]["readinessGates"] =
        json!([{"conditionType": "deployc.dev/traffic"}]);
    apply(&mut cluster, "deployc", &canary, Precondition::default()).unwrap();
    pass(&mut cluster, 30);
    let owner = Name::new("Deployment", "shop", "api-canary");
    let pod = cluster.pods_of(&owner).next().unwrap();
    let name = pod.name.clone();
    assert!(pod.healthy() && !pod.ready());
    assert_eq!(endpoints(&cluster), 2);
    let by = by(&cluster, "deployc");
    cluster
        .set_gate(&by, &name, "deployc.dev/traffic", Gate::Open)
        .unwrap();
    assert_eq!(endpoints(&cluster), 3);
    assert_eq!(cluster.store.history.last().unwrap().what, What::Ready);
}

#[test]
fn the_pods_of_a_deployment_go_with_it() {
    let mut cluster = running(3);
    let uid = cluster.store.get(&api()).unwrap().uid.clone();
    let by = by(&cluster, "deployc");
    cluster.delete(&by, &api(), Some(&uid)).unwrap();
    pass(&mut cluster, 40);
    assert!(cluster.pods.is_empty());
}
