//! The contract of `http`.

use super::ask::{call, field, flag, number, provider, read, seconds, setting, text, texts, words};
use super::certificate::Authority;
use super::server::{Reply, Server};
use deployc::effects::provider::Provider;
use deployc::effects::secret::Environment;
use deployc::plan::Setting;
use deployc::providers::request::{Call, Failure, FailureKind};
use deployc::values::Value;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A site whose answers a test decides, asked by a provider.
pub trait Bench {
    /// From now on, `path` answers so.
    fn answers(&mut self, path: &str, status: u16, body: &str);
    /// From now on, connections are refused.
    fn goes_down(&mut self);
    fn provider(&self) -> Arc<dyn Provider>;
}

/// All cases that the twin passes too.
pub async fn suite<B: Bench>(bench: impl Fn() -> B) {
    status_and_latency_and_json_come_back(bench()).await;
    a_body_that_is_no_json_has_none(bench()).await;
    an_error_status_is_an_answer(bench()).await;
    a_refusal_is_an_error_of_get_and_false_of_up(bench()).await;
    an_unknown_function_is_refused(bench()).await;
}

async fn status_and_latency_and_json_come_back(mut bench: impl Bench) {
    bench.answers("/health", 200, r#"{"status":"ok","checks":[1,2]}"#);
    let reply = get(&*bench.provider(), "/health").await.unwrap();
    assert_eq!(number(&field(&reply, "status")), 200.0);
    let latency = number(&field(&reply, "latency"));
    assert!(latency > 0.0 && latency < 5.0, "{latency}");
    match field(&reply, "json") {
        Value::Json(json) => assert_eq!(json["checks"][1], 2),
        other => panic!("{other:?}"),
    }
}

async fn a_body_that_is_no_json_has_none(mut bench: impl Bench) {
    bench.answers("/", 200, "<html>hello</html>");
    let reply = get(&*bench.provider(), "/").await.unwrap();
    assert!(matches!(field(&reply, "json"), Value::Absent));
    assert_eq!(words(&field(&reply, "body")), "<html>hello</html>");
}

async fn an_error_status_is_an_answer(mut bench: impl Bench) {
    bench.answers("/health", 503, "busy");
    bench.answers("/missing", 404, "");
    let provider = bench.provider();
    let reply = get(&*provider, "/health").await.unwrap();
    assert_eq!(number(&field(&reply, "status")), 503.0);
    assert!(!up(&*provider, "/health").await.unwrap());
    assert!(
        up(&*provider, "/missing").await.unwrap(),
        "it answers, so it is up"
    );
}

async fn a_refusal_is_an_error_of_get_and_false_of_up(mut bench: impl Bench) {
    bench.answers("/health", 200, "{}");
    let provider = bench.provider();
    assert!(up(&*provider, "/health").await.unwrap());
    bench.goes_down();
    let failure = get(&*provider, "/health").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
    assert!(failure.message.contains("refuse"), "{failure:?}");
    assert!(!up(&*provider, "/health").await.unwrap());
}

async fn an_unknown_function_is_refused(bench: impl Bench) {
    let failure = read(&*bench.provider(), call("pet", [])).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.message.contains("`pet`"), "{failure:?}");
}

pub async fn get(provider: &dyn Provider, path: &str) -> Result<Value, Failure> {
    read(provider, get_call(path)).await
}

async fn up(provider: &dyn Provider, path: &str) -> Result<bool, Failure> {
    let value = read(provider, call("up", [("path", text(path))])).await;
    value.map(|value| flag(&value))
}

fn get_call(path: &str) -> Call {
    call("get", [("path", text(path))])
}

// ---- the real one ---------------------------------------------------------------------------------------

struct RealSite {
    server: Server,
    pages: Arc<Mutex<Vec<(String, u16, String)>>>,
}

impl RealSite {
    fn new() -> RealSite {
        let pages: Arc<Mutex<Vec<(String, u16, String)>>> = Arc::default();
        let known = Arc::clone(&pages);
        let server = Server::start(move |asked| {
            let pages = known.lock().unwrap();
            let page = pages.iter().rev().find(|(path, ..)| *path == asked.target);
            page.map_or(Reply::new(404, ""), |(_, status, body)| {
                Reply::new(*status, body.as_str())
            })
        });
        RealSite { server, pages }
    }
}

