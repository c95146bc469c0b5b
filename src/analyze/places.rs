//! From the ids of places in a plan back to the text that they stand for.

use crate::plan::LocId;
use crate::source::{FileId, Span};
use std::collections::BTreeMap;

/// The span of each [`LocId`], in their order; beside the plan, as [`crate::plan::SourceMap`] is.
#[derive(Clone, Debug, Default)]
pub struct Places {
    spans: Vec<Span>,
    /// Of the settings of the plan, which have no [`LocId`]: `deadline`, `window`.
    settings: BTreeMap<String, Span>,
}

impl Places {
    /// Remembers a place.
    pub fn add(&mut self, span: Span) -> LocId {
        self.spans.push(span);
        LocId(u32::try_from(self.spans.len() - 1).unwrap_or(u32::MAX))
    }

    /// An id that is not here stands for the start of the first file: a diagnostic must not be lost over its place.
    pub fn span(&self, loc: LocId) -> Span {
        let nowhere = Span::new(FileId(0), 0, 0);
        self.spans.get(loc.0 as usize).copied().unwrap_or(nowhere)
    }

    /// Remembers where a setting of the plan stands.
    pub fn add_setting(&mut self, word: &str, span: Span) {
        self.settings.insert(word.to_owned(), span);
    }

    pub fn setting(&self, word: &str) -> Option<Span> {
        self.settings.get(word).copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = Span> + '_ {
        self.spans.iter().copied()
    }
}
