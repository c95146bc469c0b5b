//! The verdict vectors that every build must give, and the rules of comparing.

use crate::engine::state::Life;
use crate::engine::tests::bench::{Bench, failure, record, series};
use crate::engine::tests::build::{
    Builder, M, S, check, compare, errors, expect, field, no_data, notice, percents, ready, rule,
};
use crate::plan::expr::{Expr, Scope};
use crate::plan::node::{CheckMode, NodeKind};
use crate::plan::{Action, MetricSource};
use crate::providers::request::{Failure, FailureKind};
use crate::syntax::ast::{Aggregate, BinaryOp, CompareOp};
use crate::units::Dim;
use crate::units::amount::Quantity;
use crate::values::{Value, Verdict, Version};

type Answer = Result<Value, Failure>;

/// What a gate says at its first sample when each read is answered so.
fn gate(condition: Expr, answer: Answer) -> (Verdict, String) {
    gate_in(Builder::new(), condition, answer)
}

fn gate_in(mut b: Builder, condition: Expr, answer: Answer) -> (Verdict, String) {
    let phase = b.phase("p");
    let id = b.check(phase, "gate", condition, CheckMode::Once);
    let bench = Bench::new(b.plan)
        .answer("", move |_| Some(answer.clone()))
        .start()
        .until(0);
    let clause = &bench.state.nodes[id.0 as usize].clauses[0];
    (clause.verdict, clause.reason.clone().unwrap_or_default())
}

fn below(percent: i64) -> Expr {
    errors(Scope::None, CompareOp::Lt, percent)
}

fn all(percent: i64) -> Expr {
    let rates = Expr::Metric {
        metric: 0,
        scope: Scope::None,
    };
    let each = Expr::Aggregate(Aggregate::All, Box::new(rates));
    compare(each, CompareOp::Lt, percents(percent))
}

fn aggregated(how: Aggregate, percent: i64) -> Expr {
    let rates = Expr::Metric {
        metric: 0,
        scope: Scope::None,
    };
    let one = Expr::Aggregate(how, Box::new(rates));
    compare(one, CompareOp::Lt, percents(percent))
}

#[track_caller]
fn says(name: &str, condition: Expr, answer: Answer, verdict: Verdict, reason: &str) {
    let found = gate(condition, answer);
    assert_eq!(found, (verdict, reason.to_owned()), "{name}");
}

fn values(values: &[f64]) -> Answer {
    Ok(series(values))
}

#[test]
fn a_gate_on_a_metric_says() {
    use Verdict::{Error, Fail, Inconclusive, Pass};
    let not_a_number = "NaN is no number";
    let away = Err(failure(FailureKind::Unreachable, "connection refused"));
    let at_most = || errors(Scope::None, CompareOp::Le, 5);
    let up = errors(Scope::None, CompareOp::Ge, 95);
    let several = "`error_rate` gives 2 series: say how to combine them \
                   (`any`, `all`, `max`, `min`, `sum`, `avg`, `count`)";
    says(
        "V1",
        below(5),
        values(&[f64::NAN]),
        Inconclusive,
        not_a_number,
    );
    says("V2", below(5), values(&[]), Inconclusive, "no data");
    says("V3", below(5), values(&[0.01, 0.9]), Error, several);
    says("V8 <", below(5), values(&[0.05]), Fail, "");
    says("V8 <=", at_most(), values(&[0.05]), Pass, "");
    says(
        "V11",
        up,
        values(&[f64::INFINITY]),
        Inconclusive,
        "inf is no number",
    );
    says("V18", below(5), values(&[0.04]), Pass, "");
    says("away", below(5), away, Error, "connection refused");
}

#[test]
fn a_gate_on_several_series_says() {
    use Verdict::{Fail, Inconclusive, Pass};
    let not_a_number = "NaN is no number";
    let max = || aggregated(Aggregate::Max, 5);
    says(
        "V21 all",
        all(5),
        values(&[]),
        Inconclusive,
        "the list is empty",
    );
    says("all", all(5), values(&[0.01, 0.02]), Pass, "");
    says("one not", all(5), values(&[0.01, 0.06]), Fail, "");
    says(
        "one unknown",
        all(5),
        values(&[0.01, f64::NAN]),
        Inconclusive,
        not_a_number,
    );
    says(
        "one not, one unknown",
        all(5),
        values(&[f64::NAN, 0.06]),
        Fail,
        "",
    );
    says("max", max(), values(&[0.01, 0.06]), Fail, "");
    says(
        "max hides none",
        max(),
        values(&[0.01, f64::NAN]),
        Inconclusive,
        not_a_number,
    );
    says(
        "max of nothing",
        max(),
        values(&[]),
        Inconclusive,
        "no data",
    );
}

