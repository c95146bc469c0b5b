//! The order of a plan as a graph: what has to end before what may start.
//!
//! Each node stands in it twice, as its start and as its end, because a group starts before its children and ends after
//! them. It is built from nodes and edges alone, so a plan that cannot be carried out has a graph too.

pub mod cycle;
pub mod dot;
pub mod json;
pub mod knots;
pub mod mermaid;

use crate::plan::node::{Edge, Node, NodeId};
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::VecDeque;
use std::sync::OnceLock;

/// A moment of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Point {
    Start(NodeId),
    End(NodeId),
}

impl Point {
    pub fn node(self) -> NodeId {
        match self {
            Point::Start(id) | Point::End(id) => id,
        }
    }

    /// Where its value stands in a list of values of all moments.
    pub fn index(self) -> usize {
        match self {
            Point::Start(id) => id.0 as usize * 2,
            Point::End(id) => id.0 as usize * 2 + 1,
        }
    }
}

/// Why one moment comes before another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// A node ends after it has started.
    Itself,
    /// A child starts after its parent has.
    Opens,
    /// A parent ends after its children have.
    Closes,
    Waits(Edge),
}

#[derive(Clone, Debug)]
pub struct Graph {
    inner: DiGraph<Point, Link>,
    /// What [`Graph::sorted`] says, once somebody has asked.
    sorted: OnceLock<Option<Vec<Point>>>,
}

/// A set of moments.
#[derive(Clone, Debug)]
pub struct Reach {
    points: Vec<bool>,
}

impl Reach {
    pub fn has(&self, point: Point) -> bool {
        self.points.get(point.index()).copied().unwrap_or(false)
    }
}

impl Graph {
    pub fn of(nodes: &[Node]) -> Graph {
        let mut inner = DiGraph::with_capacity(nodes.len() * 2, nodes.len() * 4);
        for at in 0..nodes.len() {
            let id = NodeId(u32::try_from(at).unwrap_or(u32::MAX));
            inner.add_node(Point::Start(id));
            inner.add_node(Point::End(id));
        }
        let mut graph = Graph {
            inner,
            sorted: OnceLock::new(),
        };
        for node in nodes {
            graph.link(Point::Start(node.id), Point::End(node.id), Link::Itself);
            if let Some(parent) = node.parent {
                graph.link(Point::Start(parent), Point::Start(node.id), Link::Opens);
                graph.link(Point::End(node.id), Point::End(parent), Link::Closes);
            }
            for edge in &node.after {
                let link = Link::Waits(edge.clone());
                graph.link(Point::End(edge.from), Point::Start(node.id), link);
            }
        }
        graph
    }

    /// All moments, each after what comes before it; `None` where there is a cycle.
    pub fn sorted(&self) -> Option<&[Point]> {
        let sorted = self.sorted.get_or_init(|| {
            let order = petgraph::algo::toposort(&self.inner, None).ok()?;
            Some(order.iter().filter_map(|at| self.point(*at)).collect())
        });
        sorted.as_deref()
    }

    /// What comes directly before a moment.
    pub fn before(&self, point: Point) -> impl Iterator<Item = Point> + '_ {
        self.neighbours(point, Direction::Incoming)
    }

    /// A moment and everything that comes after it for certain.
    pub fn reach(&self, from: Point) -> Reach {
        self.spread(from, Direction::Outgoing)
    }

    /// A moment and everything that comes before it for certain.
    pub fn origins(&self, to: Point) -> Reach {
        self.spread(to, Direction::Incoming)
    }

    /// Whether `first` has ended, for certain, when `second` starts.
    pub fn ends_before(&self, first: NodeId, second: NodeId) -> bool {
        self.reach(Point::End(first)).has(Point::Start(second))
    }

    fn spread(&self, from: Point, direction: Direction) -> Reach {
        let mut points = vec![false; self.inner.node_count()];
        let mut queue = VecDeque::from([from]);
        while let Some(point) = queue.pop_front() {
            match points.get_mut(point.index()) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            queue.extend(self.neighbours(point, direction));
        }
        Reach { points }
    }

    fn neighbours(&self, point: Point, direction: Direction) -> impl Iterator<Item = Point> + '_ {
        let at = NodeIndex::new(point.index());
        let near = self.inner.neighbors_directed(at, direction);
        near.filter_map(|at| self.point(at))
    }

    fn point(&self, at: NodeIndex) -> Option<Point> {
        self.inner.node_weight(at).copied()
    }

    /// An edge to a node that is not there is left out: the picture of a broken plan shows the rest.
    fn link(&mut self, from: Point, to: Point, link: Link) {
        let count = self.inner.node_count();
        if from.index() < count && to.index() < count {
            let (from, to) = (NodeIndex::new(from.index()), NodeIndex::new(to.index()));
            self.inner.add_edge(from, to, link);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::draft::Draft;
    use crate::plan::graph::{Graph, Point};
    use crate::plan::node::EdgeWhy;

    #[test]
    fn children_lie_between_start_and_end_of_their_parent() {
        let mut draft = Draft::blank();
        let phase = draft.phase("deploy");
        let check = draft.check(phase, "ready");
        let graph = Graph::of(&draft.plan.nodes);
        let order = graph.sorted().unwrap();
        assert_eq!(
            order,
            [
                Point::Start(phase),
                Point::Start(check),
                Point::End(check),
                Point::End(phase)
            ]
        );
        assert!(!graph.ends_before(check, phase));
    }

    #[test]
    fn what_waits_for_a_group_waits_for_its_children() {
        let mut draft = Draft::blank();
        let (first, second) = (draft.phase("first"), draft.phase("second"));
        let inner = draft.check(first, "inner");
        let later = draft.check(second, "later");
        draft.wait(second, first, EdgeWhy::Order);
        let graph = Graph::of(&draft.plan.nodes);
        assert!(graph.ends_before(inner, later));
        assert!(!graph.ends_before(later, inner));
        let origins = graph.origins(Point::Start(later));
        assert!(origins.has(Point::End(inner)) && !origins.has(Point::End(second)));
    }

    #[test]
    fn an_edge_to_nowhere_is_left_out() {
        let mut draft = Draft::blank();
        let phase = draft.phase("deploy");
        draft.wait(phase, crate::plan::node::NodeId(77), EdgeWhy::After);
        assert!(Graph::of(&draft.plan.nodes).sorted().is_some());
    }
}
