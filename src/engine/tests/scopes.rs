//! `canary.`: which canary it is, and from when on there is anything to ask.

use crate::engine::tests::bench::Bench;
use crate::engine::tests::build::{Builder, M, S, errors, rule};
use crate::plan::Action;
use crate::plan::expr::Scope;
use crate::plan::node::NodeId;
use crate::syntax::ast::CompareOp;

/// Goes back where more than 5% of the canary's requests fail.
fn guard(b: &mut Builder, phase: NodeId) {
    let bad = errors(Scope::Canary, CompareOp::Gt, 5);
    let rules = vec![rule(bad, 0, vec![Action::Rollback])];
    b.watch(phase, phase, rules, None);
}

#[test]
fn nothing_is_asked_of_a_canary_before_its_first_weight() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    b.canary(phase, release, &[(50, 2 * M), (100, 2 * M)]);
    guard(&mut b, phase);
    let bench = Bench::new(b.plan)
        .metric("error_rate", |_| 0.5)
        .commits("stage-50", vec![None])
        .start()
        .until(50 * S);
    assert_eq!(bench.lines(&["fired"]), "");
    assert_eq!(bench.reads, 0);
}

#[test]
fn of_several_canaries_the_one_that_runs_is_meant() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let one = b.step(phase, "one");
    let first = b.canary(phase, one, &[(100, 2 * M)]);
    let two = b.step(phase, "two");
    b.after(two, first);
    b.canary(phase, two, &[(100, 2 * M)]);
    guard(&mut b, phase);
    Bench::new(b.plan)
        .metric("error_rate", |at| if at < 3 * M { 0.0 } else { 0.5 })
        .start()
        .run()
        .expect_lines(
            &["fired", "finish"],
            "3m fired: critical `the rule`: canary.error_rate is 50%
            3m finish RolledBack",
        );
}
