//! What can be wrong with the order of a plan.

use crate::analyze::order::data::{is_verify, repeated, sources};
use crate::analyze::order::objects::written;
use crate::analyze::places::Places;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes::order::{DEPENDENCY_CYCLE, REPEATED_RESULT, TWO_WRITERS};
use crate::plan::Plan;
use crate::plan::graph::cycle::{Hop, HopWhy, cycles};
use crate::plan::graph::{Graph, Point};
use crate::plan::node::{EdgeWhy, Node, NodeId};
use std::collections::BTreeMap;

/// What waits for itself. That is certain of a draft, too: what a mistake left out of it takes nothing away.
pub fn cyclic(plan: &Plan, graph: &Graph, places: &Places) -> Vec<Diagnostic> {
    let cycles = cycles(graph);
    let told = cycles.iter().filter_map(|path| cycle(plan, places, path));
    told.collect()
}

pub fn check(plan: &Plan, graph: &Graph, places: &Places) -> Vec<Diagnostic> {
    let mut found = cyclic(plan, graph, places);
    found.extend(repeated_results(plan, places));
    found.extend(two_writers(plan, graph, places));
    found
}

/// A name that a person can find in the text.
pub fn name(node: &Node) -> String {
    match (&node.name, &node.title) {
        (Some(name), _) => format!("`{name}`"),
        (None, Some(title)) => format!("\"{title}\""),
        (None, None) => format!("`{}`", node.path),
    }
}

/// Told backwards, as people think of it: each waits for the next, and the last for the first.
fn cycle(plan: &Plan, places: &Places, path: &[Hop]) -> Option<Diagnostic> {
    let first = plan.node(path.first()?.from)?;
    let mut names: Vec<String> = path
        .iter()
        .filter_map(|hop| plan.node(hop.from))
        .map(name)
        .collect();
    names.push(name(first));
    let message = format!("these wait for each other: {}", names.join(" -> "));
    let mut waits = path.iter().filter_map(|hop| match &hop.why {
        HopWhy::Waits(edge) => Some((hop, edge)),
        HopWhy::Inside | HopWhy::Contains => None,
    });
    let words = |hop: &Hop, why: EdgeWhy| {
        let (earlier, later) = (plan.node(hop.from)?, plan.node(hop.to)?);
        Some(reason(&name(earlier), &name(later), why))
    };
    let (hop, edge) = waits.next()?;
    let mut diagnostic = Diagnostic::new(&DEPENDENCY_CYCLE, places.span(edge.loc), message)
        .label(words(hop, edge.why)?);
    for (hop, edge) in waits {
        diagnostic = diagnostic.and(places.span(edge.loc), words(hop, edge.why)?);
    }
    let inside: Vec<String> = path
        .iter()
        .filter_map(|hop| match hop.why {
            HopWhy::Inside => Some((hop.to, hop.from)),
            HopWhy::Contains => Some((hop.from, hop.to)),
            HopWhy::Waits(_) => None,
        })
        .filter_map(|(inner, outer)| Some((plan.node(inner)?, plan.node(outer)?)))
        .map(|(inner, outer)| format!("{} is part of {}", name(inner), name(outer)))
        .collect();
    if !inside.is_empty() {
        diagnostic = diagnostic.note(inside.join(", "));
    }
    Some(diagnostic.help("take one of these lines away, or turn it round"))
}

fn reason(earlier: &str, later: &str, why: EdgeWhy) -> String {
    match why {
        EdgeWhy::Order => format!("the order puts {earlier} before {later}"),
        EdgeWhy::After => format!("{later} stands after {earlier}"),
        EdgeWhy::Data => format!("{later} reads {earlier}"),
        EdgeWhy::Effect => {
            format!("{later} stands below {earlier}, and one of them changes something")
        }
        EdgeWhy::Barrier => format!("a hold stands between {earlier} and {later}"),
    }
}

fn repeated_results(plan: &Plan, places: &Places) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in &plan.nodes {
        for (source, _) in sources(plan, node) {
            let every = repeated(plan, source, node.id).and_then(|every| plan.node(every));
            let (Some(every), Some(source)) = (every, plan.node(source)) else {
                continue;
            };
            let message = format!(
                "{} is carried out again and again, so it has no one result",
                name(source)
            );
            let diagnostic = Diagnostic::new(&REPEATED_RESULT, places.span(node.loc), message)
                .label(format!("reads {}", name(source)))
                .and(places.span(every.loc), "repeated here")
                .help("read it inside the `every`, or take the item out of it");
            found.push(diagnostic);
        }
    }
    found
}

fn two_writers(plan: &Plan, graph: &Graph, places: &Places) -> Vec<Diagnostic> {
    let Some(sorted) = graph.sorted() else {
        return Vec::new();
    };
    let mut writers: BTreeMap<String, Vec<&Node>> = BTreeMap::new();
    for point in sorted {
        let Point::Start(id) = *point else { continue };
        let Some(node) = plan.node(id).filter(|_| !is_verify(plan, id)) else {
            continue;
        };
        for object in written(plan, node) {
            writers.entry(object).or_default().push(node);
        }
    }
    let mut told: Vec<(NodeId, NodeId)> = Vec::new();
    let mut found = Vec::new();
    for (object, nodes) in &writers {
        for pair in nodes.windows(2) {
            let [first, second] = pair else { continue };
            if graph.ends_before(first.id, second.id) || told.contains(&(first.id, second.id)) {
                continue;
            }
            told.push((first.id, second.id));
            found.push(unordered(places, object, first, second));
        }
    }
    found
}

fn unordered(places: &Places, object: &str, first: &Node, second: &Node) -> Diagnostic {
    let (_, short) = object.split_once(": ").unwrap_or(("", object));
    let message = format!(
        "{} and {} both change `{short}`, and nothing says which comes first",
        name(first),
        name(second)
    );
    Diagnostic::new(&TWO_WRITERS, places.span(second.loc), message)
        .label("changes it")
        .and(places.span(first.loc), "changes it too")
        .help("put one after the other: by `order`, by `after NAME`, or out of the `parallel`")
        .note("undoing them in the wrong order would leave the object as neither was")
}
