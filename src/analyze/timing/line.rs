//! The line of time of a whole plan: windows, longest paths, pauses.

use crate::analyze::order::data::{is_verify, parents};
use crate::analyze::timing::durations::durations;
use crate::analyze::timing::freezes;
use crate::analyze::timing::pauses::{between, pauses};
use crate::plan::Plan;
use crate::plan::facts::{Part, PartOf, Pause, Times, Took};
use crate::plan::graph::{Graph, Point};
use crate::plan::node::{NodeId, NodeKind};
use crate::values::Instant;

pub struct Line<'a> {
    pub plan: &'a Plan,
    pub graph: &'a Graph,
    sorted: &'a [Point],
    /// By [`NodeId`]: what a node adds to a path. Groups add nothing, what is in them does.
    long_ns: Vec<i64>,
    short_ns: Vec<i64>,
    pub took: Vec<Took>,
    pub pauses: Vec<Pause>,
    /// What windows count from.
    pub origin: Option<Instant>,
    /// Nodes that wait for a window, and when it opens, from the origin.
    opens: Vec<(NodeId, i64)>,
}

/// A longest way to some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    pub ns: i64,
    pub parts: Vec<Part>,
}

/// Longest paths from one moment, by [`Point::index`].
struct Paths {
    ns: Vec<Option<i64>>,
    came: Vec<Option<Point>>,
}

impl<'a> Line<'a> {
    /// `None` where there is a cycle: such a plan has no time.
    pub fn new(plan: &'a Plan, graph: &'a Graph) -> Option<Line<'a>> {
        let sorted = graph.sorted()?;
        let took = durations(plan, graph, sorted);
        let weight = |of: fn(&Took) -> i64| {
            let nodes = plan.nodes.iter().zip(&took);
            nodes
                .map(|(node, took)| if adds(plan, node.id) { of(took) } else { 0 })
                .collect::<Vec<i64>>()
        };
        let long_ns = weight(|took| took.longest_ns);
        let mut short_ns = weight(|took| took.shortest_ns);
        for (node, ns) in plan.nodes.iter().zip(&mut short_ns) {
            if may_not_apply(plan, node.id) {
                *ns = 0;
            }
        }
        let origin = origin(plan);
        Some(Line {
            plan,
            graph,
            sorted,
            long_ns,
            short_ns,
            pauses: pauses(plan),
            took,
            origin,
            opens: opens(plan, origin),
        })
    }

    pub fn times(&self) -> Times {
        let mut longest = self.latest(None);
        let frozen_ns = freezes::longest(self.plan, longest.ns);
        if frozen_ns > 0 {
            longest.ns = longest.ns.saturating_add(frozen_ns);
            longest.parts.push(Part {
                what: PartOf::Frozen,
                ns: frozen_ns,
            });
        }
        let shortest = self.earliest();
        Times {
            origin: self.origin,
            shortest_ns: shortest.into_iter().max().unwrap_or(0),
            longest_ns: longest.ns,
            nodes: self.took.clone(),
            path: longest.parts,
            pauses: self.pauses.clone(),
        }
    }

    /// The latest that a moment comes (`None`: the end of all), from the origin, and what makes it so.
    pub fn latest(&self, to: Option<Point>) -> Way {
        let from_start = std::iter::once((None, 0));
        let from_windows = self.opens.iter().map(|(id, ns)| (Some(*id), *ns));
        let ways = from_start.chain(from_windows).filter_map(|(id, opens_ns)| {
            let way = self.longest(id.map(Point::Start), to, None)?;
            let wait = id.map(|id| Part {
                what: PartOf::Wait(id),
                ns: opens_ns,
            });
            Some(Way {
                ns: way.ns.saturating_add(opens_ns),
                parts: wait.into_iter().chain(way.parts).collect(),
            })
        });
        // The first of equals: the one that waits for no window.
        let longest = ways.reduce(|best, way| if way.ns > best.ns { way } else { best });
        longest.unwrap_or(Way {
            ns: 0,
            parts: Vec::new(),
        })
    }

    /// The longest way from one moment to another, without windows, with pauses. `free` adds nothing to it.
    /// `None` where the second does not come after the first.
    pub fn longest(
        &self,
        from: Option<Point>,
        to: Option<Point>,
        free: Option<NodeId>,
    ) -> Option<Way> {
        let mut weights = self.long_ns.clone();
        if let Some(ns) = free.and_then(|free| weights.get_mut(free.0 as usize)) {
            *ns = 0;
        }
        let paths = self.paths(from, &weights);
        let last = match to {
            Some(to) => to,
            None => paths.farthest(self.sorted)?,
        };
        let mut ns = paths.ns.get(last.index()).copied().flatten()?;
        let mut parts = paths.parts(last, &weights);
        for pause in between(self.graph, &self.pauses, from, to) {
            ns = ns.saturating_add(pause.ns);
            parts.push(Part {
                what: PartOf::Pause(pause.place.clone()),
                ns: pause.ns,
            });
        }
        Some(Way { ns, parts })
    }

    /// The shortest that may lie between two moments, without windows; `None` where one does not come after the other.
    pub fn shortest(&self, from: Point, to: Point) -> Option<i64> {
        let paths = self.paths(Some(from), &self.short_ns);
        paths.ns.get(to.index()).copied().flatten()
    }

    /// The earliest of each moment, from the origin, by [`Point::index`].
    pub fn earliest(&self) -> Vec<i64> {
        let mut times = vec![0_i64; self.plan.nodes.len() * 2];
        for point in self.sorted {
            let id = point.node();
            let before = self.graph.before(*point);
            let mut time = before
                .filter(|before| !self.skipped(*before, *point))
                .filter_map(|before| times.get(before.index()).copied())
                .max()
                .unwrap_or(0);
            match point {
                Point::Start(_) => {
                    let opens = self.opens.iter().find(|(node, _)| *node == id);
                    time = time.max(opens.map_or(0, |(_, ns)| *ns));
                }
                Point::End(_) => {
                    let start = times.get(Point::Start(id).index()).copied().unwrap_or(0);
                    let own = self.short_ns.get(id.0 as usize).copied().unwrap_or(0);
                    time = time.max(start.saturating_add(own));
                }
            }
            if let Some(known) = times.get_mut(point.index()) {
                *known = time;
            }
        }
        times
    }

    /// When windows open, for the nodes that wait for one, from the origin.
    pub fn openings(&self) -> &[(NodeId, i64)] {
        &self.opens
    }

    /// A `when` that does not apply ends without what is in it.
    fn skipped(&self, before: Point, point: Point) -> bool {
        let (Point::End(_), Point::End(group)) = (before, point) else {
            return false;
        };
        let group = self.plan.node(group);
        group.is_some_and(|group| matches!(group.kind, NodeKind::When(_)))
    }

    fn paths(&self, from: Option<Point>, weights: &[i64]) -> Paths {
        let count = self.plan.nodes.len() * 2;
        let mut paths = Paths {
            ns: vec![None; count],
            came: vec![None; count],
        };
        for point in self.sorted {
            let mut best = (from.is_none_or(|from| from == *point)).then_some((0, None));
            for before in self.graph.before(*point) {
                let known = paths.ns.get(before.index()).copied().flatten();
                let Some(known) = known else { continue };
                let itself = matches!((before, *point), (Point::Start(a), Point::End(b)) if a == b);
                let own = match itself {
                    true => weights.get(point.node().0 as usize).copied().unwrap_or(0),
                    false => 0,
                };
                let ns = known.saturating_add(own);
                if best.is_none_or(|(best, _)| ns >= best) {
                    best = Some((ns, Some(before)));
                }
            }
            let Some((ns, came)) = best else { continue };
            if let Some(at) = paths.ns.get_mut(point.index()) {
                *at = Some(ns);
            }
            if let Some(at) = paths.came.get_mut(point.index()) {
                *at = came;
            }
        }
        paths
    }
}

