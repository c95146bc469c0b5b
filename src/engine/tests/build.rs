//! Plans for tests, built by hand: the engine's tests need no compiler.

use crate::plan::expr::{CallExpr, Clause, Expr, Scope, Stmt, Template, TemplatePart};
use crate::plan::node::{
    Approve, AtMostOnce, Canary, Check, CheckMode, Confirm, Edge, EdgeWhy, Node, NodeId, NodeKind,
    Notice, Quorum, Stage, Step, UndoPlan,
};
use crate::plan::{
    Action, LocId, Metric, MetricSource, NoData, Plan, Policies, Policy, Provider, Role, Rollback,
    Rule, SCOPE_PLACEHOLDER, Watch,
};
use crate::syntax::ast::CompareOp;
use crate::units::Dim;
use crate::units::amount::{NANO, Nano, Quantity};
use crate::values::Value;
use std::collections::BTreeMap;

pub const S: i64 = 1_000_000_000;
pub const M: i64 = 60 * S;
pub const H: i64 = 60 * M;
pub const LOC: LocId = LocId(0);
/// Of all pauses in a built plan, unless a test says otherwise.
pub const PLACE: LocId = LocId(7);

pub struct Builder {
    pub plan: Plan,
}

impl Builder {
    /// Samples every 15 s; metrics `error_rate` and `p95`, a window of one minute behind them.
    pub fn new() -> Builder {
        Builder {
            plan: Plan {
                semantics: 1,
                language: 1,
                name: "shop".to_owned(),
                title: "Shop".to_owned(),
                window: None,
                freezes: Vec::new(),
                deadline_ns: None,
                concurrent: Default::default(),
                sample_ns: 15 * S,
                inputs: Vec::new(),
                providers: vec![
                    provider("prom", "prometheus"),
                    provider("cluster", "kubernetes"),
                    provider("room", "slack"),
                ],
                roles: vec![role("engineer", &[]), role("manager", &["mia"])],
                metrics: vec![
                    metric("error_rate", Dim::Ratio),
                    metric("p95", Dim::Duration),
                ],
                lets: Vec::new(),
                nodes: Vec::new(),
                orders: Vec::new(),
                watches: Vec::new(),
                rollback: None,
                handlers: Vec::new(),
                files: BTreeMap::new(),
            },
        }
    }

    pub fn node(&mut self, parent: Option<NodeId>, name: &str, kind: NodeKind) -> NodeId {
        let id = NodeId(self.plan.nodes.len() as u32);
        let path = match parent.and_then(|id| self.plan.node(id)) {
            Some(parent) => format!("{}/{name}", parent.path),
            None => name.to_owned(),
        };
        self.plan.nodes.push(Node {
            id,
            path,
            name: Some(name.to_owned()),
            title: None,
            refs: Vec::new(),
            kind,
            parent,
            children: Vec::new(),
            after: Vec::new(),
            policies: no_policies(),
            window: None,
            owner: None,
            expires_ns: None,
            loc: LOC,
        });
        if let Some(parent) = parent {
            self.plan.nodes[parent.0 as usize].children.push(id);
        }
        id
    }

    pub fn phase(&mut self, name: &str) -> NodeId {
        self.node(None, name, NodeKind::Phase)
    }

    pub fn check(
        &mut self,
        parent: NodeId,
        name: &str,
        condition: Expr,
        mode: CheckMode,
    ) -> NodeId {
        let check = check(vec![expect(condition)], mode);
        self.node(Some(parent), name, NodeKind::Check(check))
    }

    /// Three times, every ten minutes.
    pub fn every(&mut self, parent: NodeId) -> NodeId {
        let kind = NodeKind::Every {
            period_ns: 10 * M,
            ticks: 3,
        };
        self.node(Some(parent), "every", kind)
    }

    /// `step NAME = cluster.apply(what: NAME) timeout 10m undo timeout 2m`
    pub fn step(&mut self, parent: NodeId, name: &str) -> NodeId {
        let step = step(name, derived(2 * M));
        self.node(Some(parent), name, NodeKind::Step(step))
    }

    pub fn canary(&mut self, parent: NodeId, release: NodeId, stages: &[(i64, i64)]) -> NodeId {
        let kind = NodeKind::Canary(Canary {
            step: release,
            undo_timeout_ns: 2 * M,
            promote_timeout_ns: 5 * M,
            provider: "cluster".to_owned(),
        });
        let canary = self.node(Some(parent), "canary", kind);
        self.after(canary, release);
        for (percent, hold_ns) in stages {
            let kind = NodeKind::Stage(Stage {
                weight: Nano(i128::from(*percent) * NANO / 100),
                tolerance: Nano(0),
                pods: None,
                within_ns: M,
                hold_ns: *hold_ns,
                hold_title: None,
                hold_refs: Vec::new(),
            });
            self.node(Some(canary), &format!("stage-{percent}"), kind);
        }
        canary
    }

    pub fn watch(&mut self, from: NodeId, to: NodeId, rules: Vec<Rule>, no_data: Option<NoData>) {
        self.plan.watches.push(Watch {
            title: "guard".to_owned(),
            refs: Vec::new(),
            from,
            to,
            sample_ns: self.plan.sample_ns,
            sections: Vec::new(),
            no_data,
            rules,
            loc: LOC,
        });
    }

    pub fn rollback(&mut self, verify: Vec<NodeId>) {
        self.plan.rollback = Some(Rollback {
            during: None,
            within_ns: 15 * M,
            notices: Vec::new(),
            verify,
            loc: LOC,
        });
    }

    pub fn after(&mut self, id: NodeId, from: NodeId) {
        self.plan.nodes[id.0 as usize].after.push(Edge {
            from,
            why: EdgeWhy::After,
            loc: LOC,
        });
    }

