//! One JSON object for a note: `--output json`.

use crate::commands::show::line;
use crate::engine::protocol::{Note, NoteKind};
use crate::plan::{LocId, Plan, SourceMap};
use crate::values::{Instant, show};
use serde_json::{Value, json};

/// `at` is RFC 3339, `node` the path of the item, `place` the line of the plan; `kind` and its fields follow.
pub fn object(plan: &Plan, map: &SourceMap, at: Instant, note: &Note) -> Value {
    let node = note.node.and_then(|id| plan.node(id));
    let place = loc(plan, note).and_then(|loc| map.places.get(loc.0 as usize));
    json!({
        "at": show::instant(at).replace(' ', "T"),
        "node": note.node.map(|id| line::path(plan, id)),
        "title": node.and_then(|node| node.title.as_deref()),
        "refs": node.map(|node| &node.refs),
        "place": place.map(|place| format!("{}:{}:{}", place.file, place.line, place.column)),
        "event": note.kind,
        "text": line::line(plan, map, at, note),
    })
}

fn loc(plan: &Plan, note: &Note) -> Option<LocId> {
    match &note.kind {
        NoteKind::Judged(judged) => Some(judged.loc),
        NoteKind::RuleFired { watch, rule, .. } => {
            let rules = &plan.watches.get(*watch as usize)?.rules;
            rules.get(*rule as usize).map(|rule| rule.loc)
        }
        _ => note.node.and_then(|id| plan.node(id)).map(|node| node.loc),
    }
}
