//! Messages: nothing waits for one, and one that has arrived says nothing of another.

use crate::engine::protocol::EventKind;
use crate::engine::tests::bench::{Bench, actor, signed};
use crate::engine::tests::build::{
    Builder, H, M, S, approve, confirm, errors, notice, pause, rule,
};
use crate::plan::expr::Scope;
use crate::plan::node::{NodeId, NodeKind, Quorum};
use crate::plan::{Action, Policy};
use crate::syntax::ast::CompareOp;

fn said(b: &mut Builder, parent: NodeId) -> NodeId {
    let hello = NodeKind::Notify(notice("hello"));
    b.node(Some(parent), "said", hello)
}

#[test]
fn what_comes_after_a_message_begins_before_it_has_arrived() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let said = said(&mut b, phase);
    let step = b.step(phase, "one");
    b.after(step, said);
    let mut bench = Bench::new(b.plan);
    bench.latency_ns = 10 * S;
    bench.start().run().expect_lines(
        &["tell", "prepare", "end p/said"],
        "0s tell hello
        0s prepare p/one/do#0
        10s end p/said pass",
    );
}

#[test]
fn what_is_to_be_told_is_told_in_a_pause_too() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let late = b.node(Some(phase), "late", confirm(M));
    b.policies(late).inconclusive = Some(pause(H, Policy::Stop));
    let gate = b.node(Some(phase), "gate", approve(Quorum::People(1), None));
    let said = said(&mut b, phase);
    b.after(said, gate);
    let hold = b.node(Some(phase), "hold", NodeKind::Hold { ns: M });
    b.after(hold, gate);
    Bench::new(b.plan)
        .start()
        .at(2 * M, signed(gate, "mia", "manager"))
        .run()
        .expect_lines(
            &["pause", "tell", "begin p/hold", "finish"],
            "1m pause p/late until 1h 1m
            2m tell hello
            1h 1m finish Stopped",
        );
}

#[test]
fn a_message_of_an_earlier_round_that_arrives_late_is_not_that_of_this_one() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let every = b.every(phase);
    said(&mut b, every);
    let mut bench = Bench::new(b.plan);
    bench.latency_ns = 12 * M;
    bench.start().run().expect_lines(
        &["tell", "end p/every/said", "finish"],
        "10m tell hello
        20m tell hello
        30m tell hello
        30m finish Succeeded
        42m end p/every/said pass",
    );
}

#[test]
fn what_was_cancelled_stays_so_when_its_message_arrives() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    said(&mut b, phase);
    b.node(Some(phase), "hold", NodeKind::Hold { ns: H });
    let mut bench = Bench::new(b.plan);
    bench.latency_ns = 10 * S;
    let abort = EventKind::Aborted {
        by: actor("ann"),
        reason: "no".to_owned(),
    };
    bench
        .start()
        .at(5 * S, abort)
        .run()
        .expect_lines(&["end p/said"], "5s end p/said cancelled");
}

#[test]
fn a_message_without_words_says_what_it_is_about() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let silent = || notice("");
    let said = b.node(Some(phase), "said", NodeKind::Notify(silent()));
    let mut titled = silent();
    titled.title = Some("The release begins".to_owned());
    let titled = b.node(Some(phase), "titled", NodeKind::Notify(titled));
    b.after(titled, said);
    let high = errors(Scope::None, CompareOp::Gt, 5);
    let rules = vec![rule(high, 0, vec![Action::Notify(silent())])];
    b.watch(phase, phase, rules, None);
    Bench::new(b.plan)
        .metric("error_rate", |_| 0.5)
        .start()
        .run()
        .expect_lines(
            &["tell"],
            "0s tell `p/said`
            0s tell The release begins
            0s tell critical `the rule`: error_rate is 50%",
        );
}
