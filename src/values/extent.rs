//! How large a value is, and how many levels stand in each other in it.

use crate::values::Value;
use serde_json::Value as Json;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// About as many as it takes written down.
    pub bytes: usize,
    pub depth: usize,
}

/// Of a number, an operator, the quotes around a text.
const PART_BYTES: usize = 8;

impl Extent {
    pub fn of(value: &Value) -> Extent {
        match value {
            Value::String(text) => Extent::default().within(text.len()),
            Value::List(values) => together(values.iter().map(Extent::of)).within(0),
            Value::Record(fields) => {
                together(fields.iter().map(|(_, value)| Extent::of(value))).within(0)
            }
            Value::Json(json) => of_json(json),
            _ => Extent::default().within(0),
        }
    }

    #[must_use]
    pub fn beside(self, other: Extent) -> Extent {
        Extent {
            bytes: self.bytes.saturating_add(other.bytes),
            depth: self.depth.max(other.depth),
        }
    }

    /// Something around it, with so much text of its own.
    #[must_use]
    pub fn within(self, bytes: usize) -> Extent {
        Extent {
            bytes: self.bytes.saturating_add(bytes).saturating_add(PART_BYTES),
            depth: self.depth + 1,
        }
    }
}

pub fn together(parts: impl Iterator<Item = Extent>) -> Extent {
    parts.fold(Extent::default(), Extent::beside)
}

fn of_json(json: &Json) -> Extent {
    match json {
        Json::String(text) => Extent::default().within(text.len()),
        Json::Array(values) => together(values.iter().map(of_json)).within(0),
        Json::Object(fields) => {
            let fields = fields.iter();
            together(fields.map(|(name, value)| of_json(value).within(name.len()))).within(0)
        }
        _ => Extent::default().within(0),
    }
}
