//! What is explored: the plan with its measurements left open, and what is known of it beforehand.
//!
//! Weights, times, policies, edges, undos, windows and people stay as they are. Conditions, arguments that would have to be
//! read, and messages are replaced: what they measure is a choice of the world. How far back a condition looks is kept,
//! because it decides when it is judged first.

use crate::analyze::facts::facts;
use crate::engine::policy::DEFAULT_PLACE;
use crate::plan::expr::{CallExpr, Clause, Expr, Scope, Stmt, Template};
use crate::plan::facts::Facts;
use crate::plan::invariant::{Claim, Invariant};
use crate::plan::node::{Node, NodeId, NodeKind, Notice, UndoPlan};
use crate::plan::walk;
use crate::plan::{
    Action, DEFAULT_PAUSE_NS, Input, LocId, Metric, MetricSource, Plan, Policy, Provider,
};
use crate::providers::request::Observable;
use crate::units::Dim;
use crate::values::fields::Fields;
use crate::values::{Instant, Value, Version};
use crate::verify::ledger::Ledger;
use crate::verify::quiet::Pace;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The provider that stands in for all others; no plan can name it.
pub const PROVIDER: &str = "verify!";

/// When a run begins whose plan has no window: 2026-01-01T00:00Z.
const SOME_DAY: Instant = Instant(1_767_225_600_000_000_000);

/// What a measurement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// The body of a check.
    Check(NodeId),
    /// The condition of a `when`.
    When(NodeId),
    /// What the arguments of a step have to read.
    Arguments(NodeId),
    /// The postconditions of a step.
    Post(NodeId),
    /// What the arguments of a written undo have to read.
    Undo(NodeId),
}

impl Site {
    pub fn node(self) -> NodeId {
        match self {
            Site::Check(id)
            | Site::When(id)
            | Site::Arguments(id)
            | Site::Post(id)
            | Site::Undo(id) => id,
        }
    }
}

/// A plan that can be explored.
pub struct Subject {
    /// With its measurements left open.
    pub plan: Plan,
    pub inputs: Fields,
    /// By the number that stands in a read.
    pub sites: Vec<Site>,
    pub facts: Facts,
    pub ledger: Ledger,
    /// What the plan claims of its runs, and does not decide itself.
    pub invariants: Vec<Invariant>,
    pub start: Instant,
    pub pace: Pace,
    /// The ends that time itself brings: windows and the deadline, in order.
    pub ends: Vec<Instant>,
    /// By [`NodeId`]: whether what became of its change can be seen.
    pub observable: Vec<Observable>,
    /// By [`NodeId`]: the numbers of its sites.
    of_node: Vec<Vec<usize>>,
    /// By place and depth: how much of a pause there is in all.
    pools: BTreeMap<(LocId, u32), i64>,
}

impl Subject {
    /// Explored with what the plan claims of itself, as far as runs decide it.
    pub fn claiming(mut self, invariants: &[Invariant]) -> Subject {
        let undecided = |claim: &Claim| claim.proved().is_none();
        self.invariants = invariants.to_vec();
        for invariant in &mut self.invariants {
            invariant.claims.retain(undecided);
        }
        self.invariants.retain(|one| !one.claims.is_empty());
        self
    }

    pub fn sites_of(&self, id: NodeId) -> &[usize] {
        self.of_node.get(id.0 as usize).map_or(&[], Vec::as_slice)
    }

    pub fn site(&self, site: Site) -> Option<usize> {
        let mut own = self.sites_of(site.node()).iter();
        own.find(|at| self.sites.get(**at) == Some(&site)).copied()
    }

    /// One that is not known has no end.
    pub fn pool_ns(&self, place: LocId, depth: u32) -> i64 {
        let known = self.pools.get(&(place, depth));
        known.copied().unwrap_or(i64::MAX)
    }

