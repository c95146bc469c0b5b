//! Which bands contradict, overlap, dominate, or belong to nobody.

use crate::analyze::bands::condition::{Condition, condition, negation};
use crate::analyze::bands::{gates, holds, rules};
use crate::analyze::order::fill;
use crate::analyze::places::Places;
use crate::diagnostics::{Diagnostic, Severity};
use crate::plan::draft::{
    Draft, MINUTE_NS, SECOND_NS, call, compare, expect, metric, notice, ratio, read, rule, text,
};
use crate::plan::expr::{Expr, Scope};
use crate::plan::graph::Graph;
use crate::plan::node::{CheckMode, NodeKind};
use crate::plan::{Action, Plan, Rule};
use crate::syntax::ast::{Aggregate, BinaryOp, CompareOp};
use crate::units::Dim;
use crate::values::Value;

const ROLLBACK: [Action; 1] = [Action::Rollback];

fn errors(op: CompareOp, permille: i128) -> Expr {
    compare(metric(0, Scope::Canary), op, ratio(permille))
}

fn above(permille: i128) -> Expr {
    errors(CompareOp::Gt, permille)
}

fn below(permille: i128) -> Expr {
    errors(CompareOp::Lt, permille)
}

fn both(left: Expr, right: Expr) -> Expr {
    Expr::Binary(Box::new(left), BinaryOp::And, Box::new(right))
}

fn either(left: Expr, right: Expr) -> Expr {
    Expr::Binary(Box::new(left), BinaryOp::Or, Box::new(right))
}

fn not(inner: Expr) -> Expr {
    Expr::Not(Box::new(inner))
}

fn between(low: i128, high: i128) -> Expr {
    let measure = (CompareOp::Le, metric(0, Scope::Canary));
    let high = (CompareOp::Le, ratio(high));
    Expr::Compare(Box::new(ratio(low)), vec![measure, high])
}

fn blank() -> Plan {
    let mut draft = Draft::blank();
    draft.metric("error_rate", Dim::Ratio);
    draft.plan
}

fn tell() -> Vec<Action> {
    vec![Action::Notify(notice("look"))]
}

#[test]
fn a_condition_is_seen_through() {
    let plan = blank();
    let impossible = |expr: &Expr| condition(&plan, expr).is_impossible();
    let certain = |expr: &Expr| negation(&plan, expr).is_impossible();
    assert!(impossible(&both(above(50), below(10))));
    assert!(!impossible(&both(above(10), below(50))));
    assert!(impossible(&both(above(10), below(10))));
    assert!(!impossible(&between(10, 10)));
    assert!(impossible(&between(11, 10)));
    assert!(certain(&either(above(10), below(50))));
    assert!(certain(&either(errors(CompareOp::Le, 10), above(10))));
    assert!(!certain(&either(below(10), above(10))));
    assert!(certain(&not(both(above(50), below(10)))));
    assert!(impossible(&not(either(above(10), below(50)))));
    let up = read("api", "up");
    assert!(impossible(&both(up.clone(), not(up.clone()))));
    assert!(certain(&either(up.clone(), not(up.clone()))));
    assert!(!impossible(&both(up.clone(), not(read("api", "other")))));
    // A word that is compared is the word, or its opposite.
    let said = |value| Expr::Literal(Value::Bool(value));
    let is = |value| compare(up.clone(), CompareOp::Eq, said(value));
    assert!(impossible(&both(is(true), is(false))));
    assert!(impossible(&both(up.clone(), is(false))));
    assert!(!impossible(&both(up.clone(), is(true))));
    // What is constant decides alone, or nothing.
    assert!(impossible(&both(said(false), above(10))));
    assert!(!impossible(&both(said(true), above(10))));
    assert!(certain(&either(said(true), above(10))));
    assert!(!certain(&either(said(false), above(10))));
    // Scopes are different measures.
    let stable = compare(metric(0, Scope::Stable), CompareOp::Lt, ratio(10));
    assert!(!impossible(&both(above(50), stable)));
}

