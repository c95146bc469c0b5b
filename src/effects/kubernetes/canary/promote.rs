//! The new version becomes the only one: the Deployment takes its template while it has no traffic, then gets the
//! traffic, then the one beside it goes.

use crate::effects::kubernetes::Kubernetes;
use crate::effects::kubernetes::apply::{drafts, manifests, wanted_of};
use crate::effects::kubernetes::args::Args;
use crate::effects::kubernetes::canary::gates;
use crate::effects::kubernetes::canary::release::carrying;
use crate::effects::kubernetes::canary::services::{Reach, reach, set_reach};
use crate::effects::kubernetes::canary::sight::{Sight, endpoints_of, see};
use crate::effects::kubernetes::change::{Change, Wanted};
use crate::effects::kubernetes::client::{Api, Doomed};
use crate::effects::kubernetes::commit::{self, Progress, Stop};
use crate::effects::kubernetes::failure::{ApiError, invalid, refusal, unready};
use crate::effects::kubernetes::intent::{Forward, Guard, Inverse, Plan, Release, split};
use crate::effects::kubernetes::object::{is_being_deleted, key as key_on, name, number, uid};
use crate::effects::kubernetes::observe::{self, Looked};
use crate::effects::kubernetes::pods::is_open;
use crate::effects::kubernetes::resource::DEPLOYMENTS;
use crate::effects::kubernetes::rights::{self, Need};
use crate::effects::kubernetes::rollout::{self, LOOK_EVERY, pods_of};
use crate::effects::kubernetes::shown;
use crate::providers::manifest::images;
use crate::providers::request::{Call, Failure, Intent, Key, Observation, Outcome};
use std::collections::BTreeSet;

pub async fn prepare(cluster: &Kubernetes, key: &Key, call: &Call) -> Result<Intent, Failure> {
    let (api, args) = (&cluster.api, Args::of(call));
    let fields = args.record("release")?;
    let release = shown::release(fields)?;
    let beside = api.place(DEPLOYMENTS, &release.canary);
    let mut needs = carrying();
    needs.push(Need::of("delete", &beside));
    rights::check(api, needs).await?;
    let sight = see(api, &release).await;
    let sight = sight.map_err(|error| error.about(&beside.short()))?;
    has_all_traffic(&sight, &release)?;
    sight.old_is_as_it_was(api, &release)?;
    let wanted = wanted(cluster, &release, &fields.map("images")?)?;
    let drafts = drafts(api, key, vec![wanted]).await?;
    let before = drafts.first().and_then(|draft| draft.live.as_ref());
    let before = shown::before(before);
    let (changes, undos, targets) = split(drafts);
    let Some(change) = changes.into_iter().next() else {
        return Err(invalid("there is nothing to promote"));
    };
    let plan = Plan {
        call: call.clone(),
        before,
        forward: Forward::Promote {
            release,
            change: Box::new(change),
        },
        inverse: Some(Inverse::Objects {
            undos,
            guard: Guard::None,
        }),
        targets,
    };
    plan.intent()
}

/// The Deployment rolls without regard for traffic: there may be none on it.
fn has_all_traffic(sight: &Sight, release: &Release) -> Result<(), Failure> {
    sight.canary(release)?;
    let stable = number(sight.stable(release)?, "/spec/replicas");
    let open = sight
        .pods
        .iter()
        .filter(|pod| is_open(pod) && gates::is_open(pod))
        .count();
    let narrow = sight.services.len() == release.services.len()
        && sight
            .services
            .iter()
            .all(|service| reach(service) == Reach::Narrow);
    let enough = i64::try_from(open).unwrap_or(i64::MAX) >= stable;
    match narrow && enough {
        true => Ok(()),
        false => Err(refusal(format!(
            "deployment/{} does not have all traffic yet: {open} of {stable} pods are open",
            release.canary
        ))),
    }
}

