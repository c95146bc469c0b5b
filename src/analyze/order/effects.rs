//! Edges between the items of one group, from what they do to the world.

use crate::plan::Plan;
use crate::plan::node::{Edge, EdgeWhy, Node, NodeId, NodeKind};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// The later node of each edge, and the edge.
pub fn edges(plan: &Plan) -> Vec<(NodeId, Edge)> {
    let mut found = Vec::new();
    for node in &plan.nodes {
        match &node.kind {
            NodeKind::Phase | NodeKind::When(_) | NodeKind::Every { .. } | NodeKind::Stage(_) => {
                found.extend(in_sequence(plan, &units(plan, node)));
            }
            // Elsewhere a section orders nothing; as a branch of a `parallel` it is a sequence of its own.
            NodeKind::Section if is_branch(plan, node) => {
                found.extend(in_sequence(plan, &units(plan, node)));
            }
            NodeKind::Canary(_) => found.extend(one_by_one(plan, node)),
            _ => {}
        }
    }
    found
}

/// What an item does, with everything inside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Does {
    reads: bool,
    tells: bool,
    asks: bool,
    /// Asks for signatures: waits for what is above it.
    gates: bool,
    writes: bool,
    holds: bool,
}

/// How an item stands among its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stance {
    /// Waits for all above, and all below wait for it.
    Wall,
    Gate,
    /// Commutes with its neighbours.
    Plain,
    /// Waits for all above; nothing waits for it.
    Tell,
}

struct Unit {
    id: NodeId,
    stance: Stance,
    /// Has an `after`, which takes the place of everything here.
    placed: bool,
    holds: bool,
}

fn units(plan: &Plan, group: &Node) -> Vec<NodeId> {
    let mut found = Vec::new();
    for child in &group.children {
        match plan.node(*child) {
            Some(section) if matches!(section.kind, NodeKind::Section) => {
                found.extend(units(plan, section));
            }
            Some(node) => found.push(node.id),
            None => {}
        }
    }
    by_data(plan, found)
}

fn is_branch(plan: &Plan, node: &Node) -> bool {
    let parent = node.parent.and_then(|parent| plan.node(parent));
    matches!(parent.map(|parent| &parent.kind), Some(NodeKind::Parallel))
}

fn one_by_one(plan: &Plan, canary: &Node) -> Vec<(NodeId, Edge)> {
    let pairs = canary.children.windows(2).filter_map(|pair| match pair {
        [first, second] => Some((*first, plan.node(*second)?)),
        _ => None,
    });
    pairs
        .map(|(first, second)| (second.id, edge(first, EdgeWhy::Effect, second)))
        .collect()
}

/// Where a scan of a sequence stands.
#[derive(Default)]
struct Scan {
    /// What everything below waits for.
    walls: Vec<Unit>,
    /// What stands below the last wall, and whether a gate below it waits for it.
    open: Vec<(Unit, Seen)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Open,
    Gated,
}

fn in_sequence(plan: &Plan, ids: &[NodeId]) -> Vec<(NodeId, Edge)> {
    let mut scan = Scan::default();
    let mut found = Vec::new();
    for id in ids {
        let Some(node) = plan.node(*id) else { continue };
        let unit = unit(plan, node);
        if !unit.placed {
            found.extend(
                scan.waits_for(&unit)
                    .into_iter()
                    .map(|first| (node.id, made(plan, first, node, &unit))),
            );
        }
        scan.pass(unit);
    }
    found
}

impl Scan {
    fn waits_for(&self, unit: &Unit) -> Vec<&Unit> {
        // The many: they wait for nothing of what is open, however much that is.
        if unit.stance == Stance::Plain {
            return self.walls.iter().collect();
        }
        let above = self.open.iter().filter(|(above, seen)| match unit.stance {
            Stance::Gate => !matches!(above.stance, Stance::Gate | Stance::Tell),
            _ => above.stance != Stance::Tell && *seen == Seen::Open,
        });
        let mut found: Vec<&Unit> = above.map(|(above, _)| above).collect();
        // What was placed elsewhere does not wait for the walls itself.
        if found.is_empty()
            || found.iter().any(|above| above.placed)
            || self.walls.iter().any(|w| w.placed)
        {
            found.extend(&self.walls);
        }
        found
    }

    fn pass(&mut self, unit: Unit) {
        match unit.stance {
            Stance::Wall if !unit.placed => {
                self.open.clear();
                self.walls = vec![unit];
            }
            // What stands above it does not come before it, so both are waited for.
            Stance::Wall => self.walls.push(unit),
            Stance::Gate => {
                for (above, seen) in &mut self.open {
                    if !unit.placed && above.stance == Stance::Plain {
                        *seen = Seen::Gated;
                    }
                }
                self.open.push((unit, Seen::Open));
            }
            Stance::Plain | Stance::Tell => self.open.push((unit, Seen::Open)),
        }
    }
}

