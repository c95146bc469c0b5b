//! What every item may refer to, and what comes out of one item.
//!
//! An item is analysed by itself: from [`Globals`], which nobody changes meanwhile, to a [`Fragment`] whose ids count
//! from zero. So an editor can redo one item and [`crate::analyze::link`] it anew.

use crate::analyze::extent::Room;
use crate::analyze::files::Files;
use crate::analyze::manifest::FileProblem;
use crate::analyze::plan_item::PlanSettings;
use crate::analyze::promql::{NotNarrowed, Query};
use crate::analyze::typed::Typed;
use crate::diagnostics::Diagnostic;
use crate::plan::LocId;
use crate::plan::node::{Node, NodeId};
use crate::resolve::names::{DeclId, Names};
use crate::resolve::order::PhaseOrder;
use crate::source::{Sources, Span};
use crate::units::Dim;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Everything that is declared, with what is known of it.
pub struct Globals<'a> {
    pub sources: &'a Sources,
    pub files: &'a dyn Files,
    pub names: Names<'a>,
    pub order: PhaseOrder,
    pub plan: PlanSettings,
    pub metrics: HashMap<DeclId, MetricInfo>,
    pub lets: HashMap<DeclId, Typed>,
    pub canaries: Vec<CanaryInfo>,
    pub room: Room,
}

/// What a use of a metric has to know.
#[derive(Clone, Debug)]
pub struct MetricInfo {
    /// Its place in [`crate::plan::Plan::metrics`].
    pub index: u32,
    /// `None`: its type already has a diagnostic.
    pub dim: Option<Dim>,
    pub query: Option<MetricQuery>,
    /// The metrics that it is made of.
    pub parts: Vec<DeclId>,
    /// How many levels stand in each other in it and in what it is made of.
    pub depth: usize,
    /// Itself, or one that it is made of, whose query cannot be narrowed.
    pub not_narrowed: Option<DeclId>,
}

#[derive(Clone, Debug)]
pub struct MetricQuery {
    pub query: Query,
    pub literal: Span,
}

impl MetricInfo {
    /// Why the metric, or one that it is made of, cannot be narrowed to one revision.
    pub fn not_narrowed<'g>(
        &'g self,
        metrics: &'g HashMap<DeclId, MetricInfo>,
    ) -> Option<(&'g NotNarrowed, Span)> {
        let own = metrics.get(&self.not_narrowed?)?.query.as_ref()?;
        let why = own.query.scoped.as_ref().err()?;
        Some((why, own.literal))
    }

    pub fn is_narrowed(&self) -> bool {
        let own = self.query.as_ref();
        own.is_none_or(|own| own.query.scoped.is_ok())
    }
}

/// A canary of the plan.
#[derive(Clone, Copy, Debug)]
pub struct CanaryInfo {
    /// The step that releases what it moves.
    pub step: DeclId,
    /// The phase in which it stands.
    pub phase: DeclId,
}

/// What one item becomes. Ids of nodes, `let`s and places count from zero; names are not looked up yet.
#[derive(Default)]
pub struct Fragment {
    pub nodes: Vec<Node>,
    /// Which node a name stands for.
    pub named: Vec<(DeclId, NodeId)>,
    /// `let`s of phases and sections, which are read once.
    pub lets: Vec<crate::plan::Let>,
    pub places: Vec<Span>,
    known_places: FxHashMap<Span, LocId>,
    /// How many nodes have each path, before they are numbered.
    pub paths: HashMap<String, u32>,
    /// Text of files that calls name.
    pub files: BTreeMap<String, String>,
    pub file_problems: Vec<FileProblem>,
    /// Of the inputs that a `for … up to N` goes through.
    pub bounds: Vec<Bound>,
    pub used: BTreeSet<DeclId>,
    pub found: Vec<Diagnostic>,
    /// That it found no room; what is found after that follows from it.
    pub too_large: Option<Diagnostic>,
}

/// `for x in INPUT up to N`
#[derive(Clone, Debug)]
pub struct Bound {
    pub input: String,
    pub most: u32,
    /// Of the N.
    pub at: Span,
}

/// The analysis of one item.
pub struct Cx<'g, 'a> {
    pub g: &'g Globals<'a>,
    pub out: Fragment,
}

impl<'g, 'a> Cx<'g, 'a> {
    pub fn new(g: &'g Globals<'a>) -> Cx<'g, 'a> {
        Cx {
            g,
            out: Fragment::default(),
        }
    }

    /// A place of several lines is shown by its first one: what is wrong is said of the statement that begins there.
    pub fn report(&mut self, mut diagnostic: Diagnostic) {
        let span = &mut diagnostic.primary.span;
        let text = self.g.sources.text(*span);
        if let Some(length) = text.find('\n') {
            let first = text.get(..length).unwrap_or(text).trim_end();
            let length = u32::try_from(first.len()).unwrap_or(0);
            span.end = span.start.saturating_add(length);
        }
        self.out.found.push(diagnostic);
    }

    pub fn loc(&mut self, span: Span) -> LocId {
        self.out.loc(span)
    }

    /// The text of a place on one line, bounded, for messages.
    pub fn text(&self, span: Span) -> String {
        const SHOWN_CHARS_MAX: usize = 120;
        let text = self.g.sources.text(span);
        let mut line = String::with_capacity(text.len());
        for word in text.split_whitespace() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        // A character has at least one byte.
        if line.len() <= SHOWN_CHARS_MAX || line.chars().count() <= SHOWN_CHARS_MAX {
            return line;
        }
        let cut: String = line.chars().take(SHOWN_CHARS_MAX).collect();
        format!("{cut}…")
    }
}

impl Fragment {
    /// The same place always has the same id: a pause's time is a total for the place that wrote it.
    pub fn loc(&mut self, span: Span) -> LocId {
        if let Some(known) = self.known_places.get(&span) {
            return *known;
        }
        let id = LocId(u32::try_from(self.places.len()).unwrap_or(u32::MAX));
        self.places.push(span);
        self.known_places.insert(span, id);
        id
    }
}

/// Marks an id that stands for a name, or for a `let` of this fragment, until the plan is linked.
const UNLINKED: u32 = 1 << 31;

pub fn unlinked_node(decl: DeclId) -> NodeId {
    NodeId(UNLINKED | decl.0)
}

/// The name that an unlinked node stands for.
pub fn name_of(node: NodeId) -> Option<DeclId> {
    (node.0 & UNLINKED != 0).then_some(DeclId(node.0 & !UNLINKED))
}

pub fn unlinked_let(own: usize) -> u32 {
    UNLINKED | u32::try_from(own).unwrap_or(0)
}

/// The place of an unlinked `let` in its fragment.
pub fn own_let(index: u32) -> Option<u32> {
    (index & UNLINKED != 0).then_some(index & !UNLINKED)
}
