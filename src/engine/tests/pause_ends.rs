//! The end of a pause: what is judged before it, and whom a person goes on past.

use crate::engine::protocol::{EventKind, RunOutcome};
use crate::engine::tests::bench::{Bench, actor, failure, record};
use crate::engine::tests::build::{Builder, H, M, expect, field, one_step, pause, ready, step_mut};
use crate::plan::Policy;
use crate::plan::node::{CheckMode, NodeId, NodeKind};
use crate::providers::request::FailureKind;
use crate::syntax::ast::CompareOp;
use crate::values::Value;

#[test]
fn what_a_step_or_a_condition_asked_at_the_end_of_its_pause_is_waited_for() {
    let three = || ready("nodes", CompareOp::Ge, 3);
    let mut argument = one_step();
    step_mut(&mut argument).call.args[0].1 = field("nodes", "ready");
    let mut post = one_step();
    step_mut(&mut post).post = vec![expect(three())];
    let mut condition = Builder::new();
    let phase = condition.phase("p");
    condition.node(Some(phase), "when", NodeKind::When(three()));
    for mut b in [argument, post, condition] {
        b.policies(NodeId(1)).error = Some(pause(M, Policy::Stop));
        Bench::new(b.plan)
            .answer("nodes", |at| {
                Some(match at.0 < M {
                    true => Err(failure(FailureKind::Unreachable, "connection refused")),
                    false => Ok(record(&[("ready", Value::count(3))])),
                })
            })
            .start()
            .run()
            .outcome(RunOutcome::Succeeded);
    }
}

#[test]
fn a_person_goes_on_past_what_is_paused_here_and_nowhere_else() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    for name in ["one", "two"] {
        let gate = b.check(phase, name, ready(name, CompareOp::Ge, 3), CheckMode::Once);
        b.policies(gate).fail = Some(pause(H, Policy::Stop));
    }
    let go_on = EventKind::Continued {
        node: b.child(phase, 0),
        by: actor("ann"),
        reason: "known".to_owned(),
    };
    Bench::new(b.plan)
        .answer("cluster", |_| {
            Some(Ok(record(&[("ready", Value::count(0))])))
        })
        .start()
        .at(5 * M, go_on)
        .until(6 * M)
        .expect_lines(
            &["go on", "end"],
            "5m go on p/one
            5m end p/one skipped",
        );
}
