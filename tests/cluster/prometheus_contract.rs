//! What `prometheus` promises, on real ones: that of the cluster, and one of its own that scrapes what a test says.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant as Moment};

use deployc::effects::clock::Clock;
use deployc::effects::provider::Provider;
use deployc::effects::secret::Environment;
use deployc::providers::request::{Call, Failure, FailureKind};
use deployc::values::{Instant, Value};
use rustix::process::{Pid, Signal, kill_process};

use crate::cluster::{own_folder, shared};
use crate::contract::ask::{
    self, call, field, flag, number, provider, read, seconds, setting, text, words,
};
use crate::contract::prometheus::{
    Bench, Series, ask as series_of, firing, query, suite, suite_of_series,
};
use crate::contract::server::{Reply, Server};
use crate::wait::until;

const SCRAPED: Duration = Duration::from_secs(30);

#[test]
fn the_prometheus_of_the_cluster_keeps_the_contract() {
    let (cluster, _guard) = shared();
    let bench = || Real {
        url: cluster.prometheus.clone(),
    };
    block_on(suite(bench));
    block_on(suite_of_series(bench));
}

#[test]
fn the_time_of_a_query_is_that_of_the_sample_to_the_millisecond() {
    let prometheus = Process::start("");
    let at = Instant(now().0 / 1_000_000_000 * 1_000_000_000 - 7_123_000_000);
    let series = block_on(series_of(&*prometheus.provider(), query("time()"), at)).unwrap();
    let off = number(&field(&series[0], "value")) - at.0 as f64 / 1e9;
    assert!(off.abs() < 1e-4, "{off} s apart");
}

#[test]
fn its_words_are_kept_where_it_refuses_or_warns() {
    let prometheus = Process::start("");
    let cases = [
        (
            "sum(rate(x[1m])",
            FailureKind::Invalid,
            "unclosed left parenthesis",
        ),
        (
            "up + on(a) group_left vector(1) + ",
            FailureKind::Invalid,
            "parse error",
        ),
        ("up[1m]", FailureKind::Malformed, "a range of samples"),
        ("\"words\"", FailureKind::Malformed, "answered a string"),
        (
            "quantile(2, vector(1))",
            FailureKind::Malformed,
            "quantile value should be between 0 and 1",
        ),
    ];
    for (promql, kind, said) in cases {
        let failure =
            block_on(series_of(&*prometheus.provider(), query(promql), now())).unwrap_err();
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert!(failure.message.contains(said), "{failure:?}");
    }
    // An info ("might not be a counter") is none of these.
    let series = block_on(series_of(
        &*prometheus.provider(),
        query("rate(up[1m])"),
        now(),
    ))
    .unwrap();
    assert!(series.is_empty());
}

#[test]
fn what_is_scraped_is_answered_and_what_is_gone_is_not() {
    let target = Target::new("demo_ratio{pod=\"api-1\"} 0.25\ndemo_ratio{pod=\"api-2\"} NaN\n");
    let mut other = Target::new("demo_other 1\n");
    let prometheus = Process::start(&scrapes(&[("api", &target), ("db", &other)]));
    let it = prometheus.provider();
    until("both are scraped", SCRAPED, || {
        let values = [values(&*it, "demo_ratio"), values(&*it, "demo_other")];
        (values[0].len() == 2 && values[1].len() == 1).then_some(())
    });
    let mut seen = values(&*it, "demo_ratio");
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(seen[0], ("api-1".to_owned(), 0.25));
    assert!(seen[1].1.is_nan());
    assert_eq!(targets(&*it, None), [Some(2.0), Some(0.0), Some(2.0)]);

    other.server.stop();
    let (_, gone) = until("the series of a target that is down ends", SCRAPED, || {
        values(&*it, "demo_other").is_empty().then_some(())
    });
    eprintln!("a series was gone {gone:?} after its target, scraped every second");
    assert_eq!(targets(&*it, None), [Some(1.0), Some(1.0), Some(2.0)]);
    assert_eq!(targets(&*it, Some("db")), [Some(0.0), Some(1.0), Some(1.0)]);
    assert_eq!(targets(&*it, Some("web")), [None, None, Some(0.0)]);
}

