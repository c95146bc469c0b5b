//! Times against figures that were reckoned by hand.

use crate::analyze::order::fill;
use crate::analyze::places::Places;
use crate::analyze::timing::budget::sum;
use crate::analyze::timing::line::Line;
use crate::analyze::timing::morning::{morning, pauses, sampled, window};
use crate::analyze::timing::{rollback, samples, signatures, windows};
use crate::diagnostics::Severity;
use crate::plan::draft::{
    Draft, HOUR_NS, MINUTE_NS, SECOND_NS, call, expect, metric, pause, ratio, read, rule,
};
use crate::plan::expr::{Expr, Scope, Stmt};
use crate::plan::facts::Times;
use crate::plan::graph::{Graph, Point};
use crate::plan::node::{CheckMode, NodeId, NodeKind, Quorum, UndoPlan};
use crate::plan::{Action, Counting, LocId, MetricSource, NoData, Policy, Window};
use crate::units::Dim;
use crate::values::Instant;

mod frames;

const DAY_NS: i64 = 24 * HOUR_NS;

fn times(draft: &mut Draft) -> Times {
    fill(&mut draft.plan);
    let graph = Graph::of(&draft.plan.nodes);
    Line::new(&draft.plan, &graph).unwrap().times()
}

fn rollback_ns(draft: &mut Draft) -> i64 {
    fill(&mut draft.plan);
    let graph = Graph::of(&draft.plan.nodes);
    rollback::longest(&draft.plan, &graph).unwrap().longest_ns
}

/// What windows, deadlines and signatures have to say, by code.
fn complaints(draft: &mut Draft) -> Vec<(&'static str, String)> {
    fill(&mut draft.plan);
    let graph = Graph::of(&draft.plan.nodes);
    let line = Line::new(&draft.plan, &graph).unwrap();
    let places = Places::default();
    let mut found = windows::check(&line, &places);
    found.extend(signatures::check(&line, &places));
    found.extend(samples::check(&draft.plan, &places));
    found
        .into_iter()
        .map(|diagnostic| (diagnostic.code.name, diagnostic.message))
        .collect()
}

fn codes(draft: &mut Draft) -> Vec<&'static str> {
    complaints(draft)
        .into_iter()
        .map(|(code, _)| code)
        .collect()
}

#[test]
fn the_morning_fits_its_windows() {
    let mut draft = morning();
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
}

#[test]
fn each_phase_of_the_morning_takes_what_the_hand_reckons() {
    let mut draft = morning();
    let times = times(&mut draft);
    let longest = |name: &str| {
        let at = draft.plan.nodes.iter().position(|node| node.path == name);
        times.nodes[at.unwrap()].longest_ns / MINUTE_NS
    };
    assert_eq!(longest("preflight"), 15);
    assert_eq!(longest("deploy"), 5 + 3);
    assert_eq!(longest("rollout"), 3 + 5 + 10 + 30);
    assert_eq!(longest("verification"), 2);
    assert_eq!(longest("declare"), 10 + 40);
    assert_eq!(longest("first_day"), 25 * 60);
    // 08:00, then 55 minutes, 24 hours, an hour for the last handoff, an hour of pause.
    assert_eq!(
        times.longest_ns,
        2 * HOUR_NS + 55 * MINUTE_NS + 26 * HOUR_NS
    );
    // 08:00, ten minutes that must hold, a day, and the samples of its last tick.
    let samples_ns = 7 * 15 * SECOND_NS;
    assert_eq!(
        times.shortest_ns,
        2 * HOUR_NS + 10 * MINUTE_NS + DAY_NS + samples_ns
    );
}

#[test]
fn the_parts_of_the_longest_time_add_up_to_it() {
    let mut draft = morning();
    let times = times(&mut draft);
    let total: i64 = times.path.iter().map(|part| part.ns).sum();
    assert_eq!(total, times.longest_ns);
    insta::assert_snapshot!(sum(&draft.plan, &times.path), @"until the window of `declare` 2h + `stable` 10m + `go_live` 40m + `handoff` 1d 1h + pause 5m + pause 1h = 1d 4h 55m");
}

