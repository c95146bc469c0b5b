//! Journals in SQLite: write-ahead log, `synchronous=FULL`, so that a commit is on the disk when it returns.
//!
//! **Architecture Invariant:** after a write or a sync that failed, this process neither writes nor syncs anything here
//! again, not even when it closes the file: a second sync could succeed although the first one has lost what it was for.
//! The next process reads what is there, and `open` copies it from the log into the file, where it is synced anew.

pub mod tables;

use crate::effects::store::sqlite::tables::{SCHEMA, Tables};
use crate::engine::protocol::{Actor, EventKind, RunOutcome};
use crate::journal::record::{Hash, Header, Record};
use crate::journal::store::{Entry, Head, LetterId, Store, StoreError, Summary, refused};
use crate::values::Instant;
use rusqlite::config::DbConfig;
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
    /// Why nothing is written here any more.
    failed: Option<String>,
}

const FILE: &str = "runs.db";
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
        let mut store = SqliteStore::around(path, connection);
        let tables = store.look()?;
        store.set_up()?;
        store.bring_up(tables)?;
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
        let mut store = SqliteStore::around(path, connection);
        let tables = store.look()?;
        if tables == Tables::Missing {
            let why = format!("{FILE} in it is empty, so nothing was run here");
            return Err(unusable(folder, why));
        }
        store.set_up()?;
        store.bring_up(tables)?;
        Ok(store)
    }

    fn around(path: PathBuf, connection: Connection) -> SqliteStore {
        SqliteStore {
            path,
            connection,
            failed: None,
        }
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
        let (version, count) = look().map_err(|error| self.sql(error))?;
        tables::of_version(version, count).map_err(|why| {
            let why = format!("{FILE} in it {why}");
            unusable(folder_of(&self.path), why)
        })
    }

    fn set_up(&self) -> Result<(), StoreError> {
        let set = |name: &str, value: &str| {
            let done = self.connection.pragma_update(None, name, value);
            done.map_err(|error| self.sql(error))
        };
        // Where it cannot have it, SQLite keeps the mode that it has, and that is no error to it.
        let sql = "PRAGMA journal_mode = WAL";
        let mode = self.connection.query_row(sql, [], |row| row.get(0));
        let mode: String = mode.map_err(|error| self.sql(error))?;
        if mode != "wal" {
            return Err(StoreError::Unwritable {
                path: self.path.clone(),
                why: "its log could not be made".to_owned(),
            });
        }
        set("synchronous", "FULL")?;
        set("foreign_keys", "ON")
    }

    fn bring_up(&mut self, tables: Tables) -> Result<(), StoreError> {
        match tables {
            Tables::There => Ok(()),
            Tables::Missing => self.transaction(|transaction| {
                transaction.execute_batch(tables::ALL)?;
                Ok(transaction.pragma_update(None, "user_version", SCHEMA)?)
            }),
            Tables::Of(version) => self.transaction(|transaction| {
                tables::migrate(transaction, version)?;
                Ok(transaction.pragma_update(None, "user_version", SCHEMA)?)
            }),
        }
    }

    /// Before a process begins to write: what another one left in the log, maybe without having synced it, is copied
    /// into the file and synced there.
    fn settle_log(&mut self) -> Result<(), StoreError> {
        let copied = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        copied.map_err(|error| self.stop_writing(error))
    }

    fn transaction<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        if let Some(why) = &self.failed {
            return Err(StoreError::Unwritable {
                path: self.path.clone(),
                why: format!("it failed before: {why}"),
            });
        }
        let behavior = TransactionBehavior::Immediate;
        let done = self.connection.transaction_with_behavior(behavior);
        let done = done.map_err(Trouble::Sql).and_then(|transaction| {
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        });
        done.map_err(|trouble| match trouble {
            Trouble::Sql(error) => self.stop_writing(error),
            Trouble::Refused(error) => error,
        })
    }

    fn stop_writing(&mut self, error: rusqlite::Error) -> StoreError {
        let error = failed(&self.path, error);
        if let StoreError::Unwritable { why, .. } = &error {
            self.failed = Some(why.clone());
            let quiet = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            // That nothing could be written counts, not that this could not be set.
            self.connection.set_db_config(quiet, true).ok();
        }
        error
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

/// Inside a transaction: SQL went wrong, or what was read forbids going on.
pub enum Trouble {
    Sql(rusqlite::Error),
    Refused(StoreError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Trouble {
        Trouble::Sql(error)
    }
}

impl Store for SqliteStore {
    fn create(&mut self, header: &Header) -> Result<(), StoreError> {
        let text =
            serde_json::to_string(header).map_err(|error| self.damaged(error.to_string()))?;
        let hash = header.hash();
        let hash = hash.map_err(|error| self.damaged(error.to_string()))?;
        self.transaction(|transaction| {
            let rows = transaction.execute(
                "INSERT INTO runs (run, target, created, header) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                params![header.run, header.target, header.created.0, text],
            )?;
            if rows == 0 {
                return Err(Trouble::Refused(StoreError::RunExists(header.run.clone())));
            }
            transaction.execute(
                "INSERT INTO heads (run, epoch, seq, hash) VALUES (?1, 0, 0, ?2)",
                params![header.run, hash.0],
            )?;
            Ok(())
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
        self.settle_log()?;
        self.transaction(|transaction| {
            let epoch = transaction
                .query_row(
                    "UPDATE heads SET epoch = epoch + 1 WHERE run = ?1 RETURNING epoch",
                    [run],
                    |row| row.get(0),
                )
                .optional()?;
            epoch.ok_or_else(|| Trouble::Refused(StoreError::UnknownRun(run.to_owned())))
        })
    }

    fn append(&mut self, run: &str, entries: &[Entry]) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Ok(());
        };
        let (before, after) = (Head::before(&first.record), Head::after(&last.record));
        self.transaction(|transaction| {
            move_head(transaction, run, first.record.epoch, before, after)?;
            let mut insert = transaction.prepare_cached(
                "INSERT INTO records (run, seq, epoch, event, previous, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for Entry { record, letter } in entries {
                insert.execute(params![
                    run, record.seq, record.epoch, record.event, record.previous.0, record.hash.0
                ])?;
                if let Some(LetterId(id)) = letter {
                    transaction
                        .prepare_cached("UPDATE letters SET taken = ?1 WHERE id = ?2")?
                        .execute(params![record.seq, id])?;
                }
            }
            Ok(())
        })
    }

    fn head(&self, run: &str) -> Result<Head, StoreError> {
        let sql = "SELECT seq, hash FROM heads WHERE run = ?1";
        let head = self.connection.query_row(sql, [run], |row| {
            Ok(Head {
                seq: row.get(0)?,
                hash: Hash(row.get(1)?),
            })
        });
        let head = head.optional().map_err(|error| self.sql(error))?;
        head.ok_or_else(|| StoreError::UnknownRun(run.to_owned()))
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
                    coalesce((SELECT seq FROM heads WHERE heads.run = runs.run), 0)
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

/// From `before` to `after`, if this writer has the epoch and nobody has written meanwhile.
fn move_head(
    transaction: &Transaction<'_>,
    run: &str,
    epoch: u64,
    before: Head,
    after: Head,
) -> Result<(), Trouble> {
    let moved = transaction
        .prepare_cached(
            "UPDATE heads SET seq = ?1, hash = ?2 WHERE run = ?3 AND epoch = ?4 AND seq = ?5 AND hash = ?6",
        )?
        .execute(params![
            after.seq, after.hash.0, run, epoch, before.seq, before.hash.0
        ])?;
    if moved == 1 {
        return Ok(());
    }
    let sql = "SELECT epoch FROM heads WHERE run = ?1";
    let current = transaction.query_row(sql, [run], |row| row.get(0));
    Err(Trouble::Refused(refused(run, epoch, current.optional()?)))
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
