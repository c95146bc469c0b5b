//! What `kubernetes` promises, on a real cluster and on its twin.

use super::ask::{
    call, commit, field, flag, map, now, number, observe, prepare, read, text, words,
};
use deployc::effects::provider::Provider;
use deployc::providers::catalog;
use deployc::providers::request::{
    Call, Direction, Failure, FailureKind, Intent, Key, Observation, Outcome, Request, Response,
};
use deployc::units::Dim;
use deployc::units::amount::{NANO, Quantity};
use deployc::values::{Type, Value};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;

/// A namespace of its own, and the people who work in it beside the run.
pub trait Bench {
    /// The provider `it`, of a plan with these files.
    fn provider(&self, files: &[(&str, String)]) -> Arc<dyn Provider>;
    /// The same with credentials that may do just this: API group, resource, verbs.
    fn provider_that_may(
        &self,
        files: &[(&str, String)],
        rights: &[Right<'_>],
    ) -> Arc<dyn Provider>;
    fn namespace(&self) -> String;
    /// `v1` and `v2` become ready, `stuck` runs and never does, `missing` is in no registry.
    fn image(&self, version: &str) -> String;
    /// Somebody applies manifests (server-side, under this name) …
    fn apply(&self, manager: &str, manifests: &str);
    /// … or changes fields of an object, by a merge patch.
    fn edit(&self, manager: &str, object: &str, patch: Json);
    fn delete(&self, object: &str);
    /// An object by `kind/name`, as it is now.
    fn find(&self, object: &str) -> Option<Json>;
    /// The names of the pods that a Service sends traffic to.
    fn endpoints(&self, service: &str) -> Vec<String>;
    /// The pods that belong to a Deployment and are not going.
    fn pods(&self, deployment: &str) -> Vec<String>;
    fn wait(&self, time: Duration);
}

pub type Right<'a> = (&'a str, &'a str, &'a [&'a str]);

const SOMEBODY: &str = "somebody";

pub async fn suite<B: Bench>(bench: impl Fn() -> B) {
    reads(&bench()).await;
    what_is_not_there(&bench()).await;
    an_apply_makes_changes_and_leaves_alone(&bench()).await;
    an_apply_is_undone_to_the_last_field(&bench()).await;
    a_prepare_changes_nothing(&bench()).await;
    what_changed_since_the_intent_is_not_written_over(&bench()).await;
    what_only_its_controllers_changed_is_written(&bench()).await;
    fields_of_others_are_not_taken(&bench()).await;
    a_commit_can_be_issued_again(&bench()).await;
    what_has_become_of_a_change_is_seen(&bench()).await;
    what_somebody_changed_since_is_not_undone(&bench()).await;
    only_what_was_made_is_deleted(&bench()).await;
    single_changes(&bench()).await;
    a_selector_is_switched_and_given_back(&bench()).await;
    what_cannot_start_says_why(&bench()).await;
    a_paused_deployment_is_refused(&bench()).await;
    manifests_that_are_wrong_are_refused(&bench()).await;
    rights_are_missed_before_anything_changes(&bench()).await;
}

pub async fn canary_suite<B: Bench>(bench: impl Fn() -> B) {
    a_canary_is_opened_and_promoted(&bench()).await;
    a_canary_is_shut_and_removed(&bench()).await;
    all_traffic_is_given_back(&bench()).await;
    a_promotion_is_undone(&bench()).await;
    a_replaced_pod_is_shut_until_the_next_stage(&bench()).await;
    traffic_is_not_given_back_to_nobody(&bench()).await;
    an_edit_of_the_old_version_stops_the_canary(&bench()).await;
    what_cannot_carry_a_canary_is_refused(&bench()).await;
}

// ---- reading -------------------------------------------------------------------------------------------

async fn reads(bench: &impl Bench) {
    let it = bench.provider(&[]);
    bench.apply(SOMEBODY, &web(bench, "v1", 2));
    rolled_out(bench, &*it, "web", 2).await;

    let web = ask(&*it, "deployment", [("name", text("web"))]).await;
    assert_eq!(words(&field(&web, "image")), bench.image("v1"));
    assert_eq!(
        words(&field(&field(&web, "images"), "web")),
        bench.image("v1")
    );
    assert_eq!(
        counts(&web, ["replicas", "updated", "ready", "available"]),
        [2.0; 4]
    );
    assert!(flag(&field(&web, "observed")) && !flag(&field(&web, "paused")));

    let service = ask(&*it, "service", [("name", text("web"))]).await;
    assert_eq!(number(&field(&service, "endpoints")), 2.0);
    assert_eq!(words(&field(&field(&service, "selector"), "app")), "web");
    assert!(!words(&field(&service, "cluster_ip")).is_empty());

    let pods = ask(&*it, "pods", [("selector", text("app=web"))]).await;
    assert_eq!(
        counts(&pods, ["total", "ready", "healthy", "open"]),
        [2.0; 4]
    );
    assert_eq!(counts(&pods, ["restarts", "waiting"]), [0.0; 2]);
    let none = ask(&*it, "pods", [("selector", text("app=nobody"))]).await;
    assert_eq!(number(&field(&none, "total")), 0.0);

    let nodes = ask(&*it, "nodes", []).await;
    let [total, ready, networked] = counts(&nodes, ["total", "ready", "networked"]);
    assert!(total >= 1.0 && ready == total && networked == total);
    let namespace = ask(&*it, "namespace", [("name", text(bench.namespace()))]).await;
    assert!(flag(&field(&namespace, "exists")));
    assert_eq!(words(&field(&namespace, "phase")), "Active");
    let Value::Version(version) = ask(&*it, "version", []).await else {
        panic!("no version")
    };
    assert!(version.numbers[0] == 1 && version.numbers[1] >= 20);
    ask(&*it, "storage_classes", []).await;
    assert_eq!(number(&field(&ask(&*it, "quotas", []).await, "count")), 0.0);

    for (object, there) in [
        ("deployment/web", true),
        ("service/web", true),
        ("deployment/api", false),
    ] {
        let has = ask(&*it, "has", [("object", text(object))]).await;
        assert_eq!(flag(&has), there, "{object}");
    }
    assert_eq!(backed_off(&*it).await, 0.0);
}

async fn what_is_not_there(bench: &impl Bench) {
    let it = bench.provider(&[]);
    for function in ["deployment", "service", "autoscaler"] {
        let failure = read(&*it, call(function, [("name", text("nobody"))]))
            .await
            .unwrap_err();
        assert_eq!(
            failure.kind,
            FailureKind::NotFound,
            "{function}: {failure:?}"
        );
        assert!(failure.message.contains("`nobody`"), "{failure:?}");
    }
    let gone = ask(&*it, "namespace", [("name", text("nobody-lives-here"))]).await;
    assert!(!flag(&field(&gone, "exists")));
    // May do nothing, because it is not there: that is no evidence of safety.
    let args = [
        ("account", text("nobody")),
        ("verb", text("delete")),
        ("resource", text("pods")),
    ];
    let failure = read(&*it, call("can", args)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound);
    let since = Value::Instant(now().plus(-3 * 3_600_000_000_000));
    let events = call("events", [("pattern", text("Failed")), ("since", since)]);
    assert_eq!(
        read(&*it, events).await.unwrap_err().kind,
        FailureKind::Refused
    );
}

// ---- applying ------------------------------------------------------------------------------------------

async fn an_apply_makes_changes_and_leaves_alone(bench: &impl Bench) {
    let files = [(
        "k8s/all.yaml",
        format!("{}---\n{}", config("settings", "1"), web(bench, "v1", 2)),
    )];
    let it = bench.provider(&files);

    let (intent, result) = applied(&*it, "run/1", apply(&[])).await;
    conforms("kubernetes", "apply", &result);
    assert!(!flag(&field(&intent.before, "exists")));
    assert_eq!(
        counts(&result, ["created", "changed", "unchanged"]),
        [3.0, 0.0, 0.0]
    );
    assert_eq!(words(&field(&result, "deployment")), "web");
    assert_eq!(words(&field(&result, "image")), bench.image("v1"));
    assert_eq!(intent.targets.len(), 3);
    assert!(
        intent
            .targets
            .iter()
            .all(|target| target.uid.is_none() && !target.desired.is_empty())
    );
    for object in ["configmap/settings", "service/web", "deployment/web"] {
        assert_eq!(key_on(&bench.find(object).unwrap()), "run/1", "{object}");
    }
    assert_eq!(bench.endpoints("web").len(), 2);

    let versions = || {
        ["configmap/settings", "service/web"].map(|object| version_of(&bench.find(object).unwrap()))
    };
    let before = versions();
    let generation = generation_of(&bench.find("deployment/web").unwrap());
    let (intent, result) = applied(&*it, "run/2", apply(&[])).await;
    assert_eq!(
        counts(&result, ["created", "changed", "unchanged"]),
        [0.0, 0.0, 3.0]
    );
    assert!(intent.targets.is_empty());
    assert_eq!(versions(), before, "nothing was written");
    assert_eq!(
        generation_of(&bench.find("deployment/web").unwrap()),
        generation
    );

    let (intent, result) = applied(&*it, "run/3", apply(&[("web", bench.image("v2"))])).await;
    assert_eq!(
        counts(&result, ["created", "changed", "unchanged"]),
        [0.0, 1.0, 2.0]
    );
    assert_eq!(words(&field(&intent.before, "image")), bench.image("v1"));
    assert_eq!(words(&field(&result, "image")), bench.image("v2"));
    let live = bench.find("deployment/web").unwrap();
    assert_eq!(image_of(&live), bench.image("v2"));
    for count in [
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
    ] {
        assert_eq!(live["status"][count], 2, "{count}");
    }
    let scope = [("release", result), ("scope", text("release"))];
    let pods = ask(&*it, "revision_pods", scope).await;
    assert_eq!(counts(&pods, ["total", "ready", "open"]), [2.0; 3]);
}

async fn an_apply_is_undone_to_the_last_field(bench: &impl Bench) {
    let before = format!("{}---\n{}", config("settings", "1"), web(bench, "v1", 2));
    let mut after = format!("{}---\n{}", config("settings", "2"), web(bench, "v2", 3));
    after.push_str(&format!("---\n{}", config("extra", "1")));
    after = after.replace(
        "labels: {app: web}\n    spec:",
        "labels: {app: web, more: words}\n    spec:",
    );
    let old = bench.provider(&[("k8s/all.yaml", before)]);
    applied(&*old, "old/1", apply(&[])).await;
    let live = |object: &str| bench.find(object).unwrap();
    let (web_before, settings_before) = (live("deployment/web"), live("configmap/settings"));

    let new = bench.provider(&[("k8s/all.yaml", after)]);
    let (intent, _) = applied(&*new, "new/1", apply(&[])).await;
    assert_eq!(live("deployment/web")["spec"]["replicas"], 3);
    assert_eq!(live("configmap/settings")["data"]["value"], "2");

    let outcome = back(&*new, "new/1", &intent).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    let web = live("deployment/web");
    assert_eq!(web["spec"], web_before["spec"]);
    assert_eq!(key_on(&web), "old/1");
    assert_eq!(
        web["status"]["updatedReplicas"], 2,
        "the undo waits for the old pods"
    );
    assert_eq!(web["status"]["replicas"], 2);
    assert_eq!(live("configmap/settings")["data"], settings_before["data"]);
    assert!(bench.find("configmap/extra").is_none());
    // What is undone stays undone when it is asked for again.
    let again = back(&*new, "new/1", &intent).await;
    assert!(matches!(again, Outcome::Applied { .. }), "{again:?}");
    assert_eq!(live("deployment/web")["spec"], web_before["spec"]);
}

async fn a_prepare_changes_nothing(bench: &impl Bench) {
    bench.apply("deployc", &config("settings", "1"));
    let before = version_of(&bench.find("configmap/settings").unwrap());
    let files = [(
        "k8s/all.yaml",
        format!("{}---\n{}", config("settings", "2"), config("new", "1")),
    )];
    let it = bench.provider(&files);
    let intent = prepare(&*it, "run/1", apply(&[])).await.unwrap();
    assert_eq!(intent.targets.len(), 2);
    assert_eq!(
        version_of(&bench.find("configmap/settings").unwrap()),
        before
    );
    assert!(bench.find("configmap/new").is_none());
    assert!(matches!(
        observe(&*it, "run/1", intent).await,
        Observation::NotApplied
    ));
}

async fn what_changed_since_the_intent_is_not_written_over(bench: &impl Bench) {
    bench.apply("deployc", &config("settings", "1"));
    let it = bench.provider(&[("k8s/all.yaml", config("settings", "2"))]);
    let intent = prepare(&*it, "run/1", apply(&[])).await.unwrap();
    bench.edit(
        SOMEBODY,
        "configmap/settings",
        json!({"data": {"value": "theirs"}}),
    );
    let failure = not_applied(commit(&*it, "run/1", intent).await);
    assert_eq!(failure.kind, FailureKind::Conflict);
    for part in ["configmap/settings", ".data.value", "theirs", SOMEBODY] {
        assert!(failure.message.contains(part), "{part}: {failure:?}");
    }
    assert_eq!(
        bench.find("configmap/settings").unwrap()["data"]["value"],
        "theirs"
    );

    // One that was not there, and is now.
    let it = bench.provider(&[("k8s/all.yaml", config("new", "1"))]);
    let intent = prepare(&*it, "run/2", apply(&[])).await.unwrap();
    bench.apply(SOMEBODY, &config("new", "theirs"));
    let failure = not_applied(commit(&*it, "run/2", intent).await);
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert_eq!(
        bench.find("configmap/new").unwrap()["data"]["value"],
        "theirs"
    );

    // One that was there, and is another one now.
    let it = bench.provider(&[("k8s/all.yaml", config("new", "2"))]);
    bench.delete("configmap/new");
    bench.apply("deployc", &config("new", "1"));
    let intent = prepare(&*it, "run/3", apply(&[])).await.unwrap();
    bench.delete("configmap/new");
    let failure = not_applied(commit(&*it, "run/3", intent.clone()).await);
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert!(
        bench.find("configmap/new").is_none(),
        "what somebody deleted is not made again"
    );
    bench.apply("deployc", &config("new", "1"));
    let failure = not_applied(commit(&*it, "run/3", intent).await);
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert_eq!(bench.find("configmap/new").unwrap()["data"]["value"], "1");
}

/// A pod comes and goes: that makes a new version of its Deployment's status, and is nobody's change of it.
async fn what_only_its_controllers_changed_is_written(bench: &impl Bench) {
    let it = bench.provider(&[("k8s/all.yaml", web(bench, "v1", 2))]);
    applied(&*it, "run/1", apply(&[])).await;
    let intent = prepare(&*it, "run/2", apply(&[("web", bench.image("v2"))]))
        .await
        .unwrap();
    let before = version_of(&bench.find("deployment/web").unwrap());
    let pod = bench.pods("web").remove(0);
    bench.delete(&format!("pod/{pod}"));
    bench.wait(Duration::from_secs(1));
    assert_ne!(version_of(&bench.find("deployment/web").unwrap()), before);
    let outcome = commit(&*it, "run/2", intent).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    assert_eq!(
        image_of(&bench.find("deployment/web").unwrap()),
        bench.image("v2")
    );
}

async fn fields_of_others_are_not_taken(bench: &impl Bench) {
    bench.apply(SOMEBODY, &web(bench, "v1", 2));
    let it = bench.provider(&[("k8s/all.yaml", web(bench, "v1", 2))]);
    let change = || apply(&[("web", bench.image("v2"))]);
    let failure = prepare(&*it, "run/1", change()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    for part in [
        "deployment/web",
        ".spec.template.spec.containers[name=\"web\"].image",
        SOMEBODY,
    ] {
        assert!(failure.message.contains(part), "{part}: {failure:?}");
    }
    let mut forced = change();
    forced
        .args
        .insert("force".to_owned(), text("it is ours from now on"));
    let (intent, _) = applied(&*it, "run/2", forced).await;
    assert_eq!(
        image_of(&bench.find("deployment/web").unwrap()),
        bench.image("v2")
    );
    let outcome = back(&*it, "run/2", &intent).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    assert_eq!(
        image_of(&bench.find("deployment/web").unwrap()),
        bench.image("v1")
    );
}

async fn a_commit_can_be_issued_again(bench: &impl Bench) {
    let files = [(
        "k8s/all.yaml",
        format!("{}---\n{}", config("settings", "1"), web(bench, "v1", 1)),
    )];
    let it = bench.provider(&files);
    let (intent, first) = applied(&*it, "run/1", apply(&[])).await;
    let seen = || {
        let object = |name: &str| bench.find(name).unwrap();
        let settings = version_of(&object("configmap/settings"));
        (
            settings,
            generation_of(&object("deployment/web")),
            bench.pods("web"),
        )
    };
    let before = seen();
    let outcome = commit(&*it, "run/1", intent).await;
    let Outcome::Applied { result, written } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(seen(), before, "it was applied once");
    assert_eq!(counts(&result, ["created"]), counts(&first, ["created"]));
    assert_eq!(written.len(), 3);
}

async fn what_has_become_of_a_change_is_seen(bench: &impl Bench) {
    let it = bench.provider(&[("k8s/all.yaml", web(bench, "v1", 1))]);
    let (_, _) = applied(&*it, "run/1", apply(&[])).await;
    let intent = prepare(&*it, "run/2", apply(&[("web", bench.image("v2"))]))
        .await
        .unwrap();
    assert!(matches!(
        observe(&*it, "run/2", intent.clone()).await,
        Observation::NotApplied
    ));
    let outcome = commit(&*it, "run/2", intent.clone()).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    let seen = observe(&*it, "run/2", intent.clone()).await;
    let Observation::Applied { result, .. } = seen else {
        panic!("{seen:?}")
    };
    conforms("kubernetes", "apply", &result);
    assert_eq!(words(&field(&result, "image")), bench.image("v2"));
    assert!(matches!(
        observe_back(&*it, "run/2", &intent).await,
        Observation::NotApplied
    ));

    // Written, and not what was wanted (yet).
    let stuck = prepare(&*it, "run/3", apply(&[("web", bench.image("stuck"))]))
        .await
        .unwrap();
    let cut_off =
        tokio::time::timeout(Duration::from_secs(4), commit(&*it, "run/3", stuck.clone())).await;
    if let Ok(outcome) = cut_off {
        assert!(matches!(outcome, Outcome::Unachieved(_)), "{outcome:?}");
    }
    let seen = observe(&*it, "run/3", stuck.clone()).await;
    assert!(matches!(seen, Observation::Underway(_)), "{seen:?}");
    let outcome = back(&*it, "run/3", &stuck).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    assert!(matches!(
        observe_back(&*it, "run/3", &stuck).await,
        Observation::Applied { .. }
    ));
    assert_eq!(
        image_of(&bench.find("deployment/web").unwrap()),
        bench.image("v2")
    );

    let image = bench.image("v1");
    bench.edit(
        SOMEBODY,
        "deployment/web",
        json!({"spec": {"minReadySeconds": 1, "replicas": 2}}),
    );
    bench.wait(Duration::from_secs(1));
    let seen = observe(&*it, "run/2", intent).await;
    let Observation::Foreign(failure) = seen else {
        panic!("{seen:?} ({image})")
    };
    assert!(failure.message.contains(".spec.replicas"), "{failure:?}");
    assert!(failure.message.contains(SOMEBODY), "{failure:?}");
}

async fn what_somebody_changed_since_is_not_undone(bench: &impl Bench) {
    bench.apply(
        "deployc",
        &format!("{}---\n{}", config("a", "1"), config("b", "1")),
    );
    let it = bench.provider(&[(
        "k8s/all.yaml",
        format!("{}---\n{}", config("a", "2"), config("b", "2")),
    )]);
    let (intent, _) = applied(&*it, "run/1", apply(&[])).await;
    bench.edit(
        SOMEBODY,
        "configmap/b",
        json!({"data": {"value": "theirs"}}),
    );
    let outcome = back(&*it, "run/1", &intent).await;
    let Outcome::Unachieved(failure) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.kind, FailureKind::Conflict);
    for part in ["configmap/b", ".data.value", "theirs", SOMEBODY] {
        assert!(failure.message.contains(part), "{part}: {failure:?}");
    }
    let value = |object: &str| bench.find(object).unwrap()["data"]["value"].clone();
    assert_eq!(value("configmap/b"), "theirs");
    assert_eq!(
        value("configmap/a"),
        "1",
        "one that cannot be undone keeps no other from it"
    );
}

async fn only_what_was_made_is_deleted(bench: &impl Bench) {
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: disk}\nspec:\n  \
                 accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Mi}}\n";
    let files = format!(
        "{}---\n{}---\n{claim}",
        config("mine", "1"),
        config("other", "1")
    );
    let it = bench.provider(&[("k8s/all.yaml", files)]);
    let (intent, _) = applied(&*it, "run/1", apply(&[])).await;
    // Somebody takes one of them away and makes one of the same name.
    bench.delete("configmap/other");
    bench.apply(SOMEBODY, &config("other", "theirs"));
    let outcome = back(&*it, "run/1", &intent).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    assert!(bench.find("configmap/mine").is_none());
    assert_eq!(
        bench.find("configmap/other").unwrap()["data"]["value"],
        "theirs"
    );
    assert!(
        bench.find("persistentvolumeclaim/disk").is_some(),
        "a volume is never deleted"
    );
    bench.delete("persistentvolumeclaim/disk");
}

