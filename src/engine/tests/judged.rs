//! What is told of a clause that was judged: what was measured, what was only written, and what nobody could say.

use crate::engine::eval;
use crate::engine::protocol::Judged;
use crate::engine::tests::bench::{Bench, record};
use crate::engine::tests::build::{
    Builder, check, compare, errors, expect, field, latency, percents,
};
use crate::plan::MetricSource;
use crate::plan::expr::{Datum, Expr, Scope, Stmt};
use crate::plan::node::{CheckMode, NodeId, NodeKind};
use crate::syntax::ast::{Aggregate, BinaryOp, CompareOp};
use crate::values::{Value, Verdict, show};
use serde_json::json;

/// As a check comes to it at once; 3% of requests fail, and the fields of `cluster.all` are JSON.
fn judged(condition: Expr) -> Judged {
    let bench = judged_in(Builder::new(), vec![expect(condition)]);
    bench.state.nodes[1].clauses[0].as_ref().clone()
}

fn judged_in(mut b: Builder, body: Vec<Stmt>) -> Bench {
    let phase = b.phase("p");
    let gate = NodeKind::Check(check(body, CheckMode::Once));
    assert_eq!(b.node(Some(phase), "gate", gate), NodeId(1));
    let word = |word: &str| Value::String(word.to_owned());
    let all = record(&[
        ("list", Value::json(json!([true, false]))),
        ("headers", Value::json(json!({"cached": true}))),
        ("names", Value::List(vec![word("api"), word("web")])),
        ("gone", Value::Absent),
    ]);
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.03)
        .answer("all", move |_| Some(Ok(all.clone())))
        .start()
        .run()
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
    let clause = judged(compare(rate.clone(), CompareOp::Lt, other));
    assert_eq!(
        measured(&clause),
        ["error_rate is 3%", "error_rate + 4% is 7%"]
    );
    let negative = Expr::Negate(Box::new(percents(1)));
    let clause = judged(compare(rate, CompareOp::Gt, negative));
    assert_eq!(measured(&clause), ["error_rate is 3%"]);
    let word = |word: &str| Expr::Literal(Value::String(word.to_owned()));
    let names = Expr::List(vec![word("api"), word("web")]);
    let clause = judged(compare(field("all", "names"), CompareOp::Eq, names));
    assert_eq!(clause.verdict, Verdict::Pass);
    let told = r#"cluster.all.names is ["api", "web"]"#;
    assert_eq!(measured(&clause), [told]);
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
fn nothing_is_said_of_a_list_that_is_not_there() {
    let any = Expr::Aggregate(Aggregate::Any, Box::new(field("all", "gone")));
    let clause = judged(any);
    assert_eq!(clause.verdict, Verdict::Inconclusive);
    assert_eq!(clause.reason.as_deref(), Some("there is no list"));
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

#[test]
fn a_check_is_as_bad_as_the_worst_of_its_clauses() {
    let below = |percent| expect(errors(Scope::None, CompareOp::Lt, percent));
    let (good, bad) = (|| below(5), || below(1));
    let unseen = || expect(latency(Scope::None, CompareOp::Lt, 500));
    let never = || Stmt::When {
        condition: Expr::Literal(Value::Bool(false)),
        body: vec![bad()],
    };
    for (body, verdict) in [
        (vec![good(), good()], Verdict::Pass),
        (vec![good(), bad()], Verdict::Fail),
        (vec![unseen(), bad()], Verdict::Fail),
        (vec![good(), unseen()], Verdict::Inconclusive),
        (vec![never()], Verdict::NotApplicable),
        (vec![never(), good()], Verdict::Pass),
    ] {
        let shown = format!("{body:?}");
        let bench = judged_in(Builder::new(), body);
        assert_eq!(bench.state.nodes[1].verdict, Some(verdict), "{shown}");
    }
}

#[test]
fn a_metric_is_told_in_its_unit() {
    let mut b = Builder::new();
    if let MetricSource::Query {
        scale_numerator,
        scale_denominator,
        ..
    } = &mut b.plan.metrics[0].source
    {
        (*scale_numerator, *scale_denominator) = (60, 100);
    }
    let below = expect(errors(Scope::None, CompareOp::Lt, 5));
    let bench = judged_in(b, vec![below]);
    let clause = &bench.state.nodes[1].clauses[0];
    assert_eq!(measured(clause), ["error_rate is 1.8%"]);
}

#[test]
fn what_stands_side_by_side_is_not_deep() {
    let one = || Expr::Literal(Value::count(1));
    let row = vec![(CompareOp::Le, one()); 1_000];
    let clause = judged(Expr::Compare(Box::new(one()), row));
    assert_eq!((clause.verdict, clause.reason), (Verdict::Pass, None));
}

#[test]
fn a_field_of_json_is_json_and_of_nothing_there_is_nothing() {
    let header = |name: &str| Expr::Field(Box::new(field("all", "headers")), name.to_owned());
    assert_eq!(judged(header("cached")).verdict, Verdict::Pass);
    let clause = judged(header("etag"));
    assert_eq!(clause.verdict, Verdict::Error);
    let reason = clause.reason.as_deref();
    assert_eq!(reason, Some("the answer has no field `etag`"));
    let of = |value| match eval::field(value, "cached") {
        Ok(value) => show::value(&value),
        Err(trouble) => trouble.reason(),
    };
    let missing = "the answer has no field `cached`";
    assert_eq!(of(Value::json(json!({"cached": true}))), "true");
    assert_eq!(of(Value::json(json!({}))), missing);
    assert_eq!(of(Value::json(json!(true))), missing);
    assert_eq!(of(Value::Bool(true)), missing);
    assert_eq!(of(Value::Absent), show::value(&Value::Absent));
}