#[test]
fn places_in_the_text_do_not_make_two_questions_of_one() {
    let plan = blank();
    let mut first = call("api", "get", &[("path", text("/"))]);
    let second = Expr::Call(first.clone());
    first.loc = crate::plan::LocId(77);
    let bound = |expr: Expr, op| compare(expr, op, ratio(10));
    let first = bound(Expr::Call(first), CompareOp::Lt);
    let second = bound(second, CompareOp::Gt);
    assert!(condition(&plan, &both(first, second)).is_impossible());
}

#[test]
fn what_judges_each_of_a_list_is_not_seen_through() {
    let plan = blank();
    let all = |op| {
        let list = Expr::Aggregate(Aggregate::All, Box::new(metric(0, Scope::None)));
        compare(list, op, ratio(10))
    };
    let expr = both(all(CompareOp::Lt), all(CompareOp::Gt));
    assert!(!condition(&plan, &expr).is_impossible());
    // One value of them is one.
    let most = |op| {
        let list = Expr::Aggregate(Aggregate::Max, Box::new(metric(0, Scope::None)));
        compare(list, op, ratio(10))
    };
    let expr = both(most(CompareOp::Lt), most(CompareOp::Gt));
    assert!(condition(&plan, &expr).is_impossible());
}

#[test]
fn many_alternatives_are_a_blur_of_which_nothing_is_claimed() {
    let plan = blank();
    let pair = |at: i128| either(above(at), below(at - 1));
    let pairs = |count: i128| (0..count).map(|at| pair(at * 3)).reduce(both).unwrap();
    let seen = condition(&plan, &pairs(6));
    assert!(!seen.blurred && seen.implies(&seen));
    let blurred = condition(&plan, &pairs(10));
    assert!(blurred.blurred);
    assert!(!blurred.is_impossible() && !blurred.implies(&blurred));
    let wider = condition(&plan, &both(above(5), pairs(10)));
    assert!(wider.blurred);
    // Nor of one beside it that is seen through.
    let clear = Condition {
        blurred: false,
        ..blurred.clone()
    };
    assert!(clear.implies(&clear));
    assert!(!clear.implies(&blurred) && !blurred.implies(&clear));
}

#[test]
fn what_is_never_true_together_contradicts() {
    let plan = blank();
    let high = condition(&plan, &above(50));
    let low = condition(&plan, &below(10));
    assert!(high.contradicts(&low) && low.contradicts(&high));
    assert!(!high.contradicts(&condition(&plan, &above(10))));
    assert!(!high.contradicts(&condition(&plan, &read("api", "up"))));
    let blurred = Condition {
        blurred: true,
        ..low.clone()
    };
    assert!(!high.contradicts(&blurred) && !blurred.contradicts(&high));
    // What is never true by itself contradicts nothing.
    let never = condition(&plan, &Expr::Literal(Value::Bool(false)));
    assert!(!high.contradicts(&never) && !never.contradicts(&high));
    let either = condition(&plan, &either(below(10), below(60)));
    assert!(!high.contradicts(&either) && !either.contradicts(&high));
}

fn held(expr: Expr) -> Vec<(&'static str, Severity)> {
    let mut draft = Draft { plan: blank() };
    let phase = draft.phase("verify");
    draft.check_of(phase, "check", CheckMode::Once, expr);
    codes(holds::check(&draft.plan, &Places::default()))
}

fn codes(found: Vec<Diagnostic>) -> Vec<(&'static str, Severity)> {
    let found = found.into_iter();
    found
        .map(|diagnostic| (diagnostic.code.name, diagnostic.severity))
        .collect()
}

#[test]
fn a_check_that_cannot_pass_or_cannot_fail() {
    assert_eq!(held(below(10)), []);
    assert_eq!(held(between(50, 10)), [("cannot-hold", Severity::Error)]);
    let all = either(below(50), above(10));
    assert_eq!(held(all), [("always-holds", Severity::Error)]);
    assert_eq!(
        held(errors(CompareOp::Ge, 0)),
        [("always-holds", Severity::Warning)]
    );
    assert_eq!(held(below(0)), [("cannot-hold", Severity::Warning)]);
    assert_eq!(held(above(0)), []);
    assert_eq!(
        held(both(Expr::Literal(Value::Bool(false)), above(10))),
        [("cannot-hold", Severity::Error)]
    );
    // What reads nothing is told apart already.
    assert_eq!(held(Expr::Literal(Value::Bool(true))), []);
}