// ---- single objects ------------------------------------------------------------------------------------

async fn single_changes(bench: &impl Bench) {
    let it = bench.provider(&[("k8s/all.yaml", web(bench, "v1", 1))]);
    applied(&*it, "run/1", apply(&[])).await;
    let before = bench.find("deployment/web").unwrap();

    let scale = call(
        "scale",
        [("name", text("web")), ("replicas", Value::count(3))],
    );
    let (scaled, result) = applied(&*it, "run/2", scale).await;
    conforms("kubernetes", "scale", &result);
    assert_eq!(number(&field(&result, "replicas")), 3.0);
    assert_eq!(number(&field(&scaled.before, "replicas")), 1.0);
    assert_eq!(bench.pods("web").len(), 3);
    assert_eq!(
        image_of(&bench.find("deployment/web").unwrap()),
        bench.image("v1"),
        "the rest stays"
    );

    let image = call(
        "image",
        [("name", text("web")), ("image", text(bench.image("v2")))],
    );
    let (imaged, result) = applied(&*it, "run/3", image).await;
    conforms("kubernetes", "image", &result);
    assert_eq!(
        image_of(&bench.find("deployment/web").unwrap()),
        bench.image("v2")
    );

    let pods = bench.pods("web");
    let restart = call("restart", [("name", text("web"))]);
    let (restarted, result) = applied(&*it, "run/4", restart).await;
    conforms("kubernetes", "restart", &result);
    assert!(
        bench.pods("web").iter().all(|pod| !pods.contains(pod)),
        "all pods are new"
    );
    assert!(restarted.inverse.is_null());

    // The restart wrote the object last; it is not undone, and so nothing before it is.
    let outcome = back(&*it, "run/3", &imaged).await;
    assert_eq!(not_applied(outcome).kind, FailureKind::Conflict);

    let (imaged, _) = applied(
        &*it,
        "run/5",
        call(
            "image",
            [("name", text("web")), ("image", text(bench.image("v1")))],
        ),
    )
    .await;
    let (scaled, _) = applied(
        &*it,
        "run/6",
        call(
            "scale",
            [("name", text("web")), ("replicas", Value::count(2))],
        ),
    )
    .await;
    for (key, intent) in [("run/6", scaled), ("run/5", imaged)] {
        let outcome = back(&*it, key, &intent).await;
        assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    }
    let after = bench.find("deployment/web").unwrap();
    assert_eq!(
        (image_of(&after), after["spec"]["replicas"].as_i64()),
        (bench.image("v2"), Some(3))
    );
    assert_eq!(after["spec"]["selector"], before["spec"]["selector"]);
}