#[test]
fn what_takes_no_time_is_no_part_of_it() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["before", "told", "after"]);
    draft.hold(phases[0], "rest", HOUR_NS);
    draft.notify(phases[1], "word");
    draft.hold(phases[2], "settle", HOUR_NS);
    let times = times(&mut draft);
    insta::assert_snapshot!(sum(&draft.plan, &times.path), @"`rest` 1h + `settle` 1h = 2h");
}

#[test]
fn a_rollout_that_is_a_minute_longer_than_its_window_is_refused_with_its_parts() {
    let mut draft = morning();
    let stage = draft
        .plan
        .nodes
        .iter()
        .position(|node| node.path.ends_with("stage-100"));
    let stage = &mut draft.plan.nodes[stage.unwrap()];
    if let NodeKind::Stage(stage) = &mut stage.kind {
        stage.hold_ns += 2 * MINUTE_NS;
    }
    let found = complaints(&mut draft);
    assert_eq!(found.len(), 1, "{found:?}");
    insta::assert_snapshot!(found[0].1, @"`rollout` can end at 1970-01-01 01:31:00Z, and its window closes at 1970-01-01 01:30:00Z");
}

#[test]
fn the_rollback_is_longest_while_the_release_still_runs() {
    let mut draft = morning();
    assert_eq!(rollback_ns(&mut draft), (5 + 6 + 2) * MINUTE_NS);
    let graph = Graph::of(&draft.plan.nodes);
    let time = rollback::longest(&draft.plan, &graph).unwrap();
    insta::assert_snapshot!(sum(&draft.plan, &time.path), @"`release` still running 5m + undo of `release` 6m + verify `normal` 2m = 13m");
}

#[test]
fn in_a_stage_it_takes_the_weight_the_canary_and_the_release() {
    let mut draft = morning();
    let release = draft
        .plan
        .nodes
        .iter()
        .find(|node| node.path == "deploy/release");
    let release = release.unwrap().id;
    draft.edit_step(release).timeout_ns = SECOND_NS;
    assert_eq!(rollback_ns(&mut draft), (1 + 3 + 6 + 2) * MINUTE_NS);
}

#[test]
fn what_is_kept_is_not_awaited_and_costs_nothing() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    let backup = draft.step(phase, "backup", "backup");
    draft.edit_step(backup).undo = UndoPlan::Keep {
        why: "it outlives the run".to_owned(),
    };
    draft.edit_step(backup).timeout_ns = HOUR_NS;
    let graph = Graph::of(&draft.plan.nodes);
    assert_eq!(rollback::longest(&draft.plan, &graph), None);
    draft.step(phase, "release", "api");
    assert_eq!(rollback_ns(&mut draft), (5 + 1) * MINUTE_NS);
}

#[test]
fn independent_undos_run_side_by_side_and_dependent_ones_in_a_row() {
    let mut draft = Draft::blank();
    let phase = draft.phase("deploy");
    let both = draft.add(Some(phase), "both", NodeKind::Parallel);
    for name in ["a", "b", "c"] {
        draft.step(both, name, name);
    }
    assert_eq!(rollback_ns(&mut draft), (5 + 1) * MINUTE_NS);
    draft.step(phase, "d", "d");
    assert_eq!(rollback_ns(&mut draft), (5 + 2) * MINUTE_NS);
}

#[test]
fn nothing_rolls_back_outside_of_the_range() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["prepare", "deploy", "after"]);
    let slow = draft.step(phases[0], "slow", "a");
    draft.edit_step(slow).timeout_ns = HOUR_NS;
    draft.step(phases[1], "release", "b");
    let late = draft.step(phases[2], "late", "c");
    draft.edit_step(late).timeout_ns = DAY_NS;
    assert_eq!(rollback_ns(&mut draft), DAY_NS + 3 * MINUTE_NS);
    draft.rollback(HOUR_NS).during = Some((phases[1], phases[1]));
    // What was prepared is undone with it.
    assert_eq!(rollback_ns(&mut draft), (5 + 2) * MINUTE_NS);
}

