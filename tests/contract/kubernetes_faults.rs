//! What can go wrong on the way to an API server: each fault of a write ends in what is certain of it, an observation
//! finds out the rest, and no change is made twice. And what can be wrong with a kubeconfig.

use super::ask::{call, commit, install_crypto, observe, prepare, provider, read, setting, text};
use super::certificate::Authority;
use super::server::{Asked, Reply, Server};
use deployc::effects::kubernetes::Kubernetes;
use deployc::effects::kubernetes::config::Target;
use deployc::effects::secret::Environment;
use deployc::providers::request::{FailureKind, Intent, Observation, Outcome};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_millis(400);
const MANIFEST: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {value: \"1\"}\n";

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Somebody's status update came between.
    Stale,
    Busy,
    /// 500, and it was carried out.
    FailedAfter,
    /// The connection ends, and it was carried out …
    DroppedAfter,
    /// … or was not.
    DroppedBefore,
    /// The answer comes when nobody waits for it any more; it was carried out.
    Late,
    /// A proxy's page instead of an answer; it was not carried out.
    Html,
    Forbidden,
}

#[derive(Default)]
struct World {
    object: Option<Json>,
    version: u64,
    /// Changes of the object, as the world counts them.
    changes: u32,
    /// Of the next writes, one each.
    faults: VecDeque<Fault>,
}

struct Faulty {
    server: Server,
    world: Arc<Mutex<World>>,
    it: Kubernetes,
}

impl Faulty {
    fn new(name: &str) -> Faulty {
        install_crypto();
        let world = Arc::new(Mutex::new(World::default()));
        let inner = Arc::clone(&world);
        let server = Server::start(move |asked| inner.lock().unwrap().answer(asked));
        let kubeconfig = kubeconfig(name, &server.url(""), json!({}), json!({}));
        let target = Target {
            kubeconfig: Some(kubeconfig),
            context: None,
            namespace: Some("prod".to_owned()),
            timeout: TIMEOUT,
        };
        let files = BTreeMap::from([("m.yaml".to_owned(), MANIFEST.to_owned())]);
        let it = Kubernetes::connect(&target, Arc::new(files)).unwrap();
        Faulty { server, world, it }
    }

    async fn intent(&self) -> Intent {
        prepare(&self.it, "run/1", call("apply", [("path", text("m.yaml"))]))
            .await
            .unwrap()
    }

    fn next(&self, faults: &[Fault]) {
        self.world.lock().unwrap().faults = faults.iter().copied().collect();
    }

    fn changes(&self) -> u32 {
        self.world.lock().unwrap().changes
    }
}

impl World {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let path = asked.target.split('?').next().unwrap();
        match (asked.method.as_str(), path) {
            ("GET", "/api") => Reply::json(core_kinds()),
            ("GET", "/apis") => Reply::json(json!({ "items": [] })),
            ("POST", _) => Reply::json(json!({ "status": { "allowed": true } })),
            ("GET", _) => match &self.object {
                Some(object) => Reply::json(object.clone()),
                None => status(404, "NotFound", "configmaps \"settings\" not found"),
            },
            ("PATCH", _) if asked.target.contains("dryRun=All") => {
                Reply::json(self.applied(&asked.body))
            }
            ("PATCH", _) => self.write(asked),
            other => panic!("nobody should ask {other:?}"),
        }
    }

    fn write(&mut self, asked: &Asked) -> Reply {
        let fault = self.faults.pop_front();
        match fault {
            Some(Fault::Stale) => return status(409, "Conflict", "the object has been modified"),
            Some(Fault::Busy) => {
                return status(429, "TooManyRequests", "come back").with("retry-after", "0");
            }
            Some(Fault::Forbidden) => return status(403, "Forbidden", "configmaps is forbidden"),
            Some(Fault::DroppedBefore) => return Reply::Raw(Vec::new()),
            Some(Fault::Html) => return Reply::new(502, "<html>bad gateway</html>"),
            _ => {}
        }
        self.version += 1;
        self.changes += 1;
        let object = self.applied(&asked.body);
        self.object = Some(object.clone());
        match fault {
            Some(Fault::FailedAfter) => {
                status(500, "InternalError", "etcdserver: request timed out")
            }
            Some(Fault::DroppedAfter) => Reply::Raw(Vec::new()),
            Some(Fault::Late) => Reply::json(object).after(TIMEOUT * 3),
            _ => Reply::json(object),
        }
    }

    fn applied(&self, body: &str) -> Json {
        let mut object: Json = serde_json::from_str(body).unwrap();
        let metadata = &mut object["metadata"];
        metadata["uid"] = json!("u-1");
        metadata["resourceVersion"] = json!((self.version + 10).to_string());
        metadata["managedFields"] = json!([{
            "manager": "deployc", "operation": "Apply", "time": "2026-01-21T06:30:00Z",
            "fieldsV1": {
                "f:metadata": {"f:annotations": {"f:deployc.dev/key": {}}},
                "f:data": {"f:value": {}},
            },
        }]);
        object
    }
}

