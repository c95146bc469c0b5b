//! `world == world at start`: of the objects that a run wrote, whether each is as it was, but for what the plan keeps.

use crate::plan::Plan;
use crate::plan::node::{NodeKind, UndoPlan};
use crate::simulate::fault;
use crate::simulate::history::Change;
use crate::simulate::world::World;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};

/// Objects as they were, without what the server and the runner keep in them for themselves.
#[derive(Clone, Debug, Default)]
pub struct Before {
    objects: BTreeMap<String, Json>,
}

/// So many differences are shown.
const SHOWN_MAX: usize = 4;

pub fn before(world: &World) -> Before {
    Before {
        objects: objects(world),
    }
}

/// Empty: it is as it was.
pub fn differences(plan: &Plan, before: &Before, world: &World) -> Vec<String> {
    let now = objects(world);
    let history = world.history();
    let kept = kept(plan, &history);
    let written = history.iter().filter(|change| {
        change.key.is_some() && change.what.writes() && !kept.contains(change.object.as_str())
    });
    let written: BTreeSet<&str> = written.map(|change| change.object.as_str()).collect();
    let mut found = Vec::new();
    for object in written {
        match (before.objects.get(object), now.get(object)) {
            (None, None) => {}
            (None, Some(_)) => found.push(format!("`{object}` was not there")),
            (Some(_), None) => found.push(format!("`{object}` is gone")),
            (Some(was), Some(is)) => fields(object, was, is, &mut found),
        }
    }
    let more = found.len().saturating_sub(SHOWN_MAX);
    found.truncate(SHOWN_MAX);
    if more > 0 {
        found.push(format!("and {more} more"));
    }
    found
}

/// Objects that only steps wrote whose change is to stay.
pub fn kept<'h>(plan: &Plan, history: &'h [Change]) -> BTreeSet<&'h str> {
    let mut by_kept: BTreeMap<&str, bool> = BTreeMap::new();
    for change in history.iter().filter(|change| change.what.writes()) {
        let Some(key) = &change.key else { continue };
        let node = fault::node_of(plan, key).and_then(|(id, _)| plan.node(id));
        let stays = node.is_some_and(|node| match &node.kind {
            NodeKind::Step(step) => {
                matches!(
                    step.undo,
                    UndoPlan::Keep { .. } | UndoPlan::Irreversible { .. }
                )
            }
            _ => false,
        });
        let all = by_kept.entry(&change.object).or_insert(true);
        *all &= stays;
    }
    let kept = by_kept.into_iter().filter(|(_, kept)| *kept);
    kept.map(|(object, _)| object).collect()
}

fn objects(world: &World) -> BTreeMap<String, Json> {
    let objects = world.cluster.store.objects.iter();
    objects
        .map(|(name, object)| (name.to_string(), own(&object.body)))
        .collect()
}

/// What somebody wants of the object: its labels and annotations, and all but its metadata and status.
fn own(body: &Json) -> Json {
    let mut body = body.clone();
    let Some(fields) = body.as_object_mut() else {
        return body;
    };
    fields.shift_remove("status");
    let mut kept = Map::new();
    if let Some(Json::Object(metadata)) = fields.shift_remove("metadata") {
        for name in ["labels", "annotations"] {
            if let Some(Json::Object(mut of)) = metadata.get(name).cloned() {
                of.retain(|name, _| !name.starts_with("deployc.dev/"));
                if !of.is_empty() {
                    kept.insert(name.to_owned(), Json::Object(of));
                }
            }
        }
    }
    fields.insert("metadata".to_owned(), Json::Object(kept));
    body
}

fn fields(path: &str, was: &Json, is: &Json, found: &mut Vec<String>) {
    match (was, is) {
        (Json::Object(old), Json::Object(new)) => {
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                let at = format!("{path}.{name}");
                let old = old.get(name).unwrap_or(&Json::Null);
                fields(&at, old, new.get(name).unwrap_or(&Json::Null), found);
            }
        }
        (Json::Array(old), Json::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                fields(&format!("{path}[{index}]"), old, new, found);
            }
        }
        _ if was == is => {}
        _ => found.push(format!("`{path}` was {was} and is {is}")),
    }
}
