//! The stores: what survives, who may write, what is refused. `contract` holds for each of them; here is what only the
//! one on the disk can meet.

mod contract;
#[cfg(unix)]
mod postgres;
#[cfg(unix)]
mod processes;
#[cfg(unix)]
mod proxy;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod tls;

use deployc::effects::store::lock::{self, Holder, LockError};
use deployc::effects::store::sqlite::SqliteStore;
use deployc::engine::protocol::{Actor, Event, EventKind};
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
fn a_file_of_the_first_version_is_brought_up_and_goes_on() {
    let folder = Folder::new("migrated");
    let mut store = SqliteStore::open(&folder.0).unwrap();
    for run in ["a", "b"] {
        store.create(&header(run)).unwrap();
    }
    let journal = read(&store, "a").unwrap();
    let mut writer = take_over(&mut store, &journal).unwrap();
    writer.append(&mut store, &tick(1), None).unwrap();
    drop(store);
    let connection = rusqlite::Connection::open(folder.0.join("runs.db")).unwrap();
    let before = "ALTER TABLE runs ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
        UPDATE runs SET epoch = (SELECT epoch FROM heads WHERE heads.run = runs.run);
        DROP TABLE heads; PRAGMA user_version = 1;";
    connection.execute_batch(before).unwrap();
    drop(connection);

    let mut store = SqliteStore::open_existing(&folder.0).unwrap();
    for (run, epoch) in [("a", 2), ("b", 1)] {
        let journal = read(&store, run).unwrap();
        let mut writer = take_over(&mut store, &journal).unwrap();
        assert_eq!(writer.epoch, epoch);
        writer.append(&mut store, &tick(2), None).unwrap();
    }
    assert_eq!(read(&store, "a").unwrap().events.len(), 2);
    assert_eq!(read(&store, "b").unwrap().events.len(), 1);
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
        head: None,
    };
    let (held, _) = lock::acquire(&folder.0, "api", &holder).unwrap();
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