async fn a_selector_is_switched_and_given_back(bench: &impl Bench) {
    let blue = web(bench, "v1", 1)
        .replace("web", "blue")
        .replace("/blue-", "/web-");
    let green = web(bench, "v2", 1)
        .replace("web", "green")
        .replace("/green-", "/web-");
    let it = bench.provider(&[("blue.yaml", blue), ("green.yaml", green)]);
    for (key, file) in [("run/1", "blue.yaml"), ("run/2", "green.yaml")] {
        applied(&*it, key, call("apply", [("path", text(file))])).await;
    }
    let switch = |to: &str| {
        call(
            "switch",
            [
                ("service", text("blue")),
                ("selector", map([("app", text(to))])),
            ],
        )
    };
    let failure = prepare(&*it, "run/3", switch("red")).await.unwrap_err();
    assert_eq!(
        failure.kind,
        FailureKind::Refused,
        "nobody is there: {failure:?}"
    );
    let (intent, result) = applied(&*it, "run/4", switch("green")).await;
    conforms("kubernetes", "switch", &result);
    settles(bench, "the green pods", || {
        bench.endpoints("blue") == bench.pods("green")
    })
    .await;
    let outcome = back(&*it, "run/4", &intent).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    settles(bench, "the blue pods", || {
        bench.endpoints("blue") == bench.pods("blue")
    })
    .await;
    assert_eq!(
        bench.find("service/blue").unwrap()["spec"]["selector"],
        json!({"app": "blue"})
    );
}

