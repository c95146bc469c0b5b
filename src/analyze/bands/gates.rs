//! Gates and triggers of the same measure: whether one contradicts the other, and what lies between them.

use crate::analyze::bands::condition::{Atom, condition};
use crate::analyze::bands::interval::{End, Interval};
use crate::analyze::order::check::name;
use crate::analyze::order::data::{is_verify, parents};
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::timing::{BAND_CONTRADICTION, BAND_UNOWNED};
use crate::plan::expr::{Clause, Stmt};
use crate::plan::graph::{Graph, Point, Reach};
use crate::plan::node::{CheckMode, Node, NodeKind};
use crate::plan::{Action, Metric, Plan, Rule, Watch};
use crate::units::amount::Quantity;
use crate::units::show::quantity;
use std::collections::BTreeMap;

pub fn check(plan: &Plan, graph: &Graph, places: &Places) -> Vec<Diagnostic> {
    if plan.watches.is_empty() {
        return Vec::new();
    }
    let gates = gates(plan);
    let mut found = Vec::new();
    for watch in &plan.watches {
        let active = Active {
            before: graph.origins(Point::Start(watch.from)),
            after: graph.reach(Point::End(watch.to)),
        };
        let seen: Vec<&Gate<'_>> = gates.iter().filter(|gate| active.at(gate.node)).collect();
        found.extend(contradictions(plan, places, watch, &seen));
        found.extend(unowned(plan, places, watch, &seen));
    }
    found
}

/// A clause of a check that bounds one measure.
struct Gate<'a> {
    node: &'a Node,
    clause: &'a Clause,
    atom: Atom,
    accepts: Interval,
    /// How long it is judged for.
    judged_ns: i64,
}

/// When a watch watches.
struct Active {
    before: Reach,
    after: Reach,
}

impl Active {
    fn at(&self, node: &Node) -> bool {
        !self.before.has(Point::End(node.id)) && !self.after.has(Point::Start(node.id))
    }
}

fn gates(plan: &Plan) -> Vec<Gate<'_>> {
    let mut found = Vec::new();
    for node in plan.nodes.iter().filter(|node| !is_verify(plan, node.id)) {
        let NodeKind::Check(check) = &node.kind else {
            continue;
        };
        for stmt in &check.body {
            let Stmt::Expect(clause) = stmt else { continue };
            let condition = condition(plan, &clause.condition);
            let [term] = condition.terms.as_slice() else {
                continue;
            };
            for (atom, accepts) in &term.bounds {
                found.push(Gate {
                    node,
                    clause,
                    atom: atom.clone(),
                    accepts: *accepts,
                    judged_ns: judged_ns(plan, node, check.mode),
                });
            }
        }
    }
    found
}

fn judged_ns(plan: &Plan, node: &Node, mode: CheckMode) -> i64 {
    match mode {
        CheckMode::Once | CheckMode::Within { .. } => 0,
        CheckMode::For { ns } => ns,
        CheckMode::Stage { .. } => parents(plan, node.id)
            .find_map(|id| match &plan.node(id)?.kind {
                NodeKind::Stage(stage) => Some(stage.hold_ns),
                _ => None,
            })
            .unwrap_or(0),
    }
}

/// The bands that a rule fires in, where it is about one measure at a time.
fn fires(plan: &Plan, rule: &Rule) -> Vec<(Atom, Interval)> {
    let condition = condition(plan, &rule.condition);
    let terms = condition.terms.iter();
    terms
        .filter(|_| !condition.blurred)
        .filter_map(|term| term.only())
        .map(|(atom, band)| (atom.clone(), band))
        .collect()
}

/// Values that pass a gate and roll back.
fn contradictions(
    plan: &Plan,
    places: &Places,
    watch: &Watch,
    gates: &[&Gate<'_>],
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let rolls_back = |rule: &&Rule| {
        let mut actions = rule.actions.iter();
        actions.any(|action| matches!(action, Action::Rollback))
    };
    for rule in watch.rules.iter().filter(rolls_back) {
        let bands = fires(plan, rule);
        let clash = gates.iter().find_map(|gate| {
            let (_, band) = bands.iter().find(|(atom, _)| *atom == gate.atom)?;
            let both = band.and(gate.accepts);
            let bounded = gate.accepts.low.is_some() || gate.accepts.high.is_some();
            let in_time = rule.for_ns <= gate.judged_ns;
            (bounded && in_time && !both.is_empty() && both.is_wide()).then_some((*gate, both))
        });
        let Some((gate, both)) = clash else { continue };
        let shown = band(plan, &gate.atom, both);
        let message = format!("{shown} passes {} and rolls back", name(gate.node));
        found.push(
            Diagnostic::new(&BAND_CONTRADICTION, places.span(gate.clause.loc), message)
                .label(format!("accepts it: `{}`", gate.clause.text))
                .and(
                    places.span(rule.loc),
                    format!("fires on it: `{}`", rule.text),
                )
                .help("let the trigger begin where the gate ends"),
        );
    }
    found
}

/// Values that fail a gate and fire no rule: the gate's policy alone decides, and only while the gate is judged.
fn unowned(plan: &Plan, places: &Places, watch: &Watch, gates: &[&Gate<'_>]) -> Vec<Diagnostic> {
    let mut lowest: BTreeMap<Atom, End> = BTreeMap::new();
    for (atom, band) in watch.rules.iter().flat_map(|rule| fires(plan, rule)) {
        // Only triggers on values that are too high; those are what bounds are written for.
        let Some(low) = band.low.filter(|_| atom.metric.is_some()) else {
            lowest.remove(&atom);
            continue;
        };
        let known = lowest.entry(atom).or_insert(low);
        if low.at < known.at {
            *known = low;
        }
    }
    let mut found = Vec::new();
    for (atom, fires_from) in lowest {
        let strictest = gates
            .iter()
            .filter(|gate| gate.atom == atom && gate.accepts.low.is_none())
            .filter_map(|gate| Some((gate.accepts.high?, *gate)))
            .min_by_key(|(high, _)| high.at);
        let Some((high, gate)) = strictest.filter(|(high, _)| high.at < fires_from.at) else {
            continue;
        };
        let between = Interval {
            low: Some(high),
            high: Some(fires_from),
        };
        let message = format!(
            "{} fails {} and fires no rule of \"{}\"",
            band(plan, &atom, between),
            name(gate.node),
            watch.title
        );
        found.push(
            Diagnostic::new(&BAND_UNOWNED, places.span(gate.clause.loc), message)
                .note("only the policies of the gate decide about it, and only while it is judged"),
        );
    }
    found
}

/// `error_rate from 1% to 5%`
fn band(plan: &Plan, atom: &Atom, interval: Interval) -> String {
    let dim = atom
        .metric
        .and_then(|at| plan.metrics.get(at as usize))
        .map(|m: &Metric| m.dim);
    let shown = |end: End| match dim {
        Some(dim) => quantity(Quantity::exact(dim, end.at)),
        None => quantity(Quantity::exact(crate::units::Dim::Count, end.at)),
    };
    let words = &atom.words;
    match (interval.low, interval.high) {
        (Some(low), Some(high)) => format!("`{words}` from {} to {}", shown(low), shown(high)),
        (Some(low), None) => format!("`{words}` above {}", shown(low)),
        (None, Some(high)) => format!("`{words}` below {}", shown(high)),
        (None, None) => format!("`{words}`"),
    }
}
