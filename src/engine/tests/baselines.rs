//! Comparisons with a baseline, through the hold of a stage of 50%, or the time of a check.

use crate::engine::protocol::{EventKind, RunOutcome};
use crate::engine::tests::bench::{Bench, actor, series};
use crate::engine::tests::build::{Builder, LOC, M, S, check, pause};
use crate::plan::expr::{Comparison, Expr, Scope, Stmt};
use crate::plan::node::{CheckMode, NodeId, NodeKind};
use crate::plan::{Direction, Metric, MetricSource, Policy};
use crate::syntax::ast::BinaryOp;
use crate::units::amount::{NANO, Nano};
use crate::units::{Dim, Per};
use crate::values::Verdict;

const ERRORS: u32 = 0;
const P95: u32 = 1;

/// No worse than `stable.` by a part and by an amount, in thousandths.
fn no_worse(metric: u32, relative: i128, absolute: i128) -> Comparison {
    let side = |scope| Expr::Metric { metric, scope };
    Comparison {
        measured: side(Scope::Canary),
        baseline: side(Scope::Stable),
        dim: match metric {
            P95 => Dim::Duration,
            _ => Dim::Ratio,
        },
        better: Some(Direction::Lower),
        relative: Nano(relative * NANO / 1000),
        absolute: Nano(absolute * NANO / 1000),
        windows: 4,
        confidence: Nano(950_000_000),
        family: 1,
        text: "no worse".into(),
        loc: LOC,
    }
}

/// The stage is held from 0; its first sample counts after one window of a minute.
fn stage(hold_ns: i64, comparisons: Vec<Comparison>) -> (Builder, NodeId) {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    let canary = b.canary(phase, release, &[(50, hold_ns), (100, M)]);
    let stage = b.child(canary, 0);
    let body = comparisons.into_iter();
    let body = body.map(|one| Stmt::Against(Box::new(one))).collect();
    let check = check(body, CheckMode::Stage { for_ns: 0 });
    let check = b.node(Some(stage), "compare", NodeKind::Check(check));
    (b, check)
}

/// By the moment, in seconds: what the canary and the stable pods answer.
fn answered(
    bench: Bench,
    metric: &str,
    canary: impl Fn(i64) -> f64 + 'static,
    stable: impl Fn(i64) -> f64 + 'static,
) -> Bench {
    bench
        .metric(&format!("{metric}{{pod=~\"shop-canary"), move |at| {
            canary(at / S)
        })
        .metric(&format!("{metric}{{pod=~\"shop-stable"), move |at| {
            stable(at / S)
        })
}

#[track_caller]
fn told(bench: Bench, lines: &str) {
    bench.expect_lines(
        &["said", "end p/canary/stage-50", "pause", "rollback:"],
        lines,
    );
}

#[test]
fn one_look_at_the_end_with_windows_that_do_not_overlap() {
    let (b, check) = stage(5 * M, vec![no_worse(P95, 100, 0)]);
    let wobble = |at: i64| 0.080 + ((at / 60) % 3) as f64 * 0.001;
    let bench = Bench::new(b.plan);
    let bench = answered(bench, "p95", wobble, move |at| wobble(at + 60)).start();
    // Three windows after three minutes and a half, at 1, 2 and 3 minutes: nothing is decided.
    let bench = bench.until(3 * M + 30 * S);
    let clause = &bench.state.nodes[check.0 as usize].clauses[0];
    assert_eq!(clause.verdict, Verdict::Inconclusive);
    let windows = clause.measured.last().unwrap();
    assert_eq!(crate::values::show::value(&windows.value), "3");
    told(
        bench.run(),
        "5m said p/canary/stage-50/compare: `no worse`: +0% (-1.22% to +1.25%, each bound at 95%) in 5 windows on \
         each side, effect size 0.56; 10% (that much more) is allowed
         5m end p/canary/stage-50/compare pass
         5m end p/canary/stage-50 pass",
    );
}