#[test]
fn pauses_add_up_and_each_place_counts_once() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["a", "b"]);
    let both = draft.add(Some(phases[0]), "both", NodeKind::Parallel);
    let one = draft.hold(both, "hold", HOUR_NS);
    let two = draft.confirm(both, "two", MINUTE_NS);
    let three = draft.confirm(phases[1], "three", MINUTE_NS);
    assert_eq!(times(&mut draft).longest_ns, HOUR_NS + MINUTE_NS);
    pauses(&mut draft, &[two, three], 10 * MINUTE_NS, 50);
    assert_eq!(times(&mut draft).longest_ns, HOUR_NS + 11 * MINUTE_NS);
    pauses(&mut draft, &[three], 5 * MINUTE_NS, 51);
    assert_eq!(times(&mut draft).longest_ns, HOUR_NS + 16 * MINUTE_NS);
    // A hold does not fail.
    pauses(&mut draft, &[one], DAY_NS, 52);
    assert_eq!(times(&mut draft).longest_ns, HOUR_NS + 16 * MINUTE_NS);
}

/// Each rule of a watch once, and what its watch does where it sees nothing.
#[test]
fn pauses_of_watches_count_once_as_well() {
    let mut draft = Draft::blank();
    let phase = draft.phase("a");
    draft.hold(phase, "hold", HOUR_NS);
    let pauses = |up_to_ns, then| Action::Pause {
        up_to_ns,
        then: Box::new(then),
    };
    let fires = |actions| rule(ratio(1), 0, actions);
    let rules = vec![
        fires(vec![pauses(10 * MINUTE_NS, Policy::Rollback)]),
        fires(vec![pauses(
            5 * MINUTE_NS,
            pause(MINUTE_NS, 71, Policy::Rollback),
        )]),
        fires(vec![Action::Rollback]),
    ];
    draft.watch(phase, phase, rules).no_data = Some(NoData {
        after_ns: MINUTE_NS,
        actions: vec![pauses(2 * MINUTE_NS, Policy::Stop)],
        loc: LocId(0),
    });
    assert_eq!(times(&mut draft).longest_ns, HOUR_NS + 18 * MINUTE_NS);
}

#[test]
fn where_nothing_is_written_a_pause_of_fifteen_minutes_holds_once() {
    let mut draft = Draft::blank();
    let phase = draft.phase("a");
    for name in ["one", "two"] {
        let id = draft.confirm(phase, name, MINUTE_NS);
        draft.node(id).policies.inconclusive = None;
    }
    assert_eq!(times(&mut draft).longest_ns, 16 * MINUTE_NS);
}

#[test]
fn a_chain_of_pauses_is_as_long_as_all_of_it() {
    let mut draft = Draft::blank();
    let phase = draft.phase("a");
    let id = draft.confirm(phase, "one", MINUTE_NS);
    let inner = Policy::Extend {
        up_to_ns: 5 * MINUTE_NS,
        then: Box::new(Policy::Stop),
        place: LocId(9),
    };
    draft.node(id).policies.fail = Some(pause(10 * MINUTE_NS, 9, inner));
    assert_eq!(times(&mut draft).longest_ns, 16 * MINUTE_NS);
}

#[test]
fn what_may_not_apply_is_in_the_longest_time_only() {
    let mut draft = Draft::blank();
    let phase = draft.phase("a");
    let when = draft.add(Some(phase), "when", NodeKind::When(read("api", "up")));
    draft.hold(when, "hold", HOUR_NS);
    draft.hold(phase, "after", MINUTE_NS);
    let times = times(&mut draft);
    assert_eq!(times.shortest_ns, MINUTE_NS);
    assert_eq!(times.longest_ns, HOUR_NS + MINUTE_NS);
}

#[test]
fn reads_that_need_each_other_take_one_limit_each() {
    let mut draft = Draft::blank();
    let phase = draft.phase("a");
    let inner = read("api", "get");
    let outer = call("api", "get", &[("path", inner)]);
    draft.check_of(phase, "one", CheckMode::Once, read("api", "get"));
    assert_eq!(times(&mut draft).longest_ns, 10 * SECOND_NS);
    let outer = Expr::Call(outer);
    draft.check_of(phase, "two", CheckMode::Once, outer);
    assert_eq!(times(&mut draft).longest_ns, 20 * SECOND_NS);
}

