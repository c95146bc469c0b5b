//! What every store promises, whatever it keeps its journals in.

use super::{Folder, header, server::Server, tick};
use deployc::effects::store::memory::MemoryStore;
use deployc::effects::store::postgres::PostgresStore;
use deployc::effects::store::sqlite::SqliteStore;
use deployc::engine::protocol::{Actor, Event, EventKind, RunOutcome};
use deployc::journal::store::{Store, StoreError};
use deployc::journal::writer::{Arrival, JournalError, Writer, read, take_over};
use deployc::values::Instant;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

#[test]
fn of_memory() {
    let mut store = MemoryStore::default();
    keeps_its_promises(&mut store);
}

#[test]
fn of_sqlite() {
    let folder = Folder::new("promises");
    keeps_its_promises(&mut SqliteStore::open(&folder.0).unwrap());
    let reopened = SqliteStore::open_existing(&folder.0).unwrap();
    assert_eq!(read(&reopened, "a").unwrap().events.len(), 6);
    is_written_by_one_at_a_time(|| Box::new(SqliteStore::open(&folder.0).unwrap()));
    let connection = rusqlite::Connection::open(folder.0.join("runs.db")).unwrap();
    a_cut_tail_is_found(&mut SqliteStore::open(&folder.0).unwrap(), |sql| {
        connection.execute_batch(sql).unwrap();
    });
}

#[test]
fn of_postgres() {
    let server = Server::start();
    let url = server.url();
    keeps_its_promises(&mut PostgresStore::open(&url).unwrap());
    let reopened = PostgresStore::open_existing(&url).unwrap();
    assert_eq!(read(&reopened, "a").unwrap().events.len(), 6);
    is_written_by_one_at_a_time(|| Box::new(PostgresStore::open(&url).unwrap()));
    a_cut_tail_is_found(&mut PostgresStore::open(&url).unwrap(), |sql| {
        server.psql(&format!("SET search_path = deployc; {sql}"));
    });
}

fn keeps_its_promises(store: &mut dyn Store) {
    store.create(&header("a")).unwrap();
    let again = store.create(&header("a"));
    assert!(matches!(again, Err(StoreError::RunExists(_))), "{again:?}");
    let none = store.header("b").unwrap_err();
    assert!(matches!(none, StoreError::UnknownRun(_)), "{none:?}");
    let none = store.take_over("b").unwrap_err();
    assert!(matches!(none, StoreError::UnknownRun(_)), "{none:?}");
    assert_eq!(store.header("a").unwrap().plan, "{}");
    assert_eq!(store.head("a").unwrap().seq, 0);

    // Without any event it has done nothing, and keeps its target from nobody.
    assert!(!store.runs().unwrap()[0].holds_target());
    let mut first = writer(store);
    first.append(store, &tick(1), None).unwrap();
    first.append(store, &tick(2), None).unwrap();
    one_is_fenced_by_the_next(store, &mut first);
    answers_count_once(store);
    together_or_not_at_all(store);
    let epochs = [1, 1, 2, 3, 5, 5];
    let records = store.records("a").unwrap();
    let found: Vec<u64> = records.iter().map(|record| record.epoch).collect();
    assert_eq!(found, epochs);
    assert_eq!(store.head("a").unwrap().hash, records[5].hash);
    ends(store);
}

fn writer(store: &mut dyn Store) -> Writer {
    let journal = read(store, "a").unwrap();
    take_over(store, &journal).unwrap()
}

/// What it tries then leaves no trace.
fn one_is_fenced_by_the_next(store: &mut dyn Store, first: &mut Writer) {
    let mut second = writer(store);
    let fenced = first.append(store, &tick(3), None).unwrap_err();
    let JournalError::Store(StoreError::Fenced { own, current, .. }) = fenced else {
        panic!("{fenced:?}");
    };
    assert_eq!((own, current), (1, 2));
    second.append(store, &tick(4), None).unwrap();
    assert_eq!(read(store, "a").unwrap().events.len(), 3);
}

