//! Words for plans that come to more than can be carried out.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::structure::TOO_LARGE;
use crate::source::Span;
use crate::syntax::ast::Ident;

/// At the copy that is too much.
pub fn plan_too_large(span: Span, bytes: usize) -> Diagnostic {
    let mib = bytes / (1024 * 1024);
    let message = format!("written out up to here, the plan is larger than {mib} MiB");
    Diagnostic::new(&TOO_LARGE, span, message)
        .label("one copy too many")
        .help("call fewer defines from defines, or shorten the lists that are gone through")
        .note(
            "a define is written out wherever it is called, the items of a `for` for each element",
        )
}

pub fn name_too_large(name: &Ident, bytes: usize) -> Diagnostic {
    let kib = bytes / 1024;
    let message = format!("`{}` stands for more than {kib} KiB", name.name);
    Diagnostic::new(&TOO_LARGE, name.span, message)
        .note("what it is made of is written out, as often as it is named")
}

pub fn name_too_deep(name: &Ident, levels: usize) -> Diagnostic {
    let message = format!(
        "`{}` stands for something of more than {levels} levels",
        name.name
    );
    Diagnostic::new(&TOO_LARGE, name.span, message)
        .note("what the names in it stand for counts, too")
}

/// At the item that is too deep.
pub fn nested_too_deep(span: Span, levels: usize) -> Diagnostic {
    let message = format!("more than {levels} levels of items stand in each other");
    Diagnostic::new(&TOO_LARGE, span, message).label("one level too many")
}

/// `name` is that of a define.
pub fn called_too_deep(name: &Ident, levels: usize) -> Diagnostic {
    let message = format!(
        "`{}` is called more than {levels} levels deep in other defines and blocks",
        name.name
    );
    Diagnostic::new(&TOO_LARGE, name.span, message)
}

pub fn metric_too_deep(name: &Ident, levels: usize) -> Diagnostic {
    let message = format!(
        "`{}` is made of metrics of metrics, more than {levels} levels deep",
        name.name
    );
    Diagnostic::new(&TOO_LARGE, name.span, message)
        .help("let it be one query, or let Prometheus record some of the levels")
}