/// What the plan's manifests say of the Deployment, with the images of the release.
fn wanted(
    cluster: &Kubernetes,
    release: &Release,
    given: &indexmap::IndexMap<String, String>,
) -> Result<Wanted, Failure> {
    let mut manifests = manifests(cluster, &release.path)?;
    images::put(&mut manifests.objects, given);
    let is_it = |object: &crate::providers::manifest::Object| {
        object.kind == "Deployment" && object.name == release.deployment
    };
    let object = manifests.objects.into_iter().find(is_it);
    let object = object.ok_or_else(|| {
        invalid(format!(
            "`{}` has no Deployment `{}`",
            release.path, release.deployment
        ))
    })?;
    Ok(wanted_of(&cluster.api, object, DEPLOYMENTS, release.force))
}

pub async fn commit(api: &Api, key: &Key, release: &Release, change: &Change) -> Outcome {
    let mut progress = Progress::default();
    let changes = std::slice::from_ref(change);
    if let Err(stop) = commit::write(api, key, changes, &mut progress).await {
        return progress.stopped(stop);
    }
    if let Err(failure) = rollout::all(api, changes).await {
        return progress.unachieved(failure);
    }
    match hand_over(api, release).await {
        Ok(()) => Outcome::Applied {
            result: shown::rollout(&release.deployment, changes, &progress.live),
            written: progress.written,
        },
        Err(stop) => progress.stopped(stop),
    }
}

/// From the Deployment beside to the Deployment itself; both take traffic for a moment.
async fn hand_over(api: &Api, release: &Release) -> Result<(), Stop> {
    set_reach(api, &release.services, Reach::Wide, release.force).await?;
    while !is_behind_all(api, release).await.map_err(Stop::Refused)? {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    remove(api, release).await
}

/// Whether every pod of the Deployment is an endpoint of every Service.
async fn is_behind_all(api: &Api, release: &Release) -> Result<bool, Failure> {
    let place = api.place(DEPLOYMENTS, &release.deployment);
    let about = |error: ApiError| error.about(&place.short());
    let Some(live) = api.get(&place).await.map_err(about)? else {
        return Ok(false);
    };
    let (pods, behind) =
        tokio::try_join!(pods_of(api, &place, &live), endpoints_of(api, release)).map_err(about)?;
    let names: BTreeSet<String> = pods
        .iter()
        .filter(|pod| !is_being_deleted(pod))
        .map(|pod| name(pod).to_owned())
        .collect();
    Ok(behind.iter().all(|ready| names.is_subset(ready)))
}

/// The Deployment beside, if it is still that of this release.
async fn remove(api: &Api, release: &Release) -> Result<(), Stop> {
    let place = api.place(DEPLOYMENTS, &release.canary);
    loop {
        let live = api.get(&place).await;
        let live = live.map_err(|error| Stop::Refused(error.about(&place.short())))?;
        let Some(live) = live.filter(|live| key_on(live) == Some(release.key.as_str())) else {
            return Ok(());
        };
        if !is_being_deleted(&live) {
            let doomed = Doomed {
                place: &place,
                uid: uid(&live),
            };
            match api.delete(doomed).await {
                Ok(()) => {}
                // The next look says whose it is now.
                Err(ApiError::Refused(status)) if status.is_stale() => {}
                Err(error) => return Err(Stop::of(error, &place.short())),
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

pub async fn observe(api: &Api, key: &Key, release: &Release, change: &Change) -> Observation {
    let changes = std::slice::from_ref(change);
    let live = match observe::look(api, key, changes).await {
        Looked::Told(observation) => return observation,
        Looked::There(live) => live,
    };
    let place = api.place(DEPLOYMENTS, &release.canary);
    let beside = match api.get(&place).await {
        Ok(beside) => beside,
        Err(error) => return Observation::Unknown(error.about(&place.short())),
    };
    match beside.filter(|live| key_on(live) == Some(release.key.as_str())) {
        Some(_) => Observation::Underway(unready(format!("{} is still there", place.short()))),
        None => Observation::Applied {
            result: shown::rollout(&release.deployment, changes, &live),
            written: observe::written(changes, &live),
        },
    }
}