/// The event of a letter and the letter's end are one.
fn answers_count_once(store: &mut dyn Store) {
    let mut writer = writer(store);
    let kind = EventKind::Aborted {
        by: Actor::default(),
        reason: "a \u{0} in it, and an ö".to_owned(),
    };
    let id = store.post("a", &kind).unwrap();
    let later = store.post("a", &EventKind::Tick).unwrap();
    assert_eq!(
        store
            .letters("a")
            .unwrap()
            .iter()
            .map(|(id, _)| *id)
            .collect::<Vec<_>>(),
        [id, later]
    );
    let at = Instant(5);
    writer.append(store, &Event { at, kind }, Some(id)).unwrap();
    assert_eq!(store.letters("a").unwrap().len(), 1);
    assert_eq!(store.letters("a").unwrap()[0].0, later);
}

fn together_or_not_at_all(store: &mut dyn Store) {
    let arrivals = |ats: [i64; 2]| {
        ats.map(|at| Arrival {
            event: tick(at),
            letter: None,
        })
    };
    let mut stale = writer(store);
    stale.epoch += 1;
    let mut writer = writer(store);
    writer.append_together(store, &[]).unwrap();
    writer.append_together(store, &arrivals([6, 7])).unwrap();
    // Of the right epoch, but it does not follow what was written.
    let diverged = stale.append_together(store, &arrivals([8, 9])).unwrap_err();
    assert!(
        matches!(diverged, JournalError::Store(StoreError::Diverged { .. })),
        "{diverged:?}"
    );
    assert_eq!(ats(store), [1, 2, 4, 5, 6, 7]);
    assert_eq!(writer.head, store.head("a").unwrap());
}

fn ends(store: &mut dyn Store) {
    assert_eq!(store.runs().unwrap()[0].outcome, None);
    assert!(store.runs().unwrap()[0].holds_target());
    store.finish("a", RunOutcome::RollbackIncomplete).unwrap();
    assert!(store.runs().unwrap()[0].holds_target());
    let by = Actor::default();
    store.release("a", &by, "I have looked").unwrap();
    assert!(!store.runs().unwrap()[0].holds_target());
    store.finish("a", RunOutcome::RolledBack).unwrap();
    let summary = &store.runs().unwrap()[0];
    assert_eq!(summary.outcome, Some(RunOutcome::RolledBack));
    assert_eq!(summary.records, 6);
}

/// Four processes take the run over from each other as fast as they can: each event that one of them was told is durable
/// is in the journal once, in order, and none that was refused.
fn is_written_by_one_at_a_time(open: impl Fn() -> Box<dyn Store> + Sync) {
    let told = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        for process in 1..=4_i64 {
            let (open, told) = (&open, &told);
            scope.spawn(move || {
                let mut store = open();
                for round in 0..8 {
                    let mut writer = writer(store.as_mut());
                    for number in 0..4 {
                        let at = process * 10_000 + round * 100 + number;
                        match writer.append(store.as_mut(), &tick(at), None) {
                            Ok(()) => assert!(told.lock().unwrap().insert(at)),
                            Err(JournalError::Store(
                                StoreError::Fenced { .. } | StoreError::Diverged { .. },
                            )) => break,
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
            });
        }
    });
    let found = ats(open().as_ref());
    let found: Vec<i64> = found.into_iter().filter(|at| *at >= 10_000).collect();
    let told = told.into_inner().unwrap();
    assert!(told.len() >= 8, "{told:?}");
    assert_eq!(found.len(), told.len());
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), told);
}

fn a_cut_tail_is_found(store: &mut dyn Store, execute: impl Fn(&str)) {
    let length = store.records("a").unwrap().len();
    execute(&format!(
        "DELETE FROM records WHERE run = 'a' AND seq > {}",
        length - 2
    ));
    assert_eq!(
        read(store, "a").unwrap_err().to_string(),
        format!(
            "the journal of run `a` is damaged: it ends at record {}, but {length} were written: its tail was cut off; nothing was changed",
            length - 2
        )
    );
}

fn ats(store: &dyn Store) -> Vec<i64> {
    let events = read(store, "a").unwrap().events;
    events.iter().map(|event| event.at.0).collect()
}
