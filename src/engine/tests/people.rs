//! Gates: who may answer, who is counted, what a refusal and an expiry do.

use crate::engine::protocol::{Answer, EventKind, RunOutcome};
use crate::engine::subject::{short, subject};
use crate::engine::tests::bench::{Bench, actor, resumed, signed};
use crate::engine::tests::build::{Builder, H, M, S, approve, confirm, pause};
use crate::plan::node::{Approve, NodeId, NodeKind, Quorum};
use crate::plan::{Freeze, Policy, Window};
use crate::providers::request::{Direction, Key, Outcome, Target};
use crate::values::{Instant, Value};

fn answered(node: NodeId, user: &str, role: &str, answer: Answer) -> EventKind {
    EventKind::Answered {
        node,
        by: actor(user),
        role: role.to_owned(),
        answer,
        subject: None,
    }
}

fn yes() -> Answer {
    Answer::Yes { note: None }
}

fn no() -> Answer {
    Answer::No {
        reason: "not today".to_owned(),
    }
}

/// A gate, then a step.
fn gated(kind: NodeKind) -> (Builder, NodeId) {
    let mut b = Builder::new();
    let phase = b.phase("p");
    let gate = b.node(Some(phase), "gate", kind);
    let step = b.step(phase, "step");
    b.after(step, gate);
    (b, gate)
}

#[test]
fn a_person_attests() {
    let (b, gate) = gated(confirm(H));
    Bench::new(b.plan)
        .start()
        .at(5 * M, answered(gate, "ann", "engineer", yes()))
        .run()
        .expect_lines(
            &["ask", "gate", "finish"],
            "0s begin p/gate
            0s ask p/gate
            5m end p/gate pass
            5m finish Succeeded",
        );
}

#[test]
fn somebody_who_is_not_asked_changes_nothing() {
    let (b, gate) = gated(approve(Quorum::People(1), None));
    Bench::new(b.plan)
        .start()
        .at(M, signed(gate, "joe", "manager"))
        .at(2 * M, signed(gate, "joe", "guest"))
        .at(3 * M, signed(gate, "mia", "manager"))
        .run()
        .expect_lines(
            &["said", "end p/gate"],
            "1m said p/gate: joe is not asked as `manager`
            2m said p/gate: joe is not asked as `guest`
            3m end p/gate pass",
        );
}

#[test]
fn people_are_counted_not_roles() {
    let (b, gate) = gated(approve(Quorum::People(2), None));
    Bench::new(b.plan)
        .start()
        .at(M, signed(gate, "mia", "manager"))
        .at(2 * M, signed(gate, "mia", "engineer"))
        .at(3 * M, signed(gate, "ann", "engineer"))
        .run()
        .expect_lines(&["end p/gate"], "3m end p/gate pass");
}

#[test]
fn each_role_has_a_person_of_its_own() {
    let (b, gate) = gated(approve(Quorum::EachRole, None));
    let plan = b.plan;
    // One person in both roles is one person.
    let bench = Bench::new(plan.clone())
        .start()
        .at(M, signed(gate, "mia", "manager"))
        .at(2 * M, signed(gate, "mia", "engineer"))
        .until(3 * M);
    assert_eq!(bench.lines(&["end p/gate"]), "");
    // Whoever can only be the one leaves the other to the other.
    Bench::new(plan)
        .start()
        .at(M, signed(gate, "mia", "engineer"))
        .at(2 * M, signed(gate, "mia", "manager"))
        .at(3 * M, signed(gate, "ann", "engineer"))
        .run()
        .expect_lines(&["end p/gate"], "3m end p/gate pass");
}

#[test]
fn a_role_is_taken_by_who_signs_in_it() {
    let (b, gate) = gated(NodeKind::Approve(Approve {
        roles: vec!["manager".to_owned()],
        quorum: Quorum::EachRole,
        within_ns: H,
        expires_ns: None,
    }));
    Bench::new(b.plan)
        .start()
        .at(M, signed(gate, "mia", "manager"))
        .run()
        .expect_lines(&["end p/gate"], "1m end p/gate pass");
}

