//! The arguments of a call, and the fields of a release among them.

use crate::effects::kubernetes::failure::invalid;
use crate::providers::request::{Call, Failure};
use crate::units::amount::{Amount, NANO, Nano};
use crate::values::fields::Fields;
use crate::values::{Instant, Value};
use indexmap::IndexMap;

/// Arguments by name, each read as what its parameter is declared to be.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    of: &'a str,
    values: &'a Fields,
}

impl<'a> Args<'a> {
    pub fn of(call: &'a Call) -> Args<'a> {
        Args {
            of: &call.function,
            values: &call.args,
        }
    }

    pub fn text(&self, name: &str) -> Result<&'a str, Failure> {
        self.optional_text(name)?.ok_or_else(|| self.missing(name))
    }

    pub fn optional_text(&self, name: &str) -> Result<Option<&'a str>, Failure> {
        match self.values.get(name) {
            None | Some(Value::Absent) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "a string")),
        }
    }

    pub fn instant(&self, name: &str) -> Result<Instant, Failure> {
        match self.values.get(name) {
            Some(Value::Instant(at)) => Ok(*at),
            _ => Err(self.wrong(name, "an instant")),
        }
    }

    pub fn optional_ratio(&self, name: &str) -> Result<Option<Nano>, Failure> {
        match self.values.get(name) {
            None | Some(Value::Absent) => Ok(None),
            Some(value) => match value.amount() {
                Some(Amount::Exact(nano)) => Ok(Some(nano)),
                Some(Amount::Measured(ratio)) if ratio.is_finite() => {
                    Ok(Some(Nano((ratio * NANO as f64).round() as i128)))
                }
                _ => Err(self.wrong(name, "a ratio")),
            },
        }
    }

    pub fn ratio(&self, name: &str) -> Result<Nano, Failure> {
        self.optional_ratio(name)?.ok_or_else(|| self.missing(name))
    }

    pub fn optional_count(&self, name: &str) -> Result<Option<u32>, Failure> {
        let wrong = || self.wrong(name, "a whole number");
        match self.optional_ratio(name)? {
            None => Ok(None),
            Some(nano) if nano.0 % NANO == 0 => {
                u32::try_from(nano.0 / NANO).map(Some).map_err(|_| wrong())
            }
            Some(_) => Err(wrong()),
        }
    }

    pub fn count(&self, name: &str) -> Result<u32, Failure> {
        self.optional_count(name)?.ok_or_else(|| self.missing(name))
    }

    pub fn map(&self, name: &str) -> Result<IndexMap<String, String>, Failure> {
        match self.values.get(name) {
            None | Some(Value::Absent) => Ok(IndexMap::new()),
            Some(Value::Record(entries)) => entries
                .iter()
                .map(|(key, value)| match value {
                    Value::String(text) => Ok((key.to_owned(), text.clone())),
                    _ => Err(self.wrong(name, "a map of strings")),
                })
                .collect(),
            Some(_) => Err(self.wrong(name, "a map of strings")),
        }
    }

    pub fn texts(&self, name: &str) -> Result<Vec<String>, Failure> {
        match self.values.get(name) {
            None | Some(Value::Absent) => Ok(Vec::new()),
            Some(Value::List(items)) => items
                .iter()
                .map(|item| match item {
                    Value::String(text) => Ok(text.clone()),
                    _ => Err(self.wrong(name, "a list of strings")),
                })
                .collect(),
            Some(_) => Err(self.wrong(name, "a list of strings")),
        }
    }

    /// The fields of a record, as arguments of their own.
    pub fn record(&self, name: &str) -> Result<Args<'a>, Failure> {
        match self.values.get(name) {
            Some(Value::Record(values)) => Ok(Args {
                of: self.of,
                values,
            }),
            _ => Err(self.wrong(name, "a record")),
        }
    }

    fn missing(&self, name: &str) -> Failure {
        invalid(format!("`{}` needs `{name}`", self.of))
    }

    fn wrong(&self, name: &str, wanted: &str) -> Failure {
        invalid(format!("`{name}` of `{}` has to be {wanted}", self.of))
    }
}

pub fn record<const N: usize>(fields: [(&'static str, Value); N]) -> Value {
    Value::Record(Fields::from(fields))
}

pub fn string(text: impl Into<String>) -> Value {
    Value::String(text.into())
}

pub fn number(n: usize) -> Value {
    Value::count(i64::try_from(n).unwrap_or(i64::MAX))
}
