//! From a tree to text, in the one style of the language.
//!
//! Lines have at most 100 columns where that can be done; a statement that is longer goes on in lines that are indented
//! deeper. Empty lines stay, but never two. A block of one short statement stands on one line for `for`, `when`,
//! `every`, `at`, `parallel` and checks; all others have lines of their own.
//!
//! **Invariant:** parsing what was printed gives the tree again, but for its spans. Comments are never lost. A tree with
//! junk in it has no text: whoever formats looks at the diagnostics first.

mod clause;
mod doc;
mod expr;
mod item;
mod lines;
mod scenario;
mod stmt;

use crate::syntax::ast::{File, StmtKind};
use crate::syntax::print::lines::Lines;

/// The text of a whole file.
pub fn file(file: &File) -> String {
    let mut lines = Lines::default();
    if let Some(version) = &file.version {
        lines.leading(&version.comments);
        lines.add(&format!("deploy {}", version.number));
        lines.behind(&version.comments.trailing);
    }
    for item in &file.items {
        lines.leading(&item.comments);
        item::print(&mut lines, item);
    }
    lines.comments(&file.trailing);
    lines.finish()
}

/// The text of one statement, without its comments.
pub fn statement(kind: &StmtKind) -> String {
    let mut lines = Lines::default();
    stmt::print(&mut lines, kind, &[]);
    lines.finish().trim_end().to_owned()
}
