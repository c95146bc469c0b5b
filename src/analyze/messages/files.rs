//! Words for files that a plan names.

use crate::analyze::files::FileError;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::typing as codes;
use crate::providers::manifest::Problem;
use crate::source::Span;

pub fn unreadable(span: Span, path: &str, error: &FileError) -> Diagnostic {
    let message = match error {
        FileError::Missing => format!("there is no file or folder `{path}`"),
        FileError::Unreadable(words) => format!("`{path}` cannot be read: {words}"),
    };
    Diagnostic::new(&codes::FILE_UNREADABLE, span, message).help(match error {
        FileError::Missing => "paths begin at the folder of the plan",
        FileError::Unreadable(_) => "look whether this is the file that was meant",
    })
}

pub fn no_manifests(span: Span, path: &str) -> Diagnostic {
    let message = format!("there is no manifest in `{path}`");
    Diagnostic::new(&codes::FILE_UNREADABLE, span, message)
        .help("manifests end in `.yaml`, `.yml` or `.json`; folders inside it are not read")
}

pub fn outside(span: Span, path: &str) -> Diagnostic {
    let message = format!("`{path}` lies outside of the plan's folder");
    Diagnostic::new(&codes::FILE_UNREADABLE, span, message)
        .help("put the file beside the plan: what is signed has to hold all that is applied")
}

/// `place` is in the file, `call` in the plan.
pub fn invalid_manifest(problem: &Problem, place: Span, call: Span) -> Diagnostic {
    let mut found = Diagnostic::new(&codes::MANIFEST_INVALID, place, problem.message.clone());
    found.help = problem.help.clone();
    found.and(call, "applied here")
}