impl Bench for RealSite {
    fn answers(&mut self, path: &str, status: u16, body: &str) {
        self.pages
            .lock()
            .unwrap()
            .push((path.to_owned(), status, body.to_owned()));
    }

    fn goes_down(&mut self) {
        self.server.stop();
    }

    fn provider(&self) -> Arc<dyn Provider> {
        at(&self.server, vec![])
    }
}

fn at(server: &Server, more: Vec<(&str, Setting)>) -> Arc<dyn Provider> {
    let mut settings = vec![("base", setting(text(server.url(""))))];
    settings.extend(more);
    provider(
        "http",
        settings,
        &Environment::from([("TOKEN", "s3cr3t-token")]),
    )
    .unwrap()
}

#[tokio::test]
async fn the_real_one_keeps_the_contract() {
    suite(RealSite::new).await;
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_timeout_of_get_and_false_of_up() {
    let server = Server::start(|_| Reply::new(200, "late").after(Duration::from_secs(30)));
    let it = at(&server, vec![("timeout", setting(seconds(0.3)))]);
    let started = Instant::now();
    let failure = get(&*it, "/").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout, "{failure:?}");
    assert!(failure.message.contains("within 300ms"), "{failure:?}");
    assert!(started.elapsed() < Duration::from_secs(15));
    assert!(!up(&*it, "/").await.unwrap());
}

#[tokio::test]
async fn latency_is_that_of_the_whole_answer() {
    let server = Server::start(|_| Reply::new(200, "late").after(Duration::from_millis(150)));
    let reply = get(&*at(&server, vec![]), "/").await.unwrap();
    let latency = number(&field(&reply, "latency"));
    assert!((0.15..2.0).contains(&latency), "{latency}");
}