#[test]
fn what_is_surely_worse_by_more_than_the_margin_fails() {
    let (b, _) = stage(5 * M, vec![no_worse(P95, 100, 0)]);
    let bench = Bench::new(b.plan);
    let stable = |at: i64| 0.080 + ((at / 60) % 3) as f64 * 0.001;
    let bench = answered(bench, "p95", move |at| stable(at) * 1.2, stable);
    bench
        .start()
        .run()
        .outcome(RunOutcome::RolledBack)
        .expect_lines(
            &["end p/canary/stage-50/"],
            "5m end p/canary/stage-50/compare fail",
        );
}

/// V9: nothing to divide by, and no way to call it well.
#[test]
fn errors_in_seven_of_ten_windows_where_the_baseline_has_none_fail() {
    for (relative, absolute) in [(100, 0), (0, 5)] {
        let (b, _) = stage(10 * M, vec![no_worse(ERRORS, relative, absolute)]);
        let canary = |at: i64| {
            if [3, 6, 9].contains(&(at / 60)) {
                0.0
            } else {
                0.05
            }
        };
        let bench = answered(Bench::new(b.plan), "error_rate", canary, |_| 0.0);
        bench
            .start()
            .run()
            .outcome(RunOutcome::RolledBack)
            .expect_lines(
                &["end p/canary/stage-50/"],
                "10m end p/canary/stage-50/compare fail",
            );
    }
}

#[test]
fn what_the_windows_leave_open_pauses_and_does_not_pass() {
    let (mut b, check) = stage(5 * M, vec![no_worse(P95, 100, 0)]);
    b.policies(check).inconclusive = Some(pause(2 * M, Policy::Rollback));
    let noisy = |at: i64| [0.06, 0.12, 0.08, 0.1, 0.07][(at / 60 % 5) as usize];
    let bench = answered(Bench::new(b.plan), "p95", noisy, |_| 0.08);
    bench
        .start()
        .run()
        .outcome(RunOutcome::RolledBack)
        .expect_lines(
            &["pause", "end p/canary/stage-50/", "go on"],
            "5m pause p/canary/stage-50/compare until 7m
             7m go on p/canary/stage-50/compare
             7m end p/canary/stage-50/compare inconclusive",
        );
}

#[test]
fn an_extension_collects_more_windows_until_they_tell() {
    let (mut b, check) = stage(4 * M, vec![no_worse(P95, 100, 0)]);
    b.policies(check).inconclusive = Some(Policy::Extend {
        up_to_ns: 10 * M,
        then: Box::new(Policy::Rollback),
        place: LOC,
    });
    // One window of the first four is far off.
    let canary = |at: i64| if at / 60 == 2 { 0.2 } else { 0.08 };
    let bench = answered(Bench::new(b.plan), "p95", canary, |_| 0.08);
    bench
        .start()
        .run()
        .outcome(RunOutcome::Succeeded)
        .expect_lines(
            &["pause", "end p/canary/stage-50/"],
            "4m pause p/canary/stage-50/compare until 14m
             5m end p/canary/stage-50/compare pass",
        );
}

#[test]
fn without_enough_windows_there_is_no_verdict() {
    // Without traffic for most of the hold: blind time is added to it, and is no window.
    let (mut b, check) = stage(5 * M, vec![no_worse(P95, 100, 0)]);
    b.policies(check).no_data = Some((10 * M, Policy::Rollback));
    let bench = Bench::new(b.plan)
        .metric("p95{pod=~\"shop-stable", |_| 0.08)
        .answer("p95{pod=~\"shop-canary", |at| {
            let value = if at.0 < 2 * M + S { &[0.08][..] } else { &[] };
            Some(Ok(series(value)))
        });
    bench
        .start()
        .run()
        .outcome(RunOutcome::RolledBack)
        .expect_lines(
            &["end p/canary/stage-50/"],
            "12m 15s end p/canary/stage-50/compare inconclusive",
        );
}