#[test]
fn a_metric_of_metrics_takes_as_long_as_the_slowest_of_them() {
    let mut draft = Draft::blank();
    let phase = draft.phase("a");
    let [errors, share] = ["errors", "share"].map(|name| draft.metric(name, Dim::Ratio));
    let of = |index| metric(index, Scope::None);
    draft.plan.metrics[share as usize].source = MetricSource::Derived(of(errors));
    draft.check_of(phase, "one", CheckMode::Once, of(share));
    assert_eq!(times(&mut draft).longest_ns, 10 * SECOND_NS);
}

/// A name is read where it is first needed: here after the answer that the condition waits for.
#[test]
fn what_is_read_under_a_condition_is_read_after_it() {
    let mut draft = Draft::blank();
    let phase = draft.phase("a");
    let check = draft.check(phase, "one");
    draft.edit_check(check).body = vec![
        Stmt::Let {
            local: 0,
            value: read("api", "get"),
        },
        Stmt::When {
            condition: read("api", "up"),
            body: vec![expect(Expr::Local(0))],
        },
    ];
    assert_eq!(times(&mut draft).longest_ns, 20 * SECOND_NS);
}

/// What is tolerated passes nothing: each fail takes a sample more, also at the very end.
#[test]
fn fails_that_are_tolerated_take_their_time() {
    let with = |mode, samples, fails| {
        let mut draft = Draft::blank();
        let phase = draft.phase("verify");
        let check = sampled(&mut draft, phase, "errors", mode, samples);
        draft.node(check).policies.fails = Some(fails);
        times(&mut draft).longest_ns / (15 * SECOND_NS)
    };
    let (row, total) = (Counting::InARow, Counting::InTotal);
    let of_last = |fails, last| Counting::OfLast { fails, last };
    let two_minutes = CheckMode::For { ns: 2 * MINUTE_NS };
    for (mode, samples, fails, longest) in [
        (two_minutes, 1, row(1), 8),
        (two_minutes, 1, row(2), 9),
        (two_minutes, 1, total(3), 10),
        (two_minutes, 1, of_last(3, 5), 10),
        // F P F P … until the fifth, sixth, eighth that passes.
        (two_minutes, 5, row(2), 9),
        (two_minutes, 6, row(2), 11),
        (two_minutes, 8, of_last(2, 4), 10),
        (two_minutes, 8, total(3), 10),
        // The last one may take as long as until the next.
        (CheckMode::Once, 4, row(2), 8),
        (CheckMode::Once, 4, total(2), 5),
        (CheckMode::Within { ns: 2 * MINUTE_NS }, 1, row(2), 8),
    ] {
        assert_eq!(
            with(mode, samples, fails),
            longest,
            "{mode:?} {samples} {fails:?}"
        );
    }
}

#[test]
fn a_window_that_is_over_before_its_phase_can_start_is_unreachable() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["soak", "deploy"]);
    draft.hold(phases[0], "hold", 2 * HOUR_NS);
    draft.check(phases[1], "check");
    window(&mut draft, phases[0], 0, 3 * HOUR_NS);
    window(&mut draft, phases[1], HOUR_NS, 2 * HOUR_NS);
    assert_eq!(codes(&mut draft), ["unreachable-phase"]);
    window(&mut draft, phases[1], HOUR_NS, 3 * HOUR_NS);
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
}

#[test]
fn a_window_that_closes_before_its_phase_can_end_is_unreachable() {
    let with = |minutes| {
        let mut draft = Draft::blank();
        let phase = draft.phase("deploy");
        draft.hold(phase, "hold", minutes * MINUTE_NS);
        window(&mut draft, phase, 0, HOUR_NS);
        codes(&mut draft)
    };
    assert_eq!(with(59), Vec::<&str>::new());
    assert_eq!(with(60), Vec::<&str>::new());
    assert_eq!(with(61), ["unreachable-phase"]);
}

#[test]
fn what_comes_after_something_late_is_not_reported_too() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["a", "b"]);
    for phase in &phases {
        draft.confirm(*phase, "ask", 2 * HOUR_NS);
    }
    window(&mut draft, phases[0], 0, HOUR_NS);
    window(&mut draft, phases[1], HOUR_NS, 2 * HOUR_NS);
    let found = complaints(&mut draft);
    assert_eq!(found.len(), 1);
    insta::assert_snapshot!(found[0].1, @"`a` can end at 1970-01-01 02:00:00Z, and its window closes at 1970-01-01 01:00:00Z");
}

