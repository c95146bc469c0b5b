//! The results of changes, read from the objects as they are now; so that they are the same whether a commit gives them
//! or an observation after a crash.

use crate::effects::clock::Clock;
use crate::effects::kubernetes::args::{Args, number, record, string};
use crate::effects::kubernetes::change::{Change, How};
use crate::effects::kubernetes::client::Force;
use crate::effects::kubernetes::intent::{Release, Shown};
use crate::effects::kubernetes::object::{instant, map, number as count_at};
use crate::effects::kubernetes::read::workload::{images, text_map};
use crate::providers::kubernetes::FIELD_MANAGER;
use crate::providers::kubernetes::canary::pod_names;
use crate::providers::kubernetes::fields;
use crate::providers::request::Failure;
use crate::values::{Instant, Value};
use serde_json::Value as Json;

/// `live` are the objects of the changes, in their order.
pub fn result(shown: &Shown, changes: &[Change], live: &[Json]) -> Value {
    match shown {
        Shown::Release(release) => released(release, changes, live),
        Shown::Rollout(deployment) => rollout(deployment, changes, live),
        Shown::Switch(_) => record([
            ("started", Value::Instant(started(changes, live))),
            (
                "selector",
                text_map(
                    live.first()
                        .and_then(|service| map(service, "/spec/selector")),
                ),
            ),
        ]),
    }
}

fn released(release: &Release, changes: &[Change], live: &[Json]) -> Value {
    let carrier = match release.canary.as_str() {
        "" => &release.deployment,
        canary => canary,
    };
    let (image, images) = find(changes, live, carrier).map_or((string(""), record([])), images);
    let names = pod_names(&release.deployment);
    let mut fields = vec![
        ("started", Value::Instant(started(changes, live))),
        ("deployment", string(&release.deployment)),
        ("canary", string(&release.canary)),
        ("image", image),
        ("images", images),
        ("canary_pods", string(names.canary)),
        ("stable_pods", string(names.stable)),
        ("all_pods", string(names.all)),
        ("key", string(&release.key)),
        ("path", string(&release.path)),
        (
            "force",
            string(match release.force {
                Force::No => "",
                Force::Yes => "yes",
            }),
        ),
        (
            "services",
            Value::List(release.services.iter().map(string).collect()),
        ),
        ("was", string(&release.was)),
    ];
    fields.extend(counts(changes));
    named(fields)
}

/// The release that a stage is about, from the result that [`result`] gave.
pub fn release(args: Args<'_>) -> Result<Release, Failure> {
    Ok(Release {
        key: args.text("key")?.to_owned(),
        deployment: args.text("deployment")?.to_owned(),
        canary: args.text("canary")?.to_owned(),
        path: args.text("path")?.to_owned(),
        force: match args.text("force")? {
            "" => Force::No,
            _ => Force::Yes,
        },
        services: args.texts("services")?,
        was: args.optional_text("was")?.unwrap_or_default().to_owned(),
    })
}

pub fn rollout(deployment: &str, changes: &[Change], live: &[Json]) -> Value {
    let object = find(changes, live, deployment);
    let image = object.map_or(string(""), |object| images(object).0);
    let replicas = object.map_or(0, |object| count_at(object, "/spec/replicas"));
    let mut fields = vec![
        ("started", Value::Instant(started(changes, live))),
        ("deployment", string(deployment)),
        ("image", image),
        ("replicas", Value::count(replicas)),
    ];
    fields.extend(counts(changes));
    named(fields)
}

/// `NAME.before` of a change of a Deployment.
pub fn before(live: Option<&Json>) -> Value {
    let (image, all) = live.map_or((string(""), record([])), images);
    record([
        ("exists", Value::Bool(live.is_some())),
        ("image", image),
        ("images", all),
        (
            "replicas",
            Value::count(live.map_or(0, |live| count_at(live, "/spec/replicas"))),
        ),
    ])
}

fn find<'a>(changes: &[Change], live: &'a [Json], deployment: &str) -> Option<&'a Json> {
    let mut pairs = changes.iter().zip(live);
    let found =
        pairs.find(|(change, _)| change.place.is_deployment() && change.place.name == deployment);
    found.map(|(_, object)| object)
}

/// When the server took the first of them; of objects that all were as they should be, now.
fn started(changes: &[Change], live: &[Json]) -> Instant {
    let written = changes
        .iter()
        .zip(live)
        .filter(|(change, _)| change.how != How::Keep);
    let times = written
        .filter_map(|(_, object)| fields::applied_at(object, FIELD_MANAGER).and_then(instant));
    times.min().unwrap_or_else(|| Clock::start().now())
}

fn counts(changes: &[Change]) -> Vec<(&'static str, Value)> {
    let of = |how: How| number(changes.iter().filter(|change| change.how == how).count());
    vec![
        ("created", of(How::Create)),
        ("changed", of(How::Change)),
        ("unchanged", of(How::Keep)),
    ]
}

fn named(fields: Vec<(&'static str, Value)>) -> Value {
    Value::Record(fields.into_iter().collect())
}
