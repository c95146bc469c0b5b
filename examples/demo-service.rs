//! A small web service to practise rollouts on: it can be slow, fail, start late or never, and it
//! drains politely when it is told to end.
//!
//! It uses the standard library alone, so that one static binary makes a whole container image:
//! `rustc --edition 2024 -O -C target-feature=+crt-static examples/demo-service.rs`.
//!
//! Its behaviour comes from the environment:
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `PORT` | port to listen on | 8080 |
//! | `VERSION` | sent with each answer as `x-version` | `dev` |
//! | `ERROR_RATE` | share of requests answered by 500, spread evenly | 0 |
//! | `LATENCY_MS` | time that a request takes | 0 |
//! | `READY_DELAY_MS` | `/health` answers 503 for so long | 0 |
//! | `NEVER_READY` | `1`: `/health` answers 503 for ever | 0 |
//! | `DRAIN_MS` | after SIGTERM, keep serving for so long | 0 |
//!
//! `/health` and `/metrics` are never slowed, never fail by `ERROR_RATE`, and are not counted in
//! `http_requests_total`: probes and scrapes are not traffic.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Upper bounds of the latency histogram, in seconds.
const BUCKETS_S: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0,
];
const CONNECTIONS_MAX: usize = 1024;
const REQUEST_HEAD_BYTES_MAX: u64 = 16 * 1024;
const BODY_BYTES_MAX: u64 = 1024 * 1024;
/// A connection that says nothing for so long is closed.
const IDLE: Duration = Duration::from_secs(60);
/// How often a waiting thread looks whether it is time to end.
const GLANCE: Duration = Duration::from_millis(20);
/// Requests that are still open when draining is over get so long to finish.
const FINISH: Duration = Duration::from_secs(15);

static TERMINATE: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(io::stderr(), "demo-service: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let settings = Settings::from_environment()?;
    let port = settings.port;
    let drain = settings.drain;
    on_terminate();
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))
        .map_err(|error| format!("cannot listen on port {port}: {error}"))?;
    let service = Arc::new(Service::new(settings));

    let accepting = {
        let service = Arc::clone(&service);
        thread::spawn(move || accept(&listener, &service))
    };
    while !TERMINATE.load(SeqCst) {
        thread::sleep(GLANCE);
    }
    // New connections go on arriving until every node has heard that this pod is ending. Each answer
    // asks its client to connect anew, so that kept connections leave in this time too.
    service.draining.store(true, SeqCst);
    thread::sleep(drain);
    service.closing.store(true, SeqCst);
    // `accept` has no time limit: a connection of our own wakes it up to see `closing`.
    drop(TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
    let _ = accepting.join();

    let deadline = Instant::now() + FINISH;
    while service.connections.load(SeqCst) > 0 && Instant::now() < deadline {
        thread::sleep(GLANCE);
    }
    Ok(())
}

struct Settings {
    port: u16,
    version: String,
    error_rate: f64,
    latency: Duration,
    ready_after: Option<Duration>,
    drain: Duration,
}

impl Settings {
    fn from_environment() -> Result<Self, String> {
        let error_rate = variable("ERROR_RATE", 0.0)?;
        if !(0.0..=1.0).contains(&error_rate) {
            return Err(format!("ERROR_RATE is {error_rate}, not between 0 and 1"));
        }
        let ready_after = match variable("NEVER_READY", 0)? {
            0 => Some(milliseconds("READY_DELAY_MS")?),
            _ => None,
        };
        Ok(Self {
            port: variable("PORT", 8080)?,
            version: variable("VERSION", "dev".to_owned())?,
            error_rate,
            latency: milliseconds("LATENCY_MS")?,
            ready_after,
            drain: milliseconds("DRAIN_MS")?,
        })
    }
}

fn milliseconds(name: &str) -> Result<Duration, String> {
    variable(name, 0).map(Duration::from_millis)
}

fn variable<T: std::str::FromStr>(name: &str, default: T) -> Result<T, String> {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .map_err(|_| format!("{name}={text} cannot be read")),
        Err(_) => Ok(default),
    }
}

struct Service {
    settings: Settings,
    started: Instant,
    started_unix_s: f64,
    /// Requests that `ERROR_RATE` was applied to.
    served: AtomicU64,
    connections: AtomicUsize,
    draining: AtomicBool,
    closing: AtomicBool,
    measured: Mutex<Measured>,
}

#[derive(Default)]
struct Measured {
    requests: BTreeMap<Series, u64>,
    buckets: [u64; BUCKETS_S.len()],
    count: u64,
    sum_s: f64,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    code: u16,
    method: &'static str,
    path: &'static str,
}

struct Request {
    method: &'static str,
    path: &'static str,
    keep_alive: bool,
}

