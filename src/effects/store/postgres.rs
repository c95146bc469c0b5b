//! Journals in PostgreSQL, for several machines: `--state postgres://…`.
//!
//! The connection lives in a thread of its own, and each call waits for its answer. One that broke is made again for as
//! long as a server takes to start. An append whose answer was lost is asked for again: it moves the head of the journal
//! from what this writer left, so it is carried out once, and a head that stands at its end already says that it was.

pub mod address;
pub mod lock;
pub mod session;
pub mod tables;
pub mod trouble;

use crate::effects::secret::Secret;
use crate::effects::store::postgres::session::{Asked, Attempts, Link};
use crate::effects::store::postgres::tables::Tables;
use crate::effects::store::postgres::trouble::Trouble;
use crate::engine::protocol::{Actor, EventKind, RunOutcome};
use crate::journal::record::{Hash, Header, Record};
use crate::journal::store::{Entry, Head, LetterId, Store, StoreError, Summary, refused};
use crate::values::Instant;
use std::future::Future;
use std::sync::{Arc, mpsc};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

pub struct PostgresStore {
    place: String,
    link: Arc<Mutex<Link>>,
    /// Taken when it is dropped.
    runtime: Option<Runtime>,
}

impl PostgresStore {
    /// Makes the tables where they are missing.
    pub fn open(address: &Secret) -> Result<PostgresStore, StoreError> {
        let store = PostgresStore::around(address)?;
        if store.look()? == Tables::Missing {
            let link = Arc::clone(&store.link);
            let made = store.wait(async move { link.lock().await.create_tables().await });
            made.map_err(|trouble| trouble.at_the_door(&store.place))?;
        }
        Ok(store)
    }

    /// For readers: makes nothing.
    pub fn open_existing(address: &Secret) -> Result<PostgresStore, StoreError> {
        let store = PostgresStore::around(address)?;
        match store.look()? {
            Tables::Missing => Err(store.unusable("nothing was run with it yet")),
            _ => Ok(store),
        }
    }

    fn around(address: &Secret) -> Result<PostgresStore, StoreError> {
        let unusable = |why: String| StoreError::Unreachable {
            place: "that `--state` names".to_owned(),
            why,
        };
        let address = address::parse(address).map_err(unusable)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store")
            .enable_all()
            .build();
        Ok(PostgresStore {
            place: address.place.clone(),
            link: Arc::new(Mutex::new(Link::new(address))),
            runtime: Some(runtime.map_err(|error| unusable(error.to_string()))?),
        })
    }

    fn look(&self) -> Result<Tables, StoreError> {
        let link = Arc::clone(&self.link);
        let found = self.wait(async move { link.lock().await.look().await });
        match found.map_err(|trouble| trouble.at_the_door(&self.place))? {
            Tables::Foreign(why) => Err(self.unusable(&why)),
            tables => Ok(tables),
        }
    }

    fn unusable(&self, why: &str) -> StoreError {
        StoreError::Unreachable {
            place: self.place.clone(),
            why: why.to_owned(),
        }
    }

    fn damaged(&self, why: impl Into<String>) -> StoreError {
        Trouble::Damaged(why.into()).at(&self.place)
    }

