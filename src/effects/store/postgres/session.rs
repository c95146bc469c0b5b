//! One connection, made again when it breaks.

use crate::effects::store::postgres::address::Address;
use crate::effects::store::postgres::tables::{self, Tables};
use crate::effects::store::postgres::trouble::Trouble;
use std::collections::HashMap;
use std::time::Duration;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};

/// The way to the database.
pub struct Link {
    pub address: Address,
    session: Option<Session>,
}

/// A connection that is set up.
struct Session {
    client: Client,
    prepared: HashMap<&'static str, Statement>,
}

/// One statement, which is a transaction of its own.
pub struct Asked {
    pub sql: &'static str,
    pub values: Vec<Box<dyn ToSql + Sync + Send>>,
}

/// Whether it may be asked again when its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    One,
    /// Asking again is harmless.
    Many,
}

/// How long the database may be away, as when it starts again, before the process gives up.
const AWAY_MAX: Duration = Duration::from_secs(30);
const ATTEMPT_MAX: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);

impl Link {
    pub fn new(address: Address) -> Link {
        Link {
            address,
            session: None,
        }
    }

    /// What the database holds; nothing is made.
    pub async fn look(&self) -> Result<Tables, Trouble> {
        let client = connect(&self.address).await?;
        Ok(tables::look(&client).await?)
    }

    pub async fn create_tables(&self) -> Result<(), Trouble> {
        let client = connect(&self.address).await?;
        Ok(tables::create(&client).await?)
    }

    /// With [`Attempts::Many`] until one ends for good, or the database was away for too long.
    pub async fn ask(&mut self, asked: &Asked, attempts: Attempts) -> Result<Vec<Row>, Trouble> {
        let end = tokio::time::Instant::now() + AWAY_MAX;
        loop {
            let attempt = tokio::time::timeout(ATTEMPT_MAX, self.attempt(asked));
            let done = attempt.await.unwrap_or_else(|_| {
                let seconds = ATTEMPT_MAX.as_secs();
                Err(Trouble::Passing(format!("no answer in {seconds} s")))
            });
            let again = attempts == Attempts::Many && tokio::time::Instant::now() < end;
            match done {
                Err(Trouble::Passing(_)) if again => tokio::time::sleep(PAUSE).await,
                done => return done,
            }
        }
    }

    /// The connection is kept only after an answer: what is on its way in it could come for another question.
    async fn attempt(&mut self, asked: &Asked) -> Result<Vec<Row>, Trouble> {
        let mut session = match self.session.take() {
            Some(session) if !session.client.is_closed() => session,
            _ => Session {
                client: connect(&self.address).await?,
                prepared: HashMap::new(),
            },
        };
        let answer = session.ask(asked).await;
        if !matches!(answer, Err(Trouble::Passing(_))) {
            self.session = Some(session);
        }
        answer
    }
}

impl Session {
    async fn ask(&mut self, asked: &Asked) -> Result<Vec<Row>, Trouble> {
        let statement = match self.prepared.get(asked.sql) {
            Some(statement) => statement.clone(),
            None => {
                let statement = self.client.prepare(asked.sql).await?;
                self.prepared.insert(asked.sql, statement.clone());
                statement
            }
        };
        let values: Vec<&(dyn ToSql + Sync)> = asked
            .values
            .iter()
            .map(|value| &**value as &(dyn ToSql + Sync))
            .collect();
        Ok(self.client.query(&statement, &values).await?)
    }
}

/// With what makes a commit durable; a server that cannot promise that is refused.
pub async fn connect(address: &Address) -> Result<Client, Trouble> {
    let client = match &address.tls {
        Some(tls) => {
            let (client, connection) = address.config.connect(tls.clone()).await?;
            tokio::spawn(connection);
            client
        }
        None => {
            let (client, connection) = address.config.connect(NoTls).await?;
            tokio::spawn(connection);
            client
        }
    };
    client.batch_execute(SETTINGS).await?;
    let fsync: String = client
        .query_one("SELECT current_setting('fsync')", &[])
        .await?
        .get(0);
    match fsync.as_str() {
        "off" => Err(Trouble::Unusable(
            "it runs with `fsync` off, so it could lose what it has confirmed".to_owned(),
        )),
        _ => Ok(client),
    }
}

/// A stricter level of `synchronous_commit` is left as it is. A writer that stands still lets go of its locks.
const SETTINGS: &str = "
SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write');
SET default_transaction_isolation = 'read committed';
SET statement_timeout = '8s';
SET lock_timeout = '5s';
SET idle_in_transaction_session_timeout = '8s';
";
