//! The registry: each diagnostic has a code, a name that can be read, and a page.
//!
//! One file per stage. `tests/tidy.rs` checks that each code has a page in `explain/`, a fixture in `tests/ui/`
//! that raises it, and one near it that does not.
//!
//! | codes | about |
//! |---|---|
//! | D01xx | text and syntax |
//! | D02xx | names, places, structure |
//! | D03xx | types, dimensions, units |
//! | D04xx | effects and order |
//! | D05xx | time: deadlines, windows, samples, pauses |
//! | D06xx | undo and rollback |
//! | D07xx | metrics and PromQL |
//! | D08xx | providers, manifests, canaries |
//! | D09xx | people: roles, gates |
//! | D10xx | lints |
//! | D11xx | scenarios |
//! | D13xx | promises that `deployc verify` has seen broken |

pub mod canary;
pub mod order;
pub mod promql;
pub mod scenario;
pub mod structure;
pub mod syntax;
pub mod timing;
pub mod typing;
pub mod verify;

use crate::diagnostics::Severity;

#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `D0302`
    pub id: &'static str,
    /// `dimension-mismatch`: kebab-case, what is wrong.
    pub name: &'static str,
    pub severity: Severity,
    /// The explain page, Markdown.
    pub page: &'static str,
}

/// All codes, in the order of their ids.
pub fn all() -> impl Iterator<Item = &'static Code> {
    let stages: [&'static [&'static Code]; 9] = [
        syntax::ALL,
        structure::ALL,
        typing::ALL,
        order::ALL,
        timing::ALL,
        promql::ALL,
        canary::ALL,
        scenario::ALL,
        verify::ALL,
    ];
    stages.into_iter().flatten().copied()
}

/// By id (`D0302`, in any case) or by name.
pub fn find(code: &str) -> Option<&'static Code> {
    all().find(|known| known.id.eq_ignore_ascii_case(code) || known.name == code)
}

/// Declares codes and the list `ALL` of them: `NAME = "D0302" "dimension-mismatch" Error;`.
/// The page is `explain/<name>.md`.
#[macro_export]
macro_rules! codes {
    ($($(#[$doc:meta])* $constant:ident = $id:literal $name:literal $severity:ident;)*) => {
        $($(#[$doc])*
        pub static $constant: $crate::diagnostics::codes::Code = $crate::diagnostics::codes::Code {
            id: $id,
            name: $name,
            severity: $crate::diagnostics::Severity::$severity,
            page: include_str!(concat!("../explain/", $name, ".md")),
        };)*
        pub static ALL: &[&$crate::diagnostics::codes::Code] = &[$(&$constant),*];
    };
}
