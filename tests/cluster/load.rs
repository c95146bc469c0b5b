//! A load generator that keeps a record of each request: when it began, how long it took, what
//! answered. It stands for the users, so what they saw is judged by this record.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::wait::until;

const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const CONNECTS_WITHIN: Duration = Duration::from_secs(90);
/// A load that nobody stops ends by itself: a test that hangs must not fill the memory.
const LIFETIME_MAX: Duration = Duration::from_secs(20 * 60);
const REQUESTS_MAX_PER_WORKER: usize = 200_000;

/// What is asked of the load generator.
#[derive(Clone, Copy)]
pub struct Load {
    pub target: SocketAddr,
    pub path: &'static str,
    /// Workers that open a connection for each request.
    pub fresh: u32,
    /// Workers that keep theirs as long as the server lets them.
    pub kept: u32,
    /// All workers together; the bound of 600 keeps the node's table of connections small.
    pub per_second: u32,
}

pub struct Running {
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<Vec<Request>>>,
}

pub struct Request {
    pub began: Instant,
    pub latency: Duration,
    pub outcome: Outcome,
    /// A kept connection was found closed, and the request was sent again on a new one, as every
    /// client does.
    pub again: bool,
}

pub enum Outcome {
    Answered { status: u16, version: String },
    Failed(ErrorKind),
}

/// All requests in the order in which they began.
pub struct Record {
    pub requests: Vec<Request>,
}

impl Load {
    /// 300 requests a second, two thirds of them on new connections.
    pub fn on(target: SocketAddr) -> Self {
        Self {
            target,
            path: "/",
            fresh: 8,
            kept: 4,
            per_second: 300,
        }
    }

    /// Begins once the Service takes connections: the node's proxy learns of a new one at its own pace,
    /// after an absence of the API server up to half a minute late.
    pub fn start(self) -> Running {
        assert!(
            (1..=600).contains(&self.per_second),
            "{} a second",
            self.per_second
        );
        // Nothing is asked yet: requests are counted on the other side, too.
        until("the Service takes connections", CONNECTS_WITHIN, || {
            connect(self).ok()
        });
        let stop = Arc::new(AtomicBool::new(false));
        let count = self.fresh + self.kept;
        let interval = Duration::from_secs(1) * count / self.per_second;
        let begin = Instant::now();
        let workers = (0..count)
            .map(|worker| {
                let schedule = Schedule {
                    next: begin + interval * worker / count,
                    interval,
                };
                let connections = if worker < self.fresh {
                    Connections::Fresh
                } else {
                    Connections::Kept
                };
                let stop = Arc::clone(&stop);
                thread::spawn(move || work(self, connections, schedule, &stop))
            })
            .collect();
        Running { stop, workers }
    }

    /// Runs for a time, and returns what was recorded.
    pub fn run_for(self, time: Duration) -> Record {
        let running = self.start();
        thread::sleep(time);
        running.stop()
    }
}

impl Running {
    pub fn stop(self) -> Record {
        self.stop.store(true, SeqCst);
        let mut requests: Vec<Request> = self
            .workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect();
        requests.sort_by_key(|request| request.began);
        Record { requests }
    }
}

impl Request {
    pub fn is_good(&self) -> bool {
        matches!(
            self.outcome,
            Outcome::Answered {
                status: 200..=299,
                ..
            }
        )
    }
}

impl Record {
    pub fn bad(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| !request.is_good())
    }

    /// When the answer came that was the first bad one.
    pub fn first_bad_at(&self) -> Option<Instant> {
        self.bad()
            .map(|request| request.began + request.latency)
            .min()
    }

    pub fn answered_by(&self, wanted: &str) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(move |request| {
            matches!(&request.outcome, Outcome::Answered { version, .. } if version == wanted)
        })
    }

    /// How often each version answered.
    pub fn by_version(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for request in &self.requests {
            if let Outcome::Answered { version, .. } = &request.outcome {
                *counts.entry(version.as_str()).or_default() += 1;
            }
        }
        counts
    }

    /// Asserts that all went well, and that there was something to go well: far fewer than a quiet machine sends, as
    /// slow answers and busy cores make it few.
    pub fn assert_no_loss(&self, requests_min: usize) {
        assert!(
            self.requests.len() >= requests_min,
            "too few requests to judge: {self}"
        );
        let begin = self.requests[0].began;
        let bad: Vec<_> = self
            .bad()
            .map(|request| (request.began.duration_since(begin), request.latency))
            .collect();
        assert!(bad.is_empty(), "{self}; bad ones began after: {bad:?}");
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bad: BTreeMap<String, usize> = BTreeMap::new();
        for request in self.bad() {
            let kind = match &request.outcome {
                Outcome::Answered { status, version } => format!("{status} of {version}"),
                Outcome::Failed(kind) => kind.to_string(),
            };
            *bad.entry(kind).or_default() += 1;
        }
        let mut latencies: Vec<Duration> = self.requests.iter().map(|r| r.latency).collect();
        latencies.sort_unstable();
        let quantile = |q: usize| {
            latencies
                .get(latencies.len() * q / 100)
                .copied()
                .unwrap_or_default()
        };
        write!(
            f,
            "{} requests, {} bad {bad:?}, {} sent again, by version {:?}, p50 {:?}, p99 {:?}",
            self.requests.len(),
            self.bad().count(),
            self.requests.iter().filter(|request| request.again).count(),
            self.by_version(),
            quantile(50),
            quantile(99),
        )
    }
}