// ---- what goes wrong -----------------------------------------------------------------------------------

async fn what_cannot_start_says_why(bench: &impl Bench) {
    let it = bench.provider(&[("k8s/all.yaml", web(bench, "v1", 1))]);
    applied(&*it, "run/1", apply(&[])).await;
    let intent = prepare(&*it, "run/2", apply(&[("web", bench.image("missing"))]))
        .await
        .unwrap();
    let outcome = commit(&*it, "run/2", intent.clone()).await;
    let Outcome::Unachieved(failure) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.kind, FailureKind::Unready);
    for part in ["deployment/web", "ImagePull", &bench.image("missing")] {
        assert!(failure.message.contains(part), "{part}: {failure:?}");
    }
    assert_eq!(bench.endpoints("web").len(), 1, "the old pod stays");
    assert!(backed_off(&*it).await >= 1.0);
    let outcome = back(&*it, "run/2", &intent).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    assert_eq!(
        image_of(&bench.find("deployment/web").unwrap()),
        bench.image("v1")
    );
}

async fn a_paused_deployment_is_refused(bench: &impl Bench) {
    let it = bench.provider(&[("k8s/all.yaml", web(bench, "v1", 1))]);
    applied(&*it, "run/1", apply(&[])).await;
    bench.edit(
        SOMEBODY,
        "deployment/web",
        json!({"spec": {"paused": true}}),
    );
    let failure = prepare(&*it, "run/2", apply(&[("web", bench.image("v2"))]))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.message.contains("paused"), "{failure:?}");
}