#[test]
fn a_sample_older_than_the_lookback_is_no_data() {
    let target = Target::new("demo_ratio 0.25\n");
    let prometheus = Process::start(&scrapes(&[("api", &target)]));
    let patient = prometheus.provider();
    until("it is scraped", SCRAPED, || {
        (values(&*patient, "demo_ratio").len() == 1).then_some(())
    });
    // Exposed no longer, but with a time of its own the series gets no mark of its end.
    let old_ms = now().0 / 1_000_000;
    target.exposes(&format!("demo_timed 0.5 {old_ms}\n"));
    until("the timed one is scraped", SCRAPED, || {
        (values(&*patient, "demo_timed").len() == 1).then_some(())
    });
    let strict = prometheus.provider_with(vec![("lookback", setting(seconds(3.0)))]);
    until("it is no data for the strict one", SCRAPED, || {
        values(&*strict, "demo_timed").is_empty().then_some(())
    });
    assert_eq!(
        values(&*patient, "demo_timed").len(),
        1,
        "within the five minutes of the server"
    );
}

#[test]
fn rules_and_alerts_say_nothing_before_they_are_evaluated() {
    let none = Process::start("");
    let answer = block_on(read(&*none.provider(), call("rules", []))).unwrap();
    assert_eq!(number(&field(&answer, "total")), 0.0);
    assert!(matches!(field(&answer, "failing"), Value::Absent));

    let target = Target::new("demo_ratio{pod=\"a\"} 0.25\ndemo_ratio{pod=\"b\"} 0.5\n");
    let prometheus = Process::start_with_rules(&scrapes(&[("api", &target)]), RULES);
    let it = prometheus.provider();
    until("they are evaluated", SCRAPED, || {
        let answer = block_on(read(&*it, call("rules", []))).unwrap();
        matches!(field(&answer, "oldest"), Value::Instant(_)).then_some(())
    });
    until("one of them fails", SCRAPED, || {
        let answer = block_on(read(&*it, call("rules", []))).unwrap();
        assert_eq!(number(&field(&answer, "total")), 4.0);
        (field(&answer, "failing").amount().map(|n| n.as_f64()) == Some(1.0)).then_some(())
    });
    until("it fires", SCRAPED, || {
        fires(&*it, firing("High")).filter(|fires| *fires)
    });
    let mut of_a = firing("High");
    of_a.args
        .insert("labels".to_owned(), ask::map([("pod", text("a"))]));
    assert_eq!(fires(&*it, of_a), Some(false));
    assert_eq!(fires(&*it, firing("Never")), Some(false));
    assert_eq!(fires(&*it, firing("NotLoaded")), None);
}

