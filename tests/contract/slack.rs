//! The contract of what tells: `slack` and `webhook`.

use super::ask::{call, install_crypto, plan, provider, read, seconds, setting, tell, text, texts};
use super::certificate::Authority;
use super::server::{Asked, Reply, Server};
use deployc::effects::provider::Provider;
use deployc::effects::registry;
use deployc::effects::secret::Environment;
use deployc::plan::Setting;
use deployc::providers::request::{Call, Failure, FailureKind};
use deployc::values::fields::Fields;
use serde_json::Value as Json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A channel and a provider that tells it things.
pub trait Bench {
    fn provider(&self) -> Arc<dyn Provider>;
    /// From now on, nobody listens.
    fn goes_down(&mut self);
    /// What has arrived, as it would be read.
    fn heard(&self) -> Vec<String>;
}

/// All cases that the twin passes too.
pub async fn suite<B: Bench>(bench: impl Fn() -> B) {
    what_is_told_is_heard(bench()).await;
    where_nobody_listens_it_fails(bench()).await;
    only_telling_is_possible(bench()).await;
}

async fn what_is_told_is_heard(bench: impl Bench) {
    let it = bench.provider();
    tell(&*it, "k1", message("Error rate 12%")).await.unwrap();
    let titled = call(
        "tell",
        [
            ("text", text("because")),
            ("title", text("Rolling back")),
            ("refs", texts(["X0-1"])),
        ],
    );
    tell(&*it, "k2", titled).await.unwrap();
    let heard = bench.heard();
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard[0].contains("Error rate 12%"), "{heard:?}");
    assert!(
        heard[1].contains("Rolling back") && heard[1].contains("because"),
        "{heard:?}"
    );
}

async fn where_nobody_listens_it_fails(mut bench: impl Bench) {
    bench.goes_down();
    let failure = tell(&*bench.provider(), "k", message("anybody?"))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
}

async fn only_telling_is_possible(bench: impl Bench) {
    let failure = read(&*bench.provider(), call("tell", []))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
}

fn message(words: &str) -> Call {
    call("tell", [("text", text(words))])
}

// ---- the real ones --------------------------------------------------------------------------------------

const PATH: &str = "/services/T000SECRET/B000SECRET/xyzSECRET";

struct RealChannel {
    server: Server,
    kind: &'static str,
}

impl RealChannel {
    fn new(kind: &'static str) -> RealChannel {
        RealChannel {
            server: Server::start(|_| Reply::new(200, "ok")),
            kind,
        }
    }
}

impl Bench for RealChannel {
    fn provider(&self) -> Arc<dyn Provider> {
        teller(self.kind, &self.server, 0.7)
    }

    fn goes_down(&mut self) {
        self.server.stop();
    }

    fn heard(&self) -> Vec<String> {
        self.server
            .asked()
            .into_iter()
            .map(|asked| asked.body)
            .collect()
    }
}

fn teller(kind: &str, server: &Server, within_seconds: f64) -> Arc<dyn Provider> {
    let address = if kind == "slack" { "webhook" } else { "url" };
    let settings = vec![
        (address, Setting::SecretEnv("HOOK".to_owned())),
        ("timeout", setting(seconds(within_seconds))),
    ];
    let hook = server.url(PATH);
    provider(
        kind,
        settings,
        &Environment::from([("HOOK", hook.as_str())]),
    )
    .unwrap()
}

fn body(asked: &Asked) -> Json {
    serde_json::from_str(&asked.body).unwrap()
}

fn shows_no_secret(failure: &Failure) {
    let shown = format!("{failure:?}");
    assert!(!shown.contains("SECRET"), "{shown}");
}

#[tokio::test]
async fn slack_keeps_the_contract() {
    suite(|| RealChannel::new("slack")).await;
}

#[tokio::test]
async fn a_webhook_keeps_the_contract() {
    suite(|| RealChannel::new("webhook")).await;
}

#[tokio::test]
async fn a_slack_that_is_busy_is_asked_again_when_it_says() {
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |_| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(429, "rate_limited").with("retry-after", "1"),
        1 => Reply::new(500, ""),
        _ => Reply::new(200, "ok"),
    });
    tell(&*teller("slack", &server, 20.0), "k", message("hello"))
        .await
        .unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    let pause = asked[1].at - asked[0].at;
    assert!(pause >= Duration::from_secs(1), "came back after {pause:?}");
    assert!(asked.iter().all(|each| each.body == asked[0].body));
}

#[tokio::test]
async fn a_wish_beyond_the_time_limit_ends_at_once() {
    let server = Server::start(|_| Reply::new(429, "").with("retry-after", "18446744073709551615"));
    let started = Instant::now();
    let failure = tell(&*teller("slack", &server, 60.0), "k", message("x"))
        .await
        .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(30));
    assert!(
        failure.message.contains("given up after 1 tries"),
        "{failure:?}"
    );
    shows_no_secret(&failure);
}

#[tokio::test]
async fn a_refusal_that_will_not_change_is_not_repeated() {
    for (status, kind) in [
        (400, FailureKind::Invalid),
        (403, FailureKind::Denied),
        (404, FailureKind::NotFound),
        (302, FailureKind::Invalid),
    ] {
        let server =
            Server::start(move |asked| Reply::new(status, format!("no: {}", asked.target)));
        let failure = tell(&*teller("slack", &server, 5.0), "k", message("x"))
            .await
            .unwrap_err();
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert_eq!(server.asked().len(), 1);
        shows_no_secret(&failure);
    }
}

