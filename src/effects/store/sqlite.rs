//! Journals in SQLite: write-ahead log, `synchronous=FULL`, so that a commit is on the disk when it returns.

use crate::engine::protocol::{Actor, EventKind, RunOutcome};
use crate::journal::record::{Hash, Header, Record};
use crate::journal::store::{LetterId, Store, StoreError, Summary};
use crate::values::Instant;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `runs.db` in the state directory.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    connection: Connection,
}

const FILE: &str = "runs.db";
/// Raised with each change of the tables; a file of a later one is refused.
const SCHEMA: i64 = 1;
/// How long a writer waits for another process's transaction.
const BUSY_MAX: Duration = Duration::from_secs(10);

impl SqliteStore {
    /// Makes the folder and the file where they are missing.
    pub fn open(folder: &Path) -> Result<SqliteStore, StoreError> {
        if folder.is_file() {
            return Err(no_folder(folder));
        }
        std::fs::create_dir_all(folder).map_err(|error| unusable(folder, error.to_string()))?;
        let path = folder.join(FILE);
        let connection = Connection::open(&path).map_err(|error| failed(&path, error))?;
        let store = SqliteStore { path, connection };
        let tables = store.look()?;
        store.set_up()?;
        if tables == Tables::Missing {
            store.create_tables()?;
        }
        Ok(store)
    }

    /// For readers: makes nothing, so that `status` in an empty folder leaves it empty.
    pub fn open_existing(folder: &Path) -> Result<SqliteStore, StoreError> {
        let path = folder.join(FILE);
        if folder.is_file() {
            return Err(no_folder(folder));
        }
        if !path.exists() {
            let why = format!("there is no {FILE} in it, so nothing was run here");
            return Err(unusable(folder, why));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&path, flags).map_err(|error| failed(&path, error))?;
        let store = SqliteStore { path, connection };
        if store.look()? == Tables::Missing {
            let why = format!("{FILE} in it is empty, so nothing was run here");
            return Err(unusable(folder, why));
        }
        store.set_up()?;
        Ok(store)
    }

    /// Refuses to grow past so many pages, as a full disk does.
    pub fn limit_pages(&self, pages_max: u32) -> Result<(), StoreError> {
        self.connection
            .pragma_update(None, "max_page_count", pages_max)
            .map_err(|error| self.sql(error))
    }

    /// Changes nothing, and refuses what this version does not know.
    fn look(&self) -> Result<Tables, StoreError> {
        let look = || -> rusqlite::Result<(i64, i64)> {
            self.connection.busy_timeout(BUSY_MAX)?;
            let version = self
                .connection
                .pragma_query_value(None, "user_version", |row| row.get(0))?;
            let count = "SELECT count(*) FROM sqlite_schema";
            let tables = self.connection.query_row(count, [], |row| row.get(0))?;
            Ok((version, tables))
        };
        match look().map_err(|error| self.sql(error))? {
            (0, 0) => Ok(Tables::Missing),
            (0, _) => Err(unusable(
                folder_of(&self.path),
                format!("{FILE} in it is the database of another program"),
            )),
            (SCHEMA, _) => Ok(Tables::There),
            (other, _) => Err(unusable(
                folder_of(&self.path),
                format!(
                    "{FILE} in it was written by another version of deployc (schema {other}, this one knows {SCHEMA})"
                ),
            )),
        }
    }

    fn set_up(&self) -> Result<(), StoreError> {
        let set = |name: &str, value: &str| {
            let done = self.connection.pragma_update(None, name, value);
            done.map_err(|error| self.sql(error))
        };
        set("journal_mode", "WAL")?;
        set("synchronous", "FULL")?;
        set("foreign_keys", "ON")
    }

    fn create_tables(&self) -> Result<(), StoreError> {
        let text = format!("BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {SCHEMA}; COMMIT;");
        self.connection
            .execute_batch(&text)
            .map_err(|error| failed(&self.path, error))
    }