#[test]
fn one_that_hangs_is_a_timeout_and_one_that_is_gone_is_unreachable() {
    let mut prometheus = Process::start("");
    let it = prometheus.provider_with(vec![("timeout", setting(seconds(1.0)))]);
    let up = || block_on(series_of(&*it, query("vector(1)"), now()));
    let ready = || block_on(read(&*it, call("ready", []))).map(|ready| flag(&ready));
    assert_eq!(up().unwrap().len(), 1);
    assert!(ready().unwrap());

    prometheus.signal(Signal::STOP);
    let started = Moment::now();
    assert_eq!(up().unwrap_err().kind, FailureKind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(!ready().unwrap());
    prometheus.signal(Signal::CONT);
    until("it answers again", SCRAPED, || up().ok());

    prometheus.kill();
    let failure = up().unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
    assert!(!ready().unwrap());
}

const RULES: &str = r#"
groups:
- name: demo
  rules:
  - record: demo:double
    expr: demo_ratio * 2
  - record: demo:broken
    expr: demo_ratio * on() demo_ratio
  - alert: High
    expr: demo_ratio > 0.4
  - alert: Never
    expr: demo_ratio > 1
"#;

// ---- benches --------------------------------------------------------------------------------------------

struct Real {
    url: String,
}

impl Bench for Real {
    fn query(&mut self, _: &str, series: &[Series<'_>]) -> Call {
        query(&promql(series))
    }

    fn provider(&self) -> Arc<dyn Provider> {
        asking(&self.url, vec![])
    }

    fn provider_of_one_that_is_down(&self) -> Arc<dyn Provider> {
        asking(&format!("http://127.0.0.1:{}", free_port()), vec![])
    }

    fn now(&self) -> Instant {
        now()
    }
}

/// What one address exposes to be scraped.
struct Target {
    server: Server,
    text: Arc<Mutex<String>>,
}

impl Target {
    fn new(text: &str) -> Target {
        let text = Arc::new(Mutex::new(text.to_owned()));
        let shown = Arc::clone(&text);
        let server = Server::start(move |_| {
            Reply::new(200, shown.lock().unwrap().as_str())
                .with("content-type", "text/plain; version=0.0.4")
        });
        Target { server, text }
    }

    fn exposes(&self, text: &str) {
        *self.text.lock().unwrap() = text.to_owned();
    }
}

fn scrapes(targets: &[(&str, &Target)]) -> String {
    let job = |(name, target): &(&str, &Target)| {
        format!(
            "- job_name: {name}\n  static_configs:\n  - targets: ['{}']\n",
            target.server.address
        )
    };
    let jobs: String = targets.iter().map(job).collect();
    format!("scrape_configs:\n{jobs}")
}

/// A Prometheus of one test, gone with it.
struct Process {
    child: Child,
    url: String,
    folder: PathBuf,
}

impl Process {
    fn start(config: &str) -> Process {
        Process::start_with_rules(config, "groups: []\n")
    }

    fn start_with_rules(config: &str, rules: &str) -> Process {
        let port = free_port();
        let folder = own_folder(&format!("prometheus-{port}"));
        fs::create_dir_all(&folder).unwrap();
        let global = "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n";
        let config = format!("{global}rule_files: [rules.yaml]\n{config}");
        fs::write(folder.join("prometheus.yaml"), config).unwrap();
        fs::write(folder.join("rules.yaml"), rules).unwrap();
        let child = Command::new(binary())
            .arg(format!(
                "--config.file={}",
                folder.join("prometheus.yaml").display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        let process = Process {
            child,
            url: format!("http://127.0.0.1:{port}"),
            folder,
        };
        let it = process.provider();
        until("prometheus is ready", Duration::from_secs(30), || {
            flag(&block_on(read(&*it, call("ready", []))).unwrap()).then_some(())
        });
        process
    }

    fn provider(&self) -> Arc<dyn Provider> {
        asking(&self.url, vec![])
    }

    fn provider_with(&self, settings: ask::Settings<'_>) -> Arc<dyn Provider> {
        asking(&self.url, settings)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Built once with the programs of the cluster.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster");
        let script = "set -e; here=$1; . \"$here/build\" >&2; echo \"$prometheus\"";
        let output = Command::new("bash")
            .args(["-c", script, "build", here])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "prometheus cannot be built");
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    })
}

fn asking(url: &str, more: ask::Settings<'_>) -> Arc<dyn Provider> {
    let mut settings = vec![("url", setting(text(url)))];
    settings.extend(more);
    provider("prometheus", settings, &Environment::default()).unwrap()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn now() -> Instant {
    Clock::start().now()
}

/// By pod, where the series has that label.
fn values(it: &dyn Provider, promql: &str) -> Vec<(String, f64)> {
    let series = block_on(series_of(it, query(promql), now())).unwrap();
    let one = |series: &Value| {
        let pod = match field(series, "labels") {
            Value::Record(labels) => labels.get("pod").map(|pod| words(pod).to_owned()),
            other => panic!("{other:?}"),
        };
        (pod.unwrap_or_default(), number(&field(series, "value")))
    };
    series.iter().map(one).collect()
}

fn targets(it: &dyn Provider, job: Option<&str>) -> [Option<f64>; 3] {
    let call = match job {
        Some(job) => call("targets", [("job", text(job))]),
        None => call("targets", []),
    };
    let answer = block_on(read(it, call)).unwrap();
    ["up", "down", "total"].map(|name| field(&answer, name).amount().map(|n| n.as_f64()))
}

fn fires(it: &dyn Provider, call: Call) -> Option<bool> {
    let answer: Result<Value, Failure> = block_on(read(it, call));
    match answer.unwrap() {
        Value::Bool(fires) => Some(fires),
        Value::Absent => None,
        other => panic!("{other:?}"),
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| tokio::runtime::Runtime::new().unwrap())
        .block_on(future)
}

/// PromQL that gives these series on any Prometheus, whatever it has scraped.
fn promql(series: &[Series<'_>]) -> String {
    let one = |(labels, value): &Series<'_>| {
        let number = match value {
            value if value.is_nan() => "NaN".to_owned(),
            value if *value == f64::INFINITY => "+Inf".to_owned(),
            value if *value == f64::NEG_INFINITY => "-Inf".to_owned(),
            value => value.to_string(),
        };
        labels
            .iter()
            .fold(format!("vector({number})"), |inner, (name, value)| {
                format!("label_replace({inner}, \"{name}\", \"{value}\", \"\", \"\")")
            })
    };
    match series {
        [] => "vector(1) < 0".to_owned(),
        some => some.iter().map(one).collect::<Vec<_>>().join(" or "),
    }
}