#[test]
fn a_signature_counts_until_it_expires() {
    for (second, lines) in [(31 * M - S, "30m 59s end p/gate pass"), (31 * M, "")] {
        let (b, gate) = gated(approve(Quorum::People(2), Some(30 * M)));
        Bench::new(b.plan)
            .start()
            .at(M, signed(gate, "mia", "manager"))
            .at(second, signed(gate, "ann", "engineer"))
            .until(40 * M)
            .expect_lines(&["end p/gate"], lines);
    }
}

#[test]
fn a_refusal_is_final() {
    let (mut b, gate) = gated(approve(Quorum::People(1), None));
    b.policies(gate).fail = Some(pause(H, Policy::Stop));
    let refusal = EventKind::Signed {
        node: gate,
        by: actor("ann"),
        role: "engineer".to_owned(),
        answer: no(),
        subject: None,
    };
    Bench::new(b.plan)
        .start()
        .at(M, refusal)
        .at(2 * M, signed(gate, "mia", "manager"))
        .run()
        .expect_lines(
            &["pause", "end p/gate", "finish"],
            "1m pause p/gate until 1h 1m
            1h 1m end p/gate fail
            1h 1m finish Stopped",
        );
}

#[test]
fn a_confirmation_that_is_refused_fails() {
    let (b, gate) = gated(confirm(H));
    let bench = Bench::new(b.plan)
        .start()
        .at(M, answered(gate, "ann", "engineer", no()))
        .run()
        .outcome(RunOutcome::Stopped);
    let reason = bench.state.nodes[gate.0 as usize].reason.as_deref();
    assert_eq!(reason, Some("refused by ann: not today"));
}

#[test]
fn nobody_answering_is_inconclusive_and_an_answer_in_the_pause_counts() {
    let (mut b, gate) = gated(confirm(10 * M));
    b.policies(gate).inconclusive = Some(pause(H, Policy::Stop));
    let plan = b.plan;
    Bench::new(plan.clone())
        .start()
        .at(30 * M, answered(gate, "ann", "engineer", yes()))
        .run()
        .expect_lines(
            &["pause", "end p/gate", "finish"],
            "10m pause p/gate until 1h 10m
            30m end p/gate pass
            30m finish Succeeded",
        );
    Bench::new(plan).start().run().expect_lines(
        &["end p/gate", "finish"],
        "1h 10m end p/gate inconclusive\n1h 10m finish Stopped",
    );
}

#[test]
fn the_deadline_comes_before_an_answer_of_the_same_instant() {
    let gate = NodeId(1);
    for (kind, answer) in [
        (confirm(H), answered(gate, "ann", "engineer", yes())),
        (
            approve(Quorum::People(1), None),
            signed(gate, "ann", "engineer"),
        ),
    ] {
        let (mut b, _) = gated(kind);
        b.policies(gate).inconclusive = Some(Policy::Stop);
        let bench = Bench::new(b.plan).start();
        bench.at(H, answer).run().outcome(RunOutcome::Stopped);
    }
}

#[test]
fn an_expired_signature_is_asked_for_again_before_a_step_rests_on_it() {
    let mut b = Builder::new();
    let before = b.phase("before");
    let kind = approve(Quorum::People(1), Some(H));
    let gate = b.node(Some(before), "gate", kind);
    let wait = b.phase("wait");
    b.after(wait, before);
    b.node(Some(wait), "hold", NodeKind::Hold { ns: 2 * H });
    let deploy = b.phase("deploy");
    b.after(deploy, wait);
    b.step(deploy, "step");
    Bench::new(b.plan)
        .start()
        .at(M, signed(gate, "mia", "manager"))
        .at(2 * H + 10 * M, signed(gate, "ann", "engineer"))
        .run()
        .expect_lines(
            &["ask", "gate", "commit", "finish"],
            "0s begin before/gate
            0s ask before/gate
            1m end before/gate pass
            2h 1m said before/gate: its signatures have expired: it is asked again
            2h 1m ask before/gate
            2h 10m end before/gate pass
            2h 10m commit forward deploy/step/do#0
            2h 10m finish Succeeded",
        );
}

