//! Plans from damaged files: they say what is wrong, and nothing of them is carried out.

use crate::engine::protocol::RunOutcome;
use crate::engine::tests::bench::Bench;
use crate::engine::tests::build::{Builder, M, no_data, one_step};
use crate::plan::MetricSource;
use crate::plan::expr::{Expr, Scope};
use crate::plan::node::NodeId;
use crate::syntax::ast::{Aggregate, BinaryOp};

#[track_caller]
fn says(b: Builder, message: &str) {
    let expected = format!("0s failed: {message}\n0s finish Stopped");
    Bench::new(b.plan).start().run().expect(&expected);
}

/// With metrics derived from others; the first of them is number 2.
fn derived(exprs: Vec<Expr>) -> Builder {
    let mut b = one_step();
    for expr in exprs {
        let mut metric = b.plan.metrics[0].clone();
        metric.name = format!("m{}", b.plan.metrics.len());
        metric.source = MetricSource::Derived(expr);
        b.plan.metrics.push(metric);
    }
    b
}

fn of(metric: u32) -> Expr {
    let scope = Scope::None;
    Expr::Metric { metric, scope }
}

fn share(part: u32, whole: u32) -> Expr {
    Expr::Binary(Box::new(of(part)), BinaryOp::Div, Box::new(of(whole)))
}

#[test]
fn what_refers_to_a_node_refers_to_one_that_is_there() {
    let beyond = NodeId(2);
    let mut edge = one_step();
    edge.after(NodeId(1), beyond);
    says(
        edge,
        "the plan is damaged at `p/one`: it waits for what is not there",
    );
    let mut watch = one_step();
    watch.watch(NodeId(0), beyond, Vec::new(), no_data(M, Vec::new()));
    says(
        watch,
        "the plan is damaged: a watch is over what is not there",
    );
    let mut proof = one_step();
    proof.rollback(vec![beyond]);
    says(
        proof,
        "the plan is damaged: its rollback verifies what is not there",
    );
}

#[test]
fn no_metric_is_derived_from_itself() {
    let own = || Box::new(of(2));
    for exprs in [
        vec![of(2)],
        vec![Expr::Negate(own())],
        vec![Expr::Aggregate(Aggregate::Max, own())],
        vec![Expr::Field(own(), "value".to_owned())],
        vec![share(2, 0)],
        vec![share(0, 2)],
        vec![of(3), of(2)],
        vec![share(0, 4), of(0), share(3, 2)],
    ] {
        says(derived(exprs), "the metric `m2` is derived from itself");
    }
}

#[test]
fn metrics_may_be_derived_from_others_that_are_derived() {
    for exprs in [
        vec![of(0), of(2), of(3)],
        vec![of(3), of(4), of(0)],
        vec![share(0, 1), share(2, 2), share(2, 3)],
    ] {
        let bench = Bench::new(derived(exprs).plan).start().run();
        bench.outcome(RunOutcome::Succeeded);
    }
}
