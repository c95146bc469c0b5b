//! Plans built by hand, for tests of what works on a finished plan.

use crate::plan::expr::{CallExpr, Clause, Datum, Expr, Scope, Stmt, Template, TemplatePart};
use crate::plan::node::{
    Approve, AtMostOnce, Canary, Check, CheckMode, Confirm, Edge, EdgeWhy, Node, NodeId, NodeKind,
    Notice, Quorum, Stage, Step, UndoPlan,
};
use crate::plan::{
    Direction, LocId, Metric, MetricSource, Plan, Policies, Policy, Provider, Role, Rollback, Rule,
    Setting, Watch,
};
use crate::syntax::ast::CompareOp;
use crate::units::Dim;
use crate::units::amount::{NANO, Nano, Quantity};
use crate::values::Value;
use std::collections::BTreeMap;

pub const SECOND_NS: i64 = 1_000_000_000;
pub const MINUTE_NS: i64 = 60 * SECOND_NS;
pub const HOUR_NS: i64 = 60 * MINUTE_NS;

/// A plan that grows; what it makes has no pauses until a test gives it some.
pub struct Draft {
    pub plan: Plan,
}

impl Draft {
    /// An empty plan with the providers `cluster`, `prom`, `api` and `room`, sampled every 15 seconds.
    pub fn blank() -> Draft {
        let provider = |name: &str, kind: &str| Provider {
            name: name.to_owned(),
            kind: kind.to_owned(),
            settings: BTreeMap::new(),
            loc: LocId(0),
        };
        let plan = Plan {
            semantics: crate::plan::SEMANTICS,
            language: 1,
            name: "demo".to_owned(),
            title: "Demo".to_owned(),
            window: None,
            freezes: Vec::new(),
            deadline_ns: None,
            concurrent: Default::default(),
            sample_ns: 15 * SECOND_NS,
            inputs: Vec::new(),
            providers: vec![
                provider("api", "http"),
                provider("cluster", "kubernetes"),
                provider("prom", "prometheus"),
                provider("room", "slack"),
            ],
            roles: Vec::new(),
            metrics: Vec::new(),
            lets: Vec::new(),
            nodes: Vec::new(),
            orders: Vec::new(),
            watches: Vec::new(),
            rollback: None,
            handlers: Vec::new(),
            files: BTreeMap::new(),
        };
        Draft { plan }
    }