    /// At most, for a rollback: its longest time. Where its checks see nothing they wait for as long as `within` says.
    pub fn rollback_ns(&self) -> i64 {
        let longest_ns = self
            .facts
            .rollback
            .as_ref()
            .map_or(0, |time| time.longest_ns);
        let within_ns = self
            .plan
            .rollback
            .as_ref()
            .map_or(0, |rollback| rollback.within_ns);
        longest_ns.max(within_ns)
    }

    /// A run that is still going on then does not end.
    pub fn patience_ns(&self) -> i64 {
        const DAY_NS: i64 = 86_400_000_000_000;
        let longest_ns = self
            .facts
            .times
            .longest_ns
            .saturating_add(self.rollback_ns());
        longest_ns.saturating_mul(2).saturating_add(DAY_NS)
    }

    pub fn observable(&self, id: NodeId) -> Observable {
        let known = self.observable.get(id.0 as usize);
        known.copied().unwrap_or(Observable::Yes)
    }

    /// As people know it.
    pub fn name(&self, id: NodeId) -> String {
        match self.plan.node(id) {
            Some(node) => match &node.title {
                Some(title) => format!("\"{title}\""),
                None => format!("`{}`", node.path),
            },
            None => "something".to_owned(),
        }
    }
}

/// `None` of a plan with a cycle, which has no times.
pub fn subject(plan: &Plan, given: &Fields) -> Option<Subject> {
    let facts = facts(plan)?;
    let mut open = Opener {
        plan,
        sites: Vec::new(),
        metrics: plan.metrics.clone(),
    };
    let mut abstracted = plan.clone();
    abstracted.nodes = plan.nodes.iter().map(|node| open.node(node)).collect();
    open.watches(&mut abstracted);
    for notice in abstracted.rollback.iter_mut().flat_map(|r| &mut r.notices) {
        quiet(notice);
    }
    for handler in &mut abstracted.handlers {
        quiet(&mut handler.notice);
    }
    abstracted.metrics = open.metrics;
    abstracted.files.clear();
    abstracted.providers.push(Provider {
        name: PROVIDER.to_owned(),
        kind: PROVIDER.to_owned(),
        settings: BTreeMap::new(),
        loc: LocId(0),
    });
    let start = facts.times.origin.unwrap_or(SOME_DAY);
    let mut of_node = vec![Vec::new(); plan.nodes.len()];
    for (index, site) in open.sites.iter().enumerate() {
        if let Some(own) = of_node.get_mut(site.node().0 as usize) {
            own.push(index);
        }
    }
    Some(Subject {
        of_node,
        pools: pools(plan),
        inputs: inputs(plan, given),
        sites: open.sites,
        ledger: Ledger::new(plan),
        ends: ends(plan, start),
        observable: plan
            .nodes
            .iter()
            .map(|node| observable(plan, node))
            .collect(),
        plan: abstracted,
        facts,
        start,
        pace: Pace::Stride,
        invariants: Vec::new(),
    })
}

struct Opener<'a> {
    plan: &'a Plan,
    sites: Vec<Site>,
    metrics: Vec<Metric>,
}

