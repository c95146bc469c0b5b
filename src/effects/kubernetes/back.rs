//! The way back of changed objects: only what is still ours, and as much of it as can be.

use crate::effects::kubernetes::canary::shut;
use crate::effects::kubernetes::change::{
    Change, How, Precondition, Undo, Wait, differing, foreign,
};
use crate::effects::kubernetes::client::{Api, Doomed, Force, Run};
use crate::effects::kubernetes::commit::Stop;
use crate::effects::kubernetes::failure::{ApiError, conflicting, refusal};
use crate::effects::kubernetes::intent::Guard;
use crate::effects::kubernetes::object::{is_being_deleted, key, map, resource_version, uid};
use crate::effects::kubernetes::rollout::{self, LOOK_EVERY};
use crate::effects::kubernetes::single::ready_behind;
use crate::providers::kubernetes::order::is_kept;
use crate::providers::kubernetes::{FIELD_MANAGER, fields};
use crate::providers::request::{Failure, Key, Outcome, Written};
use crate::values::Value;
use serde_json::Value as Json;

const STALE_TRIES: u32 = 8;

/// Undoes the changes, the last one first. One that cannot be undone does not keep the others from it.
pub async fn undo(api: &Api, key: &Key, undos: &[Undo], guard: &Guard) -> Outcome {
    match guarded(api, key, undos, guard).await {
        Ok(()) => {}
        Err(Stop::Refused(failure)) => return Outcome::NotApplied(failure),
        Err(Stop::Unclear(failure)) => return Outcome::Unknown(failure),
    }
    let mut done = Done::default();
    for undo in undos.iter().rev() {
        match undo_one(api, key, undo).await {
            Ok(step) => done.note(undo, step),
            Err(stop) => done.stops.push(stop),
        }
    }
    done.finish(api).await
}

async fn guarded(api: &Api, key: &Key, undos: &[Undo], guard: &Guard) -> Result<(), Stop> {
    match guard {
        Guard::None => Ok(()),
        Guard::Shut(release) => shut::shut(api, key, release).await.map(|_| ()),
        Guard::ReadyBehind => {
            for undo in undos {
                let selector = undo
                    .restore
                    .as_ref()
                    .and_then(|old| map(old, "/spec/selector"));
                let Some(selector) = selector else {
                    continue;
                };
                if ready_behind(api, selector).await.map_err(Stop::Refused)? == 0 {
                    let what = undo.place.short();
                    return Err(Stop::Refused(refusal(format!(
                        "{what}: no pod that its old selector takes is ready; it stays as it is, and somebody has to look"
                    ))));
                }
            }
            Ok(())
        }
    }
}

#[derive(Default)]
struct Done {
    written: Vec<Written>,
    restored: Vec<Change>,
    deleted: Vec<(Undo, String)>,
    stops: Vec<Stop>,
}

enum Step {
    /// There was nothing of ours.
    Nothing,
    /// Of a kind that is never deleted.
    Kept(Json),
    Restored(Json),
    Deleted(Json),
}

impl Done {
    fn note(&mut self, undo: &Undo, step: Step) {
        let (live, how) = match step {
            Step::Nothing => return,
            Step::Kept(live) => (live, "kept"),
            Step::Restored(live) => {
                self.restored.push(restored(undo, &live));
                (live, "restored")
            }
            Step::Deleted(live) => {
                self.deleted.push((undo.clone(), uid(&live).to_owned()));
                (live, "deleted")
            }
        };
        self.written.push(Written {
            object: undo.place.object(),
            uid: uid(&live).to_owned(),
            resource_version: resource_version(&live).to_owned(),
            how: how.to_owned(),
        });
    }

    async fn finish(mut self, api: &Api) -> Outcome {
        if let Err(failure) = rollout::all(api, &self.restored).await {
            self.stops.push(Stop::Refused(failure));
        }
        for (undo, uid) in &self.deleted {
            gone(api, undo, uid).await;
        }
        if self.stops.is_empty() {
            return Outcome::Applied {
                result: Value::Absent,
                written: self.written,
            };
        }
        let unclear = self
            .stops
            .iter()
            .any(|stop| matches!(stop, Stop::Unclear(_)));
        let failure = joined(self.stops);
        match (unclear, self.written.is_empty()) {
            (true, _) => Outcome::Unknown(failure),
            (false, true) => Outcome::NotApplied(failure),
            (false, false) => Outcome::Unachieved(failure),
        }
    }
}

fn joined(stops: Vec<Stop>) -> Failure {
    let mut failures = stops.into_iter().map(|stop| match stop {
        Stop::Refused(failure) | Stop::Unclear(failure) => failure,
    });
    let first = failures
        .next()
        .unwrap_or_else(|| conflicting("nothing was undone"));
    let messages = std::iter::once(first.message).chain(failures.map(|failure| failure.message));
    Failure {
        kind: first.kind,
        message: messages.collect::<Vec<_>>().join("; "),
    }
}

