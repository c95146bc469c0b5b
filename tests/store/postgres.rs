//! A database that goes away in the middle: nothing is lost, nothing is written twice.

use super::proxy::{Loss, Proxy};
use super::server::{PASSWORD, Server};
use super::{header, tick};
use deployc::effects::secret::Secret;
use deployc::effects::store::postgres::PostgresStore;
use deployc::journal::store::Store;
use deployc::journal::writer::{Writer, read, take_over};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

fn begun(url: &Secret) -> (PostgresStore, Writer) {
    let mut store = PostgresStore::open(url).unwrap();
    store.create(&header("a")).unwrap();
    let journal = read(&store, "a").unwrap();
    let writer = take_over(&mut store, &journal).unwrap();
    (store, writer)
}

fn ats(url: &Secret) -> Vec<i64> {
    let store = PostgresStore::open_existing(url).unwrap();
    let events = read(&store, "a").unwrap().events;
    events.iter().map(|event| event.at.0).collect()
}

#[test]
fn an_append_whose_answer_is_lost_is_written_once() {
    let server = Server::start();
    let proxy = Proxy::before(server.port);
    let (mut store, mut writer) = begun(&Secret::new(server.url_by(proxy.port)));
    for at in 1..=30 {
        let loss = [Loss::None, Loss::Question, Loss::Answer][at as usize % 3];
        proxy.lose(loss);
        writer.append(&mut store, &tick(at), None).unwrap();
        assert!(!proxy.is_armed(), "{loss:?} at {at}");
    }
    assert_eq!(ats(&server.url()), (1..=30).collect::<Vec<i64>>());
}

#[test]
fn killed_and_started_again_in_the_middle_it_has_every_event_once() {
    let server = Server::start();
    let url = server.url();
    let (mut store, mut writer) = begun(&url);
    let (done, over) = (AtomicI64::new(0), AtomicBool::new(false));
    let last = thread::scope(|scope| {
        let run = scope.spawn(|| {
            let mut at = 0;
            while !over.load(Ordering::SeqCst) {
                at += 1;
                writer.append(&mut store, &tick(at), None).unwrap();
                done.store(at, Ordering::SeqCst);
            }
            at
        });
        for kills in 1..=3 {
            while done.load(Ordering::SeqCst) < kills * 20 && !run.is_finished() {
                thread::sleep(Duration::from_millis(1));
            }
            server.kill();
            // For a moment nobody is there.
            thread::sleep(Duration::from_millis(300));
            server.go();
        }
        over.store(true, Ordering::SeqCst);
        run.join().unwrap()
    });
    assert!(last >= 60, "{last}");
    assert_eq!(ats(&url), (1..=last).collect::<Vec<i64>>());
}

#[test]
fn what_forbids_to_use_it_is_said_without_the_password() {
    let server = Server::start();
    let refused = |url: String| {
        let error = PostgresStore::open(&Secret::new(url)).err().unwrap();
        let words = format!("{error} {error:?}");
        assert!(!words.contains(PASSWORD), "{words}");
        error.to_string()
    };
    let place = format!("postgres://127.0.0.1:{}", server.port);
    assert_eq!(
        refused(format!("{}x", server.url_by(server.port))),
        format!("cannot use the store {place}/postgresx: database \"postgresx\" does not exist")
    );
    assert_eq!(
        refused(server.url_by(server.port).replace(PASSWORD, "another")),
        format!(
            "cannot use the store {place}/postgres: password authentication failed for user \"deployc\""
        )
    );
    server.psql("CREATE SCHEMA deployc; CREATE TABLE deployc.mine (x INT)");
    assert_eq!(
        refused(server.url_by(server.port)),
        format!(
            "cannot use the store {place}/postgres: the schema `deployc` in it belongs to another program"
        )
    );
    server.psql("DROP SCHEMA deployc CASCADE");
    let none = PostgresStore::open_existing(&server.url()).err().unwrap();
    assert_eq!(
        none.to_string(),
        format!("cannot use the store {place}/postgres: nothing was run with it yet")
    );
    drop(PostgresStore::open(&server.url()).unwrap());
    server.psql("UPDATE deployc.version SET version = 7");
    assert_eq!(
        refused(server.url_by(server.port)),
        format!(
            "cannot use the store {place}/postgres: the schema `deployc` in it was written by another version of deployc (schema 7, this one knows 1)"
        )
    );
    server.psql("ALTER SYSTEM SET fsync = off; ");
    server.psql("SELECT pg_reload_conf()");
    while server.psql("SHOW fsync") != "off" {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(
        refused(server.url_by(server.port)),
        format!(
            "cannot use the store {place}/postgres: it runs with `fsync` off, so it could lose what it has confirmed"
        )
    );
    server.kill();
    let gone = refused(server.url_by(server.port));
    assert!(
        gone.starts_with(&format!(
            "cannot use the store {place}/postgres: error connecting to server: "
        )),
        "{gone}"
    );
}