async fn manifests_that_are_wrong_are_refused(bench: &impl Bench) {
    let good = config("settings", "1");
    let cases = [
        ("missing.yaml", good.clone(), "missing"),
        ("k8s/all.yaml", "a: [1,\n".to_owned(), "k8s/all.yaml:"),
        (
            "k8s/all.yaml",
            good.replace("ConfigMap", "Secret"),
            "journal",
        ),
        (
            "k8s/all.yaml",
            good.replace("v1", "nowhere.example/v1"),
            "nowhere.example/v1",
        ),
        (
            "k8s/all.yaml",
            web(bench, "v1", 1).replace("replicas:", "replicaz:"),
            "replicaz",
        ),
    ];
    for (file, manifest, said) in cases {
        let it = bench.provider(&[(file, manifest)]);
        let path = if said == "missing" {
            "elsewhere/"
        } else {
            "k8s/"
        };
        let failure = prepare(&*it, "run/1", call("apply", [("path", text(path))]))
            .await
            .unwrap_err();
        let kinds = [FailureKind::Invalid, FailureKind::NotFound];
        assert!(kinds.contains(&failure.kind), "{failure:?}");
        assert!(
            said == "missing" || failure.message.contains(said),
            "{said}: {failure:?}"
        );
    }
}

async fn rights_are_missed_before_anything_changes(bench: &impl Bench) {
    let files = [(
        "k8s/all.yaml",
        format!("{}---\n{}", config("settings", "1"), web(bench, "v1", 1)),
    )];
    let reads: &[&str] = &["get", "list"];
    let it = bench.provider_that_may(
        &files,
        &[
            ("", "configmaps", &["get", "create", "patch", "delete"]),
            ("", "services", &["get", "create", "patch", "delete"]),
            ("", "pods", reads),
            ("apps", "deployments", reads),
        ],
    );
    let failure = prepare(&*it, "run/1", apply(&[])).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    for part in ["patch", "deployments.apps", &bench.namespace()] {
        assert!(failure.message.contains(part), "{part}: {failure:?}");
    }
    assert!(bench.find("configmap/settings").is_none());
    let failure = read(&*it, call("quotas", [])).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert!(failure.message.contains("resourcequotas"), "{failure:?}");
}

// ---- the canary ----------------------------------------------------------------------------------------

