//! `apply` with `traffic: 0%`: what has to be true for a canary, and the Deployment that holds the new pods.

use crate::effects::kubernetes::Kubernetes;
use crate::effects::kubernetes::apply::{drafts, force, rights};
use crate::effects::kubernetes::args::Args;
use crate::effects::kubernetes::canary::services::{self, Reach};
use crate::effects::kubernetes::change::{Draft, How, Precondition, Wait, Wanted, draft};
use crate::effects::kubernetes::client::{Api, Force, Run};
use crate::effects::kubernetes::failure::{conflicting, refusal};
use crate::effects::kubernetes::intent::{Forward, Guard, Inverse, Plan, Release, Shown, split};
use crate::effects::kubernetes::object::{flag, items, map, name, number, sorted, text};
use crate::effects::kubernetes::resource::{
    AUTOSCALERS, DEPLOYMENTS, ENDPOINT_SLICES, PODS, Place, SERVICES,
};
use crate::effects::kubernetes::rights::{self, Need};
use crate::effects::kubernetes::shown;
use crate::providers::kubernetes::canary::{
    NAME_CHARS_MAX, TRACK_LABEL, canary_name, dark, selects,
};
use crate::providers::request::{Call, Failure, Intent, Key};
use serde_json::Value;

/// What the whole canary needs, asked before its first write: a rollout that stops in the middle for want of a right
/// would be worse than none.
pub fn carrying() -> Vec<Need> {
    vec![
        Need::any("get", &DEPLOYMENTS),
        Need::any("patch", &DEPLOYMENTS),
        Need::any("list", &PODS),
        Need::any("patch", &PODS).at("status"),
        Need::any("get", &SERVICES),
        Need::any("patch", &SERVICES),
        Need::any("list", &ENDPOINT_SLICES),
    ]
}

pub async fn prepare(
    cluster: &Kubernetes,
    key: &Key,
    call: &Call,
    wanted: Vec<Wanted>,
) -> Result<Intent, Failure> {
    let (api, args) = (&cluster.api, Args::of(call));
    let mut needs = carrying();
    needs.extend([
        Need::any("list", &SERVICES),
        Need::any("list", &AUTOSCALERS),
        Need::any("create", &DEPLOYMENTS),
        Need::any("delete", &DEPLOYMENTS),
    ]);
    rights::check(api, needs).await?;
    rights(api, &wanted).await?;
    let mut drafts = drafts(api, key, wanted).await?;
    let carrier = take_carrier(&mut drafts)?;
    keeps_its_configuration(&carrier, &drafts)?;
    can_carry(api, &carrier).await?;
    let services = services_of(api, &carrier, force(args)?).await?;
    let beside = draft(api, key, beside(api, &carrier, key)).await?;
    let deployment = carrier.change.place.name.clone();
    let release = Release {
        key: key.0.clone(),
        canary: canary_name(&deployment),
        deployment,
        path: args.text("path")?.to_owned(),
        force: force(args)?,
        services,
        was: carrier
            .live
            .as_ref()
            .and_then(|live| live.pointer("/spec/template"))
            .map_or(String::new(), Value::to_string),
    };
    drafts.push(beside);
    let (changes, undos, targets) = split(drafts);
    let plan = Plan {
        call: call.clone(),
        before: shown::before(carrier.live.as_ref()),
        inverse: Some(Inverse::Objects {
            undos,
            guard: Guard::Shut(release.clone()),
        }),
        forward: Forward::Objects {
            changes,
            shown: Shown::Release(release),
        },
        targets,
    };
    plan.intent()
}

/// The one Deployment that is there and whose template changes; it is taken out of the drafts, because it stays as it is.
fn take_carrier(drafts: &mut Vec<Draft>) -> Result<Draft, Failure> {
    let changed: Vec<usize> = drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| changes_template(draft))
        .map(|(place, _)| place)
        .collect();
    let names: Vec<String> = changed
        .iter()
        .filter_map(|place| drafts.get(*place))
        .map(|draft| draft.change.place.short())
        .collect();
    match changed.as_slice() {
        [only] if names.iter().all(|name| name.starts_with("deployment/")) => {
            Ok(drafts.remove(*only))
        }
        [_] => Err(refusal(format!(
            "{} cannot be released without traffic: only a Deployment can",
            names.join("")
        ))),
        [] => Err(nothing_to_carry(drafts)),
        _ => Err(refusal(format!(
            "the pods of {} change: a canary carries one Deployment, so they need a step each",
            names.join(" and ")
        ))),
    }
}

fn nothing_to_carry(drafts: &[Draft]) -> Failure {
    let new: Vec<String> = drafts
        .iter()
        .filter(|draft| draft.change.how == How::Create && draft.change.wait == Wait::Rollout)
        .map(|draft| draft.change.place.short())
        .collect();
    match new.as_slice() {
        [] => refusal("no pod template changes: what would be released runs already"),
        new => refusal(format!(
            "{} is not there yet: a canary needs an old version beside which it runs, so apply it without `traffic` first",
            new.join(", ")
        )),
    }
}

fn changes_template(draft: &Draft) -> bool {
    let template = |object: &Value| object.pointer("/spec/template").map(sorted);
    match &draft.live {
        Some(live) if draft.change.wait == Wait::Rollout => {
            template(live) != template(&draft.after)
        }
        _ => false,
    }
}

