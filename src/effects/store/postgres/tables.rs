//! The tables, all in a schema of their own, and whether they are there.

use tokio_postgres::{Client, Error};

/// Raised with each change of the tables; those of a later one are refused.
pub const SCHEMA: i64 = 1;

/// What the database holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tables {
    There,
    Missing,
    /// Why they are none that this version knows.
    Foreign(String),
}

pub async fn look(client: &Client) -> Result<Tables, Error> {
    let sql = "SELECT to_regclass('deployc.version') IS NOT NULL, count(*)
        FROM pg_class JOIN pg_namespace ON relnamespace = pg_namespace.oid WHERE nspname = 'deployc'";
    let row = client.query_one(sql, &[]).await?;
    match (row.get(0), row.get::<_, i64>(1)) {
        (false, 0) => Ok(Tables::Missing),
        (false, _) => Ok(Tables::Foreign(
            "the schema `deployc` in it belongs to another program".to_owned(),
        )),
        (true, _) => {
            let sql = "SELECT version FROM deployc.version";
            let version: i64 = client.query_one(sql, &[]).await?.get(0);
            Ok(match version == SCHEMA {
                true => Tables::There,
                false => Tables::Foreign(format!(
                    "the schema `deployc` in it was written by another version of deployc (schema {version}, this one knows {SCHEMA})"
                )),
            })
        }
    }
}

/// Two processes may want them at once: the second one waits, and finds them made.
pub async fn create(client: &Client) -> Result<(), Error> {
    client.batch_execute(ALL).await
}

/// The head stands apart from the header, which is long: it is written with each append.
const ALL: &str = "
BEGIN;
SELECT pg_advisory_xact_lock(4907261358);
CREATE SCHEMA IF NOT EXISTS deployc;
CREATE TABLE IF NOT EXISTS deployc.runs (
    run TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    created BIGINT NOT NULL,
    header TEXT NOT NULL,
    outcome TEXT,
    released TEXT
);
CREATE TABLE IF NOT EXISTS deployc.heads (
    run TEXT PRIMARY KEY REFERENCES deployc.runs(run),
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS deployc.records (
    run TEXT NOT NULL REFERENCES deployc.runs(run),
    seq BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    event TEXT NOT NULL,
    previous BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (run, seq)
);
CREATE TABLE IF NOT EXISTS deployc.letters (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run TEXT NOT NULL REFERENCES deployc.runs(run),
    event TEXT NOT NULL,
    taken BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS letters_waiting ON deployc.letters (run, id) WHERE taken = 0;
CREATE TABLE IF NOT EXISTS deployc.locks (
    target TEXT PRIMARY KEY,
    claim TEXT NOT NULL,
    version BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS deployc.version (version BIGINT NOT NULL);
INSERT INTO deployc.version SELECT 1 WHERE NOT EXISTS (SELECT FROM deployc.version);
COMMIT;
";