#[test]
fn a_plan_that_is_longer_than_its_deadline_or_its_window() {
    let mut draft = Draft::blank();
    let phase = draft.phase("a");
    draft.confirm(phase, "ask", 2 * HOUR_NS);
    draft.plan.deadline_ns = Some(2 * HOUR_NS);
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
    draft.plan.deadline_ns = Some(2 * HOUR_NS - 1);
    assert_eq!(codes(&mut draft), ["over-deadline"]);
    draft.plan.deadline_ns = None;
    draft.plan.window = Some(Window {
        from: Instant(DAY_NS),
        to: Instant(DAY_NS + HOUR_NS),
    });
    assert_eq!(codes(&mut draft), ["over-window"]);
}

#[test]
fn items_of_a_tick_that_take_longer_than_the_period() {
    let mut draft = Draft::blank();
    let phase = draft.phase("a");
    let tick = NodeKind::Every {
        period_ns: HOUR_NS,
        ticks: 3,
    };
    let every = draft.add(Some(phase), "hourly", tick);
    let ask = draft.confirm(every, "ask", HOUR_NS);
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
    assert_eq!(times(&mut draft).longest_ns, 4 * HOUR_NS);
    waits(&mut draft, ask, 2 * HOUR_NS);
    assert_eq!(codes(&mut draft), ["every-overlaps"]);
    assert_eq!(times(&mut draft).longest_ns, (1 + 2 + 2 + 2) * HOUR_NS);
}

fn waits(draft: &mut Draft, id: NodeId, ns: i64) {
    if let NodeKind::Confirm(confirm) = &mut draft.node(id).kind {
        confirm.within_ns = ns;
    }
}

fn gate(draft: &mut Draft, phase: NodeId, within_ns: i64, expires_ns: i64, people: u32) -> NodeId {
    let id = draft.approve(phase, "go", within_ns);
    if let NodeKind::Approve(approve) = &mut draft.node(id).kind {
        approve.expires_ns = Some(expires_ns);
        approve.quorum = Quorum::People(people);
    }
    id
}

#[test]
fn a_signature_of_one_person_does_not_age_while_it_is_waited_for() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["declare", "deploy"]);
    gate(&mut draft, phases[0], 4 * HOUR_NS, HOUR_NS, 1);
    let ask = draft.confirm(phases[1], "ask", HOUR_NS);
    draft.step(phases[1], "release", "api");
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
    waits(&mut draft, ask, HOUR_NS + 1);
    assert_eq!(codes(&mut draft), ["signature-expires"]);
}

#[test]
fn the_first_signature_of_several_ages_while_the_others_are_waited_for() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["declare", "deploy"]);
    gate(&mut draft, phases[0], 4 * HOUR_NS, 8 * HOUR_NS, 2);
    let ask = draft.confirm(phases[1], "ask", 4 * HOUR_NS);
    draft.step(phases[1], "release", "api");
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
    waits(&mut draft, ask, 4 * HOUR_NS + 1);
    assert_eq!(codes(&mut draft), ["signature-expires"]);
}

#[test]
fn gates_beside_each_other_age_each_other() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["declare", "deploy"]);
    gate(&mut draft, phases[0], HOUR_NS, 2 * HOUR_NS, 1);
    draft.approve(phases[0], "slow", 2 * HOUR_NS);
    let step = draft.step(phases[1], "release", "api");
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
    let slow = draft.confirm(phases[1], "ask", 1);
    draft.wait(step, slow, crate::plan::node::EdgeWhy::After);
    assert_eq!(codes(&mut draft), ["signature-expires"]);
}

#[test]
fn a_signature_that_has_always_expired_is_an_error() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["declare", "soak", "deploy"]);
    gate(&mut draft, phases[0], HOUR_NS, HOUR_NS, 1);
    draft.hold(phases[1], "hold", 2 * HOUR_NS);
    draft.step(phases[2], "release", "api");
    fill(&mut draft.plan);
    let graph = Graph::of(&draft.plan.nodes);
    let line = Line::new(&draft.plan, &graph).unwrap();
    let found = signatures::check(&line, &Places::default());
    assert_eq!(found[0].severity, Severity::Error);
}

