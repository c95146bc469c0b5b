//! Carrying out changes of objects: each is a compare-and-set, and each can be issued again.

use crate::effects::kubernetes::change::{Change, How, Precondition, differing, foreign};
use crate::effects::kubernetes::client::{Api, Run};
use crate::effects::kubernetes::failure::{ApiError, conflicting};
use crate::effects::kubernetes::object::{is_being_deleted, key, meaning, resource_version, uid};
use crate::providers::kubernetes::FIELD_MANAGER;
use crate::providers::kubernetes::fields;
use crate::providers::request::{Failure, FailureKind, Key, Outcome, Written};
use serde_json::{Value, json};

/// What was written so far; decides what a failure means.
#[derive(Default)]
pub struct Progress {
    pub written: Vec<Written>,
    /// The objects as they are now, in the order of the changes.
    pub live: Vec<Value>,
    sent: u32,
}

/// Why it did not go on.
pub enum Stop {
    /// This request certainly changed nothing.
    Refused(Failure),
    /// Nobody knows whether it did.
    Unclear(Failure),
}

/// Status updates of controllers make a new version of an object; they are no reason to give up.
const STALE_TRIES: u32 = 8;

impl Progress {
    /// A stop as the outcome of the whole change.
    pub fn stopped(self, stop: Stop) -> Outcome {
        match stop {
            Stop::Unclear(failure) => Outcome::Unknown(failure),
            Stop::Refused(failure) if self.sent == 0 => Outcome::NotApplied(failure),
            // The way to the server is cut in the middle of it: it can be gone on with.
            Stop::Refused(failure) if is_of_the_way(&failure) => Outcome::Unknown(failure),
            Stop::Refused(failure) => Outcome::Unachieved(failure),
        }
    }

    /// What was waited for did not come.
    pub fn unachieved(self, failure: Failure) -> Outcome {
        match self.sent {
            // Even when nothing had to be sent: it is there, and not what was wanted.
            0 if self.written.is_empty() => Outcome::NotApplied(failure),
            _ => Outcome::Unachieved(failure),
        }
    }

    fn note(&mut self, change: &Change, live: Value, how: &str) {
        self.written.push(Written {
            object: change.place.object(),
            uid: uid(&live).to_owned(),
            resource_version: resource_version(&live).to_owned(),
            how: how.to_owned(),
        });
        self.live.push(live);
    }
}

impl Stop {
    pub fn of(error: ApiError, what: &str) -> Stop {
        match error {
            ApiError::Unclear(failure) => Stop::Unclear(failure),
            error => Stop::Refused(error.about(what)),
        }
    }
}

/// Writes the objects, one after the other.
pub async fn write(
    api: &Api,
    key: &Key,
    changes: &[Change],
    progress: &mut Progress,
) -> Result<(), Stop> {
    for change in changes {
        write_one(api, key, change, progress).await?;
    }
    Ok(())
}

async fn write_one(
    api: &Api,
    key: &Key,
    change: &Change,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let what = change.place.short();
    for _ in 0..STALE_TRIES {
        let live = api.get(&change.place).await;
        // A read that fails says nothing of the write that was not sent yet.
        let live = live.map_err(|error| Stop::Refused(error.about(&what)))?;
        let live = match standing(key, change, live).map_err(Stop::Refused)? {
            Standing::Ours(live) => {
                progress.sent += 1;
                progress.note(change, live, done(change));
                return Ok(());
            }
            Standing::Same(live) if change.how == How::Keep => {
                progress.note(change, live, "unchanged");
                return Ok(());
            }
            Standing::Same(live) => Some(live),
            Standing::Absent => None,
        };
        let config = Precondition::of(live.as_ref()).on(&change.config);
        match api
            .apply(&change.place, config, change.force, Run::Real)
            .await
        {
            Ok(live) => {
                progress.sent += 1;
                progress.note(change, live, done(change));
                return Ok(());
            }
            Err(ApiError::Refused(status)) if status.is_stale() => {}
            Err(error) => return Err(Stop::of(error, &what)),
        }
    }
    let message = format!("{what} changes faster than it can be written");
    Err(Stop::Refused(conflicting(message)))
}

fn is_of_the_way(failure: &Failure) -> bool {
    matches!(
        failure.kind,
        FailureKind::Unreachable | FailureKind::Timeout
    )
}

fn done(change: &Change) -> &'static str {
    match change.how {
        How::Create => "created",
        How::Change => "changed",
        How::Keep => "unchanged",
    }
}

/// How an object stands to a change of it.
pub enum Standing {
    /// It is as the change wrote it.
    Ours(Value),
    /// It is as it was seen when the change was prepared.
    Same(Value),
    /// It is not there, and was not.
    Absent,
}

/// Anything else is somebody else's doing.
pub fn standing(
    key_of_change: &Key,
    change: &Change,
    live: Option<Value>,
) -> Result<Standing, Failure> {
    let what = change.place.short();
    let Some(live) = live else {
        return match change.how {
            How::Create => Ok(Standing::Absent),
            _ => Err(conflicting(format!("{what} was deleted since"))),
        };
    };
    if is_being_deleted(&live) {
        return Err(conflicting(format!("{what} is being deleted")));
    }
    if change.how != How::Keep && key(&live) == Some(&key_of_change.0) {
        let differences = differing(&change.owned, &change.wrote, &live);
        if differences.is_empty() {
            return Ok(Standing::Ours(live));
        }
        return Err(foreign(&change.place, &live, &differences));
    }
    let Some(seen) = &change.seen else {
        return Err(conflicting(format!(
            "{what} was made by somebody else since"
        )));
    };
    if change.uid.as_deref() != Some(uid(&live)) {
        return Err(conflicting(format!(
            "{what} is another object than it was: deleted and made again"
        )));
    }
    if meaning(&live) == *seen {
        return Ok(Standing::Same(live));
    }
    Err(changed_since(change, seen, &live))
}

/// The fields that are not as they were seen, with all that anybody owns as the fields to look at.
fn changed_since(change: &Change, seen: &Value, live: &Value) -> Failure {
    let managed = live
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array);
    let sets = managed
        .into_iter()
        .flatten()
        .filter(|entry| entry.get("subresource").is_none());
    let mut all = fields::applied_by(live, FIELD_MANAGER);
    for set in sets.filter_map(|entry| entry.get("fieldsV1")) {
        all = fields::union(&all, set);
    }
    if all == json!({}) {
        return conflicting(format!("{} was changed since", change.place.short()));
    }
    let differences = fields::differences(&all, seen, live);
    match differences.as_slice() {
        [] => conflicting(format!(
            "{} was changed since: a field is gone",
            change.place.short()
        )),
        differences => foreign(&change.place, live, differences),
    }
}
