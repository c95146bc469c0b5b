//! The world as it is before a run: the system that the plan is going to change is there already, in the version that
//! its manifests name, and runs.

use crate::plan::expr::{CallExpr, Expr};
use crate::plan::node::NodeKind;
use crate::plan::walk;
use crate::plan::{MetricSource, Plan, SCOPE_PLACEHOLDER};
use crate::providers::kubernetes::FIELD_MANAGER;
use crate::providers::manifest;
use crate::simulate::kubernetes::object::Name;
use crate::simulate::kubernetes::store::{Force, Precondition, Writer};
use crate::simulate::scenario::Scenario;
use crate::simulate::script::Line;
use crate::simulate::world::World;
use crate::values::{Instant, Value};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

const MINUTE_NS: i64 = 60_000_000_000;
/// 2026-01-01T00:00Z: when a run begins whose plan has no window.
const SOME_DAY: Instant = Instant(1_767_225_600_000_000_000);

/// When a simulated run of this plan begins.
pub fn start(plan: &Plan, scenario: &Scenario) -> Instant {
    let window = plan.window.map(|window| window.from);
    scenario.start.or(window).unwrap_or(SOME_DAY)
}

/// A world in which everything that the plan's manifests name has been running for a while.
pub fn world(plan: &Plan, start: Instant) -> World {
    let mut world = World::new(plan, start.plus(-10 * MINUTE_NS));
    let calls = plan.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Step(step) if step.call.function == "apply" => Some(&step.call),
        _ => None,
    });
    for call in calls {
        if let Some(namespace) = world.namespace_of(&call.provider) {
            install(&mut world, plan, &namespace, call);
        }
    }
    world.advance(start);
    world.cluster.store.history.clear();
    world
}

/// The plan as it is carried out against a script: a derived metric that the script gives a value is asked for whole,
/// instead of its parts.
pub fn scripted(plan: &Plan, scenario: &Scenario) -> Plan {
    let lines = scenario.blocks.iter().flat_map(|block| &block.lines);
    let said: BTreeSet<&str> = lines
        .filter_map(|line| match line {
            Line::Metric { metric, .. } => Some(metric.as_str()),
            _ => None,
        })
        .collect();
    let source = plan
        .providers
        .iter()
        .find(|provider| provider.kind == "prometheus");
    let real = plan;
    let mut plan = real.clone();
    let Some(source) = source.map(|provider| provider.name.clone()) else {
        return plan;
    };
    for metric in &mut plan.metrics {
        if let MetricSource::Derived(parts) = &metric.source
            && said.contains(metric.name.as_str())
        {
            let lookback_ns = lookback_ns(real, parts);
            metric.source = MetricSource::Query {
                provider: source.clone(),
                query: metric.name.clone(),
                scoped: Some(format!("{}{{pod=~\"{SCOPE_PLACEHOLDER}\"}}", metric.name)),
                scale_numerator: 1,
                scale_denominator: 1,
                absent: None,
                lookback_ns,
            };
        }
    }
    plan
}

/// As far as its parts look back: what it is made of is what it is sampled like.
fn lookback_ns(plan: &Plan, parts: &Expr) -> i64 {
    let parts = walk::reads(plan, [parts]).metrics;
    let looks =
        parts.iter().filter_map(
            |(metric, _)| match &plan.metrics.get(*metric as usize)?.source {
                MetricSource::Query { lookback_ns, .. } => Some(*lookback_ns),
                MetricSource::Derived(_) => None,
            },
        );
    looks.max().unwrap_or(0)
}

fn install(world: &mut World, plan: &Plan, namespace: &str, call: &CallExpr) {
    let mut objects = vec![json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace},
    })];
    if let Some(path) = path_of(call) {
        let files = manifest::named_by(&plan.files, &path);
        let found = manifest::read(&files, Some(namespace));
        objects.extend(found.objects.into_iter().map(|object| object.body));
    }
    let by = Writer {
        at: world.now,
        manager: FIELD_MANAGER.to_owned(),
        key: None,
    };
    for object in &objects {
        put(world, &by, namespace, object);
    }
}

fn put(world: &mut World, by: &Writer, namespace: &str, object: &Json) {
    let name = Name::of(object, namespace);
    let any = Precondition::default();
    // A refusal means that it is there already, from another step of the plan.
    let _there = world.cluster.apply(by, &name, object, &any, Force::Yes);
}

fn path_of(call: &CallExpr) -> Option<String> {
    let path = call.args.iter().find(|(name, _)| name == "path");
    match path {
        Some((_, Expr::Literal(Value::String(path)))) => Some(path.clone()),
        _ => None,
    }
}