#[test]
fn a_gate_on_a_field_says() {
    use Verdict::{Error, Fail, Inconclusive, Pass};
    let pods = |ready: i64, total: i64| {
        let fields = [
            ("ready", Value::count(ready)),
            ("total", Value::count(total)),
        ];
        Ok(record(&fields))
    };
    let whole = || {
        compare(
            field("pods", "ready"),
            CompareOp::Eq,
            field("pods", "total"),
        )
    };
    let some = || ready("pods", CompareOp::Ge, 3);
    let no_value = Ok(record(&[("ready", Value::Absent)]));
    says("V21", whole(), pods(0, 0), Inconclusive, "0 of 0");
    says("not all", whole(), pods(2, 3), Fail, "");
    says("all", whole(), pods(3, 3), Pass, "");
    says(
        "no field",
        some(),
        Ok(record(&[])),
        Error,
        "the answer has no field `ready`",
    );
    says("no value", some(), no_value, Inconclusive, "no data");
}

#[test]
fn an_absent_metric_is_what_it_says_that_it_is() {
    let mut b = Builder::new();
    if let MetricSource::Query { absent, .. } = &mut b.plan.metrics[0].source {
        *absent = Some(Value::Quantity(Quantity::exact(Dim::Ratio, 0)));
    }
    let found = gate_in(b, below(5), Ok(series(&[])));
    assert_eq!(found, (Verdict::Pass, String::new()));
}

#[test]
fn a_raw_number_has_the_unit_that_the_metric_says() {
    let mut b = Builder::new();
    if let MetricSource::Query {
        scale_denominator, ..
    } = &mut b.plan.metrics[0].source
    {
        *scale_denominator = 100;
    }
    // 7 in % is 7%, to the last bit.
    let exactly = errors(Scope::None, CompareOp::Le, 7);
    assert_eq!(gate_in(b, exactly, Ok(series(&[7.0]))).0, Verdict::Pass);
}

#[test]
fn a_derived_metric_has_no_value_where_it_is_divided_by_zero() {
    let derived = || {
        let part = |metric| {
            Box::new(Expr::Metric {
                metric,
                scope: Scope::None,
            })
        };
        let mut b = Builder::new();
        let mut share = b.plan.metrics[0].clone();
        share.name = "share".to_owned();
        share.source = MetricSource::Derived(Expr::Binary(part(0), BinaryOp::Div, part(0)));
        b.plan.metrics.push(share);
        b
    };
    let share = || {
        let metric = Expr::Metric {
            metric: 2,
            scope: Scope::None,
        };
        compare(metric, CompareOp::Le, percents(100))
    };
    let zero = gate_in(derived(), share(), Ok(series(&[0.0])));
    assert_eq!(
        zero,
        (Verdict::Inconclusive, "it is divided by zero".to_owned())
    );
    assert_eq!(
        gate_in(derived(), share(), Ok(series(&[3.0]))).0,
        Verdict::Pass
    );
    assert_eq!(
        gate_in(derived(), share(), Ok(series(&[]))).0,
        Verdict::Inconclusive
    );
}

#[test]
fn what_was_written_compares_exactly() {
    let sum = Expr::Binary(
        Box::new(ratio(1_000_000)),
        BinaryOp::Add,
        Box::new(ratio(2_000_000)),
    );
    let condition = compare(sum, CompareOp::Eq, ratio(3_000_000));
    assert_eq!(gate(condition, Ok(Value::Absent)).0, Verdict::Pass);
}

#[test]
fn a_band_is_a_chain() {
    let band = |value: f64| {
        let rates = Expr::Metric {
            metric: 0,
            scope: Scope::None,
        };
        let rest = vec![(CompareOp::Le, rates), (CompareOp::Le, percents(30))];
        gate(
            Expr::Compare(Box::new(percents(10)), rest),
            Ok(series(&[value])),
        )
        .0
    };
    assert_eq!(band(0.1), Verdict::Pass);
    assert_eq!(band(0.3), Verdict::Pass);
    assert_eq!(band(0.31), Verdict::Fail);
    assert_eq!(band(0.09), Verdict::Fail);
    assert_eq!(band(f64::NAN), Verdict::Inconclusive);
}

#[test]
fn unknown_stays_unknown_unless_the_other_side_decides() {
    let unknown = || below(5);
    let yes = || compare(ratio(1), CompareOp::Lt, ratio(2));
    let no = || compare(ratio(2), CompareOp::Lt, ratio(1));
    let join = |left, op, right| Expr::Binary(Box::new(left), op, Box::new(right));
    let found = |condition| gate(condition, Ok(series(&[]))).0;
    assert_eq!(
        found(join(yes(), BinaryOp::And, unknown())),
        Verdict::Inconclusive
    );
    assert_eq!(found(join(no(), BinaryOp::And, unknown())), Verdict::Fail);
    assert_eq!(found(join(unknown(), BinaryOp::Or, yes())), Verdict::Pass);
    assert_eq!(
        found(join(unknown(), BinaryOp::Or, no())),
        Verdict::Inconclusive
    );
    assert_eq!(found(Expr::Not(Box::new(unknown()))), Verdict::Inconclusive);
}