fn core_kinds() -> Json {
    json!({"items": [{"metadata": {}, "versions": [{"version": "v1", "resources": [{
        "resource": "configmaps", "responseKind": {"kind": "ConfigMap"}, "scope": "Namespaced",
        "singularResource": "configmap",
    }]}]}]})
}

fn status(code: u16, reason: &str, message: &str) -> Reply {
    let body = json!({"kind": "Status", "code": code, "reason": reason, "message": message});
    Reply::new(code, body.to_string()).with("content-type", "application/json")
}

#[tokio::test]
async fn a_write_that_is_refused_for_a_moment_is_tried_again() {
    for faults in [
        vec![Fault::Stale, Fault::Stale],
        vec![Fault::Busy, Fault::Busy],
    ] {
        let world = Faulty::new("moment");
        let intent = world.intent().await;
        world.next(&faults);
        let outcome = commit(&world.it, "run/1", intent).await;
        assert!(
            matches!(outcome, Outcome::Applied { .. }),
            "{faults:?}: {outcome:?}"
        );
        assert_eq!(world.changes(), 1);
    }
}

#[tokio::test]
async fn what_the_server_refuses_is_certain() {
    let cases = [
        (vec![Fault::Busy; 3], FailureKind::Unreachable),
        (vec![Fault::Forbidden], FailureKind::Denied),
    ];
    for (faults, kind) in cases {
        let world = Faulty::new("refused");
        let intent = world.intent().await;
        world.next(&faults);
        match commit(&world.it, "run/1", intent).await {
            Outcome::NotApplied(failure) => assert_eq!(failure.kind, kind, "{failure:?}"),
            other => panic!("{faults:?}: {other:?}"),
        }
        assert_eq!(world.changes(), 0);
    }
}

#[tokio::test]
async fn what_may_have_been_carried_out_is_unknown_and_then_seen() {
    let cases = [
        (Fault::FailedAfter, FailureKind::Unreachable),
        (Fault::DroppedAfter, FailureKind::Unreachable),
        (Fault::Late, FailureKind::Timeout),
    ];
    for (fault, kind) in cases {
        let world = Faulty::new("carried-out");
        let intent = world.intent().await;
        world.next(&[fault]);
        match commit(&world.it, "run/1", intent.clone()).await {
            Outcome::Unknown(failure) => assert_eq!(failure.kind, kind, "{failure:?}"),
            other => panic!("{fault:?}: {other:?}"),
        }
        let seen = observe(&world.it, "run/1", intent.clone()).await;
        assert!(
            matches!(seen, Observation::Applied { .. }),
            "{fault:?}: {seen:?}"
        );
        let again = commit(&world.it, "run/1", intent).await;
        assert!(
            matches!(again, Outcome::Applied { .. }),
            "{fault:?}: {again:?}"
        );
        assert_eq!(world.changes(), 1, "{fault:?}: it was applied once");
    }
}

#[tokio::test]
async fn what_was_not_carried_out_is_seen_and_done() {
    for fault in [Fault::DroppedBefore, Fault::Html] {
        let world = Faulty::new("not-carried-out");
        let intent = world.intent().await;
        world.next(&[fault]);
        let outcome = commit(&world.it, "run/1", intent.clone()).await;
        assert!(
            matches!(outcome, Outcome::Unknown(_)),
            "{fault:?}: {outcome:?}"
        );
        let seen = observe(&world.it, "run/1", intent.clone()).await;
        assert!(
            matches!(seen, Observation::NotApplied),
            "{fault:?}: {seen:?}"
        );
        let again = commit(&world.it, "run/1", intent).await;
        assert!(
            matches!(again, Outcome::Applied { .. }),
            "{fault:?}: {again:?}"
        );
        assert_eq!(world.changes(), 1);
    }
}

#[tokio::test]
async fn a_server_that_is_gone_was_certainly_not_reached() {
    let mut world = Faulty::new("gone");
    let intent = world.intent().await;
    world.server.stop();
    match commit(&world.it, "run/1", intent.clone()).await {
        Outcome::NotApplied(failure) => {
            assert_eq!(failure.kind, FailureKind::Unreachable);
            assert!(
                failure.message.contains("cannot reach http://localhost"),
                "{failure:?}"
            );
        }
        other => panic!("{other:?}"),
    }
    let seen = observe(&world.it, "run/1", intent).await;
    assert!(matches!(seen, Observation::Unknown(_)), "{seen:?}");
}

