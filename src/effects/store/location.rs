//! Where runs are kept, as it was typed: a folder, or a database.

use crate::effects::secret::Secret;
use crate::effects::store::postgres::PostgresStore;
use crate::effects::store::sqlite::SqliteStore;
use crate::journal::store::{Store, StoreError};
use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

/// The address of a database holds a password: it is never shown, and what is wrong with it is said without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    Folder(PathBuf),
    Postgres(Secret),
}

impl FromStr for Location {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Location, Infallible> {
        let is_address = ["postgres://", "postgresql://"]
            .into_iter()
            .any(|scheme| text.starts_with(scheme));
        Ok(match is_address {
            true => Location::Postgres(Secret::new(text)),
            false => Location::Folder(PathBuf::from(text)),
        })
    }
}

/// Makes the store where it is missing.
pub fn open(location: &Location) -> Result<Box<dyn Store>, StoreError> {
    Ok(match location {
        Location::Folder(folder) => Box::new(SqliteStore::open(folder)?),
        Location::Postgres(address) => Box::new(PostgresStore::open(address)?),
    })
}

/// For readers: makes nothing.
pub fn open_existing(location: &Location) -> Result<Box<dyn Store>, StoreError> {
    Ok(match location {
        Location::Folder(folder) => Box::new(SqliteStore::open_existing(folder)?),
        Location::Postgres(address) => Box::new(PostgresStore::open_existing(address)?),
    })
}

#[cfg(test)]
mod tests {
    use crate::effects::secret::Secret;
    use crate::effects::store::location::Location;
    use std::path::PathBuf;

    #[test]
    fn an_address_is_told_from_a_folder_and_never_shown() {
        let folder: Location = ".deployc".parse().unwrap();
        assert_eq!(folder, Location::Folder(PathBuf::from(".deployc")));
        let text = "postgres://ana:hunter2@db/runs";
        let address: Location = text.parse().unwrap();
        assert_eq!(address, Location::Postgres(Secret::new(text)));
        assert!(!format!("{address:?}").contains("hunter2"));
    }
}
