//! Values as a person reads them.

use crate::units::show;
use crate::values::fields::Fields;
use crate::values::{Instant, Value, Verdict};
use jiff::Timestamp;

/// One line, bounded: a long text or list is cut.
pub fn value(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::String(text) => format!("\"{}\"", cut(text)),
        Value::Version(version) => version.text.clone(),
        Value::Instant(at) => instant(*at),
        Value::Quantity(quantity) => show::quantity(*quantity),
        Value::Verdict(verdict) => word(*verdict).to_owned(),
        Value::Interval(from, to) => format!("{} .. {}", instant(*from), instant(*to)),
        Value::List(values) => list(values),
        Value::Record(fields) => cut(&record(fields)),
        Value::Json(json) => cut(&json.to_string()),
        Value::Absent => "no data".to_owned(),
    }
}

/// The text that stands in a message: as [`value`], but a string has no quotes.
pub fn interpolated(shown: &Value) -> String {
    match shown {
        Value::String(text) => text.clone(),
        other => value(other),
    }
}

/// `2026-01-21 06:30:15Z`
pub fn instant(at: Instant) -> String {
    match Timestamp::from_nanosecond(i128::from(at.0)) {
        Ok(stamp) => stamp.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        Err(_) => at.0.to_string(),
    }
}

/// `06:30:15`
pub fn time_of_day(at: Instant) -> String {
    match Timestamp::from_nanosecond(i128::from(at.0)) {
        Ok(stamp) => stamp.strftime("%H:%M:%S").to_string(),
        Err(_) => at.0.to_string(),
    }
}

pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Error => "error",
        Verdict::Skipped => "skipped",
        Verdict::Cancelled => "cancelled",
        Verdict::NotApplicable => "not applicable",
    }
}

const SHOWN_CHARS_MAX: usize = 200;
const SHOWN_ITEMS_MAX: usize = 12;

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or("")),
        None => text.to_owned(),
    }
}

fn list(values: &[Value]) -> String {
    let shown: Vec<String> = values.iter().take(SHOWN_ITEMS_MAX).map(value).collect();
    let more = values.len().saturating_sub(SHOWN_ITEMS_MAX);
    match more {
        0 => format!("[{}]", shown.join(", ")),
        _ => format!("[{}, … {more} more]", shown.join(", ")),
    }
}

fn record(fields: &Fields) -> String {
    let shown: Vec<String> = fields
        .iter()
        .take(SHOWN_ITEMS_MAX)
        .map(|(name, field)| format!("{name}: {}", value(field)))
        .collect();
    format!("{{ {} }}", shown.join(", "))
}