#[test]
fn the_comparisons_of_a_threshold_share_its_confidence() {
    // Four windows each, all of the canary above: one of 70 ways to deal them, 1.4%.
    let first = |comparisons: Vec<Comparison>| {
        let (b, check) = stage(4 * M, comparisons);
        let bench = answered(Bench::new(b.plan), "p95", |_| 0.1, |_| 0.08);
        let bench = answered(bench, "error_rate", |_| 0.0, |_| 0.0);
        let bench = bench.start().until(4 * M);
        let clause = &bench.state.nodes[check.0 as usize].clauses[0];
        (clause.verdict, clause.reason.clone().unwrap_or_default())
    };
    let of = |comparison: Comparison, family| Comparison {
        confidence: Nano(980_000_000),
        family,
        ..comparison
    };
    let slower = || of(no_worse(P95, 100, 0), 1);
    let errors = |family| of(no_worse(ERRORS, 0, 5), family);
    assert_eq!(first(vec![slower()]).0, Verdict::Fail);
    assert_eq!(first(vec![slower(), errors(2)]).0, Verdict::Fail);
    // Of 2%, each of two has 1%.
    let (verdict, reason) = first(vec![slower(), errors(1)]);
    assert_eq!(verdict, Verdict::Inconclusive);
    assert!(reason.contains("each bound at 99%"), "{reason}");
}

/// The part of 10 requests a second that fails on the canary, against one in a thousand of 90 on the stable pods; both rates
/// are queries that look back so far.
fn rates(canary_errors: f64, back_ns: i64) -> Bench {
    let (mut b, _) = stage(5 * M, vec![no_worse(2, 0, 5)]);
    let query = |name: &str| {
        let mut metric = b.plan.metrics[0].clone();
        metric.name = name.to_owned();
        metric.dim = Dim::Rate(Per::Count);
        if let MetricSource::Query {
            query,
            scoped,
            lookback_ns,
            ..
        } = &mut metric.source
        {
            *query = name.to_owned();
            *scoped = scoped.as_ref().map(|text| text.replace("error_rate", name));
            *lookback_ns = back_ns;
        }
        metric
    };
    let of = |metric| {
        Box::new(Expr::Metric {
            metric,
            scope: Scope::None,
        })
    };
    let ratio = Metric {
        name: "failures".to_owned(),
        dim: Dim::Ratio,
        better: Some(Direction::Lower),
        source: MetricSource::Derived(Expr::Binary(of(3), BinaryOp::Div, of(4))),
        loc: LOC,
    };
    let parts = [ratio, query("failed"), query("requests")];
    b.plan.metrics.extend(parts);
    let bench = Bench::new(b.plan);
    let bench = answered(bench, "failed", move |_| canary_errors, |_| 0.09);
    answered(bench, "requests", |_| 10.0, |_| 90.0)
}

fn failures(canary_errors: f64, back_ns: i64) -> Bench {
    rates(canary_errors, back_ns).start().run()
}

#[test]
fn a_ratio_of_two_rates_is_compared_by_request() {
    told(
        failures(0.01, M),
        "5m said p/canary/stage-50/compare: `no worse`: +0.07407pp (-0.01865pp to +0.2513pp, each bound at 95%) in 5 of 3000 \
         against 25 of 27000, effect size 0.0208; 0.5pp (that much more) is allowed
         5m end p/canary/stage-50/compare pass
         5m end p/canary/stage-50 pass",
    );
    let bad = failures(0.5, M);
    assert_eq!(bad.outcome, Some(RunOutcome::RolledBack));
}

/// As of a query whose text says nothing of a time: a rule that the server records.
#[test]
fn rates_of_an_unknown_time_count_no_requests() {
    let bench = failures(0.01, 0);
    let said = bench.lines(&["said"]);
    assert!(said.contains("windows on each side"), "{said}");
}

#[test]
fn requests_that_were_not_counted_in_each_window_are_not_added_up() {
    let many = |at| if at < 2 * M { f64::INFINITY } else { 90.0 };
    let bench = rates(0.01, M).metric("requests{pod=~\"shop-stable", many);
    let said = bench.start().run().lines(&["said"]);
    assert!(said.contains("5 windows on each side"), "{said}");
}