async fn undo_one(api: &Api, key: &Key, undo: &Undo) -> Result<Step, Stop> {
    let what = undo.place.short();
    for _ in 0..STALE_TRIES {
        let live = api.get(&undo.place).await;
        let live = live.map_err(|error| Stop::Refused(error.about(&what)))?;
        let live = match what_to_do(key, undo, live).map_err(Stop::Refused)? {
            Task::Nothing => return Ok(Step::Nothing),
            Task::Await(live) => return Ok(Step::Deleted(live)),
            Task::Delete(live) if is_kept(&undo.place.resource.kind) => {
                return Ok(Step::Kept(live));
            }
            Task::Delete(live) => {
                let doomed = Doomed {
                    place: &undo.place,
                    uid: uid(&live),
                };
                match api.delete(doomed).await {
                    Ok(()) => return Ok(Step::Deleted(live)),
                    // It was written meanwhile, or is another one, or went: the next look says which.
                    Err(ApiError::Refused(status)) if status.is_stale() => continue,
                    Err(error) => return Err(Stop::of(error, &what)),
                }
            }
            Task::Restore(live) => live,
        };
        let Some(restore) = &undo.restore else {
            return Ok(Step::Nothing);
        };
        let config = Precondition::of(Some(&live)).on(&without_scale(restore, &live));
        match api.apply(&undo.place, config, Force::No, Run::Real).await {
            Ok(live) => return Ok(Step::Restored(live)),
            Err(ApiError::Refused(status)) if status.is_stale() => {}
            Err(error) => return Err(Stop::of(error, &what)),
        }
    }
    Err(Stop::Refused(conflicting(format!(
        "{what} changes faster than it can be written"
    ))))
}

pub enum Task {
    Nothing,
    /// It is on its way out.
    Await(Json),
    Delete(Json),
    Restore(Json),
}

/// What is left to undo of an object; an error when somebody else has changed it since.
pub fn what_to_do(key_of_change: &Key, undo: &Undo, live: Option<Json>) -> Result<Task, Failure> {
    let what = undo.place.short();
    let Some(live) = live else {
        return match undo.restore {
            None => Ok(Task::Nothing),
            Some(_) => Err(conflicting(format!("{what} was deleted since"))),
        };
    };
    let key_now = key(&live);
    if key_now != Some(&key_of_change.0) {
        // Nothing that this change wrote: it never came to it, or it is undone.
        let untouched = undo.restore.is_none() || key_now == undo.key_before.as_deref();
        let whose = key_now.unwrap_or("nobody");
        return match untouched {
            true => Ok(Task::Nothing),
            false => Err(conflicting(format!(
                "{what} belongs to another change since: {whose}"
            ))),
        };
    }
    if undo.restore.is_none() && is_being_deleted(&live) {
        return Ok(Task::Await(live));
    }
    if undo
        .uid
        .as_deref()
        .is_some_and(|before| before != uid(&live))
    {
        return Err(conflicting(format!("{what} is another object than it was")));
    }
    let differences = differing(&undo.owned, &undo.wrote, &live);
    if !differences.is_empty() {
        return Err(foreign(&undo.place, &live, &differences));
    }
    Ok(match undo.restore {
        None => Task::Delete(live),
        Some(_) => Task::Restore(live),
    })
}

/// What an autoscaler has set since is its own.
fn without_scale(restore: &Json, live: &Json) -> Json {
    let replicas = fields::Path::of(&["spec", "replicas"]);
    let mut restore = restore.clone();
    if fields::is_scaled(live, &replicas)
        && let Some(spec) = restore.get_mut("spec").and_then(Json::as_object_mut)
    {
        spec.shift_remove("replicas");
    }
    restore
}

/// The restored object as something to wait for.
pub fn restored(undo: &Undo, live: &Json) -> Change {
    let owned = fields::applied_by(live, FIELD_MANAGER);
    let wrote = fields::extract(live, &owned).unwrap_or(Json::Null);
    let wait = match undo.place.resource.kind.as_ref() {
        "Deployment" | "StatefulSet" | "DaemonSet" => Wait::Rollout,
        _ => Wait::Nothing,
    };
    Change {
        place: undo.place.clone(),
        how: How::Change,
        config: Json::Null,
        force: Force::No,
        owned,
        wrote,
        seen: None,
        uid: Some(uid(live).to_owned()),
        resource_version: None,
        wait,
    }
}

/// Waits until the object and what belonged to it are gone.
pub async fn gone(api: &Api, undo: &Undo, uid_then: &str) {
    loop {
        match api.get(&undo.place).await {
            Ok(None) => return,
            Ok(Some(live)) if uid(&live) != uid_then => return,
            Ok(Some(_)) | Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}