    /// Also from inside another runtime, whose thread it keeps meanwhile.
    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Trouble>> + Send + 'static,
    ) -> Result<T, Trouble> {
        let (done, answer) = mpsc::channel();
        if let Some(runtime) = &self.runtime {
            runtime.spawn(async move { done.send(work.await) });
        }
        let gone = |_| Trouble::Passing("its thread has ended".to_owned());
        answer.recv().map_err(gone)?
    }

    fn ask<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
        attempts: Attempts,
    ) -> Result<Vec<Row>, StoreError> {
        let link = Arc::clone(&self.link);
        let values = values.into();
        let asked = Asked { sql, values };
        let rows = self.wait(async move { link.lock().await.ask(&asked, attempts).await });
        rows.map_err(|trouble| trouble.at(&self.place))
    }

    fn of_run(&self, sql: &'static str, run: &str) -> Result<Vec<Row>, StoreError> {
        self.ask(sql, [text(run)], Attempts::Many)
    }

    /// The one row of a run.
    fn row(&self, sql: &'static str, run: &str) -> Result<Row, StoreError> {
        let row = self.of_run(sql, run)?.into_iter().next();
        row.ok_or_else(|| StoreError::UnknownRun(run.to_owned()))
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        // Also inside another runtime, where waiting for its end is not allowed.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Store for PostgresStore {
    fn create(&mut self, header: &Header) -> Result<(), StoreError> {
        let text =
            serde_json::to_string(header).map_err(|error| self.damaged(error.to_string()))?;
        let hash = header.hash();
        let hash = hash.map_err(|error| self.damaged(error.to_string()))?;
        let created = header.created.0;
        let values = [
            self::text(&header.run),
            self::text(&header.target),
            Box::new(created),
            Box::new(text),
            bytes(hash),
        ];
        match self.ask(CREATE, values, Attempts::One)?.first() {
            Some(_) => Ok(()),
            None => Err(StoreError::RunExists(header.run.clone())),
        }
    }

    fn header(&self, run: &str) -> Result<Header, StoreError> {
        let row = self.row("SELECT header FROM deployc.runs WHERE run = $1", run)?;
        serde_json::from_str(row.get(0))
            .map_err(|error| self.damaged(format!("the header of run `{run}`: {error}")))
    }

    fn records(&self, run: &str) -> Result<Vec<Record>, StoreError> {
        let sql = "SELECT seq, epoch, event, previous, hash FROM deployc.records
            WHERE run = $1 ORDER BY seq";
        let rows = self.of_run(sql, run)?;
        let record = |row: &Row| {
            Some(Record {
                seq: u64::try_from(row.get::<_, i64>(0)).ok()?,
                epoch: u64::try_from(row.get::<_, i64>(1)).ok()?,
                event: row.get(2),
                previous: hash(row.get(3))?,
                hash: hash(row.get(4))?,
            })
        };
        rows.iter()
            .map(|row| record(row).ok_or_else(|| self.damaged("a record has no hash or number")))
            .collect()
    }

    fn take_over(&mut self, run: &str) -> Result<u64, StoreError> {
        // Once more after an answer that was lost: an epoch that nobody has does no harm.
        let sql = "UPDATE deployc.heads SET epoch = epoch + 1 WHERE run = $1 RETURNING epoch";
        let row = self.row(sql, run)?;
        u64::try_from(row.get::<_, i64>(0)).map_err(|error| self.damaged(error.to_string()))
    }

    fn append(&mut self, run: &str, entries: &[Entry]) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Ok(());
        };
        let epoch = first.record.epoch;
        let after = Head::after(&last.record);
        let values = appended(run, Head::before(&first.record), after, entries);
        let rows = self.ask(APPEND, values, Attempts::Many)?;
        if rows.first().is_some_and(|row| row.get::<_, i64>(0) == 1) {
            return Ok(());
        }
        // Nothing was added: an attempt before has done it, or somebody else has written.
        let row = self.of_run(HEAD, run)?.into_iter().next();
        let found: Option<i64> = row.as_ref().map(|row| row.get(0));
        let found = found.and_then(|found| u64::try_from(found).ok());
        match row.as_ref().and_then(head) {
            Some(head) if head == after && found == Some(epoch) => Ok(()),
            _ => Err(refused(run, epoch, found)),
        }
    }

    fn head(&self, run: &str) -> Result<Head, StoreError> {
        let row = self.row(HEAD, run)?;
        head(&row).ok_or_else(|| self.damaged(format!("the head of run `{run}`")))
    }

    fn finish(&mut self, run: &str, outcome: RunOutcome) -> Result<(), StoreError> {
        let outcome =
            serde_json::to_string(&outcome).map_err(|error| self.damaged(error.to_string()))?;
        let sql = "UPDATE deployc.runs SET outcome = $2 WHERE run = $1";
        self.ask(sql, [text(run), Box::new(outcome)], Attempts::Many)?;
        Ok(())
    }

    fn release(&mut self, run: &str, by: &Actor, reason: &str) -> Result<(), StoreError> {
        let words = format!("{} on {}: {reason}", by.user, by.host);
        let sql = "UPDATE deployc.runs SET released = $2 WHERE run = $1";
        self.ask(sql, [text(run), Box::new(words)], Attempts::Many)?;
        Ok(())
    }

    fn runs(&self) -> Result<Vec<Summary>, StoreError> {
        let sql = "SELECT runs.run, target, created, outcome, released, seq
            FROM deployc.runs JOIN deployc.heads ON heads.run = runs.run
            ORDER BY created DESC, runs.run COLLATE \"C\" DESC";
        let summary = |row: &Row| {
            let outcome: Option<&str> = row.get(3);
            let outcome = outcome.map(serde_json::from_str).transpose();
            Ok(Summary {
                run: row.get(0),
                target: row.get(1),
                created: Instant(row.get(2)),
                records: u64::try_from(row.get::<_, i64>(5)).unwrap_or(0),
                outcome: outcome.map_err(|error| self.damaged(error.to_string()))?,
                released: row.get(4),
            })
        };
        let rows = self.ask(sql, [], Attempts::Many)?;
        rows.iter().map(summary).collect()
    }

    fn post(&mut self, run: &str, kind: &EventKind) -> Result<LetterId, StoreError> {
        let kind = serde_json::to_string(kind).map_err(|error| self.damaged(error.to_string()))?;
        let sql = "INSERT INTO deployc.letters (run, event) VALUES ($1, $2) RETURNING id";
        let rows = self.ask(sql, [text(run), Box::new(kind)], Attempts::One)?;
        let row = rows.first();
        row.map(|row| LetterId(row.get(0)))
            .ok_or_else(|| self.damaged("a letter without a number"))
    }

    fn letters(&self, run: &str) -> Result<Vec<(LetterId, EventKind)>, StoreError> {
        let sql = "SELECT id, event FROM deployc.letters WHERE run = $1 AND taken = 0 ORDER BY id";
        let rows = self.of_run(sql, run)?;
        rows.iter()
            .map(|row| {
                let (id, text): (i64, &str) = (row.get(0), row.get(1));
                let kind = serde_json::from_str(text);
                let kind = kind.map_err(|error| self.damaged(format!("letter {id}: {error}")))?;
                Ok((LetterId(id), kind))
            })
            .collect()
    }
}

