//! `ref`: which item of the list stands for which line, each once.

use crate::diagnostics::Diagnostic;
use crate::resolve::{messages, walk};
use crate::source::Span;
use crate::syntax::ast::Item;
use std::collections::HashMap;

/// An id that is claimed twice, wherever in the plan.
pub fn check<'a>(items: impl Iterator<Item = &'a Item>) -> Vec<Diagnostic> {
    let mut first: HashMap<&str, Span> = HashMap::new();
    let mut found = Vec::new();
    for item in items {
        walk::each_head(item, &mut |head| {
            for reference in &head.refs {
                match first.get(reference.id.as_str()) {
                    Some(span) => found.push(messages::doubled_reference(reference, *span)),
                    None => {
                        first.insert(&reference.id, reference.span);
                    }
                }
            }
        });
    }
    found
}
