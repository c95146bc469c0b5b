//! The tables of `runs.db`, and how those of earlier versions become them.

use crate::effects::store::sqlite::Trouble;
use crate::journal::record::Header;
use crate::journal::store::StoreError;
use rusqlite::{Transaction, params};

/// Raised with each change of the tables; a file of a later one is refused.
pub const SCHEMA: i64 = 2;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    There,
    Missing,
    /// Of an earlier version.
    Of(i64),
}

/// The head stands apart from the header, which is long: it is written with each append.
pub const ALL: &str = "
CREATE TABLE runs (
    run TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    created INTEGER NOT NULL,
    header TEXT NOT NULL,
    outcome TEXT,
    released TEXT
) STRICT;
CREATE TABLE records (
    run TEXT NOT NULL REFERENCES runs(run),
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    event TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL REFERENCES runs(run),
    event TEXT NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE heads (
    run TEXT PRIMARY KEY REFERENCES runs(run),
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT, WITHOUT ROWID;
";

/// By the version that the file names and the number of things in it; or why it is none of ours.
pub fn of_version(version: i64, count: i64) -> Result<Tables, String> {
    match (version, count) {
        (0, 0) => Ok(Tables::Missing),
        (0, _) => Err("is the database of another program".to_owned()),
        (SCHEMA, _) => Ok(Tables::There),
        (1, _) => Ok(Tables::Of(version)),
        _ => Err(format!(
            "was written by another version of deployc (schema {version}, this one knows {SCHEMA})"
        )),
    }
}

/// From version 1: there the epoch stood beside the header, and nothing said where a journal ends.
pub fn migrate(transaction: &Transaction<'_>, from: i64) -> Result<(), Trouble> {
    if from != 1 {
        return Ok(());
    }
    transaction.execute_batch(
        "CREATE TABLE heads (
            run TEXT PRIMARY KEY REFERENCES runs(run),
            epoch INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            hash BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO heads SELECT runs.run, runs.epoch, records.seq, records.hash
            FROM runs JOIN records ON records.run = runs.run
            AND records.seq = (SELECT max(seq) FROM records WHERE records.run = runs.run);",
    )?;
    unbegun(transaction)?;
    transaction.execute_batch("ALTER TABLE runs DROP COLUMN epoch;")?;
    Ok(())
}

/// The head of a run without records is the hash of its header.
fn unbegun(transaction: &Transaction<'_>) -> Result<(), Trouble> {
    let sql = "SELECT run, epoch, header FROM runs WHERE run NOT IN (SELECT run FROM heads)";
    let mut statement = transaction.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    for row in rows {
        let (run, epoch, header): (String, u64, String) = row?;
        let hash = serde_json::from_str(&header).and_then(|header: Header| header.hash());
        let hash = hash.map_err(|error| {
            let why = format!("the header of run `{run}`: {error}");
            let path = transaction.path().unwrap_or("runs.db").into();
            Trouble::Refused(StoreError::Damaged { path, why })
        })?;
        transaction.execute(
            "INSERT INTO heads (run, epoch, seq, hash) VALUES (?1, ?2, 0, ?3)",
            params![run, epoch, hash.0],
        )?;
    }
    Ok(())
}