    pub fn add(&mut self, parent: Option<NodeId>, name: &str, kind: NodeKind) -> NodeId {
        let id = NodeId(u32::try_from(self.plan.nodes.len()).unwrap());
        let path = match parent {
            Some(parent) => format!("{}/{name}", self.node(parent).path),
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
            policies: stops(),
            window: None,
            owner: None,
            expires_ns: None,
            loc: LocId(id.0),
        });
        if let Some(parent) = parent {
            self.node(parent).children.push(id);
        }
        id
    }

    pub fn node(&mut self, id: NodeId) -> &mut Node {
        &mut self.plan.nodes[id.0 as usize]
    }

    pub fn wait(&mut self, later: NodeId, earlier: NodeId, why: EdgeWhy) {
        let loc = LocId(later.0);
        self.node(later).after.push(Edge {
            from: earlier,
            why,
            loc,
        });
    }

    pub fn phase(&mut self, name: &str) -> NodeId {
        self.add(None, name, NodeKind::Phase)
    }

    /// Phases in this order.
    pub fn chain(&mut self, names: &[&str]) -> Vec<NodeId> {
        let phases: Vec<NodeId> = names.iter().map(|name| self.phase(name)).collect();
        for pair in phases.windows(2) {
            self.wait(pair[1], pair[0], EdgeWhy::Order);
        }
        phases
    }

    pub fn section(&mut self, parent: NodeId, name: &str) -> NodeId {
        self.add(Some(parent), name, NodeKind::Section)
    }

    /// Asks `api` once.
    pub fn check(&mut self, parent: NodeId, name: &str) -> NodeId {
        self.check_of(parent, name, CheckMode::Once, read("api", "get"))
    }

    pub fn check_of(
        &mut self,
        parent: NodeId,
        name: &str,
        mode: CheckMode,
        condition: Expr,
    ) -> NodeId {
        let check = Check {
            body: vec![expect(condition)],
            mode,
            samples: 1,
        };
        self.add(Some(parent), name, NodeKind::Check(check))
    }

    /// Changes the Deployment `object`; undone in a minute, from the object as it was.
    pub fn step(&mut self, parent: NodeId, name: &str, object: &str) -> NodeId {
        let step = Step {
            call: call("cluster", "scale", &[("name", text(object))]),
            timeout_ns: 5 * MINUTE_NS,
            post: Vec::new(),
            undo: UndoPlan::Derived {
                timeout_ns: MINUTE_NS,
                title: None,
                refs: Vec::new(),
            },
            at_most_once: AtMostOnce::No,
        };
        self.add(Some(parent), name, NodeKind::Step(step))
    }

    pub fn edit_step(&mut self, id: NodeId) -> &mut Step {
        match &mut self.node(id).kind {
            NodeKind::Step(step) => step,
            other => panic!("no step: {other:?}"),
        }
    }

    pub fn edit_check(&mut self, id: NodeId) -> &mut Check {
        match &mut self.node(id).kind {
            NodeKind::Check(check) => check,
            other => panic!("no check: {other:?}"),
        }
    }

    pub fn confirm(&mut self, parent: NodeId, name: &str, within_ns: i64) -> NodeId {
        let confirm = Confirm {
            roles: vec!["engineer".to_owned()],
            within_ns,
        };
        self.add(Some(parent), name, NodeKind::Confirm(confirm))
    }

    pub fn approve(&mut self, parent: NodeId, name: &str, within_ns: i64) -> NodeId {
        let approve = Approve {
            roles: vec!["manager".to_owned()],
            quorum: Quorum::People(1),
            within_ns,
            expires_ns: None,
        };
        self.add(Some(parent), name, NodeKind::Approve(approve))
    }

    pub fn hold(&mut self, parent: NodeId, name: &str, ns: i64) -> NodeId {
        self.add(Some(parent), name, NodeKind::Hold { ns })
    }

    pub fn notify(&mut self, parent: NodeId, name: &str) -> NodeId {
        self.add(Some(parent), name, NodeKind::Notify(notice(name)))
    }

    pub fn canary(&mut self, parent: NodeId, name: &str, step: NodeId) -> NodeId {
        let canary = Canary {
            step,
            undo_timeout_ns: 3 * MINUTE_NS,
            promote_timeout_ns: 5 * MINUTE_NS,
            provider: "cluster".to_owned(),
        };
        self.add(Some(parent), name, NodeKind::Canary(canary))
    }

    pub fn stage(&mut self, canary: NodeId, percent: i128, hold_ns: i64) -> NodeId {
        let stage = Stage {
            weight: Nano(percent * NANO / 100),
            tolerance: Nano(0),
            pods: None,
            within_ns: MINUTE_NS,
            hold_ns,
            hold_title: None,
            hold_refs: Vec::new(),
        };
        let name = format!("stage-{percent}");
        self.add(Some(canary), &name, NodeKind::Stage(stage))
    }

    /// A query metric whose answer looks a minute back.
    pub fn metric(&mut self, name: &str, dim: Dim) -> u32 {
        let source = MetricSource::Query {
            provider: "prom".to_owned(),
            query: format!("sum(rate({name}[1m]))"),
            scoped: Some(format!(
                "sum(rate({name}{{pod=~\"__deployc_scope__\"}}[1m]))"
            )),
            scale_numerator: 1,
            scale_denominator: 1,
            absent: None,
            lookback_ns: MINUTE_NS,
        };
        self.plan.metrics.push(Metric {
            name: name.to_owned(),
            dim,
            better: Some(Direction::Lower),
            source,
            loc: LocId(0),
        });
        u32::try_from(self.plan.metrics.len() - 1).unwrap()
    }

    pub fn watch(&mut self, from: NodeId, to: NodeId, rules: Vec<Rule>) -> &mut Watch {
        self.plan.watches.push(Watch {
            title: "Watch".to_owned(),
            refs: Vec::new(),
            from,
            to,
            sample_ns: self.plan.sample_ns,
            sections: Vec::new(),
            no_data: None,
            rules,
            loc: LocId(from.0),
        });
        self.plan.watches.last_mut().unwrap()
    }

    pub fn rollback(&mut self, within_ns: i64) -> &mut Rollback {
        self.plan.rollback.get_or_insert(Rollback {
            during: None,
            within_ns,
            notices: Vec::new(),
            verify: Vec::new(),
            loc: LocId(0),
        })
    }

    /// A check of the rollback.
    pub fn verify(&mut self, name: &str, mode: CheckMode, condition: Expr) -> NodeId {
        let check = Check {
            body: vec![expect(condition)],
            mode,
            samples: 1,
        };
        let id = self.add(None, name, NodeKind::Check(check));
        self.rollback(15 * MINUTE_NS).verify.push(id);
        id
    }

    pub fn role(&mut self, name: &str, members: &[&str]) {
        self.plan.roles.push(Role {
            name: name.to_owned(),
            title: name.to_owned(),
            members: members.iter().map(|member| (*member).to_owned()).collect(),
        });
    }

    pub fn set(&mut self, provider: &str, name: &str, value: Value) {
        let provider = self.plan.providers.iter_mut().find(|p| p.name == provider);
        let settings = &mut provider.unwrap().settings;
        settings.insert(name.to_owned(), Setting::Value(value));
    }
}