impl Paths {
    fn farthest(&self, sorted: &[Point]) -> Option<Point> {
        let reached = sorted.iter().filter_map(|point| {
            let ns = self.ns.get(point.index()).copied().flatten()?;
            Some((ns, *point))
        });
        reached.max_by_key(|(ns, _)| *ns).map(|(_, point)| point)
    }

    fn parts(&self, to: Point, weights: &[i64]) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut at = Some(to);
        while let Some(point) = at {
            let came = self.came.get(point.index()).copied().flatten();
            if let (Point::End(id), Some(Point::Start(start))) = (point, came)
                && id == start
                && let Some(ns) = weights.get(id.0 as usize).filter(|ns| **ns > 0)
            {
                parts.push(Part {
                    what: PartOf::Node(id),
                    ns: *ns,
                });
            }
            at = came;
        }
        parts.reverse();
        parts
    }
}

/// Whether a node's own time counts: groups leave it to what is in them, and an `every` or a canary has all of it itself.
fn adds(plan: &Plan, id: NodeId) -> bool {
    let whole = |id: NodeId| {
        let kind = plan.node(id).map(|node| &node.kind);
        matches!(kind, Some(NodeKind::Every { .. } | NodeKind::Canary(_)))
    };
    let group = plan.node(id).is_some_and(|node| {
        matches!(
            node.kind,
            NodeKind::Phase
                | NodeKind::Section
                | NodeKind::Parallel
                | NodeKind::When(_)
                | NodeKind::ConfirmGroup
        )
    });
    !group && !is_verify(plan, id) && !parents(plan, id).any(whole)
}

fn may_not_apply(plan: &Plan, id: NodeId) -> bool {
    parents(plan, id).any(|group| {
        let kind = plan.node(group).map(|node| &node.kind);
        matches!(kind, Some(NodeKind::When(_)))
    })
}

/// The plan's own window, else the first that opens.
fn origin(plan: &Plan) -> Option<Instant> {
    let windows = plan.nodes.iter().filter_map(|node| node.window);
    let first = windows.map(|window| window.from).min();
    plan.window.map(|window| window.from).or(first)
}

fn opens(plan: &Plan, origin: Option<Instant>) -> Vec<(NodeId, i64)> {
    let Some(origin) = origin else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for node in &plan.nodes {
        let Some(window) = node.window else { continue };
        let inherited = node.parent.and_then(|parent| plan.node(parent)?.window);
        if inherited.is_none_or(|outer| outer.from < window.from) {
            found.push((node.id, window.from.since(origin).max(0)));
        }
    }
    found
}
