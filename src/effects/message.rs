//! What a `notify` says, read from its call: the same for each provider that tells.

use crate::providers::request::{Call, Failure, FailureKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The files of the plan's folder, by path.
pub type Files = Arc<BTreeMap<String, String>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    pub title: Option<&'a str>,
    pub text: &'a str,
    pub refs: Vec<&'a str>,
    /// The text of the file that was named.
    pub file: Option<&'a str>,
}

pub fn read<'a>(call: &'a Call, files: &'a Files) -> Result<Message<'a>, Failure> {
    if call.function != "tell" {
        return Err(call.unknown_function());
    }
    Ok(Message {
        title: call.optional_text("title")?,
        text: call.text("text")?,
        refs: call.texts("refs")?,
        file: file(call, files)?,
    })
}

fn file<'a>(call: &'a Call, files: &'a Files) -> Result<Option<&'a str>, Failure> {
    let Some(path) = call.optional_text("file")? else {
        return Ok(None);
    };
    match files.get(path) {
        Some(text) => Ok(Some(text)),
        None => {
            let message = format!("the plan holds no file `{path}`");
            Err(Failure::new(FailureKind::Refused, message))
        }
    }
}