impl Opener<'_> {
    fn node(&mut self, node: &Node) -> Node {
        let mut node = node.clone();
        let id = node.id;
        let loc = node.loc;
        let beyond = matches!(node.kind, NodeKind::When(Expr::HasElement { .. }));
        match &mut node.kind {
            // Whether the list of this run has the element is known before it.
            NodeKind::When(_) if beyond => {}
            NodeKind::When(condition) => *condition = self.read(Site::When(id), loc),
            NodeKind::Check(check) => {
                check.body = self.body(Site::Check(id), &check.body, loc);
            }
            NodeKind::Step(step) => {
                step.call = self.call(Site::Arguments(id), "change", &step.call);
                if !step.post.is_empty() {
                    step.post = self.body(Site::Post(id), &step.post, loc);
                }
                if let UndoPlan::Written { call, .. } = &mut step.undo {
                    *call = self.call(Site::Undo(id), "undo", call);
                }
            }
            NodeKind::Canary(canary) => canary.provider = PROVIDER.to_owned(),
            NodeKind::Notify(notice) => quiet(notice),
            _ => {}
        }
        node
    }

    fn read(&mut self, site: Site, loc: LocId) -> Expr {
        let index = self.sites.len();
        self.sites.push(site);
        Expr::Call(CallExpr {
            provider: PROVIDER.to_owned(),
            function: "truth".to_owned(),
            args: vec![("site".to_owned(), text(&index.to_string()))],
            loc,
        })
    }

    /// One clause for all; the first is judged no earlier than those that were written.
    fn body(&mut self, site: Site, written: &[Stmt], loc: LocId) -> Vec<Stmt> {
        let clause = Stmt::Expect(Clause {
            condition: self.read(site, loc),
            text: clauses(written).join(", ").into(),
            loc,
        });
        // Never judged; the engine reads from it how far back the answers look.
        let written = Stmt::When {
            condition: Expr::Literal(Value::Bool(false)),
            body: written.to_vec(),
        };
        vec![clause, written]
    }

    fn call(&mut self, site: Site, function: &str, written: &CallExpr) -> CallExpr {
        let node = site.node();
        let mut args = vec![("node".to_owned(), text(&node.0.to_string()))];
        let read = walk::reads(self.plan, written.args.iter().map(|(_, arg)| arg));
        if !read.calls.is_empty() || !read.metrics.is_empty() {
            args.push(("read".to_owned(), self.read(site, written.loc)));
        }
        CallExpr {
            provider: PROVIDER.to_owned(),
            function: function.to_owned(),
            args,
            loc: written.loc,
        }
    }

    /// All rules of a watch are one read; a rule of a revision is asked only while there is that revision.
    fn watches(&mut self, plan: &mut Plan) {
        for (index, watch) in (0u32..).zip(&mut plan.watches) {
            let read = Expr::Call(CallExpr {
                provider: PROVIDER.to_owned(),
                function: "watch".to_owned(),
                args: vec![("watch".to_owned(), text(&index.to_string()))],
                loc: watch.loc,
            });
            for (at, rule) in watch.rules.iter_mut().enumerate() {
                let scope = scope(self.plan, &rule.condition);
                let metric = u32::try_from(self.metrics.len()).unwrap_or(u32::MAX);
                let said = Expr::Field(Box::new(read.clone()), at.to_string());
                self.metrics
                    .push(derived(rule.text.to_string(), said, rule.loc));
                rule.condition = Expr::Metric { metric, scope };
                silence(&mut rule.actions);
            }
            if let Some(no_data) = &mut watch.no_data {
                silence(&mut no_data.actions);
            }
        }
    }
}

fn derived(name: String, expr: Expr, loc: LocId) -> Metric {
    Metric {
        name,
        dim: Dim::Count,
        better: None,
        source: MetricSource::Derived(expr),
        loc,
    }
}

fn scope(plan: &Plan, condition: &Expr) -> Scope {
    let reads = walk::reads(plan, [condition]);
    let metrics = reads.metrics.iter().map(|(_, scope)| scope);
    let all: Vec<&Scope> = metrics.chain(&reads.pods).collect();
    if all.contains(&&Scope::Canary) || all.contains(&&Scope::Stable) {
        Scope::Canary
    } else if all.contains(&&Scope::All) {
        Scope::All
    } else {
        Scope::None
    }
}

fn clauses(body: &[Stmt]) -> Vec<&str> {
    let mut found = Vec::new();
    for stmt in body {
        match stmt {
            Stmt::Let { .. } => {}
            Stmt::Expect(clause) => found.push(&*clause.text),
            Stmt::Against(comparison) => found.push(&*comparison.text),
            Stmt::When { body, .. } => found.extend(clauses(body)),
        }
    }
    found
}