#[derive(Clone, Copy)]
enum Connections {
    Fresh,
    Kept,
}

struct Schedule {
    next: Instant,
    interval: Duration,
}

impl Schedule {
    /// Waits for the next turn. Turns that a slow answer has used up are left out, not made up for.
    fn wait(&mut self) {
        let now = Instant::now();
        if let Some(time) = self.next.checked_duration_since(now) {
            thread::sleep(time);
        } else {
            self.next = now;
        }
        self.next += self.interval;
    }
}

fn work(
    load: Load,
    connections: Connections,
    mut schedule: Schedule,
    stop: &AtomicBool,
) -> Vec<Request> {
    let end = Instant::now() + LIFETIME_MAX;
    let mut requests = Vec::new();
    let mut kept = None;
    while !stop.load(SeqCst) && Instant::now() < end && requests.len() < REQUESTS_MAX_PER_WORKER {
        schedule.wait();
        requests.push(request(load, connections, &mut kept));
    }
    requests
}

type Connection = BufReader<TcpStream>;

struct Answer {
    status: u16,
    version: String,
    /// The connection, where both sides want to keep it.
    kept: Option<Connection>,
}

struct Failure {
    kind: ErrorKind,
    /// Not a byte of an answer had come.
    silent: bool,
}

fn request(load: Load, connections: Connections, kept: &mut Option<Connection>) -> Request {
    let began = Instant::now();
    let on_kept = kept
        .take()
        .map(|connection| exchange(load, connections, connection));
    // A server may close an idle connection at any time, and has then not seen the request.
    let again = matches!(&on_kept, Some(Err(failure)) if failure.silent && failure.kind != ErrorKind::WouldBlock);
    let result = match on_kept {
        Some(result) if !again => result,
        _ => connect(load).and_then(|connection| exchange(load, connections, connection)),
    };
    let outcome = match result {
        Ok(answer) => {
            *kept = answer.kept;
            Outcome::Answered {
                status: answer.status,
                version: answer.version,
            }
        }
        Err(failure) => Outcome::Failed(failure.kind),
    };
    Request {
        began,
        latency: began.elapsed(),
        outcome,
        again,
    }
}

fn connect(load: Load) -> Result<Connection, Failure> {
    let connect = || {
        let stream = TcpStream::connect_timeout(&load.target, CONNECT_WITHIN)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        Ok(BufReader::new(stream))
    };
    connect().map_err(silent)
}

fn exchange(
    load: Load,
    connections: Connections,
    mut connection: Connection,
) -> Result<Answer, Failure> {
    let wish = match connections {
        Connections::Fresh => "close",
        Connections::Kept => "keep-alive",
    };
    let head = format!(
        "GET {} HTTP/1.1\r\nhost: {}\r\nconnection: {wish}\r\n\r\n",
        load.path, load.target
    );
    connection
        .get_mut()
        .write_all(head.as_bytes())
        .map_err(silent)?;
    let begun = connection.fill_buf().map_err(silent)?;
    if begun.is_empty() {
        return Err(silent(ErrorKind::UnexpectedEof.into()));
    }
    read_answer(connection).map_err(|error| Failure {
        kind: error.kind(),
        silent: false,
    })
}

fn silent(error: io::Error) -> Failure {
    Failure {
        kind: error.kind(),
        silent: true,
    }
}

fn read_answer(mut connection: Connection) -> io::Result<Answer> {
    let mut line = String::new();
    connection.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or(ErrorKind::InvalidData)?;
    let (mut version, mut length, mut keep) = (String::new(), 0, false);
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name {
            "x-version" => value.clone_into(&mut version),
            "content-length" => length = value.parse().map_err(|_| ErrorKind::InvalidData)?,
            "connection" => keep = value == "keep-alive",
            _ => {}
        }
    }
    if line.is_empty() {
        return Err(ErrorKind::UnexpectedEof.into()); // before the empty line that ends a head
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok(Answer {
        status,
        version,
        kept: keep.then_some(connection),
    })
}
