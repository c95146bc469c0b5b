//! A release through the simulated world, request by request, as an engine makes them.

use crate::plan::Plan;
use crate::providers::request::{
    Call, Direction, FailureKind, Intent, Key, Observation, Outcome, Request, Response,
};
use crate::simulate::kubernetes::field;
use crate::simulate::kubernetes::object::Name;
use crate::simulate::kubernetes::store::{Precondition, Writer};
use crate::simulate::world::{Ticket, World};
use crate::units::Dim;
use crate::units::amount::{NANO, Quantity};
use crate::values::{Instant, Value};
use serde_json::json;

const SECOND_NS: i64 = 1_000_000_000;

const MANIFESTS: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: "api:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {selector: {app: api}, ports: [{port: 80}]}
"#;

fn plan() -> Plan {
    serde_json::from_value(json!({
        "semantics": 1, "language": 1, "name": "p", "title": "p", "window": null, "deadline_ns": null,
        "sample_ns": SECOND_NS, "inputs": [], "roles": [], "metrics": [], "lets": [], "nodes": [], "orders": [],
        "watches": [], "rollback": null, "handlers": [], "files": {"k8s.yaml": MANIFESTS},
        "providers": [{
            "name": "cluster", "kind": "kubernetes", "loc": 0,
            "settings": {"namespace": {"value": {"string": "shop"}}},
        }],
    }))
    .unwrap()
}

/// Three pods of `api:1` behind a Service.
fn world() -> World {
    let mut world = World::new(&plan(), Instant(0));
    let (outcome, _) = commit(
        &mut world,
        "setup",
        &call("apply", [path()]),
        Direction::Forward,
    );
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    world
}

fn path() -> (&'static str, Value) {
    ("path", Value::String("k8s.yaml".to_owned()))
}

fn images(tag: &str) -> (&'static str, Value) {
    let image = Value::String(format!("api:{tag}"));
    (
        "images",
        Value::Record([("api".to_owned(), image)].into_iter().collect()),
    )
}

fn ratio(percent: i128) -> Value {
    Value::Quantity(Quantity::exact(Dim::Ratio, percent * NANO / 100))
}