const CREATE: &str = "
WITH made AS (
    INSERT INTO deployc.runs (run, target, created, header) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING RETURNING run
)
INSERT INTO deployc.heads (run, epoch, seq, hash) SELECT run, 0, 0, $5 FROM made RETURNING run";

const HEAD: &str = "SELECT epoch, seq, hash FROM deployc.heads WHERE run = $1";

/// One statement, so one transaction and one round trip: the head moves from what this writer left to what it adds, if
/// the epoch is still its own, and only with the head the records come. The row of the head is locked meanwhile.
const APPEND: &str = "
WITH moved AS (
    UPDATE deployc.heads SET seq = $5, hash = $6
    WHERE run = $1 AND epoch = $2 AND seq = $3 AND hash = $4
    RETURNING run
), taken AS (
    UPDATE deployc.letters SET taken = answered.seq
    FROM moved, unnest($11::bigint[], $12::bigint[]) AS answered(id, seq)
    WHERE letters.id = answered.id
), added AS (
    INSERT INTO deployc.records (run, seq, epoch, event, previous, hash)
    SELECT moved.run, new.seq, $2, new.event, new.previous, new.hash
    FROM moved, unnest($7::bigint[], $8::text[], $9::bytea[], $10::bytea[])
        AS new(seq, event, previous, hash)
)
SELECT count(*) FROM moved";

/// What goes into a statement.
type Value = Box<dyn ToSql + Sync + Send>;

/// The values of [`APPEND`].
fn appended(run: &str, before: Head, after: Head, entries: &[Entry]) -> [Value; 12] {
    let records = || entries.iter().map(|entry| &entry.record);
    let epoch = records().next().map_or(0, |record| record.epoch);
    let answered = entries.iter().filter_map(|entry| {
        let LetterId(id) = entry.letter?;
        Some((id, number(entry.record.seq)))
    });
    let (letters, answers): (Vec<i64>, Vec<i64>) = answered.unzip();
    let seqs: Vec<i64> = records().map(|record| number(record.seq)).collect();
    let events: Vec<String> = records().map(|record| record.event.clone()).collect();
    let previous: Vec<Vec<u8>> = records().map(|record| record.previous.0.into()).collect();
    let hashes: Vec<Vec<u8>> = records().map(|record| record.hash.0.into()).collect();
    [
        text(run),
        Box::new(number(epoch)),
        Box::new(number(before.seq)),
        bytes(before.hash),
        Box::new(number(after.seq)),
        bytes(after.hash),
        Box::new(seqs),
        Box::new(events),
        Box::new(previous),
        Box::new(hashes),
        Box::new(letters),
        Box::new(answers),
    ]
}

fn text(text: &str) -> Value {
    Box::new(text.to_owned())
}

fn bytes(hash: Hash) -> Value {
    Box::new(hash.0.to_vec())
}

/// `epoch, seq, hash`
fn head(row: &Row) -> Option<Head> {
    Some(Head {
        seq: u64::try_from(row.get::<_, i64>(1)).ok()?,
        hash: hash(row.get(2))?,
    })
}

fn hash(bytes: &[u8]) -> Option<Hash> {
    bytes.try_into().ok().map(Hash)
}

/// No journal has more records than that.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