pub fn stops() -> Policies {
    Policies {
        fail: Some(Policy::Stop),
        fails: None,
        error: Some(Policy::Stop),
        inconclusive: Some(Policy::Stop),
        no_data: None,
    }
}

pub fn pause(up_to_ns: i64, place: u32, then: Policy) -> Policy {
    Policy::Pause {
        up_to_ns,
        then: Box::new(then),
        place: LocId(place),
    }
}

pub fn call(provider: &str, function: &str, args: &[(&str, Expr)]) -> CallExpr {
    let args = args.iter();
    CallExpr {
        provider: provider.to_owned(),
        function: function.to_owned(),
        args: args
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        loc: LocId(0),
    }
}

pub fn read(provider: &str, function: &str) -> Expr {
    Expr::Call(call(provider, function, &[]))
}

pub fn text(text: &str) -> Expr {
    Expr::Literal(Value::String(text.to_owned()))
}

pub fn quantity(dim: Dim, nano: i128) -> Expr {
    Expr::Literal(Value::Quantity(Quantity::exact(dim, nano)))
}

/// Tenths of a percent.
pub fn ratio(permille: i128) -> Expr {
    quantity(Dim::Ratio, permille * NANO / 1000)
}

pub fn metric(metric: u32, scope: Scope) -> Expr {
    Expr::Metric { metric, scope }
}

pub fn compare(left: Expr, op: CompareOp, right: Expr) -> Expr {
    Expr::Compare(Box::new(left), vec![(op, right)])
}

pub fn datum(node: NodeId, datum: Datum) -> Expr {
    Expr::Node { node, datum }
}

pub fn expect(condition: Expr) -> Stmt {
    Stmt::Expect(Clause {
        condition,
        text: "…".into(),
        loc: LocId(0),
    })
}

pub fn rule(condition: Expr, for_ns: i64, actions: Vec<crate::plan::Action>) -> Rule {
    Rule {
        label: None,
        title: None,
        refs: Vec::new(),
        section: None,
        condition,
        text: "…".into(),
        for_ns,
        actions,
        loc: LocId(0),
    }
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