/// What the old pods are configured with may not change under them.
fn keeps_its_configuration(carrier: &Draft, others: &[Draft]) -> Result<(), Failure> {
    let Some(pod) = carrier
        .live
        .as_ref()
        .and_then(|live| live.pointer("/spec/template/spec"))
    else {
        return Ok(());
    };
    let used = pod.to_string();
    for other in others {
        let place = &other.change.place;
        let quoted = format!("\"{}\"", place.name);
        if place.resource.kind == "ConfigMap"
            && other.change.how == How::Change
            && used.contains(&quoted)
        {
            return Err(refusal(format!(
                "{} changes, and the old pods of {} use it: give the new one a name of its own",
                place.short(),
                carrier.change.place.short()
            )));
        }
    }
    Ok(())
}

async fn can_carry(api: &Api, carrier: &Draft) -> Result<(), Failure> {
    let place = &carrier.change.place;
    let what = place.short();
    if place.name.len() > NAME_CHARS_MAX {
        return Err(refusal(format!(
            "{what}: its name is over {NAME_CHARS_MAX} characters, and those of its canary's pods would be cut"
        )));
    }
    let Some(live) = &carrier.live else {
        return Err(refusal(format!("{what} is not there")));
    };
    if flag(live, "/spec/paused") {
        return Err(refusal(format!(
            "{what} is paused: it could not be promoted"
        )));
    }
    if number(live, "/spec/replicas") == 0 {
        return Err(refusal(format!(
            "{what} has no replica beside which a canary could take a part"
        )));
    }
    let scalers = api.list(&AUTOSCALERS, "").await;
    let scalers = scalers.map_err(|error| error.about("the autoscalers"))?;
    match scalers.iter().find(|scaler| may_scale(scaler, place)) {
        None => Ok(()),
        Some(scaler) => Err(refusal(format!(
            "horizontalpodautoscaler/{} scales {what}: it counts the new pods as its own, and scales the old ones down \
             when they lose their traffic; pin it for the rollout (minReplicas = maxReplicas)",
            name(scaler)
        ))),
    }
}

fn may_scale(scaler: &Value, place: &Place) -> bool {
    let of = |field: &str| text(scaler, &format!("/spec/scaleTargetRef/{field}"));
    let min = scaler
        .pointer("/spec/minReplicas")
        .and_then(Value::as_i64)
        .unwrap_or(1);
    of("kind") == "Deployment"
        && of("name") == place.name
        && min != number(scaler, "/spec/maxReplicas")
}

/// The Services that send traffic to the pods, each of them able to tell open pods from shut ones and to be narrowed.
async fn services_of(api: &Api, carrier: &Draft, force: Force) -> Result<Vec<String>, Failure> {
    let what = carrier.change.place.short();
    let old = carrier
        .live
        .as_ref()
        .and_then(|live| map(live, "/spec/template/metadata/labels"));
    let old = old.cloned().unwrap_or_default();
    let new = map(&carrier.after, "/spec/template/metadata/labels")
        .cloned()
        .unwrap_or_default();
    let services = api.list(&SERVICES, "").await;
    let services = services.map_err(|error| error.about("the Services"))?;
    let mut found = Vec::new();
    for service in &services {
        let selector = services::selector(service);
        if selector.contains_key(TRACK_LABEL)
            && selects(
                &crate::providers::kubernetes::canary::widened(&selector),
                &old,
            )
        {
            return Err(conflicting(format!(
                "service/{} takes the pods of another canary only: a release is under way, or was left",
                name(service)
            )));
        }
        if !selects(&selector, &old) {
            continue;
        }
        if !selects(&selector, &new) {
            return Err(refusal(format!(
                "service/{} takes the old pods of {what} and would not take the new ones: their labels differ",
                name(service)
            )));
        }
        can_be_moved(api, service, force).await?;
        found.push(name(service).to_owned());
    }
    if found.is_empty() {
        return Err(refusal(format!(
            "no Service takes the pods of {what}: there is no traffic to move"
        )));
    }
    Ok(found)
}

async fn can_be_moved(api: &Api, service: &Value, force: Force) -> Result<(), Failure> {
    let what = format!("service/{}", name(service));
    if flag(service, "/spec/publishNotReadyAddresses") {
        return Err(refusal(format!(
            "{what} publishes the addresses of pods that are not ready: they cannot be kept from its traffic"
        )));
    }
    if items(service, "/spec/ports").is_empty() && text(service, "/spec/clusterIP") == "None" {
        return Err(refusal(format!(
            "{what} has no ports: its traffic cannot be seen"
        )));
    }
    // Whoever else owns the selector is found out now, not at the last stage.
    let config = Precondition::of(Some(service)).on(&services::config(service, Reach::Narrow));
    let place = api.place(SERVICES, name(service));
    let tried = api.apply(&place, config, force, Run::Dry).await;
    match tried {
        Ok(_) => Ok(()),
        Err(error) => Err(error.about(&what)),
    }
}

fn beside(api: &Api, carrier: &Draft, key: &Key) -> Wanted {
    let config = dark(&carrier.change.config, &key.0);
    Wanted {
        place: api.place(DEPLOYMENTS, &canary_name(&carrier.change.place.name)),
        config,
        force: Force::No,
        wait: Wait::Dark,
    }
}
