//! What can go wrong between here and the database, in our words.

use crate::journal::store::StoreError;
use std::error::Error as _;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// How an attempt ended that did not end well.
#[derive(Debug)]
pub enum Trouble {
    /// The connection broke, or the server is not ready: another attempt may go well. What this one has done is not known.
    Passing(String),
    /// The server answered and did nothing.
    Unusable(String),
    Unwritable(String),
    Damaged(String),
    /// What was read forbids going on.
    Refused(StoreError),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        match error.as_db_error() {
            Some(answer) => of_answer(answer),
            None => Trouble::Passing(words(&error)),
        }
    }
}

impl Trouble {
    pub fn at(self, place: &str) -> StoreError {
        let place = place.to_owned();
        match self {
            Trouble::Passing(why) => StoreError::InDoubt { place, why },
            Trouble::Unusable(why) => StoreError::Unreachable { place, why },
            Trouble::Unwritable(why) => StoreError::Unwritable {
                path: place.into(),
                why,
            },
            Trouble::Damaged(why) => StoreError::Damaged {
                path: place.into(),
                why,
            },
            Trouble::Refused(error) => error,
        }
    }

    /// Where nothing was asked for yet but to be let in.
    pub fn at_the_door(self, place: &str) -> StoreError {
        match self {
            Trouble::Passing(why) => Trouble::Unusable(why).at(place),
            other => other.at(place),
        }
    }
}

fn of_answer(answer: &DbError) -> Trouble {
    let words = answer.message().to_owned();
    let code = answer.code();
    let class = code.code().get(..2).unwrap_or_default();
    match class {
        // A connection that was lost, an end or a start of the server, a lock or a limit of time that was met.
        "08" | "40" | "57" => Trouble::Passing(words),
        "25" if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Trouble::Passing(words),
        "25" if *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Trouble::Passing(words),
        "55" if *code == SqlState::LOCK_NOT_AVAILABLE => Trouble::Passing(words),
        "53" if *code == SqlState::TOO_MANY_CONNECTIONS => Trouble::Passing(words),
        "53" | "54" | "58" => Trouble::Unwritable(words),
        "XX" => Trouble::Damaged(words),
        _ => Trouble::Unusable(words),
    }
}

/// The causes, too: the outermost says only that it did not work.
fn words(error: &Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !words.contains(&text) {
            words.push_str(&format!(": {text}"));
        }
        cause = inner.source();
    }
    words
}