#[test]
fn a_verdict_that_is_none_does_not_open() {
    let found = |verdict| {
        let report = Ok(record(&[("verdict", Value::Verdict(verdict))]));
        gate(field("test", "verdict"), report).0
    };
    assert_eq!(found(Verdict::Pass), Verdict::Pass);
    assert_eq!(found(Verdict::Fail), Verdict::Fail);
    assert_eq!(found(Verdict::Inconclusive), Verdict::Inconclusive);
    assert_eq!(found(Verdict::Skipped), Verdict::Inconclusive);
    // V5: nor does it where it was cancelled before it passed.
    assert_eq!(found(Verdict::Cancelled), Verdict::Inconclusive);
}

#[test]
fn versions_compare_as_numbers() {
    let older = |left: &str, right: &str| {
        let condition = compare(version(left), CompareOp::Lt, version(right));
        gate(condition, Ok(Value::Absent)).0 == Verdict::Pass
    };
    assert!(older("1.9", "1.20"));
    assert!(older("1.20-rc.2", "1.20"));
    assert!(older("1.20-rc.2", "1.20-rc.10"));
    assert!(!older("1.20", "1.20.0"));
}

#[test]
fn a_trigger_is_never_all_is_well_without_data() {
    // V19
    for value in [vec![f64::NAN], vec![]] {
        let mut b = Builder::new();
        let phase = b.phase("p");
        b.node(Some(phase), "hold", NodeKind::Hold { ns: 5 * M });
        let over = errors(Scope::None, CompareOp::Gt, 10);
        let told = vec![Action::Notify(notice("blind"))];
        b.watch(
            phase,
            phase,
            vec![rule(over, 0, vec![Action::Rollback])],
            no_data(2 * M, told),
        );
        Bench::new(b.plan)
            .answer("", move |_| Some(Ok(series(&value))))
            .start()
            .until(4 * M)
            .expect_lines(&["blind", "fired"], "2m blind since 0s\n2m tell blind");
    }
}

#[test]
fn a_trigger_fires_on_an_infinite_value() {
    // V20
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.step(phase, "release");
    b.node(Some(phase), "hold", NodeKind::Hold { ns: 5 * M });
    let over = errors(Scope::None, CompareOp::Gt, 10);
    b.watch(
        phase,
        phase,
        vec![rule(over, 0, vec![Action::Rollback])],
        None,
    );
    Bench::new(b.plan)
        .metric(
            "error_rate",
            |at| if at < 30 * S { 0.0 } else { f64::INFINITY },
        )
        .start()
        .run()
        .expect_lines(
            &["fired", "finish"],
            "30s fired: critical `the rule`: error_rate is inf
            30s finish RolledBack",
        );
}

#[test]
fn a_watch_that_was_stopped_before_its_first_sample_keeps_the_gate_shut() {
    // V4: its only read is never answered.
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.check(
        phase,
        "nodes",
        ready("nodes", CompareOp::Ge, 3),
        CheckMode::Once,
    );
    let over = errors(Scope::None, CompareOp::Gt, 10);
    b.watch(
        phase,
        phase,
        vec![rule(over, 0, vec![Action::Rollback])],
        None,
    );
    let bench = Bench::new(b.plan)
        .answer("error_rate", |_| None)
        .answer("nodes", |_| Some(Ok(record(&[("ready", Value::count(3))]))))
        .start()
        .until(30 * M);
    assert_eq!(bench.state.nodes[0].life, Life::Running);
    assert_eq!(bench.outcome, None);
}

#[test]
fn checks_before_traffic_are_carried_out_at_the_first_deployment() {
    // V12: there was no change yet, so nothing is waited for.
    let mut b = Builder::new();
    let phase = b.phase("p");
    b.check(phase, "gate", below(5), CheckMode::Once);
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.0)
        .start()
        .run()
        .expect_lines(&["end"], "0s end p/gate pass\n0s end p pass");
}

#[test]
fn a_gate_counts_one_window_after_the_switch() {
    // V25: the metric looks back one minute, and the step is done at 20 s.
    let mut b = Builder::new();
    let phase = b.phase("p");
    let step = b.step(phase, "switch");
    let gate = b.check(phase, "gate", below(5), CheckMode::Once);
    b.after(gate, step);
    let body = vec![expect(ready("nodes", CompareOp::Ge, 3))];
    let kind = NodeKind::Check(check(body, CheckMode::Once));
    let now = b.node(Some(phase), "now", kind);
    b.after(now, step);
    let mut bench = Bench::new(b.plan)
        .metric("error_rate", |at| if at < 80 * S { 0.5 } else { 0.0 })
        .answer("nodes", |_| Some(Ok(record(&[("ready", Value::count(3))]))));
    bench.latency_ns = 10 * S;
    bench.start().run().expect_lines(
        &["end"],
        "20s end p/switch pass
        30s end p/now pass
        1m 30s end p/gate pass
        1m 30s end p pass",
    );
}

fn ratio(nano: i128) -> Expr {
    Expr::Literal(Value::Quantity(Quantity::exact(Dim::Ratio, nano)))
}

fn version(text: &str) -> Expr {
    let (numbers, pre) = match text.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre.to_owned())),
        None => (text, None),
    };
    Expr::Literal(Value::version(Version {
        numbers: numbers.split('.').map(|n| n.parse().unwrap()).collect(),
        pre,
        text: text.to_owned(),
    }))
}