#[test]
fn what_may_be_negative_is_not_taken_for_positive() {
    let mut draft = Draft { plan: blank() };
    if let crate::plan::MetricSource::Query { query, .. } = &mut draft.plan.metrics[0].source {
        *query = "sum(deriv(memory[10m]))".to_owned();
    }
    let phase = draft.phase("verify");
    draft.check_of(phase, "check", CheckMode::Once, below(0));
    assert_eq!(codes(holds::check(&draft.plan, &Places::default())), []);
}

#[test]
fn expectations_of_one_check_may_contradict() {
    let mut draft = Draft { plan: blank() };
    let phase = draft.phase("verify");
    let check = draft.check_of(phase, "check", CheckMode::Once, below(10));
    draft.edit_check(check).body.push(expect(above(5)));
    assert_eq!(codes(holds::check(&draft.plan, &Places::default())), []);
    draft.edit_check(check).body.pop();
    draft.edit_check(check).body.push(expect(above(50)));
    assert_eq!(
        codes(holds::check(&draft.plan, &Places::default())),
        [("cannot-hold", Severity::Error)]
    );
    draft.edit_check(check).body.push(expect(above(5)));
    assert_eq!(
        codes(holds::check(&draft.plan, &Places::default())),
        [("cannot-hold", Severity::Error)]
    );
}

#[test]
fn rules_and_whens_are_looked_at_too() {
    let mut draft = Draft { plan: blank() };
    let phase = draft.phase("verify");
    draft.add(Some(phase), "when", NodeKind::When(between(50, 10)));
    draft.watch(phase, phase, vec![rule(between(50, 10), 0, tell())]);
    assert_eq!(
        codes(holds::check(&draft.plan, &Places::default())).len(),
        2
    );
}

fn watched(watch: Vec<Rule>) -> Vec<&'static str> {
    let mut draft = Draft { plan: blank() };
    let phase = draft.phase("rollout");
    draft.watch(phase, phase, watch);
    let found = codes(rules::check(&draft.plan, &Places::default()));
    found.into_iter().map(|(code, _)| code).collect()
}

#[test]
fn a_rule_behind_a_wider_one_that_rolls_back_never_decides() {
    let back = |expr, for_ns| rule(expr, for_ns, ROLLBACK.to_vec());
    // Immediately above 10%, or above 5% for half an hour: each has its case.
    let fine = vec![back(above(100), 0), back(above(50), 30 * MINUTE_NS)];
    assert_eq!(watched(fine), Vec::<&str>::new());
    let swapped = vec![back(above(100), 30 * MINUTE_NS), back(above(50), 0)];
    assert_eq!(watched(swapped), ["rule-dominated"]);
    assert_eq!(
        watched(vec![back(above(50), 0), back(above(50), 0)]),
        ["rule-dominated"]
    );
    let wide = either(above(50), read("api", "up"));
    assert_eq!(
        watched(vec![back(above(50), 0), back(wide.clone(), 0)]),
        ["rule-dominated"]
    );
    // The wider one fires for other reasons too, but only a message dominates nothing.
    let says = vec![rule(wide, 0, tell()), back(above(50), 0)];
    assert_eq!(watched(says), Vec::<&str>::new());
    // What cannot be seen through is told apart by what it asks.
    let less = |one, other| compare(read("api", one), CompareOp::Lt, read("api", other));
    let other = vec![back(less("up", "down"), 0), back(less("here", "there"), 0)];
    assert_eq!(watched(other), Vec::<&str>::new());
    let same = vec![back(less("up", "down"), 0), back(less("up", "down"), 0)];
    assert_eq!(watched(same), ["rule-dominated"]);
}

#[test]
fn a_message_at_the_same_moment_is_still_worth_saying() {
    let back = rule(above(50), 0, ROLLBACK.to_vec());
    let says = rule(above(100), 0, tell());
    assert_eq!(watched(vec![back.clone(), says]), Vec::<&str>::new());
    let later = rule(above(100), MINUTE_NS, tell());
    assert_eq!(watched(vec![back, later]), ["rule-dominated"]);
}

