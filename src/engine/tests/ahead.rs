//! What a condition is known to ask before it is evaluated is what it asks when it is.

use crate::engine::agenda::Agenda;
use crate::engine::ahead;
use crate::engine::eval::{Asked, Asker, Mode, ask_ahead, sampled};
use crate::engine::grid::Sample;
use crate::engine::protocol::{Effect, ReadId};
use crate::engine::state::State;
use crate::engine::tests::build::{Builder, percents};
use crate::engine::truth::truth;
use crate::engine::turn::Turn;
use crate::plan::expr::{Expr, Scope};
use crate::plan::{Metric, MetricSource, Plan};
use crate::syntax::ast::{Aggregate, BinaryOp, CompareOp};
use crate::values::{Instant, Value};
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_oneof, proptest};

const AT: Instant = Instant(7);

/// With `twice`, a metric of metrics, as the third.
fn plan() -> Plan {
    let mut plan = Builder::new().plan;
    let twice = Expr::Binary(Box::new(metric(0)), BinaryOp::Add, Box::new(metric(0)));
    plan.metrics.push(Metric {
        name: "twice".to_owned(),
        source: MetricSource::Derived(twice),
        ..plan.metrics[0].clone()
    });
    plan
}

fn indexed(plan: &Plan) -> State {
    State {
        agenda: Agenda::new(plan, &[]),
        ..State::default()
    }
}

fn metric(metric: u32) -> Expr {
    let scope = Scope::None;
    Expr::Metric { metric, scope }
}

fn binary(left: Expr, op: BinaryOp, right: Expr) -> Expr {
    Expr::Binary(Box::new(left), op, Box::new(right))
}

fn compare(first: Expr, rest: &[Expr]) -> Expr {
    let rest = rest.iter().map(|expr| (CompareOp::Lt, expr.clone()));
    Expr::Compare(Box::new(first), rest.collect())
}

/// The questions that leave, and those that the sample then waits for; `None` where it does not wait.
fn evaluated(plan: &Plan, condition: &Expr, mode: Mode) -> Option<(Vec<String>, Vec<ReadId>)> {
    let mut state = State::default();
    let mut turn = Turn::new(plan, &mut state);
    let mut sample = Sample::begun(AT);
    let asker = Asker {
        at: AT,
        mode,
        canary: None,
        cause: "",
    };
    let judged = sampled(&mut turn, &mut sample, asker, |eval| truth(eval, condition));
    let asked = names(&turn.effects);
    judged.is_none().then(|| (asked, sample.waiting.to_vec()))
}

fn names(effects: &[Effect]) -> Vec<String> {
    let calls = effects.iter().filter_map(|effect| match effect {
        Effect::Read { call, .. } => call.args.get("metric"),
        _ => None,
    });
    calls.map(|name| format!("{name:?}")).collect()
}

fn known_ahead(plan: &Plan, condition: &Expr) -> Option<(Vec<String>, Vec<ReadId>)> {
    let metrics = ahead::metrics(plan, condition)?;
    let mut state = indexed(plan);
    let mut turn = Turn::new(plan, &mut state);
    let mut sample = Sample::begun(AT);
    let asked = ask_ahead(&mut turn, &mut sample, Some(&metrics));
    assert_eq!(asked, Asked::AllIsOpen);
    Some((names(&turn.effects), sample.waiting.to_vec()))
}

#[test]
fn thresholds_bands_and_sums_are_known_ahead() {
    let plan = plan();
    let over = compare(metric(0), &[percents(5)]);
    let band = compare(percents(1), &[metric(1), metric(2), percents(5)]);
    let sum = binary(metric(1), BinaryOp::Add, metric(0));
    let any = Expr::Aggregate(Aggregate::Any, Box::new(metric(1)));
    let known = |condition: &Expr| ahead::metrics(&plan, condition);
    assert_eq!(known(&over), Some(vec![0]));
    assert_eq!(known(&band), Some(vec![1, 0, 0]));
    assert_eq!(known(&compare(sum, &[percents(5)])), Some(vec![1, 0]));
    assert_eq!(known(&any), Some(vec![1]));
    let both = binary(over.clone(), BinaryOp::And, band);
    let not = Expr::Not(Box::new(both));
    assert_eq!(known(&not), Some(vec![0, 1, 0, 0]));
    let negated = compare(Expr::Negate(Box::new(metric(1))), &[percents(5)]);
    assert_eq!(known(&negated), Some(vec![1]));
    let most = Expr::Aggregate(Aggregate::Max, Box::new(metric(1)));
    assert_eq!(known(&compare(most, &[percents(5)])), Some(vec![1]));
    // What is wide is not deep.
    let wide = vec![Expr::Negate(Box::new(metric(1))); 100];
    assert_eq!(known(&compare(percents(1), &wide)), Some(vec![1; 100]));
}