async fn a_canary_is_opened_and_promoted(bench: &impl Bench) {
    let (it, release, _) = released(bench, 3).await;
    conforms("kubernetes", "apply", &release);
    let stable = bench.find("deployment/web").unwrap();
    assert_eq!(
        image_of(&stable),
        bench.image("v1"),
        "the Deployment stays as it is"
    );
    assert_eq!(key_on(&stable), "old/1");
    let dark = bench.pods("web-canary");
    assert_eq!(dark.len(), 1);
    assert_eq!(
        bench.endpoints("web"),
        bench.pods("web"),
        "dark: no traffic"
    );
    let names = |field_name: &str| {
        regex::Regex::new(&format!("^(?:{})$", words(&field(&release, field_name)))).unwrap()
    };
    assert!(
        dark.iter()
            .all(|pod| names("canary_pods").is_match(pod) && !names("stable_pods").is_match(pod))
    );
    assert!(
        bench
            .pods("web")
            .iter()
            .all(|pod| names("stable_pods").is_match(pod))
    );
    let scope = |scope: &str| [("release", release.clone()), ("scope", text(scope))];
    let pods = ask(&*it, "revision_pods", scope("canary")).await;
    assert_eq!(
        counts(&pods, ["total", "ready", "healthy", "open"]),
        [1.0, 1.0, 1.0, 0.0]
    );
    let pods = ask(&*it, "revision_pods", scope("stable")).await;
    assert_eq!(counts(&pods, ["total", "open"]), [3.0, 3.0]);

    for (percent, canary, stable) in [(25, 1, 3), (50, 3, 3), (100, 3, 0)] {
        let key = format!("run/weight-{percent}");
        let (intent, result) = applied(&*it, &key, weight(&release, percent)).await;
        conforms("kubernetes", "canary_weight", &result);
        assert_eq!(
            number(&field(&result, "achieved")),
            f64::from(percent) / 100.0
        );
        assert_eq!(
            counts(&result, ["canary", "stable"]),
            [f64::from(canary), f64::from(stable)]
        );
        let behind = bench.endpoints("web");
        let new = behind
            .iter()
            .filter(|pod| names("canary_pods").is_match(pod))
            .count();
        assert_eq!(
            (new, behind.len() - new),
            (canary as usize, stable as usize)
        );
        assert_eq!(bench.pods("web").len(), 3, "the old pods stay warm");
        let seen = observe(&*it, &key, intent).await;
        assert!(matches!(seen, Observation::Applied { .. }), "{seen:?}");
    }

    let (intent, result) = applied(&*it, "run/promote", promote(&release)).await;
    conforms("kubernetes", "canary_promote", &result);
    assert!(bench.find("deployment/web-canary").is_none());
    let web = bench.find("deployment/web").unwrap();
    assert_eq!(image_of(&web), bench.image("v2"));
    assert!(
        web["spec"]["template"]["spec"]
            .get("readinessGates")
            .is_none()
    );
    assert_eq!(
        web["spec"]["template"]["metadata"]["labels"],
        json!({"app": "web"})
    );
    assert_eq!(
        bench.find("service/web").unwrap()["spec"]["selector"],
        json!({"app": "web"})
    );
    assert_eq!(bench.endpoints("web"), bench.pods("web"));
    assert_eq!(bench.pods("web").len(), 3);
    let seen = observe(&*it, "run/promote", intent).await;
    assert!(matches!(seen, Observation::Applied { .. }), "{seen:?}");
    let pods = ask(&*it, "revision_pods", scope("release")).await;
    assert_eq!(counts(&pods, ["total", "open"]), [3.0, 3.0]);
}

async fn a_canary_is_shut_and_removed(bench: &impl Bench) {
    let (it, release, applied_release) = released(bench, 2).await;
    let (intent, _) = applied(&*it, "run/weight", weight(&release, 50)).await;
    assert_eq!(bench.endpoints("web").len(), 4);
    let outcome = back(&*it, "run/weight", &intent).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    assert_eq!(bench.endpoints("web"), bench.pods("web"));
    assert_eq!(
        bench.pods("web-canary").len(),
        2,
        "the pods stay for a look"
    );
    let seen = observe_back(&*it, "run/weight", &intent).await;
    assert!(matches!(seen, Observation::Applied { .. }), "{seen:?}");

    let outcome = back(&*it, "run/release", &applied_release).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    assert!(bench.find("deployment/web-canary").is_none());
    let web = bench.find("deployment/web").unwrap();
    assert_eq!(
        (image_of(&web), generation_of(&web)),
        (bench.image("v1"), 1)
    );
    let seen = observe_back(&*it, "run/release", &applied_release).await;
    assert!(matches!(seen, Observation::Applied { .. }), "{seen:?}");
}

async fn all_traffic_is_given_back(bench: &impl Bench) {
    let (it, release, applied_release) = released(bench, 2).await;
    let (intent, _) = applied(&*it, "run/weight", weight(&release, 100)).await;
    assert_eq!(bench.endpoints("web"), bench.pods("web-canary"));
    let outcome = back(&*it, "run/weight", &intent).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    assert_eq!(bench.endpoints("web"), bench.pods("web"));
    assert_eq!(
        bench.find("service/web").unwrap()["spec"]["selector"],
        json!({"app": "web"})
    );

    // The release gives the traffic back by itself where the stage did not.
    applied(&*it, "run/again", weight(&release, 100)).await;
    let outcome = back(&*it, "run/release", &applied_release).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    assert_eq!(bench.endpoints("web"), bench.pods("web"));
    assert!(bench.find("deployment/web-canary").is_none());
}

async fn a_promotion_is_undone(bench: &impl Bench) {
    let (it, release, applied_release) = released(bench, 2).await;
    let before = bench.find("deployment/web").unwrap();
    let failure = prepare(&*it, "run/early", promote(&release))
        .await
        .unwrap_err();
    assert_eq!(
        failure.kind,
        FailureKind::Refused,
        "it has no traffic yet: {failure:?}"
    );
    let (stage, _) = applied(&*it, "run/weight", weight(&release, 100)).await;
    let (intent, _) = applied(&*it, "run/promote", promote(&release)).await;
    let undone = [
        ("run/promote", &intent),
        ("run/weight", &stage),
        ("run/release", &applied_release),
    ];
    for (key, intent) in undone {
        let outcome = back(&*it, key, intent).await;
        assert!(
            matches!(outcome, Outcome::Applied { .. }),
            "{key}: {outcome:?}"
        );
    }
    let web = bench.find("deployment/web").unwrap();
    assert_eq!(web["spec"], before["spec"]);
    assert_eq!(key_on(&web), "old/1");
    settles(bench, "the old pods", || {
        bench.endpoints("web") == bench.pods("web")
    })
    .await;
    assert_eq!(bench.pods("web").len(), 2);
}

