//! What a simulated run came to: by the engine's verdicts, and by the world's own account.

use crate::engine::protocol::RunOutcome;
use crate::plan::Plan;
use crate::plan::elements;
use crate::plan::node::Node;
use crate::simulate::drive::Drive;
use crate::simulate::history::What;
use crate::simulate::kubernetes::deployment::Wanted;
use crate::simulate::kubernetes::object::{Name, Object};
use crate::simulate::world::World;
use crate::values::Verdict;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Summary {
    /// `None`: it waits for somebody who does not come.
    pub outcome: Option<RunOutcome>,
    pub took_ns: i64,
    /// From the cause to the end, where it was rolled back.
    pub rollback_ns: Option<i64>,
    pub events: usize,
    /// How many items with a title ended how; `None`: never reached.
    pub items: Vec<(Option<Verdict>, usize)>,
    /// Items that neither passed nor were left out: title or path, verdict, reason.
    pub open: Vec<Open>,
    /// Objects that the run wrote, with how often.
    pub written: Vec<(String, usize)>,
    pub messages: usize,
    /// Each Deployment as it is at the end.
    pub deployments: Vec<Deployment>,
    /// Asked for, and nothing was said of it: there was no data.
    pub silent: Vec<String>,
    /// Questions that nobody in the scenario answers.
    pub unanswered: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Open {
    pub what: String,
    pub verdict: Verdict,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    pub name: String,
    pub image: String,
    pub ready: usize,
    pub wanted: i64,
}

pub fn summary(plan: &Plan, drive: &Drive, outcome: Option<RunOutcome>) -> Summary {
    let (first, last) = drive.span();
    Summary {
        outcome,
        took_ns: last.since(first),
        rollback_ns: drive.rollback_started.map(|at| last.since(at)),
        events: drive.events,
        items: items(plan, drive),
        open: open(plan, drive),
        written: written(&drive.world),
        messages: told(&drive.world),
        deployments: deployments(&drive.world),
        silent: drive.world.script.silent.iter().cloned().collect(),
        unanswered: drive
            .unanswered
            .iter()
            .filter_map(|id| plan.node(*id))
            .map(name)
            .collect(),
    }
}

/// As a person would call it.
fn name(node: &Node) -> String {
    match (&node.title, node.refs.first()) {
        (Some(title), Some(id)) => format!("{id} \"{title}\""),
        (Some(title), None) => format!("\"{title}\""),
        _ => node.path.clone(),
    }
}

fn items(plan: &Plan, drive: &Drive) -> Vec<(Option<Verdict>, usize)> {
    let mut counts: BTreeMap<Option<Verdict>, usize> = BTreeMap::new();
    let inputs = drive.state.run.as_ref().map(|run| &run.inputs);
    let hidden = inputs.map(|inputs| elements::hidden(plan, inputs));
    let hidden = hidden.unwrap_or_default();
    let counts_as_item = |node: &&Node| {
        node.title.is_some() && elements::of_copy(node).is_none() && !hidden.contains(&node.id)
    };
    for node in plan.nodes.iter().filter(counts_as_item) {
        let state = drive.state.nodes.get(node.id.0 as usize);
        let verdict = state.and_then(|state| state.verdict);
        *counts.entry(verdict).or_default() += 1;
    }
    // What was never reached comes last.
    let (reached, never): (Vec<_>, Vec<_>) = counts
        .into_iter()
        .partition(|(verdict, _)| verdict.is_some());
    reached.into_iter().chain(never).collect()
}

fn open(plan: &Plan, drive: &Drive) -> Vec<Open> {
    let judged = plan.nodes.iter().filter(|node| node.children.is_empty());
    let mut open = Vec::new();
    for node in judged {
        let Some(state) = drive.state.nodes.get(node.id.0 as usize) else {
            continue;
        };
        let Some(verdict) = state.verdict else {
            continue;
        };
        let fine = [Verdict::Pass, Verdict::NotApplicable, Verdict::Cancelled];
        if !fine.contains(&verdict) {
            open.push(Open {
                what: name(node),
                verdict,
                reason: state.reason.clone(),
            });
        }
    }
    open
}

fn written(world: &World) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for change in world.history() {
        let ran = matches!(change.what, What::Ran(_));
        if change.key.is_some() && (change.what.writes() || ran) {
            *counts.entry(change.object).or_default() += 1;
        }
    }
    counts.into_iter().collect()
}

fn told(world: &World) -> usize {
    let history = world.history();
    let told = history
        .iter()
        .filter(|change| matches!(change.what, What::Told(_)));
    told.count()
}

fn deployments(world: &World) -> Vec<Deployment> {
    let all = world.cluster.store.objects.iter();
    all.filter(|(name, _)| name.kind == "deployment")
        .map(|(name, object)| deployment(world, name, object))
        .collect()
}

fn deployment(world: &World, name: &Name, object: &Object) -> Deployment {
    let wanted = Wanted::of(object);
    let current = world.cluster.pods_of(name);
    let ready = current.filter(|pod| pod.ready() && pod.template_hash == wanted.template.hash);
    Deployment {
        name: name.to_string(),
        image: wanted.template.images.first().cloned().unwrap_or_default(),
        ready: ready.count(),
        wanted: wanted.replicas,
    }
}