fn silence(actions: &mut [Action]) {
    for action in actions {
        if let Action::Notify(notice) = action {
            quiet(notice);
        }
    }
}

/// What a message says decides nothing.
fn quiet(notice: &mut Notice) {
    notice.args.clear();
    notice.text = Template::default();
}

fn text(text: &str) -> Expr {
    Expr::Literal(Value::String(text.to_owned()))
}

/// What a person would have to say; a list has as many elements as the plan allows.
fn inputs(plan: &Plan, given: &Fields) -> Fields {
    let value = |input: &Input| {
        let known = given.get(&input.name).or(input.default.as_ref());
        match (known, input.most) {
            (Some(known), _) => known.clone(),
            (None, Some(most)) => {
                let element = |at: u32| Value::String(format!("{}-{}", input.name, at + 1));
                Value::List((0..most).map(element).collect())
            }
            (None, None) => some_value(&input.ty),
        }
    };
    let inputs = plan.inputs.iter();
    inputs
        .map(|input| (input.name.clone(), value(input)))
        .collect()
}

fn some_value(ty: &str) -> Value {
    match ty {
        "bool" => Value::Bool(true),
        "version" => Value::version(Version {
            numbers: vec![1],
            pre: None,
            text: "1".to_owned(),
        }),
        ty if ty.starts_with("list<") => Value::List(Vec::new()),
        _ => Value::String(ty.to_owned()),
    }
}

fn ends(plan: &Plan, start: Instant) -> Vec<Instant> {
    let windows = plan.nodes.iter().filter_map(|node| node.window);
    let windows = windows.chain(plan.window).map(|window| window.to);
    let freezes = plan.freezes.iter().map(|freeze| freeze.window);
    let windows = windows.chain(freezes.flat_map(|freeze| [freeze.from, freeze.to]));
    let deadline = plan.deadline_ns.map(|ns| start.plus(ns));
    let mut ends: Vec<Instant> = windows.chain(deadline).collect();
    ends.sort_unstable();
    ends.dedup();
    ends
}

/// As the provider would say it: nobody sees whether a command ran.
fn observable(plan: &Plan, node: &Node) -> Observable {
    let NodeKind::Step(step) = &node.kind else {
        return Observable::Yes;
    };
    let kind = plan.provider(&step.call.provider).map(|p| p.kind.as_str());
    if kind != Some("shell") {
        return Observable::Yes;
    }
    let idempotent = step.call.args.iter().any(|(name, value)| {
        name == "idempotent" && matches!(value, Expr::Literal(Value::Bool(true)))
    });
    match idempotent {
        true => Observable::Idempotent,
        false => Observable::AtMostOnce,
    }
}

fn pools(plan: &Plan) -> BTreeMap<(LocId, u32), i64> {
    let mut found = BTreeMap::from([((DEFAULT_PLACE, 0), DEFAULT_PAUSE_NS)]);
    for node in &plan.nodes {
        for policy in node.policies.written() {
            pools_of(policy, 0, &mut found);
        }
    }
    for watch in &plan.watches {
        let rules = watch.rules.iter().map(|rule| (rule.loc, &rule.actions));
        let blind = watch
            .no_data
            .iter()
            .map(|blind| (blind.loc, &blind.actions));
        for (loc, actions) in rules.chain(blind) {
            for action in actions {
                if let Action::Pause { up_to_ns, then } = action {
                    found.insert((loc, 0), *up_to_ns);
                    pools_of(then, 1, &mut found);
                }
            }
        }
    }
    found
}

fn pools_of(policy: &Policy, depth: u32, found: &mut BTreeMap<(LocId, u32), i64>) {
    if let Policy::Pause {
        up_to_ns,
        then,
        place,
    }
    | Policy::Extend {
        up_to_ns,
        then,
        place,
    } = policy
    {
        found.insert((*place, depth), *up_to_ns);
        pools_of(then, depth + 1, found);
    }
}
