//! A process that takes a run over: what was asked is asked anew, of the world and of people.

use crate::engine::protocol::{Answer, EventKind};
use crate::engine::tests::bench::{Bench, actor, record, resumed};
use crate::engine::tests::build::{Builder, H, M, call, confirm, field, one_step, step_mut};
use crate::plan::node::{NodeId, NodeKind, UndoPlan};
use crate::values::Value;

#[test]
fn what_an_undo_reads_is_read_as_it_is_when_the_next_process_asks() {
    let mut b = one_step();
    b.node(Some(NodeId(0)), "hold", NodeKind::Hold { ns: 2 * H });
    let mut undo = call("restore", "one");
    undo.args[0].1 = field("nodes", "ready");
    step_mut(&mut b).undo = UndoPlan::Written {
        call: undo,
        timeout_ns: M,
        title: None,
        refs: Vec::new(),
    };
    let asked = EventKind::RollbackAsked {
        by: actor("ann"),
        reason: "no".to_owned(),
    };
    let known = || Ok(record(&[("ready", Value::count(3))]));
    Bench::new(b.plan)
        .answer("nodes", move |at| (at.0 >= H).then(known))
        .start()
        .at(M, asked)
        .crash()
        .at(H, resumed())
        .run()
        .expect_lines(
            &["undo#0", "finish"],
            "1h prepare p/one/undo#0
            1h commit forward p/one/undo#0
            1h finish RolledBack",
        );
}

#[test]
fn only_what_nobody_has_answered_is_asked_again() {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let first = b.node(Some(phase), "first", confirm(H));
    let second = b.node(Some(phase), "second", confirm(H));
    b.after(second, first);
    let yes = EventKind::Answered {
        node: first,
        by: actor("ann"),
        role: "engineer".to_owned(),
        answer: Answer::Yes { note: None },
        subject: None,
    };
    Bench::new(b.plan)
        .start()
        .at(M, yes)
        .crash()
        .at(2 * M, resumed())
        .expect_lines(
            &["ask"],
            "0s ask p/first
            1m ask p/second
            2m ask p/second",
        );
}
