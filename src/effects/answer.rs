//! What a provider answered, or did not in its time, as the event that the engine is told.

use crate::providers::request::{
    Failure, FailureKind, Intent, Observation, Outcome, Request, Response,
};
use crate::values::Value;
use std::future::Future;
use std::time::Duration;

pub async fn limited(
    timeout_ns: i64,
    answer: impl Future<Output = Response>,
) -> Result<Response, Failure> {
    let limit = Duration::from_nanos(u64::try_from(timeout_ns).unwrap_or(0));
    tokio::time::timeout(limit, answer).await.map_err(|_| {
        failure(
            FailureKind::Timeout,
            format!(
                "no answer within {}",
                crate::units::show::duration_ns(timeout_ns)
            ),
        )
    })
}

pub fn read(answer: Result<Response, Failure>) -> Result<Value, Failure> {
    match answer? {
        Response::Read(result) => result,
        other => Err(mismatch(&other)),
    }
}

pub fn prepared(answer: Result<Response, Failure>) -> Result<Box<Intent>, Failure> {
    match answer? {
        Response::Prepared(result) => result.map(Box::new),
        other => Err(mismatch(&other)),
    }
}

pub fn committed(answer: Result<Response, Failure>) -> Outcome {
    match answer {
        Ok(Response::Committed(outcome)) => outcome,
        Ok(other) => Outcome::Unknown(mismatch(&other)),
        Err(failure) => Outcome::Unknown(failure),
    }
}

pub fn observed(answer: Result<Response, Failure>) -> Observation {
    match answer {
        Ok(Response::Observed(observation)) => observation,
        Ok(other) => Observation::Unknown(mismatch(&other)),
        Err(failure) => Observation::Unknown(failure),
    }
}

pub fn told(answer: Result<Response, Failure>) -> Result<(), Failure> {
    match answer? {
        Response::Told(result) => result,
        other => Err(mismatch(&other)),
    }
}

/// The refusal of a request in the shape of its response.
pub fn refusal(request: &Request, failure: Failure) -> Response {
    match request {
        Request::Read { .. } => Response::Read(Err(failure)),
        Request::Prepare { .. } => Response::Prepared(Err(failure)),
        Request::Commit { .. } => Response::Committed(Outcome::NotApplied(failure)),
        Request::Observe { .. } => Response::Observed(Observation::Unknown(failure)),
        Request::Tell { .. } => Response::Told(Err(failure)),
    }
}

fn mismatch(response: &Response) -> Failure {
    let kind = match response {
        Response::Read(_) => "read",
        Response::Prepared(_) => "prepared",
        Response::Committed(_) => "committed",
        Response::Observed(_) => "observed",
        Response::Told(_) => "told",
    };
    failure(
        FailureKind::Malformed,
        format!("the provider answered another request: `{kind}`"),
    )
}

pub fn cancelled() -> Failure {
    failure(FailureKind::Cancelled, "cancelled while it ran".to_owned())
}

pub fn failure(kind: FailureKind, message: String) -> Failure {
    Failure { kind, message }
}
