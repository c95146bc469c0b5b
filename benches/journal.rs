//! What a journalled event costs, beside one synced append of the same bytes to a plain file, in turn; and how many a
//! second there are when they come in groups.
//!
//! `cargo bench --bench journal`; in SQLite, and in a PostgreSQL of its own, where one is installed, or in the one that
//! `DEPLOYC_BENCH_POSTGRES` names. The limits aimed at: 1.3 synced appends, 50,000 a second in groups (SQLite). Prints
//! medians and ratios. Nothing is judged: machines are shared and noisy.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing
)]

#[path = "../tests/store/server.rs"]
#[allow(dead_code, reason = "the tests do more with it")]
mod server;

use deployc::effects::secret::Secret;
use deployc::effects::store::postgres::PostgresStore;
use deployc::effects::store::sqlite::SqliteStore;
use deployc::engine::protocol::{Actor, Event, EventKind, ReadId};
use deployc::journal::record::Header;
use deployc::journal::store::Store;
use deployc::journal::writer::{Arrival, Writer, read, take_over};
use deployc::values::{Instant, Value};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

const STEPS: usize = 2_000;
const GROUPS: usize = 200;
const GROUP: usize = 256;

fn main() {
    let folder = std::env::temp_dir().join(format!("deployc-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut store = SqliteStore::open(&folder).unwrap();
    measure("sqlite", &mut store, &folder);
    drop(store);
    postgres(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
}

fn postgres(folder: &Path) {
    let named = std::env::var("DEPLOYC_BENCH_POSTGRES").ok();
    if named.is_none() && server::programs().is_none() {
        return println!(
            "postgres: not here (Debian: `apt-get install postgresql`), so it is not measured"
        );
    }
    let own = named.is_none().then(server::Server::start);
    let url = own.as_ref().map(server::Server::url);
    let Some(url) = named.map(Secret::new).or(url) else {
        return;
    };
    let mut store = PostgresStore::open(&url).unwrap();
    measure("postgres", &mut store, folder);
}

fn measure(name: &str, store: &mut dyn Store, folder: &Path) {
    let mut writer = begun(store);
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("plain"))
        .unwrap();
    let (mut ours, mut peer): (Vec<Duration>, Vec<Duration>) = (0..STEPS)
        .map(|at| {
            let event = event(at);
            let bytes = serde_json::to_vec(&event).unwrap();
            let ours = time(|| writer.append(store, &event, None).unwrap());
            (ours, time(|| append(&mut file, &bytes)))
        })
        .unzip();
    let ratio = median(&mut ours).as_secs_f64() / median(&mut peer).as_secs_f64();
    println!(
        "{name}: one event                 median {:?}",
        median(&mut ours)
    );
    println!(
        "plain file: the same bytes        median {:?}",
        median(&mut peer)
    );
    println!("{name}: ratio                     {ratio:.2}");
    let took = time(|| {
        for group in 0..GROUPS {
            let arrivals: Vec<Arrival> = (0..GROUP)
                .map(|at| Arrival {
                    event: event(group * GROUP + at),
                    letter: None,
                })
                .collect();
            writer.append_together(store, &arrivals).unwrap();
        }
    });
    let rate = (GROUPS * GROUP) as f64 / took.as_secs_f64();
    println!("{name}: in groups of {GROUP}          {rate:.0} events a second");
}

fn append(file: &mut File, bytes: &[u8]) {
    file.write_all(bytes).unwrap();
    file.sync_data().unwrap();
}

/// As long as most are: an answer to a read.
fn event(at: usize) -> Event {
    Event {
        at: Instant(at as i64),
        kind: EventKind::Read {
            id: ReadId(at as u64),
            result: Ok(Value::String(format!("{at} of many that look alike"))),
        },
    }
}

fn begun(store: &mut dyn Store) -> Writer {
    let run = format!("bench-{}", std::process::id());
    let header = Header {
        run: run.clone(),
        digest: "d".to_owned(),
        target: "nothing".to_owned(),
        world: None,
        created: Instant(1),
        by: Actor::default(),
        plan: "x".repeat(100_000),
        source_map: "{}".to_owned(),
        sources: Default::default(),
    };
    store.create(&header).unwrap();
    let journal = read(store, &run).unwrap();
    take_over(store, &journal).unwrap()
}

fn time(work: impl FnOnce()) -> Duration {
    let started = std::time::Instant::now();
    work();
    started.elapsed()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}