#[tokio::test]
async fn a_slack_that_hangs_fails_in_time_and_shows_no_secret() {
    let server = Server::start(|_| Reply::new(200, "ok").after(Duration::from_secs(30)));
    let started = Instant::now();
    let failure = tell(&*teller("slack", &server, 0.5), "k", message("x"))
        .await
        .unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(15));
    assert_eq!(failure.kind, FailureKind::Timeout, "{failure:?}");
    assert!(failure.message.contains("slack (`it`)"), "{failure:?}");
    shows_no_secret(&failure);
}

#[tokio::test]
async fn a_last_try_that_is_cut_short_does_not_hide_why_the_one_before_failed() {
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |_| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(503, "overloaded"),
        _ => Reply::new(200, "ok").after(Duration::from_secs(30)),
    });
    let failure = tell(&*teller("slack", &server, 3.0), "k", message("x"))
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
    let said = &failure.message;
    assert!(
        said.contains("overloaded") && said.contains("2 tries"),
        "{said}"
    );
}

#[tokio::test]
async fn labels_that_pretend_to_be_markup_arrive_escaped() {
    let server = Server::start(|_| Reply::new(200, "ok"));
    let evil = call(
        "tell",
        [
            ("text", text("pod <!channel> & <http://evil|x>")),
            ("title", text("<@U1>")),
            ("file", text("note.md")),
        ],
    );
    tell(&*teller("slack", &server, 5.0), "k", evil)
        .await
        .unwrap();
    let sent = body(&server.asked()[0]);
    let blocks = sent["blocks"].as_array().unwrap();
    assert_eq!(blocks[0]["text"]["text"], "*&lt;@U1&gt;*");
    for block in blocks {
        let said = block["text"]["text"].as_str().unwrap();
        assert!(!said.contains(['<', '>']), "{said}");
        assert_eq!(block["text"]["verbatim"], true);
    }
    assert_eq!(blocks[2]["text"]["text"], "from the file &lt;@U1&gt;");
    assert_eq!(sent["text"], "&lt;@U1&gt;");
}

#[tokio::test]
async fn a_webhook_carries_the_key_and_everything_said() {
    let server = Server::start(|_| Reply::new(204, ""));
    let whole = call(
        "tell",
        [
            ("text", text("t <b>")),
            ("title", text("T")),
            ("refs", texts(["A-1", "A-2"])),
            ("file", text("note.md")),
        ],
    );
    tell(&*teller("webhook", &server, 5.0), "run/notify-1", whole)
        .await
        .unwrap();
    let wanted = serde_json::json!({
        "key": "run/notify-1", "title": "T", "text": "t <b>", "refs": ["A-1", "A-2"],
        "file": "from the file <@U1>",
    });
    assert_eq!(body(&server.asked()[0]), wanted);
}

#[tokio::test]
async fn a_file_that_the_plan_does_not_hold_is_named() {
    let server = Server::start(|_| Reply::new(200, ""));
    let lost = call("tell", [("text", text("t")), ("file", text("lost.md"))]);
    let failure = tell(&*teller("slack", &server, 5.0), "k", lost)
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.message.contains("`lost.md`"), "{failure:?}");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn who_is_not_trusted_is_told_nothing_and_not_asked_again() {
    let server = Server::start_tls(Authority::new().good(), |_| Reply::new(200, "ok"));
    let started = Instant::now();
    let failure = tell(&*teller("slack", &server, 20.0), "k", message("x"))
        .await
        .unwrap_err();
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "it was tried again"
    );
    assert!(failure.message.contains("not trusted"), "{failure:?}");
    assert!(server.asked().is_empty());
    shows_no_secret(&failure);
}

#[test]
fn a_secret_that_is_missing_is_named_once_for_each_provider() {
    install_crypto();
    let hook = || vec![("webhook", Setting::SecretEnv("NO_HOOK".to_owned()))];
    let plan = plan(vec![("room", "slack", hook()), ("war", "slack", hook())]);
    let Err(problems) = registry::build(&plan, &Fields::new(), &Environment::default()) else {
        panic!("built without its secret");
    };
    let said: Vec<(&str, &str)> = problems
        .iter()
        .map(|problem| (problem.provider.as_str(), problem.message.as_str()))
        .collect();
    let missing = "the environment variable `NO_HOOK` is not set";
    assert_eq!(said, [("room", missing), ("war", missing)]);
}

#[test]
fn an_address_that_cannot_work_is_refused_without_showing_it() {
    for hook in [
        "http://hooks.example.com/T0SECRET",
        "nonsense-SECRET",
        "file:///etc/SECRET",
    ] {
        let settings = vec![("webhook", Setting::SecretEnv("HOOK".to_owned()))];
        let Err(problems) = provider("slack", settings, &Environment::from([("HOOK", hook)]))
        else {
            panic!("accepted");
        };
        assert!(!format!("{problems:?}").contains("SECRET"), "{problems:?}");
    }
}
