//! `apply`: from manifests to drafts, and the intent of a release that takes all traffic at once.

use crate::effects::kubernetes::Kubernetes;
use crate::effects::kubernetes::args::Args;
use crate::effects::kubernetes::canary::release as dark;
use crate::effects::kubernetes::change::{Draft, How, Wait, Wanted, draft};
use crate::effects::kubernetes::client::{Api, Force};
use crate::effects::kubernetes::failure::{conflicting, invalid, refusal};
use crate::effects::kubernetes::intent::{Forward, Guard, Inverse, Plan, Release, Shown, split};
use crate::effects::kubernetes::object::{flag, key as key_on};
use crate::effects::kubernetes::resource::{DEPLOYMENTS, PODS, Place, Reach, Resource};
use crate::effects::kubernetes::rights::{self, Need};
use crate::effects::kubernetes::shown;
use crate::providers::kubernetes::canary::canary_name;
use crate::providers::kubernetes::order::rank;
use crate::providers::manifest::{self, Manifests, Object, Problem, images};
use crate::providers::request::{Call, Failure, Intent, Key};
use futures::{StreamExt, TryStreamExt, stream};
use indexmap::IndexMap;
use serde_json::{Value, json};

/// Objects that are asked about at the same time.
const AT_ONCE: usize = 8;

pub async fn prepare(cluster: &Kubernetes, key: &Key, call: &Call) -> Result<Intent, Failure> {
    let args = Args::of(call);
    let path = args.text("path")?;
    let images = args.map("images")?;
    let force = force(args)?;
    let wanted = read(cluster, path, &images, force).await?;
    no_release_under_way(&cluster.api, &wanted).await?;
    match args.optional_ratio("traffic")? {
        None => {}
        Some(traffic) if traffic.0 == 0 => return dark::prepare(cluster, key, call, wanted).await,
        Some(_) => {
            return Err(refusal(
                "`traffic` is 0% or is not written: the stages of a `canary` move it",
            ));
        }
    }
    rights(&cluster.api, &wanted).await?;
    let drafts = drafts(&cluster.api, key, wanted).await?;
    let carrier = drafts
        .iter()
        .find(|draft| draft.change.place.is_deployment());
    let before = shown::before(carrier.and_then(|draft| draft.live.as_ref()));
    let release = Release {
        key: key.0.clone(),
        deployment: carrier.map_or(String::new(), |draft| draft.change.place.name.clone()),
        canary: String::new(),
        path: path.to_owned(),
        force,
        services: Vec::new(),
        was: String::new(),
    };
    let (changes, undos, targets) = split(drafts);
    let plan = Plan {
        call: call.clone(),
        before,
        forward: Forward::Objects {
            changes,
            shown: Shown::Release(release),
        },
        inverse: Some(Inverse::Objects {
            undos,
            guard: Guard::None,
        }),
        targets,
    };
    plan.intent()
}

/// A reason that is given is a reason to force.
pub fn force(args: Args<'_>) -> Result<Force, Failure> {
    match args.optional_text("force")? {
        None => Ok(Force::No),
        Some(why) if why.trim().is_empty() => Err(invalid("`force` has to say why")),
        Some(_) => Ok(Force::Yes),
    }
}

/// The objects of the manifests with the images put in, in the order in which they are applied.
pub async fn read(
    cluster: &Kubernetes,
    path: &str,
    images: &IndexMap<String, String>,
    force: Force,
) -> Result<Vec<Wanted>, Failure> {
    let api = &cluster.api;
    let mut manifests = manifests(cluster, path)?;
    let problems = images::check(&manifests, images.keys().map(String::as_str));
    if let Some(problem) = problems.first() {
        return Err(invalid(told(problem)));
    }
    images::put(&mut manifests.objects, images);
    manifests.objects.sort_by_key(|object| rank(&object.kind));
    let mut wanted = Vec::new();
    for object in manifests.objects {
        let resource = cluster
            .kinds
            .of(api, &object.api_version, &object.kind)
            .await?;
        wanted.push(wanted_of(api, object, resource, force));
    }
    Ok(wanted)
}

