//! What can go wrong between here and the API server, in words for a person.

use crate::providers::request::{Failure, FailureKind};
use serde_json::Value;

/// How one request of the API ended, when it did not end well.
#[derive(Clone, Debug, PartialEq)]
pub enum ApiError {
    /// The server answered, and certainly did nothing.
    Refused(Status),
    /// The request certainly never reached the server.
    Unsent(Failure),
    /// Nobody knows whether it was carried out: a timeout, a reset, a 5xx.
    Unclear(Failure),
}

/// The server's own words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    pub code: u16,
    pub reason: String,
    pub message: String,
    pub causes: Vec<Cause>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    pub reason: String,
    pub message: String,
    pub field: String,
}

const FIELD_CONFLICT: &str = "FieldManagerConflict";
/// A server answers a field that its schema does not know with a 500, but says so before anything else.
const NO_SUCH_FIELD: &str = "failed to create typed patch object";

impl Status {
    pub fn parse(code: u16, body: &[u8]) -> Status {
        let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let text = |value: &Value, key: &str| {
            value
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or("")
                .to_owned()
        };
        let causes = json.pointer("/details/causes").and_then(Value::as_array);
        let causes = causes.into_iter().flatten().map(|cause| Cause {
            reason: text(cause, "reason"),
            message: text(cause, "message"),
            field: text(cause, "field"),
        });
        let mut message = text(&json, "message");
        if message.is_empty() {
            message = first_words(body);
        }
        Status {
            code,
            reason: text(&json, "reason"),
            message,
            causes: causes.collect(),
        }
    }

    /// Fields that other managers own.
    pub fn conflicts(&self) -> impl Iterator<Item = &Cause> {
        self.causes
            .iter()
            .filter(|cause| cause.reason == FIELD_CONFLICT)
    }

    /// Somebody wrote the object since it was read, or made one of its name.
    pub fn is_stale(&self) -> bool {
        self.code == 409 && self.conflicts().next().is_none()
    }

    /// Whether a 5xx is a refusal after all.
    pub fn is_certain(&self) -> bool {
        self.code < 500 || self.message.contains(NO_SUCH_FIELD)
    }
}

impl ApiError {
    /// `what` is what was asked for: `deployment/api`.
    pub fn about(self, what: &str) -> Failure {
        match self {
            ApiError::Refused(status) => refused(&status, what),
            ApiError::Unsent(failure) | ApiError::Unclear(failure) => failure,
        }
    }

    pub fn code(&self) -> Option<u16> {
        match self {
            ApiError::Refused(status) => Some(status.code),
            _ => None,
        }
    }
}

fn refused(status: &Status, what: &str) -> Failure {
    let Status { code, message, .. } = status;
    let conflicts: Vec<String> = status.conflicts().map(conflict).collect();
    if !conflicts.is_empty() {
        return conflicting(format!("{what}: {}", conflicts.join(", ")));
    }
    let kind = match code {
        401 | 403 => FailureKind::Denied,
        404 | 410 => FailureKind::NotFound,
        409 => FailureKind::Conflict,
        429 => FailureKind::Unreachable,
        _ if message.contains(NO_SUCH_FIELD) => FailureKind::Invalid,
        500.. => FailureKind::Unreachable,
        _ => FailureKind::Invalid,
    };
    let message = match code {
        401 => {
            "the API server does not accept these credentials (401): expired, or of another cluster"
                .to_owned()
        }
        429 => format!("{what}: the API server is overloaded (429) and asked to come back later"),
        500.. if kind == FailureKind::Unreachable => {
            format!("{what}: the API server failed ({code}): {message}")
        }
        _ => format!("{what}: {message}"),
    };
    Failure { kind, message }
}

/// `.spec.replicas is owned by "kubectl"`, from the server's `conflict with "kubectl" using apps/v1`.
fn conflict(cause: &Cause) -> String {
    let manager = cause
        .message
        .strip_prefix("conflict with ")
        .unwrap_or(&cause.message);
    let manager = manager.split(" using ").next().unwrap_or(manager);
    format!("{} is owned by {manager}", cause.field)
}

fn first_words(body: &[u8]) -> String {
    const SHOWN_CHARS_MAX: usize = 200;
    let text = String::from_utf8_lossy(body);
    text.trim().chars().take(SHOWN_CHARS_MAX).collect()
}

pub fn failure(kind: FailureKind, message: impl Into<String>) -> Failure {
    Failure {
        kind,
        message: message.into(),
    }
}

pub fn conflicting(message: impl Into<String>) -> Failure {
    failure(FailureKind::Conflict, message)
}

pub fn invalid(message: impl Into<String>) -> Failure {
    failure(FailureKind::Invalid, message)
}

pub fn refusal(message: impl Into<String>) -> Failure {
    failure(FailureKind::Refused, message)
}

pub fn not_found(message: impl Into<String>) -> Failure {
    failure(FailureKind::NotFound, message)
}

pub fn unready(message: impl Into<String>) -> Failure {
    failure(FailureKind::Unready, message)
}

pub fn malformed(message: impl Into<String>) -> Failure {
    failure(FailureKind::Malformed, message)
}

#[cfg(test)]
mod tests {
    use crate::effects::kubernetes::failure::{ApiError, Status};
    use crate::providers::request::FailureKind;
    use serde_json::json;

    fn told(code: u16, body: serde_json::Value) -> (FailureKind, String) {
        let status = Status::parse(code, body.to_string().as_bytes());
        let failure = ApiError::Refused(status).about("deployment/api");
        (failure.kind, failure.message)
    }

    #[test]
    fn a_conflict_names_field_and_manager() {
        let (kind, message) = told(
            409,
            json!({"message": "Apply failed with 1 conflict", "details": {"causes": [{
                "reason": "FieldManagerConflict",
                "message": "conflict with \"kubectl-client-side-apply\" using apps/v1 at 2026-01-01T00:00:00Z",
                "field": ".spec.template.spec.containers[name=\"api\"].image",
            }]}}),
        );
        assert_eq!(kind, FailureKind::Conflict);
        assert_eq!(
            message,
            "deployment/api: .spec.template.spec.containers[name=\"api\"].image is owned by \"kubectl-client-side-apply\""
        );
    }

    #[test]
    fn kinds_follow_from_the_status() {
        let kinds = [
            (401, FailureKind::Denied),
            (403, FailureKind::Denied),
            (404, FailureKind::NotFound),
            (409, FailureKind::Conflict),
            (422, FailureKind::Invalid),
            (429, FailureKind::Unreachable),
            (503, FailureKind::Unreachable),
        ];
        for (code, kind) in kinds {
            assert_eq!(told(code, json!({"message": "words"})).0, kind, "{code}");
        }
    }

    #[test]
    fn an_unknown_field_is_a_certain_refusal_though_it_is_a_500() {
        let message = "failed to create typed patch object (/api; apps/v1, Kind=Deployment): .spec.x: field not declared in schema";
        assert_eq!(
            told(500, json!({ "message": message })).0,
            FailureKind::Invalid
        );
        let status = Status::parse(500, json!({ "message": message }).to_string().as_bytes());
        assert!(status.is_certain());
        assert!(!Status::parse(500, b"etcdserver: request timed out").is_certain());
    }

    #[test]
    fn an_answer_that_is_no_json_is_shown_in_part() {
        let status = Status::parse(502, "<html>bad gateway</html>".repeat(100).as_bytes());
        assert_eq!(status.message.chars().count(), 200);
    }
}