    pub fn policies(&mut self, id: NodeId) -> &mut Policies {
        &mut self.plan.nodes[id.0 as usize].policies
    }

    pub fn child(&self, id: NodeId, at: usize) -> NodeId {
        self.plan.nodes[id.0 as usize].children[at]
    }
}

/// A phase `p` with one step in it.
pub fn one_step() -> Builder {
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.step(phase, "one");
    b
}

/// The step of [`one_step`].
pub fn step_mut(b: &mut Builder) -> &mut Step {
    match &mut b.plan.nodes[1].kind {
        NodeKind::Step(step) => step,
        other => panic!("{other:?} is no step"),
    }
}

pub fn check(body: Vec<Stmt>, mode: CheckMode) -> Check {
    Check {
        body,
        mode,
        samples: 1,
    }
}

pub fn step(name: &str, undo: UndoPlan) -> Step {
    Step {
        call: call("apply", name),
        timeout_ns: 10 * M,
        post: Vec::new(),
        undo,
        at_most_once: AtMostOnce::No,
    }
}

pub fn call(function: &str, what: &str) -> CallExpr {
    CallExpr {
        provider: "cluster".to_owned(),
        function: function.to_owned(),
        args: vec![(
            "what".to_owned(),
            Expr::Literal(Value::String(what.to_owned())),
        )],
        loc: LOC,
    }
}

pub fn derived(timeout_ns: i64) -> UndoPlan {
    UndoPlan::Derived {
        timeout_ns,
        title: None,
        refs: Vec::new(),
    }
}

pub fn confirm(within_ns: i64) -> NodeKind {
    NodeKind::Confirm(Confirm {
        roles: vec!["engineer".to_owned()],
        within_ns,
    })
}

pub fn approve(quorum: Quorum, expires_ns: Option<i64>) -> NodeKind {
    NodeKind::Approve(Approve {
        roles: vec!["engineer".to_owned(), "manager".to_owned()],
        quorum,
        within_ns: H,
        expires_ns,
    })
}

pub fn notice(text: &str) -> Notice {
    Notice {
        provider: "room".to_owned(),
        function: "tell".to_owned(),
        args: Vec::new(),
        title: None,
        refs: Vec::new(),
        text: Template {
            parts: vec![TemplatePart::Text(text.to_owned())],
        },
    }
}

pub fn rule(condition: Expr, for_ns: i64, actions: Vec<Action>) -> Rule {
    Rule {
        label: Some("critical".to_owned()),
        title: None,
        refs: Vec::new(),
        section: None,
        text: "the rule".into(),
        condition,
        for_ns,
        actions,
        loc: LOC,
    }
}

pub fn no_data(after_ns: i64, actions: Vec<Action>) -> Option<NoData> {
    Some(NoData {
        after_ns,
        actions,
        loc: LOC,
    })
}

pub fn pause(up_to_ns: i64, then: Policy) -> Policy {
    Policy::Pause {
        up_to_ns,
        then: Box::new(then),
        place: PLACE,
    }
}

pub fn expect(condition: Expr) -> Stmt {
    Stmt::Expect(Clause {
        condition,
        text: "it holds".into(),
        loc: LOC,
    })
}

/// `error_rate < 5%`, in a scope.
pub fn errors(scope: Scope, op: CompareOp, percent: i64) -> Expr {
    compare(Expr::Metric { metric: 0, scope }, op, percents(percent))
}

/// `p95 OP n ms`
pub fn latency(scope: Scope, op: CompareOp, ms: i64) -> Expr {
    let bound = Quantity::exact(Dim::Duration, i128::from(ms) * NANO / 1000);
    compare(
        Expr::Metric { metric: 1, scope },
        op,
        Expr::Literal(Value::Quantity(bound)),
    )
}

/// `cluster.NAME.ready OP n`
pub fn ready(name: &str, op: CompareOp, n: i64) -> Expr {
    compare(field(name, "ready"), op, Expr::Literal(Value::count(n)))
}

pub fn field(function: &str, name: &str) -> Expr {
    let call = Expr::Call(CallExpr {
        provider: "cluster".to_owned(),
        function: function.to_owned(),
        args: Vec::new(),
        loc: LOC,
    });
    Expr::Field(Box::new(call), name.to_owned())
}

pub fn compare(left: Expr, op: CompareOp, right: Expr) -> Expr {
    Expr::Compare(Box::new(left), vec![(op, right)])
}

pub fn percents(percent: i64) -> Expr {
    let nano = i128::from(percent) * NANO / 100;
    Expr::Literal(Value::Quantity(Quantity::exact(Dim::Ratio, nano)))
}

fn provider(name: &str, kind: &str) -> Provider {
    Provider {
        name: name.to_owned(),
        kind: kind.to_owned(),
        settings: BTreeMap::new(),
        loc: LOC,
    }
}

fn role(name: &str, members: &[&str]) -> Role {
    Role {
        name: name.to_owned(),
        title: name.to_owned(),
        members: members.iter().map(|&member| member.to_owned()).collect(),
    }
}

fn metric(name: &str, dim: Dim) -> Metric {
    Metric {
        name: name.to_owned(),
        dim,
        better: None,
        source: MetricSource::Query {
            provider: "prom".to_owned(),
            query: name.to_owned(),
            scoped: Some(format!("{name}{{pod=~\"{SCOPE_PLACEHOLDER}\"}}")),
            scale_numerator: 1,
            scale_denominator: 1,
            absent: None,
            lookback_ns: M,
        },
        loc: LOC,
    }
}

fn no_policies() -> Policies {
    Policies {
        fail: None,
        fails: None,
        error: None,
        inconclusive: None,
        no_data: None,
    }
}
