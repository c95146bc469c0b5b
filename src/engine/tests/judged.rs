//! What is told of a clause that was judged: what was measured, what was only written, and what nobody could say.

use crate::engine::protocol::Judged;
use crate::engine::tests::bench::{Bench, record};
use crate::engine::tests::build::{Builder, compare, errors, field, percents};
use crate::plan::expr::{Datum, Expr, Scope};
use crate::plan::node::{CheckMode, NodeId};
use crate::syntax::ast::{Aggregate, BinaryOp, CompareOp};
use crate::values::{Value, Verdict, show};

/// As a check comes to it at once; 3% of requests fail, and `cluster.all.list` is JSON.
fn judged(condition: Expr) -> Judged {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let gate = b.check(phase, "gate", condition, CheckMode::Once);
    let list = Value::json(serde_json::json!([true, false]));
    let bench = Bench::new(b.plan)
        .metric("error_rate", |_| 0.03)
        .answer("all", move |_| Some(Ok(record(&[("list", list.clone())]))))
        .start()
        .run();
    bench.state.nodes[gate.0 as usize].clauses[0]
        .as_ref()
        .clone()
}

fn measured(judged: &Judged) -> Vec<String> {
    let shown = judged.measured.iter();
    shown
        .map(|one| format!("{} is {}", one.what, show::value(&one.value)))
        .collect()
}

#[test]
fn a_bound_that_is_reckoned_from_what_is_written_is_not_measured() {
    let bound = Expr::Binary(Box::new(percents(1)), BinaryOp::Add, Box::new(percents(4)));
    let rate = Expr::Metric {
        metric: 0,
        scope: Scope::None,
    };
    let clause = judged(compare(rate.clone(), CompareOp::Lt, bound));
    assert_eq!(clause.verdict, Verdict::Pass);
    assert_eq!(measured(&clause), ["error_rate is 3%"]);
    let other = Expr::Binary(Box::new(rate.clone()), BinaryOp::Add, Box::new(percents(4)));
    let clause = judged(compare(rate, CompareOp::Lt, other));
    assert_eq!(
        measured(&clause),
        ["error_rate is 3%", "error_rate + 4% is 7%"]
    );
}

#[test]
fn what_is_deeper_than_anybody_reads_is_cut() {
    let mut deep = Expr::Metric {
        metric: 0,
        scope: Scope::None,
    };
    for _ in 0..20 {
        deep = Expr::Negate(Box::new(deep));
    }
    let clause = judged(compare(deep, CompareOp::Lt, percents(5)));
    assert_eq!(clause.verdict, Verdict::Pass);
    assert_eq!(measured(&clause), ["-------------… is 3%"]);
}

#[test]
fn a_list_in_json_is_a_list() {
    let of = |how| Expr::Aggregate(how, Box::new(field("all", "list")));
    assert_eq!(judged(of(Aggregate::Any)).verdict, Verdict::Pass);
    assert_eq!(judged(of(Aggregate::All)).verdict, Verdict::Fail);
}

#[test]
fn of_what_has_not_been_there_the_path_is_told() {
    let took = Expr::Node {
        node: NodeId(1),
        datum: Datum::Took,
    };
    let clause = judged(compare(took.clone(), CompareOp::Lt, took));
    assert_eq!(clause.verdict, Verdict::Inconclusive);
    let reason = clause.reason.as_deref();
    assert_eq!(reason, Some("`p/gate` has not been there yet"));
    let clause = judged(errors(Scope::None, CompareOp::Lt, 1));
    assert_eq!((clause.verdict, clause.reason), (Verdict::Fail, None));
}

#[test]
fn there_is_a_number_of_nothing_but_not_of_what_was_not_measured() {
    let count = |list| Expr::Aggregate(Aggregate::Count, Box::new(list));
    let none = |list| {
        let zero = Expr::Literal(Value::count(0));
        judged(compare(count(list), CompareOp::Eq, zero)).verdict
    };
    assert_eq!(none(Expr::List(Vec::new())), Verdict::Pass);
    let without_series = Expr::Metric {
        metric: 1,
        scope: Scope::None,
    };
    assert_eq!(none(without_series), Verdict::Inconclusive);
}