async fn a_replaced_pod_is_shut_until_the_next_stage(bench: &impl Bench) {
    let (it, release, _) = released(bench, 2).await;
    applied(&*it, "run/weight", weight(&release, 50)).await;
    let lost = bench.pods("web-canary").remove(0);
    bench.delete(&format!("pod/{lost}"));
    settles(bench, "a new pod", || {
        let pods = bench.pods("web-canary");
        pods.len() == 2 && !pods.contains(&lost)
    })
    .await;
    bench.wait(Duration::from_secs(3));
    assert_eq!(
        bench.endpoints("web").len(),
        3,
        "the new pod takes no traffic"
    );
    applied(&*it, "run/again", weight(&release, 50)).await;
    assert_eq!(bench.endpoints("web").len(), 4);
}

/// The old version is in no state to take the traffic: the new one is the healthiest there is.
async fn traffic_is_not_given_back_to_nobody(bench: &impl Bench) {
    let (it, release, applied_release) = released(bench, 1).await;
    let (intent, _) = applied(&*it, "run/weight", weight(&release, 100)).await;
    let stuck = bench.image("stuck");
    let patch = json!({"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null},
                                "template": {"spec": {"containers": [container(&stuck)]}}}});
    bench.edit(SOMEBODY, "deployment/web", patch);
    settles(bench, "the old version is ill", || {
        let web = bench.find("deployment/web").unwrap();
        web["status"]["readyReplicas"].as_i64().unwrap_or(0) == 0
    })
    .await;
    for (key, intent) in [("run/weight", &intent), ("run/release", &applied_release)] {
        let failure = not_applied(back(&*it, key, intent).await);
        assert_eq!(failure.kind, FailureKind::Refused);
        assert!(
            failure.message.contains("somebody has to look"),
            "{failure:?}"
        );
    }
    assert_eq!(bench.endpoints("web"), bench.pods("web-canary"));
}

async fn an_edit_of_the_old_version_stops_the_canary(bench: &impl Bench) {
    let (it, release, _) = released(bench, 2).await;
    applied(&*it, "run/half", weight(&release, 50)).await;
    // Not a field that the promotion would write: so nothing else would notice.
    let note = json!({"spec": {"template": {"metadata": {"annotations": {"note": "theirs"}}}}});
    bench.edit(SOMEBODY, "deployment/web", note);
    let failure = prepare(&*it, "run/all", weight(&release, 100))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict, "{failure:?}");
    for part in ["deployment", "annotations", "note", "theirs", SOMEBODY] {
        assert!(failure.message.contains(part), "{part}: {failure:?}");
    }
}

async fn what_cannot_carry_a_canary_is_refused(bench: &impl Bench) {
    let refused = async |manifests: String, version: &str, said: &str| {
        let it = bench.provider(&[("k8s/all.yaml", manifests)]);
        let failure = prepare(&*it, "run/1", dark_of(bench, version))
            .await
            .unwrap_err();
        assert!(failure.message.contains(said), "{said}: {failure:?}");
        assert_eq!(failure.kind, FailureKind::Refused, "{failure:?}");
    };
    refused(web(bench, "v1", 3), "v2", "not there yet").await;
    let it = bench.provider(&[("k8s/all.yaml", web(bench, "v2", 3))]);
    applied(&*it, "old/1", apply(&[])).await;
    refused(web(bench, "v1", 3), "v2", "runs already").await;
    bench.delete("service/web");
    let alone = workload(bench, "web", "v1", 3);
    refused(alone, "v1", "no Service").await;
    bench.apply("deployc", &service("web"));
    let scaler = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec:\n  \
                  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n  minReplicas: 3\n  maxReplicas: 9\n";
    let it = bench.provider(&[("k8s/all.yaml", web(bench, "v1", 3))]);
    let next = || dark_of(bench, "v1");
    bench.apply(SOMEBODY, scaler);
    let failure = prepare(&*it, "run/2", next()).await.unwrap_err();
    assert!(
        failure.message.contains("horizontalpodautoscaler/web"),
        "{failure:?}"
    );
    bench.delete("horizontalpodautoscaler/web");

    let (_, release) = applied(&*it, "run/3", next()).await;
    let failure = prepare(&*it, "run/4", weight(&release, 10))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.message.contains("1 is 25%"), "{failure:?}");
    let failure = prepare(&*it, "run/5", next()).await.unwrap_err();
    assert_eq!(
        failure.kind,
        FailureKind::Conflict,
        "a release is under way: {failure:?}"
    );
    assert!(
        failure.message.contains("deployment/web-canary"),
        "{failure:?}"
    );
}

/// Version 1 runs and takes all traffic; version 2 is released dark.
pub async fn released(bench: &impl Bench, replicas: u32) -> (Arc<dyn Provider>, Value, Intent) {
    let it = bench.provider(&[("k8s/all.yaml", web(bench, "v1", replicas))]);
    applied(&*it, "old/1", apply(&[])).await;
    let (intent, release) = applied(&*it, "run/release", dark(bench)).await;
    (it, release, intent)
}

pub fn dark(bench: &impl Bench) -> Call {
    dark_of(bench, "v2")
}

fn dark_of(bench: &impl Bench, version: &str) -> Call {
    let mut dark = apply(&[("web", bench.image(version))]);
    let nothing = Value::Quantity(Quantity::exact(Dim::Ratio, 0));
    dark.args.insert("traffic".to_owned(), nothing);
    dark
}

pub fn weight(release: &Value, percent: i32) -> Call {
    let weight = Quantity::exact(Dim::Ratio, i128::from(percent) * NANO / 100);
    let args = [
        ("release", release.clone()),
        ("weight", Value::Quantity(weight)),
    ];
    call("canary_weight", args)
}

pub fn promote(release: &Value) -> Call {
    call("canary_promote", [("release", release.clone())])
}

// ---- manifests -----------------------------------------------------------------------------------------

