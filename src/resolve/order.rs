//! Where each phase stands: edges from `order` and `after`, and what an `order`'s own name stands for.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::structure::RECURSIVE;
use crate::resolve::messages;
use crate::resolve::names::{Decl, DeclId, Names, What};
use crate::source::Span;
use crate::syntax::ast::{Ident, Item, ItemKind, Order, Phase};
use std::collections::{BTreeSet, HashMap};

/// One phase waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseEdge {
    pub from: DeclId,
    pub to: DeclId,
    /// The name that made the edge: that of the phase which waits.
    pub span: Span,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Order,
    After,
}

#[derive(Clone, Debug, Default)]
pub struct PhaseOrder {
    pub edges: Vec<PhaseEdge>,
    /// The phases of each `order`, by the place of its chain in the text.
    pub groups: Vec<(Span, Vec<DeclId>)>,
}

impl PhaseOrder {
    /// The phases of one `order`.
    pub fn phases_of(&self, order: &Order) -> Vec<DeclId> {
        let own = self
            .groups
            .iter()
            .find(|(span, _)| Some(*span) == place_of(order));
        own.map(|(_, phases)| phases.clone()).unwrap_or_default()
    }

    /// All phases that lie on a way from one to the other, both of them included.
    pub fn between(&self, from: DeclId, to: DeclId) -> BTreeSet<DeclId> {
        let ahead = self.reach(from, |edge| (edge.from, edge.to));
        let behind = self.reach(to, |edge| (edge.to, edge.from));
        ahead.intersection(&behind).copied().collect()
    }

    fn reach(
        &self,
        start: DeclId,
        direction: impl Fn(&PhaseEdge) -> (DeclId, DeclId),
    ) -> BTreeSet<DeclId> {
        let mut seen = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            for edge in &self.edges {
                let (near, far) = direction(edge);
                if near == at && seen.insert(far) {
                    open.push(far);
                }
            }
        }
        seen
    }
}

/// Reads every `order` and every phase's own place; a phase without one is refused.
pub fn place<'a>(
    items: impl Iterator<Item = &'a Item> + Clone,
    names: &Names<'a>,
) -> (PhaseOrder, Vec<Diagnostic>) {
    let mut placer = Placer {
        names,
        order: PhaseOrder::default(),
        placed: BTreeSet::new(),
        found: Vec::new(),
        ends: HashMap::new(),
    };
    for item in items.clone() {
        if let ItemKind::Order(order) = &item.kind {
            chain(&mut placer, order);
        }
    }
    for item in items {
        if let ItemKind::Phase(phase) = &item.kind {
            own_place(&mut placer, phase);
        }
    }
    (placer.order, placer.found)
}

struct Placer<'n, 'a> {
    names: &'n Names<'a>,
    order: PhaseOrder,
    placed: BTreeSet<DeclId>,
    found: Vec<Diagnostic>,
    /// The first and the last phases of named orders, and all of them; `None` while they are being worked out.
    ends: HashMap<DeclId, Option<Group>>,
}

#[derive(Clone, Debug, Default)]
struct Group {
    first: Vec<DeclId>,
    last: Vec<DeclId>,
    all: Vec<DeclId>,
}

fn chain(placer: &mut Placer<'_, '_>, order: &Order) {
    let steps: Vec<Vec<(Span, Group)>> = order
        .chain
        .iter()
        .map(|step| {
            step.iter()
                .map(|name| (name.span, group_of(placer, name)))
                .collect()
        })
        .collect();
    for pair in steps.windows(2) {
        let [before, after] = pair else { continue };
        for (span, later) in after {
            for (_, earlier) in before {
                connect(placer, earlier, later, *span);
            }
        }
    }
    let all: Vec<DeclId> = steps
        .iter()
        .flatten()
        .flat_map(|(_, group)| group.all.clone())
        .collect();
    placer.placed.extend(all.iter().copied());
    if let Some(place) = place_of(order) {
        placer.order.groups.push((place, all));
    }
}

fn place_of(order: &Order) -> Option<Span> {
    order.chain.iter().flatten().next().map(|name| name.span)
}

fn connect(placer: &mut Placer<'_, '_>, earlier: &Group, later: &Group, span: Span) {
    for from in &earlier.last {
        for to in &later.first {
            placer.order.edges.push(PhaseEdge {
                from: *from,
                to: *to,
                span,
                why: Why::Order,
            });
        }
    }
}

/// What a name in an `order` or behind `after` stands for; a wrong one is reported and stands for nothing.
fn group_of(placer: &mut Placer<'_, '_>, name: &Ident) -> Group {
    let Some(decl) = placer.names.find(&name.name).cloned() else {
        let near = placer.names.nearest(&name.name, is_ordered);
        let message = messages::unknown_name(name, "phase", near.map(|decl| decl.name));
        placer.found.push(message);
        return Group::default();
    };
    match decl.what {
        What::Phase(_) => Group {
            first: vec![decl.id],
            last: vec![decl.id],
            all: vec![decl.id],
        },
        What::Order(order) => named_group(placer, &decl, order, name),
        _ => {
            let message = messages::wrong_kind(name, &decl, "a phase or a named order");
            placer.found.push(message);
            Group::default()
        }
    }
}

fn named_group(placer: &mut Placer<'_, '_>, decl: &Decl<'_>, order: &Order, name: &Ident) -> Group {
    match placer.ends.get(&decl.id) {
        Some(Some(group)) => return group.clone(),
        Some(None) => {
            let message = messages::recursive(name, decl.span, "order");
            placer.found.push(message);
            return Group::default();
        }
        None => {}
    }
    placer.ends.insert(decl.id, None);
    let mut steps = Vec::new();
    for step in &order.chain {
        let mut merged = Group::default();
        for name in step {
            // Wrong names are reported where the order itself is read.
            let reported = placer.found.len();
            let group = group_of(placer, name);
            let found = placer.found.split_off(reported);
            let circular = found.into_iter().filter(|it| it.code == &RECURSIVE);
            placer.found.extend(circular);
            merged.first.extend(group.first);
            merged.last.extend(group.last);
            merged.all.extend(group.all);
        }
        steps.push(merged);
    }
    let group = Group {
        first: steps
            .first()
            .map(|step| step.first.clone())
            .unwrap_or_default(),
        last: steps
            .last()
            .map(|step| step.last.clone())
            .unwrap_or_default(),
        all: steps.into_iter().flat_map(|step| step.all).collect(),
    };
    placer.ends.insert(decl.id, Some(group.clone()));
    group
}

fn own_place(placer: &mut Placer<'_, '_>, phase: &Phase) {
    let Some(name) = &phase.head.name else { return };
    let Some(own) = placer.names.find(&name.name).map(|decl| decl.id) else {
        return;
    };
    let has_place = phase.place.at_start.is_some() || !phase.place.after.is_empty();
    if !has_place && !placer.placed.contains(&own) {
        placer.found.push(messages::phase_without_place(name));
    }
    for after in &phase.place.after {
        for from in group_of(placer, after).last {
            placer.order.edges.push(PhaseEdge {
                from,
                to: own,
                span: after.span,
                why: Why::After,
            });
        }
    }
}

fn is_ordered(what: &What<'_>) -> bool {
    matches!(what, What::Phase(_) | What::Order(_))
}