#[tokio::test]
async fn a_name_that_cannot_be_resolved_is_an_error_of_up_too() {
    let it = provider("http", vec![], &Environment::default()).unwrap();
    let failure = up(&*it, "http://nowhere.invalid/").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
    assert!(
        failure.message.contains("cannot be resolved"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_body_without_an_end_is_not_read_to_its_end() {
    let server = Server::start(|_| Reply::Endless);
    let it = at(&server, vec![]);
    let failure = get(&*it, "/").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Malformed, "{failure:?}");
    assert!(failure.message.contains("over 1024 KiB"), "{failure:?}");
    assert!(up(&*it, "/").await.unwrap());
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_an_error() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec();
    let server = Server::start(move |_| Reply::Raw(half.clone()));
    let it = at(&server, vec![]);
    let failure = get(&*it, "/").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
    assert!(failure.message.contains("cut off"), "{failure:?}");
    assert!(!up(&*it, "/").await.unwrap());
}

#[tokio::test]
async fn what_speaks_no_http_is_told_from_what_does_not_answer() {
    let server = Server::start(|_| Reply::Raw(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()));
    let it = at(&server, vec![]);
    let failure = get(&*it, "/").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Malformed, "{failure:?}");
    assert!(!up(&*it, "/").await.unwrap());
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_takes_no_token_along() {
    let other = Server::start(|_| Reply::new(200, "elsewhere"));
    let target = other.url("/");
    let server = Server::start(move |_| Reply::new(302, "").with("location", &target));
    let it = at(
        &server,
        vec![("token", Setting::SecretEnv("TOKEN".to_owned()))],
    );
    let reply = get(&*it, "/").await.unwrap();
    assert_eq!(number(&field(&reply, "status")), 302.0);
    let Value::Json(headers) = field(&reply, "headers") else {
        panic!()
    };
    assert_eq!(headers["location"], other.url("/"));
    assert!(other.asked().is_empty());
    assert_eq!(
        server.asked()[0].header("authorization"),
        Some("Bearer s3cr3t-token")
    );
}

#[tokio::test]
async fn nothing_leaves_the_origin_of_the_base() {
    let server = Server::start(|_| Reply::new(200, ""));
    let other = Server::start(|_| Reply::new(200, ""));
    let it = at(
        &server,
        vec![("token", Setting::SecretEnv("TOKEN".to_owned()))],
    );
    let failure = get(&*it, &other.url("/")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused, "{failure:?}");
    assert!(other.asked().is_empty());
    get(&*it, &server.url("/whole")).await.unwrap();
    assert_eq!(server.asked()[0].target, "/whole");
}

#[tokio::test]
async fn a_token_that_is_echoed_is_blotted_out() {
    let server =
        Server::start(|asked| Reply::json(json!({ "you sent": asked.header("authorization") })));
    let it = at(
        &server,
        vec![("token", Setting::SecretEnv("TOKEN".to_owned()))],
    );
    let reply = get(&*it, "/").await.unwrap();
    let shown = format!("{reply:?}");
    assert!(!shown.contains("s3cr3t-token"), "{shown}");
    assert!(shown.contains("[secret TOKEN]"), "{shown}");
}

#[tokio::test]
async fn each_probe_makes_a_connection_of_its_own_and_sends_its_headers() {
    let server = Server::start(|_| Reply::new(200, ""));
    let headers = texts(["X-Probe: deployc"]);
    let it = at(&server, vec![("headers", setting(headers))]);
    for _ in 0..3 {
        get(&*it, "health").await.unwrap();
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|asked| asked.target == "/health"));
    assert!(
        asked
            .iter()
            .all(|asked| asked.header("x-probe") == Some("deployc"))
    );
    assert!(
        asked[0]
            .header("user-agent")
            .unwrap()
            .starts_with("deployc/")
    );
}

#[tokio::test]
async fn a_certificate_of_a_named_authority_is_trusted() {
    let authority = Authority::new();
    let server = Server::start_tls(authority.good(), |_| Reply::json(json!({ "tls": true })));
    let file = authority.file("http-good");
    let it = at(&server, vec![("ca", setting(text(file.to_str().unwrap())))]);
    let reply = get(&*it, "/").await.unwrap();
    assert_eq!(number(&field(&reply, "status")), 200.0);
}

#[tokio::test]
async fn certificates_that_prove_nothing_give_no_answer() {
    let authority = Authority::new();
    let file = authority.file("http-bad");
    let trusting = || vec![("ca", setting(text(file.to_str().unwrap())))];
    let cases = [
        (authority.expired(), trusting(), "has expired"),
        (authority.for_another_name(), trusting(), "for another name"),
        (authority.good(), vec![], "an authority that is not trusted"),
    ];
    for (config, settings, why) in cases {
        let server = Server::start_tls(config, |_| Reply::new(200, "secret of the site"));
        let it = at(&server, settings);
        let failure = get(&*it, "/").await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
        assert!(failure.message.contains(why), "{failure:?}");
        assert!(
            server.asked().is_empty(),
            "nothing is asked of whom is not trusted"
        );
        assert!(!up(&*it, "/").await.unwrap());
    }
}

#[test]
fn settings_that_cannot_work_are_said_before_the_run() {
    let cases: Vec<(Vec<(&str, Setting)>, &str)> = vec![
        (
            vec![("base", setting(text("ftp://x")))],
            "`http://` or `https://`",
        ),
        (
            vec![("base", setting(text("https://u:p@x")))],
            "belong into a secret",
        ),
        (vec![("base", setting(text("x")))], "`base` is no address"),
        (
            vec![("token", Setting::SecretEnv("NONE".to_owned()))],
            "`NONE` is not set",
        ),
        (
            vec![("token", Setting::SecretEnv("TOKEN".to_owned()))],
            "needs a `base`",
        ),
        (
            vec![("ca", setting(text("/no/such.pem")))],
            "`/no/such.pem` cannot be read",
        ),
        (vec![("timeout", setting(seconds(0.0)))], "above zero"),
        (
            vec![("tiemout", setting(seconds(1.0)))],
            "no setting `tiemout`",
        ),
        (
            vec![("base", Setting::Input("site".to_owned()))],
            "the input `site`",
        ),
    ];
    let environment = Environment::from([("TOKEN", "t")]);
    for (settings, why) in cases {
        let Err(problems) = provider("http", settings, &environment) else {
            panic!("accepted: {why}");
        };
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].provider, "it");
        assert!(problems[0].message.contains(why), "{problems:?}");
    }
}
