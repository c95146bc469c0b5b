//! Changes of one object by name: scale, image, restart, selector; and a namespace that has to be there.

use crate::effects::kubernetes::Kubernetes;
use crate::effects::kubernetes::apply::{drafts, force, rights};
use crate::effects::kubernetes::args::{Args, record};
use crate::effects::kubernetes::change::{Wait, Wanted, ours};
use crate::effects::kubernetes::client::Api;
use crate::effects::kubernetes::failure::{invalid, refusal};
use crate::effects::kubernetes::intent::{Forward, Guard, Inverse, Plan, Shown, split};
use crate::effects::kubernetes::object::{items, map, set, text};
use crate::effects::kubernetes::pods::{is_open, labels};
use crate::effects::kubernetes::read::workload::{existing, text_map};
use crate::effects::kubernetes::resource::{
    DEPLOYMENTS, ENDPOINT_SLICES, NAMESPACES, PODS, Place, SERVICES,
};
use crate::effects::kubernetes::rights::{self, Need};
use crate::effects::kubernetes::shown;
use crate::providers::kubernetes::canary::selects;
use crate::providers::request::{Call, Failure, Intent, Key};
use crate::values::Value;
use serde_json::{Map, Value as Json, json};

const RESTARTED: &str = "deployc.dev/restarted";

pub async fn scale(cluster: &Kubernetes, key: &Key, call: &Call) -> Result<Intent, Failure> {
    let replicas = Args::of(call).count("replicas")?;
    deployment(cluster, key, call, Way::Back, |config, _| {
        set(config, &["spec", "replicas"], json!(replicas));
        Ok(())
    })
    .await
}

pub async fn image(cluster: &Kubernetes, key: &Key, call: &Call) -> Result<Intent, Failure> {
    let args = Args::of(call);
    let (image, container) = (args.text("image")?, args.optional_text("container")?);
    deployment(cluster, key, call, Way::Back, |config, live| {
        let container = container_of(live, container)?;
        put_image(config, &container, image);
        Ok(())
    })
    .await
}

/// New pods of the same template: there is nothing to bring back.
pub async fn restart(cluster: &Kubernetes, key: &Key, call: &Call) -> Result<Intent, Failure> {
    let key_of_change = key.0.clone();
    deployment(cluster, key, call, Way::None, |config, _| {
        let path = ["spec", "template", "metadata", "annotations", RESTARTED];
        set(config, &path, json!(key_of_change));
        Ok(())
    })
    .await
}

enum Way {
    Back,
    None,
}

/// Sends again what is ours of a Deployment, with one thing changed.
async fn deployment(
    cluster: &Kubernetes,
    key: &Key,
    call: &Call,
    way: Way,
    change: impl FnOnce(&mut Json, &Json) -> Result<(), Failure>,
) -> Result<Intent, Failure> {
    let (api, args) = (&cluster.api, Args::of(call));
    let place = api.place(DEPLOYMENTS, args.text("name")?);
    let live = existing(api, &place).await?;
    let mut config = ours(&live);
    change(&mut config, &live)?;
    let wanted = vec![Wanted {
        place: place.clone(),
        config,
        force: force(args)?,
        wait: Wait::Rollout,
    }];
    rights(api, &wanted).await?;
    let (changes, undos, targets) = split(drafts(api, key, wanted).await?);
    let plan = Plan {
        call: call.clone(),
        before: shown::before(Some(&live)),
        forward: Forward::Objects {
            changes,
            shown: Shown::Rollout(place.name),
        },
        inverse: match way {
            Way::None => None,
            Way::Back => Some(Inverse::Objects {
                undos,
                guard: Guard::None,
            }),
        },
        targets,
    };
    plan.intent()
}

fn container_of(live: &Json, wanted: Option<&str>) -> Result<String, Failure> {
    let containers = items(live, "/spec/template/spec/containers");
    let names: Vec<&str> = containers
        .iter()
        .map(|container| text(container, "/name"))
        .collect();
    match (wanted, names.as_slice()) {
        (Some(wanted), names) if names.contains(&wanted) => Ok(wanted.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (None, names) => Err(invalid(format!(
            "`container` has to say which one: `{}`",
            names.join("`, `")
        ))),
        (Some(wanted), names) => Err(invalid(format!(
            "there is no container `{wanted}`; there are `{}`",
            names.join("`, `")
        ))),
    }
}

fn put_image(config: &mut Json, container: &str, image: &str) {
    let path = ["spec", "template", "spec", "containers"];
    if items(config, "/spec/template/spec/containers").is_empty() {
        set(config, &path, json!([]));
    }
    let list = config
        .pointer_mut("/spec/template/spec/containers")
        .and_then(Json::as_array_mut);
    let Some(list) = list else {
        return;
    };
    match list
        .iter_mut()
        .find(|known| text(known, "/name") == container)
    {
        Some(known) => set(known, &["image"], json!(image)),
        None => list.push(json!({ "name": container, "image": image })),
    }
}

pub async fn switch(cluster: &Kubernetes, key: &Key, call: &Call) -> Result<Intent, Failure> {
    let (api, args) = (&cluster.api, Args::of(call));
    let place = api.place(SERVICES, args.text("service")?);
    let selector = args.map("selector")?;
    let live = existing(api, &place).await?;
    let needs = [
        Need::any("list", &PODS),
        Need::any("list", &ENDPOINT_SLICES),
    ];
    rights::check(api, needs.to_vec()).await?;
    let wanted_selector: Map<String, Json> = selector
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    if ready_behind(api, &wanted_selector).await? == 0 {
        return Err(refusal(format!(
            "no pod that {} would take is ready",
            place.short()
        )));
    }
    let mut config = ours(&live);
    set(
        &mut config,
        &["spec", "selector"],
        Json::Object(wanted_selector),
    );
    let wanted = vec![Wanted {
        place: place.clone(),
        config,
        force: force(args)?,
        wait: Wait::Nothing,
    }];
    rights(api, &wanted).await?;
    let (changes, undos, targets) = split(drafts(api, key, wanted).await?);
    let plan = Plan {
        call: call.clone(),
        before: record([("selector", text_map(map(&live, "/spec/selector")))]),
        forward: Forward::Objects {
            changes,
            shown: Shown::Switch(place.name),
        },
        inverse: Some(Inverse::Objects {
            undos,
            guard: Guard::ReadyBehind,
        }),
        targets,
    };
    plan.intent()
}

/// How many pods that a selector takes could take traffic.
pub async fn ready_behind(api: &Api, selector: &Map<String, Json>) -> Result<usize, Failure> {
    let pods = api
        .list(&PODS, "")
        .await
        .map_err(|error| error.about("the pods"))?;
    let taken = pods
        .iter()
        .filter(|pod| selects(selector, &labels(pod)) && is_open(pod));
    Ok(taken.count())
}

pub async fn namespace(cluster: &Kubernetes, call: &Call) -> Result<Intent, Failure> {
    let api = &cluster.api;
    let name = Args::of(call).text("name")?;
    let place = api.place(NAMESPACES, name);
    let needs = vec![Need::of("get", &place), Need::any("create", &NAMESPACES)];
    rights::check(api, needs).await?;
    let plan = Plan {
        call: call.clone(),
        before: Value::Absent,
        forward: Forward::Namespace {
            name: name.to_owned(),
        },
        inverse: None,
        targets: vec![target(&place)],
    };
    plan.intent()
}

fn target(place: &Place) -> crate::providers::request::Target {
    crate::providers::request::Target {
        object: place.object(),
        uid: None,
        resource_version: None,
        desired: String::new(),
    }
}