#[test]
fn bands_with_two_ends_do_not_overlap() {
    let band = |low, high| rule(between(low, high), 0, tell());
    assert_eq!(
        watched(vec![band(10, 50), band(50, 100)]),
        Vec::<&str>::new()
    );
    assert_eq!(
        watched(vec![band(10, 50), band(40, 100)]),
        ["bands-overlap"]
    );
    // One inside of the other is meant: more is said about less.
    assert_eq!(
        watched(vec![band(10, 50), band(20, 30)]),
        Vec::<&str>::new()
    );
    let open = rule(above(20), 0, tell());
    assert_eq!(watched(vec![band(10, 50), open]), Vec::<&str>::new());
}

/// A stage of five minutes with one gate, and a watch over it.
fn gated(gate: Expr, watch: Vec<Rule>) -> Vec<(&'static str, String)> {
    let mut draft = Draft { plan: blank() };
    let phase = draft.phase("rollout");
    let step = draft.step(phase, "release", "api");
    let canary = draft.canary(phase, "canary", step);
    let stage = draft.stage(canary, 100, 5 * MINUTE_NS);
    draft.check_of(stage, "errors", CheckMode::Stage { for_ns: 0 }, gate);
    draft.watch(phase, phase, watch);
    fill(&mut draft.plan);
    let graph = Graph::of(&draft.plan.nodes);
    let found = gates::check(&draft.plan, &graph, &Places::default());
    found
        .into_iter()
        .map(|diagnostic| (diagnostic.code.name, diagnostic.message))
        .collect()
}

#[test]
fn a_value_does_not_pass_a_gate_and_roll_back() {
    let back = |permille, for_ns| vec![rule(above(permille), for_ns, ROLLBACK.to_vec())];
    assert_eq!(gated(below(10), back(10, 0)), []);
    let found = gated(below(50), back(10, 0));
    assert_eq!(found[0].0, "band-contradiction");
    insta::assert_snapshot!(found[0].1, @"`canary.error_rate` from 1% to 5% passes `errors` and rolls back");
    // The stage is over before the trigger fires.
    assert_eq!(gated(below(50), back(10, 30 * MINUTE_NS)), []);
    assert_eq!(
        gated(below(50), back(10, 30 * SECOND_NS))[0].0,
        "band-contradiction"
    );
    // What fires for another reason as well is no band.
    let rolls = |expr| vec![rule(expr, 0, ROLLBACK.to_vec())];
    let reason = both(above(10), read("api", "up"));
    assert_eq!(gated(below(50), rolls(reason)), []);
    let stable = compare(metric(0, Scope::Stable), CompareOp::Gt, ratio(10));
    assert_eq!(gated(below(50), rolls(both(above(10), stable))), []);
    // A message is no contradiction.
    assert_eq!(gated(below(50), vec![rule(above(10), 0, tell())]), []);
}

#[test]
fn a_band_that_nobody_owns_is_noted() {
    let back = |permille| vec![rule(above(permille), 0, ROLLBACK.to_vec())];
    let found = gated(below(10), back(50));
    assert_eq!(found[0].0, "band-unowned");
    let stable = compare(metric(0, Scope::Stable), CompareOp::Lt, ratio(10));
    assert_eq!(gated(stable, back(50)), []);
    insta::assert_snapshot!(found[0].1, @r#"`canary.error_rate` from 1% to 5% fails `errors` and fires no rule of "Watch""#);
    let with_message = vec![
        rule(above(50), 0, ROLLBACK.to_vec()),
        rule(between(10, 50), 0, tell()),
    ];
    assert_eq!(gated(below(10), with_message), []);
}

#[test]
fn a_gate_outside_of_the_watch_has_nothing_to_do_with_it() {
    let mut draft = Draft { plan: blank() };
    let phases = draft.chain(&["before", "during", "after"]);
    for phase in [phases[0], phases[2]] {
        draft.check_of(phase, "errors", CheckMode::For { ns: MINUTE_NS }, below(50));
    }
    let back = rule(above(10), 0, ROLLBACK.to_vec());
    draft.watch(phases[1], phases[1], vec![back]);
    fill(&mut draft.plan);
    let graph = Graph::of(&draft.plan.nodes);
    assert!(gates::check(&draft.plan, &graph, &Places::default()).is_empty());
    draft.plan.watches[0].to = phases[2];
    assert_eq!(
        gates::check(&draft.plan, &graph, &Places::default()).len(),
        1
    );
}
