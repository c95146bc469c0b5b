//! The one text of a plan, and the digest that approvals, journals and reports are pinned to.
//!
//! **Invariant:** two plans with one digest are carried out alike. Text that moved, provider addresses, secrets' names and
//! inputs that are marked `place` are no part of it, so that staging and production are one plan.

use crate::plan::Plan;
use crate::plan::canonical::canonical;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// `sha256:` and 64 hexadecimal digits.
pub fn digest(plan: &Plan) -> String {
    let bytes = Sha256::digest(meaning(plan).as_bytes());
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// What the digest is taken of: canonical JSON of what the plan means.
pub fn meaning(plan: &Plan) -> String {
    json(&canonical(plan))
}

/// Canonical JSON: keys in the order of their bytes, no white space. A [`Plan`] is read back from it as it was.
pub fn json(value: &impl Serialize) -> String {
    // Plans hold nothing that JSON cannot say: their floats travel as text, their keys are strings.
    serde_json::to_value(value)
        .map(|value| sorted(value).to_string())
        .unwrap_or_default()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.sort_by(|(a, _), (b, _)| a.cmp(b));
            let fields = fields.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(fields.collect::<Map<String, Value>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
