//! Requests that come late, and ways back that are partly there already.

use crate::engine::protocol::EventKind;
use crate::engine::tests::bench::{Bench, actor, failure};
use crate::engine::tests::build::{Builder, H, M, one_step};
use crate::plan::node::NodeKind;
use crate::providers::request::{FailureKind, Outcome};

fn rollback() -> EventKind {
    EventKind::RollbackAsked {
        by: actor("ann"),
        reason: "no".to_owned(),
    }
}

#[test]
fn an_abort_after_the_end_changes_nothing() {
    let abort = EventKind::Aborted {
        by: actor("ann"),
        reason: "no".to_owned(),
    };
    Bench::new(one_step().plan)
        .start()
        .run()
        .at(H, abort)
        .run()
        .expect_lines(&["rollback", "back", "finish"], "0s finish Succeeded");
}

#[test]
fn a_rollback_that_runs_is_not_begun_again_by_who_asks_for_it() {
    let mut b = one_step();
    let phase = b.plan.nodes[0].id;
    b.node(Some(phase), "hold", NodeKind::Hold { ns: H });
    Bench::new(b.plan)
        .commits("back", vec![None])
        .start()
        .at(M, rollback())
        .at(2 * M, rollback())
        .run()
        .expect_lines(
            &["rollback", "back"],
            "1m rollback: asked by ann: no
            1m commit back p/one/do#0",
        );
}

#[test]
fn of_a_canary_goes_back_what_was_changed() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let release = b.step(phase, "release");
    b.canary(phase, release, &[(50, M), (100, M)]);
    let refused = Outcome::NotApplied(failure(FailureKind::Refused, "no"));
    Bench::new(b.plan)
        .commits(
            "forward r1/dddddddddddd/p/canary/stage-100",
            vec![Some(refused)],
        )
        .start()
        .run()
        .expect_lines(
            &["commit back", "finish"],
            "1m commit back p/canary/stage-50/canary_weight#0
            1m commit back p/release/do#0
            1m finish RolledBack",
        );
}