fn unit(plan: &Plan, node: &Node) -> Unit {
    let does = does(plan, node);
    Unit {
        id: node.id,
        stance: stance(does),
        placed: node.after.iter().any(|edge| edge.why == EdgeWhy::After),
        holds: does.holds,
    }
}

fn stance(does: Does) -> Stance {
    match does {
        Does { writes: true, .. } | Does { holds: true, .. } => Stance::Wall,
        Does { gates: true, .. } => Stance::Gate,
        Does { reads: true, .. } | Does { asks: true, .. } => Stance::Plain,
        Does { tells: true, .. } => Stance::Tell,
        _ => Stance::Plain,
    }
}

fn does(plan: &Plan, node: &Node) -> Does {
    let mut does = Does::default();
    match &node.kind {
        NodeKind::Check(_) => does.reads = true,
        NodeKind::Step(_) | NodeKind::Canary(_) => does.writes = true,
        NodeKind::ConfirmGroup | NodeKind::Confirm(_) => does.asks = true,
        NodeKind::Approve(_) => does.gates = true,
        NodeKind::Hold { .. } => does.holds = true,
        NodeKind::Notify(_) => does.tells = true,
        NodeKind::Phase
        | NodeKind::Section
        | NodeKind::Parallel
        | NodeKind::When(_)
        | NodeKind::Stage(_)
        | NodeKind::Every { .. } => {
            for child in node.children.iter().filter_map(|child| plan.node(*child)) {
                does = both(does, self::does(plan, child));
            }
        }
    }
    does
}

fn both(a: Does, b: Does) -> Does {
    Does {
        reads: a.reads || b.reads,
        tells: a.tells || b.tells,
        asks: a.asks || b.asks,
        gates: a.gates || b.gates,
        writes: a.writes || b.writes,
        holds: a.holds || b.holds,
    }
}

/// The line that made an edge is that of the wall, wherever it stands.
fn made(plan: &Plan, first: &Unit, second: &Node, unit: &Unit) -> Edge {
    let why = match first.holds || unit.holds {
        true => EdgeWhy::Barrier,
        false => EdgeWhy::Effect,
    };
    let wall = match (first.stance, plan.node(first.id)) {
        (Stance::Wall, Some(wall)) if unit.stance != Stance::Wall => wall,
        _ => second,
    };
    edge(first.id, why, wall)
}

fn edge(from: NodeId, why: EdgeWhy, line: &Node) -> Edge {
    Edge {
        from,
        why,
        loc: line.loc,
    }
}

/// The order of the text, but for items that read or are placed behind what stands below them.
fn by_data(plan: &Plan, ids: Vec<NodeId>) -> Vec<NodeId> {
    let places: HashMap<NodeId, usize> = (0..).zip(&ids).map(|(at, id)| (*id, at)).collect();
    let mut later: Vec<Vec<usize>> = vec![Vec::new(); ids.len()];
    let mut waits = vec![0_usize; ids.len()];
    for (second, first) in written_pairs(plan, &ids, &places) {
        if let (Some(later), Some(waits)) = (later.get_mut(first), waits.get_mut(second)) {
            later.push(second);
            *waits += 1;
        }
    }
    let free = (0..ids.len()).filter(|at| waits.get(*at) == Some(&0));
    let mut queue: BinaryHeap<Reverse<usize>> = free.map(Reverse).collect();
    let mut order = Vec::with_capacity(ids.len());
    while let Some(Reverse(at)) = queue.pop() {
        order.extend(ids.get(at));
        for next in later.get(at).into_iter().flatten() {
            if let Some(count) = waits.get_mut(*next) {
                *count -= 1;
                if *count == 0 {
                    queue.push(Reverse(*next));
                }
            }
        }
    }
    // A cycle is reported elsewhere; until it is mended, the text decides.
    if order.len() == ids.len() { order } else { ids }
}

/// Places of units of which the first reads, or stands `after`, the second.
fn written_pairs(
    plan: &Plan,
    ids: &[NodeId],
    places: &HashMap<NodeId, usize>,
) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (at, id) in (0..).zip(ids) {
        let mut open = vec![*id];
        while let Some(inner) = open.pop() {
            let Some(node) = plan.node(inner) else {
                continue;
            };
            open.extend(&node.children);
            for edge in &node.after {
                if let Some(first) = place_of(plan, edge.from, places)
                    && first != at
                {
                    pairs.push((at, first));
                }
            }
        }
    }
    pairs
}

fn place_of(plan: &Plan, id: NodeId, places: &HashMap<NodeId, usize>) -> Option<usize> {
    let around = crate::analyze::order::data::parents(plan, id);
    let mut chain = std::iter::once(id).chain(around);
    chain.find_map(|id| places.get(&id).copied())
}
