//! The arguments of a call, read by the provider that carries it out. The checker has seen their types; a journal that
//! was written by another version has not.

use crate::providers::request::{Call, Failure, FailureKind};
use crate::values::Value;

impl Call {
    pub fn text(&self, name: &str) -> Result<&str, Failure> {
        let text = self.optional_text(name)?;
        text.ok_or_else(|| self.wrong(name, "is missing"))
    }

    pub fn optional_text(&self, name: &str) -> Result<Option<&str>, Failure> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "has to be a string")),
        }
    }

    /// An absent list is empty.
    pub fn texts(&self, name: &str) -> Result<Vec<&str>, Failure> {
        let wrong = || self.wrong(name, "has to be a list of strings");
        match self.given(name) {
            None => Ok(Vec::new()),
            Some(Value::List(items)) => items
                .iter()
                .map(|item| match item {
                    Value::String(text) => Ok(text.as_str()),
                    _ => Err(wrong()),
                })
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    /// An absent map is empty.
    pub fn texts_by_name(&self, name: &str) -> Result<Vec<(&str, &str)>, Failure> {
        let wrong = || self.wrong(name, "has to be a map of strings");
        match self.given(name) {
            None => Ok(Vec::new()),
            Some(Value::Record(entries)) => entries
                .iter()
                .map(|(key, value)| match value {
                    Value::String(text) => Ok((key, text.as_str())),
                    _ => Err(wrong()),
                })
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    pub fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.wrong(name, "has to be `true` or `false`")),
        }
    }

    pub fn unknown_function(&self) -> Failure {
        let message = format!("`{}` has no function `{}`", self.provider, self.function);
        Failure::new(FailureKind::Refused, message)
    }

    fn given(&self, name: &str) -> Option<&Value> {
        self.args
            .get(name)
            .filter(|value| !matches!(value, Value::Absent))
    }

    fn wrong(&self, name: &str, what: &str) -> Failure {
        let message = format!("`{}.{}`: `{name}` {what}", self.provider, self.function);
        Failure::new(FailureKind::Refused, message)
    }
}
