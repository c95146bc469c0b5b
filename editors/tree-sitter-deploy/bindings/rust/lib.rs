//! The grammar of `.deploy` for the library of tree-sitter.

use tree_sitter_language::LanguageFn;

unsafe extern "C" {
    fn tree_sitter_deploy() -> *const ();
}

/// The parser.
// SAFETY: the function is that of the generated parser, which takes nothing and returns a constant.
pub const LANGUAGE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_deploy) };

/// What is highlighted, and as what.
pub const HIGHLIGHTS_QUERY: &str = include_str!("../../queries/highlights.scm");

/// What is written in another language.
pub const INJECTIONS_QUERY: &str = include_str!("../../queries/injections.scm");