#[test]
fn what_depends_on_more_than_the_plan_is_not_known_ahead() {
    let plan = plan();
    let scope = Scope::Canary;
    let scoped = Expr::Metric { metric: 0, scope };
    let input = Expr::Input("bound".to_owned());
    let mut deep = metric(0);
    for _ in 0..1_000 {
        deep = Expr::Negate(Box::new(deep));
    }
    for other in [scoped, input, Expr::Let(0), deep, metric(9)] {
        let condition = compare(metric(0), std::slice::from_ref(&other));
        assert_eq!(ahead::metrics(&plan, &condition), None, "{other:?}");
    }
    // It decides alone.
    let open = compare(metric(0), &[percents(5)]);
    let closed = compare(percents(1), &[percents(5)]);
    let either = binary(open, BinaryOp::Or, closed.clone());
    assert_eq!(ahead::metrics(&plan, &either), None);
    let chain = compare(percents(1), &[percents(5), metric(0)]);
    assert_eq!(ahead::metrics(&plan, &chain), None);
    let any = Expr::Aggregate(Aggregate::Any, Box::new(metric(0)));
    let or_true = binary(any, BinaryOp::Or, Expr::Literal(Value::Bool(true)));
    let value = compare(or_true, &[Expr::Literal(Value::Bool(true))]);
    assert_eq!(ahead::metrics(&plan, &value), None);
    assert_eq!(ahead::metrics(&plan, &closed), None);
    assert_eq!(ahead::metrics(&plan, &metric(0)), None);
}

#[test]
fn what_was_answered_already_is_evaluated_at_once() {
    let plan = plan();
    let mut state = indexed(&plan);
    let mut turn = Turn::new(&plan, &mut state);
    let mut first = Sample::begun(AT);
    ask_ahead(&mut turn, &mut first, Some(&[0]));
    let read = first.waiting[0];
    if let Some(moment) = turn.state.moments.answered(read) {
        moment.answer(read, Ok(Value::List(Vec::new())));
    }
    let mut second = Sample::begun(AT);
    let asked = ask_ahead(&mut turn, &mut second, Some(&[0, 1]));
    assert_eq!((asked, second.waiting.len()), (Asked::NotAll, 0));
    assert_eq!(turn.effects.len(), 2);
    // One that has begun to wait asks no more.
    assert_eq!(ask_ahead(&mut turn, &mut first, Some(&[1])), Asked::NotAll);
}

fn values() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        4 => (0u32..3).prop_map(metric),
        2 => (0i64..9).prop_map(percents),
        1 => Just(Expr::Input("bound".to_owned())),
        1 => Just(Expr::Metric { metric: 0, scope: Scope::Canary }),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(l, r)| binary(l, BinaryOp::Add, r)),
            inner.clone().prop_map(|one| Expr::Negate(Box::new(one))),
            inner.prop_map(|one| Expr::Aggregate(Aggregate::Max, Box::new(one))),
        ]
    })
}

fn conditions() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        4 => (values(), proptest::collection::vec(values(), 1..3))
            .prop_map(|(first, rest)| compare(first, &rest)),
        1 => values().prop_map(|list| Expr::Aggregate(Aggregate::Any, Box::new(list))),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        let op = prop_oneof![Just(BinaryOp::And), Just(BinaryOp::Or)];
        prop_oneof![
            (inner.clone(), op, inner.clone()).prop_map(|(l, op, r)| binary(l, op, r)),
            inner.prop_map(|one| Expr::Not(Box::new(one))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_else_is_asked_and_nothing_is_decided(condition in conditions()) {
        let plan = plan();
        let Some(ahead) = known_ahead(&plan, &condition) else {
            return Ok(());
        };
        for mode in [Mode::Gate, Mode::Watch] {
            assert_eq!(evaluated(&plan, &condition, mode).as_ref(), Some(&ahead));
        }
    }
}
