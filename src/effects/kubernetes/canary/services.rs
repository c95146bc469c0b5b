//! The selectors of the Services in front of a release: narrowed to the new pods, and given back.

use crate::effects::kubernetes::change::{Precondition, ours};
use crate::effects::kubernetes::client::{Api, Force, Run};
use crate::effects::kubernetes::commit::Stop;
use crate::effects::kubernetes::failure::{ApiError, conflicting};
use crate::effects::kubernetes::object::{map, set};
use crate::effects::kubernetes::read::workload::existing;
use crate::effects::kubernetes::resource::SERVICES;
use crate::providers::kubernetes::canary::{TRACK_LABEL, narrowed, widened};
use futures::future::try_join_all;
use serde_json::{Map, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Both versions.
    Wide,
    /// The new pods only.
    Narrow,
}

const STALE_TRIES: u32 = 8;

pub fn selector(service: &Value) -> Map<String, Value> {
    map(service, "/spec/selector").cloned().unwrap_or_default()
}

pub fn reach(service: &Value) -> Reach {
    match selector(service).contains_key(TRACK_LABEL) {
        true => Reach::Narrow,
        false => Reach::Wide,
    }
}

/// Brings all Services to this reach, and says how many had to be written.
pub async fn set_reach(
    api: &Api,
    services: &[String],
    wanted: Reach,
    force: Force,
) -> Result<usize, Stop> {
    let sent = try_join_all(
        services
            .iter()
            .map(|name| set_one(api, name, wanted, force)),
    )
    .await?;
    Ok(sent.into_iter().sum())
}

async fn set_one(api: &Api, name: &str, wanted: Reach, force: Force) -> Result<usize, Stop> {
    let place = api.place(SERVICES, name);
    for _ in 0..STALE_TRIES {
        let live = existing(api, &place).await.map_err(Stop::Refused)?;
        if reach(&live) == wanted {
            return Ok(0);
        }
        let config = Precondition::of(Some(&live)).on(&config(&live, wanted));
        match api.apply(&place, config, force, Run::Real).await {
            Ok(_) => return Ok(1),
            Err(ApiError::Refused(status)) if status.is_stale() => {}
            Err(error) => return Err(Stop::of(error, &place.short())),
        }
    }
    let message = format!("{} changes faster than it can be written", place.short());
    Err(Stop::Refused(conflicting(message)))
}

/// What is ours of a Service, with its selector narrowed or given back.
pub fn config(service: &Value, wanted: Reach) -> Value {
    let selector = match wanted {
        Reach::Narrow => narrowed(&selector(service)),
        Reach::Wide => widened(&selector(service)),
    };
    let mut config = ours(service);
    set(&mut config, &["spec", "selector"], Value::Object(selector));
    config
}
