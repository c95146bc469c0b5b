//! Which objects a change touches, where the plan says so in plain text.
//!
//! An object is `provider: kind/name`. A name that is known only in a run, and what a command does inside, are not here:
//! what cannot be known is not claimed.

use crate::plan::Plan;
use crate::plan::expr::{CallExpr, Expr};
use crate::plan::node::{Node, NodeKind};
use crate::providers::manifest;
use crate::values::Value;
use std::collections::BTreeSet;

/// What a step or a canary writes.
pub fn written(plan: &Plan, node: &Node) -> BTreeSet<String> {
    match &node.kind {
        NodeKind::Step(step) => of_call(plan, &step.call),
        NodeKind::Canary(canary) => match plan.node(canary.step).map(|node| &node.kind) {
            Some(NodeKind::Step(step)) => of_call(plan, &step.call),
            _ => BTreeSet::new(),
        },
        _ => BTreeSet::new(),
    }
}

/// The text of an argument, where it is written out: one that has to be put together has parts that a run knows.
pub fn plain_text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

pub fn argument<'a>(call: &'a CallExpr, name: &str) -> Option<&'a Expr> {
    let found = call.args.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value)
}

/// The objects that an `apply` names.
pub fn applied(plan: &Plan, call: &CallExpr) -> Vec<manifest::Object> {
    let Some(path) = argument(call, "path").and_then(plain_text) else {
        return Vec::new();
    };
    manifest::read(&manifest::named_by(&plan.files, &path), None).objects
}

fn of_call(plan: &Plan, call: &CallExpr) -> BTreeSet<String> {
    let kind = plan
        .provider(&call.provider)
        .map(|provider| &*provider.kind);
    if kind != Some("kubernetes") {
        return BTreeSet::new();
    }
    let named = |parameter: &str, object: &str| {
        let name = argument(call, parameter).and_then(plain_text);
        name.map(|name| format!("{}: {object}/{name}", call.provider))
            .into_iter()
            .collect()
    };
    match &*call.function {
        "apply" => applied(plan, call)
            .iter()
            .map(|object| {
                let kind = object.kind.to_lowercase();
                format!("{}: {kind}/{}", call.provider, object.name)
            })
            .collect(),
        "scale" | "image" | "restart" => named("name", "deployment"),
        "switch" => named("service", "service"),
        "create_namespace" => named("name", "namespace"),
        _ => BTreeSet::new(),
    }
}