struct Answer {
    code: u16,
    content_type: &'static str,
    body: String,
}

impl Service {
    fn new(settings: Settings) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            settings,
            started: Instant::now(),
            started_unix_s: now.unwrap_or_default().as_secs_f64(),
            served: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            measured: Mutex::default(),
        }
    }

    fn measured(&self) -> MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_ready(&self) -> bool {
        let after = self.settings.ready_after;
        after.is_some_and(|delay| self.started.elapsed() >= delay)
    }

    /// Whether the next request shall fail: by count, not by chance, so that 0.2 is each fifth.
    fn next_fails(&self) -> bool {
        let before = self.served.fetch_add(1, SeqCst) as f64;
        let rate = self.settings.error_rate;
        ((before + 1.0) * rate).floor() > (before * rate).floor()
    }
}

// Connections

fn accept(listener: &TcpListener, service: &Arc<Service>) {
    for stream in listener.incoming() {
        if service.closing.load(SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        if service.connections.fetch_add(1, SeqCst) >= CONNECTIONS_MAX {
            service.connections.fetch_sub(1, SeqCst);
            continue;
        }
        let service = Arc::clone(service);
        thread::spawn(move || {
            // A client that goes away in the middle is its own affair.
            let _ = converse(&stream, &service);
            service.connections.fetch_sub(1, SeqCst);
        });
    }
}

fn converse(stream: &TcpStream, service: &Service) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while wait_for_request(stream, &mut reader, service)? {
        stream.set_read_timeout(Some(IDLE))?;
        let Some(request) = read_request(&mut reader)? else {
            return Ok(());
        };
        let answer = respond(&request, service);
        let keep_alive = request.keep_alive && !service.draining.load(SeqCst);
        send(stream, &request, &answer, keep_alive, service)?;
        if !keep_alive {
            return Ok(());
        }
    }
    Ok(())
}