fn call<const N: usize>(function: &str, args: [(&str, Value); N]) -> Call {
    Call {
        provider: "cluster".to_owned(),
        function: function.to_owned(),
        args: args
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

fn prepare(world: &mut World, call: &Call) -> Intent {
    let key = Key("prepare".to_owned());
    let request = Request::Prepare {
        key,
        call: call.clone(),
    };
    match world.answer(world.now, &request).0 {
        Response::Prepared(intent) => intent.unwrap(),
        other => panic!("{other:?}"),
    }
}

fn carry(world: &mut World, key: &str, intent: &Intent, direction: Direction) -> Outcome {
    let request = Request::Commit {
        key: Key(key.to_owned()),
        intent: intent.clone(),
        direction,
    };
    match world.answer(world.now, &request).0 {
        Response::Committed(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

fn commit(world: &mut World, key: &str, call: &Call, direction: Direction) -> (Outcome, Intent) {
    let intent = prepare(world, call);
    (carry(world, key, &intent, direction), intent)
}

fn applied(world: &mut World, key: &str, call: &Call) -> (Value, Intent) {
    match commit(world, key, call, Direction::Forward) {
        (Outcome::Applied { result, .. }, intent) => (result, intent),
        (other, _) => panic!("{other:?}"),
    }
}

fn undone(world: &mut World, key: &str, intent: &Intent) {
    let outcome = carry(world, key, intent, Direction::Back);
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
}

fn released(world: &mut World) -> (Value, Intent) {
    applied(
        world,
        "release",
        &call("apply", [path(), images("2"), ("traffic", ratio(0))]),
    )
}

fn stage(world: &mut World, release: &Value, percent: i128) -> (Value, Intent) {
    let args = [("release", release.clone()), ("weight", ratio(percent))];
    applied(
        world,
        &format!("stage-{percent}"),
        &call("canary_weight", args),
    )
}

fn field(value: &Value, name: &str) -> f64 {
    match value {
        Value::Record(fields) => fields.get(name).unwrap().amount().unwrap().as_f64(),
        other => panic!("{other:?}"),
    }
}

/// The images of the pods that take traffic.
fn serving(world: &World) -> Vec<String> {
    let service = Name::new("service", "shop", "api");
    let mut images: Vec<String> = world
        .cluster
        .endpoints(&service)
        .iter()
        .map(|pod| pod.images[0].clone())
        .collect();
    images.sort();
    images
}

fn wait(world: &mut World, seconds: i64) {
    assert!(world.advance(world.now.plus(seconds * SECOND_NS)).is_none());
}

#[test]
fn a_dark_release_leaves_the_deployment_and_its_traffic_alone() {
    let mut world = world();
    let before = world
        .cluster
        .store
        .get(&Name::new("deployment", "shop", "api"))
        .unwrap()
        .clone();
    let (release, intent) = released(&mut world);
    let after = world
        .cluster
        .store
        .get(&Name::new("deployment", "shop", "api"))
        .unwrap();
    assert_eq!(*after, before);
    assert_eq!(serving(&world), ["api:1", "api:1", "api:1"]);
    let Value::Record(fields) = &release else {
        panic!()
    };
    assert!(matches!(fields.get("canary"), Some(Value::String(name)) if name == "api-canary"));
    assert!(matches!(fields.get("image"), Some(Value::String(image)) if image == "api:2"));
    undone(&mut world, "release", &intent);
    wait(&mut world, 40);
    assert_eq!(world.cluster.pods.len(), 3);
}

#[test]
fn stages_reach_their_weight_and_promotion_leaves_one_version() {
    let mut world = world();
    let (release, _) = released(&mut world);
    let (quarter, _) = stage(&mut world, &release, 25);
    assert!((field(&quarter, "achieved") - 0.25).abs() < 1e-9);
    assert_eq!(serving(&world), ["api:1", "api:1", "api:1", "api:2"]);
    let (half, _) = stage(&mut world, &release, 50);
    assert!((field(&half, "achieved") - 0.5).abs() < 1e-9);
    let (whole, _) = stage(&mut world, &release, 100);
    assert!((field(&whole, "achieved") - 1.0).abs() < 1e-9);
    assert_eq!(serving(&world), ["api:2", "api:2", "api:2"]);
    applied(
        &mut world,
        "promote",
        &call("canary_promote", [("release", release)]),
    );
    wait(&mut world, 40);
    assert_eq!(serving(&world), ["api:2", "api:2", "api:2"]);
    assert_eq!(world.cluster.pods.len(), 3);
    let live = world
        .cluster
        .store
        .get(&Name::new("deployment", "shop", "api"))
        .unwrap();
    let text = live.body.to_string();
    assert!(
        !text.contains("deployc.dev/traffic") && !text.contains("deployc.dev/track"),
        "{text}"
    );
    assert!(
        world
            .cluster
            .store
            .get(&Name::new("deployment", "shop", "api-canary"))
            .is_err()
    );
}

#[test]
fn every_stage_can_be_undone_in_reverse_order() {
    let mut world = world();
    let spec = |world: &World, kind: &str| {
        let object = world
            .cluster
            .store
            .get(&Name::new(kind, "shop", "api"))
            .unwrap();
        object.body["spec"].clone()
    };
    let before = (spec(&world, "deployment"), spec(&world, "service"));
    let (release, intent) = released(&mut world);
    let mut undo = vec![("release".to_owned(), intent)];
    for percent in [25, 50, 100] {
        undo.push((
            format!("stage-{percent}"),
            stage(&mut world, &release, percent).1,
        ));
    }
    let promote = call("canary_promote", [("release", release)]);
    undo.push((
        "promote".to_owned(),
        applied(&mut world, "promote", &promote).1,
    ));
    for (key, intent) in undo.iter().rev() {
        undone(&mut world, key, intent);
    }
    wait(&mut world, 40);
    assert_eq!(serving(&world), ["api:1", "api:1", "api:1"]);
    assert_eq!(world.cluster.pods.len(), 3);
    assert_eq!(
        (spec(&world, "deployment"), spec(&world, "service")),
        before
    );
}

#[test]
fn an_undo_of_what_somebody_else_changed_since_names_the_field_and_whose_it_is() {
    let mut world = world();
    let scale = call(
        "scale",
        [
            ("name", Value::String("api".to_owned())),
            ("replicas", Value::count(5)),
        ],
    );
    let (_, intent) = applied(&mut world, "scale", &scale);
    let other = Writer {
        at: world.now,
        manager: "kubectl-edit".to_owned(),
        key: None,
    };
    let name = Name::new("deployment", "shop", "api");
    let fields = [(field::Path::of("spec.replicas"), Some(json!(8)))];
    world
        .cluster
        .write(&other, &name, &fields, &Precondition::default())
        .unwrap();
    match carry(&mut world, "scale", &intent, Direction::Back) {
        Outcome::NotApplied(failure) => {
            assert_eq!(failure.kind, FailureKind::Conflict);
            assert!(
                failure.message.contains(".spec.replicas"),
                "{}",
                failure.message
            );
            assert!(
                failure.message.contains("kubectl-edit"),
                "{}",
                failure.message
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_edit_of_the_old_version_stops_the_canary_with_field_and_owner() {
    let mut world = world();
    let (release, _) = released(&mut world);
    stage(&mut world, &release, 50);
    let other = Writer {
        at: world.now,
        manager: "kubectl-edit".to_owned(),
        key: None,
    };
    let name = Name::new("deployment", "shop", "api");
    let note = "spec.template.metadata.annotations.note";
    let fields = [(field::Path::of(note), Some(json!("theirs")))];
    world
        .cluster
        .write(&other, &name, &fields, &Precondition::default())
        .unwrap();
    let args = [("release", release), ("weight", ratio(100))];
    let request = Request::Prepare {
        key: Key("stage-100".to_owned()),
        call: call("canary_weight", args),
    };
    let Response::Prepared(Err(failure)) = world.answer(world.now, &request).0 else {
        panic!("it went on");
    };
    assert_eq!(failure.kind, FailureKind::Conflict);
    for part in [note, "api", "theirs", "kubectl-edit"] {
        assert!(failure.message.contains(part), "{}", failure.message);
    }
}

#[test]
fn a_change_of_an_object_that_changed_since_is_refused_and_nothing_is_written() {
    let mut world = world();
    let intent = prepare(&mut world, &call("apply", [path(), images("2")]));
    let other = Writer {
        at: world.now,
        manager: "kubectl-edit".to_owned(),
        key: None,
    };
    let name = Name::new("deployment", "shop", "api");
    let fields = [(field::Path::of("spec.replicas"), Some(json!(8)))];
    world
        .cluster
        .write(&other, &name, &fields, &Precondition::default())
        .unwrap();
    match carry(&mut world, "release", &intent, Direction::Forward) {
        Outcome::NotApplied(failure) => assert_eq!(failure.kind, FailureKind::Conflict),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_commit_that_was_cut_short_is_observed_and_issued_again_without_a_second_change() {
    let whole = {
        let mut world = world();
        let (release, _) = released(&mut world);
        stage(&mut world, &release, 50);
        serving(&world)
    };
    for tenth in 0..60 {
        let mut world = world();
        let (release, _) = released(&mut world);
        let args = [("release", release), ("weight", ratio(50))];
        let intent = prepare(&mut world, &call("canary_weight", args));
        let key = Key("stage".to_owned());
        let request = Request::Commit {
            key: key.clone(),
            intent: intent.clone(),
            direction: Direction::Forward,
        };
        world.begin(Ticket(1), request);
        world.advance(world.now.plus(tenth * SECOND_NS / 10));
        world.forget_requests();
        let observe = Request::Observe {
            key: key.clone(),
            intent: intent.clone(),
            direction: Direction::Forward,
        };
        let (observed, _) = world.answer(world.now, &observe);
        if let Response::Observed(Observation::NotApplied | Observation::Underway(_)) = observed {
            let again = carry(&mut world, "stage", &intent, Direction::Forward);
            assert!(matches!(again, Outcome::Applied { .. }), "{again:?}");
        }
        assert_eq!(
            serving(&world),
            whole,
            "cut after {tenth} tenths of a second"
        );
        let scaled = world.history();
        let scaled = scaled
            .iter()
            .filter(|change| change.key.as_ref() == Some(&key) && change.what.writes());
        assert_eq!(scaled.count(), 1, "cut after {tenth} tenths of a second");
    }
}

#[test]
fn a_version_that_does_not_exist_is_waited_for_until_there_is_no_hope_and_can_be_undone() {
    let mut world = world();
    world.cluster.missing_images.insert("api:9".to_owned());
    let args = [path(), images("9"), ("traffic", ratio(0))];
    let began = world.now;
    let (outcome, intent) = commit(
        &mut world,
        "release",
        &call("apply", args),
        Direction::Forward,
    );
    match outcome {
        Outcome::Unachieved(failure) => {
            assert_eq!(failure.kind, FailureKind::Unready);
            assert!(
                failure.message.contains("ImagePullBackOff"),
                "{}",
                failure.message
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(world.now.since(began) > 30 * SECOND_NS);
    undone(&mut world, "release", &intent);
    wait(&mut world, 40);
    assert_eq!(serving(&world), ["api:1", "api:1", "api:1"]);
}

#[test]
fn what_somebody_else_changes_while_it_is_waited_for_is_found() {
    let mut world = world();
    let intent = prepare(&mut world, &call("apply", [path(), images("2")]));
    let request = Request::Commit {
        key: Key("release".to_owned()),
        intent,
        direction: Direction::Forward,
    };
    world.begin(Ticket(1), request);
    assert!(world.advance(world.now.plus(SECOND_NS)).is_none());
    let other = Writer {
        at: world.now,
        manager: "kubectl-edit".to_owned(),
        key: None,
    };
    let fields = [(field::Path::of("spec.replicas"), Some(json!(8)))];
    let name = Name::new("deployment", "shop", "api");
    world
        .cluster
        .write(&other, &name, &fields, &Precondition::default())
        .unwrap();
    match world.advance(world.now.plus(60 * SECOND_NS)) {
        Some((Ticket(1), Response::Committed(Outcome::Unachieved(failure)))) => {
            assert_eq!(failure.kind, FailureKind::Conflict);
            assert!(
                failure.message.contains("kubectl-edit"),
                "{}",
                failure.message
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_dark_release_of_what_runs_already_or_is_not_there_is_refused() {
    let refused = |world: &mut World, image: &str| {
        let args = [path(), images(image), ("traffic", ratio(0))];
        let request = Request::Prepare {
            key: Key("release".to_owned()),
            call: call("apply", args),
        };
        match world.answer(world.now, &request).0 {
            Response::Prepared(Err(failure)) => failure.message,
            other => panic!("{other:?}"),
        }
    };
    assert!(refused(&mut world(), "1").contains("runs already"));
    let mut empty = World::new(&plan(), Instant(0));
    assert!(refused(&mut empty, "2").contains("is not there yet"));
}

#[test]
fn a_world_forks() {
    let mut world = world();
    let (release, _) = released(&mut world);
    let mut fork = world.clone();
    stage(&mut fork, &release, 50);
    assert_eq!(serving(&world).len(), 3);
    assert_eq!(serving(&fork).len(), 6);
}

#[test]
fn an_apply_with_the_key_of_a_change_shows_up_in_the_account_of_the_world() {
    let world = world();
    let history = world.history();
    let created: Vec<&str> = history
        .iter()
        .filter(|change| change.key.is_some() && change.what.writes())
        .map(|change| change.object.as_str())
        .collect();
    assert_eq!(created, ["deployment/shop/api", "service/shop/api"]);
    let ready = history
        .iter()
        .filter(|change| change.what == crate::simulate::history::What::Ready);
    assert_eq!(ready.count(), 3);
}
