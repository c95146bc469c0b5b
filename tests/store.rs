//! The store on a real disk: what survives, who may write, what is refused.

use deployc::effects::store::lock::{self, Holder, LockError};
use deployc::effects::store::memory::MemoryStore;
use deployc::effects::store::sqlite::SqliteStore;
use deployc::engine::protocol::{Actor, Event, EventKind, RunOutcome};
use deployc::journal::record::Header;
use deployc::journal::store::{Store, StoreError};
use deployc::journal::writer::{JournalError, read, take_over};
use deployc::values::Instant;
use std::path::PathBuf;

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("deployc-store-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn header(run: &str) -> Header {
    Header {
        run: run.to_owned(),
        digest: "d".to_owned(),
        target: "kubernetes default/api".to_owned(),
        world: None,
        created: Instant(1),
        by: Actor {
            user: "ana".to_owned(),
            host: "laptop".to_owned(),
        },
        plan: "{}".to_owned(),
        source_map: "{}".to_owned(),
        sources: [("plan.deploy".to_owned(), "deploy 1\n".to_owned())].into(),
    }
}

fn tick(at: i64) -> Event {
    Event {
        at: Instant(at),
        kind: EventKind::Tick,
    }
}

/// The promises that every store keeps.
fn keeps_its_promises(store: &mut impl Store) {
    store.create(&header("a")).unwrap();
    assert!(matches!(
        store.create(&header("a")),
        Err(StoreError::RunExists(_))
    ));
    assert!(matches!(store.header("b"), Err(StoreError::UnknownRun(_))));

    // Without any event it has done nothing, and keeps its target from nobody.
    assert!(!store.runs().unwrap()[0].holds_target());
    let journal = read(store, "a").unwrap();
    let mut first = take_over(store, &journal).unwrap();
    first.append(store, &tick(1), None).unwrap();
    first.append(store, &tick(2), None).unwrap();

    // A second process takes over: the first one is fenced, and what it tries leaves no trace.
    let journal = read(store, "a").unwrap();
    let mut second = take_over(store, &journal).unwrap();
    assert_eq!(journal.events.len(), 2);
    let fenced = first.append(store, &tick(3), None);
    assert!(
        matches!(
            fenced,
            Err(JournalError::Store(StoreError::Fenced {
                own: 1,
                current: 2,
                ..
            }))
        ),
        "{fenced:?}"
    );
    second.append(store, &tick(4), None).unwrap();
    assert_eq!(read(store, "a").unwrap().events.len(), 3);

    // A letter counts once, and its event and its disappearance are one.
    let aborted = EventKind::Aborted {
        by: Actor::default(),
        reason: "no".to_owned(),
    };
    let id = store.post("a", &aborted).unwrap();
    assert_eq!(store.letters("a").unwrap().len(), 1);
    second
        .append(
            store,
            &Event {
                at: Instant(5),
                kind: aborted,
            },
            Some(id),
        )
        .unwrap();
    assert!(store.letters("a").unwrap().is_empty());

    assert_eq!(store.runs().unwrap()[0].outcome, None);
    assert!(store.runs().unwrap()[0].holds_target());
    store.finish("a", RunOutcome::RollbackIncomplete).unwrap();
    assert!(store.runs().unwrap()[0].holds_target());
    store
        .release("a", &Actor::default(), "I have looked")
        .unwrap();
    assert!(!store.runs().unwrap()[0].holds_target());
    store.finish("a", RunOutcome::RolledBack).unwrap();
    let summary = &store.runs().unwrap()[0];
    assert_eq!(
        (summary.outcome, summary.records),
        (Some(RunOutcome::RolledBack), 4)
    );
}

#[test]
fn sqlite_keeps_its_promises_and_what_it_wrote() {
    let folder = Folder::new("promises");
    keeps_its_promises(&mut SqliteStore::open(&folder.0).unwrap());
    let reopened = SqliteStore::open_existing(&folder.0).unwrap();
    assert_eq!(read(&reopened, "a").unwrap().events.len(), 4);
}

#[test]
fn memory_keeps_the_same_promises() {
    keeps_its_promises(&mut MemoryStore::default());
}

#[test]
fn a_changed_byte_in_the_file_is_found() {
    let folder = Folder::new("edited");
    let mut store = SqliteStore::open(&folder.0).unwrap();
    store.create(&header("a")).unwrap();
    let journal = read(&store, "a").unwrap();
    let mut writer = take_over(&mut store, &journal).unwrap();
    for at in 1..4 {
        writer.append(&mut store, &tick(at), None).unwrap();
    }
    let connection = rusqlite::Connection::open(folder.0.join("runs.db")).unwrap();
    connection
        .execute(
            "UPDATE records SET event = replace(event, '2', '7') WHERE seq = 2",
            [],
        )
        .unwrap();
    let error = read(&store, "a").unwrap_err().to_string();
    assert_eq!(
        error,
        "the journal of run `a` is damaged: record 2 was changed: its hash is not that of its content; nothing was changed"
    );
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = Folder::new("garbage");
    let file = folder.0.join("runs.db");
    std::fs::write(&file, "this is no database, but it is longer than a header of one hundred bytes, so that SQLite looks at it").unwrap();
    let error = SqliteStore::open(&folder.0).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .starts_with("this is no database")
    );
}

#[test]
fn a_state_directory_that_cannot_be_made_is_refused() {
    let folder = Folder::new("file-in-the-way");
    std::fs::write(folder.0.join("state"), "").unwrap();
    let error = SqliteStore::open(&folder.0.join("state")).unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }), "{error:?}");
}

#[test]
fn a_reader_makes_nothing() {
    let folder = Folder::new("reader");
    assert!(SqliteStore::open_existing(&folder.0).is_err());
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[test]
fn a_full_disk_is_said_and_nothing_is_half_written() {
    let folder = Folder::new("full");
    let mut store = SqliteStore::open(&folder.0).unwrap();
    store.create(&header("a")).unwrap();
    let journal = read(&store, "a").unwrap();
    let mut writer = take_over(&mut store, &journal).unwrap();
    writer.append(&mut store, &tick(1), None).unwrap();
    // SQLite's own limit on pages answers SQLITE_FULL, as a disk without room does.
    store.limit_pages(1).unwrap();
    let long = EventKind::Aborted {
        by: Actor::default(),
        reason: "x".repeat(100_000),
    };
    let error = writer
        .append(
            &mut store,
            &Event {
                at: Instant(2),
                kind: long,
            },
            None,
        )
        .unwrap_err();
    assert!(
        matches!(error, JournalError::Store(StoreError::Unwritable { .. })),
        "{error:?}"
    );
    assert_eq!(read(&store, "a").unwrap().events.len(), 1);
}

#[test]
fn a_target_has_one_holder_and_is_free_when_it_goes() {
    let folder = Folder::new("lock");
    let holder = Holder {
        run: "a".to_owned(),
        user: "ana".to_owned(),
        host: "laptop".to_owned(),
        process: 7,
        since: "06:30".to_owned(),
    };
    let held = lock::acquire(&folder.0, "api", &holder).unwrap();
    let refused = lock::acquire(&folder.0, "api", &holder).unwrap_err();
    assert!(matches!(&refused, LockError::Held { .. }), "{refused:?}");
    assert_eq!(
        refused.to_string(),
        "api is in use by run `a`: ana on laptop, process 7, since 06:30"
    );
    lock::acquire(&folder.0, "another", &holder).unwrap();
    drop(held);
    lock::acquire(&folder.0, "api", &holder).unwrap();
}