/// Waits for the first byte of a request. False: the client has left, was silent for too long, or
/// the service is closing.
fn wait_for_request(
    stream: &TcpStream,
    reader: &mut BufReader<&TcpStream>,
    service: &Service,
) -> io::Result<bool> {
    stream.set_read_timeout(Some(GLANCE))?;
    let deadline = Instant::now() + IDLE;
    loop {
        match reader.fill_buf() {
            Ok(bytes) => return Ok(!bytes.is_empty()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
        if service.closing.load(SeqCst) || Instant::now() >= deadline {
            return Ok(false);
        }
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Request>> {
    let mut head = reader.by_ref().take(REQUEST_HEAD_BYTES_MAX);
    let mut line = String::new();
    head.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(target), Some(protocol)) = (words.next(), words.next(), words.next())
    else {
        return Ok(None);
    };
    let mut request = Request {
        method: known_method(method),
        path: known_path(target),
        keep_alive: protocol != "HTTP/1.0",
    };
    let mut body_bytes = 0;
    loop {
        let mut line = String::new();
        if head.read_line(&mut line)? == 0 {
            return Ok(None); // the end came before the empty line, or the head is too long
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("connection") {
            request.keep_alive &= !value.eq_ignore_ascii_case("close");
        } else if name.eq_ignore_ascii_case("content-length") {
            body_bytes = value.parse().unwrap_or(u64::MAX);
        }
    }
    if body_bytes > BODY_BYTES_MAX {
        return Ok(None);
    }
    io::copy(&mut reader.take(body_bytes), &mut io::sink())?;
    Ok(Some(request))
}

fn send(
    mut stream: &TcpStream,
    request: &Request,
    answer: &Answer,
    keep_alive: bool,
    service: &Service,
) -> io::Result<()> {
    let mut bytes = format!(
        "HTTP/1.1 {code} {reason}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
         connection: {connection}\r\nx-version: {version}\r\n\r\n",
        code = answer.code,
        reason = reason(answer.code),
        kind = answer.content_type,
        length = answer.body.len(),
        connection = if keep_alive { "keep-alive" } else { "close" },
        version = service.settings.version,
    );
    if request.method != "HEAD" {
        bytes.push_str(&answer.body);
    }
    stream.write_all(bytes.as_bytes())
}

// Answers

/// The known ones only: labels of a metric must not grow with what clients send.
fn known_method(method: &str) -> &'static str {
    match method {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        _ => "other",
    }
}

fn known_path(target: &str) -> &'static str {
    match target.split('?').next().unwrap_or(target) {
        "/" => "/",
        "/health" => "/health",
        "/metrics" => "/metrics",
        "/api/v1/info" => "/api/v1/info",
        "/api/v1/db-check" => "/api/v1/db-check",
        "/api/v1/cache-check" => "/api/v1/cache-check",
        _ => "other",
    }
}

fn respond(request: &Request, service: &Service) -> Answer {
    match request.path {
        "/health" => health(service),
        "/metrics" => Answer {
            code: 200,
            content_type: "text/plain; version=0.0.4",
            body: metrics(service),
        },
        path => {
            let started = Instant::now();
            let answer = application(path, service);
            count(request, answer.code, started.elapsed(), service);
            answer
        }
    }
}

fn health(service: &Service) -> Answer {
    let (code, status) = if service.is_ready() {
        (200, "healthy")
    } else {
        (503, "starting")
    };
    let version = &service.settings.version;
    json(
        code,
        format!(
            r#"{{"status":"{status}","version":"{version}","components":[{{"name":"api","status":"{status}"}},{{"name":"db","status":"{status}"}},{{"name":"cache","status":"{status}"}}]}}"#
        ),
    )
}

fn application(path: &str, service: &Service) -> Answer {
    thread::sleep(service.settings.latency);
    if service.next_fails() {
        return json(500, r#"{"error":"ERROR_RATE asked for it"}"#.to_owned());
    }
    let version = &service.settings.version;
    let body = match path {
        "/" => format!(r#"{{"hello":"world","version":"{version}"}}"#),
        "/api/v1/info" => format!(
            r#"{{"name":"demo-service","version":"{version}","uptime_s":{}}}"#,
            service.started.elapsed().as_secs()
        ),
        "/api/v1/db-check" => r#"{"status":"ok","connected":true}"#.to_owned(),
        "/api/v1/cache-check" => r#"{"status":"ok","hit":true}"#.to_owned(),
        _ => return json(404, r#"{"error":"no such path"}"#.to_owned()),
    };
    json(200, body)
}

fn json(code: u16, body: String) -> Answer {
    Answer {
        code,
        content_type: "application/json",
        body,
    }
}

fn reason(code: u16) -> &'static str {
    match code {
        200 => "OK",
        404 => "Not Found",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

// Metrics

fn count(request: &Request, code: u16, elapsed: Duration, service: &Service) {
    let elapsed_s = elapsed.as_secs_f64();
    let series = Series {
        code,
        method: request.method,
        path: request.path,
    };
    let mut measured = service.measured();
    *measured.requests.entry(series).or_default() += 1;
    for (bucket, bound_s) in measured.buckets.iter_mut().zip(BUCKETS_S) {
        *bucket += u64::from(elapsed_s <= bound_s);
    }
    measured.count += 1;
    measured.sum_s += elapsed_s;
}

fn metrics(service: &Service) -> String {
    let measured = service.measured();
    let mut text = String::from(
        "# HELP http_requests_total Requests answered, without probes and scrapes.\n\
         # TYPE http_requests_total counter\n",
    );
    for (Series { code, method, path }, value) in &measured.requests {
        let labels = format!(r#"code="{code}",method="{method}",path="{path}""#);
        let _ = writeln!(text, "http_requests_total{{{labels}}} {value}");
    }
    text.push_str(
        "# HELP http_request_duration_seconds Time from request to answer.\n\
         # TYPE http_request_duration_seconds histogram\n",
    );
    let name = "http_request_duration_seconds";
    for (bound_s, value) in BUCKETS_S.iter().zip(measured.buckets) {
        let _ = writeln!(text, r#"{name}_bucket{{le="{bound_s}"}} {value}"#);
    }
    let (total, sum_s) = (measured.count, measured.sum_s);
    let _ = writeln!(text, r#"{name}_bucket{{le="+Inf"}} {total}"#);
    let _ = writeln!(text, "{name}_sum {sum_s}\n{name}_count {total}");
    let _ = write!(
        text,
        "# HELP process_start_time_seconds Start of the process since the Unix epoch.\n\
         # TYPE process_start_time_seconds gauge\n\
         process_start_time_seconds {start_s}\n\
         # HELP demo_build_info The version that runs.\n\
         # TYPE demo_build_info gauge\n\
         demo_build_info{{version=\"{version}\"}} 1\n",
        start_s = service.started_unix_s,
        version = service.settings.version,
    );
    text
}

// Signals

/// SIGTERM has this number on every Unix and on Windows.
const SIGTERM: i32 = 15;

extern "C" fn remember_terminate(_signal: i32) {
    TERMINATE.store(true, SeqCst);
}

/// The first process of a container gets no default action for a signal: without a handler SIGTERM
/// would be ignored, and each pod would end by SIGKILL after its whole grace period.
fn on_terminate() {
    unsafe extern "C" {
        fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    }
    // SAFETY: the handler does nothing but store into an atomic.
    unsafe {
        signal(SIGTERM, remember_terminate);
    }
}
