//! From a request to the event that its answer is.

use super::fault::Call;
use deployc::engine::protocol::{EventKind, ReadId};
use deployc::providers::request::{
    Direction, Failure, FailureKind, Key, Observable, Observation, Outcome, Request, Response,
};

/// What a request is for.
#[derive(Clone)]
pub enum What {
    Read(ReadId),
    Prepare(Key),
    Commit(Key, Direction),
    Observe(Key, Direction),
    Tell(Key),
}

pub fn call_of(request: &Request) -> Call {
    match request {
        Request::Read { .. } => Call::Read,
        Request::Prepare { .. } => Call::Prepare,
        Request::Commit { intent, .. } if intent.observable == Observable::AtMostOnce => {
            Call::Command
        }
        Request::Commit { .. } => Call::Commit,
        Request::Observe { .. } => Call::Observe,
        Request::Tell { .. } => Call::Tell,
    }
}

pub fn landed(what: What, response: Response) -> EventKind {
    match (what, response) {
        (What::Read(id), Response::Read(result)) => EventKind::Read { id, result },
        (What::Prepare(key), Response::Prepared(result)) => EventKind::Prepared {
            key,
            result: result.map(Box::new),
        },
        (What::Commit(key, direction), Response::Committed(outcome)) => EventKind::Committed {
            key,
            direction,
            outcome,
        },
        (What::Observe(key, direction), Response::Observed(observation)) => EventKind::Observed {
            key,
            direction,
            observation,
        },
        (What::Tell(key), Response::Told(result)) => EventKind::Told { key, result },
        (_, response) => panic!("another answer than was asked for: {response:?}"),
    }
}

/// Nobody knows whether it was carried out.
pub fn no_answer(what: &What, kind: FailureKind, message: &str) -> EventKind {
    let failure = Failure::new(kind, message);
    let response = match what {
        What::Read(_) => Response::Read(Err(failure)),
        What::Prepare(_) => Response::Prepared(Err(failure)),
        What::Commit(..) => Response::Committed(Outcome::Unknown(failure)),
        What::Observe(..) => Response::Observed(Observation::Unknown(failure)),
        What::Tell(_) => Response::Told(Err(failure)),
    };
    landed(what.clone(), response)
}

/// It is certain that it was not carried out.
pub fn refused(what: &What, kind: FailureKind, message: &str) -> EventKind {
    let failure = Failure::new(kind, message);
    match what {
        What::Commit(key, direction) => EventKind::Committed {
            key: key.clone(),
            direction: *direction,
            outcome: Outcome::NotApplied(failure),
        },
        what => no_answer(what, kind, message),
    }
}