#[test]
fn an_abort_before_the_first_step_stops_and_after_it_rolls_back() {
    let (mut b, gate) = gated(confirm(H));
    let hold = b.node(Some(NodeId(0)), "hold", NodeKind::Hold { ns: H });
    b.after(hold, NodeId(2));
    let abort = || EventKind::Aborted {
        by: actor("ann"),
        reason: "no".to_owned(),
    };
    let plan = b.plan;
    Bench::new(plan.clone())
        .start()
        .at(M, abort())
        .at(2 * M, abort())
        .run()
        .expect_lines(
            &["gate", "finish"],
            "0s begin p/gate\n0s ask p/gate\n1m end p/gate cancelled\n1m finish Stopped",
        );
    Bench::new(plan)
        .start()
        .at(M, answered(gate, "ann", "engineer", yes()))
        .at(2 * M + S, abort())
        .at(3 * M, abort())
        .run()
        .expect_lines(
            &["rollback", "back", "finish"],
            "2m 1s rollback: aborted by ann: no
            2m 1s commit back p/step/do#0
            2m 1s finish RolledBack",
        );
}

/// V15, as it is heard.
#[test]
fn an_answer_about_something_else_is_void_and_asked_for_again() {
    let about = |mut kind: EventKind, digest: String| {
        if let EventKind::Signed { subject, .. } | EventKind::Answered { subject, .. } = &mut kind {
            *subject = Some(digest);
        }
        kind
    };
    for kind in [approve(Quorum::People(1), None), confirm(H)] {
        let (b, gate) = gated(kind);
        let bench = Bench::new(b.plan).start();
        let own = subject(&bench.plan, &bench.state, gate).unwrap();
        let other = format!("sha256:{}", "e".repeat(64));
        let said = format!(
            "1m said p/gate: what mia said is void: it is about eeeeeeeeeeee, and this is {}: it is asked again",
            short(&own)
        );
        bench
            .at(M, about(signed(gate, "mia", "engineer"), other))
            .at(2 * M, about(signed(gate, "mia", "engineer"), own))
            .run()
            .expect_lines(
                &["ask p/", "said", "end p/gate"],
                &format!("0s ask p/gate\n1m ask p/gate\n{said}\n2m end p/gate pass"),
            );
    }
}

/// A release that is prepared when changes are frozen, and prepared again when they no longer are.
fn prepared_twice(first: &str, second: &str) -> (Bench, NodeId) {
    prepared_twice_in(gated(approve(Quorum::People(1), None)), first, second)
}

fn prepared_twice_in(
    (mut b, gate): (Builder, NodeId),
    first: &str,
    second: &str,
) -> (Bench, NodeId) {
    b.plan.freezes.push(Freeze {
        title: None,
        refs: Vec::new(),
        window: Window {
            from: Instant(M + 5 * S),
            to: Instant(H),
        },
    });
    let target = |desired: &str| Target {
        object: "deployment/shop/shop".to_owned(),
        uid: None,
        resource_version: None,
        desired: desired.repeat(8),
    };
    let mut bench = Bench::new(b.plan);
    bench.latency_ns = 10 * S;
    bench.targets = vec![target(first)];
    let mut bench = bench
        .start()
        .at(M, signed(gate, "mia", "engineer"))
        .until(30 * M);
    bench.targets = vec![target(second)];
    (bench, gate)
}