#[test]
fn what_is_no_number_is_compared_with_nothing() {
    let (b, check) = stage(5 * M, vec![no_worse(P95, 100, 0)]);
    let bench = answered(Bench::new(b.plan), "p95", |_| f64::NAN, |_| 0.08);
    let bench = bench.start().until(M);
    let clause = &bench.state.nodes[check.0 as usize].clauses[0];
    assert_eq!(clause.reason.as_deref(), Some("NaN is no number"));
}

#[test]
fn of_a_rate_that_is_no_number_no_requests_are_counted() {
    let bench = rates(0.01, M).metric("requests", |_| f64::INFINITY);
    let said = bench.start().run().lines(&["said"]);
    assert!(said.contains("windows on each side"), "{said}");
}

#[test]
fn a_person_goes_on_where_the_data_leave_it_open_and_that_is_no_pass() {
    let (b, check) = stage(5 * M, vec![no_worse(P95, 100, 0)]);
    let noisy = |at: i64| [0.06, 0.12, 0.08, 0.1, 0.07][(at / 60 % 5) as usize];
    let go_on = EventKind::Continued {
        node: check,
        by: actor("ann"),
        reason: "the noise is known".to_owned(),
    };
    let bench = answered(Bench::new(b.plan), "p95", noisy, |_| 0.08).start();
    let bench = bench.at(6 * M, go_on).run();
    let node = &bench.state.nodes[check.0 as usize];
    assert_eq!(node.verdict, Some(Verdict::Skipped));
    bench.outcome(RunOutcome::Succeeded);
}

/// Outside of stages the time is that of the check; the metrics are `p95`, and `error_rate` as its baseline.
fn through(ns: i64, policies: fn(&mut Builder, NodeId)) -> Bench {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let whole = |metric| Expr::Metric {
        metric,
        scope: Scope::None,
    };
    let mut comparison = no_worse(P95, 100, 0);
    (comparison.measured, comparison.baseline) = (whole(P95), whole(ERRORS));
    let check = check(
        vec![Stmt::Against(Box::new(comparison))],
        CheckMode::For { ns },
    );
    let check = b.node(Some(phase), "compare", NodeKind::Check(check));
    policies(&mut b, check);
    Bench::new(b.plan).metric("error_rate", |at| 0.080 + ((at / M) % 3) as f64 * 0.001)
}

#[test]
fn outside_of_stages_a_check_collects_windows_through_its_time_and_looks_once() {
    let stop = |b: &mut Builder, id| b.policies(id).fail = Some(Policy::Stop);
    let value = |at: i64| 0.080 + ((at / M) % 3) as f64 * 0.001;
    let lines = &["end p/compare", "finish"];
    through(5 * M, stop)
        .metric("p95", value)
        .start()
        .run()
        .expect_lines(lines, "5m end p/compare pass\n5m finish Succeeded");
    through(5 * M, stop)
        .metric("p95", move |at| value(at) * 1.3)
        .start()
        .run()
        .expect_lines(lines, "5m end p/compare fail\n5m finish Stopped");
}

#[test]
fn what_a_check_has_seen_in_its_time_is_not_forgotten_in_a_pause() {
    let wait = |b: &mut Builder, id| {
        b.policies(id).inconclusive = Some(Policy::Extend {
            up_to_ns: 10 * M,
            then: Box::new(Policy::Stop),
            place: LOC,
        });
    };
    // One window of the first is far off: it takes more of them.
    through(3 * M, wait)
        .metric("p95", |at| if at / M == 2 { 0.2 } else { 0.08 })
        .start()
        .run()
        .expect_lines(
            &["pause", "go on", "end p/compare"],
            "3m pause p/compare until 13m
             4m go on p/compare
             4m end p/compare pass",
        );
}

#[test]
fn a_time_at_whose_end_nothing_was_seen_is_not_over() {
    let wait = |b: &mut Builder, id| b.policies(id).no_data = Some((2 * M, Policy::Stop));
    through(5 * M, wait)
        .answer("p95", |at| {
            let seen: &[f64] = if at.0 == 5 * M { &[] } else { &[0.08] };
            Some(Ok(series(seen)))
        })
        .start()
        .run()
        .expect_lines(&["end p/compare"], "5m 30s end p/compare pass");
}
