//! The lock on a target where runs are kept in PostgreSQL: a row.

use crate::effects::secret::Secret;
use crate::effects::store::postgres::address;
use crate::effects::store::postgres::session::{Asked, Attempts, Link};
use crate::effects::target::claim::Claim;
use crate::effects::target::lease::{Lease, LeaseError, Standing, Written};
use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

pub struct PostgresLease {
    /// Of its own: it is renewed while the store waits.
    link: Mutex<Link>,
    place: String,
    target: String,
}

impl PostgresLease {
    pub fn new(address: &Secret, target: &str) -> Result<PostgresLease, LeaseError> {
        let address = address::parse(address).map_err(|why| LeaseError {
            place: "a row of the store".to_owned(),
            why,
        })?;
        Ok(PostgresLease {
            place: address.place.clone(),
            link: Mutex::new(Link::new(address)),
            target: target.to_owned(),
        })
    }

    async fn ask<const N: usize>(
        &self,
        sql: &'static str,
        values: [Box<dyn ToSql + Sync + Send>; N],
    ) -> Result<Option<Row>, LeaseError> {
        let values = values.into();
        let asked = Asked { sql, values };
        let rows = self.link.lock().await.ask(&asked, Attempts::One).await;
        let rows = rows.map_err(|trouble| self.error(trouble.at_the_door(&self.place)))?;
        Ok(rows.into_iter().next())
    }

    fn error(&self, why: impl ToString) -> LeaseError {
        LeaseError {
            place: self.place(),
            why: why.to_string(),
        }
    }
}

#[async_trait]
impl Lease for PostgresLease {
    fn place(&self) -> String {
        format!("{}, {}", self.target, self.place)
    }

    async fn look(&self) -> Result<Option<Standing>, LeaseError> {
        let sql = "SELECT claim, version FROM deployc.locks WHERE target = $1";
        let row = self.ask(sql, [Box::new(self.target.clone())]).await?;
        Ok(row.map(|row| Standing {
            claim: serde_json::from_str(row.get(0)).ok(),
            version: row.get::<_, i64>(1).to_string(),
            transitions: 0,
        }))
    }

    async fn write(&self, seen: Option<&Standing>, claim: &Claim) -> Result<Written, LeaseError> {
        let text = serde_json::to_string(claim).map_err(|error| self.error(error))?;
        let (target, text) = (Box::new(self.target.clone()), Box::new(text));
        let written = match seen {
            None => {
                let sql = "INSERT INTO deployc.locks (target, claim, version) VALUES ($1, $2, 1)
                    ON CONFLICT DO NOTHING RETURNING version";
                self.ask(sql, [target, text]).await?
            }
            Some(seen) => {
                let sql = "UPDATE deployc.locks SET claim = $2, version = version + 1
                    WHERE target = $1 AND version = $3 RETURNING version";
                let version: i64 = seen.version.parse().map_err(|error| self.error(error))?;
                self.ask(sql, [target, text, Box::new(version)]).await?
            }
        };
        Ok(match written {
            Some(_) => Written::Done,
            None => Written::Beaten,
        })
    }
}