/// V15: approval for digest A, artefact is now B.
#[test]
fn a_signature_is_void_when_what_it_has_opened_to_becomes_something_else() {
    let (bench, gate) = prepared_twice("aaaa", "bbbb");
    let bench = bench.until(90 * M);
    assert_eq!(bench.lines(&["commit"]), "");
    // Also after a crash it is asked for, and the rest of the journal says the same.
    let bench = bench
        .crash()
        .at(91 * M, resumed())
        .at(2 * H, signed(gate, "ann", "engineer"))
        .run();
    bench.expect_lines(
        &["void", "ask p/gate", "end p/gate", "commit", "finish"],
        "0s ask p/gate
        1m end p/gate pass
        1h 10s said p/gate: its signatures are void: deployment/shop/shop would become bbbbbbbbbbbb, and was to become aaaaaaaaaaaa when it was signed: it is asked again
        1h 10s ask p/gate
        1h 31m ask p/gate
        2h end p/gate pass
        2h 10s commit forward p/step/do#0
        2h 20s finish Succeeded",
    );
}

#[test]
fn a_signature_stands_when_what_it_has_opened_to_is_prepared_again_as_it_was() {
    let (bench, _) = prepared_twice("aaaa", "aaaa");
    bench.run().expect_lines(
        &["void", "ask p/gate", "prepare", "commit"],
        "0s ask p/gate
        1m prepare p/step/do#0
        1h prepare p/step/do#0
        1h 10s commit forward p/step/do#0",
    );
}

#[test]
fn a_signature_that_took_the_place_of_a_void_one_expires() {
    let (mut b, gate) = gated(approve(Quorum::People(1), Some(2 * H)));
    let hold = b.node(Some(NodeId(0)), "hold", NodeKind::Hold { ns: 3 * H });
    b.after(hold, NodeId(2));
    let later = b.step(NodeId(0), "later");
    b.after(later, hold);
    let (bench, _) = prepared_twice_in((b, gate), "aaaa", "bbbb");
    let bench = bench
        .at(2 * H, signed(gate, "ann", "engineer"))
        .until(6 * H);
    let said = bench.lines(&["said p/gate"]);
    let said: Vec<&str> = said.lines().collect();
    assert!(said[0].starts_with("1h 10s said p/gate: its signatures are void:"));
    let expired = "5h 20s said p/gate: its signatures have expired: it is asked again";
    assert_eq!(said[1..], [expired]);
}

#[test]
fn only_what_was_done_before_a_gate_is_what_is_signed() {
    let (mut b, gate) = gated(approve(Quorum::People(1), None));
    b.step(NodeId(0), "beside");
    let before = b.step(NodeId(0), "before");
    b.after(gate, before);
    let mut bench = Bench::new(b.plan).commits("p/before", vec![None]).start();
    let own = |bench: &Bench| subject(&bench.plan, &bench.state, gate);
    let at_first = own(&bench);
    bench = bench.until(M);
    assert_eq!(
        bench.lines(&["commit", "end"]),
        "0s commit forward p/beside/do#0\n0s commit forward p/before/do#0\n0s end p/beside pass"
    );
    assert_eq!(own(&bench), at_first);
    let done = EventKind::Committed {
        key: Key("r1/dddddddddddd/p/before/do#0".to_owned()),
        direction: Direction::Forward,
        outcome: Outcome::Applied {
            result: Value::Absent,
            written: Vec::new(),
        },
    };
    let bench = bench.at(2 * M, done).until(3 * M);
    assert_ne!(own(&bench), at_first);
}

#[test]
fn a_confirmation_is_not_about_what_a_change_becomes() {
    let (bench, _) = prepared_twice_in(gated(confirm(H)), "aaaa", "bbbb");
    bench.run().expect_lines(
        &["said p/gate", "ask p/gate", "prepare", "commit"],
        "0s ask p/gate
        1m prepare p/step/do#0
        1h prepare p/step/do#0
        1h 10s commit forward p/step/do#0",
    );
}
