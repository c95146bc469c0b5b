//! One JSON object a line and diagnostic, for programs.

use crate::diagnostics::{Diagnostic, Label};
use crate::source::Sources;
use serde_json::{Value, json};

/// Lines and columns count from 1, columns in characters; `start` and `end` are byte offsets into the file.
pub fn render(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let secondary: Vec<Value> = diagnostic
        .secondary
        .iter()
        .map(|label| place(label, sources))
        .collect();
    let fix = diagnostic.fix.as_ref().map(|fix| {
        let edits: Vec<Value> = fix
            .edits
            .iter()
            .map(
                |edit| json!({ "start": edit.span.start, "end": edit.span.end, "text": edit.text }),
            )
            .collect();
        json!({ "title": fix.title, "edits": edits })
    });
    json!({
        "severity": super::severity_word(diagnostic.severity),
        "code": diagnostic.code.id,
        "name": diagnostic.code.name,
        "message": diagnostic.message,
        "place": place(&diagnostic.primary, sources),
        "also": secondary,
        "help": diagnostic.help,
        "note": diagnostic.note,
        "fix": fix,
    })
    .to_string()
}

fn place(label: &Label, sources: &Sources) -> Value {
    let (file, at) = match sources.locate(label.span) {
        Some((file, at)) => (Some(file), Some(at)),
        None => (None, None),
    };
    json!({
        "file": file,
        "line": at.map(|at| at.line),
        "column": at.map(|at| at.column),
        "start": label.span.start,
        "end": label.span.end,
        "text": label.text,
    })
}