    fn transaction<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        let path = self.path.clone();
        let sql = |error| failed(&path, error);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sql)?;
        let result = work(&transaction).map_err(|trouble| match trouble {
            Trouble::Sql(error) => sql(error),
            Trouble::Refused(error) => error,
        })?;
        transaction.commit().map_err(sql)?;
        Ok(result)
    }

    fn sql(&self, error: rusqlite::Error) -> StoreError {
        failed(&self.path, error)
    }

    fn damaged(&self, why: impl Into<String>) -> StoreError {
        StoreError::Damaged {
            path: self.path.clone(),
            why: why.into(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tables {
    There,
    Missing,
}

/// Inside a transaction: SQL went wrong, or what was read forbids going on.
enum Trouble {
    Sql(rusqlite::Error),
    Refused(StoreError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Trouble {
        Trouble::Sql(error)
    }
}

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    created INTEGER NOT NULL,
    header TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    outcome TEXT,
    released TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS records (
    run TEXT NOT NULL REFERENCES runs(run),
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    event TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL REFERENCES runs(run),
    event TEXT NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0
) STRICT;
";

impl Store for SqliteStore {
    fn create(&mut self, header: &Header) -> Result<(), StoreError> {
        let text =
            serde_json::to_string(header).map_err(|error| self.damaged(error.to_string()))?;
        self.transaction(|transaction| {
            let rows = transaction.execute(
                "INSERT INTO runs (run, target, created, header, epoch) VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT DO NOTHING",
                params![header.run, header.target, header.created.0, text],
            )?;
            match rows {
                0 => Err(Trouble::Refused(StoreError::RunExists(header.run.clone()))),
                _ => Ok(()),
            }
        })
    }

    fn header(&self, run: &str) -> Result<Header, StoreError> {
        let text: Option<String> = self
            .connection
            .query_row("SELECT header FROM runs WHERE run = ?1", [run], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|error| self.sql(error))?;
        let text = text.ok_or_else(|| StoreError::UnknownRun(run.to_owned()))?;
        serde_json::from_str(&text)
            .map_err(|error| self.damaged(format!("the header of run `{run}`: {error}")))
    }

    fn records(&self, run: &str) -> Result<Vec<Record>, StoreError> {
        let read = || -> rusqlite::Result<Vec<Record>> {
            let sql =
                "SELECT seq, epoch, event, previous, hash FROM records WHERE run = ?1 ORDER BY seq";
            let mut statement = self.connection.prepare(sql)?;
            let rows = statement.query_map([run], |row| {
                Ok(Record {
                    seq: row.get(0)?,
                    epoch: row.get(1)?,
                    event: row.get(2)?,
                    previous: Hash(row.get(3)?),
                    hash: Hash(row.get(4)?),
                })
            })?;
            rows.collect()
        };
        read().map_err(|error| self.sql(error))
    }

    fn take_over(&mut self, run: &str) -> Result<u64, StoreError> {
        self.transaction(|transaction| {
            let epoch = transaction
                .query_row(
                    "UPDATE runs SET epoch = epoch + 1 WHERE run = ?1 RETURNING epoch",
                    [run],
                    |row| row.get(0),
                )
                .optional()?;
            epoch.ok_or_else(|| Trouble::Refused(StoreError::UnknownRun(run.to_owned())))
        })
    }

    fn append(
        &mut self,
        run: &str,
        record: &Record,
        letter: Option<LetterId>,
    ) -> Result<(), StoreError> {
        self.transaction(|transaction| {
            let current: Option<u64> = transaction
                .prepare_cached("SELECT epoch FROM runs WHERE run = ?1")?
                .query_row([run], |row| row.get(0))
                .optional()?;
            match current {
                None => return Err(Trouble::Refused(StoreError::UnknownRun(run.to_owned()))),
                Some(current) if current != record.epoch => {
                    let own = record.epoch;
                    return Err(Trouble::Refused(StoreError::Fenced { run: run.to_owned(), own, current }));
                }
                Some(_) => {}
            }
            transaction
                .prepare_cached("INSERT INTO records (run, seq, epoch, event, previous, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![run, record.seq, record.epoch, record.event, record.previous.0, record.hash.0])?;
            if let Some(LetterId(id)) = letter {
                transaction.execute("UPDATE letters SET taken = ?1 WHERE id = ?2", params![record.seq, id])?;
            }
            Ok(())
        })
    }

    fn finish(&mut self, run: &str, outcome: RunOutcome) -> Result<(), StoreError> {
        let text =
            serde_json::to_string(&outcome).map_err(|error| self.damaged(error.to_string()))?;
        self.transaction(|transaction| {
            transaction.execute(
                "UPDATE runs SET outcome = ?1 WHERE run = ?2",
                params![text, run],
            )?;
            Ok(())
        })
    }

    fn release(&mut self, run: &str, by: &Actor, reason: &str) -> Result<(), StoreError> {
        let words = format!("{} on {}: {reason}", by.user, by.host);
        self.transaction(|transaction| {
            transaction.execute(
                "UPDATE runs SET released = ?1 WHERE run = ?2",
                params![words, run],
            )?;
            Ok(())
        })
    }

    fn runs(&self) -> Result<Vec<Summary>, StoreError> {
        let read = || -> rusqlite::Result<Vec<(Summary, Option<String>)>> {
            let sql = "SELECT run, target, created, outcome, released,
                    (SELECT count(*) FROM records WHERE records.run = runs.run)
                FROM runs ORDER BY created DESC, run DESC";
            let mut statement = self.connection.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                let summary = Summary {
                    run: row.get(0)?,
                    target: row.get(1)?,
                    created: Instant(row.get(2)?),
                    records: row.get(5)?,
                    outcome: None,
                    released: row.get(4)?,
                };
                Ok((summary, row.get(3)?))
            })?;
            rows.collect()
        };
        let rows = read().map_err(|error| self.sql(error))?;
        rows.into_iter()
            .map(|(summary, outcome)| {
                let outcome = outcome.map(|text| serde_json::from_str(&text)).transpose();
                let outcome = outcome.map_err(|error| self.damaged(error.to_string()))?;
                Ok(Summary { outcome, ..summary })
            })
            .collect()
    }

    fn post(&mut self, run: &str, kind: &EventKind) -> Result<LetterId, StoreError> {
        let text = serde_json::to_string(kind).map_err(|error| self.damaged(error.to_string()))?;
        self.transaction(|transaction| {
            transaction.execute(
                "INSERT INTO letters (run, event) VALUES (?1, ?2)",
                params![run, text],
            )?;
            Ok(LetterId(transaction.last_insert_rowid()))
        })
    }

    fn letters(&self, run: &str) -> Result<Vec<(LetterId, EventKind)>, StoreError> {
        let read = || -> rusqlite::Result<Vec<(i64, String)>> {
            let sql = "SELECT id, event FROM letters WHERE run = ?1 AND taken = 0 ORDER BY id";
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map([run], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        };
        let rows = read().map_err(|error| self.sql(error))?;
        rows.into_iter()
            .map(|(id, text)| {
                let kind = serde_json::from_str(&text);
                let kind = kind.map_err(|error| self.damaged(format!("letter {id}: {error}")))?;
                Ok((LetterId(id), kind))
            })
            .collect()
    }
}

fn unusable(folder: &Path, why: String) -> StoreError {
    StoreError::Unusable {
        path: folder.to_owned(),
        why,
    }
}

fn no_folder(path: &Path) -> StoreError {
    unusable(path, "it is a file, and not a folder".to_owned())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// SQLite's words in ours: damage, no permission, somebody else, no room, anything else.
fn failed(path: &Path, error: rusqlite::Error) -> StoreError {
    let folder = folder_of(path);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged {
            path: path.to_owned(),
            why: error.to_string(),
        },
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            unusable(folder, format!("{FILE} in it cannot be opened or made"))
        }
        Some(ErrorCode::ReadOnly) => unusable(folder, format!("{FILE} in it cannot be written")),
        Some(ErrorCode::DatabaseBusy) => {
            let seconds = BUSY_MAX.as_secs();
            let why = format!("another process has kept {FILE} in it for {seconds} s");
            unusable(folder, why)
        }
        _ => StoreError::Unwritable {
            path: path.to_owned(),
            why: error.to_string(),
        },
    }
}
