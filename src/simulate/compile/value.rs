//! Values of a scenario: literals, lists, maps.

use crate::simulate::compile::{Compiler, messages};
use crate::syntax::ast::{Entry, Expr, ExprKind, StringLit, StringPart};
use crate::units::Dim;
use crate::units::amount::Amount;
use crate::units::literal;
use crate::values::fields::Fields;
use crate::values::{Instant, Value, version};
use jiff::Timestamp;
use serde_json::Value as Json;

impl Compiler<'_> {
    pub fn value(&mut self, expr: &Expr) -> Option<Value> {
        match &expr.kind {
            ExprKind::Bool(value) => Some(Value::Bool(*value)),
            ExprKind::Number { digits, unit } => {
                let unit = unit.as_ref().map(|unit| unit.name.as_str());
                match literal::parse(digits, unit) {
                    Ok(literal) => Some(Value::Quantity(literal.quantity)),
                    Err(_) => {
                        let text = format!("{digits}{}", unit.unwrap_or_default());
                        self.say(messages::wrong_number(&text, expr.span));
                        None
                    }
                }
            }
            ExprKind::Version(text) => version::parse(text).map(Value::version),
            ExprKind::Instant(text) => match instant(text) {
                Some(at) => Some(Value::Instant(at)),
                None => self.no_value(expr),
            },
            ExprKind::String(text) => match plain_text(text) {
                Some(text) => Some(Value::String(text)),
                None => self.no_value(expr),
            },
            ExprKind::Raw(text) => Some(Value::String(text.clone())),
            ExprKind::Name(name) if name == "absent" => Some(Value::Absent),
            ExprKind::List(items) => {
                let values: Vec<Option<Value>> =
                    items.iter().map(|item| self.value(item)).collect();
                values
                    .into_iter()
                    .collect::<Option<Vec<Value>>>()
                    .map(Value::List)
            }
            ExprKind::Map(entries) => self.map(entries),
            ExprKind::Paren(inner) => self.value(inner),
            ExprKind::Junk => None,
            _ => self.no_value(expr),
        }
    }

    /// Nanoseconds.
    pub fn duration(&mut self, expr: &Expr) -> Option<i64> {
        let value = self.value(expr)?;
        if let Value::Quantity(quantity) = &value
            && quantity.dim == Dim::Duration
            && let Amount::Exact(nano) = quantity.amount
        {
            return i64::try_from(nano.0).ok();
        }
        self.say(messages::no_duration(expr.span));
        None
    }

    fn map(&mut self, entries: &[Entry]) -> Option<Value> {
        let mut fields = Fields::new();
        for entry in entries {
            fields.insert(entry.key.name.clone(), self.value(&entry.value)?);
        }
        Some(Value::Record(fields))
    }

    fn no_value(&mut self, expr: &Expr) -> Option<Value> {
        self.say(messages::no_value(expr.span));
        None
    }
}

/// A string without holes.
pub fn plain_text(text: &StringLit) -> Option<String> {
    let mut plain = String::new();
    for part in &text.parts {
        match part {
            StringPart::Text(text) => plain.push_str(text),
            StringPart::Interpolation(_) => return None,
        }
    }
    Some(plain)
}

/// What a value is as JSON; a string is taken for the text of it.
pub fn json(value: &Value) -> Result<Json, String> {
    match value {
        Value::String(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
        other => Ok(inner_json(other)),
    }
}

fn inner_json(value: &Value) -> Json {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::String(text) => text.clone().into(),
        Value::Version(version) => version.text.clone().into(),
        Value::Quantity(quantity) => number(quantity.amount.as_f64()),
        Value::List(values) => values.iter().map(inner_json).collect(),
        Value::Record(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.to_owned(), inner_json(value)));
            Json::Object(fields.collect())
        }
        Value::Json(json) => Json::clone(json),
        _ => Json::Null,
    }
}

/// `7` and not `7.0`, where it is whole.
fn number(value: f64) -> Json {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        (value as i64).into()
    } else {
        value.into()
    }
}

/// With or without its zone; a scenario's clock is UTC.
fn instant(text: &str) -> Option<Instant> {
    let text = text.replacen(' ', "T", 1);
    let zoned = if text.ends_with('Z') || text.get(10..)?.contains(['+', '-']) {
        text
    } else {
        format!("{text}Z")
    };
    let stamp: Timestamp = zoned.parse().ok()?;
    i64::try_from(stamp.as_nanosecond()).ok().map(Instant)
}