pub fn wanted_of(api: &Api, object: Object, resource: Resource, force: Force) -> Wanted {
    let place = Place::new(resource, &api.namespace, &object.name);
    let config = config(object.body, &place);
    let wait = match object.kind.as_str() {
        "Deployment" | "StatefulSet" | "DaemonSet" => Wait::Rollout,
        _ => Wait::Nothing,
    };
    Wanted {
        place,
        config,
        force,
        wait,
    }
}

/// What the files of the plan say, whole.
pub fn manifests(cluster: &Kubernetes, path: &str) -> Result<Manifests, Failure> {
    let files = manifest::named_by(&cluster.files, path);
    if files.is_empty() {
        return Err(invalid(format!("`{path}` names no manifest of the plan")));
    }
    let manifests = manifest::read(&files, Some(&cluster.api.namespace));
    if let Some(problem) = manifests.problems.first() {
        return Err(invalid(told(problem)));
    }
    if manifests.objects.is_empty() {
        return Err(invalid(format!("`{path}` holds no object")));
    }
    Ok(manifests)
}

fn told(problem: &Problem) -> String {
    let place = &problem.place;
    let help = problem
        .help
        .as_ref()
        .map(|help| format!(": {help}"))
        .unwrap_or_default();
    format!("{}:{}: {}{help}", place.file, place.line, problem.message)
}

fn config(mut body: Value, place: &Place) -> Value {
    if let Some(map) = body.as_object_mut() {
        map.shift_remove("status");
    }
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("creationTimestamp");
        if place.resource.reach == Reach::Namespace {
            metadata.insert("namespace".to_owned(), json!(place.namespace));
        }
    }
    body
}

pub async fn rights(api: &Api, wanted: &[Wanted]) -> Result<(), Failure> {
    let mut needs = vec![Need::any("list", &PODS)];
    for object in wanted {
        needs.push(Need::of("get", &object.place));
        needs.push(Need::of("patch", &object.place));
    }
    rights::check(api, needs).await
}

/// Drafts of all objects, in their order.
pub async fn drafts(api: &Api, key: &Key, wanted: Vec<Wanted>) -> Result<Vec<Draft>, Failure> {
    let drafts: Vec<Draft> = stream::iter(wanted)
        .map(|wanted| draft(api, key, wanted))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let new = drafts
        .iter()
        .filter(|draft| draft.change.how == How::Create);
    let needs = new.flat_map(|draft| {
        let place = &draft.change.place;
        [
            Need::any("create", &place.resource),
            Need::of("delete", place),
        ]
    });
    rights::check(api, needs.collect()).await?;
    drafts.iter().try_for_each(not_paused)?;
    Ok(drafts)
}

/// A paused Deployment takes a new template and rolls nothing out, for ever.
fn not_paused(draft: &Draft) -> Result<(), Failure> {
    if draft.change.wait == Wait::Rollout && flag(&draft.after, "/spec/paused") {
        let what = draft.change.place.short();
        return Err(refusal(format!(
            "{what} is paused: nothing of it would be rolled out"
        )));
    }
    Ok(())
}

async fn no_release_under_way(api: &Api, wanted: &[Wanted]) -> Result<(), Failure> {
    for object in wanted.iter().filter(|object| object.place.is_deployment()) {
        let beside = api.place(DEPLOYMENTS, &canary_name(&object.place.name));
        let found = api
            .get(&beside)
            .await
            .map_err(|error| error.about(&beside.short()))?;
        if let Some(found) = found {
            let whose = key_on(&found).unwrap_or("nobody knows whose");
            return Err(conflicting(format!(
                "{} is there ({whose}): a release is under way, or was left",
                beside.short()
            )));
        }
    }
    Ok(())
}