#[test]
fn a_window_between_signature_and_use_ages_it() {
    let mut draft = Draft::blank();
    let phases = draft.chain(&["declare", "deploy"]);
    gate(&mut draft, phases[0], HOUR_NS, 10 * HOUR_NS, 1);
    draft.step(phases[1], "release", "api");
    window(&mut draft, phases[0], 0, 2 * HOUR_NS);
    window(&mut draft, phases[1], 10 * HOUR_NS, 12 * HOUR_NS);
    assert_eq!(codes(&mut draft), Vec::<&str>::new());
    window(&mut draft, phases[1], 11 * HOUR_NS, 12 * HOUR_NS);
    assert_eq!(codes(&mut draft), ["signature-expires"]);
}

#[test]
fn samples_that_fit_a_time() {
    let minute = |n| n * MINUTE_NS;
    let every = 15 * SECOND_NS;
    assert_eq!(samples::possible(minute(5), every, 0), 21);
    assert_eq!(samples::possible(minute(5), every, minute(1)), 17);
    assert_eq!(samples::possible(minute(1), every, 20 * SECOND_NS), 3);
    assert_eq!(samples::possible(minute(1), every, minute(1)), 1);
    assert_eq!(samples::possible(0, every, 0), 1);
    assert_eq!(samples::possible(minute(1), every, minute(5)), 0);
}

#[test]
fn a_hold_has_room_for_its_samples() {
    let with = |hold_ns, samples, for_ns| {
        let mut draft = Draft::blank();
        let phase = draft.phase("rollout");
        let step = draft.step(phase, "release", "api");
        let canary = draft.canary(phase, "canary", step);
        let stage = draft.stage(canary, 100, hold_ns);
        sampled(
            &mut draft,
            stage,
            "errors",
            CheckMode::Stage { for_ns },
            samples,
        );
        codes(&mut draft)
    };
    assert_eq!(with(5 * MINUTE_NS, 8, 0), Vec::<&str>::new());
    assert_eq!(with(2 * MINUTE_NS, 5, 0), ["no-slack"]);
    assert_eq!(with(2 * MINUTE_NS, 6, 0), ["hold-too-short"]);
    assert_eq!(with(MINUTE_NS, 1, 0), ["lookback-exceeds-stage"]);
    assert_eq!(
        with(5 * MINUTE_NS, 1, 6 * MINUTE_NS),
        ["for-longer-than-hold"]
    );
}

#[test]
fn a_time_that_must_hold_has_room_for_its_samples() {
    let with = |mode, samples| {
        let mut draft = Draft::blank();
        let phase = draft.phase("verify");
        sampled(&mut draft, phase, "errors", mode, samples);
        codes(&mut draft)
    };
    assert_eq!(
        with(CheckMode::For { ns: 2 * MINUTE_NS }, 8),
        Vec::<&str>::new()
    );
    assert_eq!(
        with(CheckMode::For { ns: 2 * MINUTE_NS }, 10),
        ["hold-too-short"]
    );
    assert_eq!(
        with(CheckMode::Within { ns: 30 * SECOND_NS }, 8),
        ["hold-too-short"]
    );
    assert_eq!(
        with(CheckMode::Within { ns: 30 * SECOND_NS }, 1),
        Vec::<&str>::new()
    );
    assert_eq!(with(CheckMode::Once, 100), Vec::<&str>::new());
}

#[test]
fn the_latest_moment_follows_the_window_that_opens_last() {
    let mut draft = morning();
    fill(&mut draft.plan);
    let graph = Graph::of(&draft.plan.nodes);
    let line = Line::new(&draft.plan, &graph).unwrap();
    let end = |path: &str| {
        let node = draft
            .plan
            .nodes
            .iter()
            .find(|node| node.path == path)
            .unwrap();
        line.latest(Some(Point::End(node.id))).ns / MINUTE_NS
    };
    assert_eq!(end("preflight"), 25);
    assert_eq!(end("deploy"), 39);
    assert_eq!(end("rollout"), 30 + 8 + 1 + 48 + 2);
    assert_eq!(end("declare"), 2 * 60 + 55);
}