pub fn web(bench: &impl Bench, version: &str, replicas: u32) -> String {
    format!(
        "{}---\n{}",
        workload(bench, "web", version, replicas),
        service("web")
    )
}

fn workload(bench: &impl Bench, name: &str, version: &str, replicas: u32) -> String {
    let image = bench.image(version);
    format!(
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: {replicas}
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
      - name: {name}
        image: {image}
        ports: [{{containerPort: 8080}}]
        readinessProbe:
          httpGet: {{path: /health, port: 8080}}
          periodSeconds: 1
"#
    )
}

fn container(image: &str) -> Json {
    json!({"name": "web", "image": image, "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1}})
}

fn service(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  selector: {{app: {name}}}\n  \
         ports: [{{port: 80, targetPort: 8080}}]\n"
    )
}

fn config(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: \"{value}\"\n"
    )
}

// ---- asking --------------------------------------------------------------------------------------------

pub fn apply(images: &[(&str, String)]) -> Call {
    let mut apply = call("apply", [("path", text("k8s/"))]);
    if !images.is_empty() {
        let images = images
            .iter()
            .map(|(name, image)| ((*name).to_owned(), text(image)));
        apply
            .args
            .insert("images".to_owned(), Value::Record(images.collect()));
    }
    apply
}

async fn ask<const N: usize>(it: &dyn Provider, function: &str, args: [(&str, Value); N]) -> Value {
    let value = read(it, call(function, args)).await.unwrap();
    conforms("kubernetes", function, &value);
    value
}

/// Events of the last minute; other reasons come and go while a namespace is new.
async fn backed_off(it: &dyn Provider) -> f64 {
    let since = Value::Instant(now().plus(-60_000_000_000));
    let args = [("pattern", text("Back.*")), ("since", since)];
    number(&ask(it, "events", args).await)
}

/// Prepared and committed.
pub async fn applied(it: &dyn Provider, key: &str, call: Call) -> (Intent, Value) {
    let intent = prepare(it, key, call).await.unwrap();
    match commit(it, key, intent.clone()).await {
        Outcome::Applied { result, .. } => (intent, result),
        other => panic!("{key}: {other:?}"),
    }
}

fn not_applied(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::NotApplied(failure) => failure,
        other => panic!("{other:?}"),
    }
}

pub async fn back(it: &dyn Provider, key: &str, intent: &Intent) -> Outcome {
    let request = Request::Commit {
        key: Key(key.to_owned()),
        intent: intent.clone(),
        direction: Direction::Back,
    };
    match it.answer(request).await {
        Response::Committed(outcome) => outcome,
        other => panic!("a commit was answered with {other:?}"),
    }
}

async fn observe_back(it: &dyn Provider, key: &str, intent: &Intent) -> Observation {
    let request = Request::Observe {
        key: Key(key.to_owned()),
        intent: intent.clone(),
        direction: Direction::Back,
    };
    match it.answer(request).await {
        Response::Observed(observation) => observation,
        other => panic!("an observe was answered with {other:?}"),
    }
}

async fn rolled_out(bench: &impl Bench, it: &dyn Provider, name: &str, replicas: u32) {
    for _ in 0..300 {
        let found = read(it, call("deployment", [("name", text(name))])).await;
        let done = |found: &Value| {
            let wanted = f64::from(replicas);
            flag(&field(found, "observed"))
                && counts(found, ["updated", "available"]) == [wanted; 2]
        };
        if found.is_ok_and(|found| done(&found)) {
            return;
        }
        bench.wait(Duration::from_millis(200));
    }
    panic!("{name} is not rolled out");
}

async fn settles(bench: &impl Bench, what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..300 {
        if is_so() {
            return;
        }
        bench.wait(Duration::from_millis(100));
    }
    panic!("{what}: not in 30 s");
}

fn counts<const N: usize>(value: &Value, names: [&str; N]) -> [f64; N] {
    names.map(|name| number(&field(value, name)))
}

fn key_on(object: &Json) -> &str {
    object["metadata"]["annotations"]["deployc.dev/key"]
        .as_str()
        .unwrap_or("")
}

fn version_of(object: &Json) -> String {
    object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn generation_of(object: &Json) -> i64 {
    object["metadata"]["generation"].as_i64().unwrap()
}

fn image_of(object: &Json) -> String {
    let container = &object["spec"]["template"]["spec"]["containers"][0];
    container["image"].as_str().unwrap().to_owned()
}

/// A result has all the fields that its declaration promises, each of the declared type.
fn conforms(kind: &str, function: &str, value: &Value) {
    let kind = catalog::find(kind).unwrap();
    let declared = &kind.function(function).unwrap().result;
    fits(function, declared, value);
}

fn fits(at: &str, declared: &Type, value: &Value) {
    let fits_it = match (declared, value) {
        (Type::Record(record), Value::Record(fields)) => {
            // What is live is asked for when it is read; a result may leave it out.
            for declared in &record.fields {
                let at = format!("{at}.{}", declared.name);
                match fields.get(declared.name) {
                    Some(value) => fits(&at, &declared.ty, value),
                    None => assert!(is_asked_later(&declared.ty), "{at} is missing in {value:?}"),
                }
            }
            true
        }
        (Type::Map(of), Value::Record(entries)) => {
            entries
                .iter()
                .for_each(|(name, value)| fits(&format!("{at}.{name}"), of, value));
            true
        }
        (Type::List(of), Value::List(items)) => {
            items.iter().for_each(|item| fits(at, of, item));
            true
        }
        (Type::String | Type::Regex | Type::Url, Value::String(_)) => true,
        (Type::Bool, Value::Bool(_)) => true,
        (Type::Version, Value::Version(_)) => true,
        (Type::Instant, Value::Instant(_)) => true,
        (Type::Quantity(dim), Value::Quantity(quantity)) => *dim == quantity.dim,
        _ => false,
    };
    assert!(fits_it, "{at} is declared as {declared}, and is {value:?}");
}

fn is_asked_later(declared: &Type) -> bool {
    matches!(declared, Type::Record(record) if record.name == "pods")
}