#[tokio::test]
async fn a_commit_can_be_dropped_at_any_moment() {
    let world = Faulty::new("dropped");
    let intent = world.intent().await;
    world.next(&[Fault::Late]);
    let cut = tokio::time::timeout(TIMEOUT / 4, commit(&world.it, "run/1", intent.clone())).await;
    assert!(cut.is_err());
    let outcome = commit(&world.it, "run/1", intent).await;
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
    assert_eq!(world.changes(), 1);
}

// ---- kubeconfigs ---------------------------------------------------------------------------------------

fn kubeconfig(name: &str, server: &str, cluster: Json, user: Json) -> PathBuf {
    let mut cluster = cluster;
    cluster["server"] = json!(server);
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
    });
    file(&format!("{name}.kubeconfig"), &text.to_string())
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{name}"));
    std::fs::write(&path, text).unwrap();
    path
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// What stands in the way before anything is sent.
fn problem(kubeconfig: &Path, context: Option<&str>) -> String {
    let mut settings = vec![("kubeconfig", setting(text(shown(kubeconfig))))];
    if let Some(context) = context {
        settings.push(("context", setting(text(context))));
    }
    let built = provider("kubernetes", settings, &Environment::default());
    match built {
        Ok(_) => panic!("it was accepted"),
        Err(problems) => problems[0].message.clone(),
    }
}

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_used_is_refused_before_anything_is_sent() {
    let good = kubeconfig("good", "http://localhost:1", json!({}), json!({}));
    let expired =
        json!({ "client-certificate": shown(&expired_certificate()), "client-key": "/nowhere" });
    let expired = kubeconfig("expired", "https://localhost:1", json!({}), expired);
    let lost = json!({ "certificate-authority": "/nowhere/ca.pem" });
    let lost = kubeconfig("lost", "https://localhost:1", lost, json!({}));
    let cases = [
        (
            Path::new("/nowhere/config").to_owned(),
            None,
            "`/nowhere/config` cannot be read",
        ),
        (file("empty", "\n"), None, "is empty"),
        (file("broken", "a: [1"), None, "is no kubeconfig"),
        (
            file("bare", "apiVersion: v1\nkind: Config\n"),
            None,
            "no current context",
        ),
        (
            good,
            Some("prod"),
            "has no context `prod`; there are `test`",
        ),
        (expired, None, "expired on 2021-01-01 00:00:00Z"),
        (lost, None, "/nowhere/ca.pem"),
    ];
    for (path, context, said) in cases {
        let message = problem(&path, context);
        assert!(message.contains(said), "{said}: {message}");
    }
}

fn expired_certificate() -> PathBuf {
    let mut params = CertificateParams::new(vec!["someone".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2021, 1, 1);
    let key = KeyPair::generate().unwrap();
    file("expired.pem", &params.self_signed(&key).unwrap().pem())
}

#[tokio::test]
async fn a_server_that_is_not_to_be_trusted_or_does_not_trust_is_named() {
    let authority = Authority::new();
    let ca = json!({ "certificate-authority": shown(&authority.file("kubernetes")) });
    let silent = |_: &Asked| Reply::json(json!({ "gitVersion": "v1.34.4" }));
    let cases = [
        (Server::start_tls(authority.good(), silent), None),
        (
            Server::start_tls(authority.expired(), silent),
            Some((FailureKind::Unreachable, "expired")),
        ),
        (
            Server::start_tls(authority.for_another_name(), silent),
            Some((FailureKind::Unreachable, "not valid")),
        ),
        (
            Server::start_tls(authority.good(), |_: &Asked| {
                status(401, "Unauthorized", "Unauthorized")
            }),
            Some((FailureKind::Denied, "does not accept these credentials")),
        ),
        (
            Server::start_tls(authority.good(), |_: &Asked| {
                Reply::new(200, "<html>log in</html>")
            }),
            Some((FailureKind::Malformed, "no JSON")),
        ),
    ];
    for (number, (server, expected)) in cases.into_iter().enumerate() {
        let path = kubeconfig(
            &format!("tls-{number}"),
            &server.url(""),
            ca.clone(),
            json!({}),
        );
        let settings = vec![("kubeconfig", setting(text(shown(&path))))];
        let it = provider("kubernetes", settings, &Environment::default()).unwrap();
        match (read(&*it, call("version", [])).await, expected) {
            (Ok(_), None) => {}
            (Err(failure), Some((kind, said))) => {
                assert_eq!(failure.kind, kind, "{failure:?}");
                assert!(failure.message.contains(said), "{failure:?}");
            }
            (answer, expected) => panic!("{expected:?}: {answer:?}"),
        }
    }
}
