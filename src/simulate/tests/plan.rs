//! A small plan, built by hand: release dark, two stages, a watch, a rollback that is verified.

use crate::plan::expr::{CallExpr, Clause, Expr, Scope, Stmt};
use crate::plan::node::{
    AtMostOnce, Canary, Check, CheckMode, Confirm, Edge, EdgeWhy, Node, NodeId, NodeKind, Stage,
    Step, UndoPlan,
};
use crate::plan::{
    Action, LocId, Metric, MetricSource, Plan, Policies, Policy, Provider, Role, Rollback, Rule,
    SCOPE_PLACEHOLDER, Setting, Watch,
};
use crate::syntax::ast::CompareOp;
use crate::units::Dim;
use crate::units::amount::{NANO, Nano, Quantity};
use crate::values::Value;
use std::collections::BTreeMap;

pub const SECOND_NS: i64 = 1_000_000_000;
const MINUTE_NS: i64 = 60 * SECOND_NS;
const LOC: LocId = LocId(0);

pub const MANIFESTS: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: "api:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {selector: {app: api}, ports: [{port: 80}]}
"#;

/// Nodes of the plan that tests name.
pub const TEAM: NodeId = NodeId(1);
pub const RELEASE: NodeId = NodeId(2);
pub const ROLLOUT: NodeId = NodeId(3);
pub const HALF: NodeId = NodeId(5);

pub fn ratio(percent: i64) -> Value {
    Value::Quantity(Quantity::exact(
        Dim::Ratio,
        i128::from(percent) * NANO / 100,
    ))
}

pub fn plan() -> Plan {
    let mut nodes = vec![
        node(0, "deploy", NodeKind::Phase, None),
        node(1, "deploy/team", confirm(), Some(0)),
        node(2, "deploy/release", release(), Some(0)),
        node(3, "rollout", NodeKind::Phase, None),
        node(4, "rollout/canary", canary(), Some(3)),
        node(5, "rollout/canary/stage-50", stage(50), Some(4)),
        node(
            6,
            "rollout/canary/stage-50/errors",
            few_errors(CheckMode::Stage { for_ns: 0 }),
            Some(5),
        ),
        node(7, "rollout/canary/stage-100", stage(100), Some(4)),
        node(
            8,
            "rollout/canary/stage-100/errors",
            few_errors(CheckMode::Stage { for_ns: 0 }),
            Some(7),
        ),
        node(9, "rollback/verify", few_errors(CheckMode::Once), None),
    ];
    for (from, to) in [(1, 2), (0, 3), (5, 7)] {
        nodes[to].after.push(Edge {
            from: NodeId(from),
            why: EdgeWhy::Effect,
            loc: LOC,
        });
    }
    Plan {
        semantics: 1,
        language: 1,
        name: "shop".to_owned(),
        title: "Shop".to_owned(),
        window: None,
        freezes: Vec::new(),
        deadline_ns: Some(60 * MINUTE_NS),
        concurrent: Default::default(),
        sample_ns: 15 * SECOND_NS,
        inputs: Vec::new(),
        providers: vec![
            provider("cluster", "kubernetes"),
            provider("prom", "prometheus"),
        ],
        roles: vec![Role {
            name: "engineer".to_owned(),
            title: "Engineer".to_owned(),
            members: Vec::new(),
        }],
        metrics: vec![metric("error_rate")],
        lets: Vec::new(),
        nodes,
        orders: Vec::new(),
        watches: vec![watch()],
        rollback: Some(Rollback {
            during: None,
            within_ns: 15 * MINUTE_NS,
            notices: Vec::new(),
            verify: vec![NodeId(9)],
            loc: LOC,
        }),
        handlers: Vec::new(),
        files: BTreeMap::from([("k8s.yaml".to_owned(), MANIFESTS.to_owned())]),
    }
}

fn node(id: u32, path: &str, kind: NodeKind, parent: Option<u32>) -> Node {
    let children = match id {
        0 => vec![1, 2],
        3 => vec![4],
        4 => vec![5, 7],
        5 => vec![6],
        7 => vec![8],
        _ => Vec::new(),
    };
    Node {
        id: NodeId(id),
        path: path.to_owned(),
        name: path.rsplit('/').next().map(str::to_owned),
        title: None,
        refs: Vec::new(),
        kind,
        parent: parent.map(NodeId),
        children: children.into_iter().map(NodeId).collect(),
        after: Vec::new(),
        policies: Policies {
            fail: Some(Policy::Rollback),
            fails: None,
            error: None,
            inconclusive: None,
            no_data: None,
        },
        window: None,
        owner: None,
        expires_ns: None,
        loc: LOC,
    }
}

