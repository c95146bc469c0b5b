//! Cycles: things that wait for each other, as the shortest path that shows it.

use crate::plan::graph::{Graph, Link, Point};
use crate::plan::node::{Edge, NodeId};
use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::{HashMap, HashSet, VecDeque};

/// One step on the way round: `from` comes before `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub from: NodeId,
    pub to: NodeId,
    pub why: HopWhy,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HopWhy {
    Waits(Edge),
    /// `to` is inside `from`, and starts after it.
    Inside,
    /// `from` is inside `to`, which ends after it.
    Contains,
}

/// Starts that are tried in one knot: enough for a short path, bounded for a hostile plan.
const TRIED_MAX: usize = 64;

/// One path for each knot of nodes that wait for each other, the shortest that is found.
pub fn cycles(graph: &Graph) -> Vec<Vec<Hop>> {
    // Not the algorithm of Tarjan: that one recurses as deep as the plan is long.
    let mut knots: Vec<Vec<NodeIndex>> = petgraph::algo::kosaraju_scc(&graph.inner)
        .into_iter()
        .filter(|knot| knot.len() > 1)
        .collect();
    for knot in &mut knots {
        knot.sort();
    }
    knots.sort();
    let paths = knots.iter().filter_map(|knot| shortest(graph, knot));
    paths.map(|path| hops(graph, &path)).collect()
}

fn shortest(graph: &Graph, knot: &[NodeIndex]) -> Option<Vec<EdgeIndex>> {
    let inside: HashSet<NodeIndex> = knot.iter().copied().collect();
    knot.iter()
        .take(TRIED_MAX)
        .filter_map(|start| round(graph, *start, &inside))
        .min_by_key(|path| (waits(graph, path), path.len()))
}

fn waits(graph: &Graph, path: &[EdgeIndex]) -> usize {
    let links = path.iter().filter_map(|at| graph.inner.edge_weight(*at));
    links.filter(|link| matches!(link, Link::Waits(_))).count()
}

/// From `start` back to itself.
fn round(graph: &Graph, start: NodeIndex, inside: &HashSet<NodeIndex>) -> Option<Vec<EdgeIndex>> {
    let mut came: HashMap<NodeIndex, EdgeIndex> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for edge in graph.inner.edges(at) {
            let next = edge.target();
            if !inside.contains(&next) || came.contains_key(&next) {
                continue;
            }
            came.insert(next, edge.id());
            if next == start {
                return unwind(graph, start, &came);
            }
            queue.push_back(next);
        }
    }
    None
}

fn unwind(
    graph: &Graph,
    start: NodeIndex,
    came: &HashMap<NodeIndex, EdgeIndex>,
) -> Option<Vec<EdgeIndex>> {
    let mut path = Vec::new();
    let mut at = start;
    loop {
        let edge = came.get(&at)?;
        path.push(*edge);
        at = graph.inner.edge_endpoints(*edge)?.0;
        if at == start {
            path.reverse();
            return Some(path);
        }
    }
}

/// In words of nodes; that a node ends after it has started says nothing.
fn hops(graph: &Graph, path: &[EdgeIndex]) -> Vec<Hop> {
    let mut hops: Vec<Hop> = path
        .iter()
        .filter_map(|edge| {
            let (from, to) = graph.inner.edge_endpoints(*edge)?;
            let why = match graph.inner.edge_weight(*edge)? {
                Link::Itself => return None,
                Link::Opens => HopWhy::Inside,
                Link::Closes => HopWhy::Contains,
                Link::Waits(edge) => HopWhy::Waits(edge.clone()),
            };
            let node = |at| graph.point(at).map(Point::node);
            Some(Hop {
                from: node(from)?,
                to: node(to)?,
                why,
            })
        })
        .collect();
    let first = hops
        .iter()
        .enumerate()
        .min_by_key(|(_, hop)| hop.from)
        .map_or(0, |(at, _)| at);
    hops.rotate_left(first);
    hops
}

#[cfg(test)]
mod tests {
    use crate::plan::draft::Draft;
    use crate::plan::graph::Graph;
    use crate::plan::graph::cycle::{HopWhy, cycles};
    use crate::plan::node::EdgeWhy;

    #[test]
    fn a_plan_in_order_has_none() {
        let mut draft = Draft::blank();
        let (a, b) = (draft.phase("a"), draft.phase("b"));
        draft.wait(b, a, EdgeWhy::Order);
        assert!(cycles(&Graph::of(&draft.plan.nodes)).is_empty());
    }

    #[test]
    fn the_shortest_way_round_is_told_from_its_first_node() {
        let mut draft = Draft::blank();
        let names = ["a", "b", "c", "d"].map(|name| draft.phase(name));
        let [a, b, c, d] = names;
        for (later, earlier) in [(b, a), (c, b), (d, c), (a, d), (a, b)] {
            draft.wait(later, earlier, EdgeWhy::After);
        }
        let cycles = cycles(&Graph::of(&draft.plan.nodes));
        let path: Vec<_> = cycles[0].iter().map(|hop| (hop.from, hop.to)).collect();
        assert_eq!(cycles.len(), 1);
        assert_eq!(path, [(a, b), (b, a)]);
    }

    #[test]
    fn an_item_that_waits_for_what_follows_its_phase_is_a_cycle() {
        let mut draft = Draft::blank();
        let (first, second) = (draft.phase("first"), draft.phase("second"));
        let early = draft.check(first, "early");
        let late = draft.check(second, "late");
        draft.wait(second, first, EdgeWhy::Order);
        draft.wait(early, late, EdgeWhy::Data);
        let cycles = cycles(&Graph::of(&draft.plan.nodes));
        let whys: Vec<_> = cycles[0].iter().map(|hop| &hop.why).collect();
        assert_eq!(cycles[0].len(), 4);
        assert!(matches!(whys[0], HopWhy::Waits(_)), "{whys:?}");
        assert_eq!(*whys[1], HopWhy::Inside);
        assert!(matches!(whys[2], HopWhy::Waits(_)));
        assert_eq!(*whys[3], HopWhy::Contains);
    }

    #[test]
    fn two_knots_are_two_paths() {
        let mut draft = Draft::blank();
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| draft.phase(name));
        for (later, earlier) in [(b, a), (a, b), (c, d), (d, c)] {
            draft.wait(later, earlier, EdgeWhy::After);
        }
        assert_eq!(cycles(&Graph::of(&draft.plan.nodes)).len(), 2);
    }
}