fn confirm() -> NodeKind {
    NodeKind::Confirm(Confirm {
        roles: vec!["engineer".to_owned()],
        within_ns: 30 * MINUTE_NS,
    })
}

fn release() -> NodeKind {
    let image = Value::String("api:2".to_owned());
    let images = Value::Record([("api".to_owned(), image)].into_iter().collect());
    let args = [
        ("path", Value::String("k8s.yaml".to_owned())),
        ("images", images),
        ("traffic", ratio(0)),
    ];
    NodeKind::Step(Step {
        call: CallExpr {
            provider: "cluster".to_owned(),
            function: "apply".to_owned(),
            args: args
                .map(|(name, value)| (name.to_owned(), Expr::Literal(value)))
                .into(),
            loc: LOC,
        },
        timeout_ns: 5 * MINUTE_NS,
        post: Vec::new(),
        undo: UndoPlan::Derived {
            timeout_ns: 2 * MINUTE_NS,
            title: None,
            refs: Vec::new(),
        },
        at_most_once: AtMostOnce::No,
    })
}

fn canary() -> NodeKind {
    NodeKind::Canary(Canary {
        step: RELEASE,
        undo_timeout_ns: 2 * MINUTE_NS,
        promote_timeout_ns: 5 * MINUTE_NS,
        provider: "cluster".to_owned(),
    })
}

fn stage(percent: i64) -> NodeKind {
    NodeKind::Stage(Stage {
        weight: Nano(i128::from(percent) * NANO / 100),
        tolerance: Nano(0),
        pods: None,
        within_ns: 2 * MINUTE_NS,
        hold_ns: 2 * MINUTE_NS,
        hold_title: None,
        hold_refs: Vec::new(),
    })
}

fn few_errors(mode: CheckMode) -> NodeKind {
    let scope = match mode {
        CheckMode::Stage { .. } => Scope::Canary,
        _ => Scope::All,
    };
    NodeKind::Check(Check {
        body: vec![Stmt::Expect(Clause {
            condition: errors(scope, CompareOp::Lt, 5),
            text: "error_rate < 5%".into(),
            loc: LOC,
        })],
        mode,
        samples: 1,
    })
}

fn errors(scope: Scope, op: CompareOp, percent: i64) -> Expr {
    let metric = Expr::Metric { metric: 0, scope };
    Expr::Compare(Box::new(metric), vec![(op, Expr::Literal(ratio(percent)))])
}

fn watch() -> Watch {
    Watch {
        title: "guard".to_owned(),
        refs: Vec::new(),
        from: ROLLOUT,
        to: ROLLOUT,
        sample_ns: 15 * SECOND_NS,
        sections: Vec::new(),
        no_data: None,
        rules: vec![Rule {
            label: Some("critical".to_owned()),
            title: None,
            refs: Vec::new(),
            section: None,
            condition: errors(Scope::Canary, CompareOp::Gt, 10),
            text: "canary.error_rate > 10%".into(),
            for_ns: 0,
            actions: vec![Action::Rollback],
            loc: LOC,
        }],
        loc: LOC,
    }
}

fn metric(name: &str) -> Metric {
    Metric {
        name: name.to_owned(),
        dim: Dim::Ratio,
        better: None,
        source: MetricSource::Query {
            provider: "prom".to_owned(),
            query: name.to_owned(),
            scoped: Some(format!("{name}{{pod=~\"{SCOPE_PLACEHOLDER}\"}}")),
            scale_numerator: 1,
            scale_denominator: 1,
            absent: None,
            lookback_ns: 0,
        },
        loc: LOC,
    }
}

fn provider(name: &str, kind: &str) -> Provider {
    let namespace = Setting::Value(Value::String("shop".to_owned()));
    Provider {
        name: name.to_owned(),
        kind: kind.to_owned(),
        settings: match kind {
            "kubernetes" => BTreeMap::from([("namespace".to_owned(), namespace)]),
            _ => BTreeMap::new(),
        },
        loc: LOC,
    }
}
